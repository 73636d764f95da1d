"""The screen on captured runs at their edges: no op yet, losses here and there, keys of layers."""

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.session.session import Session
from engine.stops.run_control import conclude, continue_
from engine.stops.stop import StopKind
from engine.words.language import CommandLine
from engine.words.table import COMMANDS as WORDS
from tests.engine.run.captured import captured
from tests.tui.screen import steered
from tests.tui.typist import run_line
from tui.app import GradstepApp
from tui.keys.table import COMMANDS
from tui.render.charts.outline import Outlines
from tui.render.status import phase_place
from tui.render.timeline import AXIS, Axis, Curves, timeline_lines
from tui.view.snapshot import Selection, snapshot

REFUSED = {"set", "skip", "unskip"}  # whatever is asked for
KEYS_OF_LAYERS = ("3", "4", "9", "0", "L", "p", "x", "y", "l", "v", "o")


@pytest.mark.parametrize("key", KEYS_OF_LAYERS)
async def test_what_is_about_layers_says_that_there_are_none(key: str) -> None:
    async with steered(GradstepApp(Debugger(Session(captured())))) as shown:
        await shown.press("n", "n")
        event = shown.session.event
        await shown.press(key)
        assert "this run was captured: it has no program of layers" in shown.text()
        await shown.press("escape", "s")  # without Esc a digit is a count
        assert shown.session.event == event + 1


async def test_every_key_there_is() -> None:
    ending = {"q", "ctrl+q", "ctrl+z"}
    keys = [key for each in COMMANDS for key in each.keys if key not in ending]
    assert len(keys) > 60
    async with steered(GradstepApp(Debugger(Session(captured())))) as shown:
        await shown.press("f", "f")
        for pane in ("2", "8"):
            for key in keys:
                await shown.press(pane, "escape", key, "escape", "escape")
        assert await shown.press("escape", "g") is None
        assert shown.session.event == 0


async def test_a_branch_is_refused_with_the_reason() -> None:
    async with steered(GradstepApp(Debugger(Session(captured())))) as shown:
        await run_line(shown, "branch other")
        assert "no branch here: the script has run" in shown.text()
        assert len(shown.session.branches) == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_run_without_an_op_yet(size: tuple[int, int]) -> None:
    run = captured((), over=False)
    async with steered(GradstepApp(Debugger(Session(run))), size) as shown:
        await shown.press("s", "n", "f", "S", "8", "5", "1")
        assert shown.session.event == 0
        run.iterate("zflbu", 0)
        shown.session.refresh()
        await shown.press("f")
        assert shown.session.event == run.timeline.end == 6


def test_a_loss_stands_over_its_own_iteration() -> None:
    # Losses in the iterations 6, 7 and 9 alone, counted from 1; then two of them in one.
    for kinds, expected in (
        (("f",) * 5 + ("zflbu", "zflbu", "f", "zflbu"), [5, 6, 8]),
        (("flflbu", "f", "zflbu"), [0, 2]),
    ):
        session = Session(captured(kinds))
        session.goto(session.timeline.end)
        view = snapshot(Debugger(session), Selection())
        axis = Axis.of(view, AXIS + 1 + 2 * len(kinds))
        outline = Curves.of(view, axis, Outlines()).own
        assert sorted({axis.iteration(column // 2) for column in outline.columns}) == expected
        assert not outline.broken.any()
        marks = "".join(text for text, _ in timeline_lines(view, axis.room + AXIS + 1, 6)[-2])
        assert "!" not in marks


def test_the_outline_of_losses_grows_with_the_run() -> None:
    run, kept = captured((), over=False), Outlines()
    for seed, kinds in enumerate(("f", "zflbu", "flflbu", "f", "f", "zflbu", "fl", "u")):
        run.iterate(kinds, seed)
        session = Session(run)
        session.goto(run.timeline.end)
        view = snapshot(Debugger(session), Selection())
        axis = Axis(20, 40)  # the same one all the time, so that the outline is gone on with
        grown, anew = Curves.of(view, axis, kept).own, Curves.of(view, axis, Outlines()).own
        assert grown.columns.tolist() == anew.columns.tolist()
        np.testing.assert_array_equal(grown.points, anew.points)


def test_a_phase_that_comes_twice_counts_its_ops() -> None:
    session = Session(captured(("flbflbu",)))
    places = [phase_place(session.listing, op.index)[1:] for op in session.listing.ops]
    # f l b b f l b b u: two forwards, two losses, four ops of backward, one update
    assert places == [(1, 2), (1, 2), (1, 4), (2, 4), (2, 2), (2, 2), (3, 4), (4, 4), (1, 1)]


def test_a_breakpoint_on_a_phase_that_comes_twice() -> None:
    debugger = Debugger(Session(captured(("flbflbu",))))
    debugger.stops.add(StopKind.OP, "backward")
    events = [conclude(continue_(debugger.session, debugger.stops))[0].event for _ in range(3)]
    assert events == [2, 6, 9]  # f l b b f l b b u, and the end


ARGUMENTS = (
    "",
    "theta",
    "objective",
    "forward",
    "update:theta",
    "2",
    "theta[0] = 1",
    "all",
    "stops",
)


@pytest.mark.parametrize("word", sorted(WORDS))
def test_every_word_answers_or_refuses(word: str) -> None:
    refused = 0
    for argument in ARGUMENTS:
        debugger = Debugger(Session(captured()))
        debugger.session.goto(9)
        debugger.stops.add(StopKind.OP, "loss")
        try:
            CommandLine(debugger).execute(f"{word} {argument}".strip())
        except GradstepError:
            refused += 1
        assert debugger.session.source.can == frozenset()
    assert refused == len(ARGUMENTS) if word in REFUSED else refused <= len(ARGUMENTS)
