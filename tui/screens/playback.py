"""Playback at a speed, chapters (the bookmarks in their order), and recording of the session.

An abstract base of the main screen.
"""

import re
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path

from textual.timer import Timer

from engine.errors import GradstepError
from engine.session.bookmarks import Bookmark
from tui.control.player import Player
from tui.control.recording import TICK, RecordingControl
from tui.screens.looking import Looking


class Playing(Looking):
    """Playback, chapters and recording; ``next_op`` is the timer of the op to come."""

    player: Player
    recording_control: RecordingControl
    next_op: Timer | None = None

    @abstractmethod
    def show_again(self) -> None:
        """Take a new View of the session, and keep the note."""

    # -- playing

    def action_play(self, direction: int) -> None:
        """Play forwards or backwards, or pause."""
        self.player.toggle(direction)
        self.show_now("" if self.player.playing else "paused")
        self.play_later()

    def action_speed(self, by: int) -> None:
        """Play faster or slower."""
        self.player.faster(by)
        self.show_now(f"{self.player.speed:g} ops a second")

    def play_later(self) -> None:
        """Set the timer of the next op, 1/speed seconds from now, instead of an earlier one."""
        if self.next_op is not None:
            self.next_op.stop()
        self.next_op = None
        if self.player.playing:
            self.next_op = self.set_timer(1 / self.player.speed, self.play_on)

    def play_on(self) -> None:
        """Move by an op, and wait for the next; pause at an end of the run."""
        if not self.player.playing:
            return
        if self.resting():  # no key was pressed: what the job says stays on display
            target = self.session.event + self.player.direction
            if not 0 <= target <= self.session.timeline.end:
                self.player.direction = 0
                self.show_now("the end of the run" if target > 0 else "the first event")
                return
            self.move(target)
            self.chapter_note()
        self.play_later()

    # -- chapters

    def chapters(self) -> list[Bookmark]:
        """The bookmarks in the order of the run."""
        return sorted(self.debugger.bookmarks.values(), key=lambda mark: mark.event)

    def action_chapter(self, direction: int) -> None:
        """To the next or the previous bookmark, with its text."""
        marks, here = self.chapters(), self.session.event
        if direction > 0:
            found = next((mark for mark in marks if mark.event > here), None)
        else:
            found = next((mark for mark in reversed(marks) if mark.event < here), None)
        if found is None:
            side = "after" if direction > 0 else "before"
            self.show_now(f"no bookmark {side} this place" if marks else "no bookmarks yet: m")
            return
        self.jump(found.event)
        self.chapter_note()

    def chapter_note(self) -> None:
        """Show the name and text of the bookmark at the cursor, if there is one."""
        for mark in self.chapters():
            if mark.event == self.session.event:
                self.show_now(f"'{mark.name}  {mark.text}")

    # -- recording

    def action_record(self) -> None:
        """Start a recording, or close the one under way."""
        if self.recording_control.running:
            self.guard_recording(self.recording_control.stop)
        else:
            name = re.sub(r"[^\w.-]+", "-", self.session.run.name)
            self.ask("record", "record into", f"{name}.gradstep")

    def start_recording(self, path: str) -> None:
        """Begin a recording in a new file, or say why not."""
        self.guard_recording(lambda: self.recording_control.start(Path(path)))

    def guard_recording(self, act: Callable[[], str]) -> None:
        """Call ``act``, and show the sentence that it returns or its GradstepError."""
        try:
            said = act()
        except GradstepError as error:
            said = str(error)
        self.show_now(said)

    def watch_recording(self) -> None:
        """Start the timer that feeds the recording every TICK seconds."""
        self.set_interval(TICK, self.feed_recording)

    def feed_recording(self) -> None:
        """Record what is new, while no job moves the session."""
        if self.recording_control.running and self.resting():
            before = self.recording_control.text
            self.recording_control.tick()
            if self.recording_control.text != before:  # a new View at every tick would be waste
                self.show_again()
