"""Quantities over the events: norms, measures on all data and watches, as they were when written.

Points are measured walking back through the window of recent events, a piece at a time, and only
those of quantities that somebody wants to see.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.errors import GradstepError
from engine.formulas.symbols import gradient
from engine.measure.magnitude import magnitude
from engine.measure.metrics import correct, evaluate
from engine.nn.linear import Linear
from engine.program.program import Program
from engine.run.phases import Phase
from engine.run.run import Run
from engine.run.timeline import every_op
from engine.session.changes import changes_at
from engine.session.session import Session
from engine.stops.lookup import compiled, lookup_in, own_names, value_of

LOOK = 4096  # events that are walked back
KEPT = 4 * LOOK  # points of one quantity
WORK = 4_000_000  # multiply-adds of one measure on the data, which bounds the rows it takes
LEAST_ROWS = 16
Floats = NDArray[np.float64]
Value = Callable[[Session, Mapping[str, Array], int], float | None]


@dataclass(frozen=True)
class Quantity:
    """A number that changes: its name for people, the keys of the ops that change it, its value."""

    name: str
    ops: frozenset[str]
    value: Value


def gradient_norms(program: Program) -> list[Quantity]:
    """‖∂ℓ/∂W‖ of each weight, after each backward pass."""
    found = []
    for info in program.parameters:
        name = program.gradients[info.name]
        ops = frozenset(o.key for o in program.ops if (o.phase, o.name) == (Phase.BACKWARD, name))
        if ops and len(info.shape) == 2:
            found.append(Quantity(f"‖{gradient(info.symbol)}‖", ops, norm_of(name)))
    return found


def norm_of(name: str) -> Value:
    """The norm of a tensor."""
    return lambda session, tensors, event: magnitude(tensors[name]) if name in tensors else None


def measures(program: Program) -> list[Quantity]:
    """The loss on all data, and the accuracy where there is one, after each iteration.

    Of data that would take too long a sample of rows is measured, the same ones always.
    """
    rows = measured_rows(program)
    last = frozenset([program.ops[-1].key])
    part = "" if len(rows) == len(program.data) else f" ({len(rows)} rows)"
    names = ["loss", "accuracy"] if has_accuracy(program) else ["loss"]

    def measured(what: str) -> Value:
        return lambda session, tensors, event: evaluate(program, tensors, rows).get(what)

    return [Quantity(f"{name} on all data{part}", last, measured(name)) for name in names]


def measured_rows(program: Program) -> NDArray[np.int64]:
    """The rows that a measure takes: spread evenly over the data."""
    layers = [node.layer for node in program.network.nodes]
    cost = sum(a.inputs * a.outputs if isinstance(a, Linear) else a.outputs for a in layers)
    count = min(len(program.data), max(LEAST_ROWS, WORK // max(1, cost)))
    return np.arange(count, dtype=np.int64) * len(program.data) // count


def has_accuracy(program: Program) -> bool:
    """Whether the targets are classes."""
    y = program.data.y[:1024]
    outputs = program.network.nodes[-1].layer.outputs
    return correct(program, np.zeros((len(y), outputs), y.dtype), y) is not None


def watched(run: Run, text: str) -> Quantity:
    """A watched expression, wherever something it reads is written; a GradstepError if it is bad.

    What is no single number at an event has no point there.
    """
    expression = compiled(text, run)
    names = own_names(expression, run)
    ops = {op.key for op in every_op(run.timeline) if names.intersection(op.writes)}
    if not ops or names.intersection(run.entering):
        ops |= {listing.ops[-1].key for listing in run.timeline.listings}

    def value(session: Session, tensors: Mapping[str, Array], event: int) -> float | None:
        try:
            found = value_of(expression, lookup_in(session, tensors, event))
        except GradstepError:
            return None
        return None if found is None or np.size(found) != 1 else float(np.asarray(found).item())

    return Quantity(text, frozenset(ops), value)


@dataclass(eq=False)
class Series:
    """The points of quantities by event: the cursor stands there just after the op that made it."""

    program: Program
    points: dict[str, dict[int, float]] = field(default_factory=dict)
    wanted: tuple[Quantity, ...] = ()
    lineage: object = None
    covered: tuple[int, int] | None = None

    def want(self, quantities: Sequence[Quantity], lineage: object) -> None:
        """What to measure from now on; on another branch, or after an edit, everything anew."""
        if lineage != self.lineage:
            self.points.clear()
            self.covered = None
        if {q.name for q in quantities} - {q.name for q in self.wanted}:
            self.covered = None
        self.wanted, self.lineage = tuple(quantities), lineage

    def series(self, name: str) -> tuple[Floats, Floats]:
        """The events and the values of a quantity, in the order of the events."""
        found = sorted(self.points.get(name, {}).items())
        events, values = zip(*found, strict=True) if found else ((), ())
        return np.array(events, np.float64), np.array(values, np.float64)

    def fill(self, session: Session) -> Iterator[int]:
        """Measure what is missing before the cursor; yields after each event looked at."""
        event, history, timeline = session.event, session.history, session.timeline
        known = self.covered
        if not self.wanted or (known and known[0] <= event <= known[1]):
            return
        first = max(history.first, event - LOOK)
        joins = known is not None and known[1] >= first and event > known[1]
        stop = known[1] if known and joins else first
        tensors = dict(session.tensors)
        for at in range(event, stop, -1):
            if at - 1 not in history.events:
                stop = at
                break
            self.measure(session, tensors, at, timeline.op(at - 1).key)
            for name, (old, _) in changes_at(session, at, tensors).items():
                if old is None:
                    tensors.pop(name, None)
                else:
                    tensors[name] = old
            yield at
        self.covered = (known[0] if known and joins and stop == known[1] else stop, event)
        self.thin(event)

    def measure(self, session: Session, tensors: Mapping[str, Array], event: int, op: str) -> None:
        """The quantities that the op just before an event has changed."""
        for quantity in self.wanted:
            points = self.points.setdefault(quantity.name, {})
            if op in quantity.ops and event not in points:
                value = quantity.value(session, tensors, event)
                if value is not None:
                    points[event] = value

    def thin(self, event: int) -> None:
        """Keep a bounded number of points, those nearest to an event."""
        for name, points in self.points.items():
            if len(points) > KEPT:
                nearest = sorted(points, key=lambda at: abs(at - event))[: KEPT // 2]
                self.points[name] = {at: points[at] for at in nearest}
