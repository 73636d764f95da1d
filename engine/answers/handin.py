"""A hand-in: answers by what they are about, and where they are meant."""

from dataclasses import dataclass
from typing import Any

from engine.worksheet.rows import Layout

MOST_ANSWERS = 500


@dataclass(frozen=True)
class Answer:
    """One answer: ``of`` as it is written, ``said`` text, numbers in lists, or an array.

    ``line`` is where it stands in a document. ``problem`` is why it cannot be read, and then
    ``offset`` is where. ``shown`` is how it was written, where ``said`` is what was made of it. One
    that was ``found`` in a document is none where its left side is about nothing.
    """

    of: str
    said: Any
    line: int | None = None
    problem: str = ""
    offset: int | None = None
    shown: str = ""
    found: bool = False


@dataclass(frozen=True)
class HandIn:
    """The answers of one file, and where they are meant: a position, a sample or the batch."""

    name: str
    answers: tuple[Answer, ...]
    at: str | None = None
    sample: int | None = None
    batch: bool = False
    layout: Layout | None = None
