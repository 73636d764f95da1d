"""Findings as lines: what is wrong, the evidence; of the chosen one the cause and remedy too.

The pane shows what is not finite first, whatever it follows from: it is what stopped the run.
"""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.diagnostics.diagnosis import NOT_FINITE, Diagnosis, Severity
from tui.render.text.clean import clean
from tui.render.text.keyed import keyed
from tui.render.text.line import Line, fitted, spread, width_of
from tui.view.snapshot import NO_KEYS

ROLES = {Severity.SERIOUS: "bad", Severity.WARNING: "warn", Severity.NOTE: "dim"}
MARKS = {Severity.SERIOUS: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
SHORTEST = 12  # cells of a title that is cut
NOTHING = (
    " nothing found so far: the doctor watches while you step",
    " {step-iteration} runs an iteration, {step-epoch} an epoch",
)
MEETING = " the doctor gets to know the network …"


@dataclass(frozen=True)
class Findings:
    """All lines, and in ``places`` the first line of each finding, from 0."""

    lines: list[Line]
    places: list[int]


def urgent_first(found: Sequence[Diagnosis]) -> list[Diagnosis]:
    """What is not finite before all others, which keep their order."""
    return sorted(found, key=lambda one: one.name != NOT_FINITE)


def findings_text(
    found: Sequence[Diagnosis] | None,
    chosen: int,
    width: int,
    keys: Mapping[str, str] = NO_KEYS,
    looked: Sequence[str] = (),
) -> Findings:
    """The findings in their order; the chosen one with all that is known of it.

    None are those of a doctor who does not know the network yet. ``looked`` are lines behind them,
    of a run that is looked through as a whole.
    """
    if found is None:
        return Findings([fitted([(MEETING, "dim")], width)], [])
    after: list[Line] = [[(line, "dim")] for text in looked for line in hanging(text, width)]
    if not found and looked:
        only: list[Line] = [[(f" nothing found so far: {looked[0]}", "dim")], *after[1:]]
        return Findings([fitted(line, width) for line in only], [])
    if not found:
        said = NOTHING if keys else NOTHING[:1]
        return Findings([fitted(keyed(keys, line), width) for line in said], [])
    lines: list[Line] = []
    places: list[int] = []
    titles = {one.name: one.title for one in found}
    for i, one in enumerate(found):
        places.append(len(lines))
        lines.append(title(one, i == chosen, width))
        lines += [[(text, "")] for text in wrapped(one.evidence, width, 4)]
        if i == chosen:
            lines += [[(text, "dim")] for text in wrapped(f"at {one.place}", width, 4)]
            if one.follows:
                lines += labelled("from", titles.get(one.follows, one.follows), width)
            lines += labelled("cause", one.cause, width)
            lines += labelled("do", one.remedy, width)
    return Findings([fitted(line, width) for line in (*lines, *after)], places)


def title(one: Diagnosis, chosen: bool, width: int) -> Line:
    """What is wrong with what, how sure that is, and where it shows.

    Where there is no room for all the title is cut, so that the subject can be told from others.
    """
    place = "" if one.event is None else f"  #{one.event}"
    right: Line = [(f" {one.certainty}{place} ", "dim")]
    mark, role = weight(one)
    head: Line = [(mark, role)]
    subject: Line = [(f"  {clean(one.subject)}", "name")] if one.subject else []
    room = width - width_of([*head, *subject, *right])
    said: Line = [(one.title, role)]
    if width_of(said) > room:
        said = fitted(said, max(SHORTEST, room))
    line = spread([*head, *said, *subject], right, width)
    return [(text, "cursor" if chosen else role) for text, role in line]


def weight(one: Diagnosis) -> tuple[str, str]:
    """The mark and the word for how much a finding matters, and their role."""
    word = "effect" if one.follows else str(one.severity)
    heaviest = Severity.SERIOUS if one.name == NOT_FINITE else one.severity
    return f" {MARKS[heaviest]} {word:<8}", ROLES[heaviest]


def labelled(label: str, text: str, width: int) -> list[Line]:
    """A text behind its label, continued under itself."""
    lines = wrapped(text, width, 10)
    first = f"{label:>8}  {lines[0].strip()}" if lines else f"{label:>8}"
    return [[(first[:8], "label"), (first[8:], "")], *[[(line, "")] for line in lines[1:]]]


def hanging(text: str, width: int) -> list[str]:
    """A text in lines, those that follow indented more than the first."""
    lines = textwrap.wrap(clean(text), max(10, width - 2), subsequent_indent="    ")
    start = text[: len(text) - len(text.lstrip())]
    return [f" {line}" for line in lines] or [f" {start}"]


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """A text in lines of at most ``width`` cells, indented."""
    room = max(10, width - indent - 1)
    return [" " * indent + line for line in textwrap.wrap(clean(text), room)]
