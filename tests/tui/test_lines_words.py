"""Tensors called ``h[2]`` in commands: print, edit, watch, stop, at a prompt and by keys."""

import numpy as np
import pytest
from textual.widgets import Input

from engine.debugger import Debugger
from engine.session.session import Session
from engine.words.language import CommandLine
from tests.tui.line_experiments import lines_program
from tests.tui.screen import debugger

GATED = lines_program("gated")


def commands(*lines: str) -> CommandLine:
    made = CommandLine(Debugger(Session(GATED)))
    for line in lines:
        made.execute(line)
    return made


def test_an_element_is_printed_and_set() -> None:
    made = commands("goto i1:loss", "set h[2][0,1] = 7", "s")
    tensors = made.debugger.session.tensors
    assert tensors["h[2]"][0, 1] == 7
    assert "7" in str(made.execute("p h[2][0,1]").reply.said)
    h, y = tensors["h[2]"], tensors["y"]
    assert float(tensors["loss"]) == pytest.approx(np.mean((h - y) ** 2), rel=1e-12)


def test_a_whole_tensor_and_a_slice_are_set() -> None:
    made = commands("goto i1:loss", "set h[1] = 0", "set h[2][0, :] = 5")
    tensors = made.debugger.session.tensors
    assert not tensors["h[1]"].any()
    assert tensors["h[2]"][0].tolist() == [5, 5, 5]
    assert not (tensors["h[2]"][1] == 5).any()


def test_a_watchpoint_on_an_element_stops_where_it_is_written() -> None:
    made = commands("watch h[2][0,1]", "c")
    session = made.debugger.session
    assert session.timeline.op(session.event - 1).key == "forward:h[2]"


def test_a_breakpoint_has_a_line_and_a_condition() -> None:
    made = commands("b h[1] if h[0][0,1] > -100", "c")
    assert made.debugger.session.op.key == "forward:h[1]"
    made = commands("b backward:h[1].grad@h[2]", "c")
    assert made.debugger.session.op.writes == ("h[1].grad",)


async def test_keys_show_edit_and_watch_the_element_under_the_cursor() -> None:
    async with debugger(GATED, (120, 40)) as shown:
        await shown.press("f", "n", "n")
        shown.main.parts.follow.tensor("h[2]")
        shown.main.parts.panes.go_to("tensor")
        await shown.settled()
        await shown.press("right", "i")
        field = shown.app.focused
        assert isinstance(field, Input)
        assert field.value.startswith("set h[2][0, 1] = ")
        await shown.press("7", "enter", "w", "enter")
        assert list(shown.debugger.watches) == ["h[2][0, 1]"]
        assert shown.session.tensors["h[2]"][0, 1] == 7
