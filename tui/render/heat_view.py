"""The heat map in the pane: a legend in the colours it explains, the picture, and the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from tui.render.charts import palette
from tui.render.charts.heatmap import (
    MARKS,
    NEGATIVE_RAMP,
    POSITIVE_RAMP,
    Heat,
    HeatCell,
    heat_cells,
    ramp_cells,
)
from tui.render.text.line import fit_parts
from tui.render.text.numbers import compact, count_text
from tui.view.versions import Elements

BAR = 12  # cells of the legend's bar of colours
CURSOR = "◆"
WIDEST, HIGHEST = 8, 4  # cells and lines of one element: more would say nothing
LARGE = 24, 10  # the same for people who sit at the back


@dataclass(frozen=True)
class Canvas:
    """Where the elements of a matrix lie in a picture of ``width`` × ``height`` cells.

    With colours each cell holds two pixels, one over the other. ``left`` and ``top`` are the cells
    and lines that the labels take, beside the picture and above it.
    """

    rows: int
    cols: int
    width: int
    height: int
    coloured: bool = True
    left: int = 0
    top: int = 0

    @property
    def pixel_rows(self) -> int:
        """The rows of pixels: two in a line with colours, else one."""
        return self.height * (2 if self.coloured else 1)

    def per_pixel(self) -> tuple[int, int]:
        """How many rows and columns of the matrix one pixel stands for at most."""
        down, across = max(1, self.pixel_rows), max(1, self.width)
        return max(1, -(-self.rows // down)), max(1, -(-self.cols // across))

    def cell_of(self, row: int, col: int) -> tuple[int, int]:
        """The line and the place in it of the first cell that shows an element."""
        down = first_pixel(self.rows, self.pixel_rows, row)
        return down // (2 if self.coloured else 1), first_pixel(self.cols, self.width, col)

    def element_at(self, line: int, place: int) -> tuple[int, int]:
        """The first element that a cell shows; the nearest one beside the picture."""
        down = line * (2 if self.coloured else 1)
        return (
            first_element(self.rows, self.pixel_rows, down),
            first_element(self.cols, self.width, place),
        )


def labelled(
    down: range,
    across: range,
    width: int,
    height: int,
    coloured: bool,
    most: tuple[int, int] = (WIDEST, HIGHEST),
) -> Canvas:
    """The canvas of a matrix in a room, with the indices of its rows and columns at the edges.

    An element has ``most`` cells and lines.
    """
    left = 2 + max((len(str(end)) for end in (*down[:1], *down[-1:])), default=0)
    left = left if left + WIDEST <= width else 0
    top = 1 if height > 2 else 0
    room = min(width - left, most[0] * len(across)), min(height - top, most[1] * len(down))
    return Canvas(len(down), len(across), max(0, room[0]), max(0, room[1]), coloured, left, top)


def first_pixel(length: int, pixels: int, element: int) -> int:
    """The first pixel of an element along one axis."""
    groups = min(length, pixels)
    if groups <= 0:
        return 0
    return ((element + 1) * groups - 1) // length * (pixels // groups)


def first_element(length: int, pixels: int, pixel: int) -> int:
    """The first element of a pixel along one axis."""
    groups = min(length, pixels)
    if groups <= 0:
        return 0
    return min(groups - 1, max(0, pixel) // (pixels // groups)) * length // groups


def picture_size(rows: int, cols: int, width: int, height: int, coloured: bool) -> tuple[int, int]:
    """The width and height in cells of the largest picture in a room with square pixels."""
    factor = max(1, min(width // max(1, cols), 2 * height // max(1, rows)))
    if not coloured:  # a cell is about twice as high as it is wide
        return max(1, min(width // max(1, 2 * cols), height // max(1, rows))) * cols * 2, height
    return min(width, cols * factor), min(height, -(-rows * factor // 2))


def heat_lines(
    matrix: Elements,
    canvas: Canvas,
    width: int,
    scale: tuple[float, float] | None,
    notes: Sequence[str] = (),
    indices: tuple[range, range] = (range(0), range(0)),
) -> list[list[HeatCell]]:
    """The legend, ``width`` cells wide at most, over the ``canvas.height`` lines of the picture.

    ``indices`` of the rows and columns stand in the margins of the canvas, if it has any.
    """
    draw = heat_cells if canvas.coloured else ramp_cells
    heat = draw(matrix, canvas.width, canvas.height, scale=scale)
    down, across = indices
    head = [plain(column_labels(across, canvas))] if canvas.top else []
    labels = row_labels(down, canvas)
    rows = [[*plain(label), *row] for label, row in zip(labels, heat.cells, strict=True)]
    return [legend(heat, canvas, width, notes), *head, *rows]


def row_labels(down: range, canvas: Canvas) -> list[str]:
    """What stands at the left of each line: every row's index, or those of the first and last."""
    labels = [" " * canvas.left] * canvas.height
    if labels and canvas.left and canvas.rows:
        own = canvas.rows <= canvas.height  # each row begins on a line of its own
        for row in range(canvas.rows) if own else (canvas.rows - 1, 0):
            labels[canvas.cell_of(row, 0)[0]] = f"{down[row]:>{canvas.left - 1}} "
    return labels


