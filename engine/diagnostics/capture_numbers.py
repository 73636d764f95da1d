"""What the numbers of a captured run tell: not finite, dead, saturated, vanishing, exploding."""

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from statistics import median

from engine.capture.captured import CapturedRun
from engine.capture.elements import is_finite
from engine.diagnostics.capture_detector import Seen, largest, length
from engine.diagnostics.diagnosis import NOT_FINITE, Card, Certainty, Found, Limit, Severity
from engine.run.kept import Statistics
from engine.run.phases import Phase

SKIPPED = "step skipped"
CENTRING = frozenset({"batch_norm", "instance_norm"})
DEAD = Limit(0.999, "dead", "what passes nothing of a whole batch")
MOSTLY = Limit(0.9, "mostly", "of the iterations: a single batch tells little")
FLAT = Limit(0.98, "flat", "there the derivative of tanh is below 0.04")
SEEN = Limit(5, "seen", "fewer iterations tell little")
VANISHED = Limit(1e-6, "vanished", "of the largest gradient: nothing is learnt beside that")
SURGE = Limit(1e3, "surge", "a thousand times what it has mostly been")
RISE = Limit(1.5, "rise", "half as much again as at the beginning")


class NonFinite:
    """The first NaN or infinity."""

    card = Card(
        name=NOT_FINITE,
        title="numbers are not finite",
        looks="the first op that writes a NaN or an infinity, the loss being finite or not; what a"
        " GradScaler met and left out is told apart",
        levels="serious; a warning where the loss stays finite; a note where a GradScaler left out"
        " the update, as it does to find its scale",
        cause="an overflow, 0/0, or the logarithm of 0",
        remedy="look at the operands of that op: `until any non-finite` leads there",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.first: Seen | None = None
        self.lost = False
        self.times = 0
        self.skipped: list[Seen] = []  # the first of each iteration whose update was left out
        self.iteration = -1
        self.met: list[tuple[Seen, bool]] = []  # in this iteration, and whether it is lost by that
        self.skips = False

    def see(self, seen: Seen) -> None:
        """Look at the least and the largest of what was written."""
        if seen.iteration != self.iteration:
            self.close()
            self.iteration = seen.iteration
        self.skips = self.skips or seen.op.kind == SKIPPED
        for tensor, told in seen.values():
            if told.statistics is not None and not is_finite(told.statistics):
                lost = tensor.name == self.run.loss or tensor.role == "parameter"
                self.met.append((seen, lost))

    def close(self) -> None:
        """An iteration is over: what was met in it counts, unless its update was left out."""
        if self.met and self.skips:
            self.skipped.append(self.met[0][0])
        elif self.met:
            self.first = self.first or self.met[0][0]
            self.times += len(self.met)
            self.lost = self.lost or any(lost for _, lost in self.met)
        self.met, self.skips = [], False

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        self.close()
        if self.first is None:
            if self.skipped:
                op, count = self.skipped[0].op, len(self.skipped)
                word = "iteration" if count == 1 else "iterations"
                told = f"GradScaler left out the update of {count} {word} with infinite numbers"
                cause = "it tries whether a larger scale is possible"
                numbers = {"iterations": count}
                event = self.skipped[0].event
                yield Found(event, op.name, told, Severity.NOTE, None, cause, numbers=numbers)
            return
        op = self.first.op
        is_log = op.kind.startswith("log") and op.phase in (Phase.FORWARD, Phase.LOSS)
        cause = f"{op.kind} of a number that is 0 or below" if is_log else ""
        where = f" at {op.file}:{op.line}" if op.file else ""
        told = f"{op.formula}{where} is the first of {self.times} writes that are not finite"
        severity = Severity.SERIOUS if self.lost else Severity.WARNING
        numbers = {"writes": self.times}
        yield Found(self.first.event, op.name, told, severity, None, cause, numbers=numbers)


class Often:
    """A number of what ops write, and how often it reaches a limit."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.numbers: dict[str, list[float]] = {}
        self.first: dict[str, int] = {}

    def note(self, seen: Seen, number: Callable[[Statistics], float]) -> None:
        """The number of an event's statistics."""
        for _, told in seen.values():
            if told.statistics is None:
                continue
            found = number(told.statistics)
            self.numbers.setdefault(seen.op.name, []).append(found)
            if found >= self.limit:
                self.first.setdefault(seen.op.name, seen.event)

    def mostly(self) -> Iterator[tuple[str, int, list[float], int]]:
        """The ops that nearly always reach it: name, first event, all numbers, how many do."""
        for name, event in self.first.items():
            numbers = self.numbers[name]
            times = sum(one >= self.limit for one in numbers)
            if len(numbers) >= SEEN and times >= MOSTLY * len(numbers):
                yield name, event, numbers, times


class DeadReLU:
    """ReLUs that pass nothing."""

    card = Card(
        name="dead-relu",
        title="a ReLU passes nothing",
        looks="the share of zeros in what ReLU writes, of the whole batch",
        levels="serious where nearly all are 0 in nearly every iteration",
        certainty=Certainty.LIKELY,
        cause="its inputs are all negative: a step was too long, or the bias too small",
        remedy="a smaller lr, another initialization, or leaky_relu",
        limits=(DEAD, MOSTLY, SEEN),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.shares = Often(DEAD)

    def see(self, seen: Seen) -> None:
        """Note the share of zeros."""
        if seen.op.phase == Phase.FORWARD and seen.op.kind.rstrip("_").endswith("relu"):
            self.shares.note(seen, lambda found: found.zeros)

    def found(self) -> Iterator[Found]:
        """One finding for each ReLU."""
        for name, event, shares, dead in self.shares.mostly():
            told = f"at least {100 * DEAD:g}% zeros in {dead} of {len(shares)} iterations"
            yield Found(event, name, told, numbers={"iterations": dead})


class Saturated:
    """tanh where it is flat."""

    card = Card(
        name="saturated",
        title="tanh is saturated",
        looks="the root mean square of what tanh writes",
        levels="warning",
        certainty=Certainty.LIKELY,
        cause="its inputs are far from 0: large weights, or large inputs of the network",
        remedy="standardize the inputs, smaller initial weights, or normalization before it",
        limits=(FLAT, MOSTLY, SEEN),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.sizes = Often(FLAT)

    def see(self, seen: Seen) -> None:
        """Note the root mean square."""
        if seen.op.phase == Phase.FORWARD and seen.op.kind.rstrip("_") == "tanh":
            self.sizes.note(seen, lambda found: found.rms)

    def found(self) -> Iterator[Found]:
        """One finding for each tanh."""
        for name, event, sizes, flat in self.sizes.mostly():
            told = f"a root mean square of {median(sizes):.3f}, in {flat} of {len(sizes)} times"
            yield Found(event, name, told, Severity.WARNING, numbers={"rms": median(sizes)})


def absorbed(run: CapturedRun) -> frozenset[str]:
    """Biases that batch norm takes away again with the mean: their gradient is 0 in any network."""
    found: set[str] = set()
    for listing in run.timeline.listings:
        made = {name: op for op in listing.ops for name in op.writes}
        for op in listing.ops:
            if op.kind in CENTRING and op.reads and op.reads[0] in made:
                found |= {
                    name
                    for name in made[op.reads[0]].reads
                    if run.tensors[name].role == "parameter" and len(run.tensors[name].shape) == 1
                }
    return frozenset(found)


class Gradients:
    """Gradients of parameters that are next to nothing, or grow beyond measure."""

    card = Card(
        name="vanishing-gradients",
        title="a gradient is next to nothing",
        looks="the largest element of each parameter's gradient beside the largest of all",
        levels="warning",
        certainty=Certainty.LIKELY,
        cause="nothing of the loss comes through to this layer: saturated or dead units behind "
        "it, or too many factors below 1",
        remedy="look at what flows backwards; normalization, residual connections, other "
        "activations",
        limits=(VANISHED, MOSTLY, SEEN),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.gradients = {
            gradient: name
            for name, gradient in run.gradients.items()
            if run.tensors[name].role == "parameter"
        }
        self.now: dict[str, float] = {}
        self.iteration = -1
        self.small: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.events: dict[str, int] = {}

    def see(self, seen: Seen) -> None:
        """Note the largest element of the gradients of parameters."""
        if seen.iteration != self.iteration:
            self.close()
            self.iteration = seen.iteration
        if seen.op.phase == Phase.BACKWARD:
            for tensor, told in seen.values():
                if tensor.name in self.gradients and told.statistics is not None:
                    self.now[tensor.name] = largest(told.statistics)
                    self.events[tensor.name] = seen.event

    def close(self) -> None:
        """Compare those of an iteration."""
        most = max(self.now.values(), default=0.0)
        if most > 0 and math.isfinite(most):
            for name, size in self.now.items():
                self.counts[name] = self.counts.get(name, 0) + 1
                if size <= VANISHED * most:
                    self.small[name] = self.small.get(name, 0) + 1
                    self.first.setdefault(name, self.events[name])
        self.now = {}

    def found(self) -> Iterator[Found]:
        """One finding for each parameter."""
        self.close()
        without = absorbed(self.run) if self.small else frozenset()
        for name, times in self.small.items():
            count = self.counts[name]
            if self.gradients[name] not in without and count >= SEEN and times >= MOSTLY * count:
                told = (
                    f"below {VANISHED:g} of the largest gradient in {times} of {count} iterations"
                )
                of = self.gradients[name]
                yield Found(self.first[name], of, told, Severity.WARNING, numbers={"times": times})


class Exploding:
    """A gradient that leaps to a multiple of what it was."""

    card = Card(
        name="exploding-gradients",
        title="a gradient explodes",
        looks="the norm of each parameter's gradient beside the median of those before",
        levels="serious",
        certainty=Certainty.LIKELY,
        cause="steps that are too long, or factors above 1 through many layers",
        remedy="a smaller lr, clip_grad_norm_, or a look at the batch that did it",
        limits=(SURGE, SEEN),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.gradients = {gradient: name for name, gradient in run.gradients.items()}
        self.roles = {one.name: one.role for one in run.tensors.values()}
        self.norms: dict[str, list[float]] = {}
        self.first: dict[str, tuple[int, float]] = {}

    def see(self, seen: Seen) -> None:
        """Compare a norm with the median of those before."""
        if seen.op.phase != Phase.BACKWARD:
            return
        for tensor, told in seen.values():
            name, found = tensor.name, told.statistics
            if self.roles.get(self.gradients.get(name, "")) != "parameter" or found is None:
                continue
            norm, known = length(tensor, found), self.norms.setdefault(name, [])
            if len(known) >= SEEN and math.isfinite(norm) and name not in self.first:
                usual = median(known)
                if usual > 0 and norm > SURGE * usual:
                    self.first[name] = seen.event, norm / usual
            known.append(norm)
            del known[:-100]

    def found(self) -> Iterator[Found]:
        """One finding for the run: the first."""
        if self.first:
            name = min(self.first, key=lambda one: self.first[one][0])
            event, times = self.first[name]
            told = f"{name} is {times:.3g} times its median"
            yield Found(event, self.gradients[name], told, numbers={"times": times})


class LossRising:
    """A loss that ends higher than it began."""

    card = Card(
        name="loss-rising",
        title="the loss rises",
        looks="the median of the last tenth of the losses beside that of the first",
        levels="serious",
        certainty=Certainty.LIKELY,
        cause="the steps are too long, or go the wrong way",
        remedy="a smaller lr; look at what else is found",
        limits=(RISE,),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.losses: list[tuple[int, float]] = []

    def see(self, seen: Seen) -> None:
        """Note the loss."""
        if seen.op.phase != Phase.LOSS or seen.op.name != self.run.loss_op:
            return
        for tensor, told in seen.values():
            if tensor.name == self.run.loss and told.statistics is not None:
                self.losses.append((seen.event, told.statistics.minimum))

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        finite = [(event, loss) for event, loss in self.losses if math.isfinite(loss)]
        part = len(finite) // 10
        if part < 2:
            return
        first = median(loss for _, loss in finite[:part])
        last = median(loss for _, loss in finite[-part:])
        if first > 0 and last > RISE * first:
            event = next(b for (_, x), (b, y) in pairwise(finite) if y > RISE * first or y > x)
            told = f"from {first:.4g} to {last:.4g}"
            yield Found(event, self.run.loss or "", told, numbers={"first": first, "last": last})
