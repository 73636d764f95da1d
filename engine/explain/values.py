"""The values of a tree's nodes, and of their elements."""

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.lines.node import Call, Constant, Node, Tensor, ordered

Place = tuple[int, ...]


class Values:
    """The value of every node below some tensors; ``leaf`` gives those of tensors by name.

    ``dtype`` is of what is made out of numbers alone. A node is computed when it is first asked.
    """

    def __init__(self, leaf: Callable[[str], Array], dtype: str) -> None:
        self.leaf = leaf
        self.dtype = np.dtype(dtype)
        self.known: dict[Node, Any] = {}
        self.maps: dict[Node, Any] = {}  # where elements come from, by the node that moves them

    def __call__(self, node: Node) -> Array:
        """The value of a node, in its shape."""
        if node not in self.known:
            with np.errstate(all="ignore"):
                for one in ordered(node):
                    if one not in self.known:
                        self.known[one] = self.computed(one)
        found: Array = np.broadcast_to(np.asarray(self.known[node]), node.shape)
        return found

    def computed(self, node: Node) -> Any:
        """The value of a node whose operands are known."""
        if isinstance(node, Tensor):
            return self.leaf(node.name)
        if isinstance(node, Constant):
            return node.value
        assert isinstance(node, Call)
        options = dict(node.options)
        if node.function.makes:
            options["dtype"] = self.dtype
        return node.function.value(*(self.known[one] for one in node.operands), **options)

    def at(self, node: Node, place: Place) -> float:
        """One element as a number."""
        return float(self(node)[place])
