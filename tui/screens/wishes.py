"""What the panes ask of the screen: a word to the person, a prompt, work that may take long."""

from typing import Protocol, runtime_checkable

from textual import on

from tui.journeys import LongRun
from tui.messages import JourneyWanted, PromptWanted, Said
from tui.screens.commanding import Commanding
from tui.widgets.prompt import Asked

OWN = "pane "  # how the kinds of the panes' own prompts begin


@runtime_checkable
class Answered(Protocol):
    """A pane that asks for something to be typed."""

    def answered(self, kind: str, text: str) -> None:
        """The text that a person has typed."""


class Wishes(Commanding):
    """Panes post, the screen serves."""

    @on(Said)
    def pane_said(self, message: Said) -> None:
        """Beside the keys."""
        self.say(note=message.note)

    @on(PromptWanted)
    def pane_asks(self, message: PromptWanted) -> None:
        """The answer goes back to the pane."""
        self.ask(f"{OWN}{message.pane} {message.kind}", message.label, message.text)

    @on(Asked)
    def pane_answered(self, message: Asked) -> None:
        """The answer to a prompt of a pane's own."""
        if not message.kind.startswith(OWN):
            return
        message.prevent_default()
        pane, _, kind = message.kind.removeprefix(OWN).partition(" ")
        self.go_to_pane(pane)
        self.say(note="")
        target = self.query_one(f"#{pane}")
        if isinstance(target, Answered):
            target.answered(kind, message.text.strip())

    @on(JourneyWanted)
    def pane_works(self, message: JourneyWanted) -> None:
        """At once where it is quick, else in a thread that Esc stops."""

        def done(run: LongRun) -> None:
            self.say(busy="")
            message.done(run)

        self.journeys.work(message.steps, done, message.doing, message.total)
