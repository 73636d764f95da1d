"""Layers of a line or two: linear, functions of each element, shapes, sums, joins, look-ups."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from math import prod
from typing import Annotated, ClassVar

from msgspec import Meta

from engine.functions.elementwise.identity import Identity
from engine.functions.function import Function
from engine.functions.options import Count, Probability
from engine.functions.softmax import LogSoftmax, Softmax
from engine.lines.node import Node, described
from engine.nn.line_row import LineRow, Unfit, Weight, Written, biased, names

FormulaText = Annotated[str, Meta(min_length=1, max_length=10_000)]


@dataclass(frozen=True)
class LinearRow(LineRow):
    """x Wᵀ + b over the last axis."""

    type: ClassVar[str] = "linear"
    roles: ClassVar[str] = "weight|bias"
    out: Count
    bias: bool = True

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank < 2:
            raise Unfit(f"{described(z)}; linear takes (N, …, n)")
        n = z.shape[-1]
        parameters = biased(self.bias, {"weight": Weight((self.out, n))}, (self.out,), n)
        return Written(f"out = linear(z{names(parameters)})", parameters)


@dataclass(frozen=True)
class Pointwise(LineRow):
    """An activation of the table of functions."""

    function: Function

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        kind = type(self.function)
        if kind is Identity:
            return Written("out = z")
        if kind in (Softmax, LogSoftmax):
            return Written(f"out = {kind.type}(z, axis=-1)")
        options = (f", {f.name}={getattr(self.function, f.name)!r}" for f in fields(kind))
        return Written(f"out = {kind.type}(z{''.join(options)})")


@dataclass(frozen=True)
class PReLURow(LineRow):
    """z where z > 0, else a ⊙ z; one a, or one for each channel."""

    type: ClassVar[str] = "prelu"
    roles: ClassVar[str] = "weight"
    num_parameters: Count = 1

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank < 2 or self.num_parameters not in (1, z.shape[1]):
            raise Unfit(f"{described(z)}: one number, or one for each channel", "num_parameters")
        wide = (self.num_parameters, *(1,) * (z.rank - 2))
        slope = f"reshape(weight, {', '.join(map(str, wide))})" if z.rank > 2 else "weight"
        parameters = {"weight": Weight((self.num_parameters,), 0.25)}
        return Written(f"out = prelu(z, {slope})", parameters)


@dataclass(frozen=True)
class DropoutRow(LineRow):
    """z ⊙ mask in training, z in evaluation."""

    type: ClassVar[str] = "dropout"
    p: Probability = 0.5

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        return Written("out = z * mask", mask=self.p) if training else Written("out = z")


@dataclass(frozen=True)
class FlattenRow(LineRow):
    """Several axes in one, those from ``start_dim`` to ``end_dim``."""

    type: ClassVar[str] = "flatten"
    start_dim: int = 1
    end_dim: int = -1

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if z.rank < 2:
            raise Unfit(f"{described(z)}; flatten takes (N, …)")
        for option in ("start_dim", "end_dim"):
            axis = getattr(self, option)
            if not -z.rank <= axis < z.rank:
                raise Unfit(f"{described(z)}: it has no axis {axis}", option)
        start, end = self.start_dim % z.rank, self.end_dim % z.rank
        if start > end:
            raise Unfit(f"axis {start} stands behind end_dim, axis {end}", "start_dim")
        if (start, end) == (1, z.rank - 1):
            return Written("out = flatten(z)")
        shape = (*z.shape[:start], prod(z.shape[start : end + 1]), *z.shape[end + 1 :])
        return Written(f"out = reshape(z, {', '.join(map(str, shape))})")


@dataclass(frozen=True)
class ReshapeRow(LineRow):
    """The same elements of each sample in another shape, which one size of −1 completes."""

    type: ClassVar[str] = "reshape"
    shape: Annotated[tuple[int, ...], Meta(max_length=16)]

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        elements, known = prod(z.shape[1:]), prod(size for size in self.shape if size != -1)
        odd = self.shape.count(-1)
        if odd > 1 or any(size < 1 for size in self.shape if size != -1):
            raise Unfit("sizes are 1 or more; one of them may be -1, the rest", "shape")
        if (elements % known if odd else elements != known) or not z.rank:
            said = f"a sample has {elements} elements"
            raise Unfit(f"{described(z)}: {said}, which are not {self.shape}", "shape")
        sizes = "".join(f", {elements // known if size == -1 else size}" for size in self.shape)
        return Written(f"out = reshape(z, {z.shape[0]}{sizes})")


@dataclass(frozen=True)
class AddRow(LineRow):
    """The sum of its inputs."""

    type: ClassVar[str] = "add"
    fewest: ClassVar[int] = 2
    most: ClassVar[int | None] = None

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        return Written(f"out = {' + '.join(numbered(inputs))}")


@dataclass(frozen=True)
class MultiplyRow(LineRow):
    """The product of its inputs, element by element."""

    type: ClassVar[str] = "multiply"
    fewest: ClassVar[int] = 2
    most: ClassVar[int | None] = None

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        return Written(f"out = {' * '.join(numbered(inputs))}")


@dataclass(frozen=True)
class ConcatRow(LineRow):
    """Its inputs one after the other along an axis."""

    type: ClassVar[str] = "concat"
    fewest: ClassVar[int] = 2
    most: ClassVar[int | None] = None
    axis: int = -1

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        if self.axis % max(inputs[0].rank, 1) == 0:
            raise Unfit("axis 0 is that of the samples: join along another one", "axis")
        return Written(f"out = concat({', '.join(numbered(inputs))}, axis={self.axis})")


@dataclass(frozen=True)
class ExpressionRow(LineRow):
    """A line of one's own over z, or over z1, z2, … where there are several inputs."""

    type: ClassVar[str] = "expression"
    most: ClassVar[int | None] = None
    formula: FormulaText

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        text = " ".join(self.formula.split())
        return Written(f"out = ({text})")


@dataclass(frozen=True)
class EmbeddingRow(LineRow):
    """For each whole number its row of a table (``num``, ``out``); ``dim`` is ``out``."""

    type: ClassVar[str] = "embedding"
    roles: ClassVar[str] = "weight"
    num: Count
    out: Count | None = None
    dim: Count | None = None

    def written(self, inputs: Sequence[Node], training: bool) -> Written:
        (z,) = inputs
        if (self.out is None) == (self.dim is None):
            raise Unfit("how many numbers stand for each: out, or dim, one of them", "out")
        if z.kind != "whole":
            raise Unfit(f"{described(z)} and holds real numbers; embedding takes whole ones")
        size = self.out if self.out is not None else self.dim
        assert size is not None
        return Written("out = embedding(weight, z)", {"weight": Weight((self.num, size), "normal")})


def numbered(inputs: Sequence[Node]) -> list[str]:
    """z1, z2, … for so many inputs."""
    return [f"z{i}" for i in range(1, len(inputs) + 1)]
