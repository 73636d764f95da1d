"""Runs in the background: they show progress, Esc leaves a whole event, and nothing else hurts."""

import threading

import numpy as np
import pytest

from engine.program.program import Program
from engine.session.session import Session
from tests.engine.small_experiments import program
from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.control.worker import Job
from tui.keys.table import COMMANDS

ENDING = {"quit", "cancel", "plots"}  # Esc on the plots screen stops a run before it leads back


def endless() -> Program:
    """Hundreds of millions of events: nobody waits for the end."""
    return program(training={"epochs": 100_000_000})


async def started(shown: Opened) -> Job:
    """Begin to go to the end of the run."""
    await shown.press("9")
    await run_line(shown, "9e")
    shown.main.parts.words.typed("9999999e")
    await shown.until(lambda: shown.main.job)
    assert shown.main.job is not None
    return shown.main.job


def assert_whole(shown: Opened) -> None:
    """The session stands between two events, as a fresh one that goes there does."""
    event = shown.session.event
    fresh = Session(shown.session.program)
    fresh.goto(event)
    assert fresh.tensors.keys() == shown.session.tensors.keys()
    for name, array in fresh.tensors.items():
        np.testing.assert_array_equal(shown.session.tensors[name], array)
    assert f"#{event} " in shown.place()


async def test_esc_stops_at_a_whole_event():
    async with debugger(endless(), (80, 24)) as shown:
        await started(shown)
        await shown.until(lambda: "events/s" in shown.place())
        assert "Esc stops" in shown.place()
        await shown.press("escape")
        assert 0 < shown.session.event < shown.session.program.timeline.end
        assert "stopped" in shown.text()
        assert_whole(shown)
        here = shown.session.event
        await shown.press("s")
        assert shown.session.event == here + 1
        await shown.press("S")
        assert_whole(shown)


async def test_every_key_during_a_run():
    async with debugger(endless(), (120, 40)) as shown:
        run = await started(shown)
        for command in COMMANDS:
            if command.id not in ENDING:
                for key in (*command.keys, *command.aliases):
                    shown.app.simulate_key(key)
                    await shown.settled()
                    if shown.app.screen is not shown.main or shown.main.has_class("asking"):
                        shown.app.simulate_key("escape")
                        await shown.settled()
                    assert shown.app.screen is shown.main, key
                    assert not run.cancelled, key
                    assert shown.app.is_running
        assert shown.main.has_class("large")
        for key in ("ctrl+l", *"12345678"):
            shown.app.simulate_key(key)
        await shown.resize(60, 20)
        assert shown.main.job is run
        shown.main.parts.playback.player.direction = 0
        for key in "ps":
            shown.app.simulate_key(key)
        await shown.settled()
        assert not run.cancelled
        await shown.press("escape")
        assert run.cancelled
        assert shown.app.screen is not shown.main
        await shown.press("escape")
        assert shown.app.screen is shown.main
        await shown.resize(120, 40)
        assert_whole(shown)


async def test_what_nobody_pressed_says_nothing_during_a_run(tmp_path):
    async with debugger(endless()) as shown:
        main = shown.main
        main.parts.recording.start(tmp_path / "run.gradstep")
        job = await started(shown)
        main.moment()
        main.say(note="what the run says")
        main.parts.record_key.feed()
        main.parts.playback.player.direction = 1
        main.parts.playback.play_on()
        assert main.view.note == "what the run says"
        main.parts.playback.player.direction = 0
        await shown.press("escape")
        await shown.until(lambda: main.worker.current is not job)
        main.parts.recording.stop()


async def test_quitting_during_a_run():
    async with debugger(endless(), (80, 24)) as shown:
        run = await started(shown)
        shown.app.simulate_key("q")
        await shown.until(lambda: run.cancelled)
    assert shown.app.return_code == 0


async def test_a_run_to_the_end_and_back_to_the_beginning():
    async with debugger(program(training={"epochs": 3000}), (80, 24)) as shown:
        await run_line(shown, "3000e")
        assert shown.session.event == shown.session.program.timeline.end
        assert "end of run" in shown.place()
        await shown.press("g")
        assert shown.session.event == 0
        assert_whole(shown)


@pytest.mark.parametrize("line", ["until loss < -1", "runtil loss < -1", "pc x", "goto #4800"])
async def test_esc_in_a_search_leaves_one_where_one_was(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", -1.0)
    # Everything that runs in the thread waits here till Esc has been pressed.
    gate = threading.Event()
    async with debugger(endless(), (120, 40)) as shown:
        shown.session.goto(90_000)
        shown.main.show_now()
        before = {name: array.tobytes() for name, array in shown.session.tensors.items()}
        shown.main.worker.between = gate.wait
        shown.main.parts.words.typed(line)
        job = shown.main.job
        assert job is not None
        shown.app.simulate_key("escape")
        await shown.until(lambda: job.cancelled)
        gate.set()
        await shown.idle()
        assert shown.session.event == 90_000
        assert "#90000 " in shown.place().replace(",", "")
        assert shown.main.view.note == "stopped: back where it began"
        assert {n: a.tobytes() for n, a in shown.session.tensors.items()} == before
