"""Formulas of single elements: indices, sums over them, and rules by cases.

Of one sample an element with index i is the column itself, one with index j the row: broadcasting
then gives every element (i, j) of a Jacobian at once. Of a batch, whose samples are rows, either is
the batch itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from engine.arrays import Array
from engine.formulas.tree import (
    ATOM,
    PRODUCT,
    SUM,
    Formula,
    Number,
    Rows,
    Size,
    Symbol,
    Values,
    latex_at,
    text_at,
)

NEXT_ROW = r" \\ "
INDEX = {"i": "ᵢ", "j": "ⱼ"}
Index = Literal["", "i", "j"]  # of whole tensors there is none


@dataclass(frozen=True)
class At(Formula):
    """Element i or j of a vector: of a sample the column (d, 1) for i, the row (1, d) for j."""

    inner: Formula
    index: Literal["i", "j"] = "i"

    def text(self) -> str:
        return f"{text_at(self.inner, ATOM)}{INDEX[self.index]}"

    def latex(self) -> str:
        inner = self.inner.latex()
        bare = self.inner.precedence == ATOM and "_" not in inner
        return f"{inner}_{{{self.index}}}" if bare else f"({inner})_{{{self.index}}}"

    def value(self, values: Values) -> Array:
        vector = self.inner.value(values)
        return vector if self.index == "i" or isinstance(values, Rows) else vector.T


@dataclass(frozen=True)
class Absolute(Formula):
    """|inner|, the absolute value of each element."""

    inner: Formula

    def text(self) -> str:
        return f"|{self.inner.text()}|"

    def latex(self) -> str:
        return rf"\lvert {self.inner.latex()} \rvert"

    def value(self, values: Values) -> Array:
        return np.abs(self.inner.value(values))


@dataclass(frozen=True)
class Total(Formula):
    """Σᵢ or Σⱼ inner, the sum over the elements of a vector: (1, 1), or (N, 1) of a batch."""

    precedence: ClassVar[int] = PRODUCT
    trails: ClassVar[bool] = True
    inner: Formula
    index: Literal["i", "j"] = "i"

    def text(self) -> str:
        return f"Σ{INDEX[self.index]} {self.body(self.inner.text())}"

    def latex(self) -> str:
        return rf"\sum_{{{self.index}}} {self.body(self.inner.latex())}"

    def body(self, inner: str) -> str:
        """The summand; a leading minus needs no parentheses, as in Σᵢ −[…]."""
        return f"({inner})" if self.inner.precedence == SUM and inner[0] not in "-−" else inner

    def value(self, values: Values) -> Array:
        axis = -1 if isinstance(values, Rows) else None
        total: Array = np.sum(self.inner.value(values), axis=axis, keepdims=True)
        return total


@dataclass(frozen=True)
class Log(Formula):
    """The natural logarithm, clamped at ``floor`` as BCE does; the floor is not written."""

    precedence: ClassVar[int] = PRODUCT
    inner: Formula
    floor: float = -np.inf

    def text(self) -> str:
        inner = self.inner.text()
        bare = self.inner.precedence == ATOM or self.inner.trails
        return f"log {inner}" if bare else f"log({inner})"

    def latex(self) -> str:
        inner = self.inner.latex()
        return rf"\log {inner}" if self.inner.precedence == ATOM else rf"\log({inner})"

    def value(self, values: Values) -> Array:
        return np.maximum(np.log(self.inner.value(values)), self.floor)


@dataclass(frozen=True)
class AtLeast(Formula):
    """A product clamped at ``floor`` from below; the floor is not written."""

    precedence: ClassVar[int] = PRODUCT
    inner: Formula
    floor: float

    def text(self) -> str:
        return self.inner.text()

    def latex(self) -> str:
        return self.inner.latex()

    def value(self, values: Values) -> Array:
        return np.maximum(self.inner.value(values), self.floor)


@dataclass(frozen=True)
class Pick(Formula):
    """The element of a vector at a class index, (1, 1), or (N, 1) of a batch.

    It is 0 where the index is none: an ignored class may be −100, whose factor [y ≠ −100] is 0.
    """

    inner: Formula
    index: Symbol

    def text(self) -> str:
        return f"{text_at(self.inner, ATOM)}[{self.index.text()}]"

    def latex(self) -> str:
        return f"{{{latex_at(self.inner, ATOM)}}}_{{{self.index.latex()}}}"

    def value(self, values: Values) -> Array:
        index, inner = self.index.value(values).astype(np.int64), self.inner.value(values)
        rows = inner if isinstance(values, Rows) else inner.T
        rows = np.broadcast_to(rows, (len(index), rows.shape[1]))
        there = (index >= 0) & (index < rows.shape[1])
        picked = np.take_along_axis(rows, np.where(there, index, 0), axis=1)
        return np.where(there, picked, 0.0)


@dataclass(frozen=True)
class OneHot(Formula):
    """onehot(y), the one-hot vector of a class index, or its element i or j, [i = y].

    Of a sample it is a column (d, 1), for j a row (1, d); of a batch it is (N, d).
    """

    index: Symbol
    size: Size
    at: Index = "i"

    def text(self) -> str:
        return f"[{self.at} = {self.index.text()}]" if self.at else f"onehot({self.index.text()})"

    def latex(self) -> str:
        index = self.index.latex()
        return f"[{self.at} = {index}]" if self.at else rf"\operatorname{{onehot}}({index})"

    def value(self, values: Values) -> Array:
        classes = np.arange(int(self.size.value(values).item()))
        hot: Array = (classes == self.index.value(values)).astype(np.float64)
        return hot if self.at == "j" or isinstance(values, Rows) else hot.T


@dataclass(frozen=True)
class Counts(Formula):
    """[y ≠ ignored]: 0 for the class index that is ignored, else 1; (1, 1), or (N, 1)."""

    index: Symbol
    ignored: int

    def text(self) -> str:
        return f"[{self.index.text()} ≠ {Number(self.ignored).text()}]"

    def latex(self) -> str:
        return rf"[{self.index.latex()} \ne {Number(self.ignored).latex()}]"

    def value(self, values: Values) -> Array:
        return np.asarray(self.index.value(values) != self.ignored, dtype=np.float64)


@dataclass(frozen=True)
class SameIndex(Formula):
    """The condition i = j; its value is the identity matrix (d, d)."""

    size: Size

    def text(self) -> str:
        return "i = j"

    def latex(self) -> str:
        return "i = j"

    def value(self, values: Values) -> Array:
        return np.eye(int(self.size.value(values).item()))


COMPARISONS = {
    ">": (">", np.greater),
    "≤": (r"\le", np.less_equal),
    "<": ("<", np.less),
    "≥": (r"\ge", np.greater_equal),
}


@dataclass(frozen=True)
class Compare(Formula):
    """A condition left ≷ right, element by element; its value is 1 where it holds, else 0."""

    precedence: ClassVar[int] = SUM
    left: Formula
    sign: str
    right: Formula

    def text(self) -> str:
        return f"{self.left.text()} {self.sign} {self.right.text()}"

    def latex(self) -> str:
        return f"{self.left.latex()} {COMPARISONS[self.sign][0]} {self.right.latex()}"

    def value(self, values: Values) -> Array:
        holds = COMPARISONS[self.sign][1](self.left.value(values), self.right.value(values))
        return np.asarray(holds, dtype=np.float64)


@dataclass(frozen=True)
class Between(Formula):
    """The condition low < inner < high, element by element; its value is 1 where it holds."""

    precedence: ClassVar[int] = SUM
    low: Formula
    inner: Formula
    high: Formula

    def text(self) -> str:
        return f"{self.low.text()} < {self.inner.text()} < {self.high.text()}"

    def latex(self) -> str:
        return f"{self.low.latex()} < {self.inner.latex()} < {self.high.latex()}"

    def value(self, values: Values) -> Array:
        inner = self.inner.value(values)
        holds = (self.low.value(values) < inner) & (inner < self.high.value(values))
        return np.asarray(holds, dtype=np.float64)


@dataclass(frozen=True)
class Case:
    """One case of a rule: a value, and the conditions that must all hold for it."""

    then: Formula
    conditions: tuple[Formula, ...]


@dataclass(frozen=True)
class Cases(Formula):
    """A rule by cases: of each element the first case whose conditions hold, or ``otherwise``."""

    precedence: ClassVar[int] = SUM
    cases: tuple[Case, ...]
    otherwise: Formula

    def text(self) -> str:
        parts = [
            f"{case.then.text()} if {' and '.join(c.text() for c in case.conditions)}"
            for case in self.cases
        ]
        return ", ".join([*parts, f"else {self.otherwise.text()}"])

    def latex(self) -> str:
        rows = [
            rf"{case.then.latex()} & \text{{if }} "
            + r" \text{ and } ".join(c.latex() for c in case.conditions)
            for case in self.cases
        ]
        rows.append(rf"{self.otherwise.latex()} & \text{{else}}")
        return rf"\begin{{cases}} {NEXT_ROW.join(rows)} \end{{cases}}"

    def value(self, values: Values) -> Array:
        out = self.otherwise.value(values)
        for case in reversed(self.cases):  # the first case comes last and so overrules the others
            holds = np.array([[True]])
            for condition in case.conditions:
                holds = holds & (condition.value(values) != 0)
            out = np.where(holds, case.then.value(values), out)
        return out


def walk(part: object) -> Iterator[Formula]:
    """A formula and every formula inside it, in preorder; nothing for a part that holds none."""
    if isinstance(part, Formula):
        yield part
    if isinstance(part, Formula | Case):
        part = tuple(vars(part).values())
    if isinstance(part, tuple):
        for inner in part:
            yield from walk(inner)
