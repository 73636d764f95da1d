"""The samples of an experiment, and the batches they are cut into.

``Dataset.x`` is (N, n) in the experiment's dtype; ``Dataset.y`` is (N, K) in the same dtype, or
class indices (N,) of int64. A network written as lines takes both with any number of axes after
the first, and integers as int64. Batch k of epoch e is a pure function of (seed, e, k).
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, frozen
from engine.errors import Problem
from engine.experiment.data_files import MAX_BYTES, check_size, npz_arrays
from engine.experiment.data_generated import RECIPES, bytes_needed, columns_of, generated
from engine.experiment.data_inline import MAX_RANK, array_of
from engine.experiment.data_numbers import (
    class_indices,
    converted,
    kept,
    standardized,
    whole_numbers,
)
from engine.experiment.data_pictures import check_image, flat_pictures, rows_refusal
from engine.experiment.data_problem import DataProblem
from engine.experiment.data_split import split
from engine.experiment.data_table import CSVTable
from engine.experiment.data_text import MAX_CSV_BYTES
from engine.experiment.failing import failed
from engine.experiment.layer_fields import as_lines
from engine.experiment.spec import DataSpec, Experiment, LearningSpec
from engine.experiment.target_range import refusal
from engine.nn.table import LOSSES
from engine.streams import stream

MAX_MAKING = 2 * MAX_BYTES  # bytes of a generated set with all that it is made of
GIVEN = ("x", "y")
MAX_NAMES = 100  # inputs that get a name of their own in a generated set
SHUFFLE = 2**31  # keeps the streams of shuffling apart from those of the initial values


@dataclass(frozen=True, eq=False)
class Dataset:
    """The samples to train on: x (N, …), and y (N, …) or class indices (N,).

    ``classes`` are the labels behind class indices or one-hot columns, ``inputs`` the names of the
    columns of x, where they have any. ``validation`` has the samples that were set aside.
    ``given`` says which of the two the data have: lines may read neither. What they have not is
    zeros, x (N, 1) and y (N,), so that there are rows to cut into batches.
    """

    x: Array
    y: Array
    classes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    validation: "Dataset | None" = None
    given: tuple[str, ...] = GIVEN

    def __len__(self) -> int:
        return len(self.x)


def default_data(dtype: str) -> Dataset:
    """What lines have that need no data: one sample of zeros, x (1, 1) and y (1,)."""
    x, y = np.zeros((1, 1), dtype), np.zeros(1, dtype)
    return Dataset(frozen(x), frozen(y), given=())


def in_lines(experiment: Experiment) -> bool:
    """Whether the network is one of lines, which take data of any rank and integers.

    That is so where there are lines, parameters or constants, and for layers that are no chain from
    rows to rows: see :func:`engine.experiment.layer_fields.as_lines`.
    """
    if experiment.network is not None:
        return True
    layers = [
        {
            "type": layer.type,
            "inputs": layer.inputs,
            "shared": layer.shared if isinstance(layer, LearningSpec) else None,
        }
        for layer in experiment.layers
    ]
    return as_lines(layers, {"x": experiment.data.x, "image": experiment.data.image})


def load_data(experiment: Experiment) -> Dataset:
    """The samples that an experiment names, checked; an ExperimentError says what is wrong."""
    spec, lines, dtype = experiment.data, in_lines(experiment), experiment.dtype
    # Lines may make the loss themselves, and then whole numbers are class indices.
    loss = experiment.loss.type if experiment.loss.type in LOSSES else None
    classes = lines if loss is None else LOSSES[loss].takes_classes
    try:
        if spec.csv is not None:
            data = read_csv(spec, experiment.path_of(spec.csv), classes, lines and loss is None)
        elif spec.npz is not None:
            data = read_npz(spec, experiment.path_of(spec.npz), dtype, lines)
        elif spec.generate is not None:
            data = generate(spec, experiment.seed, classes)
        elif spec.x is None and spec.y is None:
            data = default_data(dtype)
        else:
            data = read_inline(spec, lines)
        if loss is not None and (said := refusal(loss, data.y)) is not None:
            raise DataProblem("y", said)
        if lines:
            return finished_for_lines(data, spec, dtype, experiment.seed)
        ignored = getattr(experiment.loss, "ignore_index", None)
        return finished(data, spec, dtype, classes, ignored, experiment.seed)
    except DataProblem as error:
        raise failed(experiment, error.problems) from None


def finished(
    data: Dataset,
    spec: DataSpec,
    dtype: str,
    classes: bool,
    ignored: int | None = None,
    seed: int = 0,
) -> Dataset:
    """The samples for layers in their final dtype and shapes, standardized if asked for, read-only.

    Rows set aside for validation have no part in the means and deviations. Raises DataProblem.
    """
    check_shapes(data, spec.image)
    y = data.y
    if classes and y.shape[1:] == (1,) and whole_numbers(y):
        y = y[:, 0]  # class indices as a column, as files often have them
    flat = classes and y.ndim == 1
    y = class_indices(y, ignored) if flat else converted(y, "y", dtype)
    return divided(replace(data, y=y), spec, dtype, seed, keep=False)


def finished_for_lines(data: Dataset, spec: DataSpec, dtype: str, seed: int = 0) -> Dataset:
    """The samples for lines: as ``finished``, but integers are int64 and y stays as it is.

    A line that counts with integers has them converted. Raises DataProblem.
    """
    check_shapes(data, spec.image)
    if 0 in data.y.shape:
        raise DataProblem("y", f"is empty, shape {data.y.shape}: at least one number a row")
    return divided(replace(data, y=kept(data.y, "y", dtype)), spec, dtype, seed, keep=True)


def check_shapes(data: Dataset, image: tuple[int, int] | None) -> None:
    """Raise DataProblem where x is empty, has no pictures of this size, or other rows than y."""
    if len(data.x) != len(data.y):
        raise DataProblem("y", f"has {len(data.y)} rows, but x has {len(data.x)}: one each")
    if 0 in data.x.shape:
        raise DataProblem("x", f"is empty, shape {data.x.shape}: at least one row and one column")
    check_image(image, data.x.shape)


def divided(data: Dataset, spec: DataSpec, dtype: str, seed: int, keep: bool) -> Dataset:
    """The samples with some set aside for validation, x standardized and in its final dtype.

    ``keep``: integers that are not standardized are int64.
    """
    # Split before anything is standardized, so that nothing of the rows set aside leaks.
    train, aside = None, None
    if spec.validation is not None:
        train, aside = split(data.y, spec.validation, seed, spec.stratify)
    x = standardized(data.x, train) if spec.standardize else data.x
    whole = replace(data, x=(kept if keep else converted)(x, "x", dtype))
    if train is None:
        return taken(whole, slice(None))
    return replace(taken(whole, train), validation=taken(whole, aside))


def taken(data: Dataset, rows: Any) -> Dataset:
    """Some of the samples, read-only."""
    # In the order of their axes, as a recording has them: sums in another order round otherwise.
    x, y = (np.ascontiguousarray(array[rows]) for array in (data.x, data.y))
    return replace(data, x=frozen(x), y=frozen(y))


def generate(spec: DataSpec, seed: int, classes: bool) -> Dataset:
    """A generated set, with targets that fit the loss: class indices (N,), or rows (N, K).

    Raises DataProblem for one that is too large, or has not the classes that are asked for.
    """
    assert spec.generate is not None
    size = 8 * spec.samples * columns_of(spec.generate, spec.features)
    if size > MAX_BYTES:
        said = f"x takes {size:,} bytes, more than the limit of {MAX_BYTES:,}"
        raise DataProblem("samples", said)
    needed = bytes_needed(spec.generate, spec.samples, spec.classes, spec.features)
    if needed > MAX_MAKING:
        said = f"making the set takes {needed:,} bytes, more than the limit of {MAX_MAKING:,}"
        raise DataProblem("samples", f"{said}: fewer samples, features or classes take less")
    if spec.one_hot:
        check_one_hot(spec.samples, spec.classes or RECIPES[spec.generate].classes or 2)
    x, y, kinds = generated(
        spec.generate, seed, spec.samples, spec.noise, spec.classes, spec.features
    )
    names = tuple(f"x{i}" for i in range(x.shape[1])) if x.shape[1] <= MAX_NAMES else ()
    labels = tuple(str(k) for k in range(kinds))
    if spec.one_hot and not kinds:
        raise DataProblem("one_hot", f"{spec.generate} has numbers to predict, and no classes")
    if spec.one_hot:
        return Dataset(x, one_hot(y, kinds), labels, names)
    if kinds > 2 and not classes:
        said = f"{spec.generate} has {kinds} classes, and this loss takes rows"
        raise DataProblem("generate", f"{said}: one_hot = true makes a column of each class")
    return Dataset(x, y if classes and kinds else y.reshape(len(y), 1) * 1.0, labels, names)


def read_inline(spec: DataSpec, lines: bool) -> Dataset:
    """The x and y of the experiment file itself; DataProblem where their lists are ragged.

    For lines integers are int64, and either may be missing.
    """
    given = {"x": spec.x, "y": spec.y}
    arrays = {name: array_of(v, name, lines) for name, v in given.items() if v is not None}
    rows = len(next(iter(arrays.values())))
    x = arrays.get("x", np.zeros((rows, 1)))
    if not lines and spec.image is not None:
        x = flat_pictures(x, spec.image)
    return Dataset(x, arrays.get("y", np.zeros(rows)), given=tuple(arrays))


def read_csv(spec: DataSpec, path: Path, classes: bool, told: bool = False) -> Dataset:
    """The named columns of a CSV file; DataProblem for what is wrong in it.

    ``told``: the cells of a single target tell whether it is classes. Text is, as with ``classes``;
    integers are flat as they are; other numbers are a column (N, 1).
    """
    check_size(path, "csv", MAX_CSV_BYTES)
    assert spec.inputs is not None
    assert spec.targets is not None
    table = CSVTable(path, spec.separator, spec.decimal, spec.encoding, spec.header)
    inputs, targets = table.columns(spec.inputs, spec.targets), spec.targets
    table.require(("inputs", inputs), ("targets", targets))
    table.select([*inputs, *targets], spec.missing)
    x, names = table.numbers(inputs, "inputs", spec.missing), tuple(inputs)
    kind = table.kind(targets[0]) if told and len(targets) == 1 and not spec.one_hot else ""
    y: Any
    if kind == "integers":
        y = table.integers(targets[0])
        return Dataset(x, y, (), names)
    if len(targets) == 1 and (spec.one_hot or classes) and kind != "numbers":
        if not spec.one_hot:
            table.refuse_amounts(targets[0])
        labels, index = table.labels(targets[0])
        y = one_hot(index, len(labels)) if spec.one_hot else index
        return Dataset(x, y, labels, names)
    if spec.one_hot:
        raise DataProblem("one_hot", f"needs exactly one target column, not {len(targets)}")
    return Dataset(x, table.numbers(targets, "targets", spec.missing), (), names)


def read_npz(spec: DataSpec, path: Path, dtype: str, lines: bool) -> Dataset:
    """The arrays x and y of an NPZ file; DataProblem for what is wrong with them.

    Layers take x (N, n) and y (N,) or (N, K); with [data] image, x may be pictures: their rows
    stand one after the other. Lines take any rank, and do without y.
    """
    names = spec.arrays or ("x", "y")
    least = 1 if lines and spec.arrays is None else len(names)
    arrays = npz_arrays(path, names, dtype, least, keep=lines)
    for name, array in zip(names, arrays, strict=False):
        if lines and not 1 <= array.ndim <= MAX_RANK:
            said = f"{name} has shape {array.shape}; it must have 1 to {MAX_RANK} axes"
            raise DataProblem("npz", f"{path}: {said}, the first of them the samples")
    x = arrays[0]
    if lines:
        y = arrays[1] if len(arrays) > 1 else np.zeros(len(x))
        return Dataset(x, y, given=GIVEN[: len(arrays)])
    if spec.image is not None:
        x = flat_pictures(x, spec.image)
    if said := rows_refusal(names[0], x.shape):
        raise DataProblem("npz", f"{path}: {said}")
    if arrays[1].ndim not in (1, 2):
        said = f"{names[1]} has shape {arrays[1].shape}; it must have 1 or 2 axes"
        raise DataProblem("npz", f"{path}: {said}")
    return Dataset(x, arrays[1])


def one_hot(index: NDArray[np.int64], classes: int) -> Array:
    """Rows (N, classes) with a single 1; DataProblem where they would be too large."""
    check_one_hot(len(index), classes)
    rows = np.zeros((len(index), classes))
    rows[np.arange(len(index)), index] = 1
    return rows


def check_one_hot(rows: int, classes: int) -> None:
    """Raise DataProblem where so many rows of so many classes would be too large."""
    size = 8 * rows * classes
    if size > MAX_BYTES:
        said = f"{rows} rows of {classes} classes take {size:,} bytes"
        raise DataProblem("one_hot", f"{said}, more than the limit of {MAX_BYTES:,}")


@lru_cache(maxsize=4)
def epoch_order(seed: int, epoch: int, rows: int) -> NDArray[np.int64]:
    """The shuffled order of the rows in an epoch, (rows,), from (seed, epoch) alone."""
    order = stream(seed, SHUFFLE, epoch).permutation(rows)
    order.flags.writeable = False  # the cache hands out the same array again
    return order


@dataclass(frozen=True)
class Batches:
    """How ``rows`` samples are cut into batches; epochs and batches count from 0."""

    rows: int
    size: int
    shuffle: bool
    drop_last: bool
    seed: int

    @property
    def count(self) -> int:
        """Batches in one epoch."""
        whole = self.rows // self.size
        return whole if self.drop_last or self.rows % self.size == 0 else whole + 1

    def rows_of(self, epoch: int, k: int) -> slice | NDArray[np.int64]:
        """The rows of batch k of an epoch: a slice, or where they are shuffled their numbers."""
        part = slice(k * self.size, min((k + 1) * self.size, self.rows))
        return epoch_order(self.seed, epoch, self.rows)[part] if self.shuffle else part

    def batch(self, data: Dataset, epoch: int, k: int) -> tuple[Array, Array]:
        """The inputs (B, …) and targets (B, …) of batch k of an epoch, read-only."""
        rows = self.rows_of(epoch, k)
        return frozen(data.x[rows]), frozen(data.y[rows])


def batches(experiment: Experiment, data: Dataset) -> Batches:
    """The batches of an experiment; an ExperimentError where there would be none."""
    spec = experiment.data
    size = min(spec.batch_size or len(data), len(data))
    if spec.drop_last and spec.batch_size and spec.batch_size > len(data):
        said = f"drop_last with {len(data)} rows and batch_size {spec.batch_size} leaves no batch"
        raise failed(experiment, [Problem("data.drop_last", said)])
    return Batches(len(data), size, spec.shuffle, spec.drop_last, experiment.seed)
