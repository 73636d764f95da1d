"""Tensors called ``h[2]`` in commands: print, edit, watch, stop, at a prompt and by keys."""

import numpy as np
import pytest
from textual.widgets import Input

from engine.debugger import Debugger
from engine.session.session import Session
from engine.words.language import CommandLine
from tests.tui.line_experiments import TEXTS, lines_program
from tests.tui.screen import debugger
from tests.tui.tensors import grid, typed

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


async def test_at_goes_to_an_element_by_its_name() -> None:
    async with debugger(GATED, (120, 40)) as shown:
        await shown.press("f", "at")
        await typed(shown, "h[2][1,2]")
        assert shown.main.parts.follow.selection.tensor == "h[2]"
        assert grid(shown).index() == (1, 2)
        await shown.press("1", "at")
        await typed(shown, "c[0]")
        assert shown.main.parts.follow.selection.tensor == "c[0]"
        await shown.press("at")
        await typed(shown, "x[0,1,9]")
        assert "no cell [0, 1, 9] of x" in shown.text()
        await shown.press("at")
        await typed(shown, "i1:forward:h[0]")
        assert shown.session.op.key == "forward:h[0]"


async def test_every_tensor_and_pane_of_lines_can_be_shown_in_small_and_large() -> None:
    for name in TEXTS:
        async with debugger(lines_program(name), (120, 40)) as shown:
            await shown.press("f", "n", "n", "n", "s", "s")
            for tensor in shown.session.run.tensors:
                shown.main.parts.follow.tensor(tensor)
                await shown.settled()
                assert shown.main.view is not None
                assert f"{tensor} " in shown.text()
            for pane, said in (("3", "Jacobian"), ("0", "Doctor"), ("9", "line")):
                await shown.press("escape", pane)
                assert said in shown.text()
            await shown.press("p", "2", "3", "escape", "L", "o")
            assert shown.app.is_running