def column_labels(across: range, canvas: Canvas) -> str:
    """What stands above the picture: every column's index, or those of the first and last."""
    cells = [" "] * (canvas.left + canvas.width)
    if not canvas.cols or not canvas.width:
        return ""
    groups = min(canvas.cols, canvas.width)
    each, last = canvas.width // groups, canvas.cols - 1
    longest = max(len(str(across[0])), len(str(across[-1])))
    own = canvas.cols == groups and each > longest
    for col in range(canvas.cols) if own else (0, last):
        text = str(across[col])
        start = canvas.left + canvas.cell_of(0, col)[1]
        start = max(canvas.left, min(start, canvas.left + groups * each - len(text)))
        if "".join(cells[max(0, start - 1) : start + len(text)]).isspace():
            cells[start : start + len(text)] = text
    return "".join(cells)


def legend(heat: Heat, canvas: Canvas, width: int, notes: Sequence[str]) -> list[HeatCell]:
    """The limits at the ends of a bar of their colours, then what the picture leaves out."""
    bar = colour_bar(heat) if canvas.coloured else ramp_bar(heat)
    low, high = compact(heat.low), compact(heat.high)
    parts = [(0, [(note, "")]) for note in notes]
    parts += [(rank, [(f"  {text}", "")]) for rank, text in explained(heat, canvas)]
    room = width - len(bar) - len(low) - len(high) - 4
    words = "".join(text for text, _ in fit_parts(parts, room))[: max(0, room)]
    return [*plain(f" {low} "), *bar, *plain(f" {high} "), *plain(words)]


def explained(heat: Heat, canvas: Canvas) -> list[tuple[int, str]]:
    """What the legend must say besides the limits, with ranks: what matters most has the lowest."""
    seen = {cell.char for row in heat.cells for cell in row}
    found = []
    if heat.clipped:
        found.append((1, f"«» {count_text(heat.clipped)} beyond the limits"))
    found += [(1, f"{mark} {MARKS[mark]}") for mark in "N^v" if mark in seen]
    if heat.averaged:
        rows, cols = canvas.per_pixel()
        sampled = " of a sample" if heat.sampled else ""
        found.append((2, f"averages{sampled} of {rows}×{cols}"))
    if heat.diverging and canvas.coloured:
        found.append((3, "white is 0"))
    return found


def colour_bar(heat: Heat) -> list[HeatCell]:
    """The colours from the lower to the upper limit, two to a cell."""
    stops = palette.DIVERGING if heat.diverging else palette.SEQUENTIAL
    levels = [i / (2 * BAR - 1) for i in range(2 * BAR)]
    return [
        HeatCell("▌", palette.colour(stops, left), palette.colour(stops, right))
        for left, right in zip(levels[::2], levels[1::2], strict=True)
    ]


def ramp_bar(heat: Heat) -> list[HeatCell]:
    """The characters from the lower to the upper limit."""
    return plain((NEGATIVE_RAMP[::-1] if heat.diverging else "") + POSITIVE_RAMP)


def plain(text: str) -> list[HeatCell]:
    """Text in the pane's own colours, a cell for each character; all are one cell wide."""
    return [HeatCell(char if cell_len(char) == 1 else "?", None, None) for char in text]


def with_cursor(row: Sequence[HeatCell], place: int) -> list[HeatCell]:
    """A line of the picture with the cursor in one of its cells."""
    if not 0 <= place < len(row):
        return list(row)
    cell = row[place]
    behind = cell.background or cell.foreground
    front = None if behind is None else palette.contrasting(behind)
    marked = replace(cell, char=CURSOR, foreground=front, background=behind)
    return [*row[:place], marked, *row[place + 1 :]]
