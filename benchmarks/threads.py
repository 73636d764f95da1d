"""As many threads for everybody. Import this before NumPy: BLAS reads its environment only once."""

import os
import sys

VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS")
DEFAULT = 1


def wanted(arguments: list[str]) -> int:
    """The number after ``--threads`` on a command line."""
    if "--threads" in arguments[:-1]:
        return int(arguments[arguments.index("--threads") + 1])
    return DEFAULT


def count() -> int:
    """How many there are; 0 where nobody has decided."""
    return int(os.environ.get(VARIABLES[0], "0"))


def alone() -> bool:
    """Whether everybody computes in one thread."""
    return count() == 1


def fix(number: int) -> None:
    """Have this process and those it starts use so many threads."""
    if "numpy" in sys.modules:
        raise RuntimeError("NumPy is loaded already and has chosen its threads")
    os.environ.update(dict.fromkeys(VARIABLES, str(number)))
