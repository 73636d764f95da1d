"""A question of a lesson where it is asked: its right answer, and what people type judged by it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.answers.expr import Unread
from engine.answers.grading import Grader
from engine.answers.handin import Answer, HandIn
from engine.answers.numbers import agrees, array_of
from engine.answers.scene import Large
from engine.answers.target import Target
from engine.arrays import Array
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.expressions.expression import ExpressionError
from engine.functions.language import compile_expression
from engine.lesson.steps import Ask
from engine.program.program import Program
from engine.stops.lookup import compiled, lookup
from engine.worksheet.rows import LAYOUTS

MAX_SAID = 10_000  # characters of an answer
SHAPE = re.compile(r"(?:shape|size|dims)\s*\((?P<of>.+)\)", re.DOTALL)
LISTS = re.compile(r"\[[\[\]\d\s.,eE+-]*\]")
YES, NO = ("yes", "true", "y"), ("no", "false", "n")
SHOWN = 64  # elements of a tensor that an answer may have
MARKS = str.maketrans({"−": "-", "·": "*", "×": "*", ",": "."})
MAX_SIZE = 999  # a size that no tensor of an experiment has by accident


@dataclass(frozen=True)
class Judged:
    """What there is to say of an answer; ``verdict`` is one of engine.answers.verdict.WORDS."""

    verdict: str
    message: str = ""

    @property
    def right(self) -> bool:
        """Whether there is nothing to say against it."""
        return self.verdict == "right"


class Question:
    """A question at the cursor of a debugger, whose values are taken when it is asked.

    Raises GradstepError where its right answer cannot be found there.
    """

    def __init__(self, ask: Ask, debugger: Debugger) -> None:
        self.ask = ask
        self.debugger = debugger
        self.shape = SHAPE.fullmatch(ask.right) if ask.kind == "expression" else None
        self.value: Any = None
        if ask.kind == "formula" or self.shape is not None:
            self.graded(str(MAX_SIZE))  # what it is about must be understood
        elif ask.kind == "expression":
            self.value = value_of(ask.right, debugger)

    # -- the right answer

    @property
    def right(self) -> str:
        """A right answer, as a person may type it; empty where there is none to be written."""
        return next((one for one in self.candidates() if self.judge(one).right), "")

    @property
    def told(self) -> str:
        """The right answer as it is told, also where no one would be taken that is typed."""
        return self.right or next(self.candidates(), "")

    def candidates(self) -> Iterator[str]:
        """What may be a right answer, the author's own first."""
        if self.ask.kind in ("choice", "text"):
            yield self.ask.right
        elif self.ask.kind == "formula":
            if self.ask.right:
                yield self.ask.right
                return  # it must be right by itself
            yield from self.formulas()
        elif self.shape is not None:
            yield from self.sizes()
        else:
            yield written(self.value)

    def formulas(self) -> Iterator[str]:
        """The worksheet's formula in both layouts, and the numbers; the steps, a layer's sides."""
        expected, target = self.grader.bench.expected, self.target
        if target is None:
            yield from self.others()
            return
        for layout in LAYOUTS:
            found = expected.of(target, layout)
            if found is not None:
                yield found
        for layout in LAYOUTS:
            try:
                numbers = expected.numbers(target, self.grader.bench.own(None, 0), layout)
            except (GradstepError, Large):
                continue
            if numbers is not None:
                yield json.dumps(numbers)

    def others(self) -> Iterator[str]:
        """The five steps, or what a layer reads or makes."""
        found = self.grader.understanding.row(self.key)
        if found is None:
            yield ", ".join(str(phase) for phase in self.grader.bench.program.order)
            return
        row, side = found
        names = (row.makes,) if side == "output" else tuple(row.reads)
        expected = self.grader.bench.expected
        symbol = self.grader.bench.names.symbol
        formulas = (expected.of(Target(name), "numerator") or symbol(name) for name in names)
        yield ", ".join(formulas)

    def sizes(self) -> Iterator[str]:
        """The sizes of a tensor as it has them, of a derivative in letters."""
        assert self.shape is not None
        run = self.debugger.run
        name = run.resolve(self.shape["of"].strip())
        if name in run.tensors:
            yield size_text(run.tensors[name].shape)
        if isinstance(run, Program):
            expected = self.graded(str(MAX_SIZE)).expected
            if expected is not None:
                yield str(expected)

    # -- judging

    def judge(self, said: str) -> Judged:
        """What there is to say of what somebody typed."""
        said = said.strip()
        if not said:
            return Judged("not understood", "there is no answer")
        if len(said) > MAX_SAID:
            return Judged("not understood", f"an answer has at most {MAX_SAID:,} characters")
        if self.ask.kind == "choice":
            return chosen(said, self.ask)
        if self.ask.kind == "text":
            return Judged("right" if same(said, self.ask.right) else "wrong")
        if self.shape is not None and not isinstance(self.debugger.run, Program):
            return self.plain_shape(said)
        if self.ask.kind == "formula" or self.shape is not None:
            found = self.graded(said)
            return Judged(found.verdict, found.message)
        return compared(said, self.value, self.ask)

    def plain_shape(self, said: str) -> Judged:
        """The sizes of a tensor of a run that no program made."""
        assert self.shape is not None
        run = self.debugger.run
        shape = run.tensors[run.resolve(self.shape["of"].strip())].shape
        given = tuple(map(int, re.findall(r"\d{1,12}", said)))
        return Judged("right") if given == shape else Judged("wrong", "dimensions")

    @cached_property
    def grader(self) -> Grader:
        """What judges formulas and sizes."""
        session = self.debugger.session
        grader = Grader(session.program, session)
        try:
            grader.bench.own(None, 0)
        except (GradstepError, KeyError):  # nothing is computed there yet
            grader = Grader(session.program)
        return grader

    @cached_property
    def key(self) -> str:
        """What is asked about, as ``grade`` names it: of prose the end that it understands."""
        if self.shape is not None:
            return self.ask.right
        text = self.ask.question.rstrip().removesuffix("=").strip()
        words = text.split()
        for at in range(len(words)):
            rest = " ".join(words[at:])
            try:
                self.grader.understanding.about(rest)
            except Unread:
                continue
            return rest
        return text

    @property
    def target(self) -> Target | None:
        """The tensor or derivative that is asked about; None for the steps and for a layer."""
        try:
            return self.grader.understanding.about(self.key)[1]
        except Unread as error:
            raise GradstepError(f"{self.key!r}: {error.message}") from None

    def graded(self, said: str) -> Any:
        """The Verdict of ``grade``; a GradstepError where the question is about nothing known."""
        run = self.debugger.run
        if not isinstance(run, Program):
            if self.shape is not None and run.resolve(self.shape["of"].strip()) in run.tensors:
                return None
            raise GradstepError("a captured run has no formulas to ask for")
        self.target  # noqa: B018  # an error says what is not understood
        (verdict,) = self.grader.grade(HandIn("lesson", (Answer(self.key, said),)))
        return verdict


