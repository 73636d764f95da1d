"""Batch, layer and group normalization in lines, with the statistics of what they are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula
from engine.functions.batch_norm import batch_norm, batch_norm_product, batch_norm_shape
from engine.functions.normalization import (
    group_norm,
    group_norm_product,
    group_norm_shape,
    layer_norm,
    layer_norm_product,
)
from engine.lines.algebra import fill, minus, over, plus, power, reshaped, times
from engine.lines.node import Call, Misfit, Node, Primitive, call, constant, described, misfit
from engine.lines.reductions import MEAN, VARIANCE
from engine.lines.writing import Applied


@dataclass(frozen=True)
class Standard(Primitive):
    """(z − mean) / √(var + ε), over the batch, over the last axes, or over groups of channels.

    ``over`` is batch, layer or group; the option ``parts`` is the number of axes or of groups.
    """

    over: str

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"{self.over}_norm"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        (z,), parts = operands, options["parts"]
        if self.over == "layer" and not 1 <= parts <= z.rank:
            raise Misfit(f"{described(z)}: it has no {parts} axes to normalize over")
        if self.over != "layer" and z.rank < 2:
            raise Misfit(f"{described(z)}: (N, C) or (N, C, …) is needed")
        if self.over == "group" and z.shape[1] % parts:
            raise Misfit(f"{described(z)}: {z.shape[1]} channels make no {parts} groups")
        if self.over == "batch":
            return misfit(lambda: batch_norm_shape(z.shape))
        return misfit(lambda: group_norm_shape(z.shape, parts)) if self.over == "group" else z.shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        z, eps, parts = arrays[0], options["eps"], options["parts"]
        if self.over == "batch":
            return batch_norm(z, eps)
        run = layer_norm if self.over == "layer" else group_norm
        return run(z, parts, eps)

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        grad = fill(grad, node.shape)
        return call(StandardProduct(self.over, "ᵀ"), (grad, node.operands[0]), node.options)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(StandardProduct(self.over, "′"), (tangent, node.operands[0]), node.options)

    def definition(self, node: Call) -> Node | None:
        """The equations of a lecture: mean, variance, root."""
        (z,), eps = node.operands, node.option("eps")
        if self.over == "group":
            return None
        axes = (
            tuple(range(z.rank - node.option("parts"), z.rank))
            if self.over == "layer"
            else tuple(k for k in range(z.rank) if k != 1)
        )
        options = (("axis", axes), ("keepdims", True))
        away = minus(z, call(MEAN, (z,), options))
        spread = power(plus(call(VARIANCE, (z,), options), constant(eps)), constant(0.5))
        return over(away, spread)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        parts = () if self.over == "batch" else (str(options["parts"]),)
        return Applied(self.name, tuple(operands), parts, lambda z: self.value(z, **options))


@dataclass(frozen=True)
class StandardProduct(Primitive):
    """The Jacobian of a normalization, through its mean and its variance too, times a direction.

    It is symmetric: of a gradient this is what flows back, of a tangent the derivative along it,
    which ``mark`` says.
    """

    over: str
    mark: str

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[1].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        direction, z = arrays
        eps, parts = options["eps"], options["parts"]
        if self.over == "batch":
            return batch_norm_product(direction, z, eps)
        run = layer_norm_product if self.over == "layer" else group_norm_product
        return run(direction, z, parts, eps)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        name = f"{self.over}_norm{self.mark}"
        return Applied(name, tuple(operands), (), lambda d, z: self.value(d, z, **options))


def scaled(made: Node, gamma: Node | None, beta: Node | None, axis: int | None) -> Node:
    """γ ⊙ ẑ + β; with an ``axis`` both are of the channels there."""
    for one in (gamma, beta):
        if (
            one is not None
            and axis is not None
            and one.shape
            not in (
                made.shape[axis : axis + 1],
                (1, *made.shape[axis : axis + 1]),
            )
        ):
            raise Misfit(f"{described(one)}: one number for each of {made.shape[axis]} channels")
    if gamma is not None:
        made = times(along(gamma, made, axis), made)
    return made if beta is None else plus(made, along(beta, made, axis))


def along(one: Node, made: Node, axis: int | None) -> Node:
    """A number for each channel, with the axes behind it that broadcast."""
    if axis is None or made.rank == axis + 1:
        return one
    return reshaped(one, (made.shape[axis], *(1,) * (made.rank - axis - 1)))


def batch(z: Node, gamma: Node | None = None, beta: Node | None = None, eps: float = 1e-5) -> Node:
    """batch_norm(z, gamma, beta): with the batch's statistics."""
    made = call(Standard("batch"), (z,), (("eps", eps), ("parts", 1)))
    return scaled(made, gamma, beta, 1)


def layer(z: Node, gamma: Node | None = None, beta: Node | None = None, eps: float = 1e-5) -> Node:
    """layer_norm(z, gamma, beta): over the axes that gamma has, the last one without it."""
    parts = max(gamma.rank if gamma is not None else 1, 1)
    made = call(Standard("layer"), (z,), (("eps", eps), ("parts", parts)))
    return scaled(made, gamma, beta, None)


def group(
    z: Node,
    gamma: Node | None = None,
    beta: Node | None = None,
    groups: int = 1,
    eps: float = 1e-5,
) -> Node:
    """group_norm(z, gamma, beta, groups): over groups of channels."""
    made = call(Standard("group"), (z,), (("eps", eps), ("parts", groups)))
    return scaled(made, gamma, beta, 1)
