"""The bookmarks, stops, watches and views of a recorded run: a bad row is told and left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.errors import GradstepError
from engine.recording.canonical import NUMBERS, parse
from engine.recording.reader import Damaged, Reader
from engine.session.bookmarks import Bookmark
from engine.stops.stop import stop_from_dict

MOST = 1000  # of each kind: what nobody could look through is not believed
MOST_TEXT = 10_000  # characters of a text of theirs
Row = tuple[Any, ...]


@dataclass
class Marks:
    """What a person left in a run; ``stops`` are plain data, ``texts`` those of all that are sound.

    ``problems`` names each row that was left out.
    """

    bookmarks: list[Bookmark] = field(default_factory=list)
    stops: list[dict[str, Any]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    watches: list[str] = field(default_factory=list)
    views: list[tuple[int, str]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_marks(reader: Reader, run: int, last: int) -> Marks:
    """The marks of a run whose events end at ``last``. Raises nothing of what is in the file."""
    marks = Marks()
    kinds: list[tuple[str, str, Callable[[Marks, Row, int], None]]] = [
        ("bookmark", "name, event, text", bookmark),
        ("stop", "entry", stop),
        ("watch", "expression", watch),
    ]
    if reader.has("view"):
        kinds.append(("view", "event, text", view))
    for table, columns, take in kinds:
        try:
            for number, row in enumerate(rows(reader, run, table, columns), 1):
                try:
                    take(marks, row, last)
                except GradstepError as problem:
                    marks.problems.append(f"{table} {number}: {problem}")
        except Damaged as problem:  # what was read before it stays
            marks.problems.append(problem.what)
    return marks


def rows(reader: Reader, run: int, table: str, columns: str) -> Iterator[Row]:
    """The first MOST rows of a table; a Damaged behind them where there are more."""
    query = f"SELECT {columns} FROM {table} WHERE run = ? ORDER BY number LIMIT {MOST + 1}"
    found = reader.rows(query, (run,))
    yield from found[:MOST]
    if len(found) > MOST:
        raise Damaged(f"damaged: table {table}: more than {MOST:,} rows, the rest is left out")


def text_of(value: object, what: str) -> str:
    """A text of at most MOST_TEXT characters; a GradstepError for anything else."""
    if not isinstance(value, str):
        raise GradstepError(f"{what} is a {type(value).__name__}, not a text")
    if len(value) > MOST_TEXT:
        raise GradstepError(f"{what} has {len(value):,} characters, more than {MOST_TEXT:,}")
    return value


def bookmark(marks: Marks, row: Row, last: int) -> None:
    """Take over a bookmark; GradstepError for one that is none."""
    name, event, text = row
    if type(event) is not int:
        raise GradstepError(f"its event is {str(event)[:60]!r}")
    place = max(0, min(event, last))
    marks.bookmarks.append(Bookmark(text_of(name, "its name"), place, text_of(text, "its text")))


def stop(marks: Marks, row: Row, last: int) -> None:
    """Take over a stop; GradstepError for one that is none."""
    entry = parse(text_of(row[0], "it"), "it")
    if not isinstance(entry, dict):
        raise GradstepError("not a table")
    bound = entry.get("bound")
    if isinstance(bound, str) and bound in NUMBERS:  # JSON has no infinities
        entry["bound"] = NUMBERS[bound]
    stop_from_dict(entry)
    marks.stops.append(entry)
    marks.texts.append(row[0])


def view(marks: Marks, row: Row, last: int) -> None:
    """Take over what was looked at; GradstepError for what is none. Its line is read later."""
    event, text = row
    if type(event) is not int:
        raise GradstepError(f"its event is {str(event)[:60]!r}")
    marks.views.append((max(0, min(event, last)), text_of(text, "it")))


def watch(marks: Marks, row: Row, last: int) -> None:
    """Take over a watched expression; GradstepError for what is no text."""
    marks.watches.append(text_of(row[0], "it"))
