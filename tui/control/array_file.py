"""A tensor written to a file, piece by piece: .npy for programs, .csv for tables."""

import math
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import numpy as np

from engine.errors import GradstepError
from tui.render.text.clean import clean
from tui.settings.writable import check_writable
from tui.view.versions import Elements

CHUNK = 2**16  # elements written between two chances to cancel
ENDINGS = (".npy", ".csv")


def array_path(text: str) -> Path:
    """A typed path, ~ expanded; raises GradstepError where no new file can be written there."""
    path = Path(text.strip()).expanduser()
    shown = clean(str(path))
    check_writable(path)
    if path.suffix.lower() not in ENDINGS:
        raise GradstepError(f"{shown}: the name must end in .npy or .csv")
    if path.exists():
        raise GradstepError(f"{shown}: there is a file already; nothing is overwritten")
    if not path.parent.is_dir():
        raise GradstepError(f"{clean(str(path.parent))}: there is no such directory")
    return path


def writing(path: Path, array: Elements) -> Generator[int, None, Path]:
    """Write an array (any rank for .npy, a matrix for .csv); yields how many elements are there.

    A file that is not finished is removed, also where the generator is closed before its end.
    Raises GradstepError where the file exists or cannot be written.
    """
    write = npy_pieces if path.suffix.lower() == ".npy" else csv_pieces
    with created(path) as file:
        done = 0
        for count, data in write(array):
            file.write(data)
            done += count
            yield done
    return path


@contextmanager
def created(path: Path) -> Iterator[BinaryIO]:
    """A new file that is removed again where its block does not end normally.

    Raises GradstepError where it is there already or cannot be written.
    """
    check_writable(path)
    try:
        file = path.open("xb")  # never over a file that has come since the path was checked
    except OSError as error:
        raise GradstepError(f"{clean(str(path))}: {error.strerror or error}") from None
    try:
        with file:
            yield file
    except OSError as error:
        path.unlink(missing_ok=True)
        raise GradstepError(f"{clean(str(path))}: {error.strerror or error}") from None
    except BaseException:  # GeneratorExit too: a cancelled write closes its generator
        path.unlink(missing_ok=True)
        raise


def npy_pieces(array: Elements) -> Iterator[tuple[int, bytes]]:
    """The header of NumPy's format, then the elements in row-major order; (how many, bytes)."""
    header = {
        "descr": np.lib.format.dtype_to_descr(array.dtype),
        "fortran_order": False,
        "shape": array.shape,
    }
    start = BytesIO()
    np.lib.format.write_array_header_1_0(start, header)
    yield 0, start.getvalue()
    if not array.shape:  # no axis to cut into pieces
        yield 1, np.asarray(array[()]).tobytes()
        return
    step = max(1, CHUNK // max(1, math.prod(array.shape[1:])))
    for at in range(0, array.shape[0], step):
        piece = np.ascontiguousarray(array[at : at + step])
        yield piece.size, piece.tobytes()


def csv_pieces(matrix: Elements) -> Iterator[tuple[int, bytes]]:
    """A line for each row of a matrix: (how many elements, their bytes in ASCII).

    Every number is written so that it reads back as the same number.
    """
    rows, cols = matrix.shape
    step = max(1, CHUNK // max(1, cols))
    for start in range(0, rows, step):
        part = np.asarray(matrix[start : start + step])
        lines = [",".join(map(str, row)) for row in part]
        yield part.size, "".join(line + "\n" for line in lines).encode()
