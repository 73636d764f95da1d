"""What is to be captured of a command, as its tracer and the recording are told."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from engine.errors import GradstepError

DEPTHS = ("module", "op", "aten")
VALUES = ("auto", "full", "stats", "light")
BUDGET = 2**30


@dataclass(frozen=True, slots=True)
class Plan:
    """``window`` are the iterations [first, last) that are told in full, ``every`` makes each so
    many iterations one; ``iteration`` is the file and the line at which a pass begins, where the
    script's own loop is not to be found by itself. ``budget`` are bytes of the recording."""

    depth: str = "op"
    values: str = "auto"
    budget: int = BUDGET
    window: tuple[int, int] | None = None
    every: int = 0
    digests: bool = False
    quiet: bool = False
    iteration: tuple[str, int] | None = None
    inputs: bool = True
    source: bool = True
    eager: bool = False

    def text(self, token: str) -> str:
        """What the tracer reads: JSON, with the token that lets it in."""
        return json.dumps(asdict(self) | {"token": token})

    @staticmethod
    def read(given: Mapping[str, Any]) -> "Plan":
        """A plan that was written down. Raises GradstepError for what is none."""
        try:
            found = msgspec.convert(dict(given), Plan, strict=True)
        except msgspec.ValidationError as problem:
            raise GradstepError(f"the options of the capture: {problem}") from None
        if found.depth not in DEPTHS or found.values not in VALUES or found.budget < 0:
            raise GradstepError(f"the options of the capture: {found}")
        return found
