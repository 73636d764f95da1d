"""``python -m benchmarks.bare [FILE]``: a Textual application with nothing in it but one widget.

Without a file it shows one word: what the toolkit takes to start, and the memory it needs. With a
file of screens, made by ``recorded``, each key paints the next of them, and of that the lines that
differ: what the toolkit takes for the cells that the debugger paints.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

READY = "BARE"  # stands in the first line of every screen
Lines = Sequence[Sequence[tuple[str, str]]]
"""For each line its pieces: a text, and a style as Rich writes one."""


class Painted(Widget, can_focus=True):
    """Screens of lines, of which the next is shown at each key."""

    DEFAULT_CSS = "Painted { width: 1fr; height: 1fr; }"

    def __init__(self, screens: Sequence[Lines]) -> None:
        super().__init__()
        self.screens = screens
        self.at = 0

    def render_line(self, y: int) -> Strip:
        """Line ``y`` of the screen that is shown."""
        lines = self.screens[self.at % len(self.screens)]
        pieces = lines[y] if y < len(lines) else ()
        segments = [Segment(text, Style.parse(style)) for text, style in pieces]
        return Strip(segments).adjust_cell_length(self.size.width)

    def on_key(self, event: events.Key) -> None:
        """Paint the lines of the next screen that differ."""
        event.stop()
        before = self.screens[self.at % len(self.screens)]
        self.at += 1
        after = self.screens[self.at % len(self.screens)]
        pairs = enumerate(zip(before, after, strict=True))
        differ = [Region(0, y, self.size.width, 1) for y, (a, b) in pairs if a != b]
        if differ:
            self.refresh(*differ)


class Bare(App[None]):
    """One widget and no more."""

    ENABLE_COMMAND_PALETTE = False

    def __init__(self, screens: Sequence[Lines]) -> None:
        super().__init__()
        self.screens = screens

    def compose(self) -> ComposeResult:
        yield Painted(self.screens)


def main() -> None:
    """Show the screens of a file, or one word."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8") if len(sys.argv) > 1 else ""
    screens = json.loads(text) if text else []
    Bare(screens or [[[(READY, "")]]]).run()


if __name__ == "__main__":
    main()
