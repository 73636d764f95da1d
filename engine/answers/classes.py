"""Many hand-ins together: points, rows for a table, and what a class gets wrong."""

import csv
import io
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.answers.grading import Grader
from engine.answers.sources import read_handin
from engine.answers.verdict import Verdict
from engine.errors import GradstepError
from engine.files import naming, read_regular
from engine.toml_text import read_toml
from engine.wording import guarded

MAX_KEY = 2**20
HEADINGS = ("file", "question", "of", "verdict", "reason", "factor", "message", "line")


@dataclass(frozen=True)
class Graded:
    """One file with its verdicts, or why it cannot be read."""

    file: str
    verdicts: tuple[Verdict, ...] = ()
    error: str = ""

    @property
    def right(self) -> int:
        """How many answers are right."""
        return sum(one.right for one in self.verdicts)

    def as_json(self) -> dict[str, Any]:
        """The object of one file."""
        if self.error:
            return {"error": self.error}
        found = [one.as_json() for one in self.verdicts]
        return {"answers": found, "right": self.right, "total": len(found)}


def graded(grader: Grader, files: Sequence[Path]) -> list[Graded]:
    """Every file graded; one that cannot be read has an error."""
    found = []
    for file in files:
        try:
            found.append(Graded(str(file), tuple(grader.grade(read_handin(file)))))
        except GradstepError as error:
            found.append(Graded(str(file), error=str(error)))
    return found


@dataclass(frozen=True)
class Points:
    """The points of each question, and the share of them that an answer gets that is nearly right.

    Without a table every question that is answered has one point.
    """

    table: Mapping[str, float] = field(default_factory=dict)
    nearly: float = 0.0


def read_points(path: Path, grader: Grader) -> Points:
    """The points in a TOML file: a number for each question, in [points] or at the top.

    Questions are named as in a hand-in. Raises GradstepError for anything else.
    """
    with naming(path):
        content = read_toml(read_regular(path, MAX_KEY).decode("utf-8-sig"))
    table = content.get("points", {k: v for k, v in content.items() if k != "nearly"})
    nearly = content.get("nearly", 0.0)
    if not isinstance(table, dict) or not is_share(nearly):
        raise GradstepError(f'{path}: write points as "W1.grad" = 2, and nearly from 0 to 1')
    found: dict[str, float] = {}
    for name, points in flat(table).items():
        if not isinstance(points, int | float) or isinstance(points, bool) or not points >= 0:
            raise GradstepError(f"{path}: {name}: points are a number from 0")
        if not math.isfinite(points):
            raise GradstepError(f"{path}: {name}: points are a number from 0")
        found[grader.question(name)] = float(points)
    if not found:
        raise GradstepError(f'{path}: has no points: write "W1.grad" = 2 for each question')
    return Points(found, float(nearly))


def is_share(value: Any) -> bool:
    """Whether a value is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def flat(table: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The leaves of tables in tables, as W1.grad without quotes makes them."""
    found: dict[str, Any] = {}
    for name, value in table.items():
        key = f"{before}.{name}" if before else name
        found |= flat(value, key) if isinstance(value, dict) else {key: value}
    return found


def gradescope(one: Graded, points: Points) -> dict[str, Any]:
    """The results.json of an autograder: a test for each question."""
    by_question: dict[str, list[Verdict]] = {}
    for verdict in one.verdicts:
        by_question.setdefault(verdict.question, []).append(verdict)
    names = list(points.table) or list(by_question)
    tests = [scored(name, by_question.get(name, []), points) for name in names]
    found: dict[str, Any] = {"tests": tests, "score": sum(test["score"] for test in tests)}
    if one.error:
        found["output"] = one.error
    return found


def scored(name: str, verdicts: Sequence[Verdict], points: Points) -> dict[str, Any]:
    """One test: all answers to a question must be right."""
    most = points.table.get(name, 1.0)
    shares = {"right": 1.0, "nearly": points.nearly}
    share = min((shares.get(one.verdict, 0.0) for one in verdicts), default=0.0)
    lines = [": ".join(t for t in (one.verdict, one.message) if t) for one in verdicts]
    return {
        "name": name,
        "score": most * share,
        "max_score": most,
        "status": "passed" if share == 1.0 else "failed",
        "output": "\n".join(lines) or "not answered",
    }


@dataclass(frozen=True)
class Summary:
    """What a class gets wrong: a question, a mistake, and how many hand-ins make it."""

    question: str
    reason: str
    count: int


def summary(files: Sequence[Graded]) -> list[Summary]:
    """The mistakes of a class, the most frequent first."""
    counts = Counter(
        pair
        for file in files
        for pair in {
            (one.question, ": ".join(t for t in (mistake.reason, mistake.factor) if t))
            for one in file.verdicts
            for mistake in one.mistakes
        }
    )
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Summary(question, reason, count) for (question, reason), count in order]


def as_csv(files: Sequence[Graded]) -> str:
    """A row for each file and answer."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADINGS)
    for file in files:
        if file.error:
            writer.writerow([guarded(file.file), "", "", "error", guarded(file.error), "", "", ""])
        for one in file.verdicts:
            factor = next((m.factor for m in one.mistakes if m.factor), "")
            cells = (file.file, one.question, one.of, one.verdict, one.reason, factor, one.message)
            writer.writerow([*map(guarded, cells), one.line or ""])
    return out.getvalue()


def as_json(files: Sequence[Graded]) -> dict[str, Any]:
    """The object of ``--json``: of one file its answers, of several all of them."""
    if len(files) == 1:
        return files[0].as_json()
    found = [{"file": one.file, **one.as_json()} for one in files]
    wrong = [
        {"question": s.question, "mistake": s.reason, "count": s.count} for s in summary(files)
    ]
    return {"files": found, "summary": wrong}
