"""What was opened lately: the names of built-ins, and the absolute paths of files."""

import os

from engine.experiment.builtins import builtin_names
from tui.settings.folders import state_folder
from tui.settings.saved import read, write

MOST = 20
LONGEST = 4096  # characters of a path


def recent() -> list[str]:
    """What was opened lately, newest first, MOST at most; of a file that may not be there."""
    data = read(state_folder() / "recent.json")
    if not isinstance(data, list):
        return []
    names = [one for one in data if isinstance(one, str) and 0 < len(one) <= LONGEST]
    return list(dict.fromkeys(names))[:MOST]


def remember(thing: str) -> None:
    """Put what has been opened in front."""
    name = thing if thing in builtin_names() else os.path.abspath(thing)
    write(state_folder() / "recent.json", list(dict.fromkeys([name, *recent()]))[:MOST])
