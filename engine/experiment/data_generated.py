"""Generated data sets: spiral, moons, circles, blobs, a sine, a linear function.

Each is a pure function of the seed and its parameters. Rows stand in random order. The numbers
drawn do not depend on ``noise``, so that less noise moves the same points towards their curve.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.streams import stream

GENERATE = 2**31 + 3  # keeps the stream of generated data apart from all others
TURN = 4.0  # how far an arm of the spiral winds, in radians
INNER = 0.5  # the radius of the inner circle
SPREAD = 2.0  # the centres of blobs lie between ±SPREAD

Rng = np.random.Generator
Labels = NDArray[np.int64]
Classified = Callable[[Rng, Labels, float, int, int], Array]
Computed = Callable[[Rng, int, float, int], tuple[Array, Array]]


@dataclass(frozen=True)
class Recipe:
    """How a set is generated, and its defaults; None where a parameter does not belong to it.

    ``points`` gives inputs (N, n) for class indices (N,); ``values`` inputs and targets (N, 1).
    ``fixed`` is the number of inputs of a set that takes no ``features``.
    """

    meaning: str
    noise: float
    classes: int | None = None
    features: int | None = None
    fixed: int = 2
    points: Classified | None = None
    values: Computed | None = None


def along(labels: Labels, classes: int) -> Array:
    """How far each row is along the curve of its class, from 0 to 1 in even steps: (N,)."""
    out = np.empty(len(labels))
    order, start = np.argsort(labels, kind="stable"), 0  # one pass, however many classes there are
    for count in np.bincount(labels, minlength=classes).tolist():
        out[order[start : start + count]] = np.linspace(0, 1, count)
        start += count
    return out


def plane(x: Array, y: Array) -> Array:
    """Points (N, 2) by their two coordinates."""
    return np.stack([x, y], axis=1)


def spiral(rng: Rng, labels: Labels, noise: float, classes: int, _: int) -> Array:
    """Arms that wind outwards from the origin, (N, 2); noise turns a point by so many radians."""
    t = along(labels, classes)
    angle = 2 * np.pi * labels / classes + TURN * t + noise * rng.standard_normal(len(t))
    return plane(t * np.cos(angle), t * np.sin(angle))


def moons(rng: Rng, labels: Labels, noise: float, classes: int, _: int) -> Array:
    """Two half circles of radius 1, each reaching into the other, (N, 2)."""
    angle = np.pi * along(labels, classes)
    upper = plane(np.cos(angle), np.sin(angle))
    points = np.where(labels[:, None] == 0, upper, np.array([1.0, 0.5]) - upper)
    out: Array = points + noise * rng.standard_normal(points.shape)
    return out


def circles(rng: Rng, labels: Labels, noise: float, classes: int, _: int) -> Array:
    """A circle of radius 1 around one of radius ½, (N, 2)."""
    counts = np.bincount(labels, minlength=classes)
    # Steps of 1/count of a turn: after a whole one the last point would lie on the first.
    angle = 2 * np.pi * along(labels, classes) * (1 - 1 / np.maximum(counts, 2)[labels])
    radius = np.where(labels == 0, 1.0, INNER)
    points = plane(radius * np.cos(angle), radius * np.sin(angle))
    out: Array = points + noise * rng.standard_normal(points.shape)
    return out


def blobs(rng: Rng, labels: Labels, noise: float, classes: int, features: int) -> Array:
    """Normally distributed points around a random centre for each class, (N, features)."""
    centres = rng.uniform(-SPREAD, SPREAD, (classes, features))
    out: Array = centres[labels] + noise * rng.standard_normal((len(labels), features))
    return out


def sine(rng: Rng, rows: int, noise: float, _: int) -> tuple[Array, Array]:
    """y = sin(π x) for x between −1 and 1, both (N, 1)."""
    x = rng.uniform(-1, 1, (rows, 1))
    return x, np.sin(np.pi * x) + noise * rng.standard_normal((rows, 1))


def linear(rng: Rng, rows: int, noise: float, features: int) -> tuple[Array, Array]:
    """y = x a + b with a random slope for each input: x (N, features), y (N, 1)."""
    slopes, offset = rng.standard_normal((features, 1)), rng.standard_normal()
    x = rng.standard_normal((rows, features))
    return x, x @ slopes + offset + noise * rng.standard_normal((rows, 1))


RECIPES: dict[str, Recipe] = {
    "spiral": Recipe("arms that wind around each other", 0.2, classes=3, points=spiral),
    "moons": Recipe("two half circles that reach into each other", 0.1, points=moons),
    "circles": Recipe("a circle inside another", 0.05, points=circles),
    "blobs": Recipe("clouds around random centres", 0.5, 3, 2, points=blobs),
    "sine": Recipe("one period of a sine", 0.1, fixed=1, values=sine),
    "linear": Recipe("a linear function of the inputs", 0.1, features=1, values=linear),
}


def columns_of(name: str, features: int | None) -> int:
    """The number of inputs of a set; ``features``, where it takes them."""
    recipe = RECIPES[name]
    return recipe.fixed if recipe.features is None else features or recipe.features


def bytes_needed(name: str, rows: int, classes: int | None, features: int | None) -> int:
    """The most bytes that generating a set takes at a time: x, what x is made of, the centres."""
    columns = columns_of(name, features)
    centres = (classes or RECIPES[name].classes or 2) * columns if name == "blobs" else 0
    return 8 * (rows * (3 * columns + 4) + centres)


def generated(
    name: str,
    seed: int,
    rows: int,
    noise: float | None = None,
    classes: int | None = None,
    features: int | None = None,
) -> tuple[Array, Any, int]:
    """Inputs (N, n), targets and the number of classes.

    Targets are class indices (N,), or rows (N, 1) where there are 0 classes.
    """
    recipe, rng = RECIPES[name], stream(seed, GENERATE)
    spread = recipe.noise if noise is None else noise
    columns = columns_of(name, features)
    if recipe.values is not None:
        return *recipe.values(rng, rows, spread, columns), 0
    assert recipe.points is not None
    kinds = classes or recipe.classes or 2
    # Classes of equal size as far as whole rows allow; of fewer rows than classes, one of each.
    labels = rng.permutation(np.arange(rows) * kinds // rows if rows >= kinds else np.arange(rows))
    return recipe.points(rng, labels, spread, kinds, columns), labels, kinds
