"""Initial values of parameters, from (seed, place of the parameter) alone.

The distributions are those of ``torch.nn.init``; the stream of random numbers is NumPy's.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from engine.arrays import Array, Shape

INITIALIZERS = (
    "kaiming_uniform",
    "kaiming_normal",
    "xavier_uniform",
    "xavier_normal",
    "normal",
    "uniform",
    "zeros",
    "constant",
)
PLAIN_BIAS = ("zeros", "constant")  # initializers of weights beside which the bias is zero


BLOCK = 2**20  # elements that are drawn at once, some milliseconds: the numbers are the same

Drawn = Callable[[Shape, int], None]
"""Is told the shape of a large weight, and how many of its elements are drawn by now."""
_told: ContextVar[Drawn | None] = ContextVar("told", default=None)


@contextmanager
def told(drawn: Drawn) -> Iterator[None]:
    """Tell ``drawn`` of every weight of more than BLOCK elements that is drawn within."""
    token = _told.set(drawn)
    try:
        yield
    finally:
        _told.reset(token)


def filled(shape: Shape, draw: Callable[[int], Array], scale: float, dtype: Any) -> Array:
    """A matrix of numbers times ``scale``, drawn block by block in the order of its elements."""
    size = math.prod(shape)
    if size <= BLOCK:
        return (draw(size) * scale).astype(dtype).reshape(shape)
    out, tell = np.empty(size, dtype), _told.get()
    for start in range(0, size, BLOCK):
        stop = min(size, start + BLOCK)
        # drawn in float64 and rounded last: float32 starts from the same numbers
        out[start:stop] = draw(stop - start) * scale
        if tell is not None:
            tell(shape, stop)
    return out.reshape(shape)


def weight(kind: str, shape: Shape, rng: np.random.Generator, scale: float, dtype: Any) -> Array:
    """A weight (outputs, inputs) of the named distribution times ``scale``, in the given dtype.

    Kaiming: He et al. 2015, fan in; Xavier: Glorot & Bengio 2010. ``kaiming_uniform`` has the gain
    of a = √5, as in ``nn.Linear``, ``kaiming_normal`` that of ReLU, √2; ``uniform`` is on [0, 1).
    """
    assert kind in INITIALIZERS, kind
    outputs, inputs = shape
    # of a uniform distribution where it ends, of a normal one the standard deviation
    bound = {
        "kaiming_uniform": 1 / math.sqrt(inputs),  # nn.Linear's own default, a = √5
        "kaiming_normal": math.sqrt(2 / inputs),
        "xavier_uniform": math.sqrt(6 / (inputs + outputs)),
        "xavier_normal": math.sqrt(2 / (inputs + outputs)),
        "normal": 1.0,
        "uniform": 1.0,
    }.get(kind, 0.0)
    draws: dict[str, Callable[[int], Array]] = {
        "uniform": lambda size: rng.uniform(0.0, bound, size),
        "constant": np.ones,
        "zeros": np.zeros,
        "kaiming_uniform": lambda size: rng.uniform(-bound, bound, size),
        "xavier_uniform": lambda size: rng.uniform(-bound, bound, size),
    }
    draw = draws.get(kind, lambda size: rng.normal(0.0, bound, size))
    return filled(shape, draw, scale, dtype)


def bias(kind: str, shape: Shape, inputs: int, rng: np.random.Generator, dtype: Any) -> Array:
    """A bias (outputs,) in the given dtype, for a weight of the initializer ``kind``.

    ``nn.Linear``'s default, uniform within ±1/√inputs, or zeros beside zero and constant weights.
    """
    if kind in PLAIN_BIAS:
        return np.zeros(shape, dtype)
    bound = 1 / math.sqrt(inputs)
    return rng.uniform(-bound, bound, shape).astype(dtype)
