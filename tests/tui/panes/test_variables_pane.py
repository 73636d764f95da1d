"""The variables pane by its keys: groups fold, and the cursor keeps its row."""

from tests.tui.line_experiments import unrolled
from tests.tui.screen import Opened, debugger
from tui.panes.variables import VariablesPane

LONG = unrolled(100)


def pane(shown: Opened) -> VariablesPane:
    return shown.main.query_one(VariablesPane)


def under(shown: Opened) -> str:
    """The label of the row under the cursor."""
    widget = pane(shown)
    assert widget.view is not None
    return widget.rows(widget.view)[widget.row].label.strip()


async def at_group(shown: Opened, label: str) -> None:
    await shown.press("5", "home")
    for _ in range(20):
        if under(shown) == label:
            return
        await shown.press("down")
    raise AssertionError(f"no row {label}")


async def test_enter_and_the_arrows_fold_and_unfold():
    async with debugger(LONG, (120, 40)) as shown:
        await at_group(shown, "g[0…99]")
        count = pane(shown).count(pane(shown).view)
        await shown.press("enter")
        assert pane(shown).count(pane(shown).view) == count + 100
        await shown.press("down", "down", "down")
        assert under(shown) == "g[2]"
        assert shown.main.parts.follow.selection.tensor == "g[2]"
        await shown.press("left")
        assert under(shown) == "g[0…99]"
        await shown.press("left")  # g[2], which is shown, keeps its row
        assert pane(shown).count(pane(shown).view) == count + 1
        await shown.press("right")
        assert pane(shown).count(pane(shown).view) == count + 100
        await shown.press("down", "enter")
        assert under(shown) == "g[0…99]"


async def test_the_cursor_stays_on_its_tensor_while_rows_come_and_go():
    async with debugger(LONG, (120, 40)) as shown:
        await at_group(shown, "x")
        place = pane(shown).row
        shown.main.parts.follow.tensor("h[57]")
        await shown.settled()
        assert under(shown) == "x"
        assert pane(shown).row == place + 1
        assert "h[57]" in shown.text()
        await shown.press("n", "n", "n", "s", "s")
        assert under(shown) == "x"


async def test_a_key_goes_past_the_row_that_folds_away():
    async with debugger(LONG, (120, 40)) as shown:
        await at_group(shown, "g[0…99]")
        shown.main.parts.follow.tensor("g[57]")
        await shown.settled()
        await shown.press("down")
        assert under(shown) == "g[57]"
        await shown.press("down", "down", "down")
        assert under(shown) == "x"
        assert shown.main.parts.follow.selection.tensor == "x"
