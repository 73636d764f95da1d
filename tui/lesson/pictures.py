"""The real screen as cells with colours, read from the toolkit's own drawing of it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import groupby
from typing import Any

from rich.cells import cell_len
from textual.app import App

# The units of the drawing: the height and the width of a cell, and where the first line stands.
LINE, CHARACTER, BASELINE, TOP = 24.4, 12.2, 20.0, 1.5
RULE = re.compile(r"\.[\w-]+-(?P<name>r\d+) \{ (?P<body>[^}]*)\}")
TEXT = re.compile(
    r'<text class="[\w-]+-(?P<name>r\d+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)"'
    r"[^>]*clip-path[^>]*>(?P<text>[^<]*)</text>"
)
RECT = re.compile(
    r'<rect fill="(?P<fill>[^"]+)" x="(?P<x>[\d.]+)" y="(?P<y>[\d.]+)" width="(?P<width>[\d.]+)"'
)
FILL = re.compile(r"fill: (?P<colour>#[0-9a-f]{6})")


@dataclass(frozen=True)
class Look:
    """How a cell is drawn: colours as ``#rrggbb``, the background empty where it is the page's."""

    colour: str = ""
    background: str = ""
    bold: bool = False
    italic: bool = False
    underline: bool = False


Cell = tuple[str, Look]
"""A character, empty behind one that is two cells wide, and how it is drawn."""
Run = tuple[str, Look]
"""Characters that are drawn alike."""
Row = tuple[Run, ...]
Rows = tuple[Row, ...]


def rows_of(app: App[Any]) -> Rows:
    """The screen as it is now, row by row."""
    return tuple(tuple(runs_of(row)) for row in cells_of(app))


def cells_of(app: App[Any]) -> list[list[Cell]]:
    """Every cell of the screen as it is now, row by row."""
    drawing = app.export_screenshot()
    looks = {match["name"]: look_of(match["body"]) for match in RULE.finditer(drawing)}
    width, height = app.size
    rows: list[list[Cell]] = [[(" ", Look()) for _ in range(width)] for _ in range(height)]
    behind = backgrounds(drawing, width, height)
    for match in TEXT.finditer(drawing):
        row, x = round((float(match["y"]) - BASELINE) / LINE), round(float(match["x"]) / CHARACTER)
        if not 0 <= row < height:
            continue
        for character in unescape(match["text"]).replace("\xa0", " ").rstrip("\n"):
            size = cell_len(character)
            if size == 0 and x > 0:  # an accent belongs to the letter before it
                rows[row][x - 1] = (rows[row][x - 1][0] + character, rows[row][x - 1][1])
            for at in range(size):
                if x + at < width:
                    rows[row][x + at] = (character if not at else "", looks[match["name"]])
            x += size
    return [
        [(text, on(look, behind[y][x])) for x, (text, look) in enumerate(row)]
        for y, row in enumerate(rows)
    ]


def look_of(body: str) -> Look:
    """The look of a rule of the drawing's style sheet."""
    colour = FILL.search(body)
    return Look(
        colour["colour"] if colour else "",
        "",
        "bold" in body,
        "italic" in body,
        "underline" in body,
    )


@lru_cache(maxsize=4096)
def on(look: Look, background: str) -> Look:
    """A look on a background."""
    return Look(look.colour, background, look.bold, look.italic, look.underline)


def backgrounds(drawing: str, width: int, height: int) -> list[list[str]]:
    """The background of every cell, row by row."""
    rows = [[""] * width for _ in range(height)]
    for match in RECT.finditer(drawing):
        y, x = round((float(match["y"]) - TOP) / LINE), round(float(match["x"]) / CHARACTER)
        if 0 <= y < height:
            for at in range(x, min(width, x + round(float(match["width"]) / CHARACTER))):
                rows[y][at] = match["fill"]
    return rows


def runs_of(row: Sequence[Cell]) -> Iterator[Run]:
    """The characters of a row that are drawn alike, together."""
    for look, cells in groupby(row, key=lambda cell: cell[1]):
        yield "".join(text for text, _ in cells), look


def text_of(rows: Rows) -> str:
    """The characters alone, without blanks at the ends of lines."""
    return "\n".join("".join(text for text, _ in row).rstrip() for row in rows)
