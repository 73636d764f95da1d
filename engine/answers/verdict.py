"""What is said about an answer: a verdict, the mistakes by name, and what would have been right."""

from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["right", "nearly", "wrong", "not understood"]
WORDS: tuple[Word, ...] = ("right", "nearly", "wrong", "not understood")
COLUMN = "a column where a row is meant"
ROW = "a row where a column is meant"
TURNED = "transposed factor"
TERM = "term missing"
FLAT = "a scalar where a matrix is meant"
VECTOR_LOSS = "the loss is a vector"
NEARLY = {"×2", "×½", "×N", "×1/N", "×K", "×1/K", "sign", "at the kink", TURNED, COLUMN, ROW}
"""The mistakes of which a single one makes an answer nearly right."""


@dataclass(frozen=True)
class Mistake:
    """One mistake by its name; ``factor`` is what it is about, ``detail`` says more of it."""

    reason: str
    factor: str = ""
    detail: str = ""

    def text(self) -> str:
        """The mistake in a line."""
        parts = [self.factor] if self.factor and self.factor not in self.detail else []
        about = ", ".join([*parts, *([self.detail] if self.detail else [])])
        return f"{self.reason}: {about}" if about else self.reason

    def as_json(self) -> dict[str, str]:
        """The mistake as plain data, without what is empty."""
        found = {"reason": self.reason, "factor": self.factor, "detail": self.detail}
        return {name: value for name, value in found.items() if value}


@dataclass(frozen=True)
class Verdict:
    """The judgement of one answer; ``of`` is the key as written, ``said`` the answer.

    ``question`` is what it is about, whatever it was called.
    ``dims`` are the dimensions of the factors of a product, with the experiment's own sizes,
    ``place`` the character at which reading stopped.
    """

    of: str
    verdict: Word
    said: str = ""
    mistakes: tuple[Mistake, ...] = ()
    notes: tuple[str, ...] = ()
    dims: tuple[tuple[int, ...], ...] = ()
    expected: Any = None
    place: int | None = None
    layout: str = ""
    line: int | None = None
    question: str = ""

    @property
    def right(self) -> bool:
        """Whether there is nothing to say against it."""
        return self.verdict == "right"

    @property
    def reason(self) -> str:
        """The names of the mistakes."""
        return "; ".join(dict.fromkeys(one.reason for one in self.mistakes))

    @property
    def message(self) -> str:
        """The mistakes, or the notes of what is right, in a line."""
        said = [one.text() for one in self.mistakes] or list(self.notes)
        return "; ".join(said)

    def as_json(self) -> dict[str, Any]:
        """The object of ``grade --json``, without what it has not."""
        found: dict[str, Any] = {"of": self.of, "verdict": self.verdict}
        if self.mistakes:
            found["reason"] = self.reason
            factor = next((one.factor for one in self.mistakes if one.factor), "")
            if factor:
                found["factor"] = factor
            found["message"] = self.message
            found["mistakes"] = [one.as_json() for one in self.mistakes]
        if self.notes:
            found["note"] = "; ".join(self.notes)
        if self.dims:
            found["dims"] = [list(one) for one in self.dims]
        if self.layout:
            found["layout"] = self.layout
        if self.line is not None:
            found["line"] = self.line
        if self.place is not None:
            found["place"] = self.place
        if self.said:
            found["said"] = self.said
        if self.expected is not None:
            found["expected"] = self.expected
        return found


def judged(mistakes: tuple[Mistake, ...], forward: bool = False) -> Word:
    """The word for an answer with these mistakes; in the forward pass Wᵀ for W is no small one."""
    if not mistakes:
        return "right"
    one = mistakes[0]
    small = len(mistakes) == 1 and one.reason in NEARLY and not (forward and one.reason == TURNED)
    return "nearly" if small else "wrong"
