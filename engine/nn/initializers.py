"""Initial values of parameters, from (seed, place of the parameter) alone.

The distributions are those of ``torch.nn.init``; the stream of random numbers is NumPy's.
"""

import math
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
    if kind in ("kaiming_uniform", "xavier_uniform"):
        values = rng.uniform(-bound, bound, shape)
    elif kind == "uniform":
        values = rng.uniform(0.0, bound, shape)
    elif kind == "constant":
        values = np.ones(shape)
    elif kind == "zeros":
        values = np.zeros(shape)
    else:
        values = rng.normal(0.0, bound, shape)
    # drawn in float64 and rounded last: float32 starts from the same numbers
    return (values * scale).astype(dtype)


def bias(kind: str, shape: Shape, inputs: int, rng: np.random.Generator, dtype: Any) -> Array:
    """A bias (outputs,) in the given dtype, for a weight of the initializer ``kind``.

    ``nn.Linear``'s default, uniform within ±1/√inputs, or zeros beside zero and constant weights.
    """
    if kind in PLAIN_BIAS:
        return np.zeros(shape, dtype)
    bound = 1 / math.sqrt(inputs)
    return rng.uniform(-bound, bound, shape).astype(dtype)
