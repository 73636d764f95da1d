"""Where a person's settings and saved stops live; GRADSTEP_HOME puts both into one folder."""

import os
from pathlib import Path

from platformdirs import PlatformDirs

DIRS = PlatformDirs("gradstep", appauthor=False)


def config_file() -> Path:
    """The path of the settings file, whether there is one or not."""
    folder = home()
    return (folder or Path(DIRS.user_config_dir)) / "config.toml"


def state_folder() -> Path:
    """The folder of what is saved between runs, whether there is one or not."""
    folder = home()
    return folder / "state" if folder else Path(DIRS.user_state_dir)


def home() -> Path | None:
    """The folder that GRADSTEP_HOME names; None where it is unset or empty."""
    named = os.environ.get("GRADSTEP_HOME")
    return Path(named) if named else None
