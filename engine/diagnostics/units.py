"""Units that learn nothing, or all the same: symmetric, dead and saturated ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.diagnostics.detector import NEVER, Detector, Needs, Tensors, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.line_facts import hidden_units
from engine.program.graph import Node
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase
from engine.run.timeline import shifted

SAME_GRADIENT = Limit(
    1e-5,
    "same gradient",
    "rows that differ by less than this fraction of the largest element are equal up to rounding, "
    "also in float32 (ε ≈ 1e-7) after sums over some hundred samples",
)
SYMMETRY_CHECKS = 3  # iterations checked: what is equal in the first stays equal
DEAD_SHARE = Limit(
    0.5,
    "many dead units",
    "ReLU units are off for about half of all inputs; a layer in which half the units are off for "
    "all inputs has lost half its width",
)
ENOUGH_SAMPLES = Limit(
    8,
    "enough samples",
    "a unit that is off for half of all inputs is off for eight in a row once in 256 times, and a "
    "whole layer of them more rarely",
)
FLAT_SLOPE = Limit(
    0.01,
    "flat",
    "below 1 % of the largest slope, |z| > 6 for σ and |z| > 3 for tanh, a unit passes less than "
    "a hundredth of the gradient that it could",
)
FLAT_MANY = Limit(
    0.5, "many flat", "more than half of all outputs are flat: most samples teach most units little"
)
FLAT_NEARLY_ALL = Limit(
    0.9, "nearly all flat", "nine of ten outputs are flat: next to nothing is learnt before them"
)
WRONG = Limit(0.5, "wrong", "ŷ on the wrong side of ½")


@dataclass(frozen=True)
class Twins:
    """Units of one layer that are equal: how many, in how many groups, of how many in all."""

    event: int
    units: int
    groups: int
    total: int
    zero: bool


class SymmetricUnits(Detector):
    """Hidden units with equal weights and equal gradients."""

    needs = Needs.LAYERS
    card = Card(
        name="symmetric-units",
        title="Hidden units are copies of each other",
        looks="Rows of a hidden weight (with their biases) that are equal, and whose gradients "
        "are equal too: then every update keeps them equal.",
        levels="serious: at least half of the units of a layer have a twin; warning: fewer",
        cause="the initial weights are equal (constant or zero), so nothing tells the units apart",
        remedy="a random `init` such as kaiming_uniform, the default; biases may be equal",
        limits=(SAME_GRADIENT,),
        example="bug-symmetric-init",
    )
    phases = frozenset({Phase.BACKWARD})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        linears = [node for node in program.network.nodes if node.layer.parameters]
        hidden = [node for node in linears[:-1] if node.layer.outputs > 1]
        self.hidden = {node.tensor("input"): node for node in hidden}
        self.last_op = {self.last_gradient(node): node for node in hidden}
        self.twins: dict[str, Twins] = {}
        self.checks: dict[str, int] = {}

    def last_gradient(self, node: Node) -> str:
        """The gradient of a layer's parameters that backward makes last."""
        names = [self.program.gradients[node.tensor(role)] for role in node.layer.parameters]
        made = [op.name for op in self.program.ops if op.name in names]
        return made[-1] if made else names[-1]

    def see(self, event: Event, tensors: Tensors) -> None:
        node = self.last_op.get(event.op.name)
        if node is None or self.checks.get(node.name, 0) >= SYMMETRY_CHECKS:
            return
        self.checks[node.name] = self.checks.get(node.name, 0) + 1
        names = [node.tensor(role) for role in node.layer.parameters]
        weights = stacked([tensors[name] for name in names])
        grads = stacked([tensors[self.program.gradients[name]] for name in names])
        groups = [group for group in equal_rows(weights) if same_gradient(grads[group])]
        if groups:
            units = sum(map(len, groups))
            zero = not weights[np.concatenate(groups)].any()
            new = Twins(event.index, units, len(groups), node.layer.outputs, zero)
            self.twins.setdefault(node.name, new)
        else:  # the updates have told them apart after all
            self.twins.pop(node.name, None)

    def found(self) -> Iterator[Found]:
        for name, twins in self.twins.items():
            zero = "zero" if twins.zero else "equal"
            yield Found(
                twins.event,
                name,
                f"{twins.units} of {plural(twins.total, 'unit')} have a twin: {zero} weights and "
                f"equal gradients, {plural(twins.groups, 'group')}",
                Severity.SERIOUS if 2 * twins.units >= twins.total else Severity.WARNING,
                numbers={"equal": twins.units, "groups": twins.groups, "units": twins.total},
            )


