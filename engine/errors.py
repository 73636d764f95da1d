"""What the engine says when it cannot do what was asked."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

LAYER = re.compile(r"layers\[(\d+)\]")


class GradstepError(Exception):
    """A request that cannot be served; the message names what, where and the remedy."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in an experiment: the path of the field and what to do about it.

    ``line`` is that of the file, counted from 1, or 0 where it is not known; ``row`` that of a text
    of several lines, which the field is, where the problem lies in one of them.
    """

    path: str
    message: str
    row: int = 0
    line: int = 0

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.path else self.message

    @property
    def place(self) -> str:
        """The path, and which layer that is as people count them: the file has no numbers."""
        layer = LAYER.match(self.path)
        return self.path if layer is None else f"{self.path} (layer {int(layer[1]) + 1})"


MAX_LINES = 50  # problems in the message; ``problems`` has all of them


class ExperimentError(GradstepError):
    """All the problems found in one experiment; the message lists the first of them."""

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        count = f"{len(problems)} problems" if len(problems) > 1 else "1 problem"
        lines = [
            f"  {file}:{problem.line}: {problem}" if problem.line else f"  {problem}"
            for problem in problems[:MAX_LINES]
        ]
        if len(problems) > MAX_LINES:
            lines.append(f"  … and {len(problems) - MAX_LINES} more")
        super().__init__("\n".join([f"{file}: {count}", *lines]))
