"""Tasks of courses: the commands of docs/tasks.md run, and the published numbers come out."""

import re
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.refold import refolded
from engine.session.session import Session
from tests.tui.cli.shell import invoke

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "tasks.md").read_text(encoding="utf-8")
FILES = sorted((ROOT / "docs" / "tasks").glob("*.toml"))
COMMANDS = sorted(set(re.findall(r"^(gradstep .*)$|`(gradstep (?!run FILE)[^`]*)`", TEXT, re.M)))


def after(name: str, phase: str) -> dict[str, Any]:
    """Every tensor after a phase of the first iteration."""
    session = Session(compile_program(load_experiment(name)))
    ops = session.program.ops
    session.goto(max(op.index for op in ops if op.phase.value == phase) + 1)
    return dict(session.tensors)


def task(name: str) -> str:
    """The path of a task's file."""
    return str(ROOT / "docs" / "tasks" / f"{name}.toml")


@pytest.mark.parametrize("command", [first or second for first, second in COMMANDS])
def test_a_command_of_the_page_runs(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = invoke(*shlex.split(command)[1:])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout


def test_every_file_stands_on_the_page() -> None:
    assert {f"tasks/{path.name}" for path in FILES} == set(re.findall(r"\((tasks/.*?)\)", TEXT))


def test_the_circuit() -> None:
    found = after("circuit", "backward")
    assert (found["q"].item(), found["f"].item()) == (3, -12)
    assert [found[f"{name}.grad"].item() for name in "xyzq"] == [-4, -4, 3, -4]


def test_micrograd() -> None:
    found = after("micrograd", "backward")
    assert found["loss"] == pytest.approx(24.7041, abs=5e-5)
    assert found["a.grad"] == pytest.approx(138.8338, abs=5e-5)
    assert found["b.grad"] == pytest.approx(645.5773, abs=5e-5)


def test_the_two_layer_net() -> None:
    found = after(task("two-layer-net"), "loss")
    assert found["data"] == pytest.approx(3.4702243556, abs=1e-9)
    assert found["loss"] == pytest.approx(26.5948426952, abs=1e-9)
    first = [11.53165108, 12.2917344, 13.05181771, 13.81190102, 14.57198434, 15.33206765]
    np.testing.assert_allclose(found["scores"][0, :6], first, atol=1e-6)


def test_the_convolution() -> None:
    out = after(task("convolution"), "loss")["out"][0]
    published = [
        [[-0.08759809, -0.10987781], [-0.18387192, -0.2109216]],
        [[0.21027089, 0.21661097], [0.22847626, 0.23004637]],
        [[0.50813986, 0.54309974], [0.64082444, 0.67101435]],
    ]
    np.testing.assert_allclose(out, published, atol=1e-7)


def test_a_convolution_by_hand() -> None:
    found = after(task("cnn-by-hand"), "backward")
    assert found["z"].tolist() == [[[[2, 4], [-1, 1]]]]
    assert (found["p"].item(), found["yhat"].item(), found["loss"].item()) == (4, 2, 0.5)
    assert found["w.grad"].tolist() == [[4]]
    assert found["a.grad"].tolist() == [[[[0, 0.5], [0, 0]]]]
    assert found["K.grad"].tolist() == [[[[1, 0], [0.5, 1.5]]]]


def test_the_lstm_by_numbers() -> None:
    found = after(task("lstm-by-numbers"), "backward")
    published = {
        "a[0]": 0.81775, "i[0]": 0.96083, "f[0]": 0.85195, "o[0]": 0.81757, "state[0]": 0.78572,
        "out[0]": 0.53631, "a[1]": 0.8498, "i[1]": 0.98118, "f[1]": 0.8703, "o[1]": 0.84993,
        "out[1]": 0.77198, "state[1].grad": -0.07111,
    }  # fmt: skip
    for name, value in published.items():
        assert found[name].item() == pytest.approx(value, abs=1e-5), name
    np.testing.assert_allclose(found["x.grad"][0, 1], [-0.04743, -0.03073], atol=1e-5)
    moved = after(task("lstm-by-numbers"), "update")
    np.testing.assert_allclose(moved["Wa"], [[0.45267, 0.25922]], atol=1e-5)


def test_batch_normalization_as_a_graph_is_the_function() -> None:
    graph = after(task("batch-norm-graph"), "backward")
    raw = load_experiment(task("batch-norm-graph"))
    x, g = graph["x"], np.array(raw.loss.gradient)  # type: ignore[attr-defined]
    away = x - x.mean(axis=0)
    root = np.sqrt(x.var(axis=0) + 1e-5)
    hat, gamma = away / root, graph["gamma"]
    np.testing.assert_allclose(graph["gamma.grad"], (g * hat).sum(axis=0), rtol=1e-12)
    np.testing.assert_allclose(graph["beta.grad"], g.sum(axis=0), rtol=1e-12)
    d = g * gamma
    closed = (d - d.mean(axis=0) - hat * (d * hat).mean(axis=0)) / root
    np.testing.assert_allclose(graph["x.grad"], closed, rtol=1e-10, atol=1e-13)


def test_the_layer_and_its_equations_agree() -> None:
    program = compile_program(load_experiment(task("lstm-three-steps")))
    apart = refolded(program, ["cell"])
    whole, pieces = Session(program), Session(apart)
    whole.goto(len(program.ops))
    pieces.goto(len(apart.ops))
    for info in program.parameters:
        np.testing.assert_allclose(
            pieces.tensors[info.name], whole.tensors[info.name], rtol=1e-12, atol=1e-14
        )
