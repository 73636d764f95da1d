"""A lesson as one page that needs nothing else: the real screens as text, with their colours."""

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

from rich.cells import cell_len

from tui.lesson.pictures import Look, Row, Run
from tui.lesson.walk import Picture
from tui.render.caption import BOLD
from tui.render.text.clean import clean

PARTS = Path(__file__).parent / "page"
# What a font for terminals has itself; of anything else another one may have another width.
SURE = re.compile(r"[ -~\u2500-\u259f]*")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
Pair = tuple[Look, Look]
"""How a cell is drawn in the dark and in the light."""


class Looks:
    """The classes of the style sheet: one for each pair of looks that occurs."""

    def __init__(self) -> None:
        self.names: dict[Pair, str] = {}
        self.widths: set[int] = set()

    def name(self, pair: Pair) -> str:
        """The class of a pair."""
        if pair not in self.names:
            self.names[pair] = short(len(self.names))
        return self.names[pair]

    def width(self, cells: int) -> str:
        """The class of a run of so many cells."""
        self.widths.add(cells)
        return f"w{cells}"

    def sizes(self) -> Iterator[str]:
        """The rule of each width, in the widths of a digit."""
        for cells in sorted(self.widths):
            yield f".w{cells}{{display:inline-block;width:{cells}ch}}"

    def rules(self, light: bool) -> Iterator[str]:
        """The rule of each class, in the light or in the dark."""
        for pair, name in self.names.items():
            yield f".{name}{{{declared(pair[light])}}}"


def part(name: str) -> str:
    """A part of the page as it lies in a file beside."""
    return (PARTS / name).read_text(encoding="utf-8")


def short(number: int) -> str:
    """A name for a number: a, b, …, z, ba, bb, …"""
    name = LETTERS[number % 26]
    while number := number // 26:
        name = LETTERS[number % 26] + name
    return name


def declared(look: Look) -> str:
    """The declarations of a look. Colours are of the toolkit: #rrggbb and nothing else."""
    found = [f"color:{look.colour}"] if look.colour else []
    found += [f"background:{look.background}"] if look.background else []
    found += ["font-weight:bold"] if look.bold else []
    found += ["font-style:italic"] if look.italic else []
    found += ["text-decoration:underline"] if look.underline else []
    return ";".join(found)


def page(title: str, thing: str, dark: Sequence[Picture], light: Sequence[Picture]) -> str:
    """The page of a lesson, from its pictures in the dark and in the light.

    ``thing`` is what it is over. Everything in it is escaped; no script of it reads anything but
    the keys, the swipes and the address of the page.
    """
    looks = Looks()
    steps = [
        section(number, len(dark), one, other, looks)
        for number, (one, other) in enumerate(zip(dark, light, strict=True), 1)
    ]
    style = part("page.css").replace("/*dark*/", "".join((*looks.sizes(), *looks.rules(False))))
    style = style.replace("/*light*/", "".join(of_light(looks.rules(True))))
    style = style.replace("/*chosen*/", "".join(of_chosen(looks.rules(True))))
    return part("page.html").format(
        style=style,
        title=escape(clean(title)),
        thing=escape(clean(thing)),
        contents="".join(contents(dark)),
        steps="\n".join(steps),
        script=part("page.js"),
        count=len(dark),
        columns=columns(dark),
    )


def columns(pictures: Sequence[Picture]) -> int:
    """The columns of the screen."""
    widths = (cell_len(text) for one in pictures[:1] for text, _ in one.rows[0])
    return max(1, sum(widths))


def of_light(rules: Iterable[str]) -> Iterator[str]:
    """Rules for a page that is light because the system is, and nobody has chosen the dark."""
    yield from (f":root:not([data-theme=dark]) {rule}" for rule in rules)


def of_chosen(rules: Iterable[str]) -> Iterator[str]:
    """Rules for a page where somebody has chosen the light."""
    yield from (f":root[data-theme=light] {rule}" for rule in rules)


def contents(pictures: Sequence[Picture]) -> Iterator[str]:
    """A link to the first picture of each chapter."""
    last = ""
    for number, one in enumerate(pictures, 1):
        if one.chapter and one.chapter != last:
            yield f'<li><a href="#step-{number}">{escape(clean(one.chapter))}</a></li>'
        last = one.chapter


def section(number: int, count: int, dark: Picture, light: Picture, looks: Looks) -> str:
    """One step: the caption as text, then the screen."""
    chapter = escape(clean(dark.chapter))
    caption = "".join(captioned(dark.caption))
    rows = "\n".join(
        row_of(zip(characters(one), characters(other), strict=True), looks)
        for one, other in zip(dark.rows, light.rows, strict=True)
    )
    label = f"Step {number} of {count}"
    return (
        f'<section id="step-{number}" aria-label="{label}">'
        f'<h2><span>{label}</span> {chapter}</h2><div class="caption">{caption}</div>'
        f'<pre tabindex="0" aria-label="the screen, event {dark.event}">{rows}</pre></section>'
    )


def captioned(lines: Sequence[str]) -> Iterator[str]:
    """The lines of a caption, ``**bold**`` as it is meant."""
    for line in lines:
        parts, last = [], 0
        for match in BOLD.finditer(line):
            parts.append(escape(clean(line[last : match.start()])))
            parts.append(f"<strong>{escape(clean(match['bold']))}</strong>")
            last = match.end()
        parts.append(escape(clean(line[last:])))
        yield f"<p>{''.join(parts)}</p>"


def characters(row: Row) -> Iterator[Run]:
    """The characters of a row, one by one."""
    return ((character, look) for text, look in row for character in text)


def row_of(cells: Iterable[tuple[Run, Run]], looks: Looks) -> str:
    """A row: what is drawn alike in both themes together; blanks join what is before."""
    found: list[str] = []
    text, drawn = "", None
    for (character, dark), (_, light) in cells:
        pair = (dark, light)
        if drawn is not None and pair != drawn and not same_blank(character, pair, drawn):
            found.append(run(text, drawn, looks))
            text, drawn = "", pair
        drawn = pair if drawn is None else drawn
        text += character
    if drawn is not None:
        found.append(run(text, drawn, looks))
    return "".join(found)


def same_blank(character: str, pair: Pair, drawn: Pair) -> bool:
    """Whether a blank looks as it would in the run before it: only its background is seen."""
    if character != " " or any(look.underline for look in (*pair, *drawn)):
        return False
    return all(one.background == other.background for one, other in zip(pair, drawn, strict=True))


def run(text: str, pair: Pair, looks: Looks) -> str:
    """Characters that are drawn alike; as wide as in a terminal, whatever fonts there are."""
    name, shown = looks.name(pair), escape(clean(text), quote=False)
    if SURE.fullmatch(text):
        return f"<i class={name}>{shown}</i>"
    return f'<i class="{name} {looks.width(cell_len(text))}">{shown}</i>'
