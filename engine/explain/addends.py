"""Sums over many: which products are added up to make one element."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.explain.links import SPATIAL, spatial_pairs
from engine.explain.sources import (
    Element,
    fit,
    folded,
    numbered,
    ravelled,
    unfolded,
    unravelled,
)
from engine.explain.values import Place, Values
from engine.functions.pooling import (
    adaptive_avg_pool,
    adaptive_avg_pool_vjp,
    avg_pool,
    avg_pool_vjp,
)
from engine.lines.algebra import SUM_TO, fraction, summed_axes
from engine.lines.node import Call, Node, constant
from engine.lines.products import MATMUL, SUMMED_PRODUCT
from engine.lines.reductions import MEAN, TOTAL, axes_of
from engine.lines.spatial import MEAN_OF, PUT_BACK, SPREAD, Adaptive, AdaptivePull
from engine.lines.structure import SCATTER, key_of


@dataclass(frozen=True, eq=False)
class Addends:
    """The addends of one element: their values, (count,), and of each its factors, made on demand.

    A factor is an element of a node, and may be a number.
    """

    values: Array
    factors: Callable[[int], tuple[Element, ...]]


def addends(node: Node, place: Place, values: Values) -> Addends | None:
    """The addends of an element of a function that sums; None for any other one."""
    if not isinstance(node, Call):
        return None
    function = node.function
    if function is MATMUL:
        return of_product(node, place, values)
    if function is SUMMED_PRODUCT:
        return of_summed_product(node, place, values)
    if function in (TOTAL, MEAN, SUM_TO):
        return of_fold(node, place, values)
    if function is SCATTER or function is PUT_BACK:
        return of_scatter(node, place, values)
    if isinstance(function, SPATIAL):
        return of_pairs(node, place, values)
    if function in (MEAN_OF, SPREAD) or isinstance(function, Adaptive | AdaptivePull):
        return of_pool(node, place, values)
    return None


def sums(node: Node) -> bool:
    """Whether a function sums over many."""
    kinds = (*SPATIAL, Adaptive, AdaptivePull)
    ours = (MATMUL, SUMMED_PRODUCT, TOTAL, MEAN, SUM_TO, SCATTER, PUT_BACK, MEAN_OF, SPREAD)
    return isinstance(node, Call) and (node.function in ours or isinstance(node.function, kinds))


def of_product(node: Call, place: Place, values: Values) -> Addends:
    """Σₖ aᵢₖ bₖⱼ; either may be a vector, and axes before the last two broadcast."""
    a, b = node.operands
    count = node.rank - (a.rank > 1) - (b.rank > 1)
    lead, rest = place[:count], place[count:]
    row = (*fit(lead, a.shape[:-2]), rest[0]) if a.rank > 1 else ()
    head = fit(lead, b.shape[:-2])
    tail = rest[-1:] if b.rank > 1 else ()
    column: Any = (*head, slice(None), *tail)
    return Addends(
        values(a)[row] * values(b)[column],
        lambda k: ((a, (*row, k)), (b, (*head, k, *tail))),
    )


def of_summed_product(node: Call, place: Place, values: Values) -> Addends:
    """Σ aᵢₖ bₖⱼ over k and over all axes before the last two."""
    a, b = node.operands
    i, j = place
    left, right = values(a)[..., i, :], values(b)[..., j]

    def factors(number: int) -> tuple[Element, ...]:
        *lead, k = unravelled(number, left.shape)
        return (a, (*lead, i, k)), (b, (*lead, k, j))

    return Addends((left * right).reshape(-1), factors)


def of_fold(node: Call, place: Place, values: Values) -> Addends:
    """The sum or the mean over axes."""
    (a,) = node.operands
    if node.function is SUM_TO:
        axes = summed_axes(a.shape, node.shape)
        inner = place[max(0, len(place) - a.rank) :]
        kept = tuple(i for k, i in enumerate(inner, a.rank - len(inner)) if k not in axes)
        key = folded(a.shape, axes, kept, kept=False)
    else:
        axes = axes_of(a.shape, dict(node.options))
        key = folded(a.shape, axes, place, bool(node.option("keepdims")))
    found = np.asarray(values(a)[key]).reshape(-1)
    if node.function is not MEAN:
        return Addends(found, lambda k: ((a, unfolded(key, k, a.shape)),))
    part = fraction(1, max(found.size, 1))
    return Addends(found / found.size, lambda k: ((part, ()), (a, unfolded(key, k, a.shape))))


def of_scatter(node: Call, place: Place, values: Values) -> Addends:
    """The gradients that are put at one place."""
    grad = node.operands[0]
    if node not in values.maps:
        values.maps[node] = targets(node, values)
    chosen = np.flatnonzero(values.maps[node].reshape(-1) == ravelled(place, node.shape))
    found = values(grad).reshape(-1)[chosen]
    return Addends(found, lambda k: ((grad, unravelled(int(chosen[k]), grad.shape)),))


def targets(node: Call, values: Values) -> Any:
    """The number of the element of the result that each element of a gradient is added to."""
    numbers = numbered(node.shape)
    if node.function is SCATTER:
        return numbers[key_of(node.option("entries"), [values(i) for i in node.operands[1:]])]
    axes = node.option("axes")
    inside = int(np.prod(node.shape[-axes:]))
    lead = numbered(node.shape[:-axes]).reshape(*node.shape[:-axes], *(1,) * axes)
    return lead * inside + values(node.operands[1])


def of_pairs(node: Call, place: Place, values: Values) -> Addends:
    """The products of a convolution, or of what flows back through one."""
    left, right = spatial_pairs(node, place)
    a, b = node.operands
    products = values(a)[tuple(left.T)] * values(b)[tuple(right.T)]
    return Addends(
        products,
        lambda k: ((a, tuple(map(int, left[k]))), (b, tuple(map(int, right[k])))),
    )


def of_pool(node: Call, place: Place, values: Values) -> Addends:
    """The elements of a window, each with the share that it has."""
    (a,) = node.operands
    options = dict(node.options)
    unit = np.zeros(node.shape)
    unit[place] = 1.0
    if node.function is MEAN_OF:
        shares = avg_pool_vjp(unit, a.shape, **options)
    elif node.function is SPREAD:
        shares = avg_pool(unit, **{k: v for k, v in options.items() if k != "shape"})
    elif isinstance(node.function, Adaptive):
        shares = adaptive_avg_pool_vjp(unit, a.shape)
    else:
        shares = adaptive_avg_pool(unit, a.shape[-2:])
    chosen = np.flatnonzero(shares)
    parts = shares.reshape(-1)[chosen]

    def factors(k: int) -> tuple[Element, ...]:
        part = float(parts[k])
        number = fraction(1, round(1 / part)) if abs(1 / part - round(1 / part)) < 1e-9 else None
        share = constant(part) if number is None else number
        return (share, ()), (a, unravelled(int(chosen[k]), a.shape))

    return Addends(parts * values(a).reshape(-1)[chosen], factors)
