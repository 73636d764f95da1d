"""The flow pane: gradients, activations and updates layer by layer; nothing while it is hidden."""

import asyncio
import math
import time
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.reactive import reactive

from engine.diagnostics.layer_stats import LayerStats
from engine.diagnostics.line_stats import line_gauges
from engine.errors import GradstepError
from engine.measure.magnitude import LIMIT
from engine.program.program import CAPTURED, Program
from engine.run.run import Run
from tui.render.flow import Flow, detail_height, detail_lines, flow_line, head_lines, line_detail
from tui.render.reports.layers import layer_lines
from tui.render.text.line import Line
from tui.view.snapshot import View
from tui.widgets.lines import LineList, Lines
from tui.widgets.visible import seen

if TYPE_CHECKING:
    from engine.diagnostics.capture_stats import CaptureStats

MEANWHILE = 0.002  # seconds of measurements for each View of a run that goes on
AT_ONCE = 0.006  # seconds a step may wait for measurements; the rest is made in between
LEAST = 256  # measurements of small tensors at once whatever the clock says: some 15 µs each
PAUSE = 0.001
MANY = 256  # ops of a network of which the first look begins behind its key


@lru_cache(maxsize=4)
def largest(run: Run) -> int:
    """The number of elements of the largest tensor that is measured: of a captured run none is."""
    if not isinstance(run, Program):
        return 0
    return max(math.prod(info.shape) for info in run.tensors.values())


@lru_cache(maxsize=4)
def names_of(program: Program) -> tuple[str, ...]:
    """The layers, or the lines and then the parameters, that have a line in the table."""
    nodes = program.network.nodes
    return tuple(node.name for node in nodes) if nodes else tuple(line_gauges(program))


def stats_of(run: Run) -> "LayerStats | CaptureStats":
    """What measures a run: the events of a program, or what was told of those of a script."""
    if isinstance(run, Program):
        return LayerStats(run, None if run.network.nodes else line_gauges(run))
    from engine.capture.captured import CapturedRun
    from engine.diagnostics.capture_stats import CaptureStats

    if not isinstance(run, CapturedRun):
        raise GradstepError(CAPTURED)
    return CaptureStats(run)


class Meter:
    """State that the parts of the pane share: the LayerStats, and the Flow at the cursor."""

    def __init__(self) -> None:
        self.record: LayerStats | CaptureStats | None = None
        self.run: Run | None = None
        self.flow: Flow | None = None

    def begins(self, view: View) -> bool:
        """Whether a network is looked at for the first time, of which that takes a while."""
        if not isinstance(view.run, Program):
            return False  # what a script told is read in slices
        new = self.record is None or self.run is not view.run
        return new and len(view.run.ops) > MANY

    def begin(self, view: View) -> Iterator[int]:
        """Measurements for a View, as a generator that makes one at a time."""
        if self.record is None or self.run is not view.run:
            self.record, self.run = stats_of(view.run), view.run
        self.record.follow(view.lineage)
        if not isinstance(self.record, LayerStats):
            return self.record.fill(view.event)
        return self.record.fill(view.primals.past, view.tensors, view.event)

    def names(self, view: View) -> tuple[str, ...]:
        """The names that have a line in the table."""
        if isinstance(view.run, Program):
            return names_of(view.run)
        return () if self.record is None else tuple(self.record.gauges)

    def close(self, view: View) -> None:
        """Make the Flow at the cursor from what has been measured so far."""
        if self.record is not None:
            self.flow = Flow.at(self.record, view.event)


class FlowHead(Lines):
    """Two lines over the table: the names of the columns, and their limits."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        return [] if self.meter.record is None else head_lines(self.meter.record, width)


class FlowTable(LineList):
    """A line for each layer or line of the network, or the table of their sizes and costs."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter
        self.costs = False

    def count(self, view: View) -> int:
        if self.costs:
            return len(layer_lines(view.program, max(1, self.seen_width)))
        return len(self.meter.names(view))

    def line(self, view: View, y: int, width: int) -> Line:
        if self.costs:
            return layer_lines(view.program, width)[y]
        if self.meter.flow is None:
            return []
        name = self.meter.names(view)[y]
        return flow_line(self.meter.flow, name, width, y == self.row and self.has_focus)

    def selectable(self, view: View, y: int) -> bool:
        return True

    def chosen(self, view: View, y: int) -> None:
        """Show the layer under the cursor in full."""
        if isinstance(self.parent, FlowPane):
            self.parent.show_detail()


