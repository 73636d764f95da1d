"""The doctor's findings as text: what it is, the evidence, where, why, and what to change."""

from collections.abc import Iterator, Sequence
from textwrap import wrap

from rich.console import Console
from rich.text import Text

from engine.diagnostics.diagnosis import Diagnosis, Severity
from tui.render.text.clean import clean

STYLES = {Severity.SERIOUS: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}
LABEL = 10
NARROWEST = 40
WIDEST = 100


def print_findings(out: Console, findings: Sequence[Diagnosis]) -> None:
    """Print each finding as a block, 40 to 100 columns wide; those of one kind share a block."""
    width = max(NARROWEST, min(WIDEST, out.width))
    for block in blocks(findings):
        first = block[0]
        head = f"{first.severity}: {first.title}"
        out.print(Text(head, STYLES[first.severity]), overflow="fold")
        for line in body(block, width):
            out.print(line, overflow="fold")
        out.print()


def blocks(findings: Sequence[Diagnosis]) -> list[list[Diagnosis]]:
    """Findings with the same name, severity, cause and remedy, in the order of the first."""
    found: dict[tuple[str, ...], list[Diagnosis]] = {}
    for one in findings:
        key = (one.name, one.severity, one.follows, one.cause, one.remedy)
        found.setdefault(key, []).append(one)
    return list(found.values())


def body(block: Sequence[Diagnosis], width: int) -> Iterator[str]:
    """The lines below the heading; of several findings each has its evidence and event."""
    first = block[0]
    yield from field("name", f"{first.name}, {first.certainty}", width)
    for one in block:
        subject = f"{one.subject}: " if len(block) > 1 else ""
        yield from field("evidence", f"{subject}{one.evidence}", width)
        yield from field("event", one.place, width)
    if first.follows:
        yield from field("follows", f"from {first.follows}", width)
        return
    yield from field("cause", first.cause, width)
    yield from field("remedy", first.remedy, width)


def field(label: str, text: str, width: int) -> Iterator[str]:
    """A label and its text, broken under itself."""
    lines = wrap(clean(text), width - LABEL - 2, break_on_hyphens=False) or [""]
    for i, line in enumerate(lines):
        yield f"  {(label if i == 0 else ''):{LABEL}}{line}"
