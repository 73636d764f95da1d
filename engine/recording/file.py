"""The file that a recording is written into: transactions, and what happens when the disk refuses.

Whoever reads the file, or finds it after a kill, sees whole commits.
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engine.errors import GradstepError
from engine.files import no_file
from engine.recording.reader import log_of
from engine.recording.schema import APPLICATION_ID, LATER


class RecordingFile:
    """A recording under the pen; a GradstepError where it cannot be made.

    ``failed`` says why nothing more is written after the disk refused, and ``size`` is its bytes
    after the last transaction. Once made it raises nothing of the disk: a full one must not end
    what is recorded.
    """

    def __init__(self, path: Path, version: int, tables: Mapping[str, str]) -> None:
        self.path = path
        self.failed = ""
        self.size = 0
        with refusing(path):
            self.connection = connect(path, version, tables)
            self.inode = path.stat().st_ino

    def leave_single_file(self) -> None:
        """Take the write-ahead log into the file; ``failed`` says it where that is not possible."""
        said = "it is held by another program"
        try:
            busy, *_ = self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if not busy:  # another reader only keeps the empty log from being removed
                with contextlib.suppress(sqlite3.Error):
                    self.connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as problem:
            said = str(problem)
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()  # which tries once more
        log = log_of(self.path)
        if not self.failed and log.is_file() and log.stat().st_size > 0:
            self.failed = (
                f"{self.path}: the log beside it could not be taken into the file: {said}. Nothing "
                f"is lost, but {self.path} and {log} belong together: keep and copy both, or make "
                "room and add a run with --append, which takes the log in"
            )

    def attempt(self, work: Callable[[], object]) -> None:
        """A transaction; where the disk refuses it, the recording ends and the session goes on."""
        if self.failed:
            return
        try:
            # SQLite would go on writing into a file that was moved away, unseen.
            if self.path.stat().st_ino != self.inode:
                raise OSError("another file has taken its place")
            with self.transaction():
                work()
            (pages,), (size,) = (
                self.connection.execute(f"PRAGMA {pragma}").fetchone()
                for pragma in ("page_count", "page_size")
            )
            self.size = pages * size
        except (sqlite3.Error, OSError) as problem:
            said = getattr(problem, "strerror", None) or problem
            self.failed = f"{self.path}: {said}: nothing more is recorded"

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """One transaction: committed as a whole, or rolled back."""
        # Immediate: the lock is waited for here, and not in the middle of the work.
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            raise


@contextlib.contextmanager
def refusing(path: Path) -> Iterator[None]:
    """What the disk or SQLite refuses becomes a GradstepError."""
    try:
        yield
    except sqlite3.Error as problem:
        raise GradstepError(f"{path}: cannot be recorded to: {problem}") from problem
    except OSError as problem:
        raise GradstepError(f"{path}: {problem.strerror or problem}") from problem


def connect(path: Path, version: int, tables: Mapping[str, str]) -> sqlite3.Connection:
    """A connection to a new or existing recording, in WAL mode, with all its tables."""
    # To SQLite some names are no files: ":memory:", "file:…". An absolute path is always one.
    path = Path(os.path.abspath(path))
    if said := no_file(path) if path.exists() else "":
        raise GradstepError(f"{path}: {said}")
    with path.open("ab"):  # an error of the directory is clearer from here than from SQLite
        size = path.stat().st_size
    connection = sqlite3.connect(os.fsencode(path), isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA busy_timeout = 2000")
    (mine,) = connection.execute("PRAGMA application_id").fetchone()
    if size and mine != APPLICATION_ID:
        connection.close()
        raise GradstepError(f"{path}: is there already, and no recording of gradstep")
    connection.execute("PRAGMA journal_mode = WAL")
    # With a write-ahead log, a killed process loses no commit by this; a power cut the last ones.
    connection.execute("PRAGMA synchronous = NORMAL")
    if mine != APPLICATION_ID:
        connection.execute("BEGIN IMMEDIATE")
        for statement in tables.values():
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    for statement in LATER.values():  # a file that is appended to may be older than they are
        connection.execute(statement.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
    return connection


def exists(path: Path) -> bool:
    """Whether something is at the path, other than an empty file."""
    return os.path.lexists(path) and (not path.is_file() or path.stat().st_size > 0)
