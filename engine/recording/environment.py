"""What the bits of a run depend on besides the experiment: NumPy, BLAS, its threads, the CPU."""

import ctypes
import os
import platform
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from engine import __version__

# What can change the bits of a result, of all that is written down.
DECISIVE = ("numpy", "blas", "blas_version", "blas_core", "blas_threads", "simd", "machine")
# How the functions of OpenBLAS may be called, depending on how it was built.
PREFIXES = ("scipy_openblas_{}64_", "openblas_{}64_", "openblas_{}", "scipy_openblas_{}")


def environment() -> dict[str, Any]:
    """The environment of this process as plain data."""
    config: Any = np.show_config(mode="dicts")
    blas = config.get("Build Dependencies", {}).get("blas", {})
    return {
        "gradstep": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "numpy": np.__version__,
        "blas": str(blas.get("name", "unknown")),
        "blas_version": str(blas.get("version", "unknown")),
        **openblas(),
        "simd": list(config.get("SIMD Extensions", {}).get("found", [])),
    }


def openblas() -> dict[str, Any]:
    """The kernel and the threads of the OpenBLAS in this process.

    The kernel is None for another BLAS; the threads are then those that were asked for.
    """
    library = loaded_library()
    threads = corename = None
    for prefix in PREFIXES if library is not None else ():
        with suppress(AttributeError):
            threads = threads or int(getattr(library, prefix.format("get_num_threads"))())
        with suppress(AttributeError):
            function = getattr(library, prefix.format("get_corename"))
            function.restype = ctypes.c_char_p
            corename = corename or function().decode()
    return {"blas_core": corename, "blas_threads": threads or wanted_threads()}


def loaded_library() -> ctypes.CDLL | None:
    """The OpenBLAS that NumPy has loaded; None for another BLAS, and where there is no /proc."""
    with suppress(OSError):
        for line in Path("/proc/self/maps").read_text().splitlines():
            found = re.search(r"(/\S*openblas\S*)", line)
            if found:
                return ctypes.CDLL(found[1])
    return None


def wanted_threads() -> int | None:
    """The threads that the environment variables ask for, or one for each processor."""
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS"):
        value = os.environ.get(name, "")
        if value.isdigit():
            return int(value)
    return os.cpu_count()


def differences(recorded: Mapping[str, Any], here: Mapping[str, Any]) -> list[str]:
    """What is different here and can change bits, in words."""
    return [
        f"{name} {shown(recorded.get(name))}, here {shown(here.get(name))}"
        for name in DECISIVE
        if recorded.get(name) != here.get(name)
    ]


def shown(value: Any) -> str:
    """A value of the environment as text."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
