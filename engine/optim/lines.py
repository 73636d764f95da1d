"""An update rule as lines: ``v = 0.9*v + 0.1*g``, then ``theta = theta - lr*v``.

The lines are statements of the language of :mod:`engine.functions.language`, carried out in order
for each parameter. ``theta`` is the parameter, ``g`` its gradient, ``t`` counts its updates from 1.
What is read before it is assigned is a slot, kept from update to update and 0 at first; any other
assigned name is gone after the update. Where a line reads ``t``, it is kept as a slot too.
"""

import keyword
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar, NamedTuple

import numpy as np

from engine.arrays import Array, Shape
from engine.errors import GradstepError
from engine.expressions.expression import Expression, ExpressionError
from engine.expressions.names import CONSTANTS
from engine.expressions.values import Value
from engine.functions.language import compile_expression
from engine.optim.optimizers import HYPER_SYMBOLS, Hyper, Optimizer, Slots

THETA, GRAD, COUNT = "theta", "g", "t"
OWN = {THETA: "the parameter", GRAD: "its gradient", COUNT: "the number of the update"}
# Tensors of other meanings would have these names: of a field, and of what is kept.
TAKEN_FIELD = {"initial_lr": "the rate that a schedule begins with"}
TAKEN_SLOT = {"grad": "the name of the gradient's tensor"}
MAX_STATEMENTS = 100
STATEMENT = re.compile(r"\s*(?P<name>[^\W\d]\w*)\s*(?P<sign>(?:\*\*|//|[-+*/%@])?=)(?!=)")
LAST = "the last line says what the parameter becomes, theta = …"
FORM = "a line is NAME = EXPRESSION, such as v = 0.9*v + 0.1*g"
TOKEN = re.compile(r"\*\*2(?![\w.])|\*\*|[-*]|[\w.]+|\s+|.", re.DOTALL)
SIGNS = {"**2": "²", "**": "^", "-": "−", "*": "·"}


