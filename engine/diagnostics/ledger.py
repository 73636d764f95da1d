"""The account of a step: ‖Δθ‖ = ‖g‖ × clipping × η(t)/η₀ × η₀ × what the rule makes of it.

Beside it stands weight decay, which moves the parameters without the loss. What a factor does is
measured: a rule is a pure function, so that the same step can be taken without it.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from engine.arrays import Array
from engine.diagnostics.detector import Detector, Tensors, norm, number
from engine.optim.lines import Lines
from engine.optim.optimizers import SGD, AdamW, Optimizer, Slots
from engine.program.program import Program
from engine.program.update import INITIAL_RATE, RATE, Updates
from engine.run.event import Event
from engine.run.phases import Phase

OFTEN = 8  # samples for each doubling of the number of iterations

FACTORS = {
    "scale": ("loss.scale", "the scale of the loss", "a scale of 1"),
    "clip": ("clip", "gradient clipping", "a larger norm or value in [clip], or none"),
    "dampening": (
        "optimizer.dampening",
        "dampening",
        "dampening = 0: at 1 no gradient after the first enters the velocity",
    ),
    "eps": ("optimizer.eps", "eps", "eps = 1e-8: it is there against division by 0 only"),
    "lr_decay": ("optimizer.lr_decay", "lr_decay", "lr_decay = 0"),
    "accumulator": (
        "optimizer.initial_accumulator_value",
        "initial_accumulator_value",
        "initial_accumulator_value = 0",
    ),
}


@dataclass
class Step:
    """The account of one iteration, over all parameters together.

    ``factors`` has the part of the step that each factor leaves, ``decay`` what weight decay does
    beside the gradient: its pull over that of the gradient.
    """

    event: int
    iteration: int
    gradient: float
    moved: float
    weights: float
    schedule: float
    decay: float
    factors: dict[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """‖Δθ‖ / ‖θ‖."""
        return self.moved / self.weights if self.weights > 0 else 0.0


class Ledger(Detector):
    """The accounts of some iterations: all of the first, and a few of each doubling of them."""

    phases = frozenset({Phase.BACKWARD, Phase.UPDATE})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.steps: list[Step] = []
        updated = {op.name for op in program.ops if op.phase == Phase.UPDATE}
        self.names = [info.name for info in program.parameters if info.name in updated]
        updates = Updates.of_program(program)
        self.rules = {one.name: updates.rule(one) for one in updates.moved}
        backward = [op.index for op in program.ops if op.phase == Phase.BACKWARD]
        self.last = backward[-1] if backward else -1
        self.raw: dict[str, Array] = {}
        self.parts: dict[str, float] = {}
        self.seen = 0

    def gap(self) -> None:
        self.steps.clear()
        self.raw.clear()

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The factors that this experiment has."""
        optimizer, found = self.program.optimizer, []
        if 0 < abs(self.program.network.loss.scale) < 1:
            found.append("scale")
        if self.program.experiment.clip is not None:
            found.append("clip")
        if isinstance(optimizer, SGD) and optimizer.momentum and optimizer.dampening:
            found.append("dampening")
        if optimizer.normalizes and getattr(optimizer, "eps", 0.0) > 0:
            found.append("eps")
        if getattr(optimizer, "lr_decay", 0.0) > 0:
            found.append("lr_decay")
        if getattr(optimizer, "initial_accumulator_value", 0.0) > 0:
            found.append("accumulator")
        return tuple(found)

    def see(self, event: Event, tensors: Tensors) -> None:
        if event.op.phase == Phase.BACKWARD:
            if event.op.index == self.last:
                self.seen += 1
                gradients = self.program.gradients
                sampled = wanted(self.seen)
                self.raw = {n: tensors[gradients[n]] for n in self.names} if sampled else {}
                self.parts = {}
            return
        if not self.raw:
            return
        name = event.op.name
        if name in self.raw and event.before[0] is not None:
            self.take(event, name, tensors)
            if name == self.names[-1]:
                self.close(event, tensors)

    def take(self, event: Event, name: str, tensors: Tensors) -> None:
        """Add what this update of one parameter has to do with the account."""
        (rule, names), before = self.rules[name], event.before[0]
        assert before is not None
        grad, raw = tensors[self.program.gradients[name]], self.raw[name]
        slots = tuple(event.before[1:])
        hyper = {key: float(tensors[tensor]) for key, tensor in names.items()}
        self.add("gradient", raw)
        self.add("weights", before)
        self.add("moved", event.after[0] - before)
        for factor in self.asked:
            given, held, values = without(factor, grad, raw, slots, hyper, self.program)
            self.add(factor, rule.update(before, given, held, values)[0] - before)
        # in lines weight_decay is a name like any other: what it does, nobody knows
        if "weight_decay" in hyper and not isinstance(rule, Lines):
            self.decays(event, rule, grad, slots, hyper)

    def decays(
        self, event: Event, rule: Optimizer, grad: Array, slots: Slots, hyper: dict[str, float]
    ) -> None:
        """The pull of weight decay, and of the gradient beside it."""
        before = event.before[0]
        assert before is not None
        if isinstance(rule, AdamW):
            plain = rule.update(before, grad, slots, {**hyper, "weight_decay": 0.0})[0]
            self.add("pull", event.after[0] - plain)
            self.add("drive", plain - before)
        else:
            self.add("pull", hyper["weight_decay"] * before)
            self.add("drive", grad)

    def add(self, name: str, array: Array) -> None:
        """Add to a sum of squares."""
        self.parts[name] = self.parts.get(name, 0.0) + norm(array) ** 2

    def close(self, event: Event, tensors: Tensors) -> None:
        """The account of this iteration is complete."""
        size = {name: float(np.sqrt(total)) for name, total in self.parts.items()}
        rate, first = tensors.get(RATE), tensors.get(INITIAL_RATE)
        scheduled = float(rate) / float(first) if rate is not None and first else 1.0
        decay = size["pull"] / size["drive"] if size.get("drive") else 0.0
        found = Step(
            event.index,
            event.position.iteration,
            size["gradient"],
            size["moved"],
            size["weights"],
            scheduled,
            decay,
        )
        for factor in self.asked:
            whole = size[factor]
            found.factors[factor] = size["moved"] / whole if 0 < whole < np.inf else 1.0
        self.raw = {}
        if np.isfinite([found.gradient, found.moved, found.weights]).all():
            self.steps.append(found)

    @property
    def late(self) -> list[Step]:
        """The accounts of the second half of the run so far."""
        half = self.steps[-1].iteration / 2 if self.steps else 0
        return [one for one in self.steps if one.iteration >= half]

    @property
    def left(self) -> float:
        """The gradient of the second half over the largest that there was."""
        most = max((one.gradient for one in self.steps), default=0.0)
        return middle([one.gradient for one in self.late]) / most if most > 0 else 0.0

    def words(self) -> str:
        """The account of the second half of the run in words, from the gradient to the step."""
        late = self.late
        said = f"‖g‖ {number(middle([s.gradient for s in late]))}"
        for factor in self.asked:
            part = middle([s.factors[factor] for s in late])
            if part < 0.5:
                said += f" × {FACTORS[factor][1]} {number(part)}"
        part = middle([s.schedule for s in late])
        if part != 1:
            said += f" × schedule {number(part)}"
        rate = self.program.optimizer.hyper.get("lr")
        said += "" if rate is None else f" × η₀ {rate:g}"
        moved, ratio = (middle([getattr(s, n) for s in late]) for n in ("moved", "ratio"))
        return f"{said} → ‖Δθ‖ {number(moved)}, {number(ratio)} of ‖θ‖"


def wanted(count: int) -> bool:
    """Whether the iteration of this number, from 1, is among those sampled."""
    if count <= OFTEN:
        return True
    return math.floor(OFTEN * math.log2(count)) > math.floor(OFTEN * math.log2(count - 1))


def middle(values: list[float]) -> float:
    """The median; 0 of none."""
    return float(np.median(values)) if values else 0.0


def without(
    factor: str,
    grad: Array,
    raw: Array,
    slots: Slots,
    hyper: dict[str, float],
    program: Program,
) -> tuple[Array, Slots, dict[str, float]]:
    """What an update takes, gradient, slots and numbers, as if one factor were not there."""
    if factor == "clip":
        return raw, slots, hyper
    if factor == "scale":
        return grad / grad.dtype.type(abs(program.network.loss.scale)), slots, hyper
    if factor == "accumulator":
        given = getattr(program.optimizer, "initial_accumulator_value", 0.0)
        step, total = slots
        held = np.zeros_like(grad) if total is None else np.maximum(total - given, 0)
        return grad, (step, held), hyper
    nothing = float(np.finfo(grad.dtype).tiny) if factor == "eps" else 0.0
    return grad, slots, {**hyper, factor: nothing}
