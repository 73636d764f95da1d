"""Mistakes that show in the value: its form, or a number that it is multiplied with."""

import numpy as np

from engine.answers.claim import Claim, equal
from engine.answers.expr import Expr
from engine.answers.names import Names
from engine.answers.reading import Reading
from engine.answers.scene import Scene
from engine.answers.target import close
from engine.answers.values import Unit, Value
from engine.answers.verdict import COLUMN, FLAT, ROW, TERM, TURNED, VECTOR_LOSS, Mistake
from engine.arrays import Array

SCALES = (
    ("×2", lambda s: 2.0), ("×½", lambda s: 0.5), ("sign", lambda s: -1.0),
    ("×K", lambda s: s["K"]), ("×1/K", lambda s: 1 / s["K"]),
    ("×N", lambda s: s["N"]), ("×1/N", lambda s: 1 / s["N"]),
    ("×n", lambda s: s["n"]), ("×h", lambda s: s["h"]),
)  # fmt: skip
SCALED = {
    "×2": "twice what is right", "×½": "half of what is right", "sign": "the sign is the other one",
    "×K": "a sum where the mean over the outputs is meant",
    "×1/K": "a mean over the outputs where the sum is meant",
    "×N": "a sum where the mean over the samples is meant",
    "×1/N": "a mean over the samples where the sum is meant",
}  # fmt: skip


def of_value(claim: Claim, one: Expr, layout: Reading) -> Mistake | None:
    """A mistake that shows in the value: its form, or a number it is multiplied with."""
    form = of_form(claim, one, layout) or of_scale(claim, one, layout)
    return form or of_penalty(claim, one, layout)


def of_penalty(claim: Claim, one: Expr, layout: Reading) -> Mistake | None:
    """A gradient without a multiple of its own parameter, which a penalty adds."""
    name = claim.target.wrt
    roles = {info.name: info.role for info in claim.scenes[0].program.tensors.values()}
    if name is None or roles[name] != "parameter":
        return None
    found: list[float] = []

    def lacking(value: Value, truth: Array, scene: Scene) -> bool:
        own = scene.value(name)
        own = own if own.shape == truth.shape else own.T
        if isinstance(value, Unit) or value.shape != truth.shape or own.shape != truth.shape:
            return False
        by = float(np.vdot(truth - value, own) / np.vdot(own, own))
        found.append(by)
        return close(value + by * own, truth) and abs(by - found[0]) <= 1e-9 * abs(by)

    if not claim.holds(one, layout, lacking):
        return None
    symbol = claim.scenes[0].program.tensors[name].symbol
    return Mistake(TERM, f"{found[0]:.6g} · {symbol}")


def of_form(claim: Claim, one: Expr, layout: Reading) -> Mistake | None:
    """A value of another form: a row for a column, a scalar for a matrix, a vector for the loss."""

    def lying(value: Value, truth: Array, scene: Scene) -> bool:
        return not isinstance(value, Unit) and value.ndim == 2 and close(value.T, truth)

    if claim.holds(one, layout, lying):
        rows, cols = claim.truth[0][layout].shape
        if 1 in (rows, cols):
            return Mistake(COLUMN if rows == 1 else ROW)
        return Mistake(TURNED, "", "the whole is the transpose of what is right")

    def flat(value: Value, truth: Array, scene: Scene) -> bool:
        if isinstance(value, Unit) or truth.shape[0] != truth.shape[1] or truth.size == 1:
            return False
        diagonal = np.diag(truth).reshape(-1, 1)
        if not close(np.diag(diagonal[:, 0]), truth):
            return False
        return equal_up(value, diagonal)

    if claim.holds(one, layout, flat):
        symbol = claim.target.symbol(Names(claim.scenes[0].program, frozenset()))
        size = claim.scenes[0].lettered(claim.truth[0][layout].shape)
        return Mistake(FLAT, symbol, f"it is {size}, with these on its diagonal")
    return of_loss(claim, one, layout)


def of_loss(claim: Claim, one: Expr, layout: Reading) -> Mistake | None:
    """A loss that is no number."""
    if claim.target.wrt is not None or claim.truth[0][layout].size > 1:
        return None
    if not claim.holds(one, layout, lambda v, *_: not isinstance(v, Unit) and v.size > 1):
        return None
    value = claim.value(one, layout, 0)
    assert not isinstance(value, Unit)
    return Mistake(VECTOR_LOSS, "", f"{claim.scenes[0].lettered(value.shape)}, not 1×1")


def equal_up(value: Array, diagonal: Array) -> bool:
    """Whether a value is this diagonal, as a vector or as the one number that is on it."""
    if value.size == 1:
        return close(np.full(diagonal.shape, float(value.reshape(()))), diagonal)
    return value.size == len(diagonal) and close(value.reshape(-1, 1), diagonal)


def of_scale(claim: Claim, one: Expr, layout: Reading) -> Mistake | None:
    """A value that is the truth times 2, ½, −1, K, N …"""
    for name, factor in SCALES:

        def scaled(value: Value, truth: Array, scene: Scene, factor=factor) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001
            try:
                by = float(factor(scene.letters))
            except KeyError:
                return False
            return by != 1.0 and nonzero(truth) and equal(value, truth * by)

        if claim.holds(one, layout, scaled):
            return Mistake(name, "", SCALED.get(name, ""))
    return None


def nonzero(truth: Array) -> bool:
    """Whether anything in it is not 0: all multiples of zeros are the same."""
    return bool(np.any(truth != 0))
