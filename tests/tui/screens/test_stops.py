"""Stops on the screen: set in the gutter by key and mouse, listed, changed, met and reported."""

import pytest
from textual.widgets import OptionList

from engine.stops.stop import StopKind
from tests.tui.screen import Opened, debugger
from tests.tui.typist import answer, fill, note, run_line, said
from tui.screens.stops import StopsScreen

SIZES = [(120, 40), (80, 24)]


def listed(shown: Opened) -> list[str]:
    """The lines of the list of stops, from the top."""
    assert isinstance(shown.app.screen, StopsScreen)
    options = shown.app.screen.query_one(OptionList)
    return [str(options.get_option_at_index(i).prompt).strip() for i in range(options.option_count)]


def stops(shown: Opened) -> list[str]:
    return [str(stop) for stop in shown.debugger.stops]


def gutter(shown: Opened, label: str) -> str:
    """The two columns before an op of the program pane."""
    place = shown.main.query_one("#program").content_region
    rows = [row[place.x : place.right] for row in shown.rows()[place.y : place.bottom]]
    return next(row for row in rows if label in row)[:2]


async def whole_program(shown: Opened) -> None:
    """The program alone on a small screen, where three of its ops are seen else."""
    if shown.app.size.width < 100:
        await shown.press("z")


@pytest.mark.parametrize("size", SIZES)
async def test_the_key_sets_a_breakpoint_on_the_selected_op_and_removes_it(size):
    async with debugger("regression", size) as shown:
        await whole_program(shown)
        await shown.press("down", "b")
        assert gutter(shown, "∂ℓ/∂b⁽¹⁾ ← 0") == "● "
        assert note(shown) == "stop 1: break zero_grad:linear1.bias.grad"
        await shown.press("c")
        assert shown.session.event == 1
        assert gutter(shown, "∂ℓ/∂b⁽¹⁾ ← 0") == "●▶"
        await shown.press("b")
        assert gutter(shown, "∂ℓ/∂b⁽¹⁾ ← 0") == " ▶"
        assert stops(shown) == []


@pytest.mark.parametrize("size", SIZES)
async def test_a_click_in_the_gutter_sets_a_breakpoint(size):
    async with debugger("regression", size) as shown:
        await whole_program(shown)
        y = next(y for y, row in enumerate(shown.rows()) if "ℓ = mse(ŷ, y)" in row)
        pane = shown.main.query_one("#program").region
        await shown.pilot.click(offset=(pane.x + 1, y))
        await shown.settled()
        assert stops(shown) == ["break loss:loss"]
        assert note(shown) == "stop 1: break loss:loss"
        assert gutter(shown, "ℓ = mse(ŷ, y)")[0] == "●"
        await shown.pilot.click(offset=(pane.x + 9, y))
        await shown.settled()
        assert stops(shown) == ["break loss:loss"], "beside the gutter a click only selects"
        await shown.pilot.click(offset=(pane.x + 2, y))
        await shown.settled()
        assert stops(shown) == []


async def test_a_heading_has_no_gutter():
    async with debugger("regression", (80, 24)) as shown:
        await whole_program(shown)
        y = next(y for y, row in enumerate(shown.rows()) if "forward" in row and "│" in row)
        await shown.pilot.click(offset=(1, y))
        await shown.settled()
        assert stops(shown) == []


@pytest.mark.parametrize("size", SIZES)
async def test_the_list_switches_changes_and_deletes(size):
    async with debugger("regression", size) as shown:
        await whole_program(shown)
        await run_line(shown, "b backward if loss > 1", "watch loss crosses 2", "tbreak update")
        await shown.press("B")
        assert listed(shown) == [
            "●  1  break backward if loss > 1",
            "●  2  watch loss crosses 2.0",
            "●  3  break update  once",
        ]
        assert all(line in shown.text() for line in listed(shown))
        await shown.press("space", "down", "o", "down", "o")
        assert listed(shown) == [
            "○  1  break backward if loss > 1  disabled",
            "●  2  watch loss crosses 2.0  once",
            "●  3  break update",
        ]
        await shown.press("up", "d")
        assert [line.split()[1] for line in listed(shown)] == ["1", "3"]
        assert max(len(row) for row in shown.rows()) <= size[0]
        await shown.press("escape")
        assert shown.app.screen is shown.main
        assert gutter(shown, "∂ℓ/∂ŷ = 2(ŷ − y)")[0] == "○"


