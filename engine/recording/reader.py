"""The reading side: a file that may come from a stranger, opened without trust and never written.

SQLite gets no schema of the file's own making, no row larger than the file, and a bounded number of
steps a query. Whatever is wrong is a :class:`Damaged`, which names what is damaged.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.errors import GradstepError
from engine.files import open_regular
from engine.recording.schema import (
    APPLICATION_ID,
    CAPTURE_VERSION,
    CAPTURES,
    LATER,
    TABLES,
    USER_VERSION,
)

MAGIC = b"SQLite format 3\0"
STEPS = 10_000  # virtual machine instructions between two checks of the budget
BUDGET = 5_000  # checks: about a second
CHECKED_BYTES = 2**23  # files up to this size are checked whole when they are opened
Row = tuple[Any, ...]


class Damaged(GradstepError):
    """Something in a recording is not as it was written; the message names it."""

    @property
    def what(self) -> str:
        """What is damaged, without the name of the file."""
        return str(self).rpartition("damaged: ")[2]


class Reader:
    """Queries on an opened recording, each bounded, each error naming the file and the table.

    Raises GradstepError for a file that is no recording, or of a newer version, and Damaged for one
    that is not as it was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.steps = self.version = 0
        self.tables: frozenset[str] = frozenset()
        self.size = checked_size(path)
        self.identity, self.length = identity(path), path.stat().st_size
        self.lost_log = needs_log(path) and not log_of(path).exists()
        with self.naming("the file"):
            self.connection = connect(path, self.size)
        self.connection.set_progress_handler(self.spend, STEPS)
        self.index: os.stat_result | None = None
        try:
            self.check_header()
            self.check_schema()
            self.index = index_of(path)
        except BaseException:
            self.close()
            raise

    def measure(self) -> int:
        """The bytes of the file by now, while it is being written. Raises Damaged if it is gone."""
        # It is not opened for that: whoever closes a file lets go of all locks that the process
        # has on it, SQLite's too, and a writer that ends would take the log away from the reader.
        try:
            self.size = size_with_log(self.path)
        except OSError as problem:
            said = f"the file is gone: {problem.strerror or problem}"
            raise Damaged(f"{self.path}: {said}") from None
        return self.size

    def check_still_there(self) -> None:
        """Raise Damaged where the file is gone, is another one or shorter than it has been.

        SQLite goes on reading a file that was deleted, and never knows of its successor.
        """
        try:
            length, now = self.path.stat().st_size, identity(self.path)
        except OSError as problem:
            said = f"the file is gone: {problem.strerror or problem}"
            raise Damaged(f"{self.path}: {said}") from None
        if now != self.identity:
            raise Damaged(f"{self.path}: another file has taken its place: open that one")
        if length < self.length:
            said = f"cut off: {length:,} bytes are left of {self.length:,}"
            raise Damaged(f"{self.path}: damaged: {said}")
        self.length = length

    def check_index(self) -> None:
        """Raise Damaged where the index of the log has been cut off.

        SQLite maps it into memory: to look behind its end is a bus error, which ends the process.
        Looking at its size before each query leaves only the moment in between.
        """
        if self.index is None:
            return
        now = index_of(self.path)
        # One that is gone, or another one, is not what is mapped: that lives on without a name.
        if now is None or not os.path.samestat(now, self.index):
            return
        if now.st_size < self.index.st_size:
            said = f"cut off: {now.st_size:,} bytes are left of {self.index.st_size:,}"
            raise Damaged(f"{self.path}: damaged: its index, {self.path.name}-shm: {said}")
        self.index = now

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def spend(self) -> int:
        """What SQLite asks every STEPS instructions: whether to give up the query."""
        self.steps += 1
        return int(self.steps > BUDGET)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Queries that see the file as it is at one moment, while somebody writes into it."""
        self.check_index()
        with self.naming("the file"):
            self.connection.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self.connection.execute("COMMIT")

    def rows(
        self, query: str, values: Sequence[Any] = (), types: str = "", most: int | None = None
    ) -> list[Row]:
        """The rows of a query. ``types``: a letter a column, i s b f, upper case for NULL too.

        Raises Damaged where SQLite fails, the query takes too long, a type is another one, or there
        are more than ``most`` rows.
        """
        self.check_index()
        self.steps = 0  # the budget is that of one query
        table = query.partition(" FROM ")[2].split(" ")[0] or "the file"
        with self.naming(f"table {table}"):
            cursor = self.connection.execute(query, values)
            rows = cursor.fetchall() if most is None else cursor.fetchmany(most + 1)
        if most is not None and len(rows) > most:
            raise Damaged(f"{self.path}: damaged: table {table}: more than {most:,} rows")
        for row in rows if types else ():
            check_types(row, types, f"{self.path}: damaged: table {table}")
        return rows

    def one(self, query: str, values: Sequence[Any] = (), types: str = "") -> Row | None:
        """The first row of a query, if there is one."""
        rows = self.rows(query, values, types)
        return rows[0] if rows else None

    @contextmanager
    def naming(self, what: str) -> Iterator[None]:
        """What SQLite says about a file becomes a Damaged that names the file."""
        try:
            yield
        except sqlite3.Error as problem:
            said = "takes too long to read" if "interrupt" in str(problem) else str(problem)
            raise Damaged(f"{self.path}: damaged: {what}: {said}{self.hint}") from None
        except (MemoryError, OverflowError, ValueError) as problem:
            raise Damaged(f"{self.path}: damaged: {what}: {problem}") from None

    @property
    def hint(self) -> str:
        """What to say besides of damage in a file whose write-ahead log is not beside it."""
        log = log_of(self.path).name
        return f"; {log} is missing: was it copied without its log?" if self.lost_log else ""

    def check_header(self) -> None:
        """Check the application id and the version of the format.

        Before the tables, which a newer version may have changed.
        """
        with self.naming("its header"):
            (application,) = self.connection.execute("PRAGMA application_id").fetchone()
            (version,) = self.connection.execute("PRAGMA user_version").fetchone()
        if application != APPLICATION_ID:
            said = f"an SQLite file, but not a recording of gradstep{self.hint}"
            raise GradstepError(f"{self.path}: {said}")
        if version > CAPTURE_VERSION:
            raise self.newer(version, CAPTURE_VERSION)
        self.version = version
        if version < 1:
            raise Damaged(f"{self.path}: damaged: there is no version {version} of the format")

    def newer(self, version: int, known: int) -> GradstepError:
        """The error of a file that a newer gradstep has written; it is not raised."""
        return GradstepError(
            f"{self.path}: written in version {version} of the format by a newer gradstep; "
            f"this one reads versions up to {known}: upgrade gradstep"
        )

    def check_schema(self) -> None:
        """Check for exactly the tables of a recording: no view, trigger or index besides.

        They are compared to the letter, because SQL in a schema runs when a query touches it.
        """
        rows = self.rows("SELECT type, name, sql FROM sqlite_master")
        found = {name: sql for kind, name, sql in rows if kind == "table"}
        known = TABLES | LATER | CAPTURES
        for kind, name, _ in rows:
            if kind != "table" or name not in known:
                raise Damaged(f"{self.path}: damaged: a {kind} {name!r} that no recording has")
        self.tables = frozenset(found)
        if self.version > USER_VERSION and not self.captured:
            raise self.newer(self.version, USER_VERSION)
        if self.captured != (self.version == CAPTURE_VERSION):
            said = f"version {self.version} of the format has other tables"
            raise Damaged(f"{self.path}: damaged: {said}")
        needed = TABLES | {name: LATER[name] for name in LATER if name in found}
        if self.captured:
            needed |= CAPTURES
        for name, sql in needed.items():
            if found.get(name) != sql:
                said = "is not as it was made" if name in found else "is missing"
                raise Damaged(f"{self.path}: damaged: table {name} {said}{self.hint}")

    @property
    def captured(self) -> bool:
        """Whether the file has a captured script in it, and no experiment."""
        return not self.tables.isdisjoint(CAPTURES)

    def has(self, table: str) -> bool:
        """Whether the file has a table that came later."""
        return table in self.tables

    def problems(self, everything: bool = False) -> list[str]:
        """What SQLite itself finds wrong; large files only where everything is asked for."""
        if self.size > CHECKED_BYTES and not everything:
            return []
        try:
            rows = self.rows("PRAGMA quick_check(10)")
        except Damaged as problem:
            return [problem.what]
        return [str(row[0]) for row in rows if row[0] != "ok"]


KINDS: dict[str, type] = {"i": int, "s": str, "b": bytes, "f": float}


def check_types(row: Row, types: str, where: str) -> None:
    """Raise Damaged where a column holds another type than it should: SQLite does not check."""
    for value, letter in zip(row, types, strict=True):
        if value is None and letter.isupper():
            continue
        kind = KINDS[letter.lower()]
        if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
            said = type(value).__name__
            raise Damaged(f"{where}: a {said} where {kind.__name__} is expected")


def checked_size(path: Path) -> int:
    """The bytes of a file that begins like SQLite's, with its WAL; a GradstepError for others."""
    try:
        if not path.exists():
            raise GradstepError(f"{path}: no such file")
        with open_regular(path) as file:
            start = file.read(len(MAGIC))
        size = size_with_log(path)
    except OSError as problem:
        raise GradstepError(f"{path}: {problem.strerror or problem}") from problem
    except ValueError as problem:
        raise GradstepError(f"{str(path)[:200]!r}: {problem}") from None
    if start != MAGIC:
        raise GradstepError(f"{path}: not a recording: it does not begin like one")
    return size


