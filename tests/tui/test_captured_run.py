"""The screen on a run that no program made: program, timeline, tensors and stops, both ways."""

import pytest

from engine.debugger import Debugger
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.run.captured import KINDS, captured
from tests.tui.screen import Opened, steered
from tests.tui.typist import run_line
from tui.app import GradstepApp
from tui.panes.program import ProgramPane
from tui.render.listing import row_line, rows_of
from tui.render.text.line import width_of
from tui.render.timeline import timeline_lines
from tui.view.snapshot import Selection, View, snapshot

RUN = captured()
TIMELINE, END = RUN.timeline, RUN.timeline.end


def view_at(event: int, level: Granularity = Granularity.OP) -> View:
    session = Session(RUN)
    session.goto(event)
    shown = Selection(level=level)
    return snapshot(Debugger(session), shown)


def text_of(line: list[tuple[str, str]]) -> str:
    return "".join(text for text, _ in line)


@pytest.mark.parametrize("width", [20, 80, 200])
def test_every_line_at_every_event(width: int) -> None:
    for event in range(END + 1):
        seen = view_at(event)
        rows = rows_of(seen.run.order, seen.listing)
        assert [row.op for row in rows if row.op is not None] == sorted(
            seen.listing.ops, key=lambda op: seen.run.order.index(op.phase)
        )
        lines = [row_line(seen, row, width, False) for row in rows]
        lines += timeline_lines(seen, width, 5)
        assert {width_of(line) for line in lines} == {width}
        marked = [row.op for row in rows if text_of(row_line(seen, row, width, False))[1] == "▶"]
        assert marked == ([TIMELINE.op(event)] if event < END else [])


def test_the_timeline_has_the_phases_that_each_iteration_has() -> None:
    phases = text_of(timeline_lines(view_at(END), 200, 1)[-1])
    cells = [cell for cell in phases.partition("▏")[2].split() if cell]
    # z f l b u in their order: done, or not there in this iteration
    assert cells == ["".join("▮" if phase in kind else "-" for phase in "zflbu") for kind in KINDS]


async def walked(shown: Opened, *keys: str) -> None:
    """Press keys; after each the screen shows the tensors and the op of the cursor."""
    for key in keys:
        await shown.press(key)
        session = shown.session
        assert f"#{session.event}" in shown.place()
        program = shown.main.query_one(ProgramPane)
        assert program.view is not None
        assert program.view.listing is session.listing
        marked = [row for row in shown.rows() if "▶ " in row and "…" in row]
        assert len(marked) >= (session.event < END), (key, shown.text())


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_the_step_keys_both_ways(size: tuple[int, int]) -> None:
    async with steered(GradstepApp(Debugger(Session(captured()))), size) as shown:
        await walked(shown, *"ssnnnffe", *"SSNNFFE", "G", *"SNFES", "g")
        assert shown.session.event == 0
        assert "iter 1/9" in shown.place()
        await walked(shown, "f")
        assert shown.session.event == TIMELINE.begin(1)


async def test_stops_bookmarks_and_words() -> None:
    async with steered(GradstepApp(Debugger(Session(captured())))) as shown:
        await run_line(shown, "b update", "c")
        assert shown.session.event == TIMELINE.begin(0) + 5
        assert "stop 1 (break update): before #5 i1:update:theta" in shown.text()
        await walked(shown, "c")
        assert shown.session.event == TIMELINE.next(TIMELINE.begin(1) - 1, op="update:theta")
        await walked(shown, "C")
        assert shown.session.event == 5
        await run_line(shown, "goto i3:backward:dtheta", "mark here")
        await run_line(shown, "set theta = 1")
        assert "no edit here: the script has run" in shown.text()
        await walked(shown, "t")
        await run_line(shown, "goto 'here")
        assert shown.session.event == TIMELINE.begin(2) + 3
        await walked(shown, "s")
        assert "acc×2" in shown.text()  # gradients that piled up over two iterations


async def test_it_grows_while_it_is_shown() -> None:
    run = captured(KINDS[:3], over=False)
    async with steered(GradstepApp(Debugger(Session(run)))) as shown:
        await walked_to_the_end(shown)
        assert "iter 3/3" in shown.place()
        run.iterate("zflbu", 9)
        shown.session.refresh()
        await shown.press("f")
        assert shown.session.event == run.timeline.end
        assert "iter 4/4" in shown.place()


async def walked_to_the_end(shown: Opened) -> None:
    for _ in range(3):
        await shown.press("f")
    assert shown.session.event == shown.session.timeline.end
