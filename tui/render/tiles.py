"""Small pictures side by side: the matrices of a tensor of three axes or more, all to one scale.

A bank of filters (O, C, kh, kw) has a row of pictures for each filter where that fits; so have the
heads of attention (N, heads, T, T).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tui.render.charts.heatmap import BLANK, HeatCell, heat_cells, ramp_cells
from tui.render.heat_view import Canvas, legend
from tui.view.versions import Array, Elements

GAP = 1  # cells and lines between two pictures
LARGEST = 12  # the most pixels that an element is enlarged to
ALL_OF = 2**20  # elements up to which the scale is that of the whole tensor


@dataclass(frozen=True)
class Tiles:
    """``count`` pictures of rows × cols elements, each ``width`` × ``height`` cells.

    ``across`` of them stand beside each other, and ``down`` lines of them fit.
    """

    count: int
    rows: int
    cols: int
    width: int
    height: int
    across: int
    down: int
    coloured: bool = True

    def page(self, tile: int) -> range:
        """The pictures that are seen with the one of a number."""
        many = max(1, self.across * self.down)
        start = tile // many * many
        return range(start, min(self.count, start + many))

    def canvas(self, tile: int) -> Canvas:
        """Where the elements of a picture lie under the legend."""
        line, place = divmod(tile - self.page(tile).start, self.across)
        left, top = place * (self.width + GAP), line * (self.height + GAP)
        return Canvas(self.rows, self.cols, self.width, self.height, self.coloured, left, top)

    def at(self, line: int, place: int, now: int) -> int | None:
        """The picture at a line and a cell under the legend; None beside them and between them."""
        down, below = divmod(line, self.height + GAP)
        across, behind = divmod(place, self.width + GAP)
        tile = self.page(now).start + down * self.across + across
        outside = min(line, place) < 0 or below >= self.height or behind >= self.width
        inside = across < self.across and tile in self.page(now)
        return tile if inside and not outside else None


def tiles_of(shape: Sequence[int], width: int, height: int, coloured: bool) -> Tiles:
    """The largest pictures of the last two axes of which all fit; else as many as fit.

    ``width`` and ``height`` are the cells of the room.
    """
    rows, cols = shape[-2:]
    count, group = math.prod(shape[:-2]), shape[-3]
    cells = 1 if coloured else 2  # without colours a cell is about twice as high as it is wide
    for factor in range(LARGEST, 0, -1):
        wide, high = cols * factor * cells, -(-rows * factor // 2) if coloured else rows * factor
        most = min(count, (width + GAP) // (wide + GAP))
        whole = most - most % group if most > group > 1 else most
        for across in dict.fromkeys([group if 1 < group <= most else whole, whole]):
            if across and -(-count // across) * (high + GAP) - GAP <= height:
                down = -(-count // across)
                return Tiles(count, rows, cols, wide, high, across, down, coloured)
    wide = max(1, min(cols * cells, width))
    high = max(1, min(-(-rows // 2) if coloured else rows, height))
    across = max(1, min(count, (width + GAP) // (wide + GAP)))
    down = max(1, (height + GAP) // (high + GAP))
    return Tiles(count, rows, cols, wide, high, across, down, coloured)


def tile_lines(
    elements: Elements,
    tiles: Tiles,
    now: int,
    width: int,
    scale: tuple[float, float] | None,
    name: str,
) -> list[list[HeatCell]]:
    """The legend, ``width`` cells wide at most, over the pictures that are seen with ``now``."""
    outer, page = elements.shape[:-2], tiles.page(now)
    parts = {
        tile: np.asarray(elements[tuple(int(i) for i in np.unravel_index(tile, outer))])
        for tile in page
    }
    if scale is None:
        whole = math.prod(elements.shape) <= ALL_OF
        scale = limits([np.asarray(elements[...])] if whole else list(parts.values()))
    draw = heat_cells if tiles.coloured else ramp_cells
    heats = {t: draw(part, tiles.width, tiles.height, scale=scale) for t, part in parts.items()}
    lines: list[list[HeatCell]] = []
    for start in range(page.start, page.stop, tiles.across):
        beside = [heats[tile] for tile in range(start, min(page.stop, start + tiles.across))]
        lines += [[]] * (GAP if lines else 0)
        for y in range(tiles.height):
            line: list[HeatCell] = []
            for heat in beside:
                line += [*([BLANK] * (GAP if line else 0)), *heat.cells[y]]
            lines.append(line)
    at = ", ".join(str(int(i)) for i in np.unravel_index(now, outer))
    some = f", {page.start}…{page.stop - 1} seen" if len(page) < tiles.count else ""
    notes = [f" {name}[{at}] of {tiles.count} pictures{some} "]
    return [legend(heats[now], tiles.canvas(now), width, notes), *(one or [BLANK] for one in lines)]


def limits(parts: Sequence[Array]) -> tuple[float, float] | None:
    """The smallest and the largest finite value; None where there is none."""
    found = [part[np.isfinite(part)] for part in parts]
    found = [part for part in found if part.size]
    if not found:
        return None
    return min(float(part.min()) for part in found), max(float(part.max()) for part in found)