def value_of(text: str, debugger: Debugger) -> Any:
    """The value of an expression at the cursor; raises GradstepError."""
    try:
        found = compiled(text, debugger.run).evaluate(lookup(debugger.session))
    except ExpressionError as problem:
        raise GradstepError(problem.message) from problem
    if isinstance(found, np.ndarray) and found.size > SHOWN:
        raise GradstepError(f"an answer of {found.size:,} numbers is too long: at most {SHOWN}")
    return found


def size_text(shape: tuple[int, ...]) -> str:
    """Sizes as people write them: 4×3, and 1×1 for a number."""
    return "×".join(map(str, shape)) or "1×1"


def written(value: Any) -> str:
    """A value as it may be typed."""
    if isinstance(value, bool | np.bool_):
        return YES[0] if value else NO[0]
    array = np.asarray(value)
    if array.dtype.kind == "b":
        array = array.astype(np.float64)
    if array.ndim == 0:
        return f"{float(array):.9g}"
    return (
        json.dumps([float(f"{x:.9g}") for x in array.reshape(-1).tolist()])
        if (array.ndim == 1)
        else json.dumps(np.vectorize(lambda x: float(f"{x:.9g}"))(array).tolist())
    )


def same(a: str, b: str) -> bool:
    """Whether two texts are the same but for case and blanks."""
    return " ".join(a.casefold().split()) == " ".join(b.casefold().split())


