"""The norms of the gradients after the first backward pass of two experiments, layer by layer."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from engine.arrays import Array
from engine.program.program import Program
from engine.run.drive import carry_out
from engine.run.op import TensorInfo
from engine.run.phases import Phase


@dataclass(frozen=True)
class LayerNorm:
    """‖∂ℓ/∂W‖ (Frobenius) of one weight in both experiments, None where there is no such weight.

    ``factors`` are the norms over those of the next layer: the growth of the gradient on its way
    back through one layer, below 1 where it vanishes, above where it explodes.
    """

    symbol: str
    norms: tuple[float | None, float | None]
    factors: tuple[float | None, float | None]


@dataclass(frozen=True)
class Norms:
    """The gradient norms of all weights; ``overall`` is the first over the last of each side."""

    rows: tuple[LayerNorm, ...]
    overall: tuple[float | None, float | None]

    def summary(self, names: tuple[str, str]) -> str:
        """A sentence about the ratio of the first norm to the last in both experiments."""
        first, last = self.rows[0].symbol, self.rows[-1].symbol
        parts = [
            f"{ratio:.3g} in {name}"
            for name, ratio in zip(names, self.overall, strict=True)
            if ratio is not None
        ]
        if not parts:
            return "one layer with weights: nothing to compare"
        return f"‖∂ℓ/∂{first}‖ / ‖∂ℓ/∂{last}‖ is {', '.join(parts)}"


def gradient_norms(left: Program, right: Program) -> Norms | None:
    """The gradient norms of both experiments, row by row from the first weight on.

    None where one of them skips backward or has no weight.
    """
    found = [weight_norms(program) for program in (left, right)]
    if not all(found):
        return None
    found = named_alike(found)
    symbols = max((list(norms) for norms in found), key=len)
    factors = [factors_of(norms) for norms in found]
    rows = tuple(
        LayerNorm(
            symbol,
            (found[0].get(symbol), found[1].get(symbol)),
            (factors[0].get(symbol), factors[1].get(symbol)),
        )
        for symbol in symbols
    )
    first, second = (ratio(list(norms.values())) for norms in found)
    return Norms(rows, (first, second))


def named_alike(found: list[dict[str, float]]) -> list[dict[str, float]]:
    """The norms of both sides by one name, ``W⁽¹⁾ → W1``, where they are as many and share none."""
    left, right = found
    if len(left) != len(right) or left.keys() & right.keys():
        return found
    names = [f"{a} → {b}" for a, b in zip(left, right, strict=True)]
    return [dict(zip(names, side.values(), strict=True)) for side in found]


def weight_norms(program: Program) -> dict[str, float]:
    """The Frobenius norm of every weight's gradient for the first batch, by the weight's symbol."""
    tensors = after_backward(program)
    weights = [info for info in program.parameters if is_weight(program, info)]
    found = {info.symbol: tensors.get(program.gradients[info.name]) for info in weights}
    return {
        symbol: float(np.linalg.norm(gradient.astype(np.float64)))
        for symbol, gradient in found.items()
        if gradient is not None
    }


def is_weight(program: Program, info: TensorInfo) -> bool:
    """Whether a parameter is a matrix; in lines of one sample (d, 1) is a vector."""
    network = program.experiment.network
    columns = network is not None and network.per == "sample"
    return len(info.shape) == 2 and not (columns and info.shape[1] == 1)


def after_backward(program: Program) -> dict[str, Array]:
    """The tensors after the backward pass of the first iteration; without one, no gradients."""
    backward = [op.index for op in program.ops if op.phase == Phase.BACKWARD]
    tensors = program.initial()
    if not backward:
        return tensors
    carry_out(program.ops[: backward[-1] + 1], tensors)
    return tensors


def factors_of(norms: dict[str, float]) -> dict[str, float | None]:
    """The norm of each layer over that of the next, by symbol; the last has none."""
    pairs = pairwise(norms.items())
    return {symbol: ratio([norm, after]) for (symbol, norm), (_, after) in pairs}


def ratio(norms: list[float]) -> float | None:
    """The first norm over the last; None where that is no number, or there is one layer only."""
    if len(norms) < 2 or norms[-1] == 0 or not np.all(np.isfinite(norms)):
        return None
    return norms[0] / norms[-1]
