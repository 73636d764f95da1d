"""Unfolding and folding at the same place, an evaluation pass, and back."""

from typing import Any

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.run.position_text import format_position
from engine.session.session import Session
from engine.words.command import CommandError
from engine.words.language import CommandLine
from tests.engine.lines.networks import network

LINES = """
z = tanh(x @ W.T + b)
p = softmax(z)
loss = mean((p - y)**2)
"""
ARRAYS: dict[str, Any] = {
    "x": [[0.5, -1.0], [0.2, 0.3], [1.0, 1.0]],
    "y": [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]],
    "W": [[0.1, 0.2], [-0.3, 0.4]],
    "b": [0.0, 0.1],
}


def commands(tables: dict[str, Any] | None = None) -> CommandLine:
    """A command line on the network."""
    return CommandLine(Debugger(Session(network(LINES, tables, **ARRAYS))))


def place(line: CommandLine) -> str:
    """Where the cursor stands."""
    return format_position(line.debugger.run, line.debugger.event)


def test_unfolding_stays_at_the_same_place_with_the_same_values() -> None:
    line = commands()
    line.execute("goto i2:backward:z.grad@p")
    before = dict(line.debugger.session.tensors)
    line.execute("unfold p")
    assert place(line).startswith("i2:backward:p.")  # the first op of its pieces
    after = line.debugger.session.tensors
    for name in ("z", "p", "loss", "W", "b", "p.grad"):
        np.testing.assert_allclose(after[name], before[name], rtol=1e-12)


def test_folding_again_is_the_first_program() -> None:
    line = commands()
    first = [op.key for op in line.debugger.run.timeline.stretch(0, 20)]
    line.execute("unfold all")
    assert [op.key for op in line.debugger.run.timeline.stretch(0, 20)] != first
    line.execute("fold")
    assert [op.key for op in line.debugger.run.timeline.stretch(0, 20)] == first


def test_one_of_all_is_folded() -> None:
    line = commands()
    line.execute("unfold all")
    line.execute("fold z")
    names = [op.name for op in line.debugger.session.program.ops]
    assert "z" in names
    assert not [name for name in names if name.startswith("z.") and "grad" not in name]
    assert [name for name in names if name.startswith("loss.")]


def test_edits_stops_watches_and_bookmarks_come_along() -> None:
    line = commands()
    line.execute("goto i1:forward:z")
    line.execute("set W[0,0] = 5")
    line.execute("display norm(W)")
    line.execute("b loss:loss")
    line.execute("goto i1:loss")
    line.execute("mark here")
    result = line.execute("unfold z")
    debugger = line.debugger
    assert debugger.session.tensors["W"][0, 0] == 5
    assert list(debugger.watches) == ["norm(W)"]
    assert len(debugger.stops) == 1
    assert format_position(debugger.run, debugger.bookmarks["here"].event) == "i1:loss:loss"
    assert not [text for text in result.lines if "left behind" in text]


def test_what_cannot_be_unfolded_is_said() -> None:
    line = commands()
    with pytest.raises(CommandError, match="no line 'q'"):
        line.execute("unfold q")
    line.execute("unfold z")
    with pytest.raises(CommandError, match="z is unfolded already"):
        line.execute("unfold z")
    with pytest.raises(CommandError, match="single function"):
        commands_of("a = x @ W.T\nloss = sum(a**2)").execute("unfold a")


def commands_of(lines: str) -> CommandLine:
    """A command line on other lines."""
    given = {name: ARRAYS[name] for name in ("x", "W")}
    return CommandLine(Debugger(Session(network(lines, None, **given))))


def test_an_evaluation_changes_nothing_and_leads_back() -> None:
    line = commands({"data": {"validation": 0.34}})
    line.execute("goto i2")
    before = line.debugger
    loss, event = before.session.loss, before.event
    weights = before.session.tensors["W"]
    result = line.execute("eval")
    assert result.data["rows"] == "validation"
    line.execute("c")
    inside = line.debugger.session
    assert inside.tensors["x"].shape[0] == 1
    x, b = inside.tensors["x"], inside.tensors["b"]
    np.testing.assert_allclose(inside.tensors["z"], np.tanh(x @ weights.T + b), rtol=1e-12)
    with pytest.raises(CommandError, match="already"):
        line.execute("eval")
    line.execute("leave")
    assert line.debugger is before
    assert (before.session.loss, before.event) == (loss, event)
    with pytest.raises(CommandError, match="nothing to leave"):
        line.execute("leave")
    line.execute("eval")
    line.execute("back")
    assert line.debugger is before


def test_without_rows_set_aside_an_evaluation_is_over_the_training_rows() -> None:
    line = commands()
    assert line.execute("evaluate").data["rows"] == "training"
    line.execute("c")
    assert line.debugger.session.tensors["x"].shape[0] == 3
