"""What the words of a key are about: the selected op, and the value under the cursor."""

import re
from collections.abc import Sequence
from typing import Protocol, cast

from tui.control.display import Display
from tui.control.layout import Layout
from tui.render.text.numbers import exact
from tui.view.snapshot import View

SMALL = 24  # elements of a tensor that is edited as a list
GRIDS = ("tensor", "jacobian")  # the panes whose cells have indices
CELL = re.compile(r"\d{1,12}", re.ASCII)
ELEMENT = re.compile(r"(?P<name>.+?)\s*\[(?P<index>[\d, ]+)\]", re.ASCII)


class Cells(Protocol):
    """A grid of which the cursor can be sent to an index."""

    def go_to_index(self, index: Sequence[int]) -> bool:
        """Move the cursor to an index, if there is such a cell."""


class Grid(Cells, Protocol):
    """The cells of a tensor, with a cursor."""

    def index(self) -> tuple[int, ...]:
        """The index of the tensor under the cursor; () where there are no elements."""


class Gridded(Protocol):
    """A pane with a grid, which shows a View."""

    view: View | None

    @property
    def grid(self) -> Grid: ...


class Pointing:
    """Resolves what is selected into words of the command language."""

    def __init__(self, display: Display, panes: Layout) -> None:
        self.display = display
        self.panes = panes

    def grid(self) -> Cells | None:
        """The grid of the focused pane; None where it has none."""
        pane = self.panes.pane
        return cast(Gridded, self.panes.panes[pane]).grid if pane in GRIDS else None

    def tensor_grid(self, view: View) -> Grid:
        """The grid of the tensor pane on a View, which a hidden pane has not got by itself."""
        pane = cast(Gridded, self.panes.panes["tensor"])
        pane.view = view
        return pane.grid

    def op(self) -> str:
        """The key of the selected op; empty at the end of the run, where none is."""
        view = self.display.snapshot()
        return "" if view.selected_op is None else view.listing.ops[view.selected_op].key

    def value(self) -> str:
        """The selected tensor as an expression; in the tensor pane its element under the cursor."""
        return self.element()[0] if self.panes.pane == "tensor" else self.display.snapshot().tensor

    def element(self) -> tuple[str, str]:
        """The selected element as it is written in an expression, and its value."""
        view = self.display.snapshot()
        array = view.array
        if array is None or array.ndim == 0:
            return view.tensor, "" if array is None else exact(array)
        index = self.tensor_grid(view).index()
        if len(index) != array.ndim:  # nothing of it can be seen, so that there is no cursor
            index = (0,) * array.ndim
        inside = tuple(min(i, size - 1) for i, size in zip(index, array.shape, strict=True))
        return f"{view.tensor}[{', '.join(map(str, inside))}]", exact(array[inside])

    def edited(self) -> tuple[str, str]:
        """What an edit is about, and its value as it is written; empty where that is too long.

        Among the variables it is the whole tensor.
        """
        view = self.display.snapshot()
        if self.panes.pane == "variables" and view.array is not None and view.array.ndim:
            small = view.array.size <= SMALL
            return view.tensor, str(view.array.tolist()) if small else ""
        return self.element()

    def in_grid(self) -> bool:
        """Whether the focused pane has a grid, whose cells have indices."""
        return self.grid() is not None

    def go_to_cell(self, text: str) -> bool | None:
        """Go to the cell of the focused grid that an index as ``3, 1`` names; whether it is there.

        None where the pane has no grid, or the text is no index.
        """
        grid = self.grid()
        cell = [part.strip() for part in text.strip("[]()").split(",")]
        if grid is None or not all(CELL.fullmatch(part) for part in cell):
            return None
        return grid.go_to_index([int(part) for part in cell])

    def named(self, text: str) -> tuple[str, tuple[int, ...]] | None:
        """The tensor and the index that ``h[2][0, 1]`` names; None for other texts.

        The longest name wins: h[2] is a tensor where there is one of this name.
        """
        run, text = self.display.snapshot().run, text.strip()
        if not text.endswith("]"):
            return None
        if run.resolve(text) in run.tensors:
            return run.resolve(text), ()
        found = ELEMENT.fullmatch(text)
        parts = [part.strip() for part in found["index"].split(",")] if found else []
        if found is None or run.resolve(found["name"]) not in run.tensors:
            return None
        if not all(CELL.fullmatch(part) for part in parts):
            return None
        return run.resolve(found["name"]), tuple(map(int, parts))

    def show_index(self, index: Sequence[int]) -> bool:
        """Move the cursor of the tensor pane to an element of the View on display, if it is one."""
        view = self.display.view
        return view is not None and self.tensor_grid(view).go_to_index(index)
