"""The chain pane and the report of a network of lines: sums of chains, brackets, whole batches."""

from pathlib import Path

import pytest
from rich.text import Text

from engine.chain.query import complete_at, query
from engine.debugger import Debugger
from engine.experiment.reader import read_experiment
from engine.jacobian.operator import Layout
from engine.program.compiler import compile_program
from engine.session.session import Session
from tests.tui.lines import text_of
from tui.render.chain import chain_text
from tui.render.chain_numbers import Room
from tui.render.jacobian import PICTURES, jacobian_head
from tui.render.reports.jacobian import report
from tui.render.text.line import width_of
from tui.view.derivative import Derivative
from tui.view.snapshot import Selection, View, snapshot

SKIP = "a = tanh(x @ W.T)\nr = a + x\nyhat = r @ V.T\nloss = mean((yhat - y)**2)"
DEEP = "h[-1] = x\nfor t in range(5):\n    g[t] = tanh(h[t-1])\n    h[t] = g[t] + h[t-1]\n" + (
    "yhat = h[4] @ V.T\nloss = mean((yhat - y)**2)"
)
NORM = "z = x @ W.T\nn = z - mean(z, axis=0)\nyhat = n @ V.T\nloss = mean((yhat - y)**2)"


def session_of(lines: str) -> Session:
    raw = {
        "data": {"x": [[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]], "y": [[1.0], [0.0], [1.0]]},
        "parameters": {
            "W": {"value": [[0.5, 0.25], [-0.5, 1.0]]},
            "V": {"value": [[1.0, -2.0]]},
        },
        "network": {"lines": lines},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }
    session = Session(compile_program(read_experiment(raw, "sums")))
    session.goto(complete_at(session.program))
    return session


def view_of(lines: str, **derivative: object) -> View:
    selection = Selection(tensor="x", derivative=Derivative(**derivative))
    return snapshot(Debugger(session_of(lines)), selection)


def pane(view: View, width: int = 79) -> list[str]:
    text = chain_text(view, Room(width, 40, (117, 40)))
    assert {width_of(line) for line in text.lines} == {width}
    return [text_of(line).rstrip() for line in text.lines]


def test_a_skip_connection_reads_as_a_sum_of_chains() -> None:
    lines = pane(view_of(SKIP, of="loss", wrt="x"))
    assert lines[:7] == [
        " ∂ℓ/∂x  numerator layout · sample 0 of 3  conforms ✓",
        " ℓ of the batch of 3, by sample 0 alone",
        " ∂ℓ/∂x of one sample alone: N times this, N = 3",
        "  ∂ℓ/∂x = ∂ℓ/∂yhat · ∂yhat/∂r · ∂r/∂a · ∂a/∂x",
        "  (1×2)    (1×1)      (1×2)     (2×2)   (2×2)",
        "        + ∂ℓ/∂yhat · ∂yhat/∂r · ∂r/∂x",
        "           (1×1)      (1×2)     (2×2)",
    ]


def test_every_factor_of_every_path_has_a_row_of_the_table() -> None:
    view = view_of(SKIP, of="loss", wrt="x")
    text = chain_text(view, Room(79, 40, (117, 40)))
    rows = [text_of(text.lines[place]).split()[0:3] for place in text.places]
    assert [" ".join(row).lstrip("▶ ") for row in rows] == [
        "∂ℓ/∂yhat loss", "∂yhat/∂r yhat ←", "∂r/∂a r ←", "∂a/∂x a ←",
        "+ ∂ℓ/∂yhat loss", "∂yhat/∂r yhat ←", "∂r/∂x r ←",
    ]  # fmt: skip


@pytest.mark.parametrize("factor", range(7))
def test_the_product_so_far_is_that_of_the_path_of_the_factor(factor: int) -> None:
    lines = pane(view_of(SKIP, of="loss", wrt="x", factor=factor))
    last = next(line for line in lines if "multiply-adds" in line)
    symbols = ["∂ℓ/∂yhat", "∂yhat/∂r", "∂r/∂a", "∂a/∂x", "∂ℓ/∂yhat", "∂yhat/∂r", "∂r/∂x"]
    assert last.split()[0] == symbols[factor]


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("width", [24, 40, 79, 117])
@pytest.mark.parametrize("lines", [SKIP, DEEP, NORM])
def test_the_pane_is_as_wide_as_it_is(lines: str, width: int, layout: Layout) -> None:
    for sample in (0, None):
        pane(view_of(lines, of="loss", wrt="x", layout=layout, sample=sample), width)