def size_with_log(path: Path) -> int:
    """The bytes of a file and of its write-ahead log. Raises OSError where there is no file."""
    wal = log_of(path)
    return path.stat().st_size + (wal.stat().st_size if wal.is_file() else 0)


def identity(path: Path) -> tuple[int, int]:
    """What tells a file from another of the same name. Raises OSError where there is none."""
    found = path.stat()
    return found.st_dev, found.st_ino


def log_of(path: Path) -> Path:
    """The write-ahead log of a recording, whether there is one or not."""
    return path.with_name(path.name + "-wal")


def index_of(path: Path) -> os.stat_result | None:
    """What the file system says of the index of a write-ahead log; None where there is none."""
    try:
        return os.stat(f"{path}-shm")
    except OSError:
        return None


def needs_log(path: Path) -> bool:
    """Whether a file says that its last changes are in a write-ahead log beside it."""
    with open_regular(path) as file:
        return file.read(20)[18:] == b"\2\2"


def connect(path: Path, size: int) -> sqlite3.Connection:
    """A read-only connection; without a write-ahead log beside it nothing at all is touched."""
    # The last commits may be in the log alone: with one, the file is opened like any database.
    being_written = log_of(path).exists()
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    # Where nothing can be written there can be no index of the log: it is made in memory, which
    # SQLite does for a connection that need not share it.
    alone = being_written and not os.access(path.parent, os.W_OK)
    uri += "&vfs=unix-none" if alone else "" if being_written else "&immutable=1"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    if alone:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(2**16, min(2**30, size)))
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    for pragma in ("trusted_schema = OFF", "cell_size_check = ON", "query_only = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA busy_timeout = 2000")
    return connection


def check_appendable(path: Path) -> None:
    """A GradstepError where the file is no sound recording of this very version."""
    reader = Reader(path)
    try:
        problems = reader.problems(everything=True)
        if problems:
            raise Damaged(f"{path}: damaged: {problems[0]}")
        (version,) = reader.connection.execute("PRAGMA user_version").fetchone()
        if version != USER_VERSION:
            raise GradstepError(f"{path}: of version {version}, which can be read but not extended")
    finally:
        reader.close()
