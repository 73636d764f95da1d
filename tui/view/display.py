"""How a tensor is displayed: as numbers or colours, which region and version, in what format."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np

from engine.program.program import Program
from tui.view.axes import comparable
from tui.view.find import Field, Sought
from tui.view.number_format import NumberFormat
from tui.view.region import Region
from tui.view.snapshot import View
from tui.view.value_range import ValueRange
from tui.view.versions import Elements, Version, shown_version

MAX_DIGITS = 17
Kind = TypeVar("Kind", bound=StrEnum)


def turned(kind: Kind, by: int = 1) -> Kind:
    """The member ``by`` places on in an enumeration, around the end."""
    kinds = list(type(kind))
    return kinds[(kinds.index(kind) + by) % len(kinds)]


class Face(StrEnum):
    """How the tensor pane draws the matrix."""

    NUMBERS = "numbers"
    HEAT = "heat map"
    PICTURE = "picture"


@dataclass(frozen=True)
class TensorDisplay:
    """The choices of the tensor pane; ``regions`` by the names of tensors, ``digits`` 0 to 17."""

    face: Face = Face.NUMBERS
    version: Version = Version.AFTER
    fmt: NumberFormat = NumberFormat.FIXED
    digits: int = 4
    bounds: ValueRange | None = None
    sought: Sought = Sought.CHANGED
    regions: Mapping[str, Region] = field(default_factory=dict)

    def region(self, view: View) -> Region:
        """The region of the selected tensor: the chosen one where it fits the shape."""
        shape = view.info.shape if view.array is None else view.array.shape
        chosen = self.regions.get(view.tensor)
        # The last batch of an epoch has fewer rows: an index chosen before may lie outside.
        if chosen is not None and chosen.fits(shape):
            return chosen
        return Region.of(shape)

    def with_region(self, view: View, region: Region) -> "TensorDisplay":
        """The same display with another region of the selected tensor."""
        return replace(self, regions={**self.regions, view.tensor: region})

    def next_face(self, view: View) -> "TensorDisplay":
        """Numbers, then the heat map, then the picture where there is one."""
        faces = [Face.NUMBERS, Face.HEAT]
        if has_picture(view, self):
            faces.append(Face.PICTURE)
        at = faces.index(self.face) if self.face in faces else -1
        return replace(self, face=faces[(at + 1) % len(faces)])

    def shown_face(self, view: View) -> Face:
        """What is drawn of the selected tensor: a picture only where there is one."""
        picture = self.face == Face.PICTURE and not has_picture(view, self)
        return Face.HEAT if picture else self.face

    def settings(self, view: View) -> list[str]:
        """What differs from the default display, in words for the head of the pane."""
        shape = view.info.shape if view.array is None else view.array.shape
        region, found = self.region(view), []
        if region != Region.of(shape) or len(shape) > 2:
            found.append(f"at {region.label()}")
        if self.version != Version.AFTER:
            found.append(self.version.value)
        if self.fmt == NumberFormat.HEX:
            found.append("hex")
        elif (self.fmt, self.digits) != (NumberFormat.FIXED, 4):
            found.append(f"{self.fmt} {self.digits}")
        return found


def elements_of(view: View, form: TensorDisplay) -> Elements | None:
    """The matrix (rows, columns) that is shown of the selected tensor; None where there is none."""
    array, before = view.array, None if view.before_lost else view.before
    if array is None:
        return None
    region = form.region(view)
    if form.version == Version.AFTER:
        return region.matrix(array)
    old = None if before is None or before.ndim != array.ndim else before
    if old is not None and not region.fits(old.shape):
        old = None
    return shown_version(
        form.version, region.matrix(array), None if old is None else region.matrix(old)
    )


def shown_shape(view: View, form: TensorDisplay) -> tuple[int, ...]:
    """The shape of the version that is shown; the value before may have had another length.

    The last batch of an epoch is smaller than the one before it.
    """
    before = None if view.before_lost else view.before
    shape = view.info.shape if view.array is None else view.array.shape
    other = form.version == Version.BEFORE and before is not None and before.ndim == len(shape)
    return before.shape if other and before is not None else shape


def index_at(view: View, form: TensorDisplay, row: int, col: int) -> tuple[int, ...]:
    """The index of the tensor in a cell, or in the nearest one; () where there are no elements."""
    array = view.array
    if array is None or array.size == 0:
        return ()
    region, shape = form.region(view), shown_shape(view, form)
    rows, cols = region.row_range(shape), region.col_range(shape)
    if not rows or not cols:
        return ()
    return region.index_at(shape, min(row, len(rows) - 1), min(col, len(cols) - 1))


def value_at(view: View, form: TensorDisplay, row: int, col: int) -> Any:
    """What is shown in a cell, or in the nearest one; None where nothing is."""
    elements = elements_of(view, form)
    if elements is None or 0 in elements.shape:
        return None
    row, col = min(row, elements.shape[0] - 1), min(col, elements.shape[1] - 1)
    return np.asarray(elements[row : row + 1, col : col + 1])[0, 0]


def field_of(view: View, form: TensorDisplay) -> Field | None:
    """The cells that a search goes through; None where there are none."""
    array = view.array
    if array is None or elements_of(view, form) is None:
        return None
    before = None if view.before_lost else view.before
    if form.version == Version.BEFORE and before is not None and not comparable(array, before):
        return Field(form.region(view), Version.AFTER, before, None, form.bounds)
    return Field(form.region(view), form.version, array, before, form.bounds)


def image_shape(view: View, form: TensorDisplay) -> tuple[int, int] | None:
    """Rows and columns of the image that a row of the selected matrix is; None where it is none."""
    if not isinstance(view.run, Program):
        return None
    image = getattr(view.run.experiment.data, "image", None)
    if not image or view.array is None or view.array.ndim != 2:
        return None
    height, width = image
    whole = form.region(view) == Region.default(2)
    return (height, width) if whole and view.array.shape[1] == height * width else None


def has_tiles(view: View, form: TensorDisplay) -> bool:
    """Whether the last two axes of the selected tensor are matrices that stand side by side."""
    array = view.array
    if array is None or array.ndim < 3 or 0 in array.shape:
        return False
    return form.region(view).key[:4] == Region.default(array.ndim).key[:4]


def has_picture(view: View, form: TensorDisplay) -> bool:
    """Whether the selected tensor can be drawn as a picture, or as several."""
    return image_shape(view, form) is not None or has_tiles(view, form)


def why_nothing(view: View, form: TensorDisplay) -> str:
    """Why there is nothing to show of the tensor in the version chosen."""
    if view.array is None:
        return "not computed yet"
    level = f"this {view.level}"
    if view.before_lost:
        return f"the value before {level} is beyond the history"
    if view.before is None:
        return f"no {form.version}: {level} has written it for the first time"
    return f"no {form.version}: the shape or type was another before {level}"
