"""The mask of dropout as a line: drawn anew in each iteration, by its number alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula
from engine.functions.elementwise.dropout import Dropout
from engine.lines.node import Call, Node, Primitive, call, tensor
from engine.lines.writing import Applied
from engine.run.op import CLOCK


@dataclass(frozen=True)
class Mask(Primitive):
    """0 with probability p, else 1 / (1 − p), of the iteration that it is given.

    ``place`` is that of the layer: each has a stream of its own.
    """

    name = "mask"
    makes = True
    p: float
    seed: int
    place: int

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        iteration = int(np.asarray(arrays[0]).item())
        dropout = Dropout(p=self.p)
        return dropout.mask(self.seed, self.place, iteration, options["shape"], options["dtype"])

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied(self.name, tuple(operands), (f"p={self.p:g}",), lambda i: i)


def mask(p: float, seed: int, place: int, shape: Shape) -> Node:
    """The mask of this shape, a function of the iteration's number."""
    return call(Mask(p, seed, place), (tensor(CLOCK, ()),), (("shape", shape),))
