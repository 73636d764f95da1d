"""Captured recordings opened: what the tests of this room and of the screen begin with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.capture.captured import CapturedRun
from engine.capture.stored import StoredCapture
from engine.recording.reader import Reader


@contextmanager
def opened(path: Path, number: int | None = None) -> Iterator[CapturedRun]:
    """The run of a captured recording."""
    reader = Reader(path)
    try:
        yield CapturedRun(StoredCapture(reader, number))
    finally:
        reader.close()
