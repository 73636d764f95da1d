"""Positions as people write them: #41, i3, i3:backward:linear2, e2, 50%, end, 'name, +5."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Protocol

from engine.errors import GradstepError
from engine.run.code_places import MODULE, by_code, code_line, is_file, module_pattern
from engine.run.op import Op
from engine.run.phases import Phase
from engine.run.position import Granularity
from engine.run.run import Run
from engine.run.timeline import Listing, Timeline, every_op
from engine.wording import suggestion

FORMS = (
    "#41 or 41 (event), i3 (iteration), i3:backward, i3:backward:linear2, backward:linear2 "
    "(in this iteration), e2 (epoch), 50%, +5, -5, start, end, 'name (bookmark)"
)
OF_SCRIPTS = "; of a captured script also train.py:41 and module:layer1.0"
MOST_LISTED = 12  # of what there is instead of what was asked for
MAX_DIGITS = 18  # such a number fits into 64 bits


class Marked(Protocol):
    """A bookmark, of which only the event is asked."""

    @property
    def event(self) -> int: ...


class Travelled(Protocol):
    """What positions refer to: a run, a cursor in it and bookmarks."""

    @property
    def run(self) -> Run: ...
    @property
    def event(self) -> int: ...
    @property
    def bookmarks(self) -> Mapping[str, Marked]: ...


def parse_position(text: str, at: Travelled) -> int:
    """The event that a position means, as the cursor stands; a GradstepError says what is allowed.

    The third part of ``i3:backward:linear2`` is a layer (its first op there) or an op by name.
    """
    word, timeline = text.strip(), at.run.timeline
    if word.startswith("'"):  # first: a bookmark may be called start, i3 or 41
        return bookmarked(word[1:], at.bookmarks)
    if word in ("start", "end"):
        return timeline.end if word == "end" else 0
    if match := re.fullmatch(r"#?(\d+)", word, re.ASCII):
        return checked(word, number(word, match[1]), 0, timeline.end, "the run has events #")
    if match := re.fullmatch(r"([+-])(\d+)", word, re.ASCII):
        target = at.event + (1 if match[1] == "+" else -1) * number(word, match[2])
        return checked(word, target, 0, timeline.end, "the run has events #")
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)%", word, re.ASCII):
        return percent(word, match[1], timeline.end)
    if match := re.fullmatch(r"e(\d+)", word, re.ASCII):
        last = timeline.position(timeline.end).epoch
        epoch = checked(word, number(word, match[1]), 1, last, "the run has epochs ")
        return timeline.boundary(0, Granularity.EPOCH, epoch - 1)
    if match := re.fullmatch(r"i(\d+)(?::(.*))?", word, re.ASCII | re.DOTALL):
        last = timeline.iterations
        iteration = checked(word, number(word, match[1]), 1, last, "the run has iterations ") - 1
        return inside(word, match[2], at.run, iteration)
    if word.split(":")[0] in list(Phase):
        return inside(word, word, at.run, timeline.iteration(at.event))
    if by_code(timeline.listing(0), word) is not None:
        return in_code(word, at)
    raise refusal(text, f"is no position; positions are {FORMS}{OF_SCRIPTS}")


def in_code(word: str, at: Travelled) -> int:
    """The event that ``train.py:41`` or ``module:layer1.0`` means: the first of this iteration.

    Where this iteration has none, the next one that has, else the last.
    """
    timeline = at.run.timeline

    def places(listing: Listing) -> list[int]:
        return [op.index for op in by_code(listing, word) or ()]

    begin = timeline.begin(timeline.iteration(at.event))
    found = timeline.next_place(begin - 1, places)
    if found is None:
        found = timeline.last_place(begin, places)
    if found is None:
        raise refusal(word, f"is nowhere: {known_code(word, timeline)}")
    return found


def known_code(word: str, timeline: Timeline) -> str:
    """What there is instead: modules, or lines of the file."""
    ops = every_op(timeline)
    if module_pattern(word) is not None:
        modules = list(dict.fromkeys(op.layer for op in ops if op.layer))
        near = suggestion(word.removeprefix(MODULE), modules)
        return f"no module of that name runs an op{near}: {listed(modules)}"
    named = code_line(word)
    files = list(dict.fromkeys(op.file for op in ops if op.file))
    mine = [file for file in files if named is not None and is_file(file, named[0])]
    if not mine:
        return f"no op comes from that file; ops come from {listed(files)}"
    lines = sorted({op.line for op in ops if op.file in mine})
    return f"no op comes from that line; ops come from lines {listed(lines)}"


def listed(things: Sequence[object]) -> str:
    """The first MOST_LISTED things, and how many more there are."""
    more = f" and {len(things) - MOST_LISTED} more" if len(things) > MOST_LISTED else ""
    return (", ".join(str(one) for one in things[:MOST_LISTED]) or "none") + more


def format_position(run: Run, event: int) -> str:
    """The exact position of an event, ``i3:backward:linear2.weight.grad``; it parses back."""
    timeline = run.timeline
    if event >= timeline.end:
        return "end"
    return f"i{timeline.iteration(event) + 1}:{timeline.op(event).key}"


def find_ops(run: Run, listing: Listing, phase: str, name: str | None = None) -> list[Op]:
    """The ops of a phase of an iteration; with a name, the op of that name or those of that layer.

    A layer is looked for where no op is called so, and then what writes a tensor of that name or
    its gradient.
    """
    ops = [op for op in listing.ops if op.phase == phase]
    if name is None:
        return ops
    resolved = run.resolve(name)
    gradient = run.gradients.get(resolved)
    return (
        [op for op in ops if op.name == resolved]
        or [op for op in ops if op.layer == name]
        or [op for op in ops if resolved in op.writes]
        or [op for op in ops if gradient in op.writes]
    )


def inside(word: str, inner: str | None, run: Run, iteration: int) -> int:
    """The event that ``backward:linear2`` or ``backward`` means in an iteration, or its first one.

    Raises GradstepError where the iteration has no such phase, or nothing in it is called so.
    """
    begin = run.timeline.begin(iteration)
    if inner is None:
        return begin
    listing = run.timeline.listing(iteration)
    phase, _, name = inner.partition(":")
    if phase not in list(Phase) and (of_code := by_code(listing, inner)) is not None:
        if not of_code:
            raise refusal(word, f"is nowhere: {known_code(inner, run.timeline)}")
        return begin + of_code[0].index
    named = name if ":" in inner else None
    ops = find_ops(run, listing, phase, named)
    if ops:
        return begin + ops[0].index
    in_phase = find_ops(run, listing, phase)
    if not in_phase:
        phases = listing.phases()
        hint = f"{phase!r} is no phase of this program" + suggestion(phase, phases)
        raise refusal(word, f"{hint}: {', '.join(phases)}")
    names = dict.fromkeys([op.layer for op in in_phase if op.layer] + [op.name for op in in_phase])
    raise refusal(
        word,
        f"nothing in {phase} is called {name!r}{suggestion(name, names)}: {', '.join(names)}",
    )


def bookmarked(name: str, bookmarks: Mapping[str, Marked]) -> int:
    """The event of a bookmark; a GradstepError lists those there are."""
    if name in bookmarks:
        return bookmarks[name].event
    known = ", ".join(f"'{known}" for known in bookmarks) or "none yet; mark one with `mark NAME`"
    raise refusal(f"'{name}", f"is no bookmark{suggestion(name, bookmarks)}; bookmarks: {known}")


def percent(word: str, digits: str, end: int) -> int:
    """The event at a share of the run, ``digits`` per cent of ``end``; GradstepError beyond 100."""
    if len(digits) > MAX_DIGITS or Fraction(digits) > 100:
        raise refusal(word, "is past the end: a share is between 0% and 100%")
    # A fraction, not a float, whose rounding could move the event of a long run.
    return int(Fraction(digits) * end / 100)


def number(word: str, digits: str) -> int:
    """The whole number that digits write; a GradstepError for more than MAX_DIGITS of them."""
    if len(digits) > MAX_DIGITS:
        raise refusal(word, f"has {len(digits)} digits; a number has at most {MAX_DIGITS}")
    return int(digits)


def checked(word: str, value: int, low: int, high: int, what: str) -> int:
    """The number, where it lies from ``low`` to ``high``; a GradstepError elsewhere."""
    if low <= value <= high:
        return value
    raise refusal(word, f"is outside: {what}{low} to {high}")


def refusal(word: str, message: str) -> GradstepError:
    """A GradstepError that names the position as written, cut off at 60 characters."""
    shown = word if len(word) <= 60 else word[:60] + "…"
    return GradstepError(f"position {shown!r} {message}")
