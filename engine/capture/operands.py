"""What a captured op reads, as it is written in an equation: a name, seen through views."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.arrays import Shape
from engine.capture.known import VIEW, Unknown


@dataclass(frozen=True)
class Operand:
    """What an op reads: how it is written, and its shape, views included.

    ``batch`` is a size of the first axis that is written N; 0 where none is.
    """

    text: str
    shape: Shape
    batch: int = 0


def seen_through(operand: Operand, views: str) -> Operand:
    """An operand as an op has read it, ``view(4, 2).transpose(0, 1)``."""
    while views:
        found = VIEW.match(views)
        if found is None:
            raise Unknown(f"seen through {views}")
        numbers = [int(one) for one in found["arguments"].replace(" ", "").split(",") if one]
        operand = one_view(operand, found["name"], numbers, found["part"])
        views = views[found.end() :].removeprefix(".")
    return operand


def one_view(operand: Operand, name: str, numbers: Sequence[int], part: str | None) -> Operand:
    """An operand through one view; Unknown for one that lines do not have, or does not fit."""
    shape, rank = operand.shape, len(operand.shape)
    if rank == 0 and name != "view":
        raise Unknown(f"{name} of a number")
    try:
        match name, numbers:
            case ("view" | "reshape", [_, *_]):
                return reshaped(operand, filled(shape, numbers))
            case "flatten", [*ends] if len(ends) <= 2:
                first, last = (*ends, *(0, -1)[len(ends) :])
                first, last = first % rank, last % rank
                joined = (-1,) if first <= last else ()
                return reshaped(
                    operand, filled(shape, (*shape[:first], *joined, *shape[last + 1 :]))
                )
            case "unsqueeze", [axis]:
                at = axis % (rank + 1)
                return reshaped(operand, (*shape[:at], 1, *shape[at:]))
            case "squeeze", [axis] if shape[axis] == 1:
                at = axis % rank
                return reshaped(operand, (*shape[:at], *shape[at + 1 :]))
            case "transpose", [a, b]:
                order = list(range(rank))
                order[a], order[b] = order[b], order[a]
                return permuted(operand, order)
            case "t", [] if rank == 2:
                return permuted(operand, (1, 0))
            case "permute", [*axes] if len(axes) == rank:
                return permuted(operand, [axis % rank for axis in axes])
            case "split", [size, axis] if part is not None and size > 0:
                return cut(operand, axis % rank, size * int(part), size)
    except IndexError:
        pass
    raise Unknown(f"seen through {name}")


def filled(shape: Shape, wanted: Sequence[int]) -> Shape:
    """Sizes of which one may be −1."""
    total = 1
    for size in shape:
        total *= size
    known = 1
    for size in wanted:
        known *= 1 if size == -1 else size
    if list(wanted).count(-1) > 1 or not known or total % known:
        raise Unknown("a view of another size")
    found = tuple(total // known if size == -1 else size for size in wanted)
    if -1 not in wanted and known != total:
        raise Unknown("a view of another size")
    return found


def reshaped(operand: Operand, shape: Shape) -> Operand:
    """The same elements in another shape."""
    if not shape:
        return operand
    first = "N" if operand.batch and operand.shape[:1] == shape[:1] == (operand.batch,) else None
    sizes = ", ".join([first or str(shape[0]), *map(str, shape[1:])])
    return replace(operand, text=f"reshape({operand.text}, {sizes})", shape=shape)


def permuted(operand: Operand, order: Sequence[int]) -> Operand:
    """The axes in another order."""
    shape = tuple(operand.shape[axis] for axis in order)
    return replace(
        operand, text=f"transpose({operand.text}, {', '.join(map(str, order))})", shape=shape
    )


def cut(operand: Operand, axis: int, start: int, size: int) -> Operand:
    """A part along an axis."""
    stop = min(start + size, operand.shape[axis])
    if start >= stop:
        raise Unknown("a part that is not there")
    entries = ", ".join([*[":"] * axis, f"{start}:{stop}"])
    shape = (*operand.shape[:axis], stop - start, *operand.shape[axis + 1 :])
    return replace(operand, text=f"{operand.text}[{entries}]", shape=shape)
