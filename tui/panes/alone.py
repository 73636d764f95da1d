"""A pane alone on a sample run: ``python -m tui.panes.tensor``; s and S step, q quits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from engine.debugger import Debugger
from engine.diagnostics.doctor import Doctor
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.session.session import Session
from tui.control.worker import Done, Job, Steps
from tui.keys.bound import bound
from tui.keys.table import EVERY
from tui.theme import DARK, THEMES, fitting
from tui.view.snapshot import Selection, View, snapshot
from tui.widgets.lines import LinesScreen

SAMPLE = "regression"
EVENT = 54  # in the backward step of the third iteration
WATCHED = ("loss", "norm(linear1.weight)")


@runtime_checkable
class Shows(Protocol):
    """A pane, or a part of one: a widget that takes the View to draw."""

    view: View | None


class SampleHost:
    """What a pane may ask of its screen, where there is nothing but the pane."""

    def __init__(self, pane: Widget) -> None:
        self.pane = pane

    def says(self, note: str) -> None:
        """Set the note, at the lower edge."""
        self.pane.border_subtitle = note

    def asks(self, label: str, text: str, past: str, answer: Callable[[str], None]) -> None:
        """There is no prompt: what is proposed is the answer."""
        self.says(label)
        answer(text)

    def works(self, steps: Steps, done: Done, doing: str, total: int) -> None:
        """Do all of it at once."""
        job = Job(steps, 0, total, doing=doing)
        job.run()
        done(job)


class SampleScreen(LinesScreen):
    """One pane, and a session that can be stepped."""

    BINDINGS: ClassVar[list[BindingType]] = [
        ("s", "step(1)", "step"),
        ("S", "step(-1)", "step back"),
        ("q", "app.quit", "quit"),
    ]

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        self.pane = pane
        self.host = SampleHost(pane)
        self.debugger = Debugger(Session(compile_program(load_experiment(SAMPLE))))
        self.doctor = Doctor(self.debugger.session.program)
        self.debugger.session.goto(EVENT)
        for text in WATCHED:
            self.debugger.watches.add(text)

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        """Show the sample."""
        self.pane.add_class("pane")
        parts = (self.pane, *self.pane.walk_children(Widget))
        self.set_focus(next((part for part in parts if part.focusable), None))
        self.show_now()

    def action_step(self, by: int) -> None:
        """Step an op, and show what has become of the pane."""
        self.debugger.session.step(by)
        self.show_now()

    def show_now(self) -> None:
        """Give the pane, or the parts of a box of several, a new View."""
        self.doctor.observe(self.debugger.session)
        view = snapshot(self.debugger, Selection(), keys=bound(EVERY))
        view = replace(view, findings=tuple(self.doctor.findings()))
        for part in (self.pane, *self.pane.children):
            if isinstance(part, Shows):
                part.view = view


class SampleApp(App[None]):
    """The application around a pane alone."""

    CSS_PATH = str(Path(__file__).parent.parent / "gradstep.tcss")
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, pane: Widget) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = fitting(DARK.name, self.console.color_system)
        self.sample = SampleScreen(pane)

    def get_default_screen(self) -> Screen[None]:
        """The pane and nothing else."""
        return self.sample


def show(pane: Widget) -> None:
    """Run a pane on the sample until q is pressed."""
    SampleApp(pane).run()
