"""Every theme shows the same text, and all of it can be read: WCAG 2 contrast on its background."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.tui.contrast import READABLE, contrast
from tests.tui.screen import SVG, debugger
from tui.app import GradstepApp
from tui.keys.command import PANES
from tui.theme import THEMES

MARK = 1.3  # contrast of what is no text: frames and curves
FRAME = re.compile(r"[\s─━│┃╭╮╰╯┌┐└┘├┤┬┴┼▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▀░▒▓╸╺▕┊╎⠀-⣿·]*\Z")
STYLE = re.compile(r"\.(\S+) \{ fill: (#[0-9a-f]{6})")
GRID = [
    ("regression", (80, 24)),
    ("regression", (120, 40)),
    ("iris", (120, 40)),
    ("xor", (200, 60)),
]


def painted(app: GradstepApp) -> Iterator[tuple[str, str, str]]:
    """Each text of the drawing, its colour, and the colour behind it."""
    svg = app.export_screenshot()
    colours = dict(STYLE.findall(svg))
    drawing = ElementTree.fromstring(svg)
    behind = [
        (float(r.get("x", 0)), float(r.get("y", 0)), float(r.get("width", 0)), r.get("fill", ""))
        for r in drawing.iter(f"{SVG}rect")
        if r.get("shape-rendering") == "crispEdges"
    ]
    for node in drawing.iter(f"{SVG}text"):
        text, style = node.text or "", node.get("class", "")
        if "clip-path" not in node.attrib or style not in colours:
            continue
        x, y = float(node.get("x", 0)), float(node.get("y", 0))
        under = [fill for left, top, width, fill in behind
                 if left - 1 <= x < left + width - 1 and top < y <= top + 25]  # fmt: skip
        yield text.replace("\xa0", " "), colours[style], under[-1] if under else ""


@pytest.mark.parametrize(("name", "size"), GRID, ids=str)
async def test_the_same_text_in_every_theme_and_all_of_it_readable(name, size):
    async with debugger(name, size) as shown:
        await shown.press("f", "n", "n", "s", "s", "b")
        for pane in PANES:
            shown.main.parts.panes.go_to(pane)
            await shown.settled()
            texts = []
            for theme in THEMES:
                shown.app.theme = theme.name
                await shown.settled()
                texts.append(shown.text())
                pieces = [piece for piece in painted(shown.app) if piece[0].strip()]
                assert pieces
                for text, colour, behind in pieces:
                    assert behind, f"no background behind {text!r}"
                    least = MARK if FRAME.match(text) else READABLE
                    found = contrast(colour, behind)
                    assert found >= least, (
                        f"{theme.name} {pane}: {text!r} {colour} on {behind}: {found:.2f}"
                    )
            assert set(texts) == {texts[0]}, pane
