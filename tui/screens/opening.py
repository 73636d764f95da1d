"""The screens that keys of the main screen open over it: plots, stops, help, a number explained."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.errors import GradstepError
from tui.control.display import Acts
from tui.control.follow import Follow
from tui.control.layout import Layout
from tui.control.pointing import Pointing
from tui.control.prompting import Prompting
from tui.control.stage import Stage
from tui.control.words import RECORDED, Words, taken_up
from tui.keys.command import PLOTS, Command
from tui.screens.beneath import Beneath
from tui.view.veil import WHY

if TYPE_CHECKING:
    from engine.answers.asking import Asked
    from engine.debugger import Debugger
    from engine.worksheet.comparison import Comparison
    from engine.worksheet.worksheet import Worksheet
    from tui.screens.explanation import Left
    from tui.view.derivative import Derivative


class Opening:
    """Opens screens, each loaded with its first use; plots stand over the screen ``beneath``."""

    def __init__(
        self,
        beneath: Beneath,
        commands: tuple[Command, ...],
        words: Words,
        follow: Follow,
        prompting: Prompting,
        panes: Layout,
        pointing: Pointing,
        stage: Stage,
    ) -> None:
        self.beneath = beneath
        self.commands = commands
        self.words = words
        self.follow = follow
        self.prompting = prompting
        self.panes = panes
        self.pointing = pointing
        self.stage = stage

    @property
    def acts(self) -> Acts:
        """What keys do here."""
        return {
            "plots": self.open_plots,
            "stops": self.open_stops,
            "notes": self.open_notes,
            "jump": self.open_jump,
            "help": self.open_help,
            "worksheet": self.open_worksheet,
            "open": self.open_dialog,
        }

    def open_plots(self) -> None:
        """Curves over the run, and decision regions."""
        from tui.screens.plots import PlotsScreen

        if self.veiled():
            return
        self.beneath.say(note="")  # it is about the place before
        self.stage.push(PlotsScreen(self.beneath))

    def veiled(self) -> bool:
        """Whether a lesson hides something, which this could tell; sets the note where it does."""
        if self.follow.hidden:
            self.beneath.show_now(WHY)
        return bool(self.follow.hidden)

    def open_help(self) -> None:
        """Every command, those of the place first."""
        from tui.screens.help import HelpScreen

        place = self.panes.pane if self.stage.on_top else PLOTS
        self.stage.push(HelpScreen(place, self.commands))

    def open_notes(self) -> None:
        """What was said, all of it."""
        from tui.screens.notes import NotesScreen

        self.stage.push(NotesScreen(self.beneath.notes.past, self.commands))

    def open_jump(self) -> None:
        """The letters of the panes: the next key goes to one."""
        from tui.screens.jump import JumpScreen

        self.stage.push(JumpScreen(self.commands), self.jumped)

    def jumped(self, pane: str | None) -> None:
        """Go to the pane that was chosen."""
        if pane is not None:
            self.panes.choose(pane)

    def open_stops(self) -> None:
        """The list of stops; then the prompt that it is closed for."""
        from tui.screens.stops import StopsScreen

        if self.follow.hidden.next_op and self.veiled():
            return
        if self.beneath.free:
            screen = StopsScreen(self.words.debugger.stops, self.commands, self.words.quiet)
            self.stage.push(screen, self.stops_closed)

    def stops_closed(self, ask: Callable[[Prompting], None] | None) -> None:
        """The list is closed: open the prompt that it asks for, if it does."""
        if ask is not None:
            ask(self.prompting)
        self.beneath.show_now()

    def open_dialog(self) -> None:
        """The dialog that opens something else."""
        from engine.words.reloading import EVALUATING, unsaved
        from tui.screens.open import OpenScreen

        debugger = self.words.debugger
        if not self.beneath.free or self.veiled():
            return
        if debugger.outer is not None or self.words.recording():
            self.beneath.show_now(
                EVALUATING if debugger.outer is not None else RECORDED.format_map(self.beneath.keys)
            )
            return
        budget = debugger.session.history.budget
        screen = OpenScreen(self.commands, budget, unsaved(debugger))
        self.stage.push(screen, self.dialog_closed)

    def dialog_closed(self, opened: "tuple[str, Debugger] | None") -> None:
        """The dialog is closed: go on with what it has opened."""
        if opened is not None:
            thing, debugger = opened
            self.stage.go_on_with(debugger, (f"opened: {thing}", *taken_up(debugger, thing)))

    def shows(self, found: object) -> bool:
        """Show what a word has found where it is seen best; False where there is no such place."""
        if found is None:
            return False
        from engine.answers.asking import Asked
        from engine.worksheet.comparison import Comparison
        from engine.worksheet.worksheet import Worksheet

        if isinstance(found, Worksheet):
            self.open_worksheet(found)
        elif isinstance(found, Comparison):
            self.open_versus(found)
        elif isinstance(found, Asked) and found.about:
            self.open_claim(found)
        else:
            return False
        return True

    def open_claim(self, found: "Asked") -> None:
        """A claim in the chain pane, above the derivative that it is about."""
        one = found.verdict
        reason = f": {one.reason}" if one.reason else ""
        self.follow.claim(found, f"{one.of} {one.verdict}{reason}")
        self.panes.go_to("chain")

    def open_worksheet(self, sheet: "Worksheet | None" = None) -> None:
        """The homework's tables at the cursor, in the layout of the chain, and of its sample."""
        from engine.program.program import Program
        from tui.screens.worksheet import WorksheetScreen

        if not self.beneath.free or self.veiled():
            return
        session = self.beneath.session
        if not isinstance(session.run, Program):
            self.beneath.show_now("a captured run has no worksheet: it has no network of layers")
            return
        derivative = self.follow.selection.derivative
        screen = WorksheetScreen(session, session.run, derivative, self.commands, sheet)
        self.stage.push(screen, self.worksheet_closed)

    def worksheet_closed(self, left: "tuple[Derivative, int | None, bool] | None") -> None:
        """The worksheet is closed: the chain has its sample; go to a row, or ask for a file."""
        if left is None:
            return
        derivative, op, saving = left
        self.follow.derivative(sample=derivative.sample, layout=derivative.layout)
        if op is not None:
            here = self.beneath.session.position
            self.words.quiet(f"goto #{here.event - here.op + op}")
            self.follow.op(op)
        elif saving:
            head = "worksheet "
            of = "" if derivative.sample == 0 else f" {derivative.sample}"
            of = " batch" if derivative.sample is None else of
            self.prompting.command(f"{head}worksheet.md{of}", len(head))

    def open_versus(self, found: "Comparison") -> None:
        """The tables beside those of another experiment."""
        from tui.render.reports.comparison import comparison_tables
        from tui.screens.worksheet import VersusScreen

        tables = list(comparison_tables(found, self.stage.width))
        self.stage.push(VersusScreen(tables, self.beneath.keys["sheet-close"]))

    def open_explanation(self) -> None:
        """The number under the cursor, explained; a note where it cannot be."""
        from engine.explain.explain import explain
        from tui.screens.explanation import ExplanationScreen

        if not self.beneath.free or self.veiled():
            return
        session, array = self.beneath.session, self.beneath.snapshot().array
        if array is not None and array.size == 0:
            self.beneath.show_now("there is no number here: the tensor has no elements")
            return
        try:
            found = explain(session, self.pointing.element()[0])
        except GradstepError as problem:
            self.beneath.show_now(str(problem))
            return
        screen = ExplanationScreen(session, found, self.commands)
        self.stage.push(screen, self.explanation_closed)

    def explanation_closed(self, left: "Left | None") -> None:
        """The explanation is closed: mark its operands, and go to one if it was chosen."""
        if left is None:
            self.beneath.show_now()
            return
        operand, count = left.go, len(left.lit)
        ends = f"{self.beneath.keys['cancel']} ends that"
        said = f"{count} operand{'s' * (count != 1)} marked in their tensors; {ends}"
        self.follow.light(left.lit, said if count else "")
        if operand is None or operand.tensor is None or operand.event is None:
            return
        self.words.quiet(f"goto #{operand.event}")
        self.follow.tensor(operand.tensor, f"{operand.of} = {operand.value:.6g}")
        self.pointing.show_index(operand.index)
