"""The screens that the debugger paints, key after key: what a bare application paints beside it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.bare import READY, Lines
from engine.debugger import Debugger
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.session.session import Session
from tui.app import GradstepApp


def record(file: Path, experiment: str, key: str, count: int, size: tuple[int, int]) -> None:
    """Write the screens of so many presses of a key on an experiment to a file."""
    file.write_text(json.dumps(list(asyncio.run(screens(experiment, key, count, size)))))


async def screens(experiment: str, key: str, count: int, size: tuple[int, int]) -> list[Lines]:
    """The screens, the first before any key; READY stands in the first line of each."""
    program = compile_program(load_experiment(experiment))
    app = GradstepApp(Debugger(Session(program)))
    found: list[Lines] = []
    async with app.run_test(size=size) as pilot:
        while not app.main.whole:
            await pilot.pause()
        for _ in range(count + 1):
            await pilot.pause()
            first, *rest = lines(app)
            found.append([[(READY, ""), *first[1:]], *rest])
            await pilot.press(key)
    return found


def lines(app: GradstepApp) -> Iterator[list[tuple[str, str]]]:
    """The lines of the screen as texts with their styles."""
    for strip in app.screen._compositor.render_strips():
        yield [
            (text, str(style.clear_meta_and_links() if style else "")) for text, style, _ in strip
        ]