def stacked(parts: list[Array]) -> Array:
    """Weight (h, n) and bias (h,) as one row (n + 1,) for each of the h units."""
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def equal_rows(rows: Array) -> list[list[int]]:
    """The groups of rows that are equal to the bit, at least two in each."""
    groups: dict[bytes, list[int]] = {}
    for i, row in enumerate(rows):
        groups.setdefault(row.tobytes(), []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def same_gradient(rows: Array) -> bool:
    """Whether these rows are equal up to rounding."""
    spread = np.max(np.abs(rows - rows[0]))
    return bool(spread <= SAME_GRADIENT * np.max(np.abs(rows)))  # NaN is equal to nothing


@dataclass(frozen=True, eq=False)
class Units:
    """Units whose activation is looked at: of a layer, or of an activation within a line.

    ``value`` has what they give, the rows first; the units lie along ``axis``.
    """

    name: str
    kind: str
    axis: int
    value: Callable[[Tensors], Array]


def units_of(program: Program, kinds: tuple[str, ...]) -> dict[str, list[Units]]:
    """The activations of these kinds, by the op behind which they are known."""
    found: dict[str, list[Units]] = {}
    if isinstance(program.network, LineNetwork):
        for one in hidden_units(program, kinds):
            found.setdefault(one.line, []).append(Units(one.line, one.kind, one.axis, one.value))
    for node in program.network.nodes:
        if node.layer.type in kinds:
            value = itemgetter(node.output)
            found[node.output] = [Units(node.name, node.layer.type, 1, value)]
    return found


@dataclass(eq=False)
class Activity:
    """When each unit of a layer was last on: the forward event, or NEVER."""

    on: NDArray[np.int64]
    first: int
    seen: int = 0
    last: int = -1
    samples: int = 0


class DeadReLU(Detector):
    """ReLU units that are off for every sample."""

    card = Card(
        name="dead-relu",
        title="ReLU units are off for every sample",
        looks="For each unit, whether z > 0 for any sample since as many batches as an epoch has. "
        "In the first epoch a layer of which no unit has been on for any of eight samples or more.",
        levels="serious: all units of a layer, which is certain after the first epoch and likely "
        "before; warning: half of them or more; note: fewer",
        cause="z ≤ 0 for all data, where the derivative of ReLU is 0: the unit gets no gradient "
        "and cannot come back by itself",
        remedy="biases around zero, a smaller learning rate, kaiming initial weights, or "
        "leaky_relu",
        limits=(DEAD_SHARE, ENOUGH_SAMPLES),
        example="bug-dead-relu",
    )
    phases = frozenset({Phase.FORWARD})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.relus = units_of(program, ("relu",))
        self.watching = bool(self.relus)
        self.activity: dict[str, Activity] = {}

    def gap(self) -> None:
        self.activity.clear()

    def see(self, event: Event, tensors: Tensors) -> None:
        for units in self.relus.get(event.op.name, ()):
            self.look(units, event.index, units.value(tensors))

    def look(self, units: Units, event: int, out: Array) -> None:
        """Note which units are on for any row."""
        if not np.isfinite(out).all():  # NaN > 0 is false, and would make every unit look dead
            return
        never = np.full(out.shape[units.axis], NEVER, np.int64)
        known = self.activity.setdefault(units.name, Activity(never, event))
        others = tuple(axis for axis in range(out.ndim) if axis != units.axis)
        known.on[(out > 0).any(axis=others)] = event
        known.seen += 1
        known.samples += len(out)
        known.last = event

    def found(self) -> Iterator[Found]:
        for name, known in self.activity.items():
            if known.seen >= self.program.batches.count:
                yield from self.after_an_epoch(name, known)
            elif known.samples >= ENOUGH_SAMPLES and (known.on < 0).all():
                yield self.likely(name, known)

    def after_an_epoch(self, name: str, known: Activity) -> Iterator[Found]:
        """The units that have been off for all the batches of an epoch."""
        timeline, batches = self.program.timeline, self.program.batches.count
        dead = known.on <= shifted(timeline, known.last, -batches)
        count, total = int(dead.sum()), len(dead)
        if not count:
            return
        since = int(known.on[dead].min())
        always = int((known.on[dead] < 0).sum())
        yield Found(
            known.first if since < 0 else shifted(timeline, since, 1),
            name,
            f"{count} of {plural(total, 'unit')} off for all "
            f"{self.program.batches.rows} samples, {always} of them from the start",
            level(count, total),
            Certainty.CERTAIN if count == total else Certainty.LIKELY,
            numbers={"dead": count, "units": total, "from_the_start": always},
        )

    def likely(self, name: str, known: Activity) -> Found:
        """The finding about a layer of which no unit has been on so far."""
        total = len(known.on)
        return Found(
            known.first,
            name,
            f"{total} of {plural(total, 'unit')} off for all {known.samples} samples so far, of "
            f"{self.program.batches.rows}",
            Severity.SERIOUS,
            Certainty.LIKELY,
            numbers={"dead": total, "units": total, "from_the_start": total},
        )


def level(count: int, total: int) -> Severity:
    """How much it matters that so many units of a layer are off."""
    if count == total:
        return Severity.SERIOUS
    return Severity.WARNING if count >= DEAD_SHARE * total else Severity.NOTE


@dataclass
class Flatness:
    """The largest share of flat outputs of a layer so far, where it was, and over what."""

    event: int
    share: float
    count: int
    total: int


class Saturated(Detector):
    """Sigmoid and tanh units in their flat part."""

    card = Card(
        name="saturated",
        title="Sigmoid or tanh units are saturated",
        looks="The share of outputs whose slope is below 1 % of the largest. In the last layer "
        "only outputs on the wrong side of their target count, because a right answer may be "
        "sure, and none under bce, in whose gradient the slope cancels.",
        levels="serious: nine of ten are flat; warning: more than half",
        cause="the numbers before the activation are large: large weights or unscaled inputs",
        remedy="smaller initial weights, standardized inputs; at the output the loss bce, in which "
        "the slope cancels",
        certainty=Certainty.LIKELY,
        limits=(FLAT_SLOPE, FLAT_MANY, FLAT_NEARLY_ALL, WRONG),
        example="bug-saturated",
    )
    phases = frozenset({Phase.FORWARD})
    ranges: ClassVar[dict[str, tuple[float, float]]] = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        network = program.network
        self.units = units_of(program, tuple(self.ranges))
        if network.loss.type == "bce":
            self.units.pop(network.output, None)
        self.watching = bool(self.units)
        self.worst: dict[str, Flatness] = {}

    def see(self, event: Event, tensors: Tensors) -> None:
        for units in self.units.get(event.op.name, ()):
            out = units.value(tensors)
            flat = slope_share(units.kind, out) < FLAT_SLOPE
            if event.op.name == self.program.network.output:
                flat = flat & self.wrong(out, tensors["y"], units.kind)
            share = float(flat.mean())
            if share > FLAT_MANY and share > getattr(self.worst.get(units.name), "share", 0.0):
                self.remember(units.name, Flatness(event.index, share, int(flat.sum()), flat.size))

    def remember(self, name: str, new: Flatness) -> None:
        """Keep the worst share, and the first event that reached its level."""
        old = self.worst.get(name)
        if old is not None and (old.share > FLAT_NEARLY_ALL) == (new.share > FLAT_NEARLY_ALL):
            new.event = old.event
        self.worst[name] = new

    def wrong(self, out: Array, y: Array, kind: str) -> NDArray[np.bool_]:
        """Which outputs (N, K) are on the wrong side of their target."""
        if y.shape != out.shape:
            return np.zeros(out.shape, bool)
        low, high = self.ranges[kind]
        far: NDArray[np.bool_] = np.abs(out - y) > WRONG * (high - low)
        return far

    def found(self) -> Iterator[Found]:
        for name, worst in self.worst.items():
            serious = worst.share > FLAT_NEARLY_ALL
            yield Found(
                worst.event,
                name,
                f"{worst.count} of {worst.total} outputs ({number(100 * worst.share)} %) have less "
                "than 1 % of the largest slope",
                Severity.SERIOUS if serious else Severity.WARNING,
                numbers={"flat": worst.count, "outputs": worst.total, "share": worst.share},
            )


def slope_share(kind: str, out: Array) -> Array:
    """The slope of σ or tanh over its largest, from the output."""
    return 4 * out * (1 - out) if kind == "sigmoid" else 1 - out * out
