"""The layers as formulas of one sample, a column: the output, and the Jacobian by the input.

One row a layer, keyed by its type. The named functions evaluate with the layers' own forward; the
derivatives are written out, and not taken from ``pull``, so that each can be checked against the
other.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import At, Case, Cases, Compare, SameIndex, walk
from engine.formulas.tree import (
    Add,
    Apply,
    Diagonal,
    Formula,
    Function,
    Hadamard,
    Negative,
    Number,
    Positive,
    Product,
    Size,
    Subtract,
    Symbol,
    Times,
    Transpose,
    Unit,
)
from engine.nn.activations import ELU, LeakyReLU, Softplus, erf, log_softmax, sigmoid, softmax
from engine.nn.layer import Layer

ONE, ZERO = Number(1), Number(0)


def columnwise(rows: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """A function of a batch of one row (1, d) as a function of a column (d, 1)."""
    return lambda column: rows(column.T).T


def operator(name: str) -> str:
    """The LaTeX of a function that is written as a word: ``\\operatorname{name}``."""
    return rf"\operatorname{{{name}}}"


SIGMA = Function("σ", r"\sigma", sigmoid, "σ(z) = 1 / (1 + exp(−z))")
EXP = Function("exp", r"\exp", np.exp)
SOFTMAX = Function(
    "softmax", operator("softmax"), columnwise(softmax), "softmax(z)ᵢ = exp(zᵢ) / Σⱼ exp(zⱼ)"
)
LOG_SOFTMAX = Function(
    "log softmax",
    rf"\log{operator('softmax')}",
    columnwise(log_softmax),
    "log softmax(z)ᵢ = zᵢ − log Σⱼ exp(zⱼ)",
)
PHI = Function(
    "Φ",
    r"\Phi",
    lambda z: 0.5 * (1 + erf(z * np.sqrt(0.5))),
    "Φ(z) = distribution function of the standard normal, φ(z) = its density",
)
DENSITY = Function("φ", r"\varphi", lambda z: np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi))


def option(value: float, default: float) -> str:
    """A setting as part of a function's name, ``[0.2]``; empty where it is the default."""
    return "" if value == default else f"[{Number(value).text()}]"


def function_of(layer: Layer) -> Function:
    """The named function of an activation, with its definition; KeyError for any other layer."""
    forward = columnwise(layer.forward)
    match layer:
        case LeakyReLU(negative_slope=slope):
            name, meaning = f"LeakyReLU{option(slope, 0.01)}", "z if z > 0, else {} z"
            setting = Number(slope)
        case ELU(alpha=alpha):
            name, meaning = f"ELU{option(alpha, 1)}", "z if z > 0, else {} (exp(z) − 1)"
            setting = Number(alpha)
        case Softplus(beta=beta, threshold=threshold):
            name = f"softplus{option(beta, 1)}"
            inner = "z" if beta == 1 else f"{Number(beta).text()} z"
            share = "" if beta == 1 else f" / {Number(beta).text()}"
            meaning = f"log(1 + exp({inner})){share}, and z where {inner} > {{}}"
            setting = Number(threshold)
        case _:
            name, latex, meaning = PLAIN[layer.type]
            return Function(name, latex, forward, meaning)
    return Function(
        name, operator(latex_name(name)), forward, f"{name}(z) = {meaning.format(setting.text())}"
    )


def latex_name(name: str) -> str:
    """A function's name with its setting for an operator of LaTeX."""
    return name.replace("−", "-").replace("½", "0.5")


PLAIN = {
    "sigmoid": (SIGMA.text, SIGMA.latex, SIGMA.definition),
    "tanh": ("tanh", r"\tanh", ""),
    "silu": ("SiLU", operator("SiLU"), "SiLU(z) = z σ(z)"),
    "gelu": ("GELU", operator("GELU"), "GELU(z) = z Φ(z)"),
    "softmax": (SOFTMAX.text, SOFTMAX.latex, SOFTMAX.definition),
    "log_softmax": (LOG_SOFTMAX.text, LOG_SOFTMAX.latex, LOG_SOFTMAX.definition),
}


class Placed(Protocol):
    """A layer in a network: the symbols of its tensors by role."""

    @property
    def layer(self) -> Layer: ...
    @property
    def symbols(self) -> Mapping[str, str]: ...


