"""The losses of a recording, read without running anything."""

from pathlib import Path

import numpy as np

from engine.arrays import Array
from engine.recording.reader import Reader
from engine.recording.recorded import Recording


def losses_of(text: str) -> dict[str, Array]:
    """The losses of every branch of a recording, by file and branch; a GradstepError if it is bad.

    Each is (iterations,) of float64, NaN where the loss was skipped. Nothing is run.
    """
    path = Path(text).expanduser()
    reader = Reader(path)
    try:
        recording = Recording(reader)
        found: dict[str, Array] = {
            path.name if name == "main" else f"{path.name} {name}": np.array(
                recording.losses(branch), np.float64
            )
            for name, branch in recording.branches.items()
        }
    finally:
        reader.close()
    return found
