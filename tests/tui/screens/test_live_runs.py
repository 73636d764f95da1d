"""While a run goes on the curves move: at the ticks of a clock that tests have in hand."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.program.program import Program
from tests.engine.small_experiments import built_in, program
from tests.tui.clock import HandClock
from tests.tui.screen import Opened, debugger
from tui.screens.handing import MOVING
from tui.screens.plots import PlotsScreen
from tui.widgets.plot import RegionMap


class Gate:
    """Lets a run go on by one piece at a time."""

    def __init__(self) -> None:
        self.pieces = threading.Semaphore(0)
        self.waiting = threading.Semaphore(0)

    def __call__(self) -> None:
        self.waiting.release()
        self.pieces.acquire()


def endless() -> Program:
    return program(training={"epochs": 1_000_000})


@asynccontextmanager
async def running(
    monkeypatch: pytest.MonkeyPatch, run: Program | None = None, *keys: str
) -> AsyncIterator[tuple[Opened, HandClock, Gate]]:
    """A run without end under way, which stands at the gate after every piece."""
    monkeypatch.setattr("tui.control.worker.INLINE_SECONDS", -1.0)
    monkeypatch.setattr("tui.control.live.SHARE", 1e9)  # a View at every tick, whatever it costs
    async with debugger(run or endless()) as shown:
        await shown.press(*keys)
        gate, clock = Gate(), HandClock(shown.main)
        shown.main.worker.between = gate
        shown.main.parts.movement.go_to(shown.session.timeline.end)
        try:
            yield shown, clock, gate
        finally:
            shown.main.worker.cancel()
            gate.pieces.release(1_000_000)
            await shown.idle()


async def tick(shown: Opened, clock: HandClock, gate: Gate) -> int:
    """The time of the next View has come; the run goes on until it is shown. Its event."""
    before = shown.main.view
    gate.pieces.release()
    clock.tick()
    await shown.until(lambda: shown.main.view is not before)
    gate.pieces.release()
    await shown.until(lambda: shown.main.view.event > before.event)
    return shown.main.view.event


async def test_timeline_and_place_move_while_the_run_goes_on(monkeypatch):
    async with running(monkeypatch) as (shown, clock, gate):
        seen = []
        for _ in range(3):
            seen.append((await tick(shown, clock, gate), shown.text()))
        events = [event for event, _ in seen]
        assert events == sorted(set(events))
        assert shown.main.job is not None
        for event, text in seen:
            assert "Esc stops" in text
            assert "no loss yet" not in text
            assert len(shown.main.view.losses) >= event // len(shown.session.program.ops)
        assert shown.main.parts.panes.panes["timeline"].view is shown.main.view


async def test_the_other_panes_stand_till_the_run_is_over(monkeypatch):
    async with running(monkeypatch) as (shown, clock, gate):
        await tick(shown, clock, gate)
        panes = shown.main.parts.panes.seen
        still = {name for name, pane in panes.items() if pane.view.event == 0}
        assert still == set(panes) - MOVING
        shown.main.worker.cancel()
        gate.pieces.release(1_000_000)
        await shown.idle()
        assert {pane.view.event for pane in panes.values()} == {shown.session.event}


async def test_a_pane_that_is_opened_meanwhile_shows_where_the_run_is(monkeypatch):
    async with running(monkeypatch) as (shown, clock, gate):
        event = await tick(shown, clock, gate)
        shown.main.parts.panes.go_to("chain")
        await shown.settled()
        assert shown.main.parts.panes.seen["chain"].view.event == event


async def test_watches_and_flow_move(monkeypatch):
    async with running(monkeypatch, None, "9", "escape") as (shown, clock, gate):
        shown.debugger.watches.add("norm(linear1.weight)")
        first = await tick(shown, clock, gate)
        flow = shown.main.parts.panes.seen["flow"]
        assert flow.view.event == first
        assert flow.meter.flow is not None
        assert shown.main.view.watched("norm(linear1.weight)")[0].value is not None
        second = await tick(shown, clock, gate)
        assert flow.view.event == second > first


@pytest.mark.parametrize("regions", [False, True])
async def test_the_plots_move(monkeypatch, regions):
    run = built_in("xor")
    async with running(monkeypatch, run, "p") as (shown, clock, gate):
        screen = shown.app.screen
        assert isinstance(screen, PlotsScreen)
        if regions:
            screen.action_regions()
        texts = set()
        for _ in range(3):
            event = await tick(shown, clock, gate)
            texts.add(shown.text())
            assert screen.view is not None
            if regions:
                assert screen.query_one(RegionMap).view.event == event
        assert len(texts) == 3
