"""What functions are in lines of one sample: no axis of samples, and vectors are columns."""

import math
from collections.abc import Callable
from dataclasses import replace

from engine.lines import normal
from engine.lines.algebra import SUM, reshaped
from engine.lines.node import Misfit, Node, call, described
from engine.lines.spatial import convolving
from engine.lines.structure import ONE_HOT
from engine.lines.table import Make, Row, rows


def sample_rows() -> list[Row]:
    """The rows that are otherwise in lines of one sample."""
    whole = {row.name: row for row in rows()}
    own: dict[str, Make] = {
        "one_hot": one_hot,
        "flatten": flat,
        "layer_norm": layer_norm,
        "group_norm": group_norm,
        "batch_norm": batch_norm,
        "softmax": of_columns(whole["softmax"].make),
        "log_softmax": of_columns(whole["log_softmax"].make),
    }
    for axes in (1, 2):
        own[f"conv{axes}d"] = of_image(axes, convolving(axes))
        own[f"conv_transpose{axes}d"] = of_image(axes, convolving(axes, transposed=True))
    return [replace(whole[name], make=make) for name, make in own.items()]


def one_hot(y: Node, classes: int) -> Node:
    """A column with a 1."""
    made = call(ONE_HOT, (y,), (("classes", classes),))
    return made if y.rank else reshaped(made, (classes, 1))


def flat(z: Node) -> Node:
    """All elements in one column."""
    return reshaped(z, (size(z), 1))


def size(z: Node) -> int:
    """The number of elements."""
    return math.prod(z.shape)


def is_column(z: Node) -> bool:
    """Whether a tensor is a vector of one sample."""
    return z.rank == 2 and z.shape[1] == 1


def of_columns(make: Make) -> Make:
    """Along the elements of a column, for along its last axis there is one."""

    def of(z: Node, axis: int) -> Node:
        return make(z, axis=0 if is_column(z) and axis == -1 else axis)

    return of


def layer_norm(
    z: Node, gamma: Node | None = None, beta: Node | None = None, eps: float = 1e-5
) -> Node:
    """Over the whole column; of another tensor over the axes that gamma has, or the last one."""
    if gamma is None and is_column(z):
        return reshaped(normal.layer(reshaped(z, (size(z),)), None, None, eps), z.shape)
    return normal.layer(z, gamma, beta, eps)


def group_norm(
    z: Node,
    gamma: Node | None = None,
    beta: Node | None = None,
    groups: int = 1,
    eps: float = 1e-5,
) -> Node:
    """Over groups of the channels, the first axis."""
    one, other = (None if it is None else reshaped(it, (size(it),)) for it in (gamma, beta))
    return reshaped(normal.group(reshaped(z, (1, *z.shape)), one, other, groups, eps), z.shape)


def batch_norm(z: Node, *_: Node | None, **__: float) -> Node:
    """Refused: it mixes samples."""
    raise Misfit(f'batch_norm({described(z)}) mixes the samples: per = "batch" has it')


def of_image(axes: int, make: Callable[..., Node]) -> Make:
    """A convolution of one image, channels first, as PyTorch takes it without a batch."""

    def of(x: Node, K: Node, b: Node | None = None, **options: object) -> Node:
        if x.rank != axes + 1:
            shape = "(C, T)" if axes == 1 else "(C, H, W)"
            raise Misfit(f"{described(x)}: {shape} is needed, of one sample")
        made = make(reshaped(x, (1, *x.shape)), K, None, **options)
        made = reshaped(made, made.shape[1:])
        if b is None:
            return made
        if size(b) != made.shape[0]:
            raise Misfit(f"{described(b)}: one number for each of {made.shape[0]} channels")
        return call(SUM, (made, reshaped(b, (size(b), *(1,) * axes))))

    return of
