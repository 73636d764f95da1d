"""The Gaussian error linear unit."""

import math

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import WHOLE
from engine.formulas.named import Apply, Named
from engine.formulas.tree import Add, Formula, Hadamard
from engine.functions.function import Elementwise, Terms


def erf(x: Array) -> Array:
    """The error function of each element, in the dtype of ``x``.

    From the C library through :func:`math.erf`, in double precision; NumPy has none.
    """
    values = np.frompyfunc(math.erf, 1, 1)(x)  # an array of Python floats
    return np.asarray(values, dtype=x.dtype)


def cdf(x: Array) -> Array:
    """Φ of each element, the distribution function of the standard normal."""
    out: Array = 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return out


def density(x: Array) -> Array:
    """φ of each element, the density of the standard normal."""
    out: Array = np.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return out


PHI = Named(
    "Φ",
    r"\Phi",
    cdf,
    "Φ(z) = distribution function of the standard normal, φ(z) = its density",
)
DENSITY = Named("φ", r"\varphi", density)


class GELU(Elementwise):
    """z Φ(z), Φ the distribution function of the standard normal (Hendrycks & Gimpel 2016).

    The exact one, PyTorch's ``approximate="none"``, and not its approximation by tanh.
    """

    type = "gelu"
    torch = "GELU"
    interval = (-0.16997120747990369, math.inf)  # its minimum, at z = −0.7518
    name = "GELU"
    cost = 64
    temporaries = 8

    def value(self, x: Array) -> Array:
        return x * cdf(x)

    def pull(self, grad: Array, at: Array) -> Array:
        return grad * (cdf(at) + at * density(at))

    def definition(self, z: Formula) -> Formula:
        return WHOLE.times(z, Apply(PHI, z))

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        return Add(Apply(PHI, z), Hadamard(z, Apply(DENSITY, z)))
