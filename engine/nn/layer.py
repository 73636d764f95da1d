"""What a layer is: a function in its place, with sizes and parameters of its own."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from engine.arrays import Array, Shape
from engine.formulas.symbols import Symbols
from engine.functions.function import Function, Vjp, terms
from engine.jacobian.operator import Jacobian, Point

Sized = Callable[[int, int], Shape]


class Parameter(NamedTuple):
    """A parameter of a kind of layer: its letter, its shape from the sizes, and how it begins.

    It begins as the initializer ``init`` of the layer draws a weight or a bias, or as a number.
    """

    letter: str
    shape: Sized
    begins: Literal["weight", "bias"] | float


@dataclass(frozen=True)
class Layer:
    """A function of a batch (N, ``inputs``) to (N, ``outputs``), and the shapes of its parameters.

    ``parameters`` has them by role, in the order of PyTorch's ``named_parameters()``.
    """

    function: Function
    inputs: int
    outputs: int
    parameters: Mapping[str, Shape] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Layer {self.function}: (N, {self.inputs}) to (N, {self.outputs})>"

    @property
    def type(self) -> str:
        """The word of the function in an experiment."""
        return self.function.type

    @property
    def reads(self) -> tuple[str, ...]:
        """The roles of the tensors that ``forward`` takes, in the order of its arguments."""
        return self.function.operands

    @property
    def work(self) -> int:
        """About the multiply-adds of ``forward`` for one sample."""
        weights = sum(math.prod(shape) for shape in self.parameters.values() if len(shape) > 1)
        return weights or self.outputs

    def forward(self, *given: Array) -> Array:
        """The output (N, outputs) for the input (N, inputs) and the parameters."""
        return self.function.value(*given)

    def vjps(self, symbols: Symbols) -> tuple[Vjp, ...]:
        """The vector-Jacobian products of backward, parameters first, the input last."""
        return self.function.vjps(terms(symbols))

    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        """The Jacobian ∂output/∂``wrt`` as an operator, in numerator layout."""
        return self.function.jacobian(wrt, at)

    def formula(self, symbols: Symbols) -> str:
        """The right-hand side of the forward equation of a batch as text, with its remark."""
        given = terms(symbols)
        formula, remark = self.function.formula(given).text(), self.function.remark(given)
        return f"{formula}, {remark}" if remark else formula


@dataclass(frozen=True)
class LayerRow:
    """A row of the table of layers: a function and its parameters by role.

    One that ``resizes`` has as many outputs as its table in the experiment says, ``out``; any other
    one as many as its function makes of the inputs.
    """

    function: type[Function]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    resizes: bool = False

    def outputs(self, table: Any, inputs: int) -> int:
        """How many outputs the layer of this table in an experiment has."""
        return int(table.out) if self.resizes else self.function.outputs(inputs)

    def __call__(self, inputs: int, outputs: int, **options: Any) -> Layer:
        """The layer of these sizes; ``options`` are the fields of the function."""
        function = self.function(**options)
        roles = function.operands[1:]
        shapes = {
            role: function.parameter_shape(role, self.parameters[role].shape(inputs, outputs))
            for role in roles
        }
        return Layer(function, inputs, outputs, shapes)
