"""The timeline in lines: marks that the cursor does not hide, gaps in full, a scale that stays."""

from dataclasses import replace

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import session_of
from tests.tui.lines import text_of
from tui.render.text.line import width_of
from tui.render.timeline import Axis, Known, timeline_lines
from tui.view.signs import Signs
from tui.view.snapshot import Selection, View, snapshot

AXIS = 9


def seen(session: Session) -> View:
    return snapshot(Debugger(session), Selection())


def texts(view: View, width: int = 78, height: int = 5) -> list[str]:
    return [text_of(line) for line in timeline_lines(view, width, height)]


def cell(line: list[tuple[str, str]], column: int) -> tuple[str, str]:
    """The character at a column and its role."""
    for text, role in line:
        if column < len(text):
            return text[column], role
        column -= len(text)
    raise AssertionError("no such column")


@pytest.mark.parametrize("height", range(1, 18))
@pytest.mark.parametrize("event", [0, 5, 177, 300])
def test_as_many_lines_as_there_is_room_each_of_its_width(event, height):
    view = seen(session_of("bug-exploding", event))
    for width in (1, 9, 10, 20, 38, 78, 118):
        lines = timeline_lines(view, width, height)
        assert [width_of(line) for line in lines] == [width] * height


def test_the_cursor_stands_on_a_mark_without_hiding_it():
    """The loss of iteration 9 is infinite: the mark is there in reverse, the cursor above it."""
    view = seen(session_of("bug-exploding", 177))
    lines = timeline_lines(view, 78, 5)
    column = AXIS + Axis.of(view, 78).column(8)
    assert cell(lines[3], column) == ("!", "cursor")
    assert [cell(line, column) for line in lines[:3]] == [("┊", "key")] * 3
    assert "▼" not in texts(view)[3]
    two = timeline_lines(view, 78, 2)
    assert cell(two[0], column) == ("!", "cursor")


def test_a_cursor_without_a_mark():
    view = seen(session_of("xor", 21))
    column = AXIS + Axis.of(view, 78).column(1)
    assert cell(timeline_lines(view, 78, 5)[3], column) == ("▼", "key")


def test_a_bookmark_at_the_cursor_is_seen_and_so_is_what_it_stands_on():
    view = seen(session_of("bug-exploding", 177))
    view = replace(view, signs=Signs(marks=((177, "'", "name"),)))
    column = AXIS + Axis.of(view, 78).column(8)
    line = timeline_lines(view, 78, 5)[3]
    assert cell(line, column) == ("'", "cursor")
    assert cell(line, column + 1) == ("!", "bad")


def test_iterations_without_a_loss_are_marked_to_their_end():
    view = seen(session_of("bug-exploding", 12 * 20))
    gap = np.flatnonzero(~np.isfinite(view.history))
    axis = Axis.of(view, 78)
    marks = texts(view)[3]
    assert gap.tolist() == [8, 9, 10, 11]
    start, end = AXIS + axis.column(8), AXIS + axis.column(12)
    here = AXIS + axis.column(view.position.iteration - 1)
    assert marks[start] == "!"
    assert set(marks[start + 1 : end]) <= {"─", "▼"}
    assert marks[end:].strip() in ("", "▼")
    assert here >= start
    losses = np.where(np.isin(np.arange(12), [2, 3, 7]), np.nan, 1.0)
    two = texts(replace(view, history=losses, losses=losses))[3]
    assert two.count("!") == 2


def test_the_scale_is_decided_by_the_whole_known_run():
    session = session_of("bug-exploding", 177)
    assert texts(seen(session))[3].startswith("     log ")
    session.goto(40)
    view = seen(session)
    assert len(view.losses) == 2
    assert texts(view)[3].startswith("     log ")
    assert texts(view)[0].startswith("1.47e138│")
    assert "log" not in "".join(texts(seen(session_of("bug-exploding", 40))))
    assert "log" not in "".join(texts(seen(session_of("xor", 400))))


def test_breakpoints_of_the_iteration_stand_over_their_phases():
    session = session_of("xor", 14)
    order = session.program.experiment.training.order
    index = next(op.index for op in session.program.ops if op.phase == "backward")
    view = replace(seen(session), signs=Signs(stops={index: True, index + 9: False}))
    axis = Axis.of(view, 78)
    line = timeline_lines(view, 78, 5)[3]
    phases = [order.index(session.program.ops[i].phase) for i in (index, index + 9)]
    assert phases == [3, 4]
    assert axis.wide
    first = AXIS + axis.column(view.position.iteration - 1)
    assert [cell(line, first + i)[0] for i in phases] == ["●", "○"]


def test_the_marks_are_explained_where_there_is_room():
    view = seen(session_of("xor", 20))
    assert "! not finite  ● stop  ' bookmark  ✎ edit" in texts(view, 78, 12)[-1]
    assert not any("bookmark" in line for line in texts(view, 78, 9))
    assert "edit" in texts(view, 60, 12)[-1]


def test_what_is_remembered_changes_nothing():
    session, memory = session_of("bug-exploding", 0), Known()
    for event in (0, 5, 177, 40, 600, 300):
        session.goto(min(event, session.program.timeline.end))
        view = seen(session)
        for width in (78, 118):
            known = timeline_lines(view, width, 5, memory)
            assert known == timeline_lines(view, width, 5)
    session.goto(60)
    session.set("optimizer.lr", 0.01)
    session.goto(300)
    view = seen(session)
    assert timeline_lines(view, 78, 5, memory) == timeline_lines(view, 78, 5)


def test_a_longer_branch_beside_the_run_lies_on_the_same_iterations():
    view = seen(session_of("xor", 14))
    losses = np.linspace(1.0, 0.5, 18)
    axis = Axis.of(replace(view, other=("main", losses)), 78)
    assert axis.span == 20
