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
        self.empty: list[Any] = [
            node.value if isinstance(node, Constant) else None for node in self.places
        ]

    def reads(self, root: Node) -> tuple[str, ...]:
        """The names of the tensors that an output reads, each once."""
        return tuple(dict.fromkeys(node.name for node in ordered(root) if isinstance(node, Tensor)))

    def compute(self, root: Node) -> Compute:
        """The op of one output."""
        order = ordered(root)
        leaves = tuple((self.places[n], n.name) for n in order if isinstance(n, Tensor))
        shared, memory, dtype, empty = self.shared, self.memory, self.dtype, self.empty
        steps = tuple(
            (*self.step(node), self.places[node] in shared)
            for node in order
            if isinstance(node, Call)
        )
        place, real = self.places[root], root.kind == "real"
        keeps = any(step[-1] for step in steps)

        def run(tensors: Tensors) -> tuple[Array, ...]:
            if keeps:
                held = remembered(memory, empty, leaves, tensors)
                values = held[:]
            else:
                values = empty[:]
                for i, name in leaves:
                    values[i] = tensors[name]
            for i, function, operands, kept in steps:
                if kept and values[i] is not None:
                    continue
                # A form for each of the usual numbers of operands, as in the compiler of layers.
                if len(operands) == 2:
                    a, b = operands
                    found = function(values[a], values[b])
                elif len(operands) == 1:
                    found = function(values[operands[0]])
                else:
                    found = function(*[values[k] for k in operands])
                values[i] = found
                if kept:
                    held[i] = found
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


def remembered(
    memory: local, empty: list[Any], leaves: tuple[tuple[int, str], ...], tensors: Tensors
) -> list[Any]:
    """What was computed from these very arrays, by place, with them; no more where one is new.

    ``empty`` has None at every place but those of numbers.
    """
    held: list[Any] | None = getattr(memory, "held", None)
    if held is None:
        held = memory.held = empty[:]
    for i, name in leaves:
        value, known = tensors[name], held[i]
        if known is not value:
            if known is not None:
                memory.held = empty[:]
                return remembered(memory, empty, leaves, tensors)
            held[i] = value
    return held


def finished(value: Any, real: bool, dtype: np.dtype[Any]) -> Array:
    """A result as an array; numbers alone have the experiment's dtype."""
    if isinstance(value, np.ndarray):
        return value if value.dtype.kind == "f" or not real else value.astype(dtype)
    if isinstance(value, np.floating):
        return np.asarray(value)
    return np.asarray(value, dtype=dtype if real else None)
