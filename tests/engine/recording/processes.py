"""Python in a process of its own, for tests of recordings."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def python(*args: str, times: int = 1) -> subprocess.CompletedProcess[str]:
    """Python with these arguments, in a process that is ended where it hangs.

    ``times`` is how many times as much it has to do as in CI.
    """
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        timeout=600 * max(1, times),  # far more than it needs
    )
