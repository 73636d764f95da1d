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


async def test_the_heads_of_the_columns_stand_over_them():
    async with debugger("digits", (200, 60)) as shown:
        rows = shown.rows()
        top = next(row for row in rows if "5 Variables" in row)
        first = rows[rows.index(top) + 1]
        for head, value in (("shape", "(32, 64)"), ("mean", "μ "), ("∇ state", "∇ none")):
            assert top.index(head) == first.index(value), head


async def test_what_is_of_an_earlier_iteration_says_of_which():
    async with debugger("regression", (120, 40)) as shown:
        await shown.press("f")
        line = next(row for row in shown.rows() if "relu1.out" in row and "5 Var" not in row)
        assert "of iter 1" in line
        weight = next(row for row in shown.rows() if "linear2.weight (" in row)
        assert "of iter" not in weight, "an update is of the iteration before, as it must be"
        await shown.press("n", "n")
        assert "of iter" not in shown.text()


async def test_choosing_a_tensor_says_that_it_is_pinned_and_how_to_follow_again():
    async with debugger("regression", (120, 40)) as shown:
        await shown.press("s", "5", "down")
        assert "is pinned" in shown.text()
        assert "pinned · . follows" in shown.text()
        await shown.press("full_stop")
        assert "following" in shown.text()
