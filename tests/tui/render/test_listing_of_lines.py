"""The listing of a network of lines: as they were written, marked where they can be unfolded."""

from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tests.tui.line_experiments import lines_program
from tests.tui.lines import text_of
from tui.render.listing import row_line, rows_of
from tui.view.snapshot import Selection, snapshot


def listed(program, width: int) -> list[str]:
    seen = snapshot(Debugger(Session(program)), Selection())
    rows = rows_of(program.order, seen.listing)
    return [text_of(row_line(seen, row, width, False)).rstrip() for row in rows]


def test_lines_stand_as_they_were_written_and_those_of_several_functions_are_marked() -> None:
    lines = listed(lines_program("five relu"), 60)
    forward = lines[lines.index(" forward") + 1 : lines.index(" backward")]
    expected = [
        "⊞ z1 = W1 @ x + b1", "z2.relu1 = (z1)⁺", "z2 = 5 z2.relu1", "⊞ yhat = W2 @ z2 + b2",
        "loss", "⊞ loss = sum((yhat - y)**2) + lam*sum(W1**2)",
    ]  # fmt: skip
    assert [
        line.strip()[: len(one)] for line, one in zip(forward, expected, strict=True)
    ] == expected


def test_a_line_of_a_loop_has_the_number_of_its_step() -> None:
    lines = listed(lines_program("gated"), 80)
    assert any("⊞ c[1] = sigmoid(x[:, 1] @ Wc.T + h[0] @ Wh.T)" in line for line in lines)
    assert any(line.startswith("     h[-1] = zeros(N, 3)") for line in lines)


def test_backward_is_cut_at_the_width() -> None:
    lines = listed(lines_program("gated"), 38)
    backward = lines[lines.index(" backward") + 1 : lines.index(" update")]
    assert all(len(line) <= 38 for line in backward)
    assert any("…" in line and line.endswith("(3, 2)") for line in backward)


def test_the_ops_of_layers_have_no_marks() -> None:
    assert not any("⊞" in line for line in listed(built_in("regression"), 60))
