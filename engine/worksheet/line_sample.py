"""The lines of a network at a place of its run, of one sample or of the whole batch: what they are,
their sizes and their values.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.formulas.tree import Formula, Size, Symbol
from engine.lines.algebra import FILL, PRODUCT, RESHAPE
from engine.lines.elementwise import Pulled
from engine.lines.line import Line
from engine.lines.node import Call, Constant, Node, Tensor, number, ordered, rebuilt, symbol, tensor
from engine.lines.tape import Tape
from engine.program.line_network import LineNetwork
from engine.program.lines import GIVEN
from engine.program.program import Program
from engine.worksheet.letters import Letters, count
from engine.worksheet.one_sample import Inseparable, lines_of_one

WIDTH = 64  # a longer formula is written in the names of the lines
LOSS_WIDTH = 192  # of the loss, which has the prediction in it
LOSS = "loss"


@dataclass(frozen=True, eq=False)
class LineSample:
    """The lines of sample ``index`` of a batch, in columns; without an index of the whole batch.

    ``tensors`` has x, y, the parameters and the constants; ``reason`` says why the lines of a
    sample were asked for and there are none. All values are float64.
    """

    program: Program
    lines: tuple[Line, ...]
    apart: frozenset[str]
    index: int | None
    tensors: Mapping[str, Array]
    reason: str = ""

    @property
    def network(self) -> LineNetwork:
        """The network."""
        assert isinstance(self.program.network, LineNetwork)
        return self.program.network

    @cached_property
    def leaves(self) -> dict[str, Tensor]:
        """Every tensor that a line reads or makes, by name."""
        found: dict[str, Tensor] = {}
        for line in self.lines:
            found |= {one.name: one for one in ordered(line.root) if isinstance(one, Tensor)}
            found[line.name] = tensor(line.name, line.root.shape, line.root.kind)
        return found

    @cached_property
    def values(self) -> dict[str, Array]:
        """The value of every tensor by name, in the form that the lines have it."""
        made = {line.name for line in self.lines}
        found = {name: self.given(one) for name, one in self.leaves.items() if name not in made}
        with np.errstate(all="ignore"):
            for line in self.lines:
                found[line.name] = evaluated(line.root, found)
        return found

    def given(self, one: Tensor) -> Array:
        """The value of a tensor that no line makes."""
        value = self.tensors[one.name]
        if self.index is not None and one.name in self.apart:
            value = value[self.index]
        value = value.reshape(one.shape)
        return value.astype(np.float64) if one.kind == "real" else value

    @cached_property
    def letters(self) -> Letters:
        """The sizes as letters."""
        experiment, output = self.program.experiment, self.network.output
        columns = self.index is not None
        return Letters(experiment, self.lines, self.leaves, output, columns)

    @property
    def numbers(self) -> dict[str, int]:
        """The size symbols with their numbers."""
        return self.letters.numbers

    def count(self, size: Size) -> int:
        """The number that a size symbol stands for."""
        return count(size, self.numbers)

    def sizes(self, name: str) -> tuple[Size, ...]:
        """The size of each axis of a tensor."""
        return self.letters.sizes(name)

    @cached_property
    def spelled(self) -> dict[str, Node]:
        """The lines that fit a line of text when they are written out, as trees without lines."""
        found: dict[str, Node] = {}
        names = {line.name for line in self.lines}
        for line in self.lines:
            reads = [n for n in ordered(line.root) if isinstance(n, Tensor) and n.name in names]
            if not any(isinstance(n, Tensor) for n in ordered(line.root)):
                found[line.name] = self.leaves[line.name]  # zeros are shorter by their name
            elif all(one.name in found for one in reads):
                whole = rebuilt(line.root, {one: found[one.name] for one in reads})
                if len(written(whole).text()) <= WIDTH:
                    found[line.name] = whole
        return found

    def expanded(self, root: Node, width: int = WIDTH) -> Node:
        """A tree with the lines in it written out, where all of them fit, and the whole does."""
        names = {line.name for line in self.lines}
        reads = [n for n in ordered(root) if isinstance(n, Tensor) and n.name in names]
        if not reads or any(one.name not in self.spelled for one in reads):
            return root
        whole = rebuilt(root, {one: self.spelled[one.name] for one in reads})
        return whole if len(written(whole).text()) <= width else root


def line_sample(
    program: Program, index: int | None, tensors: Mapping[str, Array] | None = None
) -> LineSample:
    """The lines of one sample; of the whole batch without an index, or where the lines mix samples.

    Raises GradstepError for a sample that the batch has not.
    """
    network = program.network
    assert isinstance(network, LineNetwork)
    found = program.initial() if tensors is None else tensors
    rows = len(found["x"])
    if index is not None and not 0 <= index < rows:
        raise GradstepError(
            f"{program.experiment.name}: sample {index} is not in the batch, "
            f"whose samples are 0 to {rows - 1}"
        )
    graph = network.graphs[rows]
    # What a layer keeps for evaluation is no part of the equations.
    graph = replace(graph, lines=tuple(line for line in graph.lines if line.role != "buffer"))
    if index is None:
        return LineSample(program, graph.lines, frozenset(), None, found)
    try:
        lines, made = lines_of_one(graph, rows)
    except Inseparable as reason:
        return LineSample(program, graph.lines, frozenset(), None, found, str(reason))
    return LineSample(program, lines, frozenset(made.apart), index, found)


def evaluated(node: Node, values: Mapping[str, Array]) -> Array:
    """A tree in numbers, float64 where they are real."""
    (found,) = Tape([node], "float64").compute(node)(values)
    return found


def symbol_of(name: str) -> Symbol:
    """A tensor's symbol: its own name, ℓ for the loss and G for an upstream gradient."""
    if name in (LOSS, GIVEN):
        return Symbol("ℓ" if name == LOSS else "G")
    found = symbol(name)
    assert isinstance(found, Symbol)
    return found


