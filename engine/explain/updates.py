"""The update phase as trees: rules of optimizers, learning rates, clipping."""

import math
from dataclasses import dataclass

from engine.explain.own_rule import own_rule
from engine.explain.reading import AFTER, Reading
from engine.explain.rules import HALF, TWO, Move, Update, ruled
from engine.lines.algebra import ONE, minus, over, plus, power, times
from engine.lines.elementwise import CLIP, MINIMUM
from engine.lines.node import Node, call, constant, tensor
from engine.lines.reductions import TOTAL
from engine.optim.lines import Lines
from engine.optim.schedules import Cosine, Exponential, LinearWarmup, Schedule, Step
from engine.program.graph import GRADIENT
from engine.program.learned import Learned
from engine.program.update import (
    FACTOR,
    INITIAL_RATE,
    INITIAL_RATE_OF,
    NORM,
    RATE_OF,
    Updates,
)
from engine.run.op import CLOCK


def update_tree(reading: Reading, name: str) -> Update | None:
    """What an op of the update phase writes into one tensor; None where no tree says it."""
    updates, written = Updates.of_program(reading.program), reading.op.name
    if written == NORM:
        return clipping(reading, updates, name)
    one = next((one for one in updates.moved if one.name == written), None)
    if one is not None:
        return moving(reading, updates, one, name)
    if written.endswith(GRADIENT):
        return clipped(reading, updates, name)
    owner = next((o for o in updates.rates if RATE_OF.format(o) == written), None)
    initial = INITIAL_RATE if owner is None else INITIAL_RATE_OF.format(owner)
    assert updates.schedule is not None
    k = updates.schedule.count_of(int(reading.before[CLOCK]), updates.batches)
    return Update(rate(updates.schedule, leaf(reading, initial), k))


def leaf(reading: Reading, name: str, after: bool = False) -> Node:
    """A tensor that the op reads, or one that it writes."""
    info = reading.program.tensors[name]
    own = name + AFTER if after else name
    shape = reading.value(own).shape
    return tensor(own, shape, symbol=info.symbol + AFTER if after else info.symbol)


def rate(schedule: Schedule, initial: Node, k: int) -> Node:
    """A learning rate after k whole epochs or iterations."""
    match schedule:
        case Step():
            times_of = constant(k // schedule.step_size)
            return times(initial, power(constant(schedule.gamma), times_of))
        case Exponential():
            return times(initial, power(constant(schedule.gamma), constant(k)))
        case Cosine():
            least = constant(schedule.eta_min)
            wave = constant((1 + math.cos(math.pi * k / schedule.t_max)) / 2)
            return plus(least, times(wave, minus(initial, least)))
        case LinearWarmup():
            done = min(k, schedule.iterations) / schedule.iterations
            share = schedule.start_factor + (1 - schedule.start_factor) * done
            return times(constant(share), initial)
    return initial


def clipping(reading: Reading, updates: Updates, name: str) -> Update | None:
    """The norm of all gradients, or the factor that they are multiplied with."""
    clip = updates.clipping
    assert clip is not None
    if name == FACTOR:
        total = plus(leaf(reading, NORM, after=True), constant(1e-6))
        return Update(call(MINIMUM, (over(constant(clip.norm or 0.0), total), ONE)))
    if clip.norm_type != 2:
        return None
    squares: Node = constant(0)
    for one in updates.moved:
        if one.name + GRADIENT in reading.before:
            grad = leaf(reading, one.name + GRADIENT)
            squares = plus(squares, call(TOTAL, (power(grad, TWO),)))
    return Update(power(squares, HALF), {squares: "s"})


def clipped(reading: Reading, updates: Updates, name: str) -> Update:
    """One gradient, scaled or with its elements clamped."""
    clip, grad = updates.clipping, leaf(reading, name)
    assert clip is not None
    if clip.norm is not None:
        return Update(times(leaf(reading, FACTOR), grad))
    assert clip.value is not None
    return Update(call(CLIP, (grad,), (("low", -clip.value), ("high", clip.value))))


def moving(reading: Reading, updates: Updates, one: Learned, name: str) -> Update | None:
    """A parameter, or what the optimizer keeps for it, by the optimizer's rule."""
    p = leaf(reading, one.name)
    if one.name + GRADIENT not in reading.before:
        return Update(leaf(reading, name))
    rule, names = updates.rule(one)
    grad = leaf(reading, one.name + GRADIENT)
    hyper = {key: leaf(reading, tensor_name) for key, tensor_name in names.items()}
    slots = Slots(reading, one.name)
    slot = name.removeprefix(f"{one.name}.") if name != one.name else ""
    if isinstance(rule, Lines):
        root = own_rule(rule, p, grad, slots.before, slots.after, hyper, slot)
        return None if root is None else Update(root)
    return ruled(rule, Move(p, grad, hyper, slots.before, slots.after), slot)


@dataclass(frozen=True, eq=False)
class Slots:
    """What the optimizer keeps for a parameter, before and after the update."""

    reading: Reading
    owner: str

    def before(self, slot: str) -> Node | None:
        """A slot as the op found it; None before the first update."""
        name = f"{self.owner}.{slot}"
        return leaf(self.reading, name) if name in self.reading.before else None

    def after(self, slot: str) -> Node:
        """A slot as the op has written it."""
        return leaf(self.reading, f"{self.owner}.{slot}", after=True)
