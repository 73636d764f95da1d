"""Answers that are words: the five steps, and dimensions."""

import re
from collections.abc import Sequence

from engine.answers.expr import Unread
from engine.answers.verdict import Mistake
from engine.run.phases import Phase, order_problems

STEPS: tuple[tuple[str, Phase], ...] = (
    (r"zero|clear|reset|null", Phase.ZERO_GRAD),
    (r"back", Phase.BACKWARD),
    (r"updat|optimizer\.step|\bstep\b|descen|θ\s*[←=]|adjust", Phase.UPDATE),
    (r"forward|model\(|logit|predict|y_?hat\s*=|ŷ\s*=", Phase.FORWARD),
    (r"loss|criterion|error|cost|ℓ\s*=", Phase.LOSS),
    (r"gradient", Phase.BACKWARD),
)
SIZE = re.compile(r"\d+|[A-Za-z][₀-₉]*")
LONG = re.compile(r"[A-Za-z]{4}")  # no product of sizes, but a word


def phase_of(text: str) -> Phase | None:
    """The step that a line is about; None where it is about none."""
    lowered = text.lower()
    return next((phase for pattern, phase in STEPS if re.search(pattern, lowered)), None)


def step_mistakes(lines: Sequence[str]) -> tuple[Mistake, ...]:
    """What is wrong with the steps in their order; raises Unread for a line that is no step."""
    found = []
    for line in lines:
        phase = phase_of(line)
        if phase is None:
            raise Unread(f"{line.strip()[:60]!r} is none of the five steps", 0)
        found.append(phase)
    return tuple(Mistake("the steps", "", said) for said in order_problems(found))


def dimensions(text: str) -> list[list[str]]:
    """Dimensions as written, h×h or (1, K): for each axis the sizes that are multiplied.

    Raises Unread where it is none.
    """
    flat = text.strip().strip("$").replace("\\times", "×").strip()
    if flat.lower() in ("scalar", "()"):
        return [["1"], ["1"]]
    inner = flat.strip("()[]{} ")
    found = []
    for part in re.split(r"\s*(?:×|,|\bby\b|(?<=[\w\s])[x*](?=[\w\s]))\s*", inner):
        sizes = SIZE.findall(part)
        rest = SIZE.sub("", part).strip(" ·*()")
        if part and (rest or not sizes or LONG.search(part)):
            raise Unread(f"{part!r} is no size", text.find(part))
        if part:
            found.append(sizes)
    if not found or len(found) > 4:
        raise Unread("expects dimensions, as h×h", 0)
    return found
