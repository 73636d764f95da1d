"""What a kind of layer is where a network is lines: a text of lines, and the parameters it reads.

A row says its lines over ``z``, or ``z1``, ``z2``, … where it takes several inputs, and over its
parameters by role; the last line makes ``out``. Values, derivatives and formulas are those of the
functions that the lines call.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

from engine.arrays import Shape
from engine.lines.node import Misfit, Node


class Unfit(Misfit):
    """Inputs that a layer does not take, or options that do not go with them."""

    def __init__(self, message: str, option: str = "") -> None:
        super().__init__(message)
        self.option = option


class Within(NamedTuple):
    """A parameter that begins uniform within ±1/√``fan``."""

    fan: int


class Weight(NamedTuple):
    """A parameter of a layer: its shape, and how it begins.

    That is the name of an initializer, a number, or a range around 0.
    """

    shape: Shape
    begins: str | float | Within = "kaiming_uniform"


@dataclass(frozen=True)
class Written:
    """A layer as lines: ``parameters`` by role, in the order of PyTorch's ``named_parameters()``.

    ``buffers`` are what it keeps from one iteration to the next, with what they begin as;
    ``updates`` says how each is renewed. ``mask`` is the probability of an element to be dropped,
    where the lines read a ``mask``.
    """

    text: str
    parameters: Mapping[str, Weight] = field(default_factory=dict)
    buffers: Mapping[str, Weight] = field(default_factory=dict)
    updates: Mapping[str, str] = field(default_factory=dict)
    mask: float | None = None


@dataclass(frozen=True)
class LineRow(ABC):
    """A kind of layer with its options.

    ``roles`` is a pattern of its parameters' names, empty where it has none; it takes ``fewest`` to
    ``most`` inputs, as many as there are without a ``most``.
    """

    type: ClassVar[str]
    roles: ClassVar[str] = ""
    fewest: ClassVar[int] = 1
    most: ClassVar[int | None] = 1

    @abstractmethod
    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        """The layer for inputs of these shapes; raises Unfit, or Misfit."""


def biased(bias: bool, weights: Mapping[str, Weight], shape: Shape, fan: int) -> dict[str, Weight]:
    """The parameters with a bias behind them, if there is one."""
    return {**weights, **({"bias": Weight(shape, Within(fan))} if bias else {})}


def names(parameters: Mapping[str, Weight]) -> str:
    """The parameters as further arguments of a call."""
    return "".join(f", {role}" for role in parameters)
