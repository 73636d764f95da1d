"""The sizes of lines as letters: axes that must agree have one, whatever their number.

An axis of x is n, of ŷ and y K, those that a shape of the experiment names keep their letter, and
what is in between is h, or h₁, h₂ …. A tensor of that name hides a letter: then the number stands.
"""

from collections.abc import Iterable, Mapping

from engine.experiment.spec import Experiment
from engine.formulas.symbols import subscript
from engine.formulas.tree import Size
from engine.lines.algebra import PERMUTE, RESHAPE
from engine.lines.line import Line
from engine.lines.node import Call, Node, Tensor, ordered, tensors
from engine.lines.products import MATMUL
from engine.lines.reductions import Reduction, axes_of
from engine.lines.softmaxes import AlongAxis
from engine.lines.structure import INDEX, REAL
from engine.worksheet.one_sample import EACH
from engine.worksheet.sample_loss import SampleLoss

Axis = tuple[Node, int]
ONE = Size("1")


class Axes:
    """Which axes agree: a union–find over the axes of all nodes of some lines."""

    def __init__(self, lines: Iterable[Line], leaves: Mapping[str, Tensor]) -> None:
        self.above: dict[Axis, Axis] = {}
        for line in lines:
            for node in ordered(line.root):
                if isinstance(node, Call):
                    self.learn(node)
            own = leaves.get(line.name)
            if own is not None:
                self.same(zip(each(own), each(line.root), strict=True))

    def find(self, axis: Axis) -> Axis:
        """The axis that stands for all that agree with this one."""
        while axis in self.above:
            axis = self.above[axis]
        return axis

    def same(self, pairs: Iterable[tuple[Axis, Axis]]) -> None:
        """Note that axes agree, where their sizes do: one of size 1 may only broadcast."""
        for a, b in pairs:
            one, other = self.find(a), self.find(b)
            if one != other and one[0].shape[one[1]] == other[0].shape[other[1]]:
                self.above[other] = one

    def learn(self, node: Call) -> None:
        """What a function says about the axes of its operands and of its result."""
        function, options = node.function, dict(node.options)
        if isinstance(function, (*EACH, AlongAxis)) or function is REAL:
            for one in node.operands:
                self.same(zip(reversed(each(node)), reversed(each(one)), strict=False))
        elif function is MATMUL and min(one.rank for one in node.operands) > 1:
            a, b = node.operands
            self.same([((a, a.rank - 1), (b, b.rank - 2))])
            self.same([((node, node.rank - 2), (a, a.rank - 2))])
            self.same([((node, node.rank - 1), (b, b.rank - 1))])
        elif function is PERMUTE:
            self.same(((node, i), (node.operands[0], k)) for i, k in enumerate(options["axes"]))
        elif function is RESHAPE:
            sides = [wide(node), wide(node.operands[0])]
            if [a.shape[k] for a, k in sides[0]] == [a.shape[k] for a, k in sides[1]]:
                self.same(zip(*sides, strict=True))
        elif isinstance(function, Reduction):
            inner = node.operands[0]
            kept = [k for k in range(inner.rank) if k not in axes_of(inner.shape, options)]
            if not options.get("keepdims"):
                self.same(((node, i), (inner, k)) for i, k in enumerate(kept))
        elif function is INDEX:
            self.index(node)
        elif isinstance(function, SampleLoss) and node.operands[1].rank:
            self.same(zip(*map(each, node.operands), strict=True))

    def index(self, node: Call) -> None:
        """Axes of which an index takes all, or that come after it."""
        inner, at, to = node.operands[0], 0, 0
        for entry in node.option("entries"):
            if entry[0] not in ("slice", "at"):
                return
            if entry[0] == "slice":
                self.same([((node, to), (inner, at))])
                to += 1
            at += 1
        rest = inner.rank - at
        self.same(((node, to + k), (inner, at + k)) for k in range(rest))


def each(node: Node) -> list[Axis]:
    """All axes of a node."""
    return [(node, k) for k in range(node.rank)]


def wide(node: Node) -> list[Axis]:
    """The axes of a node that are longer than 1."""
    return [axis for axis in each(node) if node.shape[axis[1]] != 1]


class Letters:
    """The letter of each axis of the tensors of some lines, and the number of each letter."""

    def __init__(
        self,
        experiment: Experiment,
        lines: tuple[Line, ...],
        leaves: Mapping[str, Tensor],
        output: str,
        columns: bool,
    ) -> None:
        self.leaves = leaves
        self.columns = columns
        self.axes = Axes(lines, leaves)
        self.hidden = set(leaves) | {"x", "y"}
        self.letters: dict[Axis, str] = {}
        self.numbers: dict[str, int] = {}
        if not columns:
            self.declare("x", "N", 0)
        for name in ("x", "y", output):
            self.declare(name, "n" if name == "x" else "K", -1)
        for name, spec in experiment.parameters.items():
            for k, letter in enumerate(spec.shape or ()):
                if isinstance(letter, str) and name in leaves:
                    self.note((leaves[name], k), letter)
        self.between(lines)

    def declare(self, name: str, letter: str, axis: int) -> None:
        """The letter of an axis of a tensor; of a column it is the first."""
        node = self.leaves.get(name)
        if node is not None and node.rank and (node.kind == "real" or axis == 0):
            column = self.columns and node.rank == 2 and node.shape[1] == 1
            self.note((node, 0 if column else axis % node.rank), letter)

    def note(self, axis: Axis, letter: str) -> None:
        """The letter of an axis that has none yet."""
        found = self.axes.find(axis)
        number = found[0].shape[found[1]]
        known = self.numbers.get(letter, number) == number
        if found not in self.letters and letter not in self.hidden and known:
            self.letters[found] = letter
            self.numbers[letter] = number

    def between(self, lines: tuple[Line, ...]) -> None:
        """The letters h of what the lines make."""
        found = []
        for line in lines:
            for node in (*tensors(line.root), self.leaves.get(line.name)):
                for axis in wide(node) if node is not None and node.kind == "real" else ():
                    one = self.axes.find(axis)
                    if one not in self.letters and one not in found:
                        found.append(one)
        single = len(found) == 1
        for i, one in enumerate(found, 1):
            self.note(one, "h" if single else f"h{subscript(i)}")

    def sizes(self, name: str) -> tuple[Size, ...]:
        """The size of each axis of a tensor, a number where it has no letter."""
        node = self.leaves[name]
        return tuple(self.size(axis) for axis in each(node))

    def size(self, axis: Axis) -> Size:
        """The size of an axis: 1 of a column's second one."""
        node, k = axis
        if self.columns and node.rank == 2 and node.shape[1] == 1 and k == 1:
            return ONE
        letter = self.letters.get(self.axes.find(axis))
        return Size(letter if letter is not None else str(node.shape[k]))


def flat(sizes: tuple[Size, ...]) -> Size:
    """The size of all axes in one, ``h·n``, without those of size 1."""
    found = [size for size in sizes if size != ONE]
    return Size("·".join(size.name for size in found)) if found else ONE


def count(size: Size, numbers: Mapping[str, int]) -> int:
    """The number that a size stands for: a letter, a number, or a product of them."""
    out = 1
    for part in size.name.split("·"):
        out *= numbers[part] if part in numbers else int(part)
    return out
