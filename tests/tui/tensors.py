"""The debugger with the tensor pane in focus, and any array in it."""

from contextlib import asynccontextmanager
from dataclasses import replace

import numpy as np
from textual.widgets import Input

from tests.tui.screen import Opened, debugger
from tui.panes.tensor import TensorPane
from tui.panes.tensor_grid import TensorGrid
from tui.view.snapshot import Selection, snapshot

SMALL, COMMON, LARGE = (80, 24), (120, 40), (200, 60)


@asynccontextmanager
async def tensor_pane(array=None, before=None, size=SMALL, program="regression"):
    """The debugger with the tensor pane in focus; an array takes the place of x.

    On a small screen the pane has it alone.
    """
    async with debugger(program, size) as shown:
        shown.main.parts.panes.go_to("tensor")
        if size == SMALL:
            shown.main.parts.panes.zoom()
        await shown.settled()
        if array is not None:
            put(shown, array, before)
            await shown.settled()
        yield shown


def put(shown: Opened, array, before=None):
    """Show an array as x, with a value before."""
    before = array if before is None else before

    def with_array():
        view = snapshot(shown.debugger, Selection(tensor="x"), keys=shown.main.keys)
        tensors = {**view.tensors, "x": array}
        return replace(view, tensor="x", tensors=tensors, before=before, event=1)

    shown.main.snapshot = with_array
    shown.main.show_now()


def pane(shown: Opened) -> TensorPane:
    return shown.main.query_one(TensorPane)


def grid(shown: Opened) -> TensorGrid:
    return shown.main.query_one(TensorGrid)


def table(shown: Opened) -> list[list[str]]:
    """The words of the lines of the grid: labels above, then a label and its numbers."""
    rows = [row.strip("│ ▏▎▍▌▋▊▉█▁▂▃▄▅▆▇") for row in grid_rows(shown)]
    return [row.replace("▸", "").replace("•", "").split() for row in rows if row]


def grid_rows(shown: Opened) -> list[str]:
    """The rows of the screen that the grid has, whole."""
    place = shown.main.query_one(TensorGrid).region
    return shown.rows()[place.y : place.bottom]


async def typed(shown: Opened, text: str) -> None:
    """Answer the prompt that is open."""
    field = shown.app.focused
    assert isinstance(field, Input)
    field.value = text
    await shown.press("enter")


def numbered(*shape):
    return np.arange(float(np.prod(shape))).reshape(shape)
