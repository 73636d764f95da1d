"""What the doctor of a command has found, as text and as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.diagnostics.diagnosis import Diagnosis
from tui.cli.output import console
from tui.render.reports.findings import print_findings
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

MOST_ITERATIONS = 1000  # of a run that the experiment itself has longer


@dataclass
class Examination:
    """The findings of a watched run. ``problems`` are refusals that no finding explains."""

    experiment: str
    findings: list[Diagnosis]
    iterations: int = 0
    problems: list[str] = field(default_factory=list)
    interrupted: bool = False

    @property
    def serious(self) -> bool:
        """Whether any finding is serious."""
        return any(one.serious for one in self.findings)


def as_object(result: Examination) -> dict[str, Any]:
    """An examination as plain data."""
    return {
        "experiment": result.experiment,
        "iterations": result.iterations,
        "serious": sum(one.serious for one in result.findings),
        "refused": not result.iterations and not result.interrupted,
        "problems": result.problems,
        "findings": [finding(one) for one in result.findings],
    }


def finding(one: Diagnosis) -> dict[str, Any]:
    """A finding as plain data; ``event`` is null where nothing was run."""
    return {
        "name": one.name,
        "title": one.title,
        "severity": one.severity,
        "certainty": one.certainty,
        "subject": one.subject,
        "event": one.event,
        "place": one.place,
        "evidence": one.evidence,
        "numbers": dict(one.numbers),
        "cause": one.cause,
        "remedy": one.remedy,
        "follows": one.follows or None,
    }


def print_examination(result: Examination) -> None:
    """Print the findings, then a line that sums them up."""
    out = console()
    print_findings(out, result.findings)
    for problem in result.problems:
        out.print(f"also refused: {clean(problem)}", overflow="fold")
    out.print(summary(result), style="red" if result.serious else "green", overflow="fold")


def summary(result: Examination) -> str:
    """How many findings of which severity there are, and over what."""
    what = ", ".join(counted(result.findings)) or "nothing is wrong"
    over = f"{count_text(result.iterations)} iterations" if result.iterations else "refused"
    return f"{clean(result.experiment)}: {what} ({over})"


def counted(findings: Sequence[Diagnosis]) -> list[str]:
    """``2 serious``, ``1 warning``, ``3 notes``."""
    severities = [one.severity.value for one in findings]
    return [
        f"{n} {word}{'s' if n > 1 and word != 'serious' else ''}"
        for word in ("serious", "warning", "note")
        if (n := severities.count(word))
    ]