def test_brackets_follow_the_product_that_they_stand_in() -> None:
    lines = pane(view_of(DEEP, of="h[4]", wrt="h[0]", sample=None), 117)
    assert lines[1:9] == [
        "  ∂h[4]/∂h[0] = dh[4]/dh[3] · dh[3]/dh[2] · dh[2]/dh[1] · dh[1]/dh[0]",
        "     (6×6)         (6×6)         (6×6)         (6×6)         (6×6)",
        "  dh[4]/dh[3] = ∂h[4]/∂g[4] · ∂g[4]/∂h[3]",
        "     (6×6)         (6×6)         (6×6)",
        "              + ∂h[4]/∂h[3]",
        "                   (6×6)",
        "  dh[3]/dh[2] = ∂h[3]/∂g[3] · ∂g[3]/∂h[2]",
        "     (6×6)         (6×6)         (6×6)",
    ]


def test_gradient_layout_turns_every_path_around() -> None:
    lines = pane(view_of(SKIP, of="r", wrt="x", layout=Layout.GRADIENT))
    assert lines[1:5] == [
        "  (∂r/∂x)ᵀ = (∂a/∂x)ᵀ · (∂r/∂a)ᵀ",
        "   (2×2)      (2×2)      (2×2)",
        "           + (∂r/∂x)ᵀ",
        "              (2×2)",
    ]


def test_a_line_that_mixes_the_samples_is_named_in_both_panes() -> None:
    view = view_of(NORM, of="n", wrt="z")
    assert "the whole batch is shown: n mixes the samples" in pane(view)[1]
    head = [text_of(line) for line in jacobian_head(view, 100)]
    assert "batch of 3" in head[2]


def test_every_structure_has_a_picture() -> None:
    from engine.jacobian.operator import Structure

    assert set(PICTURES) == {one.value for one in Structure}


def written(lines: str, of: str, wrt: str, width: int = 80) -> list[str]:
    view = query(session_of(lines), of, wrt)
    found: list[Text] = list(report(view, view.corner(), False, width))
    assert all(len(line.plain) <= width for line in found if "cheapest" not in line.plain)
    return [line.plain for line in found]


def test_the_report_adds_the_paths_up() -> None:
    lines = written(SKIP, "r", "x")
    assert lines[7:15] == [
        "   ∂r/∂a   · ∂a/∂x",
        "   (2×2)     (2×2)",
        "  identity   dense",
        "+  ∂r/∂x",
        "   (2×2)",
        "  identity",
        "  = 2×2",
        "",
    ]


def test_the_report_says_how_many_paths_a_bracket_has() -> None:
    lines = written(DEEP, "h[4]", "h[0]")
    start = lines.index("dh[4]/dh[3] is a sum over 2 paths")
    assert lines[start + 1 : start + 7] == [
        "  ∂h[4]/∂g[4] · ∂g[4]/∂h[3]",
        "     (2×2)         (2×2)",
        "   identity      diagonal",
        "+ ∂h[4]/∂h[3]",
        "     (2×2)",
        "   identity",
    ]


def test_the_command_has_paths_in_its_json(tmp_path: Path) -> None:
    import json

    from click.testing import CliRunner

    from tui.cli.jacobian import jacobian

    file = tmp_path / "skip.toml"
    lines = SKIP.replace("\n", "\\n")
    file.write_text(
        "[data]\nx = [[1.0, 2.0]]\ny = [[1.0]]\n[parameters]\nW = { shape = [2, 2] }\n"
        f'V = {{ shape = [1, 2] }}\n[network]\nlines = "{lines}"\n'
        '[optimizer]\ntype = "sgd"\nlr = 0.1\n'
    )
    done = CliRunner().invoke(jacobian, [str(file), "--of", "r", "--wrt", "x", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert [[one["factor"] for one in path] for path in found["paths"]] == [
        ["∂r/∂a", "∂a/∂x"], ["∂r/∂x"]
    ]  # fmt: skip
    assert (found["dims"], found["window"]["rows"]) == ([2, 2], [0, 2])
