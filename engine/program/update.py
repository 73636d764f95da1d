"""The update phase as ops: the learning rate, the clipping, then one parameter after another.

The schedule and the clipping stand here and not at the end of backward: they are about the step
that is taken, and what backward leaves behind is the derivative of the loss, which the gradient
check and the Jacobians agree with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.arrays import Array, scalar
from engine.experiment.spec import Experiment
from engine.formulas.symbols import gradient
from engine.optim.clipping import Clipping
from engine.optim.groups import in_group
from engine.optim.lines import Lines
from engine.optim.optimizers import HYPER_SYMBOLS, SGD, Optimizer
from engine.optim.schedules import SCHEDULES, Schedule
from engine.program.graph import GRADIENT, settings
from engine.program.learned import Learned, learned_parameters
from engine.program.program import Program
from engine.run.op import CLOCK, Compute, Op, Tensors
from engine.run.phases import Phase

RATE, INITIAL_RATE = "optimizer.lr", "optimizer.initial_lr"
RATE_OF, INITIAL_RATE_OF = "optimizer.{}.lr", "optimizer.{}.initial_lr"
NORM, FACTOR = "clip.norm", "clip.factor"


@dataclass(frozen=True, eq=False)
class Updates:
    """What stands in the update phase of an experiment; epochs have ``batches`` iterations."""

    parameters: tuple[Learned, ...]
    optimizer: Optimizer
    batches: int
    schedule: Schedule | None = None
    clipping: Clipping | None = None

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        parameters: tuple[Learned, ...],
        optimizer: Optimizer,
        batches: int,
    ) -> "Updates":
        """The schedule and the clipping that an experiment asks for."""
        spec, clip = experiment.schedule, experiment.clip
        kind = None if spec is None else SCHEDULES[spec.type]
        schedule = None if kind is None else kind(**settings(spec, kind))
        clipping = None
        if clip is not None:
            clipping = Clipping(clip.norm, float(clip.norm_type), clip.value)
        return cls(parameters, optimizer, batches, schedule, clipping)

    @classmethod
    def of_program(cls, program: Program) -> "Updates":
        """The update phase of a compiled program."""
        parameters = learned_parameters(program.experiment, program.network)
        return cls.of(program.experiment, parameters, program.optimizer, program.batches.count)

    @cached_property
    def moved(self) -> tuple[Learned, ...]:
        """The parameters that are not frozen."""
        return tuple(one for one in self.parameters if not one.frozen)

    def rule(self, one: Learned) -> tuple[Optimizer, dict[str, str]]:
        """The rule that moves a parameter, and the tensor of each of its hyper-parameters."""
        rule = in_group(self.optimizer, one.group)
        return rule, {key: hyper_name(one, key) for key in rule.hyper}

    @cached_property
    def own(self) -> dict[str, tuple[str, str, float]]:
        """The hyper-parameters of groups by the tensor: owner, name at the optimizer, value."""
        found = {}
        for one in self.moved:
            rule, names = self.rule(one)
            for key in names.keys() & one.group.given.keys():
                found[names[key]] = (one.owner, key, rule.hyper[key])
        return dict(sorted(found.items(), key=lambda item: item[1][1]))

    @property
    def rates(self) -> list[str]:
        """The owners of learning rates of their own."""
        return [owner for owner, key, _ in self.own.values() if key == "lr"]

    def scalars(self) -> Iterator[tuple[str, str, float | None]]:
        """The scalar tensors with their symbols; a value for those there from the start."""
        for name, value in self.optimizer.hyper.items():
            yield f"optimizer.{name}", HYPER_SYMBOLS.get(name, name), value
        for name, (owner, key, value) in self.own.items():
            yield name, f"{HYPER_SYMBOLS[key]}({owner})", value
        if self.schedule is not None:
            yield INITIAL_RATE, "η₀", self.optimizer.hyper["lr"]
            for owner in self.rates:
                first = self.own[RATE_OF.format(owner)][2]
                yield INITIAL_RATE_OF.format(owner), f"η₀({owner})", first
        if self.clipping is not None and self.clipping.norm is not None:
            yield NORM, self.clipping.norm_text, None
            yield FACTOR, "c", None

    def ops(self) -> Iterator[Op]:
        """The ops of the phase: the rate, the clipping, then the parameters that are not frozen."""
        if self.schedule is not None:
            yield self.schedules(self.schedule, RATE, INITIAL_RATE, "")
            for owner in self.rates:
                names = RATE_OF.format(owner), INITIAL_RATE_OF.format(owner)
                yield self.schedules(self.schedule, *names, f"({owner})")
        if self.clipping is not None and self.moved:
            yield from self.clips(self.clipping)
        for one in self.moved:
            yield self.move(one)

    def schedules(self, schedule: Schedule, rate: str, initial: str, of: str) -> Op:
        """The op that sets one learning rate; ``of`` stands behind its symbol in the formula."""
        text = f"η{of} ← {schedule.formula().replace('η₀', f'η₀{of}')}"
        run = scheduling(schedule, initial, self.batches)
        return op(None, (text, text), (initial, CLOCK), (rate,), run)

    def clips(self, clipping: Clipping) -> Iterator[Op]:
        """The norm of all gradients where it is needed, then one gradient after another.

        The norm is a tensor of its own, which conditions and watches can name.
        """
        grads = tuple(one.name + GRADIENT for one in self.moved)
        more: tuple[str, ...] = ()
        if clipping.norm is not None:
            text = f"c = {clipping.factor_formula()}"
            yield op(None, (text, text), grads, (NORM, FACTOR), measuring(clipping, grads))
            more = (FACTOR,)
        for one, grad in zip(self.moved, grads, strict=True):
            symbol = gradient(one.symbol)
            text = f"{symbol} ← {clipping.formula(symbol)}"
            run = clipping_of(clipping, grad)
            yield op(one.layer, (text, text), (grad, *more), (grad,), run)

    def move(self, one: Learned) -> Op:
        """One parameter moved by the optimizer."""
        rule, hyper = self.rule(one)
        slots = tuple(f"{one.name}.{slot}" for slot in rule.slots)
        text = f"{one.symbol} ← {rule.formula(one.symbol)}"
        own = [f"{HYPER_SYMBOLS[key]} = {hyper[key]}" for key in hyper if key in one.group.given]
        whole = ", ".join((*equations(rule, one.symbol), *own))
        reads = (one.name, one.name + GRADIENT, *slots, *hyper.values())
        if isinstance(rule, SGD) and rule.plain and one.shape != ():
            run = descending(one.name, hyper["lr"])
        else:
            run = updating(rule, one.name, slots, hyper)
        if one.shape == ():
            run = of_numbers(run)
        return op(one.layer, (text, whole), reads, (one.name, *slots), run)

    def summary(self) -> str:
        """The whole phase on one line, for any parameter θ with the gradient ∇θ."""
        parts = [f"η ← {self.schedule.formula()}"] if self.schedule is not None else []
        if self.clipping is not None:
            norm = self.clipping.norm is not None
            parts += [f"c = {self.clipping.factor_formula()}"] if norm else []
            parts.append(f"∇θ ← {self.clipping.formula('∇θ')}")
        move = ", ".join(equations(self.optimizer, "θ"))
        return "; ".join([*parts, move.replace("∂ℓ/∂θ", "∇θ")])


def hyper_name(one: Learned, key: str) -> str:
    """The tensor of a hyper-parameter, as one parameter reads it."""
    return f"optimizer.{one.owner}.{key}" if key in one.group.given else f"optimizer.{key}"


def equations(rule: Optimizer, p: str) -> tuple[str, ...]:
    """All that a rule does: the movement and its details, or the lines in their order."""
    if isinstance(rule, Lines):
        return rule.equations(p)
    return (f"{p} ← {rule.formula(p)}", *rule.details(p))


def op(
    layer: str | None,
    text: tuple[str, str],
    reads: tuple[str, ...],
    writes: tuple[str, ...],
    run: Compute,
) -> Op:
    """One op of the phase; ``text`` is its short label and its whole formula."""
    return Op(0, Phase.UPDATE, writes[0], layer, *text, reads, writes, run)


def scheduling(schedule: Schedule, initial: str, batches: int) -> Compute:
    """An op that sets a learning rate: a function of the initial one and the iteration alone.

    Nothing is kept from the rate before, so that going back needs nothing.
    """

    def run(tensors: Tensors) -> tuple[Array, ...]:
        k = schedule.count_of(int(tensors[CLOCK]), batches)
        return (scalar(schedule.rate(float(tensors[initial]), k)),)

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
        return optimizer.update(tensors[name], grad, old, values)

    return run


def descending(name: str, rate: str) -> Compute:
    """What :func:`updating` gives for θ − η g, to the bit, in fewer steps; θ is no single number.

    Made into the gradient's type once for each learning rate: NumPy multiplies by an array of shape
    () in less than half of the time that a number of Python takes.
    """
    gradient_name = name + GRADIENT
    known: tuple[Array | None, Array] = (None, scalar(0.0))

    def run(tensors: Tensors) -> tuple[Array, ...]:
        nonlocal known
        grad = tensors.get(gradient_name)
        if grad is None:
            return (tensors[name],)
        lr = tensors[rate]
        last, factor = known  # both at once: another thread may come in between
        if last is not lr or factor.dtype is not grad.dtype:
            factor = scalar(lr.item(), grad.dtype)
            known = lr, factor
        step: Array = np.multiply(factor, grad)
        return (np.subtract(tensors[name], step, step),)

    return run


def of_numbers(update: Compute) -> Compute:
    """The same of a single number: NumPy's arithmetic of those gives scalars, and no arrays."""
    return lambda tensors: tuple(np.asarray(value) for value in update(tensors))
