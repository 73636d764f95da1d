"""The main screen: it alone holds the Debugger; panes get a View down and post messages up."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from engine.debugger import Debugger
from engine.run.position import Granularity
from engine.session.badges import badge
from tui.control.count import Counting
from tui.control.player import Player
from tui.control.recording import RecordingControl
from tui.control.worker import Job, Worker
from tui.keys.bindings import bindings, from_elsewhere
from tui.keys.messages import (
    EventChosen,
    IterationChosen,
    OpChosen,
    Opened,
    TensorChosen,
)
from tui.keys.table import EVERY, PANES, PLOTS, Command
from tui.panes.program import ProgramPane
from tui.panes.status import EquationLine, MessageLine, PhaseStrip, PositionLine, TabLine
from tui.panes.tensor import TensorPane
from tui.panes.timeline import TimelinePane
from tui.panes.variables import VariablesPane
from tui.render.variables import Summaries
from tui.screens.arranging import Arranging
from tui.view.snapshot import UNWATCHED, Selection, View, remembered, snapshot
from tui.widgets.key_line import KeyLine
from tui.widgets.prompt import Past, PromptLine

if TYPE_CHECKING:
    from engine.diagnostics.diagnosis import Diagnosis
    from engine.diagnostics.doctor import Doctor

HINT = "? every key · s one op · n next phase · with Shift backwards · q quits"
# Of the screen, so that a digit counts whichever pane has the focus.
DIGITS = [Binding(d, f"digit({d})", show=False) for d in "0123456789"]


class MainScreen(Arranging):
    """The debugger's screen: it alone holds the Debugger, and makes the View that panes draw."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(), *from_elsewhere("tensor"), *DIGITS]
    # No repaint: the panes paint the lines of theirs that differ.
    view: reactive[View | None] = reactive(None, repaint=False)

    def __init__(self, debugger: Debugger, commands: tuple[Command, ...] = EVERY) -> None:
        super().__init__()
        self.debugger = debugger
        self.commands = commands
        self.selection = Selection()
        self.summaries = Summaries()
        self.counting = Counting()
        self.doctor: Doctor | None = None
        self.player = Player()
        self.recording_control = RecordingControl(debugger)
        self.worker = Worker(self, self.recording_control.keep_up)
        self.prompt_past = Past()
        self.notes: list[str] = []
        self.hint = False
        self.sizes, self.panes = {}, {}
        self.set_reactive(MainScreen.view, self.snapshot())

    def compose(self) -> ComposeResult:
        yield PositionLine().data_bind(MainScreen.view)
        yield PhaseStrip().data_bind(MainScreen.view)
        yield EquationLine().data_bind(MainScreen.view)
        yield TabLine(id="top-tabs").data_bind(MainScreen.view)
        with Horizontal(id="body"):
            yield ProgramPane(id="program", classes="pane")
            with Vertical(id="side"):
                yield TabLine(id="side-tabs").data_bind(MainScreen.view)
                yield TensorPane(self.summaries, id="tensor", classes="pane")
                yield VariablesPane(self.summaries, id="variables", classes="pane")
        yield TimelinePane(id="timeline", classes="pane")
        yield MessageLine(id="message").data_bind(MainScreen.view)
        yield KeyLine(self.commands, self.pane)

    def on_mount(self) -> None:
        """Give the panes their titles and the first one the focus, before the others exist."""
        self.watch_recording()
        self.know_panes()
        self.go_to_pane(self.pane)
        # Two refreshes later: what can be seen is painted before the others are imported.
        self.call_after_refresh(self.call_after_refresh, self.open_rest)
        if self.hint:
            self.say(note=HINT)

    async def open_rest(self) -> None:
        """Import and mount the panes that are hidden at first, and the prompt; post Opened."""
        from tui.screens.inspectors import inspectors

        await self.query_one("#side").mount(*inspectors(), before="#variables")
        await self.mount(PromptLine(id="prompt"), after="#message")
        self.prompt.pasts["command"] = self.prompt_past
        self.know_panes()
        self.whole = True
        self.console.say(self.notes, "warn")
        self.go_to_pane(self.pane)
        self.post_message(Opened())

    def watch_view(self) -> None:
        """Hand a new View to the displayed panes."""
        self.hand_down()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out again: below 100 columns or 30 rows the panes become tabs."""
        self.lay_out()

    # -- what is shown

    def snapshot(self) -> View:
        """A new View of the session; while a thread moves it, the View before."""
        if self.view is not None and self.job is not None:
            return self.view
        session = self.session
        view = snapshot(self.debugger, self.selection, lambda name: str(badge(session, name)))
        mode = "  ".join(
            part for part in (self.recording_control.text, self.player.text, view.mode) if part
        )
        brief = "  ".join(
            part for part in (self.recording_control.brief, self.player.text, view.brief) if part
        )
        # Functions, not values: a pane asks while it is displayed, and is answered once a View.
        return replace(
            view,
            mode=mode,
            brief=brief,
            findings=self.findings,
            badge=remembered(view.badge, self.resting, ""),
            watched=remembered(view.watched, self.resting, UNWATCHED),
        )

    def findings(self) -> "Sequence[Diagnosis]":
        """The findings of the doctor up to the cursor; of the last time while a thread moves it."""
        from engine.diagnostics.doctor import Doctor

        doctor = self.doctor = self.doctor or Doctor(self.session.program)
        if self.resting():
            doctor.observe(self.session)
        return doctor.findings()

    def show_now(self, note: str = "") -> None:
        """Take a new View of the session, and show it with a note."""
        self.view = self.snapshot().with_status(note=note)

    @property
    def current_view(self) -> View | None:
        """The View on display."""
        return self.view

    def show_again(self) -> None:
        """Take a new View of the session, and keep the note."""
        self.show_now("" if self.view is None else self.view.note)

    def say(self, **status: str) -> None:
        """Change texts of the View alone: ``note``, ``count``, ``busy``."""
        if self.view is not None:
            self.view = self.view.with_status(**status)

    # -- moving

    def action_step(self, unit: str, direction: int) -> None:
        """Step forwards or backwards, as often as the count says."""
        count, place = self.counting.take()
        said = ""
        if place is not None:
            pane, self.inspector = place  # the digits went to panes: back to where they were typed
            self.go_to_pane(pane)
            said = f"{count} was a count: {count} × {unit}" if count > 1 else ""
        session = self.session
        target = session.timeline.boundary(session.event, Granularity(unit), direction * count)
        self.move(target, said)

    def action_first(self) -> None:
        """Go to the first event."""
        self.jump(0)

    def action_last(self) -> None:
        """Go to the last known event."""
        self.jump(self.session.known)

    def move(self, target: int, said: str = "") -> None:
        """Move to event ``target`` with the note ``said``; at the cursor already, say why."""
        if target == self.session.event and self.worker.current is None:
            self.show_now(note=self.edge(target))
        else:
            steps = self.session.travel(target)
            self.worker.begin(steps, lambda run: self.arrived(run, said), target)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No action of the screen while a prompt is open: keys are letters then."""
        return not self.has_class("asking")

    def edge(self, event: int) -> str:
        """The note where a step led to the event that it began at."""
        if event == 0:
            return "at the first event"
        return "at the end of the run" if event >= self.session.timeline.end else "already there"

    def arrived(self, run: Job, said: str = "") -> None:
        """Show where a movement has led to, or why it failed."""
        if run.error is not None:
            self.failed(run.error)
            return
        before = self.view
        self.selection = replace(self.selection, row=None)
        self.show_now(note="stopped" if run.cancelled else said)
        if before is not None and self.view is not None and left_recording(before, self.view):
            self.say(note="the recording is over: from here on everything is computed live")

    @property
    def job(self) -> Job | None:
        """The job that goes on in a thread; None where none does."""
        return self.worker.current

    def in_thread(self, work: Callable[[], None]) -> None:
        """Run ``work`` in a thread of its own."""
        self.run_worker(work, thread=True, exclusive=True)

    def later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call ``callback`` on the screen's thread after some seconds."""
        self.set_timer(seconds, callback)

    def call_on_screen(self, callback: Callable[[], None]) -> None:
        """From another thread: call ``callback`` on the screen's own, and wait for it."""
        self.app.call_from_thread(callback)

    def action_cancel(self) -> None:
        """Stop a long run; forget a count; follow again."""
        if self.job is not None:
            self.worker.cancel()
        elif self.counting.text:
            self.counting.clear()
            self.say(count="")
        elif self.zoomed:
            self.action_zoom()
        else:
            self.action_follow()

    def action_digit(self, digit: int) -> None:
        """A digit goes to a pane at once; before a step key it is a count after all."""
        self.counting.digit(digit, (self.pane, self.inspector))
        self.say(count=self.counting.text, note="")
        for key, pane in PANES.items():
            if pane.number == digit:
                self.go_to_pane(key)
        self.set_timer(self.counting.patience, self.forget_count)

    def forget_count(self) -> None:
        """Forget the digits that no step key followed in time: they were the number of a pane."""
        if self.counting.expired():
            self.counting.clear()
            self.say(count="")

    # -- looking

    def refresh_view(self, note: str = "") -> None:
        """Show the present selection, with a note; not while a run is under way."""
        if self.free:
            self.show_now(note)

    @on(TensorChosen)
    def choose_tensor(self, message: TensorChosen) -> None:
        """Show a tensor until another is chosen."""
        self.select_tensor(message.name)

    def select_tensor(self, name: str, note: str = "") -> None:
        """Show a tensor until another is chosen."""
        self.selection = replace(self.selection, tensor=name)
        self.refresh_view(note)

    @property
    def focused_pane(self) -> str:
        """The id of the pane with the focus, or that had it before the prompt."""
        return self.pane

    @on(OpChosen)
    def choose_op(self, message: OpChosen) -> None:
        """Select an op, and show the tensor that it writes."""
        name = self.snapshot().listing.ops[message.index].name
        self.selection = replace(self.selection, tensor=name, row=message.index)
        self.refresh_view()

    @on(IterationChosen)
    def scrub(self, message: IterationChosen) -> None:
        """Jump to the beginning of an iteration, the nearest that there is."""
        timeline = self.session.timeline
        self.jump(timeline.begin(max(0, min(timeline.iterations, message.iteration))))

    @on(EventChosen)
    def choose_event(self, message: EventChosen) -> None:
        """Jump to an event."""
        self.jump(message.event)

    # -- other screens

    def action_plots(self) -> None:
        """Curves over the run, and decision regions."""
        from tui.screens.plots import PlotsScreen

        if not self.layered():
            return
        self.app.push_screen(PlotsScreen(self))

    def action_help(self) -> None:
        """Show the help."""
        from tui.screens.help import HelpScreen

        place = self.pane if self.app.screen is self else PLOTS
        self.app.push_screen(HelpScreen(place, self.commands))

    def action_quit(self) -> None:
        """Leave; a long run is stopped first."""
        if self.job is not None:
            self.worker.cancel()
        self.app.exit()


def left_recording(before: View, now: View) -> bool:
    """Whether a step has led out of a recording; an edit that makes a branch live is no step."""
    return "REPLAY" in before.brief and "REPLAY" not in now.brief and before.lineage == now.lineage
