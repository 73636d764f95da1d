"""Every key of the command table, from every pane: it does what its help says, or says why not."""

import re

import pytest
from textual.widgets import Input

from engine.run.position import Granularity
from tests.tui.clock import HandClock
from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.keys.command import PANES, Command, to_pane
from tui.keys.help import help_rows
from tui.keys.key_names import key_name
from tui.keys.table import COMMANDS, UNITS
from tui.panes.program import ProgramPane
from tui.panes.tensor_grid import TensorGrid
from tui.screens.help import HelpScreen
from tui.view.derivative import Derivative
from tui.view.snapshot import Selection

MIDDLE = 50  # regression: in the backward step of the third iteration
SILENT = {"cancel", "follow", "suspend"}  # nothing to cancel, it follows already, no terminal
APART = {"quit", "play", "play-back"}  # these have tests of their own

STEPS = [
    (command, key, Granularity(unit), direction)
    for unit in UNITS
    for direction, name in ((1, f"step-{unit}"), (-1, f"back-{unit}"))
    for command in COMMANDS
    if command.id == name
    for key in (*command.keys, *command.aliases)
]


def keys_of(command: Command) -> tuple[str, ...]:
    return (*command.keys, *command.aliases)


def pane_of(command: Command) -> str:
    """The pane whose own command this is; empty for those that work everywhere."""
    return command.pane


def at(shown: Opened, event: int) -> None:
    shown.session.goto(event)
    shown.main.parts.follow.selection = Selection(derivative=Derivative(sample=1))
    shown.main.moment()  # what the key before has led to is over
    shown.main.show_now()


def state(shown: Opened) -> tuple[object, ...]:
    main, parts = shown.main, shown.main.parts
    screens = [type(screen).__name__ for screen in shown.app.screen_stack]
    said = (main.view.note, main.view.busy) if main.view is not None else ()
    focus, grid = shown.app.focused, main.query_one(TensorGrid)
    return (
        (main.session.event, parts.follow.selection, parts.panes.pane, parts.panes.zoomed),
        (screens, focus, said, len(list(main.debugger.stops)), parts.tour.step),
        (main.query_one(ProgramPane).as_code, dict(parts.panes.sizes), main.has_class("large")),
        (grid.row, grid.column, grid.form),
    )


async def test_in_every_pane_every_key_means_its_command():
    async with debugger("regression", (80, 24)) as shown:
        for pane in PANES:
            shown.main.parts.panes.go_to(pane)
            await shown.settled()
            active = shown.main.active_bindings
            for command in COMMANDS:
                for key in keys_of(command) if pane_of(command) in ("", pane) else ():
                    assert active[key].binding.action == command.press, f"{key} in {pane}"
                    assert not hasattr(shown.app.focused, f"key_{key}"), f"{key} in {pane}"


@pytest.mark.parametrize("pane", PANES)
async def test_every_key_in_every_pane_does_something_or_says_why_not(pane):
    async with debugger("regression", (120, 40)) as shown:
        taken = {key for command in COMMANDS if command.pane == pane for key in keys_of(command)}
        for command in COMMANDS:
            if pane_of(command) not in ("", pane, "tensor") or command.id in APART:
                continue
            for key in keys_of(command):
                if key in taken and command.pane != pane:
                    continue  # the pane's own command comes first
                shown.main.parts.panes.go_to(pane)
                at(shown, MIDDLE)
                before = state(shown)
                await shown.press(key)
                assert shown.app.is_running
                done = state(shown) != before or command.id == to_pane(pane)
                assert done or command.id in SILENT, f"{key} from {pane}: {command.help}"
                await leave(shown)
                assert shown.app.screen is shown.main, f"Esc does not lead back from {key}"


async def leave(shown: Opened) -> None:
    """Esc out of what a key has opened."""
    for _ in range(3):
        asking = isinstance(shown.app.focused, Input) or shown.main.parts.tour.step is not None
        if asking or shown.app.screen is not shown.main or shown.main.parts.panes.zoomed:
            await shown.press("escape")


async def test_step_keys_go_to_the_next_boundary():
    async with debugger("regression", (80, 24)) as shown:
        boundary = shown.session.timeline.boundary
        assert {key for _, key, _, _ in STEPS} >= set("sSnNfFeE") | {"space", "f10", "f11"}
        for _, key, unit, direction in STEPS:
            at(shown, MIDDLE)
            await shown.press(key)
            assert shown.session.event == boundary(MIDDLE, unit, direction), key
            assert f"#{shown.session.event} " in shown.place()


async def test_the_ends_of_the_run_say_so():
    async with debugger("regression", (80, 24)) as shown:
        for key in "SNFEg":
            await shown.press(key)
            assert "at the first event" in shown.text()
            assert shown.session.event == 0
        at(shown, shown.session.program.timeline.end)
        await shown.settled()
        assert "end of run" in shown.place()
        for key in "snfeG":
            await shown.press(key)
            assert "at the end of the run" in shown.text()
        assert shown.rows()[2].strip() == "■ the run is over: every step has been taken"


async def test_first_and_last_known_event():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f", "s", "s", "g")
        assert shown.session.event == 0
        await shown.press("G")
        assert shown.session.event == len(shown.session.program.ops) + 2
        await shown.press("G")
        assert "already there" in shown.text()


