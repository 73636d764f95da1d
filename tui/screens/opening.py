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
from tui.control.words import Words
from tui.keys.table import PLOTS, Command
from tui.screens.beneath import Beneath

if TYPE_CHECKING:
    from tui.screens.explanation import Left


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
        return {"plots": self.open_plots, "stops": self.open_stops, "help": self.open_help}

    def open_plots(self) -> None:
        """Curves over the run, and decision regions."""
        from tui.screens.plots import PlotsScreen

        if self.follow.may("flow"):  # as a program has it, of layers or of lines
            self.stage.push(PlotsScreen(self.beneath))

    def open_help(self) -> None:
        """Every command, those of the place first."""
        from tui.screens.help import HelpScreen

        place = self.panes.pane if self.stage.on_top else PLOTS
        self.stage.push(HelpScreen(place, self.commands))

    def open_stops(self) -> None:
        """The list of stops; then the prompt that it is closed for."""
        from tui.screens.stops import StopsScreen

        if self.beneath.free:
            screen = StopsScreen(self.words.debugger.stops, self.commands, self.words.quiet)
            self.stage.push(screen, self.stops_closed)

    def stops_closed(self, ask: Callable[[Prompting], None] | None) -> None:
        """The list is closed: open the prompt that it asks for, if it does."""
        if ask is not None:
            ask(self.prompting)
        self.beneath.show_now()

    def open_explanation(self) -> None:
        """The number under the cursor, explained; a note where it cannot be."""
        from engine.explain.explain import explain
        from tui.screens.explanation import ExplanationScreen

        if not self.beneath.free:
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
        said = f"{count} operand{'s' * (count != 1)} marked in their tensors; Esc ends that"
        self.follow.light(left.lit, said if count else "")
        if operand is None or operand.tensor is None or operand.event is None:
            return
        self.words.quiet(f"goto #{operand.event}")
        self.follow.tensor(operand.tensor, f"{operand.of} = {operand.value:.6g}")
        self.pointing.show_index(operand.index)
