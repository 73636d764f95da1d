"""The Gaussian error linear unit."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.arrays import Array
from engine.formulas.batch import WHOLE
from engine.formulas.named import Apply, Named
from engine.formulas.roots import Cube, Pi, Root
from engine.formulas.tree import ONE, Add, Formula, Fraction, Hadamard, Number, Square, Subtract
from engine.functions.elementwise.tanh import Tanh
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


CUBIC = 0.044715  # of the approximation by tanh, fitted by its authors
ROOT = math.sqrt(2 / math.pi)
OUTER = Root(Fraction(Number(2), Pi()))
TANH = Tanh().named


def inner(x: Array) -> Array:
    """√(2/π) (x + 0.044715 x³) of each element, what the approximation takes the tanh of."""
    out: Array = ROOT * (x + CUBIC * (x * x * x))
    return out


def hyperbolic(z: Formula) -> Formula:
    """tanh of the same."""
    return Apply(TANH, WHOLE.times(OUTER, Add(z, WHOLE.times(Number(CUBIC), Cube(z)))))


@dataclass(frozen=True)
class GELU(Elementwise):
    """z Φ(z), Φ the distribution function of the standard normal (Hendrycks & Gimpel 2016).

    With ``approximate = "tanh"`` it is ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))).
    """

    type: ClassVar[str] = "gelu"
    torch: ClassVar[str] = "GELU"
    cost: ClassVar[int] = 64
    temporaries: ClassVar[int] = 8
    approximate: Literal["none", "tanh"] = "none"

    @property
    def by_tanh(self) -> bool:
        """Whether it is the approximation."""
        return self.approximate == "tanh"

    @property
    def name(self) -> str:
        return "GELU[tanh]" if self.by_tanh else "GELU"

    @property
    def interval(self) -> tuple[float, float]:
        # its minimum, at z = −0.7518, or that of the approximation, at z = −0.7525
        return (-0.17004075057125406 if self.by_tanh else -0.16997120747990369), math.inf

    def value(self, x: Array) -> Array:
        return x * (0.5 * (1 + np.tanh(inner(x))) if self.by_tanh else cdf(x))

    def pull(self, grad: Array, at: Array) -> Array:
        if not self.by_tanh:
            return grad * (cdf(at) + at * density(at))
        t = np.tanh(inner(at))
        rate = ROOT * (1 + 3 * CUBIC * at * at)
        slope: Array = 0.5 * (1 + t) + 0.5 * at * (1 - t * t) * rate
        return grad * slope

    def definition(self, z: Formula) -> Formula:
        if not self.by_tanh:
            return WHOLE.times(z, Apply(PHI, z))
        return WHOLE.times(Number(0.5), z, Add(ONE, hyperbolic(z)))

    def slope(self, t: Terms) -> Formula:
        z = t["input"]
        if not self.by_tanh:
            return Add(Apply(PHI, z), Hadamard(z, Apply(DENSITY, z)))
        level = WHOLE.times(Number(0.5), Add(ONE, hyperbolic(z)))
        falls = Hadamard(WHOLE.times(Number(0.5), OUTER, z), Subtract(ONE, Square(hyperbolic(z))))
        rate = Add(ONE, WHOLE.times(Number(3 * CUBIC), Square(z)))
        return Add(level, Hadamard(falls, rate))