COUNTS = {
    "7s": 7, "20 s": 20, "12 step": 12, "3n": 9, "2f": 42, "04s": 4, "99999999s": 630, "s 5": 5,
}  # fmt: skip


async def test_a_count_is_written_at_the_command_line():
    async with debugger("regression", (80, 24)) as shown:
        for line, event in COUNTS.items():
            at(shown, 0)
            await run_line(shown, line)
            assert shown.session.event == event, line
            await run_line(shown, "-5s")
            assert shown.session.event == max(0, event - 5), "below zero it goes back"


async def test_enter_on_an_empty_line_does_the_last_one_again():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("colon", "enter")
        assert shown.session.event == 0, "there is none yet"
        await run_line(shown, "5s")
        await shown.press("colon")
        assert "Enter: 5s" in shown.text()
        await shown.press("enter", "colon", "enter")
        assert shown.session.event == 15
        await shown.press("i")
        field = shown.main.prompt.field
        field.value = ""
        await shown.press("enter")
        assert shown.session.event == 15, "an edit that is taken away is nothing to repeat"


async def test_a_digit_goes_to_its_pane_whatever_key_comes_next():
    async with debugger("regression", (80, 24)) as shown:
        for key, pane in PANES.items():
            event = shown.session.event
            shown.app.simulate_key(str(pane.number))  # typed in one go
            await shown.press("s")
            assert shown.session.event == event + 1
            assert shown.main.parts.panes.pane == key
            assert shown.app.focused in shown.main.query_one(f"#{key}").walk_children(
                with_self=True
            )
            assert any(re.match(rf"╭?─ ?{pane.number} {pane.title}\b", r) for r in shown.rows())


async def test_tab_goes_round_all_panes_both_ways():
    async with debugger("regression", (80, 24)) as shown:
        order = list(PANES)
        for pane in [*order[1:], order[0]]:
            await shown.press("tab")
            assert shown.main.parts.panes.pane == pane
        for pane in reversed(order):
            await shown.press("shift+tab")
            assert shown.main.parts.panes.pane == pane


async def test_levels_change_what_is_compared():
    async with debugger("regression", (80, 24)) as shown:
        at(shown, 21 + 4)
        for level in ("phase", "iteration", "epoch", "epoch"):
            await shown.press("u")
            assert str(shown.main.parts.follow.selection.level) == level
        for level in ("iteration", "phase", "op", "op"):
            await shown.press("d")
            assert str(shown.main.parts.follow.selection.level) == level


async def test_zoom_shows_the_pane_alone_and_goes_back():
    async with debugger("regression") as shown:
        whole = shown.text()
        await shown.press("z")
        assert "2 Tensor ─" not in shown.text()
        assert "1 Program ─" in shown.text()
        await shown.press("z")
        assert shown.text() == whole
        await shown.press("z", "escape")
        assert shown.text() == whole


async def test_following_and_pinning():
    async with debugger("regression") as shown:
        await shown.press("s", "5", "down")
        assert shown.main.parts.follow.selection.tensor == "linear1.bias"
        assert "pinned" in shown.text()
        await shown.press("s")
        assert shown.main.view is not None
        assert shown.main.view.tensor == "linear1.bias"
        await shown.press("full_stop")
        assert shown.main.view.tensor == "linear1.bias.grad"
        assert "following" in shown.text()


async def test_the_cursor_of_the_program_shows_what_an_op_writes():
    async with debugger("regression") as shown:
        await shown.press("down", "down", "down", "down")
        assert shown.main.parts.follow.selection.tensor == "linear1.out"
        assert "not computed yet" in shown.text()
        await shown.press("home")
        assert shown.main.parts.follow.selection.tensor == "linear1.weight.grad"
        await shown.press("end")
        assert shown.main.parts.follow.selection.tensor == "linear2.bias"


async def test_the_help_lists_every_command_of_the_table():
    rows = [row for _, rows in help_rows() for row in rows]
    for command in COMMANDS:
        keys = ", ".join(key_name(key) for key in keys_of(command))
        assert (keys, command.help) in rows
    async with debugger("regression", (120, 300)) as shown:
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, HelpScreen)
        text = shown.text()
        for command in COMMANDS:
            assert command.help[:24] in text
        await shown.press("q")
        assert shown.app.screen is shown.main
        assert shown.app.is_running


def test_no_key_has_two_commands():
    for pane in PANES:  # keys of different panes may share one
        mine = [command for command in COMMANDS if pane_of(command) in ("", pane)]
        keys = [key for command in mine for key in keys_of(command)]
        assert sorted(keys) == sorted(set(keys))


async def test_q_quits():
    async with debugger("regression") as shown:
        shown.app.simulate_key("q")
        await shown.until(lambda: not shown.app.is_running)
    assert shown.app.return_code == 0


async def test_playing_goes_on_until_it_is_paused(monkeypatch):
    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", float("inf"))  # no op needs a thread
    async with debugger("regression", (80, 24)) as shown:
        at(shown, MIDDLE)
        clock = HandClock(shown.main)
        for key, direction in (("a", 1), ("A", -1)):
            await shown.press(key)
            begin = shown.session.event
            for ops in (1, 2, 3):
                assert clock.seconds == [1 / shown.main.parts.playback.player.speed]
                clock.tick()
                await shown.idle()
                assert shown.session.event == begin + ops * direction
            await shown.press(key)
            assert "paused" in shown.text()
            assert clock.seconds == [], "nothing goes on later"
