"""The debugger's screen in a test: opened at a size, steered by keys, read as text.

The text comes from Textual's public export of a screenshot, a drawing with the place and the
length of every piece of text.

Nothing here waits for some time: it waits until something has happened.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from xml.etree import ElementTree

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.pilot import Pilot

from engine.debugger import Debugger
from engine.program.program import Program
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tui.app import GradstepApp
from tui.screens.main import MainScreen

SVG = "{http://www.w3.org/2000/svg}"
LINE, CHARACTER = 24.4, 12.2  # the drawing's units for the height and the width of a cell
FIRST_BASELINE = 20

PATIENCE = 300.0  # seconds after which what a test waits for is taken to be broken
RESTLESS_ROUNDS = 3  # rounds of messages that are waited for where there is no end to them


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


class Arrivals:
    """Counts the messages that come to the parts of the screen.

    Those of a clock come whatever is done, and those of the pilot because it waits: they are not
    counted.
    """

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, message: Message) -> None:
        called = getattr(getattr(message, "callback", None), "func", None)
        of_pilot = getattr(called, "__module__", "") == Pilot.__module__
        self.count += not of_pilot and not isinstance(message, events.Timer)


@dataclass(frozen=True)
class Opened:
    """The application at work, and what tests do with it."""

    app: GradstepApp
    pilot: Pilot[None]
    arrivals: Arrivals

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
        """Wait until every key and message is handled, all that they lead to, and it is painted.

        While something moves by itself there is no end to messages; it is enough then that every
        key is handled, and the messages that it has led to, and those of them.
        """
        rounds = 0
        async with asyncio.timeout(PATIENCE):
            while self.app.is_running:
                before = self.arrivals.count
                await self.pilot.pause(0)
                rounds += 1
                restless = self.main.job is not None or self.main.parts.playback.player.playing
                quiet = self.arrivals.count == before or (restless and rounds > RESTLESS_ROUNDS)
                if quiet and self.main.whole and not self.keys_wait:
                    return

    @property
    def keys_wait(self) -> bool:
        """Whether a key is not handled yet."""
        return bool(self.app.typed_ahead) or self.app.key_since is not None

    async def until(self, happened: Callable[[], object]) -> None:
        """Wait until something has happened, and is shown."""
        async with asyncio.timeout(PATIENCE):
            while not happened():
                await self.pilot.pause(0.01)
        await self.settled()

    async def idle(self) -> None:
        """Wait for a run and for measurements in the background."""
        while not self.at_rest():
            await self.until(self.at_rest)

    def at_rest(self) -> bool:
        """Whether nothing goes on in the background."""
        return self.main.job is None and all(one.is_finished for one in self.app.workers)

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


@asynccontextmanager
async def steered(app: GradstepApp, size: tuple[int, int] = (120, 40)) -> AsyncIterator[Opened]:
    """An application without a terminal."""
    arrivals = Arrivals()
    async with app.run_test(size=size, message_hook=arrivals) as pilot:
        opened = Opened(app, pilot, arrivals)
        try:
            await opened.settled()
            yield opened
        finally:
            app.main.worker.cancel()  # a run without end would outlive a test that fails


@asynccontextmanager
async def debugger(
    program: Program | str = "regression", size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Opened]:
    """The debugger on an experiment, without a terminal."""
    compiled = built_in(program) if isinstance(program, str) else program
    async with steered(GradstepApp(Debugger(Session(compiled))), size) as opened:
        yield opened
