"""What a function is: value, vector-Jacobian products, Jacobians and formulas, side by side.

A function maps a batch (N, d) to (N, e), row by row; its operands have roles, ``input`` first, and
so has its ``output``. Its formula and those of its derivatives are trees: the text of an op, the
worksheet, LaTeX, the catalogue and the tests all read the same ones. Semantics and edge values
follow PyTorch 2 (``torch.nn.functional``).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.batch import WHOLE
from engine.formulas.elements import At, SameIndex
from engine.formulas.named import Apply, Named, word
from engine.formulas.pieces import Pieces
from engine.formulas.symbols import Symbols
from engine.formulas.tree import (
    ONE,
    Diagonal,
    Formula,
    Hadamard,
    Number,
    Partial,
    Size,
    Symbol,
    Unit,
)
from engine.jacobian import structures as operators
from engine.jacobian.operator import Jacobian, Point

Terms = Mapping[str, Formula]
"""The operands and the output of a function as formulas, by role."""

EVERYWHERE = (-math.inf, math.inf)


def terms(symbols: Symbols) -> Terms:
    """The symbols of a function's tensors as formulas, by role."""
    return {role: Symbol(symbol) for role, symbol in symbols.items()}


def gradient(tensor: Formula) -> Partial:
    """The gradient of the loss by a tensor as a symbol, ∂ℓ/∂z."""
    return Partial("ℓ", tensor.text())


class Vjp(NamedTuple):
    """One vector-Jacobian product of a function: the gradient of the loss by the role ``wrt``.

    ``pull`` takes the gradient of the output (N, e) and the tensors of the roles in ``reads``
    (``input``, ``output``, ``mask`` or a parameter), and returns an array of the shape of ``wrt``.
    ``formula`` is the right-hand side of the equation.
    """

    wrt: str
    reads: tuple[str, ...]
    pull: Callable[..., Array]
    formula: Formula


@dataclass(frozen=True)
class Function(ABC):
    """A differentiable map of a batch (N, d) to (N, e), row by row; its fields are its options.

    ``type`` is its word in an experiment, ``torch`` its name in ``torch.nn``. ``picks`` is whether
    the largest output of a sample says its class, ``boundary`` the output from which a class is
    told, where there is one, and ``shares`` whether outputs are probabilities. ``rising`` functions
    are monotone, ``straight`` ones linear maps without a bend.
    """

    type: ClassVar[str]
    torch: ClassVar[str]
    picks: ClassVar[bool] = False
    shares: ClassVar[bool] = False
    rising: ClassVar[bool] = False
    boundary: ClassVar[float | None] = None

    def torch_arguments(self, inputs: int, outputs: int) -> tuple[str, ...]:
        """What PyTorch's module takes before the options, as Python: sizes, say."""
        return ()

    @property
    def operands(self) -> tuple[str, ...]:
        """The roles of the tensors that ``value`` takes, in the order of its arguments."""
        return ("input",)

    @property
    def interval(self) -> tuple[float, float]:
        """The closure of what it gives when its input may be any number."""
        return EVERYWHERE

    @property
    def straight(self) -> bool:
        """Whether it is a linear map of its input."""
        return False

    @property
    def kinks(self) -> tuple[float, ...]:
        """The inputs at which the derivative, or the function, jumps; none where it is smooth."""
        return ()

    @property
    def torch_options(self) -> dict[str, Any]:
        """What PyTorch's module takes as keywords: the options, whose names are PyTorch's."""
        return {option.name: getattr(self, option.name) for option in fields(self)}

    def misfit(self, inputs: int) -> str:
        """Why it cannot take so many inputs with these options; empty where it can."""
        return ""

    @classmethod
    def outputs(cls, inputs: int) -> int:
        """How many outputs it has for so many inputs, where no table says it."""
        return inputs

    def parameter_shape(self, role: str, shape: Shape) -> Shape:
        """The shape of a parameter, of which the row of the layer has ``shape`` by the sizes."""
        return shape

    @abstractmethod
    def value(self, x: Array) -> Array:
        """The output (N, e) for the input (N, d) and the other operands, in the input's dtype."""

    @abstractmethod
    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        """The vector-Jacobian products of backward, parameters first, the input last."""

    @abstractmethod
    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        """The Jacobian ∂output/∂``wrt`` as an operator, in numerator layout.

        ``at`` gives the shapes now; the values it depends on are read when they are needed.
        """

    @abstractmethod
    def formula(self, t: Terms) -> Formula:
        """The right-hand side of the forward equation of a batch, samples as rows: x Wᵀ + b."""

    @abstractmethod
    def derivative(self, t: Terms, size: Size) -> Formula:
        """The Jacobian ∂output/∂input of one sample, a column; ``size`` is that of the output."""

    def around(self, wrt: str, t: Terms) -> tuple[Formula | None, Formula | None]:
        """What stands before and after ∂ℓ/∂output in ∂ℓ/∂``wrt`` of one sample, a parameter's.

        In numerator layout, the Jacobian ∂output/∂``wrt`` stands after it, and is left out where
        it is the identity; that of a matrix, which has three axes, is written before it instead.
        """
        return None, None

    def remark(self, t: Terms) -> str:
        """What else an op says beside the formula; empty for most."""
        return ""


