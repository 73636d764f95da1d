"""The question before the debugger is left, where something would go with it."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from engine.debugger import Debugger
from engine.session.session import Session
from tui.control.display import Acts
from tui.control.recording import RecordingControl
from tui.control.stage import Stage
from tui.control.worker import Worker
from tui.keys.bindings import bindings
from tui.keys.bound import bound
from tui.keys.command import QUITTING, Command
from tui.keys.line import short_names


class QuitScreen(ModalScreen[bool]):
    """What would go, and whether to leave all the same; closed with the answer."""

    BINDINGS: ClassVar[list[BindingType]] = bindings(QUITTING)

    def __init__(self, going: Sequence[str], commands: tuple[Command, ...]) -> None:
        super().__init__()
        self.going = going
        self.commands = commands

    def compose(self) -> ComposeResult:
        with Vertical(id="quitting") as box:
            box.border_title = "Quit?"
            yield Static("\n".join(self.going), markup=False)
            yield Static(short_names(self.commands, QUITTING), id="quit-hint", markup=False)

    def action_answer(self, leaving: bool) -> None:
        """Leave, or stay."""
        self.dismiss(leaving)


class Leaving:
    """Ends the debugger, at once where nothing would go with it; a long run is stopped first."""

    def __init__(
        self,
        debugger: Debugger,
        recording: RecordingControl,
        worker: Worker,
        commands: tuple[Command, ...],
        stage: Stage,
    ) -> None:
        self.debugger = debugger
        self.recording = recording
        self.worker = worker
        self.commands = commands
        self.stage = stage

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {"quit": self.leave}

    def leave(self) -> None:
        """Ask where something would go, else end."""
        self.worker.cancel()
        going = would_go(self.debugger, self.recording, bound(self.commands)["record"])
        if going:
            self.stage.push(QuitScreen(going, self.commands), self.answered)
        else:
            self.stage.exit()

    def answered(self, leaving: bool | None) -> None:
        """Leave all the same, or stay."""
        if leaving:
            self.stage.exit()


def would_go(debugger: Debugger, recording: RecordingControl, record: str) -> list[str]:
    """What ends with the debugger, a sentence each; empty where nothing does.

    ``record`` is the key that records.
    """
    found = []
    if recording.running and not recording.trouble:
        found.append(f"The recording ends: {recording.path} is closed as it is now.")
    within: Debugger | None = debugger
    while within is not None:  # an evaluation stands over the session that it was opened from
        if not recording.running and (made := changes(within.session)):
            found.append(f"{made} would be gone: {record} records a session into a file.")
        within = within.outer
    return found


def changes(session: Session) -> str:
    """The edits and branches that stand in no file, counted in words; empty for none."""
    if session.source.recorded and not session.undo.changes:
        return ""  # a replay as it was recorded
    edits = len({entry for branch in session.branches for entry in branch.journal})
    branches = len(session.branches) - 1
    parts = [
        f"{count} {word}{ending if count > 1 else ''}"
        for count, word, ending in ((edits, "edit", "s"), (branches, "branch", "es"))
        if count
    ]
    return " and ".join(parts)
