"""Every theme shows the same text, and all of it can be read: WCAG 2 contrast on its background."""

import re
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest

from tests.tui.screen import SVG, debugger
from tui.app import GradstepApp
from tui.commands import PANES
from tui.theme import DARK, LIGHT

TEXT, MARK = 4.5, 1.3  # contrast that text needs (WCAG 2.1, 1.4.3 AA); frames are to be seen only
FRAME = re.compile(r"[\s─━│┃╭╮╰╯┌┐└┘├┤┬┴┼▁▂▃▄▅▆▇█▉▊▋▌▍▎▏▀░▒▓╸╺▕┊╎⠀-⣿·]*\Z")
STYLE = re.compile(r"\.(\S+) \{ fill: (#[0-9a-f]{6})")
GRID = [
    ("regression", (80, 24)),
    ("regression", (120, 40)),
    ("iris", (120, 40)),
    ("xor", (200, 60)),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1) of #rrggbb."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


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
            shown.main.go_to_pane(pane)
            await shown.settled()
            texts = []
            for theme in (DARK.name, LIGHT.name):
                shown.app.theme = theme
                await shown.settled()
                texts.append(shown.text())
                pieces = [piece for piece in painted(shown.app) if piece[0].strip()]
                assert pieces
                for text, colour, behind in pieces:
                    assert behind, f"no background behind {text!r}"
                    least = MARK if FRAME.match(text) else TEXT
                    found = contrast(colour, behind)
                    assert found >= least, (
                        f"{theme} {pane}: {text!r} {colour} on {behind}: {found:.2f}"
                    )
            assert texts[0] == texts[1], pane
