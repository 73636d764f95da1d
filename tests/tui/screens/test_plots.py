"""The plots screen: curves that move with the cursor, keys that step, decision regions."""

import pytest
from textual.widgets import Input

from engine.measure.metrics import evaluate
from engine.measure.series import Series
from tests.tui.cli.shell import invoke
from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.keys.help import help_rows
from tui.keys.screen_commands import CURVES, PLOT_COMMANDS
from tui.keys.table import COMMANDS
from tui.render.plots import MOST
from tui.screens.plots import PlotsScreen
from tui.widgets.plot import RegionMap

SIZES = [(80, 24), (120, 40), (200, 60)]


def screen(shown: Opened) -> PlotsScreen:
    found = shown.app.screen
    assert isinstance(found, PlotsScreen)
    return found


async def settled(shown: Opened) -> None:
    await shown.settled()
    await shown.idle()


@pytest.mark.parametrize("size", SIZES)
async def test_curves_legend_and_back(size):
    async with debugger("xor", size) as shown:
        await run_line(shown, "4f")
        await shown.press("p")
        text = shown.text()
        assert f"1● loss {shown.session.loss:.4f}" in text
        assert "2 loss on all data" in text
        assert "y linear   x iterations" in text
        await shown.press("3", "4")
        await settled(shown)
        accuracy = evaluate(shown.session.program, shown.session.tensors)["accuracy"]
        assert f"■ accuracy on all data {accuracy}" in shown.text()
        assert "◆ ‖∂ℓ/∂W⁽¹⁾‖ 0." in shown.text()
        assert len(shown.rows()) == size[1]
        await shown.press("3")
        assert "3 accuracy on all data" in shown.text()
        await shown.press("escape")
        assert shown.app.screen is shown.main


async def test_step_keys_step_and_the_curves_follow():
    async with debugger("xor", (80, 24)) as shown:
        await shown.press("p")
        before = shown.text()
        await shown.press("f", "f", "n", "s")
        ops = len(shown.session.program.ops)
        assert shown.session.event == 2 * ops + 4 + 1
        assert shown.text() != before
        assert "iter   3/100" in shown.rows()[0]
        await shown.press("F")
        assert shown.session.event == 2 * ops
        await shown.press("g")
        assert shown.session.event == 0


async def test_zoom_and_pan_and_the_whole_again():
    async with debugger("xor", (80, 24)) as shown:
        await run_line(shown, "40f")
        await shown.press("p")
        whole = screen(shown).sheet.plots
        await shown.press("plus", "plus")
        low, high = screen(shown).sheet.plots.span
        ops = len(shown.session.program.ops)
        assert high - low == pytest.approx(50 * ops / 4)
        assert low <= shown.session.event <= high
        await shown.press("left")
        assert screen(shown).sheet.plots.span[0] == pytest.approx(low - 50 * ops / 16)
        await shown.press(*["right"] * 16)
        assert screen(shown).sheet.plots.span[1] == pytest.approx(50 * ops)
        await shown.press("minus", "minus", "minus")
        assert screen(shown).sheet.plots == whole
        await shown.press("plus", "equals_sign")
        assert screen(shown).sheet.plots == whole


async def test_every_key_changes_what_is_seen_or_says_why_not():
    zooming = ["minus", "plus", "plus", "left", "right", "equals_sign", "plus", "home", "minus"]
    curves = [*"11223344556"]  # there are five
    order = [*zooming, "l", "a", "x", "b", "r", "r", *curves, "o", "escape"]
    keys = {key for command in PLOT_COMMANDS for key in command.keys}
    assert keys - set(order) == {"p", "q", *"789"}
    async with debugger("xor", (80, 24)) as shown:
        await run_line(shown, "20f")
        await shown.press("p")
        assert MOST == CURVES
        for key in order:
            before = shown.text()
            await shown.press(key)
            assert shown.text() != before, key
        for key in ("escape", "q", "p"):
            await shown.press(key)
            assert shown.app.screen is shown.main, key
            await shown.press("p")


def test_the_keys_are_in_the_help():
    groups = dict(help_rows())
    assert ("r", "decision regions of two inputs, or curves") in groups["Plots screen"]
    assert {command.id for command in PLOT_COMMANDS}.isdisjoint({c.id for c in COMMANDS})
    keys = [key for command in PLOT_COMMANDS for key in command.keys]
    assert len(keys) == len(set(keys))


async def test_a_watch_has_a_curve():
    async with debugger("xor", (120, 40)) as shown:
        shown.debugger.watches.add("norm(linear2.weight)")
        await run_line(shown, "3f")
        await shown.press("p", "4")
        await settled(shown)
        assert "◆ norm(linear2.weight) " in shown.text()
        assert "norm(linear2.weight) –" not in shown.text()


