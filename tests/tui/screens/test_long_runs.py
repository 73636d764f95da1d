"""Runs in the background: they show progress, Esc leaves a whole event, and nothing else hurts."""

import asyncio

import numpy as np
import pytest

from engine.program.program import Program
from engine.session.session import Session
from tests.engine.small_experiments import program
from tests.tui.screen import Opened, debugger
from tui.control.count import Counting
from tui.keys.table import COMMANDS

QUIET = {"quit", "cancel"}


def endless() -> Program:
    """Millions of events: nobody waits for the end."""
    return program(training={"epochs": 1_000_000})


async def started(shown: Opened) -> None:
    """Begin to go to the end of the run."""
    shown.app.simulate_key("9")
    shown.app.simulate_key("e")
    for key in "99999":
        shown.app.simulate_key(key)
    shown.app.simulate_key("e")
    while shown.main.long_run is None:
        await asyncio.sleep(0.01)


async def stopped(shown: Opened) -> None:
    while shown.main.long_run is not None:
        await asyncio.sleep(0.01)
    await shown.settled()


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
        while "events/s" not in shown.place():
            await asyncio.sleep(0.01)
        assert "Esc stops" in shown.place()
        shown.app.simulate_key("escape")
        await stopped(shown)
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
        await started(shown)
        for command in COMMANDS:
            if command.id not in QUIET:
                for key in (*command.keys, *command.aliases):
                    shown.app.simulate_key(key)
                    await asyncio.sleep(0.005)
                    while shown.app.screen is not shown.main:
                        shown.app.simulate_key("escape")
                        await asyncio.sleep(0.01)
                    assert shown.app.is_running
        for key in "12345678":
            shown.app.simulate_key(key)
        await shown.pilot.resize_terminal(60, 20)
        shown.app.simulate_key("escape")
        shown.app.simulate_key("escape")
        await stopped(shown)
        await shown.resize(120, 40)
        assert_whole(shown)


async def test_quitting_during_a_run():
    async with debugger(endless(), (80, 24)) as shown:
        await started(shown)
        run = shown.main.long_run
        assert run is not None
        shown.app.simulate_key("q")
        for _ in range(3000):
            if run.cancelled:
                break
            await asyncio.sleep(0.01)
        assert run.cancelled
    assert shown.app.return_code == 0


async def test_a_run_to_the_end_and_back_to_the_beginning():
    async with debugger(program(training={"epochs": 3000}), (80, 24)) as shown:
        await shown.press(*"3000e")
        assert shown.session.event == shown.session.program.timeline.end
        assert "end of run" in shown.place()
        await shown.press("g")
        assert shown.session.event == 0
        assert_whole(shown)


def clocked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("tui.control.count.time.monotonic", lambda: now[0])
    return now


def test_counting_digits(monkeypatch):
    now = clocked(monkeypatch)
    counting = Counting(patience=1.0)
    assert counting.take() == (1, None)
    for digit in (1, 0, 5):
        counting.digit(digit, ("program", "tensor"))
        now[0] += 0.9
    assert counting.text == "105"
    assert counting.take() == (105, ("program", "tensor"))
    assert counting.take() == (1, None)


def test_a_count_expires(monkeypatch):
    now = clocked(monkeypatch)
    counting = Counting(patience=1.0)
    counting.digit(7, ("program", "tensor"))
    now[0] += 0.99
    assert not counting.expired()
    now[0] += 0.01
    assert counting.expired()
    counting.digit(3, ("loss", "chain"))
    assert counting.text == "3"
    assert counting.take() == (3, ("loss", "chain"))


def test_a_count_has_no_leading_zeros_and_seven_digits(monkeypatch):
    clocked(monkeypatch)
    counting = Counting()
    for digit in (0, 0, 4, 0, *[9] * 10):
        counting.digit(digit, ("program", "tensor"))
    assert counting.text == "4099999"
    counting.clear()
    counting.digit(0, ("program", "tensor"))
    assert counting.take()[0] == 1