class FlowDetail(Lines):
    """The selected layer in full: each number with its past and its limits."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self.meter = meter
        self.row = 0

    def lines(self, view: View, width: int, height: int) -> list[Line]:
        flow = self.meter.flow
        if flow is None:
            return []
        nodes = flow.record.nodes
        if not nodes or not isinstance(view.run, Program):
            known = self.meter.names(view)
            if not known:
                return []
            name = known[min(self.row, len(known) - 1)]
            return line_detail(flow, name, view.run.tensors[name].shape, width, height)
        return detail_lines(flow, view.run, nodes[min(self.row, len(nodes) - 1)], width, height)


class FlowPane(Vertical):
    """Head, table and detail; measured while the pane is displayed only."""

    view: reactive[View | None] = reactive(None, repaint=False)

    def __init__(self, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.meter = Meter()

    def compose(self) -> ComposeResult:
        yield FlowHead(self.meter)
        yield FlowTable(self.meter)
        yield FlowDetail(self.meter)

    def on_resize(self) -> None:
        """Layers before details: the detail is short where the layers need the room."""
        if self.view is not None:
            layers = len(self.meter.names(self.view))
            height = detail_height(layers, self.content_size.height)
            self.query_one(FlowDetail).styles.height = height

    def watch_view(self) -> None:
        """Measure what the last events have written, if the pane is displayed."""
        self.measure()

    def on_show(self, event: events.Show) -> None:
        """Measure: the View may have come while the pane was hidden."""
        self.measure()

    def measure(self) -> None:
        """Measure for AT_ONCE seconds; what is left goes on in a worker between keys."""
        view = self.view
        if view is None or not self.is_mounted or not seen(self):
            return
        runs = bool(view.busy)
        if not runs and self.meter.begins(view):  # the key is shown first
            self.run_worker(self.measure_on(view), group="flow", exclusive=True)
            return
        steps = self.meter.begin(view)
        end = time.perf_counter() + (MEANWHILE if runs else AT_ONCE)
        least = 0 if runs or largest(view.run) > LIMIT else LEAST
        more = any(n >= least and time.perf_counter() > end for n, _ in enumerate(steps, 1))
        self.show_now(view)
        if more and not runs:  # the run would wait for it, and the next View is soon there
            self.run_worker(self.measure_on(view, steps), group="flow", exclusive=True)

    async def measure_on(self, view: View, steps: Iterator[int] | None = None) -> None:
        """Go on in slices, and let keys through between them; begin where nothing has begun."""
        if steps is None:
            await asyncio.sleep(PAUSE)
            steps = self.meter.begin(view)
            await asyncio.sleep(PAUSE)
        while view is self.view and seen(self):
            end = time.perf_counter() + AT_ONCE
            more = any(time.perf_counter() > end for _ in steps)
            self.show_now(view)
            if not more:
                return
            await asyncio.sleep(PAUSE)  # keys are handled on this thread

    def show_now(self, view: View) -> None:
        """Draw what has been measured so far."""
        self.meter.close(view)
        for part in (self.query_one(FlowHead), self.query_one(FlowTable)):
            self.hand(part, view)
        self.show_detail()

    def show_detail(self) -> None:
        """Draw the detail of the layer under the cursor."""
        detail = self.query_one(FlowDetail)
        detail.row = self.query_one(FlowTable).row
        if self.view is not None:
            self.hand(detail, self.view)

    def hand(self, part: FlowHead | FlowTable | FlowDetail, view: View) -> None:
        """Draw a View in a part, also the same again when more has been measured of it."""
        if part.view is view:  # the same object again: Textual would call no watcher
            part.watch_view(view) if isinstance(part, FlowTable) else part.watch_view()
        else:
            part.view = view

    def switch(self) -> bool:
        """Switch between the flow and the costs of the layers; whether these are shown now."""
        table = self.query_one(FlowTable)
        if self.view is None or not isinstance(self.view.run, Program):
            return False
        table.costs = not table.costs
        self.set_class(table.costs, "costs")
        table.row = 0
        table.scroll_to(y=0, animate=False)
        if self.view is not None:
            table.watch_view(self.view)
        table.refresh()
        return table.costs


if __name__ == "__main__":
    from tui.panes.alone import show

    show(FlowPane())