class Activation(Function):
    """A function whose input and output have one shape, (N, d), and that is written by its name.

    ``cost`` is the time that an element takes, in additions, and ``temporaries`` how many arrays
    of its size are made on the way. ``pulls`` names the tensors that the derivative is computed
    from: ``output`` where it is cheaper in a = g(z) than in z, as for sigmoid and tanh.
    """

    pulls: ClassVar[tuple[str, ...]] = ("input",)
    cost: ClassVar[int] = 16
    temporaries: ClassVar[int] = 2

    @abstractmethod
    def pull(self, grad: Array, at: Array) -> Array:
        """The vector-Jacobian product (N, d) of ``grad`` = ∂ℓ/∂output; ``at`` is what it reads."""

    @property
    @abstractmethod
    def name(self) -> str:
        """How the function is written, with an option that is not its default: ``ELU[2]``."""

    @property
    def latex(self) -> str:
        """The name in LaTeX."""
        return word(self.name)

    def definition(self, z: Formula) -> Formula | None:
        """The function in better known ones; None where there is none, or none better known."""
        return None

    def defined(self, name: str) -> str:
        """The left-hand side of the definition."""
        return f"{name}(z)"

    @property
    def named(self) -> Named:
        """The function by its name, evaluated by :meth:`value`."""
        found, said = self.definition(Symbol("z")), ""
        if found is not None:
            text = found.cases.text() if isinstance(found, Pieces) else found.text()
            said = f"{self.defined(self.name)} = {text}"
        return Named(self.name, self.latex, self.value, said)

    def formula(self, t: Terms) -> Formula:
        return Apply(self.named, t["input"])


class Elementwise(Activation):
    """A function of each element: a = g(z), with a diagonal Jacobian."""

    @abstractmethod
    def slope(self, t: Terms) -> Formula:
        """g′ of each element, in the input or the output: the factor of the gradient."""

    def vjps(self, t: Terms) -> tuple[Vjp, ...]:
        slope, grad = self.slope(t), gradient(t["output"])
        return (
            Vjp("input", self.pulls, self.pull, grad if slope == ONE else Hadamard(grad, slope)),
        )

    def slopes(self, at: Array) -> Array:
        """g′ of each element, (N, d): what ``pull`` makes of ones, so that the two agree."""
        return self.pull(np.ones_like(at), at)

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        shape = at.shape("output")
        (role,) = self.pulls
        return operators.Diagonal(shape, shape, at.dtype, lambda: self.slopes(at.read(role)))

    def derivative(self, t: Terms, size: Size) -> Formula:
        slope = self.slope(t)
        if slope == ONE:
            return Unit(size)
        if isinstance(slope, Pieces):
            element = self.slope({role: At(tensor) for role, tensor in t.items()})
            assert isinstance(element, Pieces)
            return element.diagonal(SameIndex(size))
        return Diagonal(slope)


def setting(value: float, default: float) -> str:
    """An option as part of a function's name, ``[0.2]``; empty where it is the default."""
    return "" if value == default else f"[{Number(value).text()}]"


def scaled(number: float, formula: Formula) -> Formula:
    """number · formula, without a factor of 1: ``0.01 z``."""
    return WHOLE.times(Number(number), formula)
