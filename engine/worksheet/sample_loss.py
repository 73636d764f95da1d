"""The losses of the table as functions of one sample's lines, which are columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula, Size, Transpose
from engine.functions.losses.loss import Loss
from engine.lines.algebra import times
from engine.lines.node import Call, Node, Primitive, call
from engine.lines.writing import Applied

OUTPUTS = Size("K")


@dataclass(frozen=True)
class SampleLoss(Primitive):
    """A loss of a prediction (K, 1) and a target: a column, or a class index of shape ()."""

    loss: Loss

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.loss.type

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return ()

    def value(self, *arrays: Array, **options: Any) -> Array:
        yhat, y = rows_of(*arrays)
        return self.loss.value(yhat, y)

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        if node.operands[i].kind != "real":
            return None
        return times(grad, call(SampleSlope(self.loss, i == 1), node.operands))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        # the formulas of losses call the target y
        if operands[1].text() != "y":
            return Applied(self.name, tuple(operands), (), self.value)
        return self.loss.sample_formula(operands[0], OUTPUTS)


@dataclass(frozen=True)
class SampleSlope(Primitive):
    """The gradient (K, 1) of a loss of one sample by its prediction, or by its target."""

    loss: Loss
    by_target: bool = False

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.loss.type}′"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[0].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        pull = self.loss.target_pull if self.by_target else self.loss.pull
        return pull(*rows_of(*arrays)).T

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        if self.by_target or operands[1].text() != "y":
            by = "y" if self.by_target else "ŷ"
            return Applied(f"∂{self.loss.type}/∂{by}", tuple(operands), (), self.value)
        return Transpose(self.loss.sample_slope(operands[0], OUTPUTS))

    def __post_init__(self) -> None:
        assert isinstance(self.loss, Loss)


def rows_of(yhat: Array, y: Array) -> tuple[Array, Array]:
    """Prediction and target of one sample as the batch of one that losses take."""
    row = np.asarray(yhat).reshape(1, -1)
    target = np.asarray(y)
    return row, target.reshape(1, -1) if target.dtype.kind == "f" else target.reshape(-1)
