"""Enter on a number: its terms, each operand explained in turn and back, the way to its cell."""

import pytest
from textual.widgets import OptionList, Static

from tests.tui.screen import Opened, debugger
from tests.tui.typist import note
from tui.panes.tensor import TensorPane
from tui.panes.tensor_grid import TensorGrid
from tui.render.tensor_window import tensor_window
from tui.screens.explanation import ExplanationScreen

SIZES = [(120, 40), (80, 24)]


async def opened(shown: Opened, event: int, *keys: str) -> ExplanationScreen:
    """The explanation that Enter opens in the tensor pane at an event."""
    shown.session.goto(event)
    shown.main.show_now()
    await shown.press("2", *keys, "enter")
    assert isinstance(shown.app.screen, ExplanationScreen)
    return shown.app.screen


def operands(screen: ExplanationScreen) -> list[str]:
    options = screen.query_one(OptionList)
    return [str(options.get_option_at_index(i).prompt) for i in range(options.option_count)]


def text(screen: ExplanationScreen) -> str:
    return str(screen.query_one("#explained-text", Static).render())


@pytest.mark.parametrize("size", SIZES)
async def test_enter_explains_the_number_under_the_cursor(size):
    async with debugger("regression", size) as shown:
        screen = await opened(shown, 5, "right")
        assert screen.found.of == "linear1.out[0,1]"
        assert "= 0.5·(−0.3) + (−1)·0.4 + 2·0.2 + 0.2" in text(screen)
        assert operands(screen)[:2] == ["x[0,0] = 0.5", "linear1.weight[1,0] = −0.3"]
        assert any("linear1.out[0,1] = x[0,0]" in row for row in shown.rows())
        await shown.press("escape")
        assert shown.app.screen is shown.main
        assert shown.session.event == 5


async def test_operands_are_explained_in_turn_and_back():
    async with debugger("regression", (120, 40)) as shown:
        screen = await opened(shown, 15, "right", "down")
        assert operands(screen) == ["relu1.out.grad[1,1] = −0.731", "linear1.out[1,1] = −0.1"]
        await shown.press("down", "enter")
        assert screen.found.of == "linear1.out[1,1]"
        await shown.press("enter")
        assert screen.found.of == "x[1,0]"
        assert operands(screen) == ["made of nothing else"]
        await shown.press("enter")
        assert [one.of for one in screen.trail] == [
            "linear1.out.grad[1,1]",
            "linear1.out[1,1]",
            "x[1,0]",
        ]
        await shown.press("backspace", "left")
        assert screen.found.of == "linear1.out.grad[1,1]"
        assert screen.query_one(OptionList).highlighted == 1
        assert shown.session.event == 15
        await shown.press("backspace")
        assert shown.app.screen is shown.main


async def test_go_there_shows_the_cell_where_it_was_read():
    async with debugger("regression", (120, 40)) as shown:
        await opened(shown, 15, "right", "down")
        await shown.press("down", "g")
        assert shown.app.screen is shown.main
        assert shown.session.event == 14
        assert shown.main.view is not None
        assert shown.main.view.tensor == "linear1.out"
        assert shown.main.query_one(TensorGrid).index() == (1, 1)
        marked = "2 operands marked in their tensors; Esc ends that"
        assert note(shown) == f"{marked} · linear1.out[1,1] = -0.1"


async def test_operands_are_marked_in_their_tensors_until_esc():
    async with debugger("regression", (120, 40)) as shown:
        await opened(shown, 5, "right")
        await shown.press("escape")
        assert note(shown) == "7 operands marked in their tensors; Esc ends that"

        def marked(name: str) -> list[tuple[int, int]]:
            shown.main.parts.follow.tensor(name)
            view, pane = shown.main.view, shown.main.query_one(TensorPane)
            assert view is not None
            window = tensor_window(view, pane.form, range(9), range(9))
            assert window is not None
            return [
                (row, col)
                for row, line in enumerate(window.cells)
                for col, cell in enumerate(line)
                if cell.ranged
            ]

        assert marked("linear1.weight") == [(1, 0), (1, 1), (1, 2)]
        assert marked("x") == [(0, 0), (0, 1), (0, 2)]
        assert marked("linear1.bias") == [(0, 1)]
        assert marked("y") == []
        await shown.press("escape")
        assert marked("linear1.weight") == []


async def test_what_is_not_computed_yet_cannot_be_explained():
    async with debugger("regression", (120, 40)) as shown:
        shown.main.parts.follow.tensor("loss")
        await shown.press("2", "enter")
        assert shown.app.screen is shown.main
        assert note(shown) == "loss is not computed yet at i1:zero_grad:linear1.weight.grad"
