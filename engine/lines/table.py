"""The functions that lines may call: a row each, with how arguments become operands and options."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from engine.functions.elementwise.dropout import Dropout
from engine.functions.elementwise.identity import Identity
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.functions.function import Elementwise
from engine.functions.losses.loss import Loss
from engine.functions.table import ACTIVATIONS
from engine.lines import normal
from engine.lines.algebra import PRODUCT, RESHAPE, SUM, Permute, permuted, reshaped, transposed
from engine.lines.elementwise import CLIP, COMPARISONS, MAXIMUM, MINIMUM, UNARY, WHERE, Activated
from engine.lines.losses import LossOf, OfSample, Terms
from engine.lines.node import Misfit, Node, Primitive, call, constant, described
from engine.lines.products import MATMUL
from engine.lines.reductions import REDUCTIONS, VARIANCE
from engine.lines.softmaxes import LOG_SOFTMAX_OF, SOFTMAX_OF
from engine.lines.spatial import adaptive, convolving, pooling
from engine.lines.structure import (
    CONCAT,
    INDEX,
    ONE_HOT,
    ONES,
    PAD,
    RANGE,
    REPEAT,
    STACK,
    ZEROS,
    part,
)

Make = Callable[..., Node]
REQUIRED = object()


@dataclass(frozen=True)
class Option:
    """An argument that is no tensor: known when the lines are read.

    ``kind`` is int, float, bool, str, ``axes`` (a whole number or a tuple of them), ``sizes``
    (whole numbers, as many as there are) or ``pairs`` (a pair for each axis).
    """

    name: str
    kind: Any
    default: Any = REQUIRED


@dataclass(frozen=True)
class Row:
    """A function of lines: its tensors by name, its options, and what makes the node.

    A tensor whose name ends in ``=`` may be left out; one that begins with ``*`` takes all the
    arguments that are left.
    """

    name: str
    tensors: tuple[str, ...]
    options: tuple[Option, ...]
    make: Make
    summary: str

    @property
    def signature(self) -> str:
        """How it is written."""
        words = [f"{t[:-1]}=None" if t.endswith("=") else t for t in self.tensors]
        for option in self.options:
            if option.kind == "sizes":
                words.append(f"*{option.name}")
            elif option.default is REQUIRED:
                words.append(option.name)
            else:
                shown = f'"{option.default}"' if isinstance(option.default, str) else option.default
                words.append(f"{option.name}={shown}")
        return f"{self.name}({', '.join(words)})"


def plain(function: Primitive) -> Make:
    """A function whose options are all its own."""

    def make(*operands: Node, **options: Any) -> Node:
        return call(function, operands, tuple(options.items()))

    return make


def folding(function: Primitive) -> Make:
    """A reduction, without the options that say nothing."""

    def make(operand: Node, **options: Any) -> Node:
        kept = {"axis": options.pop("axis"), "keepdims": options.pop("keepdims")}
        kept |= {name: value for name, value in options.items() if value}
        return call(function, (operand,), tuple(kept.items()))

    return make


def transpose(z: Node, axes: Sequence[int]) -> Node:
    """All axes in another order; none named: reversed."""
    order = tuple(axes) or tuple(reversed(range(z.rank)))
    Permute().infer((z,), {"axes": tuple(k % z.rank if z.rank else k for k in order)})
    return permuted(z, tuple(k % z.rank for k in order))


def padded(z: Node, widths: Any) -> Node:
    """Zeros around; one number is the width on every side of the last two axes."""
    if isinstance(widths, int):
        kept = max(z.rank - 2, 0)
        widths = ((0, 0),) * kept + ((widths, widths),) * (z.rank - kept)
    return call(PAD, (z,), (("widths", tuple(tuple(pair) for pair in widths)),))


def causal(z: Node) -> Node:
    """Scores (…, T, S) with −∞ where the column is behind the row: its step is yet to come."""
    if z.rank < 2:
        raise Misfit(f"{described(z)}: causal takes scores (…, T, S)")
    rows, columns = (call(RANGE, (), (("size", size),)) for size in z.shape[-2:])
    whole: tuple[Any, ...] = ("slice", None, None, None)
    below = call(INDEX, (rows,), (("entries", (whole, ("new",))),))
    (known,) = (one for one in COMPARISONS if one.name == ">=")
    return call(WHERE, (call(known, (below, columns)), z, constant(-math.inf)))


def dropped(z: Node, mask: Node) -> Node:
    """z * mask: any 1/p is in the mask."""
    return call(PRODUCT, (z, mask))


def embedded(table: Node, index: Node) -> Node:
    """C[ix]."""
    return call(INDEX, (table, index), (("entries", (("by", 0),)),))


def sloped(z: Node, a: Node) -> Node:
    """z where z > 0, else a z."""
    above = call(COMPARISONS[0], (z, constant(0.0)))
    return call(WHERE, (above, z, call(PRODUCT, (a, z))))


def gated(z: Node, axis: int) -> Node:
    """a σ(b), of the halves a and b of z along an axis."""
    if not -z.rank <= axis < z.rank or z.shape[axis] % 2:
        raise Misfit(f"{described(z)}: glu takes an axis with an even size")
    k, half = axis % z.rank, z.shape[axis] // 2
    gate = call(Activated(Sigmoid()), (part(z, k, half, 2 * half),))
    return call(PRODUCT, (part(z, k, 0, half), gate))


def linear(x: Node, weight: Node, bias: Node | None = None) -> Node:
    """x Wᵀ + b."""
    if weight.rank < 2:
        raise Misfit(f"{described(weight)}: linear takes a weight (out, in)")
    product = call(MATMUL, (x, transposed(weight)))
    return product if bias is None else call(SUM, (product, bias))


def losing(kind: type[Loss], sample: bool) -> Make:
    """A loss, of a batch or of one sample; with the reduction ``none`` its terms."""

    def make(yhat: Node, y: Node, **options: Any) -> Node:
        reduction = options.pop("reduction")
        if "of_rows" in {f.name for f in fields(kind)}:
            options["of_rows"] = y.kind == "real"
        if reduction not in ("none", "sum", "mean", "batch_mean"):
            raise Misfit(f'reduction "{reduction}"; allowed: none, sum, mean, batch_mean')
        if sample:
            return call(OfSample(kind(reduction=reduction, **options)), (yhat, y))
        if reduction == "none":
            return call(Terms(kind(reduction="sum", **options)), (yhat, y))
        return call(LossOf(kind(reduction=reduction, **options)), (yhat, y))

    return make


AXIS = Option("axis", "axes", None)
KEEP = Option("keepdims", bool, False)


def loss_rows(losses: Mapping[str, type[Loss]], sample: bool = False) -> list[Row]:
    """A row for each loss, with the options of its own."""
    rows = []
    for name, kind in losses.items():
        own = [
            Option(f.name, "numbers" if f.default == () else type(f.default), f.default)
            for f in fields(kind)
            if f.name not in ("of_rows", "reduction")
        ]
        options = (Option("reduction", str, "mean"), *own)
        said = (kind.__doc__ or "").partition("\n")[0]
        rows.append(Row(name, ("yhat", "y"), options, losing(kind, sample), said))
    return rows


def activation_rows() -> list[Row]:
    """A row for each activation of layers that takes each element alone."""
    rows = []
    for kind in ACTIVATIONS:
        if kind is Identity or kind is Dropout or not issubclass(kind, Elementwise):
            continue
        options = tuple(Option(f.name, type(f.default), f.default) for f in fields(kind))
        said = (kind.__doc__ or "").partition("\n")[0]
        rows.append(Row(kind.type, ("z",), options, activating(kind), said))
    return rows


def activating(kind: type[Elementwise]) -> Make:
    """An activation with its options."""
    return lambda z, **options: call(Activated(kind(**options)), (z,))


def rows() -> list[Row]:
    """The functions that are no losses."""
    z, ab = ("z",), ("a", "b")
    return [
        *(Row(one.name, z, (), plain(one), f"{one.name} of each element") for one in UNARY),
        *activation_rows(),
        Row("where", ("c", "a", "b"), (), plain(WHERE), "a where c holds, else b"),
        Row("maximum", ab, (), plain(MAXIMUM), "the larger of each pair"),
        Row("minimum", ab, (), plain(MINIMUM), "the smaller of each pair"),
        Row(
            "clip",
            z,
            (Option("low", float), Option("high", float)),
            plain(CLIP),
            "z kept within bounds",
        ),
        *(
            Row(
                one.name,
                z,
                (AXIS, KEEP, Option("correction", int, 0))
                if isinstance(one, type(VARIANCE))
                else (AXIS, KEEP),
                folding(one),
                (one.__doc__ or "").partition("\n")[0],
            )
            for one in REDUCTIONS
        ),
        Row("softmax", z, (Option("axis", int, -1),), plain(SOFTMAX_OF), "exp z / Σ exp z"),
        Row("log_softmax", z, (Option("axis", int, -1),), plain(LOG_SOFTMAX_OF), "its logarithm"),
        Row("reshape", z, (Option("shape", "sizes"),), plain_shape, "the same elements"),
        Row("flatten", z, (), flattened, "all axes but the first in one"),
        Row("transpose", z, (Option("axes", "sizes"),), transpose, "the axes in another order"),
        Row("concat", ("*tensors",), (Option("axis", int, -1),), plain(CONCAT), "joined"),
        Row("stack", ("*tensors",), (Option("axis", int, 0),), plain(STACK), "on a new axis"),
        Row("pad", z, (Option("widths", "pairs"),), padded, "zeros around"),
        Row(
            "repeat",
            z,
            (Option("times", int), Option("axis", int, 0)),
            plain(REPEAT),
            "each slice so many times",
        ),
        Row("one_hot", ("y",), (Option("classes", int),), plain(ONE_HOT), "rows with a 1"),
        Row("zeros", (), (Option("shape", "sizes"),), plain(ZEROS), "zeros of a shape"),
        Row("ones", (), (Option("shape", "sizes"),), plain(ONES), "ones of a shape"),
        *spatial_rows(),
        *normal_rows(),
        Row("causal", z, (), causal, "−∞ above the diagonal of the last two axes"),
        Row("prelu", ("z", "a"), (), sloped, "z where z > 0, else a z"),
        Row("glu", z, (Option("axis", int, -1),), gated, "a σ(b), of the halves a and b of z"),
        Row("dropout", ("z", "mask"), (), dropped, "z * mask"),
        Row("embedding", ("C", "ix"), (), embedded, "C[ix]"),
        Row("linear", ("x", "weight", "bias="), (), linear, "x Wᵀ + b"),
        Row("matmul", ab, (), plain(MATMUL), "a @ b"),
        Row("dot", ab, (), plain(MATMUL), "a @ b"),
    ]


def spatial_rows() -> list[Row]:
    """Convolutions and pools."""
    one, zero = ("stride", 1), ("padding", 0)
    found = []
    for axes in (1, 2):
        options = [Option(n, "pair", v) for n, v in (one, zero, ("dilation", 1))]
        options.append(Option("groups", int, 1))
        tensors = ("x", "K", "b=")
        said = "a filter bank slid over x, PyTorch's"
        found.append(Row(f"conv{axes}d", tensors, tuple(options), convolving(axes), said))
        more = [Option(n, "pair", v) for n, v in (one, zero, ("output_padding", 0))]
        more += [Option("groups", int, 1), Option("dilation", "pair", 1)]
        back = convolving(axes, transposed=True)
        said = "the transpose of a convolution"
        found.append(Row(f"conv_transpose{axes}d", tensors, tuple(more), back, said))
        shared = (
            Option("kernel", "pair"),
            Option("stride", "pair", None),
            Option("padding", "pair", 0),
        )
        ceil = Option("ceil_mode", bool, False)
        largest = (*shared, Option("dilation", "pair", 1), ceil)
        said = "the largest of each window"
        found.append(Row(f"max_pool{axes}d", ("x",), largest, pooling(axes, True), said))
        mean = (*shared, ceil, Option("count_include_pad", bool, True))
        said = "the mean of each window"
        found.append(Row(f"avg_pool{axes}d", ("x",), mean, pooling(axes, False), said))
    out = (Option("out", "pair"),)
    said = "means that make an output of this size"
    return [*found, Row("adaptive_avg_pool2d", ("x",), out, adaptive, said)]


def normal_rows() -> list[Row]:
    """Normalizations."""
    tensors, eps = ("z", "gamma=", "beta="), Option("eps", float, 1e-5)
    groups = Option("groups", int, 1)
    return [
        Row("batch_norm", tensors, (eps,), normal.batch, "over the batch, γ ẑ + β"),
        Row("layer_norm", tensors, (eps,), normal.layer, "over the last axes, γ ẑ + β"),
        Row("group_norm", tensors, (groups, eps), normal.group, "over groups of channels"),
    ]


def plain_shape(z: Node, shape: Sequence[int]) -> Node:
    """Reshape; one size may be −1."""
    sizes = RESHAPE.infer((z,), {"shape": tuple(shape)})
    return reshaped(z, sizes)


def flattened(z: Node) -> Node:
    """All axes but the first in one."""
    return plain_shape(z, (z.shape[0], -1)) if z.rank > 1 else z
