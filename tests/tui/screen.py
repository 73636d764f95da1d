"""The debugger's screen in a test: opened at a size, steered by keys, read as text.

The text comes from Textual's public export of a screenshot, a drawing with the place and the
length of every piece of text.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from xml.etree import ElementTree

from rich.cells import cell_len
from textual.pilot import Pilot

from engine.debugger import Debugger
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.session.session import Session
from tui.app import GradstepApp
from tui.screens.main import MainScreen

SVG = "{http://www.w3.org/2000/svg}"
LINE, CHARACTER = 24.4, 12.2  # the drawing's units for the height and the width of a cell
FIRST_BASELINE = 20


def screen_rows(app: GradstepApp) -> list[str]:
    """The text of every row of the screen, without blanks at the end."""
    rows = [""] * app.size.height
    for x, y, text, _ in pieces(app):
        row = round((y - FIRST_BASELINE) / LINE)
        gap = round(x / CHARACTER) - cell_len(rows[row])
        assert gap >= 0, f"two texts in one place of row {row}: {rows[row]!r} and {text!r}"
        rows[row] += " " * gap + text
    return [row.rstrip() for row in rows]


def pieces(app: GradstepApp) -> list[tuple[float, float, str, str]]:
    """Where each piece of text stands in the drawing, the text, and its class of style."""
    drawing = ElementTree.fromstring(app.export_screenshot())
    found = []
    for node in drawing.iter(f"{SVG}text"):
        if "clip-path" in node.attrib:  # the title above the screen has none
            text = (node.text or "").replace("\xa0", " ")
            found.append(
                (float(node.get("x", 0)), float(node.get("y", 0)), text, node.get("class", ""))
            )
    return sorted(found, key=lambda piece: (piece[1], piece[0]))


def screen_text(app: GradstepApp) -> str:
    """The screen as one text."""
    return "\n".join(screen_rows(app)) + "\n"


@dataclass(frozen=True)
class Opened:
    """The application at work, and what tests do with it."""

    app: GradstepApp
    pilot: Pilot[None]

    @property
    def main(self) -> MainScreen:
        return self.app.main

    @property
    def debugger(self) -> Debugger:
        return self.app.debugger

    @property
    def session(self) -> Session:
        return self.app.session

    async def press(self, *keys: str) -> None:
        """Press keys, each once what the one before has started is over."""
        for key in keys:
            self.app.simulate_key(key)
            await self.settled()
            await self.idle()

    async def settled(self) -> None:
        """Wait until every message is handled, and those that it has led to, and those of them."""
        while not self.main.whole:
            await self.pilot.pause(0)
        for _ in range(3):
            await self.pilot.pause(0)

    async def idle(self) -> None:
        """Wait for a run in the background."""
        while self.main.long_run is not None:
            await self.pilot.pause(0.01)
            await self.settled()

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size."""
        await self.pilot.resize_terminal(width, height)
        await self.settled()

    def rows(self) -> list[str]:
        return screen_rows(self.app)

    def text(self) -> str:
        return screen_text(self.app)

    def place(self) -> str:
        """The position line."""
        return self.rows()[0]


def built_in(name: str) -> Program:
    """The program of a built-in experiment."""
    return compile_program(load_experiment(name))


@asynccontextmanager
async def debugger(
    program: Program | str = "regression", size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Opened]:
    """The debugger on an experiment, without a terminal. Digits wait long for a step key."""
    compiled = built_in(program) if isinstance(program, str) else program
    app = GradstepApp(Debugger(Session(compiled)))
    app.main.counting.patience = 600.0
    async with app.run_test(size=size) as pilot:
        opened = Opened(app, pilot)
        await opened.settled()
        yield opened
