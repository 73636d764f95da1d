"""Time series of quantities over the events: gradient norms, metrics on all data, watches.

Points are measured walking back through the window of recent events, a piece at a time, and only
those of quantities that are asked for.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.errors import GradstepError
from engine.formulas.symbols import gradient
from engine.measure.costs import work_of_a_row
from engine.measure.line_metrics import prediction_of, targets_of
from engine.measure.magnitude import magnitude
from engine.measure.metrics import correct, evaluate
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.phases import Phase
from engine.run.run import Run
from engine.run.timeline import every_op
from engine.session.changes import Travelled, changes_at
from engine.stops.lookup import compiled, lookup_in, own_names, value_of

MOST_EVENTS = 4096  # events that are walked back at most
KEPT = 4 * MOST_EVENTS  # points of one quantity
WORK = 4_000_000  # multiply-adds of one measure on the data, which bounds the rows it takes
LEAST_ROWS = 16
Floats = NDArray[np.float64]
Value = Callable[[Travelled, Mapping[str, Array], int], float | None]


@dataclass(frozen=True)
class Quantity:
    """A scalar that ops change: its label, the keys of those ops, and a function for its value.

    The value is None where it does not exist, and such an event has no point.
    """

    name: str
    ops: frozenset[str]
    value: Value


def gradient_norms(run: Run) -> list[Quantity]:
    """‖∂ℓ/∂W‖ of each weight, after each op of backward that writes it."""
    found = []
    parameters = [one for one in run.tensors.values() if one.role == "parameter"]
    every = every_op(run.timeline)
    for info in parameters:
        name = run.gradients.get(info.name)
        if name is None:
            continue
        ops = frozenset(o.key for o in every if o.phase == Phase.BACKWARD and name in o.writes)
        if ops and len(info.shape) >= 2:
            found.append(Quantity(f"‖{gradient(info.symbol)}‖", ops, norm_of(name)))
    return found


def norm_of(name: str) -> Value:
    """The Euclidean norm of a tensor, or its estimate, by its name; None where it is missing.

    Of one that a recording has not kept whole it is that of its statistics.
    """

    def norm(session: Travelled, tensors: Mapping[str, Array], event: int) -> float | None:
        if name in tensors:
            return magnitude(tensors[name])
        kept = session.source.kept(event, name)
        if kept is None or kept.statistics is None:
            return None
        return kept.statistics.rms * math.sqrt(math.prod(kept.shape))

    return norm


def measures(program: Program) -> list[Quantity]:
    """The loss on all data, and the accuracy where there is one, after each iteration.

    Where that would take too long it is on a sample of rows, which is always the same. A network
    of lines has none: its lines are of a batch.
    """
    if not program.network.nodes:
        return []
    rows = measured_rows(program)
    last = frozenset([program.ops[-1].key])
    part = "" if len(rows) == len(program.data) else f" ({len(rows)} rows)"
    names = ["loss", "accuracy"] if has_accuracy(program) else ["loss"]

    def measured(what: str) -> Value:
        return lambda session, tensors, event: evaluate(program, tensors, rows).get(what)

    return [Quantity(f"{name} on all data{part}", last, measured(name)) for name in names]


def measured_rows(program: Program) -> NDArray[np.int64]:
    """The indices of the rows that a measure takes, spread evenly over the data."""
    cost = work_of_a_row(program)
    count = min(len(program.data), max(LEAST_ROWS, WORK // max(1, cost)))
    return np.arange(count, dtype=np.int64) * len(program.data) // count


def has_accuracy(program: Program) -> bool:
    """Whether the targets are classes, as far as the first 1024 rows tell."""
    y = program.data.y[:1024]
    network = program.network
    if isinstance(network, LineNetwork):
        shape = network.shape_of(prediction_of(network))
        if len(shape) < 2:
            return False
        y, outputs = targets_of(y), math.prod(shape[1:])
    else:
        outputs = network.nodes[-1].layer.outputs
    return correct(program, np.zeros((len(y), outputs), y.dtype), y) is not None


def watched(run: Run, text: str) -> Quantity:
    """A watched expression, wherever something it reads is written; a GradstepError if it is bad.

    What is no single number at an event has no point there.
    """
    expression = compiled(text, run)
    names = own_names(expression, run)
    ops = {op.key for op in every_op(run.timeline) if names.intersection(op.writes)}
    # what enters with an iteration is written by no op: it is measured once, at its last op
    if not ops or names.intersection(run.entering):
        ops |= {listing.ops[-1].key for listing in run.timeline.listings}

    def value(session: Travelled, tensors: Mapping[str, Array], event: int) -> float | None:
        try:
            found = value_of(expression, lookup_in(session, tensors, event))
        except GradstepError:
            return None
        return None if found is None or np.size(found) != 1 else float(np.asarray(found).item())

    return Quantity(text, frozenset(ops), value)


@dataclass(eq=False)
class Series:
    """The points of quantities by event, the cursor's right after the op that wrote the value.

    ``covered`` is the range of events that has been measured for all ``wanted`` quantities.
    """

    run: Run
    points: dict[str, dict[int, float]] = field(default_factory=dict)
    wanted: tuple[Quantity, ...] = ()
    lineage: object = None
    covered: tuple[int, int] | None = None

    def want(self, quantities: Sequence[Quantity], lineage: object) -> None:
        """Set what to measure from now on; with another ``lineage`` all points are dropped.

        That is whatever identifies the past: another branch or an edit makes another one.
        """
        if lineage != self.lineage:
            self.points.clear()
            self.covered = None
        if {q.name for q in quantities} - {q.name for q in self.wanted}:
            self.covered = None
        self.wanted, self.lineage = tuple(quantities), lineage

    def series(self, name: str) -> tuple[Floats, Floats]:
        """The events (k,) and the values (k,) of a quantity, by event; empty if it is unknown."""
        found = sorted(self.points.get(name, {}).items())
        events, values = zip(*found, strict=True) if found else ((), ())
        return np.array(events, np.float64), np.array(values, np.float64)

    def fill(self, session: Travelled) -> Iterator[int]:
        """Measure what is missing before the cursor, walking back; yields each event when done.

        The session's cursor does not move: each op is undone in a dictionary of our own.
        """
        event, history, timeline = session.event, session.history, session.run.timeline
        known = self.covered
        if not self.wanted or (known and known[0] <= event <= known[1]):
            return
        first = max(history.first, event - MOST_EVENTS)
        # where the covered range reaches into the window, only the events since are missing
        joins = known is not None and known[1] >= first and event > known[1]
        stop = known[1] if known and joins else first
        tensors = dict(session.tensors)
        for at in range(event, stop, -1):
            if at - 1 not in history.events:  # dropped from the window: nothing to undo with
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

    def measure(
        self, session: Travelled, tensors: Mapping[str, Array], event: int, op: str
    ) -> None:
        """Add the points of the quantities that the op just before an event has changed."""
        for quantity in self.wanted:
            points = self.points.setdefault(quantity.name, {})
            if op in quantity.ops and event not in points:
                value = quantity.value(session, tensors, event)
                if value is not None:
                    points[event] = value

    def thin(self, event: int) -> None:
        """Keep KEPT points of a quantity at most; where there are more, half, nearest to an event.

        Half, so that sorting is not needed again at the next event.
        """
        for name, points in self.points.items():
            if len(points) > KEPT:
                nearest = sorted(points, key=lambda at: abs(at - event))[: KEPT // 2]
                self.points[name] = {at: points[at] for at in nearest}
