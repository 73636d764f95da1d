"""The samples of an experiment, and the batches they are cut into.

``Dataset.x`` is (N, n) in the experiment's dtype; ``Dataset.y`` is (N, K) in the same dtype, or
class indices (N,) of int64. Batch k of epoch e is a pure function of (seed, e, k).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, frozen
from engine.errors import ExperimentError, Problem
from engine.experiment.data_files import MAX_BYTES, check_size, npz_arrays
from engine.experiment.data_generated import RECIPES, bytes_needed, columns_of, generated
from engine.experiment.data_numbers import class_indices, converted, standardized, whole_numbers
from engine.experiment.data_pictures import check_image, pictures
from engine.experiment.data_problem import DataProblem
from engine.experiment.data_split import split
from engine.experiment.data_table import CSVTable
from engine.experiment.data_text import MAX_CSV_BYTES
from engine.experiment.spec import DataSpec, Experiment
from engine.experiment.target_range import refusal
from engine.nn.table import LOSSES
from engine.streams import stream

MAX_MAKING = 2 * MAX_BYTES  # bytes of a generated set with all that it is made of
MAX_NAMES = 100  # inputs that get a name of their own in a generated set
SHUFFLE = 2**31  # keeps the streams of shuffling apart from those of the initial values


@dataclass(frozen=True, eq=False)
class Dataset:
    """The samples to train on: x (N, n), and y (N, K) or class indices (N,).

    ``classes`` are the labels behind class indices or one-hot columns, ``inputs`` the names of the
    columns of x, where they have any. ``validation`` has the samples that were set aside.
    """

    x: Array
    y: Array
    classes: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    validation: "Dataset | None" = None

    def __len__(self) -> int:
        return len(self.x)


def load_data(experiment: Experiment) -> Dataset:
    """The samples that an experiment names, checked; an ExperimentError says what is wrong."""
    spec = experiment.data
    classes = LOSSES[experiment.loss.type].takes_classes
    try:
        if spec.csv is not None:
            data = read_csv(spec, experiment.path_of(spec.csv), classes)
        elif spec.npz is not None:
            data = read_npz(spec, experiment.path_of(spec.npz), experiment.dtype)
        elif spec.generate is not None:
            data = generate(spec, experiment.seed, classes)
        else:
            data = read_inline(spec)
        if (said := refusal(experiment.loss.type, data.y)) is not None:
            raise DataProblem("y", said)
        ignored = getattr(experiment.loss, "ignore_index", None)
        return finished(data, spec, experiment.dtype, classes, ignored, experiment.seed)
    except DataProblem as error:
        raise ExperimentError(experiment.file or experiment.name, error.problems) from None


def finished(
    data: Dataset,
    spec: DataSpec,
    dtype: str,
    classes: bool,
    ignored: int | None = None,
    seed: int = 0,
) -> Dataset:
    """The samples in their final dtype and shapes, standardized if asked for, read-only.

    Rows set aside for validation have no part in the means and deviations. Raises DataProblem.
    """
    if len(data.x) != len(data.y):
        raise DataProblem("y", f"has {len(data.y)} rows, but x has {len(data.x)}: one each")
    if len(data.x) == 0 or data.x.shape[1] == 0:
        raise DataProblem("x", f"is empty, shape {data.x.shape}: at least one row and one column")
    check_image(spec.image, data.x.shape[1])
    if classes and data.y.shape[1:] == (1,) and whole_numbers(data.y):
        data = replace(data, y=data.y[:, 0])  # class indices as a column, as files often have them
    # Split before anything is standardized, so that nothing of the rows set aside leaks.
    train, aside = None, None
    if spec.validation is not None:
        train, aside = split(data.y, spec.validation, seed, spec.stratify)
    x = standardized(data.x, train) if spec.standardize else data.x
    x = converted(x, "x", dtype)
    flat = classes and data.y.ndim == 1
    y: Array = class_indices(data.y, ignored) if flat else converted(data.y, "y", dtype)
    if train is None:
        return Dataset(frozen(x), frozen(y), data.classes, data.inputs)
    kept = Dataset(frozen(x[aside]), frozen(y[aside]), data.classes, data.inputs)
    return Dataset(frozen(x[train]), frozen(y[train]), data.classes, data.inputs, kept)


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
    flat = classes and kinds
    return Dataset(x, y.astype(np.float64) if flat else y.reshape(len(y), 1) * 1.0, labels, names)


def read_inline(spec: DataSpec) -> Dataset:
    """The x and y of the experiment file itself; DataProblem where their rows are ragged."""
    assert spec.x is not None
    assert spec.y is not None
    rows = [row for row in spec.y if isinstance(row, list)]
    if rows and len(rows) < len(spec.y):
        raise DataProblem("y", "mixes rows and single values: all rows, or all class indices")
    y = matrix(rows, "y") if rows else np.array(spec.y, dtype=np.float64)
    return Dataset(matrix(spec.x, "x"), y)


def matrix(rows: Sequence[Any], field: str) -> Array:
    """Rows of one length as (N, n) of float64; DataProblem for different lengths."""
    for i, row in enumerate(rows):
        if len(row) != len(rows[0]):
            raise DataProblem(
                field, f"ragged: row {i} has {len(row)} values, row 0 has {len(rows[0])}"
            )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(rows[0]) if rows else 0)


def read_csv(spec: DataSpec, path: Path, classes: bool) -> Dataset:
    """The named columns of a CSV file; DataProblem for what is wrong in it."""
    check_size(path, "csv", MAX_CSV_BYTES)
    assert spec.inputs is not None
    assert spec.targets is not None
    table = CSVTable(path, spec.separator, spec.decimal, spec.encoding, spec.header)
    inputs, targets = table.columns(spec.inputs, spec.targets), spec.targets
    table.require(("inputs", inputs), ("targets", targets))
    table.select([*inputs, *targets], spec.missing)
    x, names = table.numbers(inputs, "inputs", spec.missing), tuple(inputs)
    if len(targets) == 1 and (spec.one_hot or classes):
        labels, index = table.labels(targets[0])
        y = one_hot(index, len(labels)) if spec.one_hot else index.astype(np.float64)
        return Dataset(x, y, labels, names)
    if spec.one_hot:
        raise DataProblem("one_hot", f"needs exactly one target column, not {len(targets)}")
    return Dataset(x, table.numbers(targets, "targets", spec.missing), (), names)


def read_npz(spec: DataSpec, path: Path, dtype: str) -> Dataset:
    """The arrays x (N, n) and y (N,) or (N, K) of an NPZ file; DataProblem for other shapes.

    With [data] image, x may be pictures (N, height, width): their rows stand one after the other.
    """
    names = spec.arrays or ("x", "y")
    x, y = npz_arrays(path, names, dtype)
    if spec.image is not None and x.shape[1:] in (spec.image, (*spec.image, 1), (1, *spec.image)):
        x = x.reshape(len(x), -1)
    if x.ndim > 2:
        raise DataProblem("npz", f"{path}: {pictures(names[0], x.shape)}")
    if x.ndim != 2:
        said = f"{names[0]} has shape {x.shape}; it must be (rows, columns)"
        raise DataProblem("npz", f"{path}: {said}: {names[0]}.reshape(-1, 1) makes one column")
    if y.ndim not in (1, 2):
        said = f"{names[1]} has shape {y.shape}; it must have 1 or 2 axes"
        raise DataProblem("npz", f"{path}: {said}")
    return Dataset(x, y)


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
        """The inputs (B, n) and targets (B, K) or (B,) of batch k of an epoch, read-only."""
        rows = self.rows_of(epoch, k)
        return frozen(data.x[rows]), frozen(data.y[rows])


def batches(experiment: Experiment, data: Dataset) -> Batches:
    """The batches of an experiment; an ExperimentError where there would be none."""
    spec = experiment.data
    size = min(spec.batch_size or len(data), len(data))
    if spec.drop_last and spec.batch_size and spec.batch_size > len(data):
        said = f"drop_last with {len(data)} rows and batch_size {spec.batch_size} leaves no batch"
        file = experiment.file or experiment.name
        raise ExperimentError(file, [Problem("data.drop_last", said)])
    return Batches(len(data), size, spec.shuffle, spec.drop_last, experiment.seed)
