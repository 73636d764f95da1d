"""Formulas that are one thing here and another there: in a line, and as a rule by cases."""

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from engine.arrays import Array
from engine.formulas.elements import Absolute, Between, Case, Cases, Compare
from engine.formulas.named import Apply, Named, word
from engine.formulas.tree import ATOM, ONE, ZERO, Formula, Negative, Number, Times, Values

OPPOSITE = {">": "≤", "≤": ">", "<": "≥", "≥": "<"}
SIGN = Named("sign", word("sign"), np.sign)


class Pieces(Formula):
    """A formula of each element that is defined piece by piece."""

    @property
    @abstractmethod
    def cases(self) -> Cases:
        """The pieces as a rule by cases, ``z if z > 0, else 0.01 z``."""

    def diagonal(self, same: Formula) -> Cases:
        """The diagonal matrix of the pieces as a rule: ``same`` is the condition i = j."""
        rule = self.cases
        found = [Case(case.then, (same, *case.conditions)) for case in rule.cases]
        found.append(Case(rule.otherwise, (same, *opposite(rule.cases))))
        while (
            found and found[-1].then == ZERO
        ):  # what comes last may be left to the other elements, 0
            found.pop()
        if len(rule.cases) == 1:
            found = [case for case in found if case.then != ZERO]
        return Cases(tuple(found), ZERO)


def opposite(cases: tuple[Case, ...]) -> tuple[Formula, ...]:
    """When none of the cases holds, if that is one comparison; otherwise their order says it."""
    match cases:
        case (Case(conditions=(Compare() as one,)),):
            return (replace(one, sign=OPPOSITE[one.sign]),)
    return ()


@dataclass(frozen=True)
class Branch(Pieces):
    """``then`` where a condition holds, else ``otherwise``; [z > 0] is 1 where it holds, else 0."""

    precedence: ClassVar[int] = ATOM
    condition: Compare | Between
    then: Formula = ONE
    otherwise: Formula = ZERO

    @property
    def cases(self) -> Cases:
        return Cases((Case(self.then, (self.condition,)),), self.otherwise)

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
class Several(Pieces):
    """The first of some pieces whose condition holds, else another formula."""

    precedence: ClassVar[int] = ATOM
    pieces: tuple[tuple[Compare, Formula], ...]
    otherwise: Formula

    @property
    def cases(self) -> Cases:
        return Cases(tuple(Case(then, (c,)) for c, then in self.pieces), self.otherwise)

    def text(self) -> str:
        return f"[{self.cases.text()}]"

    def latex(self) -> str:
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
    def cases(self) -> Cases:
        within = Compare(Absolute(self.inner), "<", Number(self.bound))
        return Branch(within, self.inner, scaled(self.bound, Apply(SIGN, self.inner))).cases

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


@dataclass(frozen=True)
class Joined(Formula):
    """(left, right), the columns of two matrices, or of two halves of the rows of a batch."""

    left: Formula
    right: Formula

    def text(self) -> str:
        return f"({self.left.text()}, {self.right.text()})"

    def latex(self) -> str:
        return rf"\left({self.left.latex()},\; {self.right.latex()}\right)"

    def value(self, values: Values) -> Array:
        return np.concatenate([self.left.value(values), self.right.value(values)], axis=1)
