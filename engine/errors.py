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


class ExperimentError(GradstepError):
    """All the problems found in one experiment."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(problems)
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{source}: {count}\n{lines}")
