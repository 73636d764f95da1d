"""Findings as lines: what is wrong, the evidence; of the chosen one the cause and remedy too."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from engine.diagnostics.diagnosis import Diagnosis, Severity
from tui.render.clean import clean
from tui.render.line import Line, fitted, spread

ROLES = {Severity.SERIOUS: "bad", Severity.WARNING: "warn", Severity.NOTE: "dim"}
MARKS = {Severity.SERIOUS: "✗", Severity.WARNING: "!", Severity.NOTE: "·"}
NOTHING = " nothing found so far: the doctor watches while you step"


@dataclass(frozen=True)
class Findings:
    """All lines, and the first line of each finding."""

    lines: list[Line]
    places: list[int]


def findings_text(found: Sequence[Diagnosis], chosen: int, width: int) -> Findings:
    """The findings, serious ones first; the chosen one with all that is known of it."""
    if not found:
        return Findings([fitted([(NOTHING, "dim")], width)], [])
    lines: list[Line] = []
    places: list[int] = []
    for i, one in enumerate(found):
        places.append(len(lines))
        lines.append(title(one, i == chosen, width))
        lines += [[(text, "")] for text in wrapped(one.evidence, width, 4)]
        if i == chosen:
            lines += [[(text, "dim")] for text in wrapped(f"at {one.place}", width, 4)]
            lines += labelled("cause", one.cause, width)
            lines += labelled("do", one.remedy, width)
    return Findings([fitted(line, width) for line in lines], places)


def title(one: Diagnosis, chosen: bool, width: int) -> Line:
    """What is wrong with what, how sure that is, and where it shows."""
    subject = f"  {clean(one.subject)}" if one.subject else ""
    left: Line = [
        (f" {MARKS[one.severity]} {one.severity:<8}", ROLES[one.severity]),
        (one.title, ROLES[one.severity]),
        (subject, "name"),
    ]
    place = "" if one.event is None else f"  #{one.event}"
    line = spread(left, [(f" {one.certainty}{place} ", "dim")], width)
    return [(text, "cursor" if chosen else role) for text, role in line]


def labelled(label: str, text: str, width: int) -> list[Line]:
    """A text behind its label, continued under itself."""
    lines = wrapped(text, width, 10)
    first = f"{label:>8}  {lines[0].strip()}" if lines else f"{label:>8}"
    return [[(first[:8], "label"), (first[8:], "")], *[[(line, "")] for line in lines[1:]]]


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """A text in lines that fit, indented."""
    room = max(10, width - indent - 1)
    return [" " * indent + line for line in textwrap.wrap(clean(text), room)]