def chosen(said: str, ask: Ask) -> Judged:
    """One of several, by its text, its letter or an unambiguous beginning."""
    picked = [one for one in ask.choices if same(one, said)]
    if not picked and len(said) == 1 and said.isascii() and said.isalpha():
        place = ord(said.lower()) - ord("a")
        picked = [*ask.choices[place : place + 1]]
    if not picked:
        picked = [one for one in ask.choices if one.casefold().startswith(said.casefold())]
    if len(picked) != 1:
        last = chr(ord("a") + len(ask.choices) - 1)
        return Judged("not understood", f"one of the texts, or a letter from a to {last}")
    return Judged("right") if picked[0] == ask.right else Judged("wrong", f"not {picked[0]}")


def number_of(said: str) -> Any:
    """The number, or numbers in brackets, that somebody typed; raises ExpressionError."""
    text = said.replace("−", "-")
    if LISTS.fullmatch(text):
        try:
            return array_of(json.loads(text))
        except (ValueError, RecursionError, Unread):
            raise ExpressionError("lists are written [[1, 2], [3, 4]]", 0, text) from None
    if re.fullmatch(r"[-+]?\d+,\d+", text):  # a comma for the decimals
        text = text.replace(",", ".")
    return compile_expression(text.translate(MARKS) if "," not in text else text, []).evaluate(
        lambda name: None
    )


def compared(said: str, value: Any, ask: Ask) -> Judged:
    """A number held against the right one; why it is wrong, as far as that can be told."""
    if isinstance(value, bool | np.bool_):
        word = said.casefold()
        if word not in (*YES, *NO):
            return Judged("not understood", "yes or no")
        return Judged("right" if (word in YES) == bool(value) else "wrong")
    truth = np.asarray(value, dtype=np.float64)
    try:
        given = np.asarray(number_of(said), dtype=np.float64)
    except ExpressionError as problem:
        kind = "a number" if truth.ndim == 0 else "numbers as [[1, 2], [3, 4]]"
        return Judged("not understood", f"{kind} is expected: {problem.message}")
    if given.shape != truth.shape and given.size == truth.size and truth.ndim < 2:
        given = given.reshape(truth.shape)
    if given.shape != truth.shape:
        found, expected = size_text(given.shape), size_text(truth.shape)
        return Judged("wrong", f"dimensions: {found}, where it is {expected}")
    if near(given, truth, ask):
        return Judged("right")
    rounded = agrees(given, truth) if ask.within is None else None
    if rounded is not None:
        return Judged("right", rounded)
    return Judged("wrong", reason(given, truth))


def near(given: Array, truth: Array, ask: Ask) -> bool:
    """Whether numbers are within what the question allows."""
    if ask.within is None or not np.isfinite(truth).all():
        return False
    room = ask.within * (np.abs(truth) if ask.relative else 1.0)
    return bool(np.all(np.abs(given - truth) <= room + 1e-9 * np.abs(truth)))


FACTORS = ((-1.0, "the sign is the other one"), (2.0, "twice as large as it is"),
           (0.5, "half of what it is"), (10.0, "ten times as large as it is"),
           (0.1, "a tenth of what it is"))  # fmt: skip


def reason(given: Array, truth: Array) -> str:
    """Why numbers are wrong."""
    if not np.isfinite(given).all() or not np.isfinite(truth).all():
        return ""
    for factor, said in FACTORS:
        if truth.any() and np.allclose(given, factor * truth, rtol=5e-3, atol=0):
            return said
    if truth.ndim:
        apart = np.abs(given - truth)
        at = np.unravel_index(int(np.argmax(apart)), truth.shape)
        return f"element [{', '.join(str(int(i)) for i in at)}] differs most"
    return "too large" if given > truth else "too small"
