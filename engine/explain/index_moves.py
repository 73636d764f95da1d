"""Letters of indices through functions that move elements, and through convolutions."""

from collections.abc import Callable, Sequence
from typing import Any

from engine.arrays import Shape
from engine.lines.node import Call

Place = tuple[str, ...]


def picked(
    entries: Sequence[tuple[Any, ...]], place: Place, rank: int, by: Callable[[int, Place], str]
) -> Place | None:
    """The letters of the tensor below an index, which has ``rank`` axes; None where they are lost.

    ``by`` writes the operand of a number at letters, one for each axis of the broadcast indices.
    """
    kinds = [entry[0] for entry in entries]
    named = [i for i, kind in enumerate(kinds) if kind == "by"]
    if named and named[-1] - named[0] >= len(named):
        return None  # indices apart from each other come first in the result
    taken = sum(kind not in ("new", "rest") for kind in kinds)
    free = len(place) - sum(kind in ("new", "slice") for kind in kinds) - (rank - taken)
    out: list[str] = []
    at = 0
    for entry in entries:
        match entry:
            case ("slice", start, _, step):
                if (start or 0) < 0 or step not in (None, 1):
                    return None
                out.append(shifted(place[at], start or 0))
                at += 1
            case ("at", i):
                out.append(str(i))
            case ("new",):
                at += 1
            case ("rest",):
                out += place[at : at + rank - taken]
                at += rank - taken
            case (_, operand):
                if len(out) == 0 or operand == entries[named[0]][1]:
                    letters = place[at : at + free]
                    at += free
                out.append(by(operand, letters))
    return (*out, *place[at:])


def shifted(letter: str, start: int) -> str:
    """``k+2``; of an axis of one the number alone."""
    if letter == "0":
        return str(start)
    return f"{letter}+{start}" if start else letter


def reshaped_place(place: Place, old: Shape, new: Shape) -> Place | None:
    """The letters where only axes of one come and go; None where elements change their axes."""
    kept = [letter for letter, size in zip(place, new, strict=True) if size != 1]
    if [size for size in old if size != 1] != [size for size in new if size != 1]:
        return None
    rest = iter(kept)
    return tuple("0" if size == 1 else next(rest) for size in old)


def window(small: str, within: str, stride: int, dilation: int, padding: int) -> str:
    """``2i+u−1``, where an element of a window stands."""
    first = "" if small == "0" else small if stride == 1 else f"{stride}{small}"
    second = "" if within == "0" else within if dilation == 1 else f"{dilation}{within}"
    said = "+".join(part for part in (first, second) if part) or "0"
    return f"{said}−{padding}" if padding else said


def windows(node: Call, small: Place, within: Place) -> Place:
    """The places in the large image of a convolution, for those in the small one and the filter."""
    options = dict(node.options)
    steps = zip(options["stride"], options["dilation"], options["padding"], strict=True)
    return tuple(
        window(one, other, *step) for one, other, step in zip(small, within, steps, strict=True)
    )
