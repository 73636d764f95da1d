"""Write docs/diagnostics.md from the declarations of the detectors: python docs/diagnostics.py."""

from collections.abc import Collection, Iterator
from pathlib import Path

from engine.diagnostics.capture_doctor import CANNOT_TELL, CAPTURE_DETECTORS
from engine.diagnostics.diagnosis import Card
from engine.diagnostics.doctor import THOROUGH, WATCHING
from engine.diagnostics.refusals import REFUSALS
from engine.diagnostics.verdict import EXPLAINED_BY, HARMLESS_ALONE, OBSTACLES, RAISED, TIMELESS

FILE = Path(__file__).with_suffix(".md")
HEAD = """\
# What the doctor looks for

<!-- Made by docs/diagnostics.py from the declarations in engine/diagnostics; do not edit. -->

`gradstep diagnose EXPERIMENT` runs an experiment, watches every op, and says what is wrong with the
training loop. Each finding has a name, the evidence in numbers, the first event that shows it, the
likely cause, what to change, and how sure it is. The exit status is 1 when anything is serious.

- **serious**: keeps the network from learning as it should; **warning**: probably costs something;
  **note**: worth knowing, or the effect of another finding, which it names.
- **certain**: follows from the numbers; **likely**: almost always means this; **possible**: may be
  meant this way.
"""


def page() -> str:
    """The whole page."""
    parts = [HEAD, "\n## While it runs\n", *map(entry, cards(WATCHING))]
    parts += ["\n## At the end of a diagnosis\n", THOROUGH_TEXT, *map(entry, cards(THOROUGH))]
    parts += ["\n## Refused before anything runs\n", REFUSED_TEXT]
    parts += [entry(refusal.card) for refusal in REFUSALS]
    parts += ["\n## In a captured script\n", CAPTURED_TEXT, *captured()]
    parts += ["\n## What follows from what\n", FOLLOWS_TEXT, *follows()]
    return "\n".join(parts) + "\n"


def named(names: Collection[str]) -> str:
    """Names of findings in alphabetical order, as a list in words."""
    *some, last = [f"`{name}`" for name in sorted(names)]
    return f"{', '.join(some)} and {last}"


THOROUGH_TEXT = """\
These take as long as many iterations, and are left out while one steps.
"""
REFUSED_TEXT = """\
Such an experiment cannot be run at all; the words of the refusal are the evidence.
"""
CAPTURED_TEXT = """\
`gradstep diagnose FILE.gradstep` looks at the events of a captured PyTorch script: at statistics of
every value, whether it was kept in full or not. Findings of the same name mean the same.
"""
FOLLOWS_TEXT = f"""\
A finding becomes a note that names its cause when one of the causes below is there too, weighs as
much and was seen at the same event or before it. No order is asked for with {named(TIMELESS)},
which are measured over the whole run.

Some causes do no harm by themselves: {named(RAISED)}. They weigh
as much as the heaviest of what they explain;
{named(HARMLESS_ALONE)} do even where they are notes.

Some findings are obstacles: {named(OBSTACLES)}. Where the network has
learnt all the same, down to a tenth of the loss of the best constant answer, they are warnings.
"""


def cards(kinds: tuple[type, ...]) -> list[Card]:
    """The declarations of some detectors."""
    return [kind.card for kind in kinds]


def entry(card: Card) -> str:
    """One finding."""
    rows = [
        ("looks at", card.looks),
        ("how much it matters", card.levels),
        ("how sure", card.certainty.value),
        ("likely cause", card.cause),
        ("what to change", card.remedy),
    ]
    if card.example:
        rows.append(("example", ", ".join(f"`{name}`" for name in card.example.split(", "))))
    lines = [f"### {card.name}", "", f"{card.title}.", ""]
    lines += [f"- *{label}*: {escaped(text)}" for label, text in rows]
    for limit in card.limits:
        lines.append(f"- *threshold* {limit.name}, **{limit:g}**: {escaped(limit.reason)}")
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Text in which Markdown finds no emphasis of its own."""
    return text.replace("*", r"\*").replace("|", r"\|")


def captured() -> Iterator[str]:
    """The table of what is found in a captured script, and what cannot be told there."""
    yield "| finding | looks at | how much it matters | how sure | what to change | thresholds |"
    yield "|---|---|---|---|---|---|"
    for card in cards(CAPTURE_DETECTORS):
        limits = "; ".join(f"{one.name} {one:g}: {one.reason}" for one in card.limits)
        texts = (card.looks, card.levels, card.certainty.value, card.remedy, limits)
        yield f"| `{card.name}` | {' | '.join(map(escaped, texts))} |"
    yield "\nIt cannot tell:\n"
    for what, why in CANNOT_TELL.items():
        yield f"- {what}: {why}"


def follows() -> Iterator[str]:
    """The table of effects and causes."""
    yield "| finding | is explained by |"
    yield "|---|---|"
    for effect, causes in EXPLAINED_BY.items():
        yield f"| `{effect}` | {', '.join(f'`{cause}`' for cause in causes)} |"


def main() -> None:
    """Write the page."""
    FILE.write_text(page(), encoding="utf-8")
    print(f"wrote {FILE}")


if __name__ == "__main__":
    main()
