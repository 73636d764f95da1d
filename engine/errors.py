"""What the engine says when it cannot do what was asked."""

from collections.abc import Sequence
from dataclasses import dataclass


class GradstepError(Exception):
    """A request that cannot be served; the message names what, where and the remedy."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in an experiment: the path of the field and what to do about it."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


MAX_LINES = 50  # problems in the message; ``problems`` has all of them


class ExperimentError(GradstepError):
    """All the problems found in one experiment; the message lists the first of them."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        lines = [f"  {problem}" for problem in problems[:MAX_LINES]]
        if len(problems) > MAX_LINES:
            lines.append(f"  … and {len(problems) - MAX_LINES} more")
        super().__init__("\n".join([f"{file}: {count}", *lines]))
