"""Where a person's settings and saved stops live; GRADSTEP_HOME puts both into one folder."""

import os
import re
from hashlib import sha256
from pathlib import Path

from platformdirs import PlatformDirs

MAX_STEM, DIGITS = 60, 12  # characters of a lesson's name, and of the digest of its place
DIRS = PlatformDirs("gradstep", appauthor=False)


def config_file() -> Path:
    """The path of the settings file, whether there is one or not."""
    folder = home()
    return (folder or Path(DIRS.user_config_dir)) / "config.toml"


def state_folder() -> Path:
    """The folder of what is saved between runs, whether there is one or not."""
    folder = home()
    return folder / "state" if folder else Path(DIRS.user_state_dir)


def lesson_file(lesson: Path) -> Path:
    """Where who plays a lesson tells how far it is, by the place of the lesson's file."""
    whole = str(lesson.absolute())
    name = re.sub(r"[^\w.-]+", "-", lesson.stem)[:MAX_STEM]
    digest = sha256(whole.encode(errors="surrogateescape")).hexdigest()[:DIGITS]
    return state_folder() / "lessons" / f"{name}-{digest}.gradstep"


def home() -> Path | None:
    """The folder that GRADSTEP_HOME names; None where it is unset or empty."""
    named = os.environ.get("GRADSTEP_HOME")
    return Path(named) if named else None
