"""Arrays in .safetensors files, the format of weights that other programs save."""

from pathlib import Path
from typing import Any

import numpy as np

from engine.arrays import Array
from engine.experiment.data_files import MAX_BYTES, check_size
from engine.experiment.data_problem import DataProblem
from engine.files import open_regular
from engine.wording import nearest

EXTRA = 'needs the package safetensors: pip install "gradstep[safetensors]"'


def safetensors_array(path: Path, name: str) -> Array:
    """One tensor of a file, in floating point; DataProblem for whatever is wrong with either.

    The package checks the header against the size of the file before it reads; nothing in such a
    file is executed.
    """
    try:
        from safetensors import SafetensorError, safe_open  # noqa: PLC0415 - an extra
    except ImportError:
        raise DataProblem("file", f"{path}: {EXTRA}") from None
    check_size(path, "file", MAX_BYTES)
    with open_regular(path):  # no pipe and no device: the package maps the file
        pass
    try:
        with safe_open(str(path), framework="np") as found:
            names = list(found.keys())
            if name not in names:
                raise DataProblem("file", f"{path}: no tensor {name!r}; {nearest(name, names)}")
            array: Any = found.get_tensor(name)
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise DataProblem("file", f"{path}: not a readable .safetensors file: {error}") from None
    if array.dtype.kind not in "fiu":
        raise DataProblem("file", f"{path}: {name} holds {array.dtype}, no numbers")
    out: Array = np.ascontiguousarray(array)
    return out
