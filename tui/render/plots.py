"""The plots screen in text: which curves there are, the part of the run they show, the legend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array
from engine.measure.series import Series
from engine.run.run import Run, loss_key
from engine.run.timeline import begun
from tui.render.charts.plot import Curve, Frame
from tui.render.text.clean import clean
from tui.render.text.keyed import keyed
from tui.render.text.line import Line, fitted, width_of
from tui.render.text.numbers import compact
from tui.render.text.scaling import Floats
from tui.render.timeline import NO_LOSS, nice
from tui.view.snapshot import View

LOSS = "loss"
MOST = 9  # curves that have a key
ZOOM, PAN = 2.0, 0.25


@dataclass(frozen=True)
class Plots:
    """The choices of the plots screen.

    ``span`` is in events, None for all that is known of the run.
    """

    shown: frozenset[str] = frozenset([LOSS])
    log: bool = False
    own: bool = False
    others: bool = False
    events: bool = False
    span: tuple[float, float] | None = None
    lift: float = 0.0

    def toggled(self, name: str) -> "Plots":
        """The same choices with a curve more, or less."""
        return replace(self, shown=self.shown ^ {name})

    def switched(self, what: str) -> "Plots":
        """The same choices with ``log``, ``own``, ``others`` or ``events`` on or off."""
        return replace(self, **{what: not getattr(self, what)})  # type: ignore[arg-type]

    def zoomed(self, view: View, factor: float) -> "Plots":
        """A longer or shorter part of the run around the cursor, never less than an iteration."""
        low, high = self.frame(view).x
        whole = whole_run(view)
        length = max((high - low) * factor, unit(view))
        if length >= whole[1] - whole[0]:
            return replace(self, span=None)
        share = (min(max(view.event, low), high) - low) / (high - low)
        start = view.event - share * length
        return replace(self, span=inside((start, start + length), whole))

    def panned(self, view: View, share: float) -> "Plots":
        """The part of the run ``share`` of its length further on, as far as there is any."""
        low, high = self.frame(view).x
        by = share * (high - low)
        return replace(self, span=inside((low + by, high + by), whole_run(view)))

    def frame(self, view: View) -> Frame:
        """The part of the plane that is drawn: x in events."""
        return Frame(self.span or whole_run(view), None, self.log, self.own)


def inside(span: tuple[float, float], whole: tuple[float, float]) -> tuple[float, float]:
    """A span moved so that it lies in the whole, and cut to its length."""
    length = min(span[1] - span[0], whole[1] - whole[0])
    start = max(whole[0], min(span[0], whole[1] - length))
    return start, start + length


def whole_run(view: View) -> tuple[float, float]:
    """The span of all that is known of the run, in steps of 10, 20, 50 … iterations."""
    timeline = view.run.timeline
    # Rounded up, so that the curves stay where they are while one steps.
    iterations = min(timeline.iterations, nice(max(1, begun(timeline, view.known))))
    return 0.0, float(timeline.begin(iterations))


def unit(view: View) -> float:
    """The events of the iteration that the cursor is in."""
    timeline, iteration = view.run.timeline, view.position.iteration - 1
    return float(max(1, timeline.begin(iteration + 1) - timeline.begin(iteration)))


def loss_points(run: Run, losses: Array) -> tuple[Floats, Floats]:
    """The events (n,) right after each loss op, and the losses (n,)."""
    events = run.timeline.times(loss_key(run), len(losses)) + 1
    return events.astype(np.float64), np.asarray(losses[: len(events)], np.float64)


def curves(
    view: View,
    plots: Plots,
    names: Sequence[str],
    series: Series,
    others: Mapping[str, Array],
) -> list[Curve]:
    """The curves that are shown: each keeps its symbol whatever else is switched on."""
    found = []
    for style, name in enumerate(names):
        if name in plots.shown:
            points = loss_points(view.run, view.history)
            x, y = points if name == LOSS else series.series(name)
            found.append(Curve(clean(name), x, y, style))
    if plots.others:
        for number, (name, losses) in enumerate(others.items()):
            x, y = loss_points(view.run, losses)
            found.append(Curve(f"loss of {clean(name)}", x, y, len(names) + number))
    return found


def nothing_yet(plots: Plots, keys: Mapping[str, str]) -> str:
    """What to say where there is no curve to see."""
    if not plots.shown and not plots.others:
        return "no curve is on: their keys stand below"
    if plots.shown == {LOSS}:
        return "".join(text for text, _ in keyed(keys, NO_LOSS))
    return "nothing of this is known yet: step through an iteration"


def legend_lines(
    names: Sequence[str],
    keys: Sequence[str],
    shown: Sequence[Curve],
    cursor: int,
    width: int,
    height: int,
) -> list[Line]:
    """Each curve with its key, its symbol and its value at the cursor; those not shown are dim."""
    known = {series.name: series for series in shown}
    parts: list[Line] = []
    for key, name in zip(keys, names, strict=False):
        series = known.pop(clean(name), None)
        parts.append(entry(key, clean(name), series, cursor))
    parts += [entry("", series.name, series, cursor) for series in known.values()]
    lines: list[Line] = [[]]
    for part in parts:
        if width_of(lines[-1]) + width_of(part) > width and lines[-1]:
            lines.append([])
        lines[-1] += part
    lines = [*lines, *([[]] * height)][:height]
    return [fitted(line, width) for line in lines]


def entry(key: str, name: str, series: Curve | None, cursor: int) -> Line:
    """A curve in the legend: key, symbol, name, value at the cursor."""
    line: Line = [(f" {key}", "key" if key else "")]
    if series is None:
        return [*line, (f" {name} ", "dim")]
    value = value_at(series, cursor)
    return [*line, (f"{series.symbol} {name} ", series.role), (f"{value} ", "")]


def value_at(series: Curve, cursor: int) -> str:
    """The last value of a curve up to the cursor."""
    place = int(np.searchsorted(series.x, cursor, "right")) - 1
    return compact(series.y[place]) if place >= 0 else "–"


def modes_line(view: View, plots: Plots, width: int) -> Line:
    """What is switched on and what the axes are; the note of the debugger behind it, or alone."""
    line: Line = [(" y ", "dim"), ("logarithmic" if plots.log else "linear", "label")]
    if plots.own:
        line.append((", each curve on its own scale", "label"))
    line += [("   x ", "dim"), ("events" if plots.events else "iterations", "label")]
    if plots.span is not None:
        low, high = (view.run.timeline.elapsed(event) + 1 for event in plots.span)
        line.append((f" {low:.4g} … {high:.4g}", "label"))
    if plots.others:
        line.append(("   with other branches and recordings", "label"))
    said: Line = [(f"   {view.busy}", "warn")] if view.busy else []
    if view.note and not view.busy:
        said = [(f"   {clean(view.note)}", "")]
    whole = [*line, *said]
    # What is said is new; what is switched on can be seen, and gives way.
    return fitted(whole if not said or width_of(whole) <= width else said, width)


def x_text(view: View, plots: Plots, event: float) -> str:
    """The label of an event on the x axis: ``#41``, or ``i3.5`` in iterations from 1."""
    return f"#{event:.0f}" if plots.events else f"i{view.run.timeline.elapsed(event) + 1:.4g}"
