"""Data files: their sizes, and the arrays of an NPZ file, which is not trusted.

Whatever is wrong with a file is a :class:`DataProblem`; sizes are checked before memory is taken.
"""

import lzma
import math
import os
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.errors import GradstepError
from engine.experiment.data_problem import DataProblem
from engine.files import open_regular
from engine.wording import clipped, listed, shown

MAX_BYTES = 2 * 2**30
# How others call x and y.
PAIRS = (
    *(("x_train", "y_train"), ("X_train", "y_train"), ("train_x", "train_y"), ("X", "y")),
    *(("X", "Y"), ("images", "labels"), ("train_images", "train_labels"), ("data", "labels")),
    *(("data", "target"), ("inputs", "targets"), ("features", "labels"), ("arr_0", "arr_1")),
)
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


def npz_arrays(path: Path, names: Sequence[str], dtype: str, least: int, keep: bool) -> list[Array]:
    """Named arrays of an NPZ file, the first ``least`` of them and those behind that are there.

    Their headers are checked before they are loaded. ``dtype`` is what they will be converted to,
    which may be larger than what is in the file; with ``keep`` integers become int64 instead.
    Raises DataProblem for whatever is wrong.
    """
    check_size(path, "npz", MAX_BYTES)
    check_archive(path)
    try:
        with zipfile.ZipFile(path) as archive:
            there = {*names[:least], *(n.removesuffix(".npy") for n in archive.namelist())}
            wanted = [name for name in names if name in there]
            return [read_member(archive, name, path, dtype, keep) for name in wanted]
    except UNREADABLE as error:
        raise DataProblem("npz", f"{path}: not a readable NPZ file: {error}") from None


def check_archive(path: Path) -> None:
    """Raise DataProblem, which says what it is, for a file that does not begin as an archive."""
    with open_regular(path) as file:
        start = file.read(64)
    if start.startswith(b"\x93NUMPY"):
        said = "one array of NumPy: np.savez puts x and y into one file"
        raise DataProblem("npz", f"{path}: {said}")
    if start[:2] == b"\x1f\x8b":
        raise DataProblem("npz", f"{path}: compressed with gzip: decompress it first")
    if start and start[:2] != b"PK" and all(9 <= byte < 127 for byte in start):
        raise DataProblem(
            "npz", f"{path}: not a readable NPZ file but a text: csv = … reads tables"
        )


def arrays_hint(found: Sequence[str]) -> str:
    """The names that stand for x and y in an archive, as a field to write; empty if none do."""
    for x, y in PAIRS:
        if x in found and y in found:
            return f': arrays = ["{x}", "{y}"] names them'
    return ': arrays = ["…", "…"] names two others' if len(found) > 1 else ""


def read_member(archive: zipfile.ZipFile, name: str, path: Path, wanted: str, keep: bool) -> Array:
    """One array of an NPZ archive, without pickles and without trusting its size.

    Raises DataProblem, or one of UNREADABLE.
    """
    if f"{name}.npy" not in archive.namelist():
        found = [member.removesuffix(".npy") for member in archive.namelist()]
        said = f"no array {name!r}; found {listed(found) or 'nothing'}"
        raise DataProblem("npz", f"{path}: {said}{arrays_hint(found)}")
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
    wanted = "int64" if keep and dtype.kind in "biu" else wanted
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
