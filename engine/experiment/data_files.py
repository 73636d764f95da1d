"""Data files: the columns of a CSV file and the arrays of an NPZ file, neither of them trusted.

Whatever is wrong with a file is a :class:`DataProblem`; sizes are checked before memory is taken.
"""

import csv
import lzma
import math
import os
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape
from engine.errors import GradstepError, Problem
from engine.files import open_regular
from engine.wording import clipped, listed, nearest, shown

MAX_BYTES = 2 * 2**30
MAX_CSV_BYTES = 2**28  # the cells of a CSV file take many times its size as text
MAX_CLASSES = 2**31
UNREADABLE = (  # what damaged or foreign archives and array headers raise
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    TypeError,
    EOFError,
    OSError,
    SyntaxError,
    MemoryError,
)


class DataProblem(Exception):
    """What is wrong with the data: one problem or several, with the fields they belong to.

    Whoever knows the file makes an ExperimentError of it.
    """

    def __init__(self, field: str, message: str, *more: tuple[str, str]) -> None:
        super().__init__(message)
        found = ((field, message), *more)
        self.problems = [Problem(f"data.{name}", said) for name, said in found]


def check_size(path: Path, field: str, limit: int) -> None:
    """Raise DataProblem for a file that is not there, cannot be read, or has more bytes."""
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
    except GradstepError as error:
        raise DataProblem(field, str(error)) from None
    except OSError as error:
        raise DataProblem(field, f"{shown(str(path), 4096)}: {error.strerror}") from None
    if size > limit:
        raise DataProblem(field, f"{path}: {size:,} bytes, more than the limit of {limit:,}")


