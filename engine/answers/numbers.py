"""Answers in numbers, held against the experiment's own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np

from engine.answers.expr import Expr, Unread
from engine.answers.forms import SCALED, SCALES
from engine.answers.mistakes import MISSING, TWICE
from engine.answers.names import Names
from engine.answers.reading import layout_of
from engine.answers.scene import Large, Scene
from engine.answers.target import Target
from engine.answers.verdict import COLUMN, FLAT, ROW, TURNED, Mistake
from engine.arrays import Array
from engine.errors import GradstepError
from engine.wording import shown
from engine.worksheet.rows import Layout

MOST = 2**20  # numbers of an answer
LOOSE = (0.005, 0.05)  # how far rounding to 0 or 1 decimals may go, of the largest element


@dataclass(frozen=True, eq=False)
class Place:
    """Where numbers are of: a sample or the batch, with the scene, and what it is called."""

    name: str
    scene: Scene


@dataclass(frozen=True)
class Agreement:
    """How numbers agree: with which place, in which layout, and whether rounded."""

    place: Place
    layout: Layout
    rounded: str
    oriented: bool  # whether the layout is seen in them


def array_of(said: Any) -> Array:
    """Nested lists, an array or a number as an array; raises Unread for anything else."""
    try:
        found = np.asarray(said)
    except (ValueError, TypeError, OverflowError):
        raise Unread("rows have different lengths", 0) from None
    if found.dtype.kind not in "iuf" or found.size == 0:
        raise Unread(f"is no number and no list of numbers: {shown(said)}", 0)
    if found.size > MOST or found.ndim > 8:
        raise Unread(f"{found.size:,} numbers are more than {MOST:,}", 0)
    return found.astype(np.float64)


def digits(given: Array) -> int:
    """The decimals that the numbers are written with, 17 at most."""
    flat = given.reshape(-1)[:256]
    for count in range(17):
        if np.array_equal(np.round(flat, count), flat):
            return count
    return 17


def agrees(given: Array, truth: Array) -> str | None:
    """None where numbers differ; else how they were rounded, nothing where they were not."""
    if given.shape != truth.shape:
        return None
    # NaN and infinities are right where they stand; the others are held against the finite ones.
    finite = np.isfinite(truth)
    if not np.array_equal(given[~finite], truth[~finite], equal_nan=True):
        return None
    given, truth = given[finite], truth[finite]
    if not np.isfinite(given).all():
        return None
    size = float(np.max(np.abs(truth), initial=0.0))
    apart = float(np.max(np.abs(given - truth), initial=0.0))
    if apart <= 1e-9 + 1e-6 * size:
        return ""
    count = digits(given)
    near = count >= len(LOOSE) or apart <= LOOSE[count] * size
    if apart <= 0.501 * 10.0**-count and near:
        return f"rounded to {count} decimals"
    return None


def shapes_of(given: Array, truth: Array) -> Iterator[tuple[Array, bool]]:
    """The numbers as a matrix that may be compared, and whether they lie in a direction."""
    if given.ndim == 2:
        yield given, 1 in truth.shape and truth.size > 1
    elif given.size == truth.size and (given.ndim > 2 or 1 in truth.shape):
        yield given.reshape(truth.shape), False


def agreements(target: Target, given: Array, places: Sequence[Place]) -> Iterator[Agreement]:
    """Every way in which the numbers are right."""
    for place in places:
        for layout, truth in variants(target, place.scene):
            for flat, oriented in shapes_of(given, truth):
                rounded = agrees(flat, truth)
                if rounded is not None:
                    yield Agreement(place, layout, rounded, oriented)


def variants(target: Target, scene: Scene) -> Iterator[tuple[Layout, Array]]:
    """What the numbers may be: each layout; of a gradient of the batch its own shape too."""
    try:
        for reading, truth in target.truths(scene).items():
            if reading != "transposed":
                yield layout_of(reading), truth
        if target.wrt is not None and scene.sample is None:
            jacobian = scene.jacobian(target.of, target.wrt)
            if len(jacobian) == 1:
                yield "gradient", scene.gradient(target.of, target.wrt)
    except (GradstepError, Large):
        return


def number_mistakes(
    target: Target,
    given: Array,
    places: Sequence[Place],
    updated: Scene | None,
    names: Names,
    chain: Expr | None,
) -> tuple[Mistake, ...]:
    """What is wrong with numbers that are not right, as far as it can be told."""
    for place in places:
        for _layout, truth in variants(target, place.scene):
            for flat, _ in shapes_of(given, truth):
                if agrees(flat.T, truth) is not None:
                    rows, cols = truth.shape
                    return (Mistake(COLUMN if rows == 1 else ROW if cols == 1 else TURNED),)
                for name, scale in scales(flat, truth, place.scene):
                    return (Mistake(name, "", scale),)
        for truth in (t for layout, t in variants(target, place.scene) if layout == "numerator"):
            if (
                truth.shape[0] == truth.shape[1]
                and given.size in (1, len(truth))
                and len(truth) > 1
            ):
                diagonal = np.diag(truth)
                same = agrees(np.resize(given.reshape(-1), diagonal.shape), diagonal) is not None
                if same and np.array_equal(np.diag(diagonal), truth):
                    said = f"it is {len(truth)}×{len(truth)}, with these on its diagonal"
                    return (Mistake(FLAT, "", said),)
    for mistake, value in mutants(places, chain, updated, names, target):
        for flat, _ in shapes_of(given, value):
            if agrees(flat, value) is not None:
                return (mistake,)
    return (difference(target, given, places),)


def scales(given: Array, truth: Array, scene: Scene) -> Iterator[tuple[str, str]]:
    """The numbers that the truth may have been multiplied with."""
    if not np.any(truth):
        return
    for name, factor in SCALES:
        try:
            by = float(factor(scene.letters))
        except KeyError:
            continue
        if by != 1.0 and agrees(given, truth * by) is not None:
            yield name, SCALED.get(name, "")


def mutants(
    places: Sequence[Place],
    chain: Expr | None,
    updated: Scene | None,
    names: Names,
    target: Target,
) -> Iterator[tuple[Mistake, Array]]:
    """What the numbers would be after a mistake in the product; or with parameters after update."""
    if updated is not None and target.wrt is not None:
        for place in places:
            for one in names.program.parameters:
                if one.name != target.wrt:
                    moved = place.scene.with_values({one.name: updated.tensors[one.name]})
                    symbol = names.symbol(one.name)
                    said = f"{symbol} as it is after the update"
                    for _, truth in variants(target, moved):
                        yield Mistake("computed with the updated parameter", symbol, said), truth
    factors = chain.args if chain is not None and chain.op == "product" else ()
    for place in places:
        for i, factor in enumerate(factors):
            rest = factors[:i] + factors[i + 1 :]
            twice = factors[: i + 1] + factors[i:]
            for reason, changed in ((MISSING, rest), (TWICE, twice)):
                for value in worth(changed, target, place.scene):
                    yield Mistake(reason, factor.text), value


def worth(factors: Sequence[Expr], target: Target, scene: Scene) -> Iterator[Array]:
    """Jacobians multiplied, in both layouts; nothing where they do not conform."""
    assert target.wrt is not None
    try:
        arrays = [scene.jacobian(*factor.data[:2]) for factor in factors]
    except (GradstepError, Large):
        return
    if not arrays or any(a.shape[1] != b.shape[0] for a, b in pairwise(arrays)):
        return
    value, shape = reduce(np.matmul, arrays), scene.shape(target.wrt)
    if len(value) == 1 and len(shape) == 2 and value.size == shape[0] * shape[1]:
        value = value.reshape(shape)
    yield value
    yield value.T


def difference(target: Target, given: Array, places: Sequence[Place]) -> Mistake:
    """Where numbers differ first, or their dimensions."""
    if not places:
        return Mistake("there is nothing to compare with")
    truths = list(variants(target, places[0].scene))
    if not truths:
        return Mistake("there is nothing to compare with")
    for _, truth in truths:
        for flat, _ in shapes_of(given, truth):
            if flat.shape == truth.shape:
                return first_apart(flat, truth, given.ndim)
    sizes = dict.fromkeys("×".join(map(str, truth.shape)) for _, truth in truths)
    found = "×".join(map(str, given.shape)) or "a number"
    return Mistake("dimensions", "", f"{found}, where it is {' or '.join(sizes)}")


def first_apart(given: Array, truth: Array, axes: int) -> Mistake:
    """The first element that differs, with an index for each axis of the answer."""
    bad = ~np.isclose(given, truth, rtol=1e-3, atol=1e-9)
    places = np.argwhere(bad if bad.any() else given != truth)
    if not len(places):
        return Mistake("rounded too far")
    at = tuple(int(i) for i in places[0])
    where = str(max(at)) if axes == 1 else ", ".join(map(str, at))
    said = f"[{where}] is {truth[at]:.6g}, not {given[at]:.6g}"
    return Mistake("the first element that differs", "", said)
