"""Where answers are tried: a network with numbers in it, the experiment's own or drawn at random.

Of one sample vectors are columns, and the loss is that of the sample alone; of a batch tensors have
the shapes that they have in the program. Sizes are drawn too where the experiment leaves them open:
all different, so that nothing conforms by accident.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from msgspec import structs

from engine.arrays import Array, Shape
from engine.chain.primals import Primals
from engine.chain.query import complete_at, query
from engine.errors import GradstepError
from engine.experiment.spec import Experiment, GivenSpec, LinearSpec, TrainingSpec
from engine.program.compiler import compile_program
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.op import Tensors
from engine.run.phases import Phase
from engine.worksheet.worksheet import worksheet

ENTRIES = 2**20  # of a Jacobian that is still made, 8 MiB
POOL = (5, 3, 7, 4, 6, 2, 8, 9, 10, 11)  # sizes to draw from
TRIES = 3


class Large(Exception):
    """A Jacobian that is too large to be made."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A program with the values of one forward pass; ``sample`` is the row looked at, or None."""

    program: Program
    tensors: Tensors
    sample: int | None
    kept: dict[tuple[str, str], Array] = field(default_factory=dict)

    @cached_property
    def primals(self) -> Primals:
        """Where Jacobians are taken."""
        return Primals(self.program, self.tensors, complete_at(self.program), sample=self.sample)

    @cached_property
    def letters(self) -> dict[str, int]:
        """The sizes by letter, N too."""
        return letters_of(self.program) | {"N": len(self.tensors["x"])}

    def shape(self, name: str) -> Shape:
        """The shape of a tensor as its Jacobians have it."""
        return self.primals.shape(name)

    def value(self, name: str) -> Array:
        """A tensor as a matrix: a vector is a column, a scalar (1, 1)."""
        info, found = self.program.tensors[name], np.asarray(self.tensors[name])
        if info.classes is not None and self.sample is not None:
            found = np.eye(info.classes)[found]
        if info.per_sample and self.sample is not None:
            found = found[self.sample]
        if found.ndim == 0:
            return found.reshape(1, 1)
        if found.ndim == 1 and info.per_sample and self.sample is None:
            return found.reshape(-1, 1)
        if found.ndim == 1:
            return found.reshape(-1, 1) if self.sample is not None else found.reshape(1, -1)
        return found if found.ndim == 2 else found.reshape(-1, 1)

    def jacobian(self, of: str, wrt: str) -> Array:
        """∂of/∂wrt in numerator layout, (size of ``of``) × (size of ``wrt``).

        Raises GradstepError where there is none, and Large where it is too large.
        """
        found = self.kept.get((of, wrt))
        if found is None:
            view = query(self.primals, of, wrt, self.sample)
            if math.prod(view.dims) > ENTRIES:
                raise Large(f"{view.symbol} has {math.prod(view.dims):,} entries")
            found = np.asarray(view.window(slice(None), slice(None)), dtype=np.float64)
            self.kept[of, wrt] = found
        return found

    def gradient(self, of: str, wrt: str) -> Array:
        """The derivative of a scalar in the shape of ``wrt``, a vector as a column."""
        found = self.jacobian(of, wrt).reshape(self.shape(wrt))
        return found if found.ndim == 2 else found.reshape(-1, 1)

    def matrix(self, name: str) -> bool:
        """Whether a tensor is a matrix and no vector, so that its gradient is one too."""
        shape = self.shape(name)
        return len(shape) == 2 and 1 not in shape[1:]

    def lettered(self, shape: Shape) -> str:
        """Dimensions in letters, where a size has just one: h×h."""
        letters = {}
        for letter, size in self.letters.items():
            letters[size] = "" if size in letters else letter
        return "×".join(letters.get(size) or str(size) if size > 1 else "1" for size in shape)

    def with_values(self, new: Mapping[str, Array]) -> "Scene":
        """The same with other values of some tensors, all that was computed left as it is."""
        return Scene(self.program, dict(self.tensors) | dict(new), self.sample)

    @property
    def sound(self) -> bool:
        """Whether every value is finite."""
        floats = (a for a in self.tensors.values() if a.dtype.kind == "f")
        return all(bool(np.isfinite(a).all()) for a in floats)


def letters_of(program: Program) -> dict[str, int]:
    """The sizes of a program by letter, where its worksheet has any."""
    try:
        return dict(worksheet(program).sample.numbers)
    except GradstepError:
        return {}


def plainest(experiment: Experiment, sample: int | None) -> Experiment:
    """An experiment that trains in float64, on all rows at once, in the usual order."""
    data = structs.replace(experiment.data, batch_size=None, shuffle=False, drop_last=False)
    loss = experiment.loss
    if isinstance(loss, GivenSpec) and sample is not None:
        loss = structs.replace(loss, gradient=[loss.gradient[sample]])
    training = TrainingSpec(mode=experiment.training.mode)
    return structs.replace(
        experiment, data=data, loss=loss, training=training, dtype="float64", schedule=None
    )


def scene(
    experiment: Experiment, like: Program, x: Array, y: Array, values: Tensors, sample: int | None
) -> Scene:
    """The scene of rows and parameters; of a sample it has that row alone, where lines allow it.

    Raises GradstepError where they do not fit.
    """
    if sample is not None:
        try:
            return passed(
                plainest(experiment, sample), like, x[sample : sample + 1], y[sample : sample + 1],
                values, 0,
            )  # fmt: skip
        except GradstepError:
            pass
    return passed(plainest(experiment, None), like, x, y, values, sample)