async def test_a_condition_is_typed_changed_and_taken_away():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "b backward if loss > 1")
        await shown.press("B", "i")
        field = shown.main.prompt.field
        assert field.value == "loss > 1"
        fill(shown, "los")
        await shown.press("tab")
        assert field.value == "loss", "a condition completes as one"
        await answer(shown, "loss > nonsense")
        assert "unknown name 'nonsense'" in note(shown)
        assert stops(shown) == ["break backward if loss > 1"]
        await shown.press("B", "i")
        await answer(shown, "iteration > 2")
        assert stops(shown) == ["break backward if iteration > 2"]
        await shown.press("B", "i")
        await answer(shown, "")
        assert stops(shown) == ["break backward"]


async def test_hits_are_ignored_and_logged_from_the_list():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "b loss")
        await shown.press("B", "g")
        await answer(shown, "2")
        await shown.press("c")
        assert shown.session.position.iteration == 3, "two hits pass"
        assert next(iter(shown.debugger.stops)).hits == 3
        await shown.press("B")
        assert listed(shown) == ["●  1  break loss  hit 3×"]
        await shown.press("l")
        await answer(shown, "it {iteration}")
        await shown.press("c")
        assert shown.session.op is None, "a stop that logs does not stop"
        assert [line for line in said(shown).split("\n") if line.startswith(" it ")] == [
            f" it {number}" for number in range(4, 31)
        ]
        await shown.press("B", "l")
        assert shown.main.prompt.field.value == "it {iteration}"
        await answer(shown, "")
        await shown.press("C")
        assert shown.session.position.iteration == 30, "without a message it stops again"


async def test_an_empty_list_says_how_to_begin():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("B")
        assert listed(shown) == ["no stops yet: b on an op of the program sets one, a adds one"]
        await shown.press("d", "space", "i", "g", "l", "o")
        assert isinstance(shown.app.screen, StopsScreen)
        await shown.press("a")
        await answer(shown, "b loss")
        assert stops(shown) == ["break loss"]


async def test_a_long_list_scrolls_and_hostile_texts_stay_texts():
    async with debugger("regression", (80, 24)) as shown:
        for number in range(60):
            shown.debugger.stops.add(StopKind.OP, "loss", log=f"[b]{number}[/b]\x1b[31m")
        await shown.press("B", "end")
        text = shown.text()
        assert r"[b]59[/b]\x1b[31m" in text
        assert "Esc close" in text, "the keys stay in sight"
        await shown.press("d")
        assert len(shown.debugger.stops) == 59


@pytest.mark.parametrize("size", SIZES)
async def test_a_stop_is_reported_with_tensor_index_and_value(size):
    async with debugger("bug-exploding", size) as shown:
        await run_line(shown, "watch any non-finite in linear2.out")
        await shown.press("c")
        session = shown.session
        assert note(shown).startswith("stop 1 (watch any non-finite in linear2.out): linear2.out[")
        assert "→ inf" in note(shown) or "→ -inf" in note(shown) or "→ nan" in note(shown)
        assert note(shown).removesuffix("…") in said(shown).replace("\n ", "")
        event = session.event
        scan = type(session)(session.program)
        while all(abs(v) < float("inf") for v in scan.tensors.get("linear2.out", [[0]])[0]) and all(
            abs(x) < float("inf") for row in scan.tensors.get("linear2.out", [[0]]) for x in row
        ):
            scan.step()
        assert scan.event == event, "the first event at which it is so"
        row = shown.rows()[-2]
        assert row.startswith((" stop 1 (watch any non-finite", " stop 1: linear2.out["))
        assert "linear2.out[" in row, "what was found is told however narrow the line is"


async def test_long_reports_point_at_what_has_all_of_them():
    async with debugger("regression", (80, 24)) as shown:
        condition = " and ".join(["norm(linear1.weight) > 0"] * 6)
        await run_line(shown, f"b loss if {condition}")
        await shown.press("c")
        assert shown.rows()[-2].endswith("all of it: M")
        await shown.press("M")
        assert condition.replace(" ", "") in "".join(shown.text().replace("│", "").split())
        await shown.press("M", "7")
        text = " ".join(row.strip("│ ▁▂▃▄▅▆▇█") for row in shown.rows())
        assert "before #8 i1:loss:loss" in text