class LineProblem(NamedTuple):
    """What is wrong in the lines, and where: line and column count from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class LineError(GradstepError):
    """A line that cannot be carried out with these values."""

    def __init__(self, problem: LineProblem) -> None:
        self.problem = problem
        super().__init__(f"optimizer.lines: {problem}")


@dataclass(frozen=True, eq=False)
class Statement:
    """One line: ``name`` becomes the value of the expression, which begins behind ``offset``."""

    line: int
    name: str
    offset: int
    expression: Expression

    def value(self, values: Mapping[str, Value]) -> Value:
        """What the expression gives; a LineError says at which place it cannot be computed."""
        try:
            # By the clock a run would differ from machine to machine: work and memory are bounded.
            return self.expression.evaluate(values.get, math.inf)
        except ExpressionError as problem:
            place = LineProblem(self.line, self.offset + problem.column + 1, problem.message)
            raise LineError(place) from problem


def name_problem(name: str) -> str | None:
    """Why neither a field of [optimizer] nor a line can have this name; None where it can."""
    if name in OWN or name in CONSTANTS:
        return f"{name} is {OWN.get(name, 'a constant')} in the lines; choose another name"
    if not name.isidentifier() or keyword.iskeyword(name):
        return "a name in the lines has letters, digits and _, and is no word of Python"
    return None


def field_problem(name: str) -> str | None:
    """Why a field of [optimizer] cannot have this name; None where it can."""
    if name in TAKEN_FIELD:
        return f"{name} is {TAKEN_FIELD[name]}; choose another name"
    return name_problem(name)


def read_lines(
    text: str, fields: Collection[str]
) -> tuple[tuple[Statement, ...], list[LineProblem]]:
    """The statements of the lines, and every problem of them; ``fields`` are names in them too."""
    written = [(i, *cut(line)) for i, line in enumerate(text.splitlines(), 1)]
    written = [one for one in written if one[1].strip()]
    targets = [match["name"] for _, _, match in written if match is not None]
    names = {*OWN, *fields, *targets}
    problems: list[LineProblem] = []
    statements: list[Statement] = []
    for number, line, match in written[:MAX_STATEMENTS]:
        found = statement(number, line, match, names, fields)
        if isinstance(found, Statement):
            statements.append(found)
        else:
            problems.append(found)
    if len(written) > MAX_STATEMENTS:
        said = f"{len(written)} statements, more than the limit of {MAX_STATEMENTS}"
        problems.append(LineProblem(written[MAX_STATEMENTS][0], 1, said))
    problems += (
        LineProblem(one.line, 1, f"{one.name} is {TAKEN_SLOT[one.name]}; choose another name")
        for one in statements
        if one.name in TAKEN_SLOT and one.name in slots_of(statements)
    )
    if THETA not in targets:
        last = written[-1][0] if written else 1
        problems.append(LineProblem(last, 1, f"theta is never assigned; {LAST}"))
    return tuple(statements), problems


def cut(line: str) -> tuple[str, re.Match[str] | None]:
    """A line without its comment, and its beginning as far as the sign of assignment."""
    code = line.partition("#")[0].rstrip()
    return code, STATEMENT.match(code)


def statement(
    number: int,
    line: str,
    match: re.Match[str] | None,
    names: Collection[str],
    fields: Collection[str],
) -> Statement | LineProblem:
    """One line as a statement, or what is wrong with it."""
    if match is None:
        return LineProblem(number, len(line) - len(line.lstrip()) + 1, FORM)
    name, sign = match["name"], match["sign"]
    if sign != "=":
        said = f"{sign} is not allowed; write {name} = {name} {sign[:-1]} …"
        return LineProblem(number, match.start("sign") + 1, said)
    if taken := target_problem(name, fields):
        return LineProblem(number, match.start("name") + 1, taken)
    offset = match.end()
    try:
        return Statement(number, name, offset, compile_expression(line[offset:], names))
    except ExpressionError as problem:
        return LineProblem(number, offset + problem.column + 1, problem.message)


def target_problem(name: str, fields: Collection[str]) -> str | None:
    """Why a name cannot be assigned; None where it can."""
    if name in fields:
        return f"{name} is a field of [optimizer]: what is assigned needs another name"
    return None if name in (THETA, GRAD) else name_problem(name)


def slots_of(statements: Sequence[Statement]) -> tuple[str, ...]:
    """The names that are kept, in the order in which the lines read them; t where it is read."""
    assigned: set[str] = set()
    targets = {one.name for one in statements} - {THETA, GRAD}
    kept: dict[str, None] = {}
    for one in statements:
        early = (one.expression.names & targets) - assigned
        kept |= dict.fromkeys(sorted(early))
        assigned.add(one.name)
    counted = any(COUNT in one.expression.names for one in statements)
    return ((COUNT,) if counted else ()) + tuple(kept)


@dataclass(frozen=True, eq=False)
class Lines(Optimizer):
    """The rule that lines say; ``numbers`` are the fields of [optimizer], by name."""

    type: ClassVar[str] = "lines"
    torch: ClassVar[str] = ""
    counter: ClassVar[str] = COUNT
    letters: ClassVar[Mapping[str, str]] = {}
    statements: tuple[Statement, ...]
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def hyper(self) -> dict[str, float]:
        read = frozenset[str]().union(*(one.expression.names for one in self.statements))
        return {name: value for name, value in self.numbers.items() if name in read}

    @property
    def slots(self) -> tuple[str, ...]:
        return self.kept

    @cached_property
    def kept(self) -> tuple[str, ...]:
        """The slots, found once."""
        return slots_of(self.statements)

    def update(self, p: Array, grad: Array, slots: Slots, h: Hyper) -> tuple[Array, ...]:
        values: dict[str, Value] = {**h, THETA: p, GRAD: grad}
        for name, slot in zip(self.kept, slots, strict=True):
            values[name] = np.zeros(self.shape_of(name, p.shape), p.dtype) if slot is None else slot
        if COUNT in values:
            values[COUNT] = float(values[COUNT]) + 1
        for one in self.statements:
            values[one.name] = one.value(values)
        return tuple(self.result(values[name], name, p) for name in (THETA, *self.kept))

    def result(self, value: Value, name: str, p: Array) -> Array:
        """What stays of an update, in the parameter's dtype; LineError where the shape differs."""
        shape = self.shape_of(name, p.shape)
        if np.shape(value) != shape:
            line = max(one.line for one in self.statements if one.name == name)
            said = f"{name} has shape {np.shape(value)}, but the parameter has {shape}"
            raise LineError(LineProblem(line, 1, said))
        with np.errstate(all="ignore"):  # what is too large for float32 is infinite there
            return np.asarray(value, dtype=p.dtype, order="C")

    def formula(self, p: str) -> str:
        moves = [text for text in self.equations(p) if text.startswith(f"{p} ← ")]
        return moves[-1].removeprefix(f"{p} ← ")

    def equations(self, p: str) -> tuple[str, ...]:
        """The lines in their order as text, with the symbols of the parameter and its gradient."""
        names = {name: HYPER_SYMBOLS.get(name, name) for name in self.numbers}
        names |= {THETA: p, GRAD: f"∂ℓ/∂{p}"}
        found = []
        for one in self.statements:
            right = written(one.expression.text, names)
            names.pop(GRAD if one.name == GRAD else "", None)  # from here on g is what it became
            found.append(f"{names.get(one.name, one.name)} ← {right}")
        return tuple(found)


def written(text: str, names: Mapping[str, str]) -> str:
    """An expression with other names and with signs of print: ``θ − η·v²``."""
    tokens = TOKEN.findall(text.strip())
    found = [SIGNS.get(token, names.get(token, token)) for token in tokens]
    for i, token in enumerate(tokens):
        # ∂ℓ/∂θ is a fraction: a power of it, or a division by it, needs brackets
        before, after = "".join(tokens[:i]).rstrip(), "".join(tokens[i + 1 :]).lstrip()
        if token == GRAD in names and (before.endswith("/") or after.startswith("**")):
            found[i] = f"({found[i]})"
    return "".join(found)


def shape_problem(rule: Lines, shape: Shape, dtype: str) -> LineProblem | None:
    """What is wrong with the lines for a parameter of this shape, tried on ones; None if nothing.

    The shapes of results are those of any other values, but where an ``if`` chooses.
    """
    ones = np.ones(shape, dtype)
    try:
        rule.update(ones, ones, (None,) * len(rule.kept), rule.hyper)
    except LineError as error:
        return error.problem
    return None
