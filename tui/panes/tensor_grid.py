"""The selected tensor as numbers, as a heat map, or the picture that one of its rows is."""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from engine.errors import GradstepError
from tui.render.grid import GridWindow
from tui.render.tensor_window import indices_of, tensor_window
from tui.theme import FEW_COLOURS
from tui.view.display import (
    Face,
    TensorDisplay,
    elements_of,
    image_shape,
    index_at,
    shown_shape,
    value_at,
    why_nothing,
)
from tui.view.region import Region
from tui.view.snapshot import View
from tui.view.versions import shown_version
from tui.widgets.folding import FoldingGrid

if TYPE_CHECKING:
    from tui.render.charts.heatmap import HeatCell
    from tui.render.charts.palette import Rgb
    from tui.render.heat_view import Canvas
    from tui.render.tiles import Tiles


class IndexWanted(Message):
    """An index of the tensor to move the cursor to; the pane may have to show another region."""

    def __init__(self, index: tuple[int, ...]) -> None:
        super().__init__()
        self.index = index


class TensorGrid(FoldingGrid):
    """The values of the selected tensor; a vector is a row, folded where it is long."""

    form: reactive[TensorDisplay] = reactive(TensorDisplay(), repaint=False)
    coloured = True
    _picture: "list[list[HeatCell]]"
    _state: tuple[object, ...] = ()
    _arrays: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Without colours, or with few of which no shades can be made, there are characters."""
        self.coloured = not self.app.no_color and self.app.console.color_system not in FEW_COLOURS

    @property
    def part(self) -> Region:
        """The region of the tensor that is shown."""
        return Region.default(0) if self.view is None else self.form.region(self.view)

    @property
    def face(self) -> Face:
        """What is drawn: numbers, the heat map or a picture."""
        return Face.NUMBERS if self.view is None else self.form.shown_face(self.view)

    def subject(self, view: View) -> tuple[object, ...]:
        return view.tensor, *self.form.region(view).key

    def shape(self, view: View) -> tuple[int, int] | None:
        elements = elements_of(view, self.form)
        if elements is None:
            return None if view.array is None else (1, 1)
        rows, cols = elements.shape
        return rows, cols

    def window(self, view: View, rows: range, cols: range) -> GridWindow:
        found = tensor_window(view, self.form, rows, cols)
        if found is None:
            raise GradstepError(why_nothing(view, self.form))
        return found

    def folded_indices(self, view: View) -> range | None:
        region = self.form.region(view)
        vector = region.axes.row is None and region.axes.col is not None
        if not vector or self.face != Face.NUMBERS or elements_of(view, self.form) is None:
            return None
        return indices_of(view, self.form)[1]

    def extra(self) -> tuple[object, ...]:
        """The choices of display, and whether there are colours."""
        return (self.form, self.coloured)

    def watch_form(self, old: TensorDisplay, new: TensorDisplay) -> None:
        """Fit the columns to another format or version, and draw."""
        if (old.fmt, old.digits, old.version) != (new.fmt, new.digits, new.version):
            self.start_anew()
        self.watch_view(self.view)
        if old.face != new.face:
            self.reveal()

    # -- the cursor in the tensor

    def index(self) -> tuple[int, ...]:
        """The index of the tensor under the cursor; () where there are no elements."""
        return () if self.view is None else index_at(self.view, self.form, self.row, self.column)

    def value(self) -> Any:
        """What is shown under the cursor; None where nothing is."""
        return None if self.view is None else value_at(self.view, self.form, self.row, self.column)

    def go_to_index(self, index: Sequence[int]) -> bool:
        """Ask for an index of the tensor; fewer numbers than axes are the last ones."""
        if self.view is None or self.view.array is None:
            return False
        shape, here = shown_shape(self.view, self.form), self.index()
        missing = len(shape) - len(index)
        whole = (*here[:missing], *index) if missing > 0 else tuple(index)[-missing:]
        if len(whole) != len(shape) or any(index[:-missing] if missing < 0 else ()):
            return False
        if any(at >= length for at, length in zip(whole, shape, strict=True)):
            return False
        self.post_message(IndexWanted(whole))
        return True

    # -- the heat map

    def canvas(self, view: View) -> "Canvas":
        """The layout of the elements in the picture under the legend."""
        # Heat maps are loaded when the first one is drawn.
        from tui.render.heat_view import HIGHEST, LARGE, WIDEST, Canvas, labelled, picture_size

        width, height = self.room.width, max(0, self.room.height - 1)
        image = image_shape(view, self.form)
        if self.face == Face.PICTURE and image is not None:
            room = picture_size(*image, width, height, self.coloured)
            return Canvas(*image, *room, self.coloured)
        if self.face == Face.PICTURE:
            return self.tiles(view).canvas(self.tile(view))
        most = LARGE if self.screen.has_class("large") else (WIDEST, HIGHEST)
        return labelled(*indices_of(view, self.form), width, height, self.coloured, most)

    def tiles(self, view: View) -> "Tiles":
        """The layout of the pictures of a tensor of more than two axes."""
        from tui.render.tiles import tiles_of

        shape = shown_shape(view, self.form)
        return tiles_of(shape, self.room.width, max(0, self.room.height - 1), self.coloured)

    def tile(self, view: View) -> int:
        """The number of the picture that the cursor is in."""
        region, shape = self.form.region(view), shown_shape(view, self.form)
        outer = shape[:-2]
        # The value before may be of a shorter batch, which has no such picture.
        return int(np.ravel_multi_index(region.axes.index[: len(outer)], outer, mode="clip"))

    def pace(self) -> tuple[int, int]:
        """In a heat map the cursor goes from pixel to pixel."""
        if self.view is None or self.face != Face.HEAT:
            return 1, 1
        return self.canvas(self.view).per_pixel()

    def fit(self, view: View) -> None:
        """A picture fits; only numbers scroll."""
        if self.face == Face.NUMBERS:
            super().fit(view)
        else:
            self.per_line = 0
            self.virtual_size = Size(0, 0)

    def drawn(self, view: View) -> Sequence[Any]:
        """Lines of numbers, or of coloured cells."""
        elements = elements_of(view, self.form)
        if self.face == Face.NUMBERS or elements is None:
            return super().drawn(view)
        from tui.render.heat_view import with_cursor

        lines = list(self.picture(view))
        place = self.cell_of_cursor(view)
        if self.has_focus and place is not None and place[0] + 1 < len(lines):
            lines[place[0] + 1] = with_cursor(lines[place[0] + 1], place[1])
        return lines

    def picture(self, view: View) -> "list[list[HeatCell]]":
        """The legend and the picture, without the cursor."""
        at = self.row if self.face == Face.PICTURE and image_shape(view, self.form) else -1
        arrays = (view.array, view.before)
        state = (*map(id, arrays), self.form, self.room, self.coloured, at)
        if state != self._state:
            # The arrays are kept, so that no other array can have the place of one of them.
            self._state, self._arrays = state, arrays
            self._picture = self.made_picture(view)
        return self._picture

    def made_picture(self, view: View) -> "list[list[HeatCell]]":
        """The legend over all elements, or over the image in the row of the cursor."""
        from tui.render.heat_view import heat_lines

        elements, canvas = elements_of(view, self.form), self.canvas(view)
        assert elements is not None
        if self.face == Face.PICTURE and image_shape(view, self.form) is None:
            return self.made_tiles(view)
        notes = [f" {view.tensor}[{self.row}] as a picture "] if self.face == Face.PICTURE else []
        if notes:
            row = np.asarray(elements[self.row : self.row + 1])
            elements = row.reshape(canvas.rows, canvas.cols)
        scale = None if self.form.bounds is None else self.form.bounds.limits
        indices = indices_of(view, self.form)
        return heat_lines(elements, canvas, self.room.width, scale, notes, indices)

    def made_tiles(self, view: View) -> "list[list[HeatCell]]":
        """The legend over the pictures of a tensor of more than two axes."""
        from tui.render.tiles import tile_lines

        assert view.array is not None
        before = None if view.before_lost else view.before
        elements = shown_version(self.form.version, view.array, before)
        assert elements is not None
        scale = None if self.form.bounds is None else self.form.bounds.limits
        tiles, now = self.tiles(view), self.tile(view)
        return tile_lines(elements, tiles, now, self.room.width, scale, view.tensor)

    def cell_of_cursor(self, view: View) -> tuple[int, int] | None:
        """The cursor as a line under the legend and a cell of that line."""
        canvas = self.canvas(view)
        row, column = self.row, self.column
        if self.face == Face.PICTURE and image_shape(view, self.form) is not None:
            row, column = divmod(self.column, max(1, canvas.cols))
        line, place = canvas.cell_of(row, column)
        return line + canvas.top, place + canvas.left

    def strip(self, line: Any) -> Strip:
        """A line in the styles of the screen, or in the colours of the data."""
        if line and hasattr(line[0], "background"):  # no span of text
            return self.filtered(heat_strip(line, self.rich_style, self.room.width))
        return super().strip(line)

    def on_click(self, event: events.Click) -> None:
        """Go to the element under the pointer."""
        view, place = self.view, event.get_content_offset(self)
        if view is None or place is None or place.y < 1 or self.face == Face.NUMBERS:
            return  # the grid of numbers does it
        if elements_of(view, self.form) is None:
            return
        event.prevent_default()  # else Textual calls the handlers of the base classes as well
        canvas = self.canvas(view)
        if self.face == Face.PICTURE and image_shape(view, self.form) is None:
            self.click_tile(view, place.y - 1, place.x)
            return
        row, column = canvas.element_at(place.y - 1 - canvas.top, place.x - canvas.left)
        if self.face == Face.PICTURE:
            row, column = self.row, row * canvas.cols + column
        self.go_to(row, column)

    def click_tile(self, view: View, line: int, place: int) -> None:
        """Go to the element of the picture under the pointer, which may be another picture."""
        tiles, now = self.tiles(view), self.tile(view)
        tile = tiles.at(line, place, now)
        if tile is not None:
            canvas = tiles.canvas(tile)
            at = canvas.element_at(line - canvas.top, place - canvas.left)
            outer = np.unravel_index(tile, shown_shape(view, self.form)[:-2])
            self.post_message(IndexWanted((*map(int, outer), *at)))


@lru_cache(maxsize=8192)
def heat_style(front: "Rgb | None", behind: "Rgb | None") -> Style:
    """The style of two colours of a cell; None leaves the pane's own."""
    return Style(
        color=None if front is None else Color.from_rgb(*front),
        bgcolor=None if behind is None else Color.from_rgb(*behind),
    )


def heat_strip(cells: "Sequence[HeatCell]", base: Style, width: int) -> Strip:
    """Coloured cells as a strip; equal neighbours are one segment."""
    segments: list[Segment] = []
    text, known = "", (cells[0].foreground, cells[0].background)
    for cell in cells:
        colours = (cell.foreground, cell.background)
        if colours != known:
            segments.append(Segment(text, base + heat_style(*known)))
            text, known = "", colours
        text += cell.char
    segments.append(Segment(text, base + heat_style(*known)))
    return Strip(segments).adjust_cell_length(width, base)


if __name__ == "__main__":
    from tui.panes.alone import show

    show(TensorGrid())
