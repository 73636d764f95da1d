"""What an answer is about, and what it says."""

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from engine.answers.expr import Expr, Unread
from engine.answers.grammar import annotated
from engine.answers.handin import Answer
from engine.answers.latex import flat_text
from engine.answers.names import Names, Row, plain
from engine.answers.numbers import array_of
from engine.answers.target import Target, target_of

STEPS = ("steps", "the five steps")
NUMBERS = re.compile(r"\[[\[\]\d\s.,eE+-]+\]")
SHAPES = ("shape", "dims", "size")


@dataclass(frozen=True)
class Read:
    """An answer with what it is about: a target, or a kind of its own."""

    answer: Answer
    kind: str  # formula, numbers, shape, steps, inputs, unread
    target: Target | None = None
    expr: Expr | None = None
    notes: tuple[str, ...] = ()
    problem: str = ""
    place: int | None = None
    row: Row | None = None
    question: str = ""


def numbers_in(text: str) -> Any:
    """Numbers in brackets as lists, also of a matrix in LaTeX; None for any other text."""
    flat = flat_text(text).text.strip().replace("−", "-")
    if not NUMBERS.fullmatch(flat):
        return None
    try:
        return json.loads(flat)
    except (ValueError, RecursionError):
        return None


@dataclass(frozen=True, eq=False)
class Understanding:
    """Understands answers in the names of a program."""

    names: Names
    rows: list[Row]

    def read(self, answer: Answer) -> Read | None:
        """What an answer is about, and what it says; None where prose is no answer."""
        question = ""
        try:
            question, target = self.about(answer.of)
        except Unread:
            if answer.found and not any(sign in answer.of for sign in "∂δ"):
                return None
            target = None
        try:
            return replace(self.understood(answer), question=question)
        except Unread as error:
            problem, place = error.message, error.place
            found = Read(answer, "unread", target, problem=problem, place=place)
            return replace(found, question=question)

    def about(self, key: str) -> tuple[str, Target | None]:
        """The question of a key, and its target; raises Unread."""
        key = key.strip()
        if key.lower() in STEPS:
            return "steps", None
        head, _, inner = key.partition("(")
        if head.strip().lower() in SHAPES and inner.endswith(")"):
            target, _ = self.target(inner[:-1])
            return f"shape({target.symbol(self.names)})", target
        row = self.row(key)
        if row is not None:
            return f"{row[0].name}.{row[1]}", None
        target, _ = self.target(key)
        return target.symbol(self.names), target

    def understood(self, answer: Answer) -> Read:
        """As :meth:`read`; raises Unread."""
        if answer.problem:
            raise Unread(answer.problem, answer.offset or 0)
        key = answer.of.strip()
        if key.lower() in STEPS:
            return Read(answer, "steps")
        head, _, inner = key.partition("(")
        if head.strip().lower() in SHAPES and inner.endswith(")"):
            target, notes = self.target(inner[:-1])
            return Read(answer, "shape", target, notes=tuple(notes))
        row = self.row(key)
        if row is not None:
            return self.of_row(answer, *row)
        target, notes = self.target(key)
        return self.said(answer, target, notes)

    def target(self, text: str) -> tuple[Target, list[str]]:
        """What a left side is about; raises Unread, whose place is in the key."""
        try:
            return target_of(flat_text(text).text, self.names)
        except Unread as error:
            raise Unread(f"{text.strip()!r}: {error.message}", error.place) from None

    def tree(self, text: str) -> tuple[Expr, list[str]]:
        """Text, which may be LaTeX, as a tree; raises Unread with the place in the text."""
        flat = flat_text(text)
        try:
            return annotated(flat.text, self.names)
        except Unread as error:
            places = [*flat.places, len(text)]
            raise Unread(error.message, places[min(error.place, len(flat.places))]) from None

    def said(self, answer: Answer, target: Target, notes: list[str]) -> Read:
        """An answer about a target: a formula, or numbers."""
        numbers = numbers_in(answer.said) if isinstance(answer.said, str) else None
        if numbers is not None:
            shown = answer.shown or answer.said
            return self.said(replace(answer, said=numbers, shown=shown), target, notes)
        if isinstance(answer.said, str):
            expr, more = self.tree(answer.said)
            more += self.unexpanded(expr)
            return Read(answer, "formula", target, expr, tuple(dict.fromkeys(notes + more)))
        array_of(answer.said)
        return Read(answer, "numbers", target, notes=tuple(notes))

    def unexpanded(self, expr: Expr) -> list[str]:
        """Notes on derivatives by parameters that are left as they are."""
        parameters = {one.name for one in self.names.program.parameters}
        found = []
        for _, node in expr.walk():
            if node.op == "partial" and node.data[1] in parameters and not node.data[2]:
                of, wrt, _ = node.data
                symbol = f"∂{self.names.symbol(of)}/∂{self.names.symbol(wrt)}"
                found.append(f"{symbol} is not expanded")
        return found

    def row(self, key: str) -> tuple[Row, str] | None:
        """The row and the side that a key like linear1.output is about."""
        name, _, side = key.rpartition(".")
        name, side = name.strip(), side.strip().lower()
        if side not in ("input", "output", "inputs", "in"):
            return None
        bare = plain(name).lower().replace("layer", "")
        for row in self.rows:
            if bare.endswith("loss") and row.name == "loss":
                return row, "output" if side == "output" else "input"
            if name == row.name or bare in (plain(row.name).lower(), *row.labels):
                return row, "output" if side == "output" else "input"
        raise Unread(f"no layer and no line {name!r}", 0)

    def of_row(self, answer: Answer, row: Row, side: str) -> Read:
        """An answer about what a layer reads or makes."""
        if side == "output":
            return self.said(answer, Target(row.makes), [])
        if len(row.reads) == 1 and isinstance(answer.said, str):
            return replace(self.said(answer, Target(row.reads[0]), []), row=row)
        return Read(answer, "inputs", row=row)
