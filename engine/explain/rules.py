"""The rules of optimizers as trees: a parameter and its slots after an update."""

from collections.abc import Callable
from dataclasses import dataclass, field

from engine.lines.algebra import ONE, minus, negative, over, plus, power, times
from engine.lines.elementwise import MAXIMUM
from engine.lines.node import Node, call, constant
from engine.optim.adaptive import Adadelta, Adagrad, RMSprop
from engine.optim.optimizers import SGD, Adam, Optimizer

HALF, TWO = constant(0.5), constant(2)


@dataclass(frozen=True, eq=False)
class Update:
    """What one tensor becomes, and the names of parts of it: m̂, v̂."""

    root: Node
    labels: dict[Node, str] = field(default_factory=dict)


def ruled(rule: Optimizer, move: "Move", slot: str) -> Update:
    """What a slot, or without one the parameter, becomes by a rule or a variant of it."""
    make = next(RULES[kind] for kind in RULES if isinstance(rule, kind))
    return make(rule, move, slot)


@dataclass(frozen=True, eq=False)
class Move:
    """What a rule reads: parameter, gradient, numbers, slots as they were and as they become."""

    p: Node
    grad: Node
    h: dict[str, Node]
    before: Callable[[str], Node | None]
    after: Callable[[str], Node]

    def decayed(self, maximize: bool, decoupled: bool = False) -> Node:
        """The gradient that the rule uses, with its sign and the term of L2."""
        grad = negative(self.grad) if maximize else self.grad
        if "weight_decay" not in self.h or decoupled:
            return grad
        return plus(grad, times(self.h["weight_decay"], self.p))


def rest(node: Node) -> Node:
    """1 − node."""
    return minus(ONE, node)


def sgd(rule: Optimizer, m: Move, slot: str) -> Update:
    """θ − η v, v = μ v + (1 − τ) g; the first v is g."""
    assert isinstance(rule, SGD)
    grad = m.decayed(rule.maximize)
    if not rule.slots:
        return Update(minus(m.p, times(m.h["lr"], grad)))
    if slot:
        old = m.before("momentum")
        damp = times(rest(m.h["dampening"]), grad) if rule.dampening else grad
        return Update(grad if old is None else plus(times(m.h["momentum"], old), damp))
    step = m.after("momentum")
    if rule.nesterov:
        step = plus(grad, times(m.h["momentum"], step))
    return Update(minus(m.p, times(m.h["lr"], step)))


def counted(m: Move) -> Node:
    """The number of this update."""
    old = m.before("step")
    return ONE if old is None else plus(old, ONE)


def averaged(old: Node | None, by: Node, new: Node) -> Node:
    """by · old + (1 − by) · new, old being 0 at first."""
    share = times(rest(by), new)
    return share if old is None else plus(times(by, old), share)


def adam(rule: Optimizer, m: Move, slot: str) -> Update:
    """θ − η m̂ / (√v̂ + ε), and the moments."""
    assert isinstance(rule, Adam)
    grad = m.decayed(rule.maximize, rule.decoupled)
    beta1, beta2, before = m.h["beta1"], m.h["beta2"], m.before
    moments: dict[str, Callable[[], Node]] = {
        "step": lambda: counted(m),
        "exp_avg": lambda: averaged(before("exp_avg"), beta1, grad),
        "exp_avg_sq": lambda: averaged(before("exp_avg_sq"), beta2, power(grad, TWO)),
        "max_exp_avg_sq": lambda: largest(m),
    }
    if slot:
        return Update(moments[slot]())
    count = m.after("step")
    mean = over(m.after("exp_avg"), rest(power(beta1, count)))
    second = m.after("max_exp_avg_sq" if rule.amsgrad else "exp_avg_sq")
    square = over(second, rest(power(beta2, count)))
    root = plus(power(square, HALF), m.h["eps"])
    start = m.p
    if rule.decoupled and "weight_decay" in m.h:
        start = minus(m.p, times(times(m.h["lr"], m.h["weight_decay"]), m.p))
    new = minus(start, over(times(m.h["lr"], mean), root))
    return Update(new, {mean: "m̂", square: "v̂"})


def largest(m: Move) -> Node:
    """The largest second moment so far."""
    old, new = m.before("max_exp_avg_sq"), m.after("exp_avg_sq")
    return new if old is None else call(MAXIMUM, (old, new))


def adagrad(rule: Optimizer, m: Move, slot: str) -> Update:
    """θ − η g / (√s + ε), s the sum of all squares."""
    assert isinstance(rule, Adagrad)
    grad = m.decayed(rule.maximize)
    if slot == "step":
        return Update(counted(m))
    if slot:
        old = m.before("sum") or constant(rule.initial_accumulator_value)
        return Update(plus(old, power(grad, TWO)))
    lr = m.h["lr"]
    if rule.lr_decay:
        lr = over(lr, plus(ONE, times(minus(m.after("step"), ONE), m.h["lr_decay"])))
    root = plus(power(m.after("sum"), HALF), m.h["eps"])
    return Update(minus(m.p, over(times(lr, grad), root)))


def rmsprop(rule: Optimizer, m: Move, slot: str) -> Update:
    """θ − η g / (√v + ε); centered by the mean, and with momentum."""
    assert isinstance(rule, RMSprop)
    grad = m.decayed(rule.maximize)
    if slot in ("square_avg", "grad_avg"):
        new = power(grad, TWO) if slot == "square_avg" else grad
        return Update(averaged(m.before(slot), m.h["alpha"], new))
    variance = m.after("square_avg")
    if rule.centered:
        variance = minus(variance, power(m.after("grad_avg"), TWO))
    step = over(grad, plus(power(variance, HALF), m.h["eps"]))
    if slot == "momentum":
        old = m.before("momentum")
        return Update(step if old is None else plus(times(m.h["momentum"], old), step))
    if rule.momentum:
        step = m.after("momentum")
    return Update(minus(m.p, times(m.h["lr"], step)))


def adadelta(rule: Optimizer, m: Move, slot: str) -> Update:
    """θ − η Δ, Δ = √(u + ε) / √(v + ε) g, u the mean of Δ² so far."""
    assert isinstance(rule, Adadelta)
    grad = m.decayed(rule.maximize)
    rho, eps, before = m.h["rho"], m.h["eps"], m.before("acc_delta")
    if slot == "square_avg":
        return Update(averaged(m.before(slot), rho, power(grad, TWO)))
    above = power(eps if before is None else plus(before, eps), HALF)
    step = times(over(above, power(plus(m.after("square_avg"), eps), HALF)), grad)
    if slot:
        return Update(averaged(before, rho, power(step, TWO)), {step: "Δ"})
    return Update(minus(m.p, times(m.h["lr"], step)), {step: "Δ"})


RULES: dict[type[Optimizer], Callable[[Optimizer, Move, str], Update]] = {
    SGD: sgd,
    Adam: adam,
    Adagrad: adagrad,
    RMSprop: rmsprop,
    Adadelta: adadelta,
}
