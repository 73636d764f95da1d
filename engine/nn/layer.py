"""What a layer is: forward, vector-Jacobian products, Jacobians and formulas, side by side.

A layer maps a batch (N, inputs) to (N, outputs); rows are samples. ``pull(grad, *reads)`` of a
:class:`Vjp` turns the gradient of the output into the gradient of the input or of a parameter.
Semantics and edge values follow PyTorch 2 (``torch.nn.functional``).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from engine.arrays import Array, Shape
from engine.formulas.symbols import Symbols
from engine.jacobian.operator import Jacobian, Point


class Vjp(NamedTuple):
    """One equation of the backward pass: the gradient of the loss by ``wrt``.

    ``reads`` are roles: ``input``, ``output`` or a parameter; ``rhs`` is the right-hand side.
    """

    wrt: str
    reads: tuple[str, ...]
    pull: Callable[..., Array]
    rhs: str


@dataclass(frozen=True)
class Layer(ABC):
    """What every layer answers. ``inputs`` and ``outputs`` are the sizes of one sample."""

    type: ClassVar[str]
    elementwise: ClassVar[bool] = True
    inputs: int
    outputs: int

    @property
    def parameters(self) -> dict[str, Shape]:
        """Shapes of the parameters by role, in PyTorch's order."""
        return {}

    @property
    def reads(self) -> tuple[str, ...]:
        """The roles that ``forward`` takes, in order."""
        return ("input", *self.parameters)

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The output (N, outputs) for the input (N, inputs)."""

    @abstractmethod
    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        """The equations of the backward pass, parameters first, the input last."""

    @abstractmethod
    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        """The Jacobian of the output by a role; values are read at ``at`` when needed."""

    @abstractmethod
    def formula(self, s: Symbols) -> str:
        """The right-hand side of the forward equation of a batch."""

    @abstractmethod
    def applied(self, inner: str) -> str:
        """The output for one sample (a column), written around the text of the input."""