async def test_other_branches_beside_the_loss():
    async with debugger("xor", (120, 40)) as shown:
        await run_line(shown, "9f")
        shown.session.goto(3 * len(shown.session.program.ops))
        shown.session.set("linear1.weight", 0.0)
        await run_line(shown, "5f")
        await shown.press("p")
        assert "loss of main" not in shown.text()
        await shown.press("b")
        assert "loss of main 0." in shown.text()
        assert "with other branches and recordings" in shown.text()


async def test_only_curves_that_are_shown_are_measured(monkeypatch):
    snapshot: list[int] = []
    fill = Series.fill

    def counted(self, session):
        for event in fill(self, session):
            snapshot.append(event)
            yield event

    monkeypatch.setattr(Series, "fill", counted)
    async with debugger("xor", (80, 24)) as shown:
        await run_line(shown, "5f")
        await shown.press("p", "f")
        assert snapshot == []
        await shown.press("4")
        await settled(shown)
        assert len(snapshot) == shown.session.event
        snapshot.clear()
        await shown.press("s", "s")
        assert snapshot == [shown.session.event - 1, shown.session.event]
        snapshot.clear()
        await shown.press("r", "f")
        assert snapshot == [], "the regions hide the curves"
        await shown.press("escape", "f", "f")
        assert snapshot == [], "nobody looks"


async def test_decision_regions_move_as_one_steps(monkeypatch):
    monkeypatch.setenv("COLORTERM", "truecolor")
    async with debugger("xor", (120, 40)) as shown:
        await shown.press("p", "r")
        assert "decided at 0.5" in shown.text()
        first = shown.app.screen.query_one(RegionMap).found
        await shown.press("f")
        second = shown.app.screen.query_one(RegionMap).found
        assert first is not None
        assert second is not None
        assert (first.answers != second.answers).any()
        rows = "\n".join(shown.rows()[1:36])
        assert rows.count("●") == rows.count("▲") == 2
        assert "▀▀▀▀" in rows
        right = evaluate(shown.session.program, shown.session.tensors)["accuracy"]
        assert f"accuracy {right:.0%}" in shown.text()


async def test_regions_need_two_inputs_and_say_so():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("p", "r")
        assert "decision regions need a network with two inputs" in shown.text()
        assert not screen(shown).regions


@pytest.mark.parametrize(
    "terminal", [{"NO_COLOR": "1", "COLORTERM": "truecolor"}, {"COLORTERM": "", "TERM": "xterm"}]
)
async def test_without_colour_or_with_few_the_regions_are_characters(monkeypatch, terminal):
    for name, value in terminal.items():
        monkeypatch.setenv(name, value)
    async with debugger("xor", (80, 24)) as shown:
        await run_line(shown, "40f")
        await shown.press("p", "r")
        rows = "\n".join(shown.rows()[1:20])
        assert "▀" not in rows
        assert "##" in rows or "%%" in rows
        assert ".." in rows
        assert "▒" in rows
        assert rows.count("●") == rows.count("▲") == 2


async def test_a_click_goes_to_the_iteration_under_it():
    async with debugger("xor", (80, 24)) as shown:
        await run_line(shown, "20f")
        await shown.press("p")
        await shown.pilot.click("#curves", offset=(9 + 35, 5))
        await shown.settled()
        ops = len(shown.session.program.ops)
        assert shown.session.event == pytest.approx(10 * ops, abs=ops)
        assert shown.session.event % ops == 0


async def test_a_recording_beside_the_session(tmp_path):
    file = tmp_path / "slow[b].gradstep"
    assert invoke("record", "xor", "-o", str(file), "--iterations", "12").exit_code == 0
    async with debugger("xor", (120, 40)) as shown:
        await run_line(shown, "5f")
        await shown.press("p")
        await asked(shown, str(file))
        text = shown.text()
        assert "loss of slow[b].gradstep 0." in text
        assert "with other branches and recordings" in text
        (losses,) = screen(shown).recordings.values()
        assert losses.tolist() == pytest.approx(await run_to(shown, 12))


async def asked(shown: Opened, text: str) -> None:
    await shown.press("o")
    screen(shown).query_one("#beside", Input).value = text
    await shown.press("enter")


async def run_to(shown: Opened, iterations: int) -> list[float]:
    shown.session.goto(iterations * len(shown.session.program.ops))
    return list(shown.session.losses)


async def test_what_is_no_recording_is_told(tmp_path):
    file = tmp_path / "no.gradstep"
    file.write_text("no recording", encoding="utf-8")
    async with debugger("xor", (120, 40)) as shown:
        await shown.press("p")
        await asked(shown, str(file))
        assert "no.gradstep" in shown.text()
        assert screen(shown).recordings == {}
        await shown.press("o", "x", "escape")
        assert isinstance(shown.app.screen, PlotsScreen)
        assert shown.app.focused is screen(shown).query_one("#curves")
