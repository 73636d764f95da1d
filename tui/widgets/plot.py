"""The curves, their legend, and the decision regions, as widgets of the plots screen."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip

from engine.arrays import Array
from engine.measure.regions import Regions, has_regions, labels, regions
from engine.measure.series import Series
from tui.keys.bound import Bound
from tui.keys.messages import IterationChosen
from tui.keys.screen_commands import CURVES
from tui.render.charts.heatmap import HeatCell
from tui.render.charts.plot import LABELS, plot_lines
from tui.render.plots import Plots, curves, legend_lines, modes_line, nothing_yet, unit, x_text
from tui.render.regions import Cells, region_cells, region_legend, x_labels, y_labels
from tui.render.text.line import Line, fitted
from tui.theme import FEW_COLOURS
from tui.view.snapshot import View
from tui.widgets.lines import Lines, Styled


def curve_keys(keys: Bound) -> list[str]:
    """The keys of the curves, in their order."""
    return [keys.get(f"plot-curve-{n}", str(n)) for n in range(1, CURVES + 1)]


class Sheet:
    """State that the parts of the plots screen share: the choices, and what has been measured.

    ``names`` are the curves with keys, ``others`` losses (iterations,) of branches and recordings.
    """

    def __init__(self, series: Series) -> None:
        self.plots = Plots()
        self.series = series
        self.names: tuple[str, ...] = ()
        self.others: Mapping[str, Array] = {}


class Curves(Lines, can_focus=True):
    """The curves with their axes; a click goes to the iteration under it."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(id="curves")
        self.sheet = sheet

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        sheet, plots = self.sheet, self.sheet.plots
        step = 1.0 if plots.events else unit(view)
        found = curves(view, plots, sheet.names, sheet.series, sheet.others)
        return plot_lines(
            found,
            plots.frame(view),
            width,
            height,
            view.event,
            lambda event: x_text(view, plots, event),
            step,
            nothing_yet(plots, view.keys),
        )

    def on_click(self, event: events.Click) -> None:
        """Go to the clicked iteration."""
        place = event.get_content_offset(self)
        if self.view is None or place is None or place.x <= LABELS:
            return
        low, high = self.sheet.plots.frame(self.view).x
        share = (place.x - LABELS - 1) / max(1, self.content_size.width - LABELS - 2)
        at = low + share * (high - low)
        self.post_message(IterationChosen(round(self.view.run.timeline.elapsed(at))))


class Legend(Lines):
    """The curves with their keys and values at the cursor, and what the axes show."""

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(id="legend")
        self.sheet = sheet

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        sheet = self.sheet
        found = curves(view, sheet.plots, sheet.names, sheet.series, sheet.others)
        entries = legend_lines(
            sheet.names, curve_keys(view.keys), found, view.event, width, max(0, height - 1)
        )
        return [*entries, modes_line(view, sheet.plots, width)]


class RegionMap(Styled):
    """The decision regions at the cursor: what the network answers on a grid around its data."""

    view: View | None = None
    found: Regions | None = None
    cells: Cells = []  # noqa: RUF012 - replaced, never changed
    drawn: tuple[object, ...] = ()

    def show_view(self, view: View) -> None:
        """Draw another View."""
        self.view = view
        self.refresh()

    @property
    def coloured(self) -> bool:
        """Whether the terminal has more than 16 colours, of which shades can be made."""
        return not self.app.no_color and self.app.console.color_system not in FEW_COLOURS

    def draw(self, width: int, height: int) -> None:
        """Evaluate the network on the grid, once for each View and size in cells."""
        view = self.view
        key = (view, width, height, self.coloured)
        if view is None or key == self.drawn or not has_regions(view.program):
            return
        self.drawn = key
        colour = self.coloured
        self.found = regions(view.program, view.tensors, width, height * (2 if colour else 1))
        data, kinds = view.program.data, labels(view.program)
        self.cells = region_cells(self.found, data.x, kinds, width, height, colour)

    def render_line(self, y: int) -> Strip:
        """One line: rows with a label each, then the axis, then the legend."""
        width, rows = self.content_size.width, self.content_size.height - 2
        if self.view is None or width <= LABELS + 2 or rows < 1:
            return self.strip_of([], width)
        if y == 0:  # the first line of a repaint; the others find it made
            self.draw(width - LABELS, rows)
        if self.found is None:
            key = self.view.keys.get("plot-regions", "")
            said = f" decision regions need a network with two inputs; {key} shows the curves"
            return self.strip_of([(said, "dim")] if y == 0 else [], width)
        if y < rows:
            label: Line = [(y_labels(self.found, rows)[y].rjust(LABELS - 1) + " ", "dim")]
            base = self.rich_style  # worked out anew every time that it is asked for
            cells = self.filtered(Strip(joined(self.cells[y], base)))
            return Strip([*self.strip_of(label, LABELS), *cells]).adjust_cell_length(width, base)
        line: Line = [(" " * LABELS + x_labels(self.found, width - LABELS), "dim")]
        if y > rows:
            line = region_legend(self.found, labels(self.view.program), self.coloured)
        return self.strip_of(fitted(line, width), width)


def joined(cells: Sequence[HeatCell], base: Style) -> Iterator[Segment]:
    """A row of cells as segments, one for neighbours that look the same."""
    for cell, same in groupby(cells):
        yield Segment(cell.char * len(list(same)), base + style_of(cell))


@lru_cache(maxsize=4096)
def style_of(cell: HeatCell) -> Style:
    """The colours of a cell; the data stand out."""
    front, back = (c and f"rgb({c[0]},{c[1]},{c[2]})" for c in (cell.foreground, cell.background))
    return Style(color=front, bgcolor=back, bold=cell.char not in ("▀", " "))
