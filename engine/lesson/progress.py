"""How far a lesson is: told by who plays it, through a recording, to the notes of the teacher.

In a recording it is a line among the views. Where the run itself is not recorded, a private file of
the same format has that line alone; who has its lock plays.
"""

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from engine.errors import GradstepError
from engine.recording.file import RecordingFile
from engine.recording.reader import Reader, log_of
from engine.recording.schema import LATER, TABLES, USER_VERSION
from engine.session.views import PLACE

try:
    import fcntl
except ImportError:  # not on every system: there the last who plays a lesson is the one followed
    fcntl = None  # type: ignore[assignment]

KINDS: Mapping[str, type] = {"waits": str, "began": float}  # all others are whole numbers
TRIES, PAUSE = 3, 0.02  # to take a lock, and seconds between two of them
MOST = 10_000  # characters of a line
LAST = (
    "SELECT text FROM view WHERE text LIKE '# lesson %' AND length(text) <= ?"
    " ORDER BY run DESC, number LIMIT 1"
)


@dataclass(frozen=True)
class Progress:
    """Where a lesson is; ``place`` is the step to come, ``waits`` what it waits for, if anything.

    ``steps`` are those of the lesson as it is played, ``began`` is a time in seconds since 1970,
    ``event`` where the cursor stands; of ``asked`` questions ``answered`` are done with, ``right``
    rightly, ``total`` are in the lesson.
    """

    place: int = 0
    waits: str = ""
    steps: int = 0
    began: float = 0.0
    event: int = 0
    asked: int = 0
    answered: int = 0
    right: int = 0
    total: int = 0

    @property
    def text(self) -> str:
        """As it stands in a recording, behind PLACE."""
        return json.dumps(asdict(self))


def progress_of(text: str) -> Progress:
    """The progress of a text; raises GradstepError for what is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise GradstepError("how far the lesson is cannot be read")
    values: dict[str, Any] = {}
    for one in fields(Progress):
        value = found.get(one.name)
        if type(value) is not KINDS.get(one.name, int):
            raise GradstepError(f"how far the lesson is: its {one.name} is {str(value)[:40]!r}")
        if isinstance(value, int | float) and not 0 <= value < 2**53:
            raise GradstepError(f"how far the lesson is: its {one.name} is {value:.6g}")
        values[one.name] = value
    return Progress(**values)


def last_progress(path: Path) -> Progress | None:
    """How far a recording says that its lesson is; None where it has none.

    Raises GradstepError where it is no recording, and where it is damaged.
    """
    reader = Reader(path)
    try:
        found = reader.one(LAST, (MOST,), "s") if reader.has("view") else None
    finally:
        reader.close()
    return None if found is None else progress_of(found[0].removeprefix(PLACE))


class ProgressFile:
    """The private file of who plays a lesson. Raises GradstepError where it cannot be written.

    ``busy`` says that somebody else plays it already: then nothing is written. It is let go of with
    :meth:`close`, or with the end of the process.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.text = ""
        self.lock = locked(path)
        self.busy = self.lock is None
        self.file: RecordingFile | None = None
        if not self.busy:
            for old in (path, log_of(path), path.with_name(f"{path.name}-shm")):
                with suppress(OSError):  # of somebody who was killed, perhaps in the middle of it
                    old.unlink()
            self.file = RecordingFile(path, USER_VERSION, TABLES | LATER)

    @property
    def failed(self) -> str:
        """Why nothing more is written; empty while it is."""
        return "" if self.file is None else self.file.failed

    def write(self, progress: Progress) -> None:
        """Write how far the lesson is, where that is another place than before."""
        text, file = progress.text, self.file
        if file is None or text == self.text:
            return
        self.text = text
        values = (0, 0, 0, f"{PLACE}{text}")
        query = "INSERT OR REPLACE INTO view VALUES (?, ?, ?, ?)"
        file.attempt(lambda: file.connection.execute(query, values))

    def close(self) -> None:
        """Nobody plays the lesson any more."""
        if self.file is not None:
            self.file.leave_single_file()
        if self.lock:
            os.close(self.lock)
        self.file, self.lock = None, None


def lock_of(path: Path) -> Path:
    """The file whose lock says that a lesson is played."""
    return path.with_suffix(".lock")


def locked(path: Path) -> int | None:
    """Take the lock beside a file; 0 where there are no locks, None where somebody else has it."""
    if fcntl is None:
        return 0
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = os.open(lock_of(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as problem:
        raise GradstepError(f"{path.parent}: {problem.strerror or problem}") from None
    for left in reversed(range(TRIES)):  # who looks whether it is taken has it for a moment
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if left:
                time.sleep(PAUSE)
                continue
            os.close(found)
            return None
        except OSError:  # a file system without locks
            pass
        break
    return found


def played(path: Path) -> bool:
    """Whether somebody plays the lesson of a private file now, as far as the system can say."""
    if fcntl is None:
        return path.exists()
    try:
        found = os.open(lock_of(path), os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(found, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return path.exists()
    finally:
        with suppress(OSError):
            os.close(found)
    return False
