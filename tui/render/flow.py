"""The flow through the layers: a line each with marks where a number is past a limit; one in full.

Past a limit a number has an arrow to the side on which it lies, a double one where it is serious:
⇈ ⇊ against ↑ ↓, so that everything reads without colour too.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Union

from engine.arrays import Shape
from engine.diagnostics.gradients import EXPLODED, GROWN, SHRUNK, VANISHED
from engine.diagnostics.layer_stats import LayerStats
from engine.diagnostics.layer_verdicts import WHOLE, Verdict, judge, reference
from engine.diagnostics.rates import STEP_LARGE, STEP_SMALL
from engine.diagnostics.units import DEAD_SHARE, FLAT_MANY, FLAT_NEARLY_ALL
from engine.program.graph import Node
from engine.program.program import Program
from tui.render.charts.curve import BLOCKS, block_spark
from tui.render.text.clean import clean
from tui.render.text.line import Line, Span, fitted, shortened
from tui.render.text.numbers import compact, shape_text

if TYPE_CHECKING:
    from engine.diagnostics.capture_stats import CaptureStats

Numbers = Mapping[str, float]
Record = Union[LayerStats, "CaptureStats"]  # one of them is no name here
NUMBER, SHARE, WORD = 6, 4, 12
SHARES = ("zeros", "flat")
TITLES = {
    "gradient": "‖∂ℓ/∂z‖",
    "update": "‖ΔW‖/‖W‖",
    "mean": "mean",
    "flat": "satur.",
    "zeros": "zero",
    "spread": "spread",
}
LIMITS = {
    "gradient": f"⇊{VANISHED:g} ↓{SHRUNK:g} ↑{GROWN:g} ⇈{EXPLODED:g}",
    "update": f"↓{STEP_SMALL:g} ↑{STEP_LARGE:g} ⇈{WHOLE:g}",
    "mean": "",
    "flat": f"↑{FLAT_MANY:.0%} ⇈{FLAT_NEARLY_ALL:.0%}",
    "zeros": f"dead ↑{DEAD_SHARE:.0%} ⇈100%",
    "spread": "",
}
HEALTHY = f"{STEP_SMALL:g}…{STEP_LARGE:g}".replace("e-0", "e-")
# The same under the head of a column, in as many words as there is room for.
SHORT_LIMITS = {
    "gradient": (LIMITS["gradient"], f"↓{SHRUNK:g} ↑{GROWN:g}"),
    "zeros": (LIMITS["zeros"], f"dead ↑{DEAD_SHARE:.0%}", "↑dead"),
    "flat": (LIMITS["flat"], f"↑{FLAT_MANY:.0%}"),
    "update": (LIMITS["update"], f"↓{STEP_SMALL:g} ↑{STEP_LARGE:g}", HEALTHY),
}
HEAD = 2  # lines over the table
FULL_DETAIL, LEAST_DETAIL = 7, 3  # lines
ORDER = ("gradient", "mean", "spread", "zeros", "flat", "update")
GROWS = ("gradient", "update", "mean", "flat", "zeros", "spread")  # who gets room first
FIRST_SPARK, MOST_SPARK = 4, 24


@dataclass(frozen=True, eq=False)
class Flow:
    """The layer statistics at an event and their verdicts, by layer; made once for all lines."""

    record: Record
    event: int
    values: Mapping[str, Numbers]
    verdicts: Mapping[str, list[Verdict]]

    @classmethod
    def at(cls, record: Record, event: int) -> "Flow":
        """The statistics of a record at an event, judged against the limits."""
        values = record.values(event)
        verdicts: Mapping[str, list[Verdict]] = {}
        if isinstance(record, LayerStats) and record.nodes:  # the limits are those of layers
            verdicts = judge(record.program, values, usual(record, event))
        return cls(record, event, values, verdicts)

    def series(self, layer: str, quantity: str) -> list[float]:
        """The known values of a quantity over the last iterations, oldest first."""
        found = self.record.series(layer, quantity, self.event)
        return [value for value in found if value is not None]

    def mark(self, layer: str, quantity: str) -> Span:
        """The arrow of a quantity past a limit and its role; a blank where it is not past one."""
        for verdict in self.verdicts.get(layer, []):
            if verdict.quantity == quantity:
                return arrow(verdict), role_of(verdict)
        return " ", ""


def usual(record: LayerStats, event: int) -> dict[str, float]:
    """The median gradient norm of each layer over the last iterations."""
    found = {}
    for layer in record.gauges:
        series = record.series(layer, "gradient", event)
        known = [value for value in series if value is not None and math.isfinite(value)]
        found[layer] = median(known) if known else 0.0
    return found


def arrow(verdict: Verdict) -> str:
    """↑ or ↓ past a limit, ⇈ or ⇊ past the severe one."""
    return ("⇈" if verdict.up else "⇊") if verdict.severe else "↑" if verdict.up else "↓"


def role_of(verdict: Verdict) -> str:
    """The role of the arrow and the word of a verdict."""
    return "bad" if verdict.severe else "warn"


@dataclass(frozen=True)
class Columns:
    """The widths in cells of the name and of each quantity's spark; 0 for one left out."""

    name: int
    sparks: Mapping[str, int]

    @classmethod
    def fitting(cls, names: Sequence[str], width: int) -> "Columns":
        """Names and numbers always; sparks where there is room, the gradient's first."""
        longest = max(len(name) for name in names)
        numbers = sum(number_width(quantity) + 2 for quantity in ORDER)
        name = max(8, min(longest, 24, width - 2 - WORD - numbers - FIRST_SPARK))
        room = max(0, width - 2 - name - WORD - numbers)
        sparks = dict.fromkeys(ORDER, 0)
        for quantity in GROWS:
            if room >= FIRST_SPARK:
                sparks[quantity] = FIRST_SPARK
                room -= FIRST_SPARK
        shown = [quantity for quantity in GROWS if sparks[quantity]]
        for quantity in shown:
            more = min(MOST_SPARK - FIRST_SPARK, room // len(shown))
            sparks[quantity] += more
        return cls(name, sparks)


def number_width(quantity: str) -> int:
    """The width in cells of a quantity's number, without its arrow."""
    return SHARE if quantity in SHARES else NUMBER


def head_lines(flow: Record, width: int) -> list[Line]:
    """Two lines over the table: what the columns are, and under each name its limits."""
    columns = Columns.fitting(list(flow.gauges), width)
    rows = isinstance(flow, LayerStats) and flow.nodes
    titles = " layer" if rows else " line, parameter" if isinstance(flow, LayerStats) else " tensor"
    limits = ""
    if isinstance(flow, LayerStats) and flow.nodes:
        limits = f" × that of {clean(reference(flow.program))}:"
    at = columns.name + 2 + WORD
    limits = fitted([(limits, "")], at - 1)[0][0]
    for quantity in ORDER:
        size = number_width(quantity) + 1 + columns.sparks[quantity]
        title = TITLES[quantity].rjust(number_width(quantity))
        titles = beside(titles, title, at - (len(title) > size))
        room = width - at if quantity == ORDER[-1] else size
        known = SHORT_LIMITS.get(quantity, ()) if rows else ()
        said = (text for text in known if len(text) <= room)
        limits = beside(limits, next(said, ""), at)
        at += size + 1
    return [fitted([(text, "dim")], width) for text in (titles, limits)]


def beside(line: str, text: str, at: int) -> str:
    """A text behind a line, at column ``at`` or after a blank where the line is longer."""
    return f"{line.ljust(at)}{' ' if len(line) >= at else ''}{text}"


def flow_line(flow: Flow, layer: str, width: int, selected: bool) -> Line:
    """One layer: the word of its worst verdict, its numbers with arrows and sparks."""
    columns = Columns.fitting(list(flow.record.gauges), width)
    verdicts = flow.verdicts.get(layer, [])
    word: Span = (verdicts[0].word, role_of(verdicts[0])) if verdicts else ("", "")
    line: Line = [
        *fitted([(f" {name_text(flow, layer, columns.name)}", "name")], columns.name + 1),
        (" ", ""),
        *fitted([word], WORD),
    ]
    for quantity in ORDER:
        value = flow.values[layer].get(quantity)
        mark = flow.mark(layer, quantity)
        text = number_text(value, quantity).rjust(number_width(quantity))
        line += [(text, mark[1]), mark]
        size = columns.sparks[quantity]
        line += [(spark(flow.series(layer, quantity), quantity, size), "curve"), (" ", "")]
    line = fitted(line, width)
    return [(text, "cursor" if selected else role) for text, role in line]


def name_text(flow: Flow, name: str, width: int) -> str:
    """A name in at most ``width`` cells; of a path of modules the last ones tell which it is."""
    text = clean(name)
    if isinstance(flow.record, LayerStats) or len(text) <= width:
        return shortened(text, width)
    return f"…{text[len(text) - width + 1 :]}"


def number_text(value: float | None, quantity: str) -> str:
    """A number or a share; ``–`` where a layer has none or it is unknown."""
    if value is None:
        return "–"
    if quantity not in SHARES or not math.isfinite(value):
        return compact(value, number_width(quantity))
    rounded = round(100 * value)
    return "<1%" if rounded == 0 and value else f"{rounded}%"


def spark(values: Sequence[float], quantity: str, width: int) -> str:
    """The past of a number: shares on a scale from 0 to 1, sizes on one of magnitudes."""
    if not values or width <= 0:
        return " " * max(0, width)
    recent = list(values[-SHOWN_PER_CELL * width :])
    if quantity in SHARES:
        return share_spark(recent, width)
    if quantity in ("gradient", "update", "weight_gradient"):
        recent = magnitudes(recent)
    return block_spark(recent, width)


SHOWN_PER_CELL = 4  # iterations in a cell of a spark at most, so that a short one shows the last


def share_spark(values: Sequence[float], width: int) -> str:
    """Shares between 0 and 1, always on that scale; a cell shows its largest."""
    cells = min(width, len(values))
    edges = [i * len(values) // cells for i in range(cells + 1)]
    tops = [max(values[a:b]) for a, b in pairwise(edges)]
    top = len(BLOCKS) - 1
    return "".join(BLOCKS[max(0, min(top, round(value * top)))] for value in tops).ljust(width)


def magnitudes(values: Sequence[float]) -> list[float]:
    """Decimal logarithms; 0 lies a decade below the smallest."""
    positive = [value for value in values if value > 0 and math.isfinite(value)]
    floor = math.log10(min(positive)) - 1 if positive else 0.0
    return [
        floor if value == 0 else math.log10(value) if math.isfinite(value) else value
        for value in values
    ]


def detail_height(layers: int, height: int) -> int:
    """The lines for the detail of one layer: fewer where the layers would not fit above it."""
    return max(LEAST_DETAIL, min(FULL_DETAIL, height - HEAD - layers))


def detail_lines(
    flow: Flow, program: Program, node: Node, width: int, height: int = FULL_DETAIL
) -> list[Line]:
    """All about one layer: each number with its past, its limits, or why it is past one.

    Where there is no room for all of them, those past a limit.
    """
    layer = node.name
    shapes = [program.tensors[name].shape for name in (node.input, node.output)]
    heading: Line = [
        (f" {clean(layer)}", "name"),
        (f"  {node.symbols['output']}  ", "symbol"),
        (" → ".join(map(shape_text, shapes)), "shape"),
        (f"  {span_text(len(flow.series(layer, 'mean')))}", "dim"),
    ]
    beside = flow.values[layer].get("weight_gradient")
    if beside is not None:
        heading.append((f"  ‖∂ℓ/∂W‖ {compact(beside, NUMBER)}", "dim"))
    past = [verdict.quantity for verdict in flow.verdicts.get(layer, [])]
    first = sorted(ORDER, key=lambda quantity: quantity not in past)[: max(0, height - 1)]
    shown = [quantity for quantity in ORDER if quantity in first]
    lines = [detail_line(flow, program, node, quantity, width) for quantity in shown]
    return [fitted(heading, width), *lines]


def line_detail(
    flow: Flow, name: str, shape: Shape, width: int, height: int = FULL_DETAIL
) -> list[Line]:
    """All about the tensor of a line or a captured op, or a parameter: each number and its past."""
    heading: Line = [
        (f" {clean(flow.record.heading(name))}", "name"),
        (f"  {shape_text(shape)}", "shape"),
    ]
    known = [quantity for quantity in ORDER if quantity in flow.values[name]]
    lines: list[Line] = []
    for quantity in known[: max(0, height - 1)]:
        past = flow.series(name, quantity)
        text = number_text(flow.values[name][quantity], quantity).rjust(NUMBER)
        lines.append(
            fitted(
                [
                    (f" {TITLES[quantity]:<9}", "dim"),
                    (f"{text} ", ""),
                    (spark(past, quantity, max(4, min(64, width - 45))), "curve"),
                    (f" {span_text(len(past))}", "dim"),
                ],
                width,
            )
        )
    return [fitted(heading, width), *lines]


def span_text(iterations: int) -> str:
    """How many iterations a detail is about: ``the last 12 iterations``."""
    if iterations == 1:
        return "the last iteration"
    return f"the last {iterations} iterations" if iterations else "no iteration yet"


def detail_line(flow: Flow, program: Program, node: Node, quantity: str, width: int) -> Line:
    """One quantity of a layer: its number, its spark, its verdict or its limits."""
    layer = node.name
    found = [v for v in flow.verdicts.get(layer, []) if v.quantity == quantity]
    mark = flow.mark(layer, quantity)
    value = number_text(flow.values[layer].get(quantity), quantity)
    room = max(4, min(64, width - 65))
    line: Line = [
        (f" {TITLES[quantity]:<9}", "dim"),
        (value.rjust(NUMBER), mark[1]),
        mark,
        (spark(flow.series(layer, quantity), quantity, room), "curve"),
        (" ", ""),
    ]
    for verdict in found:
        return fitted([*line, (f"{verdict.word}: {verdict.because}", role_of(verdict))], width)
    return fitted([*line, (hint(flow, program, node, quantity), "dim")], width)


def hint(flow: Flow, program: Program, node: Node, quantity: str) -> str:
    """The limits of a number, or what else belongs to it."""
    values, last = flow.values[node.name], reference(program)
    if quantity not in values and quantity in ("flat", "update"):
        kinds = {"flat": "sigmoid and tanh have flat ends", "update": "no weights"}
        return kinds[quantity] if quantity == "flat" or not node.layer.parameters else "no update"
    if quantity == "gradient":
        return "" if node.name == last else f"{LIMITS['gradient']} of {clean(last)}'s"
    if quantity == "zeros" and "dead" in values:
        return f"units off for all samples: {values['dead']:.0%}, {LIMITS['zeros']}"
    if quantity in ("flat", "update"):
        return LIMITS[quantity]
    return ""
