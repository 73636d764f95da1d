"""The layers without parameters: (N, d) to (N, d), element by element or over each row.

Semantics and edge values follow PyTorch 2 (``torch.nn.functional``).
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.formulas.symbols import Symbols, gradient
from engine.jacobian import structures as operators
from engine.jacobian.blocks import BlockDiagonal, DiagonalMinusOuter
from engine.jacobian.operator import Jacobian, Point
from engine.nn.layer import Layer, Vjp


class Activation(Layer):
    """A layer without parameters whose input and output have one shape, (N, d).

    ``pulls`` names the tensor that the derivative is computed from: ``output`` where the derivative
    is cheaper in a = g(z) than in z, as for sigmoid and tanh.
    """

    pulls: ClassVar[tuple[str, ...]] = ("input",)

    @abstractmethod
    def pull(self, grad: Array, at: Array) -> Array:
        """The vector-Jacobian product (N, d) of ``grad`` = ∂ℓ/∂output; ``at`` is what it reads."""

    @abstractmethod
    def derivative(self, s: Symbols) -> str:
        """g′ as text: the factor of the gradient of the output, element by element."""

    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        rhs = f"{gradient(s['output'])} ⊙ {self.derivative(s)}"
        return (Vjp("input", self.pulls, self.pull, rhs),)

    def slopes(self, at: Array) -> Array:
        """g′ of each element, (N, d): what ``pull`` makes of ones, so that the two agree."""
        return self.pull(np.ones_like(at), at)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        shape = at.shape(self.outputs)
        (role,) = self.pulls
        return operators.Diagonal(shape, shape, at.dtype, lambda: self.slopes(at.read(role)))

    def formula(self, s: Symbols) -> str:
        return self.applied(s["input"])


class Identity(Activation):
    """g(z) = z; also what dropout is compiled to in evaluation mode."""

    type = "identity"
    pulls = ()

    def forward(self, x: Array) -> Array:
        return x

    def pull(self, grad: Array, at: Array | None = None) -> Array:
        return grad

    def derivative(self, s: Symbols) -> str:
        return "1"

    def applied(self, inner: str) -> str:
        return inner

    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        return (Vjp("input", (), self.pull, gradient(s["output"])),)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        return operators.Identity(at.shape(self.outputs), at.shape(self.inputs), at.dtype)


# the integer as wide as a float of so many bytes
BITS: dict[int, type[np.signedinteger]] = {4: np.int32, 8: np.int64}


def zeroed(values: Array, where: NDArray[np.bool_]) -> Array:
    """The values (float32 or float64) with +0 where ``where`` holds, all other bits unchanged.

    The bits are masked: a branch an element, as in ``np.where``, takes eight times as long, and
    a product with 0 would make NaN of an infinity.
    """
    bits: Any = BITS[values.itemsize]
    kept: Any = where.astype(bits)
    kept -= 1  # 1 becomes 0, no bit; 0 becomes −1, which is all of them in two's complement
    kept &= values.view(bits)
    result: Array = kept.view(values.dtype)
    return result


class ReLU(Activation):
    """max(z, 0), the rectified linear unit; the subgradient at 0 is 0, and NaN passes both ways."""

    type = "relu"

    def forward(self, x: Array) -> Array:
        return np.maximum(x, 0)

    def pull(self, grad: Array, at: Array) -> Array:
        return zeroed(grad, at <= 0)  # not at > 0, which would stop the gradient at NaN

    def derivative(self, s: Symbols) -> str:
        return f"[{s['input']} > 0]"

    def applied(self, inner: str) -> str:
        return f"({inner})⁺"


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """z where z > 0, else negative_slope · z (Maas, Hannun & Ng 2013); so too the slope at 0."""

    type: ClassVar[str] = "leaky_relu"
    negative_slope: float = 0.01

    def forward(self, x: Array) -> Array:
        return np.where(x > 0, x, x * self.negative_slope)

    def pull(self, grad: Array, at: Array) -> Array:
        return np.where(at > 0, grad, grad * self.negative_slope)

    def derivative(self, s: Symbols) -> str:
        return f"[1 if {s['input']} > 0 else {self.negative_slope:g}]"

    def applied(self, inner: str) -> str:
        return f"LeakyReLU({inner})"


def sigmoid(x: Array) -> Array:
    """The logistic function 1 / (1 + exp(−x)) of each element, without overflow on either side."""
    e = np.exp(-np.abs(x))  # at most 1: for x < 0 the fraction is expanded by exp(x)
    out: Array = np.where(x >= 0, x.dtype.type(1), e) / (1 + e)
    return out


class Sigmoid(Activation):
    """The logistic sigmoid σ(z) = 1 / (1 + exp(−z)), stable for any z; σ′ = σ (1 − σ)."""

    type = "sigmoid"
    pulls = ("output",)

    def forward(self, x: Array) -> Array:
        return sigmoid(x)

    def pull(self, grad: Array, at: Array) -> Array:
        slope: Array = (1 - at) * at
        return grad * slope

    def derivative(self, s: Symbols) -> str:
        return f"{s['output']} ⊙ (1 − {s['output']})"

    def applied(self, inner: str) -> str:
        return f"σ({inner})"


class Tanh(Activation):
    """The hyperbolic tangent; tanh′ = 1 − tanh²."""

    type = "tanh"
    pulls = ("output",)

    def forward(self, x: Array) -> Array:
        return np.tanh(x)

    def pull(self, grad: Array, at: Array) -> Array:
        return grad * (1 - at * at)

    def derivative(self, s: Symbols) -> str:
        return f"(1 − {s['output']}²)"

    def applied(self, inner: str) -> str:
        return f"tanh({inner})"


@dataclass(frozen=True)
class Softplus(Activation):
    """log(1 + exp(beta z)) / beta, a smooth ReLU, and z itself where beta z > threshold."""

    type: ClassVar[str] = "softplus"
    beta: float = 1.0
    threshold: float = 20.0

    def forward(self, x: Array) -> Array:
        scaled = x * self.beta
        # np.where evaluates both sides: the minimum keeps exp from overflowing on the other one
        low = np.log1p(np.exp(np.minimum(scaled, self.threshold))) / self.beta
        return np.where(scaled > self.threshold, x, low)

    def pull(self, grad: Array, at: Array) -> Array:
        scaled = at * self.beta
        return np.where(scaled > self.threshold, grad, grad * sigmoid(scaled))

    def derivative(self, s: Symbols) -> str:
        factor = "" if self.beta == 1 else f"{self.beta:g} "
        return f"σ({factor}{s['input']})"

    def applied(self, inner: str) -> str:
        return f"softplus({inner})"


@dataclass(frozen=True)
class ELU(Activation):
    """z where z > 0, else alpha (exp(z) − 1) (Clevert, Unterthiner & Hochreiter 2016)."""

    type: ClassVar[str] = "elu"
    alpha: float = 1.0

    def forward(self, x: Array) -> Array:
        # expm1, for exp(x) − 1 cancels near 0; the minimum keeps the side not taken from overflow
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def pull(self, grad: Array, at: Array) -> Array:
        return np.where(at <= 0, grad * self.alpha * np.exp(np.minimum(at, 0)), grad)

    def derivative(self, s: Symbols) -> str:
        z = s["input"]
        return f"[1 if {z} > 0 else {self.alpha:g} exp({z})]"

    def applied(self, inner: str) -> str:
        return f"ELU({inner})"


class SiLU(Activation):
    """z σ(z), the sigmoid linear unit, also called swish (Elfwing, Uchibe & Doya 2018)."""

    type = "silu"

    def forward(self, x: Array) -> Array:
        return x * sigmoid(x)

    def pull(self, grad: Array, at: Array) -> Array:
        s = sigmoid(at)
        return grad * (s * (1 + at * (1 - s)))

    def derivative(self, s: Symbols) -> str:
        z = s["input"]
        return f"σ({z}) ⊙ (1 + {z} ⊙ (1 − σ({z})))"

    def applied(self, inner: str) -> str:
        return f"SiLU({inner})"


def erf(x: Array) -> Array:
    """The error function of each element, in the dtype of ``x``.

    From the C library through :func:`math.erf`, in double precision; NumPy has none.
    """
    values = np.frompyfunc(math.erf, 1, 1)(x)  # an array of Python floats
    return np.asarray(values, dtype=x.dtype)


class GELU(Activation):
    """z Φ(z), Φ the distribution function of the standard normal (Hendrycks & Gimpel 2016).

    The exact one, PyTorch's ``approximate="none"``, and not its approximation by tanh.
    """

    type = "gelu"

    def forward(self, x: Array) -> Array:
        return x * (0.5 * (1 + erf(x * math.sqrt(0.5))))

    def pull(self, grad: Array, at: Array) -> Array:
        cdf = 0.5 * (1 + erf(at * math.sqrt(0.5)))
        pdf = np.exp(at * at * -0.5) * (1 / math.sqrt(2 * math.pi))
        return grad * (cdf + at * pdf)

    def derivative(self, s: Symbols) -> str:
        z = s["input"]
        return f"(Φ({z}) + {z} ⊙ φ({z}))"

    def applied(self, inner: str) -> str:
        return f"GELU({inner})"


def log_softmax(x: Array) -> Array:
    """log(exp(xᵢ) / Σⱼ exp(xⱼ)) over the last axis, shifted by the maximum (log-sum-exp trick).

    Not the logarithm of :func:`softmax`, which is −∞ where a probability underflows to 0.
    """
    shifted = x - np.maximum.reduce(x, axis=-1, keepdims=True)
    out: Array = shifted - np.log(np.add.reduce(np.exp(shifted), axis=-1, keepdims=True))
    return out


def softmax(x: Array) -> Array:
    """exp(xᵢ) / Σⱼ exp(xⱼ) over the last axis; x (N, K) are logits, the result probabilities."""
    # the shift cancels in the fraction, and the largest exponent becomes 0: nothing overflows
    e = np.exp(x - np.maximum.reduce(x, axis=-1, keepdims=True))
    out: Array = e / np.add.reduce(e, axis=-1, keepdims=True)
    return out


class Softmax(Activation):
    """softmax of each row of (N, K): logits to probabilities; Jacobian diag(a) − a aᵀ."""

    type = "softmax"
    elementwise = False
    pulls = ("output",)

    def forward(self, x: Array) -> Array:
        return softmax(x)

    def pull(self, grad: Array, at: Array) -> Array:
        weighted = grad * at
        out: Array = weighted - at * np.add.reduce(weighted, axis=-1, keepdims=True)
        return out

    def derivative(self, s: Symbols) -> str:
        return f"(diag({s['output']}) − {s['output']}{s['output']}ᵀ)"

    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        g, y = gradient(s["output"]), s["output"]
        return (Vjp("input", self.pulls, self.pull, f"{y} ⊙ ({g} − Σⱼ ({g})ⱼ {y}ⱼ)"),)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        y = partial(at.read, "output")
        shape, blocks = at.shape(self.outputs), DiagonalMinusOuter(d=y, a=y, b=y)
        return BlockDiagonal(shape, shape, at.dtype, at.samples, blocks)

    def applied(self, inner: str) -> str:
        return f"softmax({inner})"


class LogSoftmax(Activation):
    """log_softmax of each row of (N, K): logits to log-probabilities; Jacobian I − 1 exp(a)ᵀ."""

    type = "log_softmax"
    elementwise = False
    pulls = ("output",)

    def forward(self, x: Array) -> Array:
        return log_softmax(x)

    def pull(self, grad: Array, at: Array) -> Array:
        out: Array = grad - np.exp(at) * np.add.reduce(grad, axis=-1, keepdims=True)
        return out

    def derivative(self, s: Symbols) -> str:
        return f"(I − 1 exp({s['output']})ᵀ)"

    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        g, y = gradient(s["output"]), s["output"]
        return (Vjp("input", self.pulls, self.pull, f"{g} − exp({y}) Σⱼ ({g})ⱼ"),)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        shape = at.shape(self.outputs)
        ones = partial(np.ones, (at.samples, self.outputs), at.dtype)
        blocks = DiagonalMinusOuter(d=ones, a=ones, b=lambda: np.exp(at.read("output")))
        return BlockDiagonal(shape, shape, at.dtype, at.samples, blocks)

    def applied(self, inner: str) -> str:
        return f"log softmax({inner})"
