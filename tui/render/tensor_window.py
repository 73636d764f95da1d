"""The visible window of the selected tensor: region, version, format, and marks of cells."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tui.render.grid import Cell, GridWindow, Window, grid_window
from tui.view.axes import changed_bits, comparable
from tui.view.display import TensorDisplay, elements_of, shown_shape
from tui.view.snapshot import View
from tui.view.versions import Array


def tensor_window(view: View, form: TensorDisplay, rows: range, cols: range) -> GridWindow | None:
    """The cells in ``rows`` and ``cols`` of what is shown; None where there is nothing.

    Labels are the indices of the tensor, as wide as its last one.
    """
    elements, array = elements_of(view, form), view.array
    if elements is None or array is None:
        return None
    height, width = elements.shape
    rows = range(max(0, rows.start), min(height, rows.stop))
    cols = range(max(0, cols.start), min(width, cols.stop))
    inside = (slice(rows.start, rows.stop), slice(cols.start, cols.stop))
    values = np.asarray(elements[inside])
    window = grid_window(
        values, range(len(rows)), range(len(cols)), fmt=form.fmt, digits=form.digits
    )
    down, across = indices_of(view, form)
    wide = max((len(str(end)) for end in (*down[:1], *down[-1:])), default=1)
    return replace(
        window,
        window=Window(rows, cols),
        header=[str(across[col]) for col in cols],
        labels=[str(down[row]).rjust(wide) for row in rows],
        cells=marked(
            window.cells,
            changes(view, form, inside, values),
            ranged(form, values) | lit(view, form, Window(rows, cols)),
        ),
    )


def indices_of(view: View, form: TensorDisplay) -> tuple[range, range]:
    """The tensor's indices along the rows and columns of the version shown."""
    region, shape = form.region(view), shown_shape(view, form)
    return region.row_range(shape), region.col_range(shape)


def changes(
    view: View, form: TensorDisplay, inside: tuple[slice, slice], values: Array
) -> NDArray[Any]:
    """The mask of the cells of a window whose bits differ from before."""
    array, before, region = view.array, view.before, form.region(view)
    assert array is not None
    if before is None or view.before_lost or before is array:
        return np.zeros(values.shape, dtype=np.bool_)
    if not comparable(array, before):
        return np.ones(values.shape, dtype=np.bool_)
    return changed_bits(region.matrix(before)[inside], region.matrix(array)[inside])


def ranged(form: TensorDisplay, values: Array) -> NDArray[Any]:
    """The mask of the cells in the highlighted range; none where there is no range."""
    nowhere = np.zeros(values.shape, dtype=np.bool_)
    return nowhere if form.bounds is None else form.bounds.holds(values)


def lit(view: View, form: TensorDisplay, window: Window) -> NDArray[Any]:
    """The mask of the cells of a window that show an element which is to be marked."""
    mask = np.zeros((len(window.rows), len(window.cols)), dtype=np.bool_)
    region, shape = form.region(view), shown_shape(view, form)
    for index in view.lit:
        inside = len(index) == len(shape) and all(map(int.__lt__, index, shape))
        if not inside or region.showing(shape, index) != region:
            continue
        row, col = region.place_of(shape, index)
        if row in window.rows and col in window.cols:
            mask[window.rows.index(row), window.cols.index(col)] = True
    return mask


def marked(
    cells: list[list[Cell]], changed: NDArray[Any], in_range: NDArray[Any]
) -> list[list[Cell]]:
    """The cells marked by two masks of their shape."""
    marks = zip(changed.tolist(), in_range.tolist(), strict=True)
    return [
        [
            replace(cell, changed=change, ranged=hit)
            for cell, change, hit in zip(row, line_changes, line_hits, strict=True)
        ]
        for row, (line_changes, line_hits) in zip(cells, marks, strict=True)
    ]
