"""Walks in front of the screen: keys are pressed, and the screen is written down after each.

The text and the colours come from Textual's public export of a screenshot. The clock by which the
debugger measures how long it may work at a time stands still: it works to the end at once.
"""

import asyncio
import hashlib
import re
import time
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from rich.cells import cell_len
from textual.widgets import Input

from tests.golden import product, running
from tests.golden.masks import GROWING, masked
from tests.golden.walks import Walk, strokes

SVG = "{http://www.w3.org/2000/svg}"
LINE, CHARACTER = 24.4, 12.2  # the drawing's units for the height and the width of a cell
FIRST_BASELINE = 20
COLOURS = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": ""}
RENAMED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
QUIET = 4  # how often in a row nothing must be under way
LONGEST = 60.0  # seconds after which a key that leads to no end is given up


def walked(walk: Walk, folder: Path) -> bytes:
    """The screens of a walk, each below the key that led to it."""
    running.furnish(folder)
    with running.surroundings(folder, COLOURS):
        clock, time.perf_counter = time.perf_counter, standing
        try:
            said = asyncio.run(screens(walk))
        finally:
            time.perf_counter = clock
    return masked(said.encode(), product.root(), folder.resolve())


def standing() -> float:
    """The time on a clock that stands still."""
    return 0.0


async def screens(walk: Walk) -> str:
    """Open the debugger, press every key, and write down what is seen."""
    name, size, chapter = walk
    app = product.application(name)
    app.animation_level = "none"  # what scrolls is there at once
    async with app.run_test(size=size) as pilot:
        parts = [await seen(app, pilot, "start")]
        for stroke in strokes(chapter):
            press(app, stroke)
            parts.append(await seen(app, pilot, stroke))
    return "".join(parts)


def press(app: Any, stroke: str) -> None:
    """Press a key, or answer a prompt."""
    field = app.focused
    if not stroke.startswith("> ") or len(stroke) <= 2:
        app.simulate_key(key_of(stroke))
    elif isinstance(field, Input):
        field.value = stroke[2:]
        field.cursor_position = len(field.value)
        app.simulate_key("enter")


def key_of(stroke: str) -> str:
    """The toolkit's name of a key: a character's own, or the word itself."""
    if len(stroke) > 1 or stroke.isalnum():
        return stroke
    name = unicodedata.name(stroke).lower().replace(" ", "_").replace("-", "_")
    return RENAMED.get(name, name)


async def seen(app: Any, pilot: Any, stroke: str) -> str:
    """The screen once nothing moves any more, with the key that led to it."""
    late = "" if await settled(app, pilot) else " (never still)"
    return f"== {stroke}{late}\n{picture(app)}"


async def settled(app: Any, pilot: Any) -> bool:
    """Wait until all that was begun is over; whether it ever was."""
    for field in app.screen.query(Input):
        field.cursor_blink = False
    end = time.monotonic() + LONGEST
    quiet = 0
    while quiet < QUIET and time.monotonic() < end:
        await pilot.pause(0)
        await app.animator.wait_until_complete()
        still = idle(app) and not product.busy(app)
        quiet = quiet + 1 if still else 0
        if not still:
            await pilot.pause(0.01)
    return quiet == QUIET


def idle(app: Any) -> bool:
    """Whether no worker of the toolkit is at work."""
    return all(worker.is_finished for worker in app.workers)


def picture(app: Any) -> str:
    """The text of every row, and a short digest of the colours of each ten rows."""
    drawing = ElementTree.fromstring(app.export_screenshot())
    styles = style_sheet(drawing)
    rows = [""] * app.size.height
    colours: list[list[str]] = [[] for _ in rows]
    for x, row, text, style in texts(drawing):
        rows[row] += " " * (x - cell_len(rows[row])) + text
        colours[row].append(f"{x} {len(text)} {styles.get(style, style)}")
    for row, place in backgrounds(drawing):
        if row < len(colours):
            colours[row].append(place)
    for number, row in enumerate(rows):
        if GROWING.search(row):  # what stands beside the size moves with it
            rows[number], colours[number] = GROWING.sub(r" \1SIZE ", row), []
    lines = "".join(f"{row.rstrip()}\n" for row in rows)
    groups = [short(colours[start : start + 10]) for start in range(0, len(rows), 10)]
    return f"{lines}-- colours {' '.join(groups)}\n"


def texts(drawing: ElementTree.Element) -> list[tuple[int, int, str, str]]:
    """Where each piece of text stands, column and row, the text, and its class of style."""
    found = []
    for node in drawing.iter(f"{SVG}text"):
        if "clip-path" in node.attrib:  # the title above the screen has none
            row = round((float(node.get("y", 0)) - FIRST_BASELINE) / LINE)
            text = (node.text or "").replace("\xa0", " ")
            found.append((round(float(node.get("x", 0)) / CHARACTER), row, text, named(node)))
    return sorted(found, key=lambda piece: (piece[1], piece[0]))


def named(node: ElementTree.Element) -> str:
    """The class of style of a piece of text, without the name that each drawing has for itself."""
    return node.get("class", "").rpartition("-")[2]


def style_sheet(drawing: ElementTree.Element) -> dict[str, str]:
    """What each class of style means."""
    text = "".join(node.text or "" for node in drawing.iter(f"{SVG}style"))
    return dict(re.findall(r"-(r\d+)\s*\{([^}]*)\}", text))


def backgrounds(drawing: ElementTree.Element) -> list[tuple[int, str]]:
    """Row and place of every coloured rectangle."""
    return [
        (int(float(node.get("y", 0)) / LINE), f"{node.get('x')} {node.get('width')} {fill}")
        for node in drawing.iter(f"{SVG}rect")
        if (fill := node.get("fill")) and node.get("shape-rendering")
    ]


def short(rows: list[list[str]]) -> str:
    """A digest of some rows of colours."""
    return hashlib.blake2b(repr(rows).encode(), digest_size=4).hexdigest()