def written(root: Node) -> Formula:
    """A tree as a formula; that a vector is a column, and a factor of ones, is not written."""
    made: dict[Node, Formula] = {}
    for node in ordered(root):
        if isinstance(node, Call):
            made[node] = written_call(node, made)
        elif isinstance(node, Constant):
            made[node] = number(node)
        elif isinstance(node, Tensor):
            made[node] = symbol(node.symbol) if node.symbol != node.name else symbol_of(node.name)
    return made[root]


def written_call(node: Call, made: Mapping[Node, Formula]) -> Formula:
    """One function as a formula."""
    operands = [made[one] for one in node.operands]
    if node.function is RESHAPE:
        sides = [[size for size in one.shape if size != 1] for one in (node, node.operands[0])]
        if sides[0] == sides[1]:
            return operands[0]
    if node.function is FILL and isinstance(node.operands[0], Constant):
        return operands[0]
    if isinstance(node.function, Pulled) and plain(node.operands[0]) is not None:
        return scaled_slope(node, operands)
    if node.function is PRODUCT and plain(node.operands[0]) == 1:
        return operands[1]
    return node.function.write(node, operands)


def scaled_slope(node: Call, operands: list[Formula]) -> Formula:
    """The slope of an activation times a number."""
    whole = node.function.write(node, operands)
    left, right = vars(whole).get("left"), vars(whole).get("right")
    alone = plain(node.operands[0]) == 1 and left == operands[0] and isinstance(right, Formula)
    return right if alone and isinstance(right, Formula) else whole


def plain(node: Node) -> float | None:
    """The number that a node is, or is filled with; None for anything else."""
    if isinstance(node, Constant):
        return node.value
    if isinstance(node, Call) and node.function is FILL:
        return plain(node.operands[0])
    if isinstance(node, Call) and node.function is PRODUCT:
        a, b = map(plain, node.operands)
        return None if a is None or b is None else a * b
    return None
