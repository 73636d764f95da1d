"""Convolutions and pools in lines: (N, C, T) or (N, C, H, W), with PyTorch's options."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.arrays import Array, Shape
from engine.formulas.tree import Formula
from engine.functions.conv_transpose import (
    conv_transpose,
    conv_transpose_shape,
    conv_transpose_vjp_w,
    conv_transpose_vjp_x,
)
from engine.functions.convolution import conv, conv_shape, conv_vjp_w, conv_vjp_x
from engine.functions.max_pooling import (
    max_places,
    max_pool,
    max_pool_shape,
    picked,
    put_back,
)
from engine.functions.pooling import (
    adaptive_avg_pool,
    adaptive_avg_pool_shape,
    adaptive_avg_pool_vjp,
    avg_pool,
    avg_pool_shape,
    avg_pool_vjp,
)
from engine.lines.algebra import SUM, coefficient, fill, number_times, reshaped
from engine.lines.node import Call, Kind, Misfit, Node, Primitive, call, described, misfit
from engine.lines.writing import Applied

Ints = tuple[int, ...]


def each(value: int | Ints, axes: int) -> Ints:
    """An option of one number for all spatial axes, or a number for each; Misfit for others."""
    found = (value,) * axes if isinstance(value, int) else tuple(value)
    if len(found) != axes:
        raise Misfit(f"{found}: one number, or {axes} of them")
    return found


def shown(value: Any) -> str:
    """One number where all axes have the same."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return str(value[0])
    return str(value)


def plain(name: str, value: Any) -> bool:
    """Whether an option says nothing: a stride of 1, a padding of 0."""
    zero = name in ("padding", "output_padding")
    return value in (0, (0,) * 3, (0,), (0, 0)) if zero else value in (1, (1,), (1, 1))


@dataclass(frozen=True)
class Spatial(Primitive):
    """A linear map of images and a filter bank, in each of both."""

    transposed: bool

    linear = True

    @property
    def name(self) -> str:  # type: ignore[override]
        return "conv_transpose" if self.transposed else "conv"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        x, w = operands
        shape = conv_transpose_shape if self.transposed else conv_shape
        return misfit(lambda: shape(x.shape, w.shape, **options))

    def value(self, *arrays: Array, **options: Any) -> Array:
        run = conv_transpose if self.transposed else conv
        return run(arrays[0], arrays[1], **options)

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        number, rest = coefficient(fill(grad, node.shape))
        assert rest is not None
        other = node.operands[1 - i]
        options = (*node.options, ("shape", node.operands[i].shape))
        return number_times(number, call(SpatialPull(self.transposed, i), (rest, other), options))

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        word = f"{self.name}{node.rank - 2}d"
        said = tuple(
            f"{name}={shown(value)}" for name, value in node.options if not plain(name, value)
        )
        return Applied(word, tuple(operands), said, lambda x, w: self.value(x, w, **options))


