"""What the main screen has: each part knows of the others no more than it is given here."""

from dataclasses import replace
from typing import Protocol

from textual.screen import Screen

from engine.debugger import Debugger
from tui.control.capture_examination import CaptureExamination
from tui.control.diary import Diary
from tui.control.display import Acts
from tui.control.examination import Examination
from tui.control.follow import Follow
from tui.control.hosting import Hosting
from tui.control.layout import Keys, Layout, Tabs
from tui.control.live import Live
from tui.control.movement import Movement
from tui.control.playback import Playback
from tui.control.pointing import Pointing
from tui.control.prompting import Prompt, Prompting
from tui.control.recording import RecordingControl, RecordingKey
from tui.control.stage import Stage
from tui.control.stopping import Stopping
from tui.control.telling import Strip, Telling
from tui.control.tour import WORD, Tour
from tui.control.viewing import Guide
from tui.control.words import Console, Words
from tui.control.worker import Worker
from tui.keys.command import Command
from tui.render.text.clean import clean
from tui.screens.beneath import Beneath
from tui.screens.opening import Opening
from tui.screens.quitting import Leaving
from tui.view.snapshot import View


class Owner(Beneath, Protocol):
    """The screen that has the parts: a Display, over which other screens open."""

    @property
    def prompt(self) -> Prompt:
        """Where a person types; mounted after the first paint."""

    @property
    def console(self) -> Console:
        """Where commands answer; mounted after the first paint."""

    @property
    def strip(self) -> Strip:
        """Where captions stand."""

    def hand_down(self) -> None:
        """Give the View to the displayed panes."""

    def show_again(self) -> None:
        """Take a new View of the session, and keep the note."""

    def fresh(self) -> View:
        """A View of the session where it stands."""

    def show_live(self, view: View) -> None:
        """Show a View of a run that goes on."""

    def show_tour(self, text: str) -> None:
        """Show the text of the tour; none takes its line away."""


class Parts:
    """The parts, in the order in which they need each other; ``acts`` is what keys do in them."""

    def __init__(
        self,
        screen: Screen[None],
        owner: Owner,
        debugger: Debugger,
        commands: tuple[Command, ...],
        tabs: tuple[Tabs, Tabs],
        keys: Keys,
    ) -> None:
        session = debugger.session
        self.following = False  # whether the run grows in a file that somebody else writes
        self.elsewhere = ""  # the branch on which it goes on, where that is another one
        self.stage = stage = Stage(screen, session, owner)
        self.recording = recording = RecordingControl(debugger)
        self.worker = worker = Worker(stage, Live(owner, stage.post), recording.keep_up)
        self.leaving = leaving = Leaving(debugger, recording, worker, commands, stage)
        self.examination = Examination(
            session, owner.resting, stage.apart, stage.post, owner.hand_down
        )
        self.capture_examination = CaptureExamination(
            session, stage.later, owner.resting, self.examined, owner.show_again
        )
        self.follow = follow = Follow(session, owner)
        self.panes = panes = Layout(screen, session, owner, follow, tabs, keys, owner.hand_down)
        self.pointing = at = Pointing(owner, panes)
        self.words = words = Words(
            debugger, worker, owner, follow, at, panes, lambda: owner.console, leaving.leave
        )
        words.go_on_with = stage.go_on_with
        words.recording = lambda: recording.recorder is not None
        self.movement = moving = Movement(session, words, worker, owner, follow, at)
        self.stopping = Stopping(words, owner, at)
        self.prompting = asking = Prompting(
            words, owner, moving, follow, at, panes, lambda: owner.prompt
        )
        self.playback = Playback(session, moving, owner, stage.later, owner.resting)
        self.record_key = RecordingKey(
            recording, owner, asking, owner.show_again, owner.resting, stage.every
        )
        self.opening = Opening(owner, commands, words, follow, asking, panes, at, stage)
        words.shows = self.opening.shows
        self.diary = Diary(debugger.views)
        self.guide = Guide(debugger.views, follow, panes, owner, lambda: session.source.recorded)
        key = owner.keys["caption"]
        self.telling = Telling(debugger, owner, lambda: owner.strip, panes.leave_room, key)
        words.save = self.diary.save
        self.tour = Tour(commands, owner, owner.show_tour)
        words.own = {WORD: self.tour.begin}
        self.host = Hosting(owner, asking, worker)

    def cancel(self) -> None:
        """Stop a long run; leave the tour; end what is large, or a zoom; follow again."""
        if self.worker.current is not None:
            self.worker.cancel()
        elif self.tour.step is not None:
            self.tour.leave()
        elif self.panes.large:
            self.panes.enlarge()
        elif self.panes.zoomed:
            self.panes.zoom()
        else:
            self.follow.again()

    def with_modes(self, view: View) -> View:
        """A View that also says what is followed, recorded and played."""
        recording, player = self.recording, self.playback.player
        behind = self.behind(view.event)
        if recording.recorder is None and not player.direction and not behind:
            return view
        extra = (part for part in (behind, recording.text, player.text, view.mode) if part)
        short = (part for part in (behind, recording.brief, player.text, view.brief) if part)
        return replace(view, mode="  ".join(extra), brief="  ".join(short))

    def examined(self) -> bool:
        """Whether somebody sees the pane of the doctor."""
        return "diagnostics" in self.panes.seen and self.stage.visible

    def behind(self, event: int) -> str:
        """How far a run that is followed is ahead of an event, or on which branch it goes on.

        Empty where none is followed.
        """
        if not self.following:
            return ""
        if self.elsewhere:
            return f"FOLLOW ⎇ {clean(self.elsewhere)}"
        ahead = self.stage.session.known - event
        return f"FOLLOW +{ahead:,}" if ahead > 0 else "FOLLOW"

    def note(self, event: int) -> None:
        """Note what was done and what is looked at; in a recording show what was looked at."""
        line = self.words.line if self.panes.whole else None
        replayed = self.guide.replayed()
        at = None if replayed else event
        self.diary.look(line, self.panes, self.follow.selection, at)
        self.guide.look(event)
        self.panes.stay_large()
        if self.panes.panes:
            self.telling.newest = self.following
            self.telling.look(event)

    @property
    def acts(self) -> Acts:
        """What is done for each command of the table that belongs to no pane, by its id."""
        return {
            **self.movement.acts,
            **self.stopping.acts,
            **self.prompting.acts,
            **self.follow.acts,
            **self.panes.acts,
            **self.playback.acts,
            **self.record_key.acts,
            **self.opening.acts,
            **self.guide.acts,
            **self.telling.acts,
            **self.tour.acts,
            **self.leaving.acts,
            "cancel": self.cancel,
        }
