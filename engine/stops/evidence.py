"""Evidence of a stop and value of a watch: tensor, index, the value before and after."""

from dataclasses import dataclass

from engine.arrays import Array

Value = Array | float | None


@dataclass(frozen=True, eq=False)
class WatchValue:
    """A watch at the cursor and one event before; ``error`` says why there is no value.

    A value is None while something it names is not computed yet.
    """

    text: str
    value: Value = None
    before: Value = None
    changed: bool = False
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What met a stop: the tensor, the index of an element, and its value before and after.

    A value is None where there is none, or where it is not one number.
    """

    tensor: str
    index: tuple[int, ...] = ()
    before: float | None = None
    after: float | None = None
    note: str = ""
    is_condition: bool = False  # before and after are truth values, which the note puts in words

    @property
    def place(self) -> str:
        """``linear1.weight[0, 2]``."""
        inside = ", ".join(map(str, self.index))
        return f"{self.tensor}[{inside}]" if self.index else self.tensor

    def __str__(self) -> str:
        return self.beside("")

    def beside(self, name: str) -> str:
        """The evidence as text; a place that ``name`` says already is left out."""
        place = "" if self.place == name else self.place
        values = "" if self.is_condition else f"{number(self.before)} → {number(self.after)}"
        return ": ".join(part for part in (place, self.note, values) if part)


def number(value: float | None) -> str:
    """A number with six significant digits; ``—`` for None."""
    return "—" if value is None else f"{value:.6g}"
