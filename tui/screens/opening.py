"""The screens that keys of the main screen open over it: plots, the list of stops, help."""

from collections.abc import Callable

from tui.control.display import Acts
from tui.control.follow import Follow
from tui.control.layout import Layout
from tui.control.prompting import Prompting
from tui.control.stage import Stage
from tui.control.words import Words
from tui.keys.table import PLOTS, Command
from tui.screens.beneath import Beneath


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
        stage: Stage,
    ) -> None:
        self.beneath = beneath
        self.commands = commands
        self.words = words
        self.follow = follow
        self.prompting = prompting
        self.panes = panes
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
