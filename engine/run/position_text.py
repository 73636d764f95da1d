"""Positions as people write them: #41, i3, i3:backward:linear2, e2, 50%, end, 'name, +5."""

import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from fractions import Fraction
from typing import Protocol

from engine.errors import GradstepError
from engine.program.program import Program
from engine.run.op import Op
from engine.run.phases import Phase

FORMS = (
    "#41 or 41 (event), i3 (iteration), i3:backward, i3:backward:linear2, backward:linear2 "
    "(in this iteration), e2 (epoch), 50%, +5, -5, start, end, 'name (bookmark)"
)
MAX_DIGITS = 18


class Marked(Protocol):
    """A bookmark: a place with a name."""

    @property
    def event(self) -> int: ...


class Travelled(Protocol):
    """What positions refer to: a session."""

    @property
    def program(self) -> Program: ...
    @property
    def event(self) -> int: ...
    @property
    def bookmarks(self) -> Mapping[str, Marked]: ...


def parse_position(text: str, session: Travelled) -> int:
    """The event that a position means, as the cursor stands; a GradstepError says what is allowed.

    The third part of ``i3:backward:linear2`` is a layer (its first op there) or an op by name.
    """
    word, program = text.strip(), session.program
    if word.startswith("'"):
        return bookmarked(word[1:], session.bookmarks)
    if word in ("start", "end"):
        return program.events if word == "end" else 0
    if match := re.fullmatch(r"#?(\d+)", word, re.ASCII):
        return checked(word, number(word, match[1]), 0, program.events, "the run has events #")
    if match := re.fullmatch(r"([+-])(\d+)", word, re.ASCII):
        target = session.event + (1 if match[1] == "+" else -1) * number(word, match[2])
        return checked(word, target, 0, program.events, "the run has events #")
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)%", word, re.ASCII):
        return percent(word, match[1], program)
    if match := re.fullmatch(r"e(\d+)", word, re.ASCII):
        last = program.experiment.training.epochs
        epoch = checked(word, number(word, match[1]), 1, last, "the run has epochs ")
        return (epoch - 1) * program.batches.count * len(program.ops)
    if match := re.fullmatch(r"i(\d+)(?::(.*))?", word, re.ASCII | re.DOTALL):
        last = program.iterations
        iteration = checked(word, number(word, match[1]), 1, last, "the run has iterations ")
        inside = 0 if match[2] is None else offset(word, match[2], program)
        return (iteration - 1) * len(program.ops) + inside
    if word.split(":")[0] in list(Phase):
        start = program.position(session.event).iteration - 1
        return start * len(program.ops) + offset(word, word, program)
    raise refusal(text, f"is no position; positions are {FORMS}")


def format_position(program: Program, event: int) -> str:
    """The exact position of an event, ``i3:backward:linear2.weight.grad``; it parses back."""
    if event >= program.events:
        return "end"
    iteration, index = divmod(event, len(program.ops))
    op = program.ops[index]
    return f"i{iteration + 1}:{op.phase}:{op.name}"


def find_ops(program: Program, phase: str, name: str | None = None) -> list[Op]:
    """The ops of a phase; with a name, the op of that name there or else those of that layer."""
    ops = [op for op in program.ops if op.phase == phase]
    if name is None:
        return ops
    resolved = program.resolve(name)
    return [op for op in ops if op.name == resolved] or [op for op in ops if op.layer == name]


def occurrence(program: Program, index: int, event: int, direction: int = 1) -> int | None:
    """The next place after the cursor (or, with −1, the last before it) that stands at an op."""
    ops = len(program.ops)
    steps = (index - event - 1) % ops + 1 if direction > 0 else -((event - index - 1) % ops + 1)
    target = event + steps
    return target if 0 <= target < program.events else None


def offset(word: str, inner: str, program: Program) -> int:
    """The op that ``backward`` or ``backward:linear2`` means, counted within the iteration."""
    phase, _, name = inner.partition(":")
    named = name if ":" in inner else None
    ops = find_ops(program, phase, named)
    if ops:
        return ops[0].index
    in_phase = find_ops(program, phase)
    if not in_phase:
        phases = program.phases()
        hint = f"{phase!r} is no phase of this program" + suggestion(phase, phases)
        raise refusal(word, f"{hint}: {', '.join(phases)}")
    names = dict.fromkeys([op.layer for op in in_phase if op.layer] + [op.name for op in in_phase])
    raise refusal(
        word,
        f"nothing in {phase} is called {name!r}{suggestion(name, names)}: {', '.join(names)}",
    )


def bookmarked(name: str, bookmarks: Mapping[str, Marked]) -> int:
    """The event of a bookmark."""
    if name in bookmarks:
        return bookmarks[name].event
    known = ", ".join(f"'{known}" for known in bookmarks) or "none yet; mark one with `mark NAME`"
    raise refusal(f"'{name}", f"is no bookmark{suggestion(name, bookmarks)}; bookmarks: {known}")


def percent(word: str, digits: str, program: Program) -> int:
    """The event at a share of the run."""
    if len(digits) > MAX_DIGITS or Fraction(digits) > 100:
        raise refusal(word, "is past the end: a share is between 0% and 100%")
    return int(Fraction(digits) * program.events / 100)


def number(word: str, digits: str) -> int:
    """A whole number of sane length."""
    if len(digits) > MAX_DIGITS:
        raise refusal(word, f"has {len(digits)} digits; a number has at most {MAX_DIGITS}")
    return int(digits)


def checked(word: str, value: int, low: int, high: int, what: str) -> int:
    """A number between its bounds."""
    if low <= value <= high:
        return value
    raise refusal(word, f"is outside: {what}{low} to {high}")


def suggestion(word: str, allowed: Collection[str]) -> str:
    """``, did you mean backward?`` where something is near."""
    near = get_close_matches(word, list(allowed), 1)
    return f" (did you mean {near[0]}?)" if near else ""


def refusal(word: str, message: str) -> GradstepError:
    """An error that names the position as it was written, shortened and made visible."""
    shown = word if len(word) <= 60 else word[:60] + "…"
    return GradstepError(f"position {shown!r} {message}")
