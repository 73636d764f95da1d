"""Trees as instructions: what one op computes, with what several ops of a line share kept.

A tape belongs to one line. Its outputs are the forward value and each gradient; a node that more
than one of them needs is computed once, for as long as the tensors that are read stay the same
arrays. Arrays never change, so that the same array is the same value.
"""

from collections.abc import Callable, Sequence
from functools import partial
from threading import local
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.lines.node import Call, Constant, Node, Tensor, ordered
from engine.run.op import Compute, Tensors

Step = tuple[int, Callable[..., Any], tuple[int, ...]]


class Tape:
    """The instructions of one line's outputs; ``dtype`` is of what is made out of numbers alone."""

    def __init__(self, outputs: Sequence[Node], dtype: str) -> None:
        self.dtype = np.dtype(dtype)
        self.places: dict[Node, int] = {node: i for i, node in enumerate(ordered(*outputs))}
        needs = [set(ordered(root)) for root in outputs]
        counts: dict[Node, int] = {}
        for need in needs:
            for node in need:
                counts[node] = counts.get(node, 0) + 1
        self.shared = frozenset(
            self.places[node]
            for node, count in counts.items()
            if count > 1 and isinstance(node, Call)
        )
        self.memory = local()

    def reads(self, root: Node) -> tuple[str, ...]:
        """The names of the tensors that an output reads, each once."""
        return tuple(dict.fromkeys(node.name for node in ordered(root) if isinstance(node, Tensor)))

    def compute(self, root: Node) -> Compute:
        """The op of one output."""
        order = ordered(root)
        leaves = tuple((self.places[n], n.name) for n in order if isinstance(n, Tensor))
        numbers = tuple((self.places[n], n.value) for n in order if isinstance(n, Constant))
        steps = tuple(self.step(node) for node in order if isinstance(node, Call))
        place, size, real = self.places[root], len(self.places), root.kind == "real"
        shared, memory, dtype = self.shared, self.memory, self.dtype
        keeps = any(step[0] in shared for step in steps)

        def run(tensors: Tensors) -> tuple[Array, ...]:
            values: list[Any] = [None] * size
            for i, name in leaves:
                values[i] = tensors[name]
            for i, number in numbers:
                values[i] = number
            if keeps:
                known = remembered(memory, {name: values[i] for i, name in leaves})
                for i, function, operands in steps:
                    if i in known:
                        values[i] = known[i]
                    else:
                        found = values[i] = function(*[values[k] for k in operands])
                        if i in shared:
                            known[i] = found
            else:
                for i, function, operands in steps:
                    values[i] = function(*[values[k] for k in operands])
            return (finished(values[place], real, dtype),)

        return run

    def step(self, node: Call) -> Step:
        """One instruction: where its result goes, the function, where its operands are."""
        options = dict(node.options)
        if node.function.makes:
            options["dtype"] = self.dtype
        run: Callable[..., Any] = node.function.value
        if node.function.ufunc is not None and not options:
            run = node.function.ufunc
        operands = tuple(self.places[one] for one in node.operands)
        return self.places[node], partial(run, **options) if options else run, operands


def remembered(memory: local, read: dict[str, Array]) -> dict[int, Any]:
    """What was computed from these very arrays, by place; empty where one is another array."""
    names: dict[str, Array] | None = getattr(memory, "names", None)
    if names is not None and all(names.get(name, value) is value for name, value in read.items()):
        names.update(read)
    else:
        memory.names = dict(read)
        memory.values = {}
    values: dict[int, Any] = memory.values
    return values


def finished(value: Any, real: bool, dtype: np.dtype[Any]) -> Array:
    """A result as an array; numbers alone have the experiment's dtype."""
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind == "f" or not real else value.astype(dtype)
    if isinstance(value, np.floating):
        return np.asarray(value)
    return np.asarray(value, dtype=dtype if real else None)