@dataclass(frozen=True)
class SpatialPull(Primitive):
    """The gradient of the images, or of the filters, from that of the result."""

    transposed: bool
    of: int

    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        grad, other = arrays
        shape = options.pop("shape")
        if self.transposed:
            options.pop("output_padding", None)
            if self.of == 0:
                return conv_transpose_vjp_x(grad, shape, other, **options)
            return conv_transpose_vjp_w(grad, other, shape, **options)
        if self.of == 0:
            return conv_vjp_x(grad, shape, other, **options)
        return conv_vjp_w(grad, other, shape, **options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        axes = node.operands[0].rank - 2
        word = f"conv{axes}d" if not self.transposed else f"conv_transpose{axes}d"
        mark = "ᵀ" if self.of == 0 else "_wᵀ"
        return Applied(
            f"{word}{mark}", tuple(operands), (), lambda g, o: self.value(g, o, **options)
        )


def pooled(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of a pool as they are written."""
    said = [shown(options["kernel"])]
    if options.get("stride") not in (None, options["kernel"]):
        said.append(f"stride={shown(options['stride'])}")
    if any(options.get("padding") or ()):
        said.append(f"padding={shown(options['padding'])}")
    return tuple(said)


class Largest(Primitive):
    """The largest element of each window of the last axes; the second operand is where it is.

    The places are found once, for the value and for what flows back.
    """

    name = "max_pool"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return operands[1].shape

    def value(self, *arrays: Array, **options: Any) -> Array:
        places: Any = arrays[1]
        return picked(arrays[0], places, len(options["kernel"]))

    def pull(self, node: Call, i: int, grad: Node) -> Node | None:
        if i:
            return None
        x, places = node.operands
        axes = (("axes", len(node.option("kernel"))), ("shape", x.shape))
        return call(PUT_BACK, (fill(grad, node.shape), places), axes)

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(self, (tangent, node.operands[1]), node.options)

    def kinks(self, node: Call) -> Sequence[Node]:
        return (node.operands[1],)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        word = f"max_pool{len(options['kernel'])}d"
        said = pooled(options)
        return Applied(word, (operands[0],), said, lambda x: max_pool(x, **options))


class Places(Primitive):
    """Where the largest element of each window is, by its number among those of the image."""

    name = "places"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return misfit(lambda: max_pool_shape(operands[0].shape, **options))

    def kind(self, operands: Sequence[Node]) -> Kind:
        return "whole"

    def value(self, *arrays: Array, **options: Any) -> Array:
        found: Any = max_places(arrays[0], **options)
        places: Array = found
        return places

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        return Applied("places", tuple(operands), (), lambda a: a)


class PutBack(Primitive):
    """A gradient put back where the largest elements are, zeros elsewhere."""

    name = "put_back"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        places: Any = arrays[1]
        return put_back(arrays[0], places, options["shape"], options["axes"])

    def push(self, node: Call, i: int, tangent: Node) -> Node:
        return call(self, (tangent, node.operands[1]), node.options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        axes, places = node.option("axes"), operands[1]
        of = places.operands if isinstance(places, Applied) else ()
        return Applied(f"max_pool{axes}dᵀ", (operands[0], *of), (), lambda g, *x: g)


class Mean(Primitive):
    """The mean of each window of the last axes."""

    name = "avg_pool"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        kept = {k: v for k, v in options.items() if k != "count_include_pad"}
        return misfit(lambda: avg_pool_shape(operands[0].shape, **kept))

    def value(self, *arrays: Array, **options: Any) -> Array:
        return avg_pool(arrays[0], **options)

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        options = (*node.options, ("shape", node.operands[0].shape))
        return call(SPREAD, (fill(grad, node.shape),), options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        word = f"avg_pool{len(options['kernel'])}d"
        return Applied(word, tuple(operands), pooled(options), lambda x: avg_pool(x, **options))


class Spread(Primitive):
    """A gradient spread over the windows that means were taken of."""

    name = "spread"
    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        shape = options.pop("shape")
        return avg_pool_vjp(arrays[0], shape, **options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        options = dict(node.options)
        word = f"avg_pool{len(options['kernel'])}dᵀ"
        return Applied(word, tuple(operands), (), lambda g: self.value(g, **options))


LARGEST, PLACES, PUT_BACK, MEAN_OF, SPREAD = Largest(), Places(), PutBack(), Mean(), Spread()


@dataclass(frozen=True)
class Adaptive(Primitive):
    """The mean over windows that make an output of a given size."""

    linear = True
    name = "adaptive_avg_pool2d"

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return misfit(lambda: adaptive_avg_pool_shape(operands[0].shape, options["out"]))

    def value(self, *arrays: Array, **options: Any) -> Array:
        return adaptive_avg_pool(arrays[0], options["out"])

    def pull(self, node: Call, i: int, grad: Node) -> Node:
        options = (("shape", node.operands[0].shape),)
        return call(AdaptivePull(), (fill(grad, node.shape),), options)

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        out = node.option("out")
        return Applied(
            self.name, tuple(operands), (shown(out),), lambda x: adaptive_avg_pool(x, out)
        )


@dataclass(frozen=True)
class AdaptivePull(Primitive):
    """The gradient spread over the windows of an adaptive pool."""

    linear = True

    def infer(self, operands: Sequence[Node], options: Mapping[str, Any]) -> Shape:
        return tuple(options["shape"])

    def value(self, *arrays: Array, **options: Any) -> Array:
        return adaptive_avg_pool_vjp(arrays[0], options["shape"])

    def write(self, node: Call, operands: Sequence[Formula]) -> Formula:
        shape = node.shape
        return Applied(
            "adaptive_avg_pool2dᵀ", tuple(operands), (), lambda g: adaptive_avg_pool_vjp(g, shape)
        )


def images(node: Node, axes: int) -> None:
    """Raise Misfit for what has not the axes of images."""
    if node.rank != axes + 2:
        shape = "(N, C, T)" if axes == 1 else "(N, C, H, W)"
        raise Misfit(f"{described(node)}: {shape} is needed")


def convolving(axes: int, transposed: bool = False) -> Callable[..., Node]:
    """conv1d, conv2d or their transpose, with a bias for each output channel."""

    def make(x: Node, K: Node, b: Node | None = None, **options: Any) -> Node:
        images(x, axes)
        if K.rank != axes + 2:
            raise Misfit(f"{described(K)}: filters have {axes + 2} axes")
        groups = options.pop("groups")
        spread = tuple((name, each(value, axes)) for name, value in options.items())
        made = call(Spatial(transposed), (x, K), (*spread, ("groups", groups)))
        if b is None:
            return made
        if b.shape != made.shape[1:2]:
            raise Misfit(f"{described(b)}: one number for each of {made.shape[1]} channels")
        return call(SUM, (made, reshaped(b, (*b.shape, *(1,) * axes))))

    return make


def pooling(axes: int, largest: bool) -> Callable[..., Node]:
    """max_pool and avg_pool; the stride is the kernel unless it is given."""

    def make(x: Node, kernel: Any, stride: Any, padding: Any, **more: Any) -> Node:
        if x.rank < axes:
            raise Misfit(f"{described(x)}: a pool takes {axes} axes or more")
        sizes = each(kernel, axes)
        options = {
            "kernel": sizes,
            "stride": sizes if stride is None else each(stride, axes),
            "padding": each(padding, axes),
        }
        if largest:
            options["dilation"] = each(more.get("dilation", 1), axes)
        else:
            options["count_include_pad"] = more.get("count_include_pad", True)
        options["ceil_mode"] = more.get("ceil_mode", False)
        given = tuple(options.items())
        if not largest:
            return call(MEAN_OF, (x,), given)
        return call(LARGEST, (x, call(PLACES, (x,), given)), given)

    return make


def adaptive(x: Node, out: Any) -> Node:
    """adaptive_avg_pool2d."""
    return call(Adaptive(), (x,), (("out", each(out, 2)),))
