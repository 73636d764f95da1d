"""The update phase as ops: the learning rate, the clipping, then one parameter after another.

The schedule and the clipping stand here and not at the end of backward: they are about the step
that is taken, and what backward leaves behind is the derivative of the loss, which the gradient
check and the Jacobians agree with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array, scalar
from engine.experiment.spec import Experiment
from engine.formulas.symbols import gradient
from engine.optim.clipping import Clipping
from engine.optim.optimizers import Optimizer
from engine.optim.schedules import SCHEDULES, Schedule
from engine.program.graph import GRADIENT, Network, Node, settings
from engine.program.program import Program
from engine.run.op import CLOCK, Compute, Op, Tensors
from engine.run.phases import Phase

RATE, INITIAL_RATE = "optimizer.lr", "optimizer.initial_lr"
NORM, FACTOR = "clip.norm", "clip.factor"


@dataclass(frozen=True, eq=False)
class Updates:
    """What stands in the update phase of an experiment; epochs have ``batches`` iterations."""

    network: Network
    optimizer: Optimizer
    batches: int
    schedule: Schedule | None = None
    clipping: Clipping | None = None

    @classmethod
    def of(
        cls, experiment: Experiment, network: Network, optimizer: Optimizer, batches: int
    ) -> "Updates":
        """The schedule and the clipping that an experiment asks for."""
        spec, clip = experiment.schedule, experiment.clip
        kind = None if spec is None else SCHEDULES[spec.type]
        schedule = None if kind is None else kind(**settings(spec, kind))
        clipping = None
        if clip is not None:
            clipping = Clipping(clip.norm, float(clip.norm_type), clip.value)
        return cls(network, optimizer, batches, schedule, clipping)

    @classmethod
    def of_program(cls, program: Program) -> "Updates":
        """The update phase of a compiled program."""
        count = program.batches.count
        return cls.of(program.experiment, program.network, program.optimizer, count)

    def scalars(self) -> Iterator[tuple[str, str, float | None]]:
        """The scalar tensors with their symbols; a value for those there from the start."""
        for name, value in self.optimizer.hyper.items():
            yield f"optimizer.{name}", HYPER_SYMBOLS.get(name, name), value
        if self.schedule is not None:
            yield INITIAL_RATE, "η₀", self.optimizer.hyper["lr"]
        if self.clipping is not None and self.clipping.norm is not None:
            yield NORM, self.clipping.norm_text, None
            yield FACTOR, "c", None

    def ops(self) -> Iterator[Op]:
        """The ops of the phase: the rate, the clipping, then the parameters that are not frozen."""
        moved = [
            (name, n, role) for name, n, role, _ in self.network.parameters() if moves(n, role)
        ]
        if self.schedule is not None:
            text = f"η ← {self.schedule.formula()}"
            run = scheduling(self.schedule, self.batches)
            yield op(None, (text, text), (INITIAL_RATE, CLOCK), (RATE,), run)
        if self.clipping is not None and moved:
            yield from self.clips(self.clipping, moved)
        for name, node, role in moved:
            yield self.move(name, node, role)

    def clips(self, clipping: Clipping, moved: list[tuple[str, Node, str]]) -> Iterator[Op]:
        """The norm of all gradients where it is needed, then one gradient after another.

        The norm is a tensor of its own, which conditions and watches can name.
        """
        grads = tuple(name + GRADIENT for name, _, _ in moved)
        more: tuple[str, ...] = ()
        if clipping.norm is not None:
            text = f"c = {clipping.factor_formula()}"
            yield op(None, (text, text), grads, (NORM, FACTOR), measuring(clipping, grads))
            more = (FACTOR,)
        for (_, node, role), grad in zip(moved, grads, strict=True):
            symbol = gradient(node.symbols[role])
            text = f"{symbol} ← {clipping.formula(symbol)}"
            run = clipping_of(clipping, grad)
            yield op(node.name, (text, text), (grad, *more), (grad,), run)

    def move(self, name: str, node: Node, role: str) -> Op:
        """One parameter moved by the optimizer."""
        slots = tuple(f"{name}.{slot}" for slot in self.optimizer.slots)
        hyper = {key: f"optimizer.{key}" for key in self.optimizer.hyper}
        symbol = node.symbols[role]
        text = f"{symbol} ← {self.optimizer.formula(symbol)}"
        whole = ", ".join((text, *self.optimizer.details(symbol)))
        reads = (name, name + GRADIENT, *slots, *hyper.values())
        run = updating(self.optimizer, name, slots, hyper)
        return op(node.name, (text, whole), reads, (name, *slots), run)

    def summary(self) -> str:
        """The whole phase on one line, for any parameter θ with the gradient ∇θ."""
        parts = [f"η ← {self.schedule.formula()}"] if self.schedule is not None else []
        if self.clipping is not None:
            norm = self.clipping.norm is not None
            parts += [f"c = {self.clipping.factor_formula()}"] if norm else []
            parts.append(f"∇θ ← {self.clipping.formula('∇θ')}")
        move = ", ".join((f"θ ← {self.optimizer.formula('θ')}", *self.optimizer.details("θ")))
        return "; ".join([*parts, move.replace("∂ℓ/∂θ", "∇θ")])


HYPER_SYMBOLS = {
    "lr": "η",
    "momentum": "μ",
    "dampening": "τ",
    "weight_decay": "λ",
    "eps": "ε",
    "alpha": "α",
    "beta1": "β₁",
    "beta2": "β₂",
    "lr_decay": "κ",
}


def op(
    layer: str | None,
    text: tuple[str, str],
    reads: tuple[str, ...],
    writes: tuple[str, ...],
    run: Compute,
) -> Op:
    """One op of the phase; ``text`` is its short label and its whole formula."""
    return Op(0, Phase.UPDATE, writes[0], layer, *text, reads, writes, run)


def moves(node: Node, role: str) -> bool:
    """Whether the optimizer moves a parameter; frozen ones are left alone."""
    return not is_frozen(node, role)


def is_frozen(node: Node, role: str) -> bool:
    """Whether the optimizer leaves a parameter alone."""
    return role in getattr(node.spec, "frozen", ())


def scheduling(schedule: Schedule, batches: int) -> Compute:
    """An op that sets the learning rate: a function of the initial one and the iteration alone.

    Nothing is kept from the rate before, so that going back needs nothing.
    """

    def run(tensors: Tensors) -> tuple[Array, ...]:
        k = schedule.count_of(int(tensors[CLOCK]), batches)
        return (scalar(schedule.rate(float(tensors[INITIAL_RATE]), k)),)

    return run


def measuring(clipping: Clipping, grads: tuple[str, ...]) -> Compute:
    """An op that finds the norm of all gradients, and the factor they are multiplied with."""

    def run(tensors: Tensors) -> tuple[Array, ...]:
        total = clipping.total([tensors[name] for name in grads if name in tensors])
        return scalar(total), scalar(clipping.factor(total))

    return run


def clipping_of(clipping: Clipping, grad: str) -> Compute:
    """An op that clips one gradient; without one it writes nothing."""

    def run(tensors: Tensors) -> tuple[Array, ...]:
        found = tensors.get(grad)
        if found is None:
            return ()
        if clipping.norm is None:
            return (clipping.cut(found),)
        # The factor is float64; times it a float32 gradient would be float64 as well.
        return (found * found.dtype.type(tensors[FACTOR]),)

    return run


def updating(
    optimizer: Optimizer, name: str, slots: tuple[str, ...], hyper: Mapping[str, str]
) -> Compute:
    """An op that moves one parameter; without a gradient everything stays as it is."""
    gradient_name, read = name + GRADIENT, tuple(hyper.items())

    def run(tensors: Tensors) -> tuple[Array, ...]:
        grad = tensors.get(gradient_name)
        old = tuple([tensors.get(slot) for slot in slots]) if slots else ()
        if grad is None:
            return (tensors[name], *(value for value in old if value is not None))
        values = {}
        for key, tensor in read:  # a loop, because a comprehension is one more call
            values[key] = tensors[tensor].item()
        found = optimizer.update(tensors[name], grad, old, values)
        # Arithmetic of single numbers gives numbers, and a tensor is an array.
        return found if grad.shape else tuple([np.asarray(one) for one in found])

    return run
