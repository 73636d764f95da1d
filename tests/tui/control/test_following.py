"""What the other does who records arrives while one follows: edits, skips, branches, captions."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.lesson.hidden import NOTHING, hidden_of
from engine.lesson.steps import Hide
from engine.recording.estimate import estimate
from engine.recording.reader import Reader
from engine.recording.recorded import Recording
from engine.recording.recorder import Recorder
from engine.recording.replay import open_debugger
from engine.recording.writer import Writer
from engine.session.session import Session
from engine.session.views import Told
from tests.engine.small_experiments import built_in
from tests.tui.screen import Opened, steered
from tests.tui.typist import note, run_line
from tui.replaying import FollowingApp

STORES = ["full", "keyframes"]


@dataclass(frozen=True)
class Class(Opened):
    """A teacher who records, and the screen of a student who follows."""

    teacher: Debugger
    recorder: Recorder

    async def arrives(self) -> None:
        """All that the teacher has done is recorded, and taken in."""
        self.recorder.update()
        assert isinstance(self.app, FollowingApp)
        self.app.poll()
        await self.settled()
        await self.idle()

    def same(self) -> bool:
        """Whether both stand at the same place and see the same tensors."""
        mine, theirs = self.session, self.teacher.session
        assert mine.event == theirs.event
        assert mine.tensors.keys() == theirs.tensors.keys()
        return all(np.array_equal(mine.tensors[n], theirs.tensors[n]) for n in mine.tensors)


@asynccontextmanager
async def followed(folder: Path, store: str = "full", event: int = 20) -> AsyncIterator[Class]:
    """Somebody follows a recording of which so many events are there."""
    file, made = folder / "a.gradstep", built_in("regression")
    teacher = Debugger(Session(made))
    plan = estimate(made, store, made.timeline.iterations)
    recorder = Recorder(Writer(file, made, plan, {}), teacher)
    teacher.session.goto(event)
    recorder.update()
    reader = Reader(file)
    student, playback = open_debugger(Recording(reader))
    student.session.goto(event)
    app = FollowingApp(student, playback.refresh, lambda: playback.latest)
    async with steered(app) as shown:
        yield Class(app, shown.pilot, shown.arrivals, teacher, recorder)
    reader.close()
    recorder.writer.close()


@pytest.mark.parametrize("store", STORES)
async def test_an_edit_at_the_end_arrives_with_what_follows_it(tmp_path: Path, store: str) -> None:
    async with followed(tmp_path, store) as shown:
        shown.teacher.session.set("linear1.bias", 5.0, (0,))
        await shown.arrives()
        assert shown.same()
        assert shown.session.tensors["linear1.bias"][0] == 5.0
        shown.teacher.session.goto(31)
        await shown.arrives()
        assert shown.same()
        assert "differs" not in shown.place()


@pytest.mark.parametrize("store", STORES)
async def test_a_skip_arrives(tmp_path: Path, store: str) -> None:
    async with followed(tmp_path, store, 21) as shown:
        shown.teacher.session.skip("update", always=True)
        shown.teacher.session.goto(84)
        await shown.arrives()
        assert shown.same()
        await shown.press("g", "G")
        assert shown.same()


@pytest.mark.parametrize("store", STORES)
async def test_who_is_at_the_end_goes_on_with_the_branch_that_the_other_begins(
    tmp_path: Path, store: str
) -> None:
    async with followed(tmp_path, store, 40) as shown:
        teacher = shown.teacher.session
        teacher.goto(10)
        teacher.set("linear1.bias", 5.0, (0,))
        teacher.goto(30)
        await shown.arrives()
        assert shown.session.branch.name == "main-1"
        assert shown.same()
        assert "goes on on branch main-1" in note(shown)
        assert "⎇ main-1" in shown.place()
        teacher.goto(50)
        await shown.arrives()
        assert shown.same()
        teacher.branches.switch("main")
        teacher.goto(60)
        await shown.arrives()
        assert shown.session.branch.name == "main"
        assert shown.same()


async def test_who_looks_elsewhere_is_told_of_the_branch_and_catches_up(tmp_path: Path) -> None:
    async with followed(tmp_path) as shown:
        await shown.press("g")
        teacher = shown.teacher.session
        teacher.goto(10)
        teacher.set("linear1.bias", 5.0, (0,))
        teacher.goto(30)
        await shown.arrives()
        assert (shown.session.event, shown.session.branch.name) == (0, "main")
        assert "FOLLOW ⎇ main-1" in shown.place()
        await shown.press("G")
        await shown.arrives()
        assert shown.session.branch.name == "main-1"
        assert shown.same()
        await run_line(shown, "switch main", "last")
        await shown.arrives()
        assert shown.session.branch.name == "main"  # where a person has gone, a person stays


async def test_bookmarks_come_and_go_and_ones_own_stay(tmp_path: Path) -> None:
    async with followed(tmp_path) as shown:
        shown.teacher.bookmarks.mark("theirs", 4, "a text")
        shown.debugger.bookmarks.mark("mine", 5)
        await shown.arrives()
        assert set(shown.debugger.bookmarks) == {"theirs", "mine"}
        shown.teacher.bookmarks.unmark("theirs")
        await shown.arrives()
        assert set(shown.debugger.bookmarks) == {"mine"}


async def test_what_a_lesson_hides_is_hidden_for_who_follows(tmp_path: Path) -> None:
    async with followed(tmp_path, event=9) as shown:
        made = shown.teacher.run
        await shown.press("4")
        hidden = NOTHING.after(Hide(1, "cells", ("z1",)), made).after(Hide(2, "next"), made)
        shown.teacher.views.hidden = hidden.text
        await shown.arrives()
        assert shown.main.parts.follow.hidden == hidden
        assert shown.main.parts.panes.pane == "program"
        assert "backward" not in shown.text()
        await run_line(shown, "p z1")
        assert "hides" in note(shown)
        shown.teacher.views.hidden = NOTHING.text
        await shown.arrives()
        assert shown.main.parts.follow.hidden == NOTHING
        assert "backward" in shown.text()


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{}", '{"cells": 3}', '{"cells": [3]}', "[" * 9999]
)
def test_what_hides_nothing(text: str) -> None:
    assert hidden_of(text) == NOTHING


async def test_captions_arrive_and_the_newest_is_shown_at_the_end(tmp_path: Path) -> None:
    async with followed(tmp_path) as shown:
        views = shown.teacher.views
        views.tell(20, Told("1/2 One", "look at **this**"))
        await shown.arrives()
        assert "1/2 One" in shown.text()
        assert "look at this" in shown.text()
        views.tell(4, Told("2/2 Two", "and back there"))  # the teacher has gone back
        await shown.arrives()
        assert "and back there" in shown.text()
        await shown.press("S")
        assert "2/2 Two" in shown.text()  # the last before #19
        await shown.press("g")
        assert "2/2 Two" not in shown.text()
