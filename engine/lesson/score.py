"""What somebody has answered in a lesson, the score of it, and the file that collects a class's."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import GradstepError
from engine.files import naming, read_regular, replacing
from engine.lesson.question import Judged
from engine.lesson.steps import Ask
from engine.strict_json import strict_json

try:
    import fcntl
except ImportError:  # not on every system: of two who end at the same moment one may be lost
    fcntl = None  # type: ignore[assignment]

MAX_BYTES = 16 * 2**20  # of a file of answers
MAX_TRIES = 100  # of one question that are kept


@dataclass
class Answered:
    """A question, what was tried, and whether the answer was shown instead."""

    ask: Ask
    tries: list[tuple[str, Judged]] = field(default_factory=list)
    revealed: bool = False

    @property
    def right(self) -> bool:
        """Whether it was answered rightly before the answer was shown."""
        return not self.revealed and bool(self.tries) and self.tries[-1][1].right

    def try_(self, said: str, judged: Judged) -> None:
        """Keep a try."""
        if len(self.tries) < MAX_TRIES:
            self.tries.append((said, judged))
        else:
            self.tries[-1] = (said, judged)

    def as_json(self) -> dict[str, Any]:
        """The question with its tries, as plain data."""
        return {
            "question": self.ask.question,
            "line": self.ask.line,
            "right": self.right,
            "revealed": self.revealed,
            "tries": [
                {"said": said, "verdict": one.verdict, "message": one.message}
                for said, one in self.tries
            ],
        }


@dataclass
class Score:
    """The questions of a lesson that were met, by the line in which they stand."""

    total: int
    answered: dict[int, Answered] = field(default_factory=dict)

    def of(self, ask: Ask) -> Answered:
        """The record of a question, made where there is none yet."""
        return self.answered.setdefault(ask.line, Answered(ask))

    @property
    def right(self) -> int:
        """How many were answered rightly."""
        return sum(one.right for one in self.answered.values())

    @property
    def done(self) -> int:
        """How many were answered, or shown."""
        return sum(one.revealed or bool(one.tries) for one in self.answered.values())

    @property
    def first(self) -> int:
        """How many of them at the first try."""
        return sum(one.right and len(one.tries) == 1 for one in self.answered.values())

    def lines(self) -> tuple[str, ...]:
        """The score in lines: in all, then what was not right."""
        if not self.total:
            return ()
        head = f"{self.right} of {self.total} right, {self.first} of them at the first try"
        missed = [one for one in self.answered.values() if not one.right]
        words = ("shown", "not answered")
        rest = [f"✗ {one.ask.question}  ({words[not one.revealed]})" for one in missed]
        left = self.total - len(self.answered)
        return (head, *rest, *([f"{left} not asked"] if left else []))

    def as_json(self) -> list[dict[str, Any]]:
        """All of it as plain data, in the order of the file."""
        return [self.answered[line].as_json() for line in sorted(self.answered)]


def collect(path: Path, lesson: str, name: str, score: Score) -> None:
    """Add what somebody has answered to a file, which has that of others.

    Raises GradstepError where the file is there and is none of answers, or cannot be written.
    """
    with alone(path):
        known = known_answers(path)
        known.append(
            {
                "lesson": lesson,
                "name": name,
                "right": score.right,
                "total": score.total,
                "answers": score.as_json(),
            }
        )
        with replacing(path) as out:
            out.write(strict_json({"answers": known}, 1).encode() + b"\n")


def check_collecting(path: Path) -> None:
    """Raise GradstepError where answers could not be added to a file, before anything is asked."""
    known_answers(path)
    if not path.parent.is_dir():
        raise GradstepError(f"{path}: there is no folder {path.parent}")


def known_answers(path: Path) -> list[Any]:
    """The answers that a file has; none where it is not there or empty."""
    try:
        raw = read_regular(path, MAX_BYTES)
    except FileNotFoundError:
        return []
    except OSError as problem:
        raise GradstepError(f"{path}: {problem.strerror or problem}") from None
    if not raw.strip():
        return []
    try:
        found = json.loads(raw)["answers"]
    except (ValueError, RecursionError, KeyError, TypeError):
        found = None
    if not isinstance(found, list):
        raise GradstepError(f"{path}: not a file of answers, and is not overwritten")
    return found


def handed_in(path: Path, lesson: str) -> int:
    """How many have handed in answers to a lesson; raises GradstepError as collecting does."""
    known = known_answers(path)
    return sum(isinstance(one, dict) and one.get("lesson") == lesson for one in known)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else collects in the folder meanwhile, where the system has locks."""
    if fcntl is None:
        yield
        return
    # The folder, so that no file of a lock is left behind.
    with naming(path):
        folder = os.open(path.parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