class CSVTable:
    """The cells of a CSV file, with the line each row stands on.

    Raises DataProblem for one that is no UTF-8, no CSV, empty, or has rows of different lengths.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            try:
                self.lines = list(self.read(reader))
            except UnicodeDecodeError as error:
                raise DataProblem("csv", f"{path}: not UTF-8 text: {error.reason}") from None
            except csv.Error as error:
                said = f"line {reader.line_num}: not a CSV file: {error}"
                raise DataProblem("csv", f"{path}: {said}") from None
        if not self.lines:
            raise DataProblem("csv", f"{path}: the file is empty; it needs a header line and rows")
        self.header = [name.strip() for name in self.lines.pop(0)[1]]
        if not self.lines:
            raise DataProblem("csv", f"{path}: there is a header but no row of data")
        for line, row in self.lines:
            if len(row) != len(self.header):
                said = f"has {len(row)} cells, the header has {len(self.header)}"
                raise DataProblem("csv", f"{path}: line {line} {said}")

    def read(self, reader: Any) -> Iterator[tuple[int, list[str]]]:
        """The rows that are not blank, each with its line number."""
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row

    def require(self, *wanted: tuple[str, Sequence[str]]) -> None:
        """Raise DataProblem with every column that is missing, or that the header has twice."""
        problems = [
            (field, f"{self.path}: {self.missing(column)}")
            for field, columns in wanted
            for column in columns
            if self.header.count(column) != 1
        ]
        if problems:
            raise DataProblem(*problems[0], *problems[1:])

    def missing(self, column: str) -> str:
        """What to say about a column that is not there exactly once."""
        if column in self.header:
            return f"the header has {shown(column)} more than once"
        return f"no column {shown(column)}; {nearest(column, self.header)}"

    def numbers(self, columns: Sequence[str], field: str) -> Array:
        """Columns as (N, len(columns)) of float64; DataProblem for a cell that is no number."""
        places = [self.header.index(column) for column in columns]
        out = np.empty((len(self.lines), len(places)))
        for i, (line, row) in enumerate(self.lines):
            for j, place in enumerate(places):
                try:
                    out[i, j] = number(row[place])
                except ValueError:
                    found = shown(row[place]) if row[place].strip() else "an empty cell"
                    said = f"line {line}, column {shown(columns[j])}: {found} is not a number"
                    hint = "; one_hot = true turns labels into columns"
                    more = hint if field == "targets" and len(columns) == 1 else ""
                    raise DataProblem(field, f"{self.path}: {said}{more}") from None
        return out

    def labels(self, column: str) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """The distinct labels of a column in order, and each row's index among them, (N,) of int64.

        Whole numbers are ordered as numbers, anything else as text. DataProblem for an empty cell.
        """
        place = self.header.index(column)
        cells = [row[place].strip() for _, row in self.lines]
        for (line, _), cell in zip(self.lines, cells, strict=True):
            if not cell:
                said = f"line {line}, column {shown(column)}: an empty cell is no label"
                raise DataProblem("targets", f"{self.path}: {said}")
        try:
            cells = [str(whole(cell)) for cell in cells]
            labels = tuple(sorted(set(cells), key=int))
        except ValueError:
            labels = tuple(sorted(set(cells)))
        index = {label: i for i, label in enumerate(labels)}
        return labels, np.array([index[cell] for cell in cells], dtype=np.int64)


def number(cell: str) -> float:
    """A number as CSV files write it; a ValueError for anything else."""
    if "_" in cell:  # which float would allow
        raise ValueError("an underscore is no part of a number")
    return float(cell)


def whole(cell: str) -> int:
    """A whole number, also one written as 2.0; a ValueError for anything else."""
    value = number(cell)
    if not value.is_integer() or abs(value) >= MAX_CLASSES:
        raise ValueError("not a whole number")
    return int(value)


def npz_arrays(path: Path, names: Sequence[str], dtype: str) -> list[Array]:
    """Named arrays of an NPZ file; their headers are checked before they are loaded.

    ``dtype`` is what they will be converted to, which may be larger than what is in the file.
    Raises DataProblem for whatever is wrong.
    """
    check_size(path, "npz", MAX_BYTES)
    try:
        with zipfile.ZipFile(path) as archive:
            return [read_member(archive, name, path, dtype) for name in names]
    except UNREADABLE as error:
        raise DataProblem("npz", f"{path}: not a readable NPZ file: {error}") from None


def read_member(archive: zipfile.ZipFile, name: str, path: Path, wanted: str) -> Array:
    """One array of an NPZ archive, without pickles and without trusting its size.

    Raises DataProblem, or one of UNREADABLE.
    """
    if f"{name}.npy" not in archive.namelist():
        found = [member.removesuffix(".npy") for member in archive.namelist()]
        raise DataProblem("npz", f"{path}: no array {name!r}; found {listed(found) or 'nothing'}")
    # The header alone, first: reading the array takes the memory that the header promises.
    with archive.open(f"{name}.npy") as file:
        version = np.lib.format.read_magic(file)
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"array {name} has format version {version}")
        head = np.lib.format.read_array_header_1_0
        shape, _, dtype = (head if version == (1, 0) else np.lib.format.read_array_header_2_0)(file)
        room = archive.getinfo(f"{name}.npy").file_size - file.tell()
    where = f"{path}: array {name!r}"
    check_member(shape, dtype, room, where)
    needed = math.prod(shape) * np.dtype(wanted).itemsize
    if needed > MAX_BYTES:
        said = f"takes {needed:,} bytes as {wanted}, more than the limit of {MAX_BYTES:,}"
        raise DataProblem("npz", f"{where} of shape {shape} {said}")
    with archive.open(f"{name}.npy") as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
    return array


def check_member(shape: Shape, dtype: np.dtype[Any], room: int, where: str) -> None:
    """Raise DataProblem where a header promises what must not be loaded, or is not in the file.

    ``room`` is how many bytes the member has behind its header.
    """
    if dtype.kind not in "biuf":
        pickles = ", which only a pickle can hold" if dtype.hasobject else ""
        raise DataProblem("npz", f"{where} has dtype {dtype}{pickles}; numbers are needed")
    promised = math.prod(shape) * dtype.itemsize
    if min(shape, default=0) < 0 or promised > room:
        size = f"{clipped(str(shape))}, {clipped(f'{promised:,}')} bytes"
        said = f"its header promises shape {size}, but it has {room:,}"
        raise DataProblem("npz", f"{where}: {said}")