def applied(node: Placed, inner: Formula) -> Formula:
    """The output (outputs×1) of a layer for one sample, around the formula of its input."""
    layer, symbols = node.layer, node.symbols
    match layer.type:
        case "linear":
            product = Product((Symbol(symbols["weight"]), inner))
            has_bias = "bias" in layer.parameters
            return Add(product, Symbol(symbols["bias"])) if has_bias else product
        case "identity":
            return inner
        case "relu":
            return Positive(inner)
        case "dropout":
            return Hadamard(inner, Symbol(symbols["mask"]))
        case _:
            return Apply(function_of(layer), inner)


def derivative(node: Placed, size: Size) -> Formula:
    """The Jacobian ∂a/∂z (outputs×inputs) of a layer of one sample, in its input z and output a.

    ``size`` is the number of outputs.
    """
    z, a = Symbol(node.symbols["input"]), Symbol(node.symbols["output"])
    if node.layer.type == "linear":
        return Symbol(node.symbols["weight"])
    if node.layer.type == "dropout":
        return Diagonal(Symbol(node.symbols["mask"]))
    return DERIVATIVES[node.layer.type](node.layer, z, a, size)


def by_sign(z: Formula, size: Size, above: Formula, below: Formula, at: float = 0) -> Formula:
    """A diagonal matrix by cases: entry (i, i) is ``above`` where zᵢ > ``at``, else ``below``."""
    same, limit = SameIndex(size), Number(at)
    cases = [Case(above, (same, Compare(At(z), ">", limit)))]
    if below != ZERO:
        cases.append(Case(below, (same, Compare(At(z), "≤", limit))))
    return Cases(tuple(cases), ZERO)


# The derivatives that need more than a line. Each takes the layer, z, a and the size d of both, and
# makes the Jacobian ∂a/∂z (d×d).


def leaky_relu(layer: Layer, z: Formula, a: Formula, size: Size) -> Formula:
    assert isinstance(layer, LeakyReLU)
    return by_sign(z, size, ONE, Number(layer.negative_slope))


def elu(layer: Layer, z: Formula, a: Formula, size: Size) -> Formula:
    assert isinstance(layer, ELU)
    return by_sign(z, size, ONE, scaled(layer.alpha, Apply(EXP, At(z))))


def softplus(layer: Layer, z: Formula, a: Formula, size: Size) -> Formula:
    assert isinstance(layer, Softplus)
    low = Apply(SIGMA, scaled(layer.beta, At(z)))
    return by_sign(z, size, ONE, low, layer.threshold / layer.beta)


def scaled(number: float, formula: Formula) -> Formula:
    """number · formula, without a factor of 1 or −1."""
    if number == -1:
        return Negative(formula)
    return formula if number == 1 else Times((Number(number), formula))


def slope_of_silu(layer: Layer, z: Formula, a: Formula, size: Size) -> Formula:
    s = Apply(SIGMA, z)
    return Diagonal(Hadamard(s, Add(ONE, Hadamard(z, Subtract(ONE, s)))))


def slope_of_gelu(layer: Layer, z: Formula, a: Formula, size: Size) -> Formula:
    return Diagonal(Add(Apply(PHI, z), Hadamard(z, Apply(DENSITY, z))))


def slope_of_log_softmax(layer: Layer, z: Formula, a: Formula, size: Size) -> Formula:
    weight = Apply(EXP, At(a, "j"))  # the probability pⱼ: ∂aᵢ/∂zⱼ = [i = j] − pⱼ
    same = Case(Subtract(ONE, weight), (SameIndex(size),))
    return Cases((same,), Negative(weight))


DERIVATIVES: dict[str, Callable[[Layer, Formula, Formula, Size], Formula]] = {
    "identity": lambda layer, z, a, size: Unit(size),
    "relu": lambda layer, z, a, size: by_sign(z, size, ONE, ZERO),
    "leaky_relu": leaky_relu,
    "sigmoid": lambda layer, z, a, size: Diagonal(Hadamard(a, Subtract(ONE, a))),
    "tanh": lambda layer, z, a, size: Diagonal(Subtract(ONE, Hadamard(a, a))),
    "softplus": softplus,
    "elu": elu,
    "silu": slope_of_silu,
    "gelu": slope_of_gelu,
    "softmax": lambda layer, z, a, size: Subtract(Diagonal(a), Product((a, Transpose(a)))),
    "log_softmax": slope_of_log_softmax,
}


def functions_in(formula: Formula) -> set[Function]:
    """Every named function applied anywhere in a formula."""
    return {part.function for part in walk(formula) if isinstance(part, Apply)}