def passed(
    experiment: Experiment, like: Program, x: Array, y: Array, values: Tensors, sample: int | None
) -> Scene:
    """The scene after one forward pass."""
    data = replace(like.data, x=x, y=y, validation=None)
    program = compile_program(experiment, data)
    tensors: dict[str, Array] = program.initial()
    for name, value in values.items():
        if name in tensors and tensors[name].shape == value.shape:
            tensors[name] = np.asarray(value, dtype=tensors[name].dtype)
    for op in program.ops:
        if op.phase in (Phase.FORWARD, Phase.LOSS):
            with np.errstate(all="ignore"):
                made = op.run(tensors)
            tensors |= dict(zip(op.writes, made, strict=False))
    return Scene(program, tensors, sample)


def own_scene(program: Program, tensors: Tensors, sample: int | None) -> Scene:
    """The experiment's own numbers, as they stand at a place of its run."""
    names = {one.name for one in program.parameters}
    values = {name: tensors[name] for name in names if name in tensors}
    return scene(program.experiment, program, tensors["x"], tensors["y"], values, sample)


def random_scenes(
    program: Program, sample: int | None, count: int = 3, own_sizes: bool = False
) -> list[Scene]:
    """Scenes of random numbers, and of random sizes where these can be chosen; sound ones only.

    With ``own_sizes`` all sizes are the program's.
    """
    found = []
    for seed in range(TRIES * count):
        rng = np.random.default_rng(1000 + seed)
        try:
            one = drawn(program, sample, rng, own_sizes)
        except GradstepError:
            continue
        if one.sound:
            found.append(one)
        if len(found) == count:
            break
    return found


def drawn(
    program: Program, sample: int | None, rng: np.random.Generator, own_sizes: bool = False
) -> Scene:
    """One random scene; raises GradstepError where no numbers fit."""
    rows = 1 if sample is not None else 3
    if not own_sizes:
        try:
            experiment, x_shape, y_shape = resized(program, rng)
            return filled(experiment, program, x_shape, y_shape, rows, sample, rng)
        except GradstepError:
            pass
    shapes = program.data.x.shape[1:], program.data.y.shape[1:]
    rows = len(program.data.x) if sample is None or rows_matter(program) else 1
    return filled(program.experiment, program, *shapes, rows, sample, rng)


def rows_matter(program: Program) -> bool:
    """Whether lines have an upstream gradient with a row for each sample."""
    return isinstance(program.experiment.loss, GivenSpec)


def filled(
    experiment: Experiment,
    program: Program,
    x_shape: Shape,
    y_shape: Shape,
    rows: int,
    sample: int | None,
    rng: np.random.Generator,
) -> Scene:
    """A scene with random rows and parameters."""
    x = numbers_like(program.data.x, (rows, *x_shape), rng, normal=True)
    y = numbers_like(program.data.y, (rows, *y_shape), rng, normal=False)
    at = None if sample is None else 0
    first = scene(experiment, program, x, y, {}, at)
    names = [one.name for one in first.program.parameters]
    values = {name: rng.normal(0, 1, first.tensors[name].shape) for name in names}
    return scene(experiment, program, x, y, values, at)


def numbers_like(given: Array, shape: Shape, rng: np.random.Generator, normal: bool) -> Array:
    """Random numbers; where whole ones are given, some of these."""
    if given.dtype.kind != "f":
        return rng.choice(given.reshape(-1), shape)
    return rng.normal(0, 1, shape) if normal else rng.uniform(0.1, 0.9, shape)


def resized(program: Program, rng: np.random.Generator) -> tuple[Experiment, Shape, Shape]:
    """The experiment with other sizes, all different; and the shapes of a row of x and of y."""
    if isinstance(program.network, LineNetwork):
        return resized_lines(program, rng)
    experiment = program.experiment
    taken = {program.data.x.shape[1], *(node.layer.outputs for node in program.network.nodes)}
    pool = iter(sizes(rng, taken))
    n, layers = next(pool), []
    last = n
    for i, spec in enumerate(experiment.layers):
        if isinstance(spec, LinearSpec):
            fixed = program.data.y.dtype.kind != "f" and not any(
                isinstance(later, LinearSpec) for later in experiment.layers[i + 1 :]
            )
            last = spec.out if fixed else next(pool)
            spec = structs.replace(spec, out=last, weight=None, bias=bool_of(spec.bias))  # noqa: PLW2901
        layers.append(spec)
    y_shape = (last,) if program.data.y.ndim > 1 else ()
    return structs.replace(experiment, layers=tuple(layers)), (n,), y_shape


def bool_of(bias: Any) -> bool:
    """Whether a layer has a bias, given or not."""
    return isinstance(bias, list) or bool(bias)


def sizes(rng: np.random.Generator, taken: set[int]) -> Iterator[int]:
    """Sizes in random order, those that the experiment has last, and none twice for long."""
    fresh = [one for one in POOL if one not in taken]
    head = rng.permutation(fresh[:6])
    yield from (int(one) for one in head)
    yield from (one for one in POOL if one not in set(head.tolist()))
    yield from range(12, 2000)


def resized_lines(program: Program, rng: np.random.Generator) -> tuple[Experiment, Shape, Shape]:
    """Lines whose sizes are letters or inferred with other sizes for all of them."""
    experiment, data = program.experiment, program.data
    taken = {*data.x.shape, *data.y.shape, *experiment.sizes.values()}
    pool = iter(sizes(rng, taken))
    changed = {name: next(pool) for name in experiment.sizes}
    x, y = list(data.x.shape[1:]), list(data.y.shape[1:])
    columns = experiment.network is not None and experiment.network.per == "sample"
    for axes, letter, own in ((x, "n", data.x), (y, "K", data.y)):
        place = len(axes) - 1 - (columns and len(axes) > 1)
        if axes and own.dtype.kind == "f":
            axes[place] = changed.get(letter) or next(pool)
    return structs.replace(experiment, sizes=changed), tuple(x), tuple(y)
