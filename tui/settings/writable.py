"""Where files may be written: everywhere, or for a debugger in a browser below one folder only."""

import os
from pathlib import Path

from engine.errors import GradstepError

WRITABLE = "GRADSTEP_WRITABLE"
"""The environment variable that names the folder; set but empty it is nowhere."""


def restricted() -> bool:
    """Whether files may be written in one folder only, or nowhere."""
    return WRITABLE in os.environ


def check_writable(path: str | Path) -> None:
    """Raise GradstepError where no file may be written at this path.

    Links are followed first, so that one inside the folder does not lead out of it.
    """
    folder = os.environ.get(WRITABLE)
    if folder is None:
        return
    if not folder:
        raise GradstepError(
            f"{path}: no files are written from the browser; "
            "start it with gradstep serve --allow-write DIR"
        )
    target = os.path.realpath(os.path.expanduser(path))
    if os.path.commonpath([target, folder]) != folder or target == folder:
        raise GradstepError(f"{path}: files are written from the browser only below {folder}")
