"""What the panes ask of the screen: a note, a prompt, work that may take long."""

from typing import Protocol, runtime_checkable

from textual import on

from tui.control.worker import Done, Job, Steps
from tui.screens.commanding import Commanding
from tui.widgets.prompt import Asked

OWN = "pane "  # how the kinds of the panes' own prompts begin


@runtime_checkable
class Answered(Protocol):
    """A pane with prompts of its own."""

    def answered(self, kind: str, text: str) -> None:
        """Take the answer to the prompt of that kind."""


class Wishes(Commanding):
    """The screen as the panes know it: ``tui.widgets.host.PaneHost``."""

    def pane_says(self, note: str) -> None:
        """Set the note."""
        self.say(note=note)

    def pane_asks(self, pane: str, kind: str, label: str, text: str) -> None:
        """Open a prompt; the answer goes to the pane's ``answered``."""
        self.ask(f"{OWN}{pane} {kind}", label, text)

    def pane_works(self, steps: Steps, done: Done, doing: str, total: int) -> None:
        """Work in pieces: at once where it is quick, else in a thread that Esc stops."""

        def over(run: Job) -> None:
            self.say(busy="")
            done(run)

        self.worker.work(steps, over, doing, total)

    @on(Asked)
    def pane_answered(self, message: Asked) -> None:
        """Hand the answer to a prompt of a pane's own to that pane."""
        if not message.kind.startswith(OWN):
            return
        message.prevent_default()  # else Textual calls the handler of the base class as well
        pane, _, kind = message.kind.removeprefix(OWN).partition(" ")
        self.go_to_pane(pane)
        self.say(note="")
        target = self.query_one(f"#{pane}")
        if isinstance(target, Answered):
            target.answered(kind, message.text.strip())
