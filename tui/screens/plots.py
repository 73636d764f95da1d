"""The plots screen: curves over the run, or decision regions; step keys go on to the debugger."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.widgets import Input

from engine.arrays import Array
from engine.errors import GradstepError
from engine.measure.regions import has_regions
from engine.measure.series import Quantity, Series, gradient_norms, measures, watched
from engine.program.program import CAPTURED, Program
from engine.recording.losses import losses_of
from engine.session.session import Session
from tui.keys.bindings import binding
from tui.keys.command import PLOTS
from tui.keys.messages import IterationChosen
from tui.keys.screen_commands import PLOT_COMMANDS
from tui.keys.shown import Shown
from tui.keys.table import COMMANDS
from tui.panes.status import PositionLine
from tui.render.plots import LOSS, MOST, PAN, ZOOM, Plots
from tui.screens.beneath import Beneath
from tui.view.snapshot import View, same_place
from tui.widgets.clean_input import CleanInput
from tui.widgets.key_line import KeyLine
from tui.widgets.lines import LinesScreen
from tui.widgets.plot import Curves, Legend, RegionMap, Sheet

SLICE, PAUSE = 0.008, 0.001  # seconds of measuring, and between two of them
MEANWHILE = 0.002  # seconds of measuring for each View of a run that goes on
WATCHES = 4  # watches that get a key before the norms do


def bindings() -> list[BindingType]:
    """The keys of this screen, and those that move the debugger."""
    moving: list[BindingType] = [
        Binding(",".join((*c.keys, *c.aliases)),
                f"main({c.id!r})", c.help, show=False, id=c.id)
        for c in COMMANDS
        if PLOTS in c.places
    ]  # fmt: skip
    return [*map(binding, PLOT_COMMANDS), *moving]


class PathInput(CleanInput):
    """The field for the path of a recording; Tab does not leave it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab,shift+tab", "stay", show=False)]

    def action_stay(self) -> None:
        """Take Tab, which would else move the focus."""


