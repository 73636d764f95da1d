"""The main screen: it alone holds the Debugger; panes get a View down and post messages up."""

from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive

from engine.debugger import Debugger
from tui.control.notes import Notes
from tui.control.worker import BUSY, Job
from tui.keys import messages
from tui.keys.bindings import bindings, from_elsewhere
from tui.keys.bound import bound
from tui.keys.command import Command
from tui.keys.table import EVERY
from tui.panes.program import ProgramPane
from tui.panes.status import TabLine
from tui.panes.tensor import TensorPane
from tui.panes.timeline import TimelinePane
from tui.panes.variables import VariablesPane
from tui.render.variables import Summaries
from tui.screens.choices import chosen
from tui.screens.handing import Handing
from tui.screens.parts import Parts
from tui.view.snapshot import View, snapshot
from tui.view.veil import veiled
from tui.widgets.caption_strip import CaptionStrip
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import LinesScreen
from tui.widgets.poster import Poster
from tui.widgets.prompt import Past, PromptLine
from tui.widgets.tour_line import TourLine

if TYPE_CHECKING:
    from tui.panes.console import ConsolePane


class MainScreen(LinesScreen):
    """The debugger's screen: it makes the View that panes draw, and owns what changes it.

    ``problems`` are warnings, and ``said`` is what is said first: both stand in the console, and
    the first line of the latter in the note.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(), *from_elsewhere("tensor")]
    # No repaint: the panes paint the lines of theirs that differ.
    view: reactive[View | None] = reactive(None, repaint=False)

    def __init__(self, debugger: Debugger, commands: tuple[Command, ...] = EVERY) -> None:
        super().__init__()
        self.debugger, self.session, self.commands = debugger, debugger.session, commands
        self.problems, self.said, self.prompt_past = list[str](), list[str](), Past()
        self.notes, self.keys = Notes(), (keys := bound(commands))
        self.summaries, self.key_line = Summaries(), KeyLine(commands, "program")
        self.tabs = tabs = TabLine(keys, id="top-tabs"), TabLine(keys, id="side-tabs")
        self.parts = parts = Parts(self, self, debugger, commands, tabs, self.key_line)
        self.worker, self.host = parts.worker, parts.host
        self.handing = Handing(self, parts, keys["notes"], self.key_line)
        self.acts = parts.acts
        self.set_reactive(MainScreen.view, self.snapshot())

    def compose(self) -> ComposeResult:
        yield from self.handing.heads
        yield self.tabs[0]
        with Horizontal(id="body"):
            yield ProgramPane(id="program", classes="pane")
            with Vertical(id="side"):
                yield self.tabs[1]
                yield TensorPane(self.summaries, id="tensor", classes="pane")
                yield VariablesPane(self.summaries, id="variables", classes="pane")
        yield TimelinePane(id="timeline", classes="pane")
        yield Poster(self.summaries, id="poster")
        yield CaptionStrip(id="captions")
        yield TourLine(id="tour")
        yield self.handing.message
        yield self.key_line

    def on_mount(self) -> None:
        """Give the panes their titles and the first one the focus, before the others exist."""
        self.parts.record_key.watch()
        self.parts.panes.know_panes()
        self.parts.panes.resume()
        # Two refreshes later: what can be seen is painted before the others are imported.
        self.call_after_refresh(self.call_after_refresh, self.open_rest)
        self.parts.tour.tell()
        if self.said:
            self.say(note=self.said[0])

    async def open_rest(self) -> None:
        """Import and mount what is hidden at first, and load what keys run; post Opened."""
        from tui.screens.inspectors import inspectors

        await self.query_one("#side").mount(*inspectors(self.keys), before="#variables")
        await self.mount(PromptLine(id="prompt"), after="#message")
        self.prompt.pasts["command"] = self.prompt_past
        self.parts.panes.know_panes()
        self.console.say(self.said)
        self.console.say(self.problems, "warn")
        self.parts.panes.resume()
        self.parts.words.load()
        self.parts.panes.whole = True
        self.post_message(messages.Opened())

    @property
    def prompt(self) -> PromptLine:
        """The prompt; mounted after the first paint."""
        return self.query_one(PromptLine)

    @property
    def console(self) -> "ConsolePane":
        """The pane in which commands answer; mounted after the first paint."""
        from tui.panes.console import ConsolePane  # not needed for the first paint

        return self.query_one(ConsolePane)

    @property
    def strip(self) -> CaptionStrip:
        """Where captions stand."""
        return self.query_one(CaptionStrip)

    def show_tour(self, text: str) -> None:
        """Show the text of the tour; none takes its line away."""
        self.query_one(TourLine).show(text)

    # -- one View, made here and handed down

    def snapshot(self) -> View:
        """A new View of the session; while a thread moves it, the View before."""
        before = self.view
        return self.fresh() if before is None or self.resting() else before

    def fresh(self) -> View:
        """A View of the session where it stands, from the thread that moves it too."""
        view = snapshot(self.debugger, self.parts.follow.selection, self.view, self.keys)
        return self.parts.with_modes(veiled(view, self.parts.follow.hidden))

    def hand_down(self) -> None:
        """Give the View to the displayed panes; the others get it when they are displayed."""
        if self.view is None:
            return
        view = self.handing.examined(self.view)
        self.set_reactive(MainScreen.view, view)
        if self.resting():
            self.parts.note(view.event)
        self.handing.rest(view)

    def watch_view(self, before: View | None, view: View | None) -> None:
        """Hand a new View down; of a run that goes on to what moves with it.

        Nothing is drawn beneath a screen that hides this one: `on_screen_resume` does it then.
        """
        if self.is_mounted and not self.parts.stage.visible:
            return
        if self.resting():
            self.hand_down()
        else:
            self.handing.move(before, view)

    def show_live(self, view: View) -> None:
        """Show how a run goes on: where it is, the curves, the flow, the watches."""
        job, before = self.job, self.view
        if job is not None and before is not None:
            self.view = view.with_status(busy=job.text, note=before.note)

    def show_now(self, note: str = "") -> None:
        """Take a new View of the session, and show it with a note."""
        view = self.snapshot()
        self.view = view.with_status(note=self.notes.tell(note, self.session.event))

    def show_again(self) -> None:
        """Take a new View of the session, and keep the note."""
        note = "" if self.view is None else self.view.note
        self.view = self.snapshot().with_status(note=note)

    def moment(self) -> None:
        """From here on notes are of another moment: they hide those that are on display."""
        self.notes.moment()

    def say(self, **status: str) -> None:
        """Change texts of the View alone: ``note``, ``busy``."""
        if "note" in status:
            status["note"] = self.notes.tell(status["note"], self.session.event)
        if self.view is not None:
            self.view = self.view.with_status(**status)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """No action of the screen while a prompt is open: keys are letters then."""
        return not self.has_class("asking")

    def action_press(self, name: str) -> None:
        """Do what the keys of a command of the table are for."""
        self.acts[name]()

    async def action_in_pane(self, pane: str, name: str) -> None:
        """A command of a pane that is on screen; where it is not, the key that leads there."""
        command = next(command for command in self.commands if command.id == name)
        target = self.parts.panes.reach(command)
        if target is not None:
            await self.app.run_action(command.press, default_namespace=target)

    def cancel(self) -> None:
        """Stop a long run; end the zoom; follow again."""
        self.parts.cancel()

    def leave(self) -> None:
        """Leave; asked where something would go with it."""
        self.parts.leaving.leave()

    @on(messages.Chosen)
    def chosen(self, message: messages.Choice) -> None:
        """Show or do what has been chosen in a pane."""
        chosen(self.parts, message)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember the pane that a click gave the focus to."""
        self.parts.panes.focused(event.widget)

    def on_resize(self, event: events.Resize) -> None:
        """Lay out again: below 100 columns or 30 rows the panes become tabs."""
        self.strip.fit()
        self.parts.panes.lay_out()

    def on_screen_resume(self) -> None:
        """Show again what nobody saw while another screen was on top."""
        self.hand_down()

    @property
    def whole(self) -> bool:
        """Whether all panes are mounted."""
        return self.parts.panes.whole

    @property
    def job(self) -> Job | None:
        """The job that goes on in a thread; None where none does."""
        return self.worker.current

    def resting(self) -> bool:
        """Whether no job moves the session in a thread, so that it may be read."""
        return self.worker.current is None

    @property
    def free(self) -> bool:
        """Whether a key may move the session; sets the note where a job does."""
        if self.resting():
            return True
        self.say(note=BUSY.format_map(self.keys))
        return False
