"""Statistics of the layers, iteration by iteration: gradients, activations, updates.

Each number belongs to the event that makes it, and is measured from what that event wrote. Tensors
beyond LIMIT elements are measured on a sample of that many, so that no measurement is long.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.diagnostics.units import FLAT_SLOPE, Saturated, slope_share
from engine.measure.magnitude import LIMIT, magnitude, sampled
from engine.program.graph import Node
from engine.program.program import Program
from engine.run.event import Event
from engine.run.op import Op
from engine.run.phases import Phase

SPAN = 64  # iterations that are looked back over
KEPT = 4 * SPAN  # iterations whose numbers are kept, whatever the cursor does
LEAST_UNITS = 64  # of a batch with very many rows
GOLDEN = 0.6180339887498949  # its multiples modulo 1 are spread evenly and never repeat
QUANTITIES = ("gradient", "mean", "spread", "zeros", "dead", "flat", "weight_gradient", "update")
RECTIFIERS = ("relu",)  # what a unit needs to be off for good: a slope of exactly 0

Numbers = Mapping[str, float]
Past = Callable[[int], Event | None]


def gradient(array: Array) -> dict[str, float]:
    """‖∂ℓ/∂z‖ of the output (N, units) of a layer."""
    return {"gradient": magnitude(array)}


def activity(kind: str, out: Array) -> dict[str, float]:
    """The outputs (N, units) of a layer: mean and standard deviation, and shares between 0 and 1.

    ``zeros`` are elements; ``dead`` are units of a ReLU that are 0 for every row; ``flat`` are
    outputs of σ or tanh with less than 1 % of the largest slope, as the doctor has it.
    """
    taken = sampled(out)
    with np.errstate(all="ignore"):
        found = {
            "mean": float(taken.mean()),
            "spread": float(taken.std()),
            "zeros": float((taken == 0).mean()),
        }
        if kind in RECTIFIERS:
            found["dead"] = float((~columns(out).any(axis=0)).mean())
        elif kind in Saturated.ranges:
            found["flat"] = float((slope_share(kind, taken) < FLAT_SLOPE).mean())
    return found


def columns(out: Array) -> Array:
    """The outputs (N, units); beyond LIMIT elements a sample of units, of many rows one of rows."""
    if out.size <= LIMIT:
        return out
    rows = out[scattered(len(out), LIMIT // LEAST_UNITS)]
    return rows[:, scattered(out.shape[1], LIMIT // len(rows))]


def scattered(length: int, most: int) -> NDArray[np.int64]:
    """At most ``most`` indices below ``length``, ascending, without a period.

    With one, a pattern of the units could hide from the sample.
    """
    if length <= most:
        return np.arange(length, dtype=np.int64)
    places = np.arange(most) * GOLDEN % 1.0
    return np.unique((places * length).astype(np.int64))


def update_ratio(before: Array, after: Array) -> float:
    """‖ΔW‖ / ‖W‖ of one update; NaN where the weights were all zero."""
    old, new = sampled(before), sampled(after)
    with np.errstate(all="ignore"):
        size, moved = magnitude(old), magnitude(new - old)
    return moved / size if size else math.nan


@dataclass(frozen=True)
class Gauge:
    """Where a number of a layer comes from: an op, and what is measured of what it writes."""

    op: Op
    quantities: tuple[str, ...]
    measure: Callable[[Event], dict[str, float]]
    rest: Callable[[Array], dict[str, float]] | None  # of the tensor alone, its past being lost


def gauges(program: Program) -> dict[str, list[Gauge]]:
    """The gauges of each layer, by its name."""
    return {node.name: list(gauges_of(program, node)) for node in program.network.nodes}


def gauges_of(program: Program, node: Node) -> Iterator[Gauge]:
    """The gauges of one layer; an op that is skipped or never needed has none."""
    ops = {(op.phase, op.name): op for op in program.ops}
    if (op := ops.get((Phase.FORWARD, node.output))) is not None:
        kind = node.layer.type
        names = ("mean", "spread", "zeros", "dead", "flat")
        yield watched(op, names, lambda array: activity(kind, array))
    if (op := ops.get((Phase.BACKWARD, program.gradients[node.output]))) is not None:
        yield watched(op, ("gradient",), gradient)
    if "weight" not in node.layer.parameters:
        return
    weight = node.tensor("weight")
    if (op := ops.get((Phase.BACKWARD, program.gradients[weight]))) is not None:
        yield watched(op, ("weight_gradient",), lambda array: {"weight_gradient": magnitude(array)})
    if (op := ops.get((Phase.UPDATE, weight))) is not None:
        yield Gauge(op, ("update",), updated, None)


def watched(
    op: Op, quantities: tuple[str, ...], measure: Callable[[Array], dict[str, float]]
) -> Gauge:
    """A gauge of the tensor that an op is about, as it is written."""
    return Gauge(op, quantities, lambda event: measure(event.after[0]), measure)


def updated(event: Event) -> dict[str, float]:
    """The update ratio of one update of a weight; nothing where there was no weight before."""
    before = event.before[0]
    return {} if before is None else {"update": update_ratio(before, event.after[0])}


class LayerStats:
    """The numbers of the layers, by the event that made them, measured when they are asked for.

    What is measured may be given: a network of lines has no layers, but ``gauges`` of its lines.
    """

    def __init__(self, program: Program, given: Mapping[str, list[Gauge]] | None = None) -> None:
        self.program = program
        self.gauges = gauges(program) if given is None else given
        self.by_op = {g.op.index: g for mine in self.gauges.values() for g in mine}
        self.by_quantity = {
            (layer, quantity): g
            for layer, mine in self.gauges.items()
            for g in mine
            for quantity in g.quantities
        }
        self.cells: dict[int, Numbers] = {}
        self.lineage: object = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers one behind the other; a network of lines has none."""
        return self.program.network.nodes

    def heading(self, name: str) -> str:
        """What makes the tensor of a line: its op in forward; of a parameter its name."""
        made = (op for op in self.program.ops if op.phase == Phase.FORWARD and name in op.writes)
        op = next(made, None)
        return name if op is None else op.label

    def follow(self, lineage: object) -> None:
        """Forget everything when ``lineage`` is another: after a change of branch, or an edit."""
        if lineage != self.lineage:
            self.cells.clear()
            self.lineage = lineage

    def fill(self, past: Past, tensors: Mapping[str, Array], event: int) -> Iterator[int]:
        """Measure what is known of the last SPAN iterations and not measured yet, newest first.

        Yields each event measured. What is beyond the past is measured once, from ``tensors``.
        """
        timeline = self.program.timeline
        last = timeline.iteration(max(0, event - 1))
        first = timeline.begin(max(0, last - SPAN + 1))
        lost = set(self.by_op)
        for number in range(event - 1, first - 1, -1):
            gauge = self.by_op.get(timeline.op(number).index)
            if gauge is None:
                continue
            if number not in self.cells:
                happened = past(number)
                if happened is not None:
                    self.cells[number] = gauge.measure(happened) if happened.after else {}
                    yield number
                elif gauge.op.index in lost and gauge.rest and gauge.op.writes[0] in tensors:
                    self.cells[number] = gauge.rest(tensors[gauge.op.writes[0]])
                    yield number
            # Older events of this op have made another tensor than the one that stands there now.
            lost.discard(gauge.op.index)
        self.thin(event)

    def thin(self, event: int) -> None:
        """Keep the numbers of KEPT iterations at most, those nearest to an event."""
        most = KEPT * max(1, len(self.by_op))
        if len(self.cells) > most:
            nearest = sorted(self.cells, key=lambda number: abs(number - event))
            self.cells = {number: self.cells[number] for number in nearest[: most // 2]}

    def series(self, layer: str, quantity: str, event: int) -> list[float | None]:
        """A number in each of the last SPAN iterations up to an event; None where it is unknown."""
        found = list(self.back(layer, quantity, event))
        while found and found[-1] is None:
            found.pop()
        return found[::-1]

    def back(self, layer: str, quantity: str, event: int) -> Iterator[float | None]:
        """A number in each of the last SPAN iterations, from the newest back."""
        gauge = self.by_quantity.get((layer, quantity))
        timeline = self.program.timeline
        last = None if gauge is None else timeline.last(event, op=gauge.op.key)
        if gauge is None or last is None:
            return
        newest, cells, index = timeline.iteration(last), self.cells, gauge.op.index
        for iteration in range(newest, max(0, newest - SPAN + 1) - 1, -1):
            numbers = cells.get(timeline.begin(iteration) + index)
            yield None if numbers is None else numbers.get(quantity)

    def value(self, layer: str, quantity: str, event: int) -> float | None:
        """The last known number up to an event."""
        found = self.back(layer, quantity, event)
        return next((value for value in found if value is not None), None)

    def values(self, event: int) -> dict[str, dict[str, float]]:
        """The last known numbers of every layer, by the layers' names."""
        return {
            layer: {
                quantity: value
                for quantity in QUANTITIES
                if (value := self.value(layer, quantity, event)) is not None
            }
            for layer in self.gauges
        }
