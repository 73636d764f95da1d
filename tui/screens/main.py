"""The main screen: it alone holds the Session; panes get a View down and post messages up."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from engine.badges import badge
from engine.position import Granularity
from engine.session import Session
from tui.commands import COMMANDS, PANES, key_name
from tui.messages import OpChosen, PaneChosen, TensorChosen
from tui.render.variables import Summaries
from tui.running import Counting, LongRun
from tui.screens.help import HelpScreen
from tui.view import Selection, View, look
from tui.widgets.loss import LossPane
from tui.widgets.program import ProgramPane
from tui.widgets.status import EquationLine, PhaseStrip, PositionLine, TabLine
from tui.widgets.tensor import TensorPane
from tui.widgets.variables import VariablesPane

NARROW, LOW, WIDE = 100, 30, 150  # below these sizes the panes become tabs; above, more room
LEVELS = tuple(Granularity)
INLINE_SECONDS = 0.012  # a step that takes longer goes on in a thread
HEAVY_BYTES = 8 * 2**20  # an op that writes this much never runs on the screen's own thread


def bindings() -> list[BindingType]:
    """The keys of the command table, and the digits."""
    made: list[BindingType] = [
        Binding(
            ",".join((*command.keys, *command.aliases)),
            command.action,
            command.footer or command.help,
            show=bool(command.footer),
            key_display=key_name(command.keys[0]),
            id=command.id,
            priority="tab" in command.keys or "shift+tab" in command.keys,
        )
        for command in COMMANDS
    ]
    digits = [Binding(d, f"digit({d})", show=False) for d in "0123456789"]
    return [*made, *digits]


class MainScreen(Screen[None]):
    """The debugger."""

    BINDINGS: ClassVar[list[BindingType]] = bindings()
    view: reactive[View | None] = reactive(None)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.selection = Selection()
        self.summaries = Summaries()
        self.counting = Counting()
        self.long_run: LongRun | None = None
        self.pane = "program"
        self.zoomed = False
        self.set_reactive(MainScreen.view, self.looked())

    def compose(self) -> ComposeResult:
        yield PositionLine().data_bind(MainScreen.view)
        yield PhaseStrip().data_bind(MainScreen.view)
        yield EquationLine().data_bind(MainScreen.view)
        yield TabLine(id="top-tabs").data_bind(MainScreen.view)
        with Horizontal(id="body"):
            yield ProgramPane(id="program", classes="pane").data_bind(MainScreen.view)
            with Vertical(id="side"):
                yield TabLine(id="side-tabs").data_bind(MainScreen.view)
                yield TensorPane(self.summaries, id="tensor", classes="pane").data_bind(
                    MainScreen.view
                )
                yield VariablesPane(self.summaries, id="variables", classes="pane").data_bind(
                    MainScreen.view
                )
        yield LossPane(id="loss", classes="pane").data_bind(MainScreen.view)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Give the panes their titles and the first one the focus."""
        for key, pane in PANES.items():
            self.query_one(f"#{key}").border_title = f"{pane.number} {pane.title}"
        self.lay_out()
        self.go_to_pane(self.pane)

    def on_resize(self, event: events.Resize) -> None:
        """Panes become tabs where there is little room."""
        self.lay_out()

    # -- what is shown

    def looked(self) -> View:
        """A new snapshot of the session."""
        return look(self.session, self.selection, lambda name: str(badge(self.session, name)))

    def show(self, note: str = "") -> None:
        """Show the session as it is now."""
        self.view = self.looked().with_status(note=note)

    def say(self, **status: str) -> None:
        """Change only what the position line says."""
        if self.view is not None:
            self.view = self.view.with_status(**status)

    def lay_out(self) -> None:
        """All panes, or the focused one alone under a line of tabs."""
        width, height = self.size
        single = self.zoomed or width < NARROW or height < LOW
        self.set_class(single, "single")
        self.set_class(width >= WIDE, "wide")
        for key in PANES:
            self.query_one(f"#{key}").set_class(single and key != self.pane, "hidden")
        inside = {key for key in PANES if key not in ("program", "loss")}
        self.query_one("#side").set_class(single and self.pane not in inside, "hidden")
        self.query_one("#body").set_class(single and self.pane == "loss", "hidden")
        self.query_one("#top-tabs", TabLine).show(tuple(PANES), self.pane)
        tabs = tuple(key for key, pane in PANES.items() if pane.inspector)
        self.query_one("#side-tabs").set_class(len(tabs) < 2, "hidden")
        self.query_one("#side-tabs", TabLine).show(tabs, self.pane)

    def go_to_pane(self, pane: str) -> None:
        """Give a pane the focus, and the room where panes are tabs."""
        self.pane = pane
        self.lay_out()
        target: Widget = self.query_one(f"#{pane}")
        if pane == "tensor":
            target = target.query_one("TensorGrid")
        target.focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Keep in mind which pane a click went to."""
        for node in event.widget.ancestors_with_self:
            if node.id in PANES and node.id != self.pane:
                self.pane = node.id
                self.lay_out()

    # -- moving

    def action_step(self, unit: str, direction: int) -> None:
        """Step forwards or backwards, as often as the count says."""
        count, pane = self.counting.take()
        if pane is not None:
            self.go_to_pane(pane)
        target = self.session.program.boundary(
            self.session.event, Granularity(unit), direction * count
        )
        self.move(target)

    def action_first(self) -> None:
        """Go to the first event."""
        self.move(0)

    def action_last(self) -> None:
        """Go to the last known event."""
        self.move(self.session.known)

    def move(self, target: int) -> None:
        """Go to an event: at once where that is quick, else in a thread that can be cancelled."""
        if self.long_run is not None:
            self.say(busy=f"{self.long_run.text} · Esc stops it first")
            return
        if target == self.session.event:
            self.show(note=self.edge(target))
            return
        travel = self.session.travel(target)
        if self.heavy() or not self.inline(travel):
            self.start_long_run(travel, target)
        else:
            self.show()

    def edge(self, event: int) -> str:
        """Why a step led nowhere."""
        if event == 0:
            return "at the first event"
        return "at the end of the run" if event >= self.session.program.events else "already there"

    def heavy(self) -> bool:
        """Whether a single op may take longer than a key press may wait."""
        program = self.session.program
        return max(program.nbytes(op) for op in program.ops) > HEAVY_BYTES

    def inline(self, travel: Iterator[int]) -> bool:
        """Travel for as long as nobody notices; whether that was enough."""
        end = time.perf_counter() + INLINE_SECONDS
        return all(time.perf_counter() <= end for _ in travel)

    def start_long_run(self, travel: Iterator[int], target: int) -> None:
        """Travel on in a thread that posts its progress."""
        self.long_run = LongRun(travel, self.session.event, target)
        self.run_worker(self.run_on, thread=True, exclusive=True, exit_on_error=True)
        self.set_timer(0.15, self.progress)

    def run_on(self) -> None:
        """In the thread: travel to the end or until cancelled."""
        assert self.long_run is not None
        self.long_run.run()
        self.app.call_from_thread(self.finished)

    def progress(self) -> None:
        """Say how far the run is, as long as there is one."""
        if self.long_run is not None:
            self.say(busy=self.long_run.text)
            self.set_timer(1 / 30, self.progress)

    def finished(self) -> None:
        """The thread has ended: show where it has come to."""
        run, self.long_run = self.long_run, None
        self.show(note="stopped" if run is not None and run.cancelled else "")

    def action_cancel(self) -> None:
        """Stop a long run; forget a count; follow again."""
        if self.long_run is not None:
            self.long_run.cancel()
        elif self.counting.text:
            self.counting.clear()
            self.say(count="")
        elif self.zoomed:
            self.action_zoom()
        else:
            self.action_follow()

    def action_digit(self, digit: int) -> None:
        """A digit goes to a pane at once; before a step key it is a count after all."""
        back = self.counting.digit(digit, self.pane)
        if back is not None:
            self.go_to_pane(back)
        elif self.counting.text == str(digit):
            for key, pane in PANES.items():
                if pane.number == digit:
                    self.go_to_pane(key)
        self.say(count=self.counting.text)
        self.set_timer(self.counting.patience, self.forget_count)

    def forget_count(self) -> None:
        """A digit that no step key followed was a pane's number."""
        if self.counting.expired():
            self.counting.clear()
            self.say(count="")

    # -- looking

    def action_level(self, by: int) -> None:
        """Choose the level whose changes are shown."""
        place = LEVELS.index(self.selection.level) + by
        self.selection = replace(self.selection, level=LEVELS[max(0, min(len(LEVELS) - 1, place))])
        self.refresh_view()

    def action_follow(self) -> None:
        """Show what the last op wrote."""
        self.selection = replace(self.selection, tensor=None)
        self.refresh_view()

    def refresh_view(self) -> None:
        """Show another selection, unless a run is under way."""
        if self.long_run is None:
            self.show()

    @on(TensorChosen)
    def choose_tensor(self, message: TensorChosen) -> None:
        """Show a tensor until another is chosen."""
        self.selection = replace(self.selection, tensor=message.name)
        self.refresh_view()

    @on(OpChosen)
    def choose_op(self, message: OpChosen) -> None:
        """Show what an op writes."""
        name = self.session.program.ops[message.index].name
        self.selection = replace(self.selection, tensor=name, row=message.index)
        self.refresh_view()

    # -- panes

    @on(PaneChosen)
    def choose_pane(self, message: PaneChosen) -> None:
        """Go to a pane."""
        self.go_to_pane(message.pane)

    def action_next_pane(self, by: int) -> None:
        """Go to the next or the previous pane."""
        keys = list(PANES)
        self.go_to_pane(keys[(keys.index(self.pane) + by) % len(keys)])

    def action_zoom(self) -> None:
        """The focused pane alone, and back."""
        self.zoomed = not self.zoomed
        self.lay_out()

    def action_help(self) -> None:
        """Show the help."""
        self.app.push_screen(HelpScreen(self.pane))

    def action_quit(self) -> None:
        """Leave; a long run is stopped first."""
        if self.long_run is not None:
            self.long_run.cancel()
        self.app.exit()
