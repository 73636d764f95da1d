"""The curvature of the loss, and the largest learning rate that it bears.

The largest eigenvalue of the Hessian H of the loss of one batch, by the trainable parameters, by
power iteration (Mises; Golub and Van Loan, Matrix Computations, 8.2). H is never formed: its
products are H v ≈ (g(θ + h v) − g(θ − h v)) / 2h with the gradient g of the program's own backward
pass, in float64, and h = ∛ε · max(1, ‖θ‖) for a unit vector v. Where the eigenvalue of largest size
is negative, the iteration is repeated with H shifted by it, to find the largest one.

On the quadratic that has this curvature, gradient descent converges for rates below 2/λ, with
momentum β and dampening τ below 2(1 + β)/((1 − τ)λ), with Nesterov's below 2(1 + β)/((1 + 2β)λ).
Weight decay adds to λ. Rules that scale every element (adam, adagrad, rmsprop) have no such limit.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.measure.evaluator import Evaluator
from engine.optim.optimizers import SGD
from engine.program.program import Program
from engine.program.update import Updates
from engine.run.phases import Phase
from engine.streams import stream

MOST_PRODUCTS = 100
CLOSE = 1e-4  # relative change of the eigenvalue at which the iteration ends
MOST_WORK = 2**32  # multiply-adds of all gradients together, some seconds
START = 2**30  # keeps the first vector apart from the streams of the initial values
STEP = float(np.finfo(np.float64).eps) ** (1 / 3)
NEEDED = (Phase.FORWARD, Phase.LOSS, Phase.BACKWARD, Phase.UPDATE)


@dataclass(frozen=True)
class StableRate:
    """The largest eigenvalue at one point, and the learning rate up to which steps settle down.

    ``rate`` is infinite where no direction curves upwards. ``converged`` is False where the
    iteration was cut short: the true eigenvalue is then larger, and the rate smaller.
    """

    eigenvalue: float
    rate: float
    products: int
    converged: bool


def largest_stable_rate(program: Program, tensors: Mapping[str, Array]) -> StableRate | None:
    """The estimate for the batch x, y and the parameters in ``tensors``.

    None where there is none: an optimizer other than sgd or one that maximizes, parameters with
    numbers of their own, skipped phases, nothing to train, numbers that are not finite, or a
    program too large for a hundred gradients in a few seconds.
    """
    optimizer = program.optimizer
    if not isinstance(optimizer, SGD) or optimizer.maximize:
        return None
    updates = Updates.of_program(program)
    if any(updates.rule(one)[0] != optimizer for one in updates.moved):
        return None
    if not set(NEEDED) <= set(program.timeline.listing(0).phases()):
        return None
    updated = {op.name for op in program.ops if op.phase == Phase.UPDATE}
    names = [info.name for info in program.parameters if info.name in updated]
    if not names or work(program) > MOST_WORK:
        return None
    hessian = Hessian(program, tensors, names)
    with np.errstate(all="ignore"):
        found = top_eigenvalue(hessian)
    if found is None:
        return None
    value, converged = found
    curvature = value + optimizer.weight_decay
    rate = factor(optimizer) / curvature if curvature > 0 else math.inf
    return StableRate(value, rate, hessian.products, converged)


def factor(optimizer: SGD) -> float:
    """The largest stable rate times the curvature."""
    beta = optimizer.momentum
    if optimizer.nesterov:
        return 2 * (1 + beta) / (1 + 2 * beta)
    return 2 * (1 + beta) / (1 - optimizer.dampening) if beta and optimizer.dampening < 1 else 2.0


def work(program: Program) -> int:
    """Multiply-adds of the gradients that the iteration may need: two for each product."""
    weights = sum(math.prod(info.shape) for info in program.parameters)
    return 6 * weights * program.tensors["x"].shape[0] * 2 * MOST_PRODUCTS


class Hessian:
    """Products with the Hessian of the loss by the parameters ``names``, at the point ``tensors``.

    Vectors are lists of arrays in the shapes of the parameters, in float64.
    """

    def __init__(self, program: Program, tensors: Mapping[str, Array], names: list[str]) -> None:
        self.evaluator = Evaluator(program, tensors)
        self.names = names
        self.point = [self.evaluator.given[name] for name in names]
        self.step = STEP * max(1.0, length(self.point))
        self.products = 0

    def times(self, v: list[Array]) -> list[Array]:
        """H v for a unit vector v, by two gradients."""
        self.products += 1
        above, below = self.gradient(v, self.step), self.gradient(v, -self.step)
        return [(a - b) / (2 * self.step) for a, b in zip(above, below, strict=True)]

    def gradient(self, v: list[Array], step: float) -> list[Array]:
        """The gradient at the point moved by ``step`` along v."""
        moved = {name: p + step * d for name, p, d in zip(self.names, self.point, v, strict=True)}
        found = self.evaluator.run(moved, Phase.FORWARD, Phase.LOSS, Phase.BACKWARD)
        return [found[self.evaluator.program.gradients[name]] for name in self.names]


def top_eigenvalue(hessian: Hessian) -> tuple[float, bool] | None:
    """The largest (not the largest in size) eigenvalue, and whether the iteration converged."""
    found = dominant(hessian, 0.0)
    if found is None or found[0] >= 0:
        return found
    # The largest in size is negative: shifted by its size no eigenvalue is, and the largest leads.
    shifted = dominant(hessian, -found[0])
    return None if shifted is None else (shifted[0] + found[0], shifted[1])


def dominant(hessian: Hessian, shift: float) -> tuple[float, bool] | None:
    """The eigenvalue of largest size of H + shift · I; None where it is not finite."""
    rng = stream(0, START)
    v = unit([rng.standard_normal(p.shape) for p in hessian.point])
    value = 0.0
    for _ in range(MOST_PRODUCTS // 2):  # half of them, because this may be done twice
        product = [h + shift * d for h, d in zip(hessian.times(v), v, strict=True)]
        new = dot(v, product)
        if not math.isfinite(new):
            return None
        if length(product) == 0:
            return 0.0, True
        if abs(new - value) <= CLOSE * abs(new):
            return new, True
        value, v = new, unit(product)
    return value, False


def dot(a: list[Array], b: list[Array]) -> float:
    """The inner product; NaN where its terms are ∞ and −∞, or add up beyond all numbers."""
    try:
        return math.fsum(float(np.vdot(p, q)) for p, q in zip(a, b, strict=True))
    except (ValueError, OverflowError):
        return math.nan


def length(v: list[Array]) -> float:
    """The Euclidean norm."""
    return math.sqrt(dot(v, v))


def unit(v: list[Array]) -> list[Array]:
    """The vector divided by its length."""
    size = length(v)
    return [part / size for part in v]