class PlotsScreen(LinesScreen):
    """Curves over the run, or the decision regions of a network with two inputs.

    ``measures`` and ``norms`` are the quantities that are no watches, ``recordings`` losses
    (iterations,), all by name.
    """

    BINDINGS: ClassVar[list[BindingType]] = bindings()

    def __init__(self, main: Beneath) -> None:
        super().__init__()
        assert isinstance(main, DOMNode)
        self.main: Beneath = main
        self.node: DOMNode = main
        run = main.session.run
        self.sheet = Sheet(Series(run))
        # A captured script's data are not known: nothing can be measured on all of them.
        own = measures(run) if isinstance(run, Program) else []
        self.measures = {q.name: q for q in own}
        self.norms = {q.name: q for q in gradient_norms(run)}
        self.regions = False
        self.drawn: View | None = None
        self.recordings: dict[str, Array] = {}

    def compose(self) -> ComposeResult:
        yield PositionLine()
        yield Curves(self.sheet)
        yield RegionMap(id="regions", classes="hidden")
        yield Legend(self.sheet)
        yield PathInput(
            placeholder="a recording, *.gradstep", id="beside", classes="hidden", compact=True
        )
        yield KeyLine(self.main.commands, PLOTS)

    def on_mount(self) -> None:
        """Follow the View of the debugger's screen."""
        self.watch(self.node, "view", self.follow)
        self.query_one(Curves).focus()

    @property
    def view(self) -> View | None:
        """The View of the debugger's screen."""
        return self.main.view

    # -- what is shown

    def follow(self, view: View | None) -> None:
        """Draw a new View; of a run that goes on, at the same place, the texts alone."""
        if view is not None:
            self.query_one(PositionLine).view = view
        if view is None or not view.busy or not same_place(view, self.drawn):
            self.show_view(view)

    def show_view(self, view: View | None) -> None:
        """Draw a View: of the curves what is known at once, the rest as it is measured."""
        if view is None:
            return
        self.drawn = view
        self.sheet.names = self.names(view)
        self.sheet.others = other_losses(self.main.session) | self.recordings
        if self.regions:
            self.query_one(RegionMap).show_view(view)
        else:
            self.measure(view)
            self.repaint(view)

    def names(self, view: View) -> tuple[str, ...]:
        """The names of the curves with a digit as key; MOST of loss, measures, watches, norms."""
        watches = tuple(view.watches)[-WATCHES:]
        found = [LOSS, *self.measures, *watches, *self.norms]
        return tuple(dict.fromkeys(found))[:MOST]

    def quantities(self) -> list[Quantity]:
        """The quantities to be measured for the curves that are shown."""
        wanted = [n for n in self.sheet.names if n in self.sheet.plots.shown and n != LOSS]
        return [found for name in wanted if (found := self.quantity(name)) is not None]

    def quantity(self, name: str) -> Quantity | None:
        """The quantity of a curve; None where its expression cannot be watched."""
        fixed = self.measures.get(name) or self.norms.get(name)
        if fixed is not None:
            return fixed
        try:
            return watched(self.main.session.run, name)
        except GradstepError:
            return None

    def measure(self, view: View) -> None:
        """Measure for SLICE seconds; what is left goes on in a worker between keys."""
        self.sheet.series.want(self.quantities(), view.lineage)
        steps = self.sheet.series.fill(view.past)
        if more(steps, MEANWHILE if view.busy else SLICE) and not view.busy:
            self.run_worker(self.measure_on(view, steps), group="series", exclusive=True)

    async def measure_on(self, view: View, steps: Iterator[int]) -> None:
        """Go on in slices, and let keys through between them."""
        while view is self.view and self.main.resting():
            going = more(steps, SLICE)
            self.repaint(view)
            if not going:
                return
            await asyncio.sleep(PAUSE)  # keys are handled on this thread

    def repaint(self, view: View) -> None:
        """Draw what has been measured so far."""
        for part in (self.query_one(Curves), self.query_one(Legend)):
            if part.view is view:  # the same object again: its watcher would not be called
                part.watch_view()
            else:
                part.view = view

    def choose(self, plots: Plots) -> None:
        """Draw with other choices; where nothing changes, say that an end of the run is reached."""
        if plots == self.sheet.plots and not plots.others:
            self.main.show_now("the whole run is shown" if not plots.span else "the run ends here")
            return
        self.sheet.plots = plots
        if self.view is not None and self.view.note:
            self.main.show_now()
        elif self.view is not None:
            self.show_view(self.view)

    # -- keys

    def action_curve(self, number: int) -> None:
        """Show a curve, or no longer."""
        if number <= len(self.sheet.names):
            self.choose(self.sheet.plots.toggled(self.sheet.names[number - 1]))
        else:
            self.main.show_now(f"there are {len(self.sheet.names)} curves here")

    def action_zoom(self, direction: int) -> None:
        """A shorter or longer part of the run."""
        if self.view is not None:
            factor = 1 / ZOOM if direction > 0 else ZOOM
            self.choose(self.sheet.plots.zoomed(self.view, factor))

    def action_pan(self, direction: int) -> None:
        """The part of the run beside it."""
        if self.view is not None:
            self.choose(self.sheet.plots.panned(self.view, direction * PAN))

    def action_whole(self) -> None:
        """The whole run."""
        self.choose(replace(self.sheet.plots, span=None))

    def action_mode(self, what: str) -> None:
        """Switch a way of showing on or off."""
        plots = self.sheet.plots
        self.choose(plots.switched(what))

    def action_regions(self) -> None:
        """The decision regions, or the curves."""
        if not isinstance(self.main.session.run, Program):
            self.main.show_now(CAPTURED)
            return
        if not self.regions and not has_regions(self.main.session.program):
            layers = bool(self.main.session.program.network.nodes)
            need = "a network with two inputs" if layers else "layers in a row and two inputs"
            self.main.show_now(f"decision regions need {need}")
            return
        self.regions = not self.regions
        self.query_one(KeyLine).shown = Shown(regions=self.regions)
        self.query_one(RegionMap).set_class(not self.regions, "hidden")
        self.query_one(Curves).set_class(self.regions, "hidden")
        self.query_one(Legend).set_class(self.regions, "hidden")
        if self.view is not None:
            self.show_view(self.view)

    def action_beside(self) -> None:
        """Ask for a recording."""
        field = self.query_one("#beside", Input)
        field.remove_class("hidden")
        field.focus()
        self.query_one(KeyLine).typing = True

    @on(Input.Submitted, "#beside")
    def beside(self, message: Input.Submitted) -> None:
        """Draw the losses of a recording too, or say why it cannot be read."""
        self.end_asking()
        if not message.value.strip():
            return
        try:
            self.recordings |= losses_of(message.value.strip())
        except (GradstepError, OSError) as problem:
            self.main.show_now(str(problem).splitlines()[0])
            return
        self.choose(replace(self.sheet.plots, others=True))

    def end_asking(self) -> bool:
        """Hide the field; whether it was on display."""
        field = self.query_one("#beside", Input)
        asking = not field.has_class("hidden")
        field.add_class("hidden")
        self.query_one(KeyLine).typing = False
        self.query_one(Curves).focus()
        return asking

    def action_main(self, name: str) -> None:
        """Do what a key does on the debugger's screen below."""
        self.main.action_press(name)

    @on(IterationChosen)
    def scrub(self, message: IterationChosen) -> None:
        """Go to the iteration that was clicked."""
        self.main.chosen(message)

    def action_close(self) -> None:
        """Back to the debugger; a long run is stopped first."""
        if self.end_asking():
            return
        if self.main.job is not None:
            self.main.cancel()
        else:
            self.dismiss()


def other_losses(session: Session) -> dict[str, Array]:
    """The losses (losses,) of every branch but the current one, by name."""
    return {b.name: np.array(b.losses) for b in session.branches if b is not session.branch}


def more(steps: Iterator[int], seconds: float) -> bool:
    """Pull ``steps`` for ``seconds``; whether that was not to their end."""
    end = time.perf_counter() + seconds
    return any(time.perf_counter() > end for _ in steps)
