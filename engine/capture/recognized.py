"""Whether a name is that of a captured script: asked of every name, so that little is loaded."""

import re
from pathlib import Path

from engine.errors import GradstepError
from engine.files import is_database

RANK = re.compile(r"(?P<file>.+)#rank(?P<rank>\d{1,9})", re.ASCII)


def is_capture(name: str) -> bool:
    """Whether a name is that of a file with a captured script in it, ``FILE#rank1`` too.

    Of a file that cannot be opened nothing is said here: whoever opens it says what is wrong.
    """
    path, _ = split_rank(name)
    if not is_database(path):
        return False
    from engine.recording.reader import Reader  # SQLite, which most names do not need

    try:
        reader = Reader(path)
    except (OSError, ValueError, GradstepError):
        return False
    try:
        return reader.captured
    finally:
        reader.close()


def split_rank(name: str) -> tuple[Path, int | None]:
    """The file and the rank of ``FILE#rank1``; a file may be called so itself."""
    path = Path(name)
    found = RANK.fullmatch(name)
    try:
        if found is None or path.exists():
            return path, None
    except (OSError, ValueError):
        return path, None
    return Path(found["file"]), int(found["rank"])
