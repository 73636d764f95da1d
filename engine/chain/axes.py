"""Axes of a function's result and of its operand that are equal, as links of digits."""

from collections.abc import Sequence
from functools import lru_cache

from engine.arrays import Shape
from engine.jacobian.links import Link, Term, digits, equal, free_col, free_row
from engine.jacobian.terms import ordered


def dense(out: Shape, inner: Shape) -> Term:
    """Everything depends on everything."""
    return ordered([x for d in digits(out) for x in free_row(*d)] + [
        x for d in digits(inner) for x in free_col(*d)
    ])  # fmt: skip


def by_axes(
    out: Shape,
    inner: Shape,
    pairs: Sequence[tuple[int, int]] | None = None,
    mixed: Sequence[int] = (),
) -> Term:
    """Axes (of the result, of the operand) that are equal; any other one is free.

    Without ``pairs`` each axis is equal to itself but for those in ``mixed``.
    """
    if pairs is None:
        pairs = [(k, k) for k in range(len(out)) if k not in mixed]
    rows, cols = digits(out), digits(inner)
    links: list[Link] = []
    for a, b in pairs:
        links += equal(rows[a][0], cols[b][0], out[a])
    for k, digit in enumerate(rows):
        links += [] if any(k == a for a, _ in pairs) else free_row(*digit)
    for k, digit in enumerate(cols):
        links += [] if any(k == b for _, b in pairs) else free_col(*digit)
    return ordered(links)


@lru_cache(maxsize=256)
def aligned(out: Shape, inner: Shape) -> Term:
    """An operand that is broadcast: axes from the last on, where both have the same size."""
    lead = len(out) - len(inner)
    pairs = [(lead + k, k) for k, size in enumerate(inner) if size == out[lead + k]]
    return by_axes(out, inner, pairs)
