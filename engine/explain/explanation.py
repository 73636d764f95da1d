"""One number: the terms that make it, largest first where there are many, and what is to be said.

The value is the one that the op wrote. The terms are computed from what the op read, one by one:
where their sum is another number in its last digits, that is said.
"""

from dataclasses import dataclass
from typing import Any

from engine.explain.values import Place


@dataclass(frozen=True, eq=False)
class Operand:
    """A number that a term is made of, and the event before which it can be explained in turn.

    ``event`` is None for a part of the formula, which is among the parts of the explanation.
    """

    of: str
    value: float
    event: int | None
    tensor: str | None = None
    index: Place = ()


@dataclass(frozen=True, eq=False)
class Term:
    """One term: with its sign, as text, with the values put in, and its value."""

    sign: int
    text: str
    numbers: str
    value: float
    factors: tuple[Operand, ...]

    @property
    def signed(self) -> str:
        """The text with a minus sign where it has one."""
        return f"−{self.text}" if self.sign < 0 else self.text


@dataclass(frozen=True, eq=False)
class Explanation:
    """A number and its terms; ``rest`` is the sum of those ``hidden``, ``total`` that of all.

    Without an index there is no ``value``, and no terms: then it is the formula that is explained.
    ``parts`` are what the terms are made of that is no element of a tensor. ``event`` is that of
    the op which wrote the number, None where none has. ``notes`` are sentences.
    """

    of: str
    value: float | None = None
    formula: str = ""
    index_form: str = ""
    why: str = ""
    terms: tuple[Term, ...] = ()
    rest: float = 0.0
    hidden: int = 0
    total: float = 0.0
    event: int | None = None
    notes: tuple[str, ...] = ()
    parts: tuple["Explanation", ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The explanation as plain data."""
        terms = [
            {
                "text": term.signed,
                "factors": [{"of": one.of, "value": one.value} for one in term.factors],
                "value": term.value,
            }
            for term in self.terms
        ]
        return {
            "of": self.of,
            "value": self.value,
            "formula": self.formula,
            "index_form": self.index_form,
            "why": self.why,
            "terms": terms,
            "rest": self.rest,
            "hidden": self.hidden,
            "sum": self.total if self.terms else None,
            "event": self.event,
            "notes": list(self.notes),
            "parts": [part.as_json() for part in self.parts],
        }
