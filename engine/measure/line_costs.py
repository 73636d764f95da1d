"""The lines in numbers: what each makes, the parameters it reads, its products of matrices."""

import math
from collections.abc import Iterator, Sequence

import numpy as np

from engine.arrays import Shape
from engine.lines.derive import gradients
from engine.lines.line import Line
from engine.lines.node import Call, Node, ordered, tensor, tensors
from engine.lines.products import MatMul, SummedProduct
from engine.program.graph import GRADIENT
from engine.program.line_compiler import own
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.phases import Phase


def line_costs(program: Program) -> Iterator[tuple[Line, Shape, list[str], int, int]]:
    """Each line in order with its shape, the parameters it is the first to read, and its work.

    The work is the multiply-adds of the products of matrices of a full batch, forward and backward,
    as the ops of the program make them: a skipped phase costs nothing, and what backward needs of
    forward is there already.
    """
    network = program.network
    assert isinstance(network, LineNetwork)
    phases = {op.phase for op in program.ops}
    left = {info.name for info in program.parameters}
    for line in network.graph.lines:
        read = [node.name for node in tensors(line.root) if node.name in left]
        left.difference_update(read)
        first = Phase.LOSS if line is network.graph.loss else Phase.FORWARD
        made = ordered(line.root)
        back = [node for node in ordered(*derivatives(program, line)) if node not in made]
        ahead = products(made) if first in phases else 0
        yield line, line.root.shape, read, ahead, products(back)


def derivatives(program: Program, line: Line) -> list[Node]:
    """The trees of the ops of backward that a line has."""
    ops = {op.name for op in program.ops if op.phase == Phase.BACKWARD}
    wanted = [n for n in tensors(line.root) if f"{n.name}{GRADIENT}@{line.name}" in ops]
    seed = tensor(line.name + GRADIENT, line.root.shape)
    return list(gradients(line.root, seed, wanted, own(line)).values())


def products(nodes: Sequence[Node]) -> int:
    """The multiply-adds of the products of matrices among some nodes."""
    total = 0
    for node in nodes:
        if isinstance(node, Call) and isinstance(node.function, MatMul | SummedProduct):
            a, b = node.operands
            lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
            rows = a.shape[-2] if a.rank > 1 else 1
            columns = b.shape[-1] if b.rank > 1 else 1
            total += math.prod(lead) * rows * a.shape[-1] * columns
    return total
