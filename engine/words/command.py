"""A command of the debugger: its words, its argument with columns, its reply."""

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.expressions.expression import ExpressionError
from engine.run.op import Op
from engine.run.position import Position
from engine.run.position_text import format_position
from engine.run.run import Run
from engine.session.progress import Progress
from engine.stops.evidence import number


class CommandError(GradstepError):
    """A command that cannot be carried out; ``column`` counts characters of the line from 0."""

    def __init__(self, message: str, column: int, line: str) -> None:
        self.message = message
        self.column = column
        self.line = line
        super().__init__(f"{self.shown} {message}")

    @property
    def shown(self) -> str:
        """The line, and below it a caret under the column."""
        return f"{visible(self.line)}\n{' ' * len(visible(self.line[: self.column]))}^"


def visible(text: str) -> str:
    """A line with control characters as escapes, so that it can be shown."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


MOST = 10**18  # more than any run has of anything


def counted(digits: str) -> int:
    """Digits, perhaps signed, as a number of at most MOST: more than that makes no difference."""
    size = digits.lstrip("+-")
    most = int(size) if len(size) < 19 else MOST
    return -most if digits.startswith("-") else most


@dataclass(frozen=True)
class Argument:
    """A part of a command line, and the column where it begins."""

    text: str
    column: int = 0
    line: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)

    def __str__(self) -> str:
        return self.text

    def error(self, message: str, at: int = 0) -> CommandError:
        """The CommandError at a character of this part; it is not raised."""
        return CommandError(message, self.column + at, self.line)

    def split(self) -> tuple["Argument", "Argument"]:
        """The first word and the rest."""
        match = re.match(r"\S*", self.text)
        assert match is not None
        return self.part(0, match.end()), self.part(match.end())

    def part(self, start: int, end: int | None = None) -> "Argument":
        """A piece of it without the blanks around it."""
        text = self.text[start:end]
        lead = len(text) - len(text.lstrip())
        return Argument(text.strip(), self.column + start + lead, self.line)

    def words(self) -> list["Argument"]:
        """Its words, each with its column."""
        return [self.part(m.start(), m.end()) for m in re.finditer(r"\S+", self.text)]

    def number(self, what: str) -> int:
        """The whole number it is, a larger one than MOST as MOST; raises CommandError otherwise."""
        if not re.fullmatch(r"\d+", self.text, re.ASCII):
            raise self.error(f"{what} must be a whole number")
        return counted(self.text)

    def count(self) -> int:
        """How often: a whole number as ``number`` reads it, below zero for the other way."""
        if not re.fullmatch(r"[+-]?\d+", self.text, re.ASCII):
            raise self.error("the count must be a whole number")
        return counted(self.text)

    def real(self, what: str) -> float:
        """The number it is; raises CommandError otherwise."""
        try:
            return float(self.text)
        except ValueError:
            raise self.error(f"{what} must be a number") from None

    def reading(self, problem: GradstepError) -> CommandError:
        """A problem with it as a CommandError of the line, at the column where that is known."""
        cause = problem.__cause__
        if isinstance(problem, CommandError):
            return problem
        if not isinstance(cause, ExpressionError):
            return self.error(str(problem))
        # An expression counts columns from its own beginning, and stands somewhere in the argument.
        start = self.line.find(cause.text, self.column) if cause.text else -1
        return CommandError(cause.message, max(start, self.column) + cause.column, self.line)


@dataclass(frozen=True, eq=False)
class Place:
    """Where a command has left the cursor: values, put into words where somebody reads them."""

    run: Run
    event: int
    position: Position
    op: Op | None
    loss: float | None
    branch: str

    def __str__(self) -> str:
        """``#41 i3:backward:linear2.weight.grad  ∂ℓ/∂W⁽²⁾ += …  loss 1.03``."""
        place = f"#{self.event} {format_position(self.run, self.event)}"
        loss = f"loss {number(self.loss)}" if self.loss is not None else ""
        label, source = (self.op.label, self.op.source) if self.op else ("", "")
        return "  ".join(part for part in (place, label, source, loss) if part)

    @property
    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            "event": self.event,
            "epoch": self.position.epoch,
            "iteration": self.position.iteration,
            "phase": str(self.op.phase) if self.op else None,
            "op": self.op.name if self.op else None,
            "loss": self.loss,
            "branch": self.branch,
        }


@dataclass(frozen=True, eq=False)
class Reply:
    """The answer of a command: what it ``said``, and the ``facts`` of that as plain data.

    A command that moved the cursor ends with the ``place``, which is put into words only where
    ``lines`` or ``data`` are read: a key that steps shows the place otherwise. ``ok`` is False for
    a "no": an assertion that does not hold. ``opened`` is another debugger, with which one goes on.
    ``found`` is what the answer was made of, for a screen that shows it better than lines do.
    """

    said: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    place: Place | None = None
    opened: Debugger | None = None
    found: object = None

    @property
    def lines(self) -> tuple[str, ...]:
        """The answer as lines of text."""
        return self.said if self.place is None else (*self.said, str(self.place))

    @property
    def data(self) -> dict[str, Any]:
        """The answer as plain data."""
        return {**({} if self.place is None else {"at": self.place.data}), **self.facts}


Long = Generator[Progress, None, Reply]
Handler = Callable[[Debugger, Argument, int], Reply | Long]
Leads = Callable[[Debugger, Argument, int], int]


@dataclass(frozen=True)
class Command:
    """A command: its names, the form of its argument, and what it takes to complete it.

    ``run`` gets the debugger, the argument and the count before the word (1 without one). What it
    returns is a Reply, or a generator of Progress that ends in one. ``leads`` gets the same, and
    says to which event, while that can be said before the command is run; it changes nothing.
    """

    names: tuple[str, ...]
    form: str
    summary: str
    run: Handler
    completes: str = ""
    counted: bool = False
    leads: Leads | None = None

    @property
    def usage(self) -> str:
        """Its names and the form of its argument, as help shows them."""
        return " ".join(part for part in (", ".join(self.names), self.form) if part)


def nothing(argument: Argument) -> None:
    """Raise CommandError for an argument where none is expected."""
    if argument:
        raise argument.error(f"nothing is expected here, found {argument.text!r}")
