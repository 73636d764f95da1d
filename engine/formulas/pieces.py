"""Formulas that are one thing here and another there: in a line, and as a rule by cases."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Absolute, Case, Cases, Compare
from engine.formulas.named import Apply, Named, word
from engine.formulas.tree import ATOM, ONE, ZERO, Formula, Negative, Number, Times, Values

OPPOSITE = {">": "≤", "≤": ">", "<": "≥", "≥": "<"}
SIGN = Named("sign", word("sign"), np.sign)


class Pieces(Formula):
    """A formula of each element that is defined piece by piece."""

    @property
    @abstractmethod
    def branch(self) -> "Branch":
        """The pieces: a condition, what holds there and what elsewhere."""

    @property
    def cases(self) -> Cases:
        """The same as a rule by cases, ``z if z > 0, else 0.01 z``."""
        piece = self.branch
        return Cases((Case(piece.then, (piece.condition,)),), piece.otherwise)

    def diagonal(self, same: Formula) -> Cases:
        """The diagonal matrix of the pieces as a rule: ``same`` is the condition i = j."""
        piece = self.branch
        opposite = replace(piece.condition, sign=OPPOSITE[piece.condition.sign])
        found = (Case(piece.then, (same, piece.condition)), Case(piece.otherwise, (same, opposite)))
        return Cases(tuple(case for case in found if case.then != ZERO), ZERO)


@dataclass(frozen=True)
class Branch(Pieces):
    """``then`` where a condition holds, else ``otherwise``; [z > 0] is 1 where it holds, else 0."""

    precedence: ClassVar[int] = ATOM
    condition: Compare
    then: Formula = ONE
    otherwise: Formula = ZERO

    @property
    def branch(self) -> "Branch":
        return self

    def text(self) -> str:
        condition = self.condition.text()
        if (self.then, self.otherwise) == (ONE, ZERO):
            return f"[{condition}]"
        return f"[{self.then.text()} if {condition} else {self.otherwise.text()}]"

    def latex(self) -> str:
        if (self.then, self.otherwise) == (ONE, ZERO):
            return f"[{self.condition.latex()}]"
        return self.cases.latex()

    def value(self, values: Values) -> Array:
        return self.cases.value(values)


@dataclass(frozen=True)
class Clip(Pieces):
    """clip(inner, ±bound): inner, but bound · sign(inner) from |inner| = bound on."""

    precedence: ClassVar[int] = ATOM
    inner: Formula
    bound: float

    @property
    def branch(self) -> Branch:
        within = Compare(Absolute(self.inner), "<", Number(self.bound))
        return Branch(within, self.inner, scaled(self.bound, Apply(SIGN, self.inner)))

    def text(self) -> str:
        return f"clip({self.inner.text()}, ±{Number(self.bound).text()})"

    def latex(self) -> str:
        bound = Number(self.bound).latex()
        return rf"\operatorname{{clip}}({self.inner.latex()}, \pm {bound})"

    def value(self, values: Values) -> Array:
        return self.cases.value(values)


def scaled(number: float, formula: Formula) -> Formula:
    """number · formula, without a factor of 1 or −1."""
    if number == -1:
        return Negative(formula)
    return formula if number == 1 else Times((Number(number), formula))
