"""A lesson made of a run that was recorded or is under way: its places, edits and bookmarks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.debugger import Debugger
from engine.lesson.own_words import MAX_TITLE
from engine.lesson.reader import MAX_CAPTION, QUOTES
from engine.run.position import Granularity
from engine.run.position_text import format_position

MOST = 100  # places of a run without bookmarks


def quoted_text(text: str) -> str:
    """A text as it stands in quotes in a lesson."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


def caption_lines(text: str) -> Iterator[str]:
    """A ``say`` of a text of any length and any characters."""
    safe = "".join(c if c.isprintable() or c == "\n" else " " for c in text)
    safe = safe.replace(QUOTES, "'''")[:MAX_CAPTION].strip()
    if "\n" not in safe and not safe.endswith('"'):
        yield f"say {QUOTES}{safe}{QUOTES}"
        return
    yield from (f"say {QUOTES}", *safe.split("\n"), QUOTES)


def title_line(text: str) -> str:
    """A ``chapter`` of a text."""
    return f"chapter {quoted_text(text[: MAX_TITLE // 2])}"


def opening_line(thing: str) -> str:
    """The first line of a lesson; a path with blanks stands in quotes."""
    return f"open {thing}" if re.fullmatch(r"[^\s\"']+", thing) else f"open {quoted_text(thing)}"


@dataclass(frozen=True)
class Place:
    """A place of a run where a lesson stops: the lines there."""

    event: int
    lines: tuple[str, ...]


def lesson_of(debugger: Debugger, thing: str) -> str:
    """The lesson of a run: its bookmarks are chapters with captions, its edits are made again.

    Without bookmarks it stops at up to MOST places: ops, phases or iterations, whatever are that
    many at most. ``thing`` is what it opens.
    """
    head = [f"# {' '.join(str(debugger.run.name).split())}", opening_line(thing), ""]
    places = sorted([*marked(debugger), *edited(debugger)], key=lambda place: place.event)
    if not debugger.bookmarks:
        places = sorted([*places, *stops(debugger)], key=lambda place: place.event)
    body: list[str] = []
    now = 0
    for place in places:
        if place.event != now:
            body.append(f"goto #{place.event}")
            now = place.event
        body += place.lines
    return "\n".join([*head, *body]) + "\n"


def marked(debugger: Debugger) -> Iterator[Place]:
    """The bookmarks: a chapter, its caption, and a hold."""
    for mark in debugger.bookmarks.values():
        said = tuple(caption_lines(mark.text)) if mark.text.strip() else ()
        yield Place(mark.event, (title_line(mark.name), *said, "hold"))


def edited(debugger: Debugger) -> Iterator[Place]:
    """The edits of the present branch, as the words that make them; a recording has its own."""
    if not debugger.session.source.recorded:
        for entry in debugger.session.journal:
            yield Place(entry.event, (" ".join(str(entry).split()),))


def stops(debugger: Debugger) -> Iterator[Place]:
    """Places along the run as far as it is known: the finest steps that are at most MOST."""
    known = debugger.session.known
    for event in places_to(debugger, known):
        position = format_position(debugger.run, event)
        yield Place(event, (f"say {quoted_text(position)}", "hold"))


def places_to(debugger: Debugger, known: int) -> Sequence[int]:
    """Up to MOST events from the beginning to the last known one."""
    timeline = debugger.session.timeline
    for size in (Granularity.OP, Granularity.PHASE, Granularity.ITERATION):
        found, at = [0], 0
        while at < known and len(found) <= MOST:
            at = min(known, timeline.boundary(at, size, 1))
            found.append(at)
        if len(found) <= MOST:
            return found
    return sorted({known * i // (MOST - 1) for i in range(MOST)})


def beside_file(thing: str, target: Path) -> str:
    """A thing as a lesson in a file means it: a path from the folder of that file, or a name."""
    path = Path(thing)
    if not path.exists():
        return thing
    try:
        return str(path.resolve().relative_to(target.resolve().parent))
    except ValueError:
        return str(path.resolve())
