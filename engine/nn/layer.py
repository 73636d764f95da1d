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
    """One vector-Jacobian product of a layer: the gradient of the loss by the role ``wrt``.

    ``pull`` takes the gradient of the output (N, outputs) and the tensors of the roles in ``reads``
    (``input``, ``output``, ``mask`` or a parameter), and returns an array of the shape of ``wrt``.
    ``rhs`` is the right-hand side of the equation as text.
    """

    wrt: str
    reads: tuple[str, ...]
    pull: Callable[..., Array]
    rhs: str


@dataclass(frozen=True)
class Layer(ABC):
    """A differentiable map of a batch (N, ``inputs``) to (N, ``outputs``), row by row.

    ``type`` is its word in an experiment; ``elementwise`` is False where an output element depends
    on several input elements of its sample.
    """

    type: ClassVar[str]
    elementwise: ClassVar[bool] = True
    inputs: int
    outputs: int

    @property
    def parameters(self) -> dict[str, Shape]:
        """Shapes of the parameters by role, in the order of PyTorch's ``named_parameters()``."""
        return {}

    @property
    def reads(self) -> tuple[str, ...]:
        """The roles of the tensors that ``forward`` takes, in the order of its arguments."""
        return ("input", *self.parameters)

    @abstractmethod
    def forward(self, x: Array) -> Array:
        """The output (N, outputs) for the input (N, inputs), in the dtype of the input."""

    @abstractmethod
    def vjps(self, s: Symbols) -> tuple[Vjp, ...]:
        """The vector-Jacobian products of backward, parameters first, the input last."""

    @abstractmethod
    def jacobian(self, wrt: str, at: Point) -> Jacobian:
        """The Jacobian ∂output/∂``wrt`` as an operator, in numerator layout.

        ``at`` gives the shapes now; the values it depends on are read when they are needed.
        """

    @abstractmethod
    def formula(self, s: Symbols) -> str:
        """The right-hand side of the forward equation of a batch, samples as rows: ``x Wᵀ + b``."""

    @abstractmethod
    def applied(self, inner: str) -> str:
        """The output for one sample as a column, ``W x + b``, around the text of the input."""
