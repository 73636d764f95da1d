"""The text of lines into trees: the safe expression language, with every shape inferred.

Nothing is evaluated: Python's parser makes a syntax tree, of which only the node types named here
are read. Loops are unrolled; all counts are bounded. A problem says line and column.
"""

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from engine.lines import elementwise
from engine.lines.algebra import (
    DIFFERENCE,
    MATMUL,
    NEGATIVE,
    POWER,
    PRODUCT,
    RATIO,
    SUM,
    transposed,
)
from engine.lines.node import Constant, Misfit, Node, Tensor, call, constant, described, tensor
from engine.lines.structure import INDEX, REAL
from engine.lines.table import REQUIRED, Option, Row

MAX_TEXT = 2**18
MAX_LINES = 20_000
MAX_NODES = 400_000
MAX_RANGE = 1_000
MAX_ELEMENTS = 2**31

BINARY: dict[type[ast.operator], Any] = {
    ast.Add: SUM,
    ast.Sub: DIFFERENCE,
    ast.Mult: PRODUCT,
    ast.Div: RATIO,
    ast.Pow: POWER,
    ast.MatMult: MATMUL,
}
COMPARE = {
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
COMPARISONS = {one.name: one for one in elementwise.COMPARISONS}
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
Whole = int | tuple[int, ...]


@dataclass(frozen=True)
class Line:
    """One equation: the tensor that it makes, its text and its tree; ``number`` counts from 1.

    One of a layer has its name, and ``role`` is mask or buffer where it makes no activation.
    ``whole`` is the line that gave way to this one and others when it was unfolded.
    """

    name: str
    text: str
    number: int
    root: Node
    column: int = 0
    layer: str | None = None
    whole: str | None = None
    role: str = "activation"


@dataclass(frozen=True)
class Fault:
    """Something wrong in the lines; line and column count from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class Wrong(Exception):
    """What is wrong with a part of a line, and where."""

    def __init__(self, at: Any, message: str) -> None:
        super().__init__(message)
        self.line = getattr(at, "lineno", 1)
        self.column = getattr(at, "col_offset", 0) + 1
        self.message = message


@dataclass
class Scope:
    """What lines may name: tensors by name, sizes by letter, loop variables; functions by name."""

    tensors: dict[str, Node]
    sizes: Mapping[str, int]
    functions: Mapping[str, Row]
    loops: dict[str, int] = field(default_factory=dict)
    whole: Mapping[str, int] = field(default_factory=dict)  # constants that may be sizes

    def number(self, name: str) -> int | None:
        """A size or a loop variable; a tensor of the same name hides a size."""
        if name in self.loops:
            return self.loops[name]
        return None if name in self.tensors else self.sizes.get(name)


class Lines:
    """Reads a text of lines; ``lines`` has what could be read, ``faults`` the rest.

    ``lift`` is what becomes of a line's tree before it is kept; ``declare`` makes the tensor of a
    name and a tree.
    """

    def __init__(self, text: str, scope: Scope, taken: Callable[[str], str] = lambda _: "") -> None:
        self.text = text
        self.source = text.split("\n")
        self.scope = scope
        self.taken = taken
        self.lines: list[Line] = []
        self.faults: list[Fault] = []
        self.mixed: set[str] = set()  # whole tensors that are used as real ones
        self.missing: set[str] = set()  # names whose line could not be read
        self.making = ""  # the name of the line that is read
        self.nodes = 0

    def read(self) -> None:
        """Read everything; one fault a statement."""
        if len(self.text) > MAX_TEXT:
            said = f"{len(self.text):,} characters, more than the limit of {MAX_TEXT:,}"
            self.faults.append(Fault(1, 1, said))
            return
        try:
            body = ast.parse(self.text).body
        except SyntaxError as error:
            message = str(error.msg).replace("'=='", "==")
            self.faults.append(Fault(error.lineno or 1, max(error.offset or 1, 1), message))
            return
        except (ValueError, RecursionError, MemoryError) as error:
            self.faults.append(Fault(1, 1, f"cannot be read: {error}"))
            return
        try:
            for statement in body:
                self.statement(statement)
        except RecursionError:
            self.faults.append(Fault(1, 1, "an expression is nested too deeply"))

    def statement(self, node: ast.stmt) -> None:
        """An equation, or a loop over equations."""
        try:
            if isinstance(node, ast.For):
                self.loop(node)
            elif isinstance(node, ast.Assign):
                self.equation(node)
            elif isinstance(node, ast.Pass):
                pass
            elif isinstance(node, ast.AugAssign):
                raise Wrong(node, "a name is assigned once: give the sum a name of its own")
            else:
                raise Wrong(node, "a line is NAME = EXPRESSION, or for NAME in range(…):")
        except Wrong as wrong:
            self.faults.append(Fault(wrong.line, wrong.column, wrong.message))
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if (name := self.name_of(target)) is not None:
                        self.missing.add(name)

    def loop(self, node: ast.For) -> None:
        """A loop, unrolled: its body once for each value."""
        if node.orelse:
            raise Wrong(node.orelse[0], "for has no else here")
        if not isinstance(node.target, ast.Name):
            raise Wrong(node.target, "a loop has one variable, for t in range(3):")
        name = node.target.id
        if name in self.scope.tensors:
            raise Wrong(node.target, f"{name} is a tensor already: choose another letter")
        outer = self.scope.loops.get(name)
        if outer is not None:
            raise Wrong(node.target, f"{name} is the variable of a loop around this one")
        before = len(self.faults)
        for value in self.range_of(node.iter):
            self.scope.loops[name] = value
            try:
                for statement in node.body:
                    self.statement(statement)
            finally:
                del self.scope.loops[name]
            if len(self.faults) > before:
                break  # the next rounds would say the same again

    def range_of(self, node: ast.expr) -> Sequence[int]:
        """The values of ``range(…)``, with constants of at most 1,000 steps."""
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "range"
            and not node.keywords
        ):
            raise Wrong(node, "a loop runs over range(…) with whole numbers")
        ends = [self.whole(one) for one in node.args]
        if not 1 <= len(ends) <= 3 or (len(ends) == 3 and ends[2] == 0):
            raise Wrong(node, "write range(stop), range(start, stop) or range(start, stop, step)")
        values = range(*ends)
        if len(values) > MAX_RANGE:
            raise Wrong(node, f"{len(values):,} rounds, more than the limit of {MAX_RANGE:,}")
        return values

    def equation(self, node: ast.Assign) -> None:
        """NAME = EXPRESSION."""
        if len(node.targets) != 1:
            raise Wrong(node.targets[1], "a line assigns one name")
        target = node.targets[0]
        name = self.name_of(target)
        if name is None:
            said = "only a name can be assigned, z or h[t]"
            raise Wrong(target, said)
        if any(line.name == name for line in self.lines[-1:]) or name in self.scope.tensors:
            raise Wrong(target, f"{name} is assigned already: a name is assigned once")
        if said := self.taken(name):
            raise Wrong(target, said)
        if len(self.lines) >= MAX_LINES:
            raise Wrong(node, f"more than {MAX_LINES:,} lines")
        self.making = name
        root = self.expression(node.value)
        if isinstance(root, Constant):
            root = call(elementwise.WHERE, (constant(True), self.real(root), self.real(root)))
        text = self.written(node)
        self.add(Line(name, text, node.lineno, root, node.col_offset + 1))

    def demand(self, name: str) -> None:
        """A name is about to be read: whoever can still make it does."""

    def add(self, line: Line) -> None:
        """Keep a line; from here on its name can be read."""
        self.lines.append(line)
        self.scope.tensors[line.name] = tensor(line.name, line.root.shape, line.root.kind)

    def written(self, node: ast.Assign) -> str:
        """The equation as it stands in the text, with the values of loop variables."""
        found = ast.get_source_segment(self.text, node) or ""
        found = " ".join(part.strip() for part in found.splitlines())
        return substituted(found, self.scope.loops) if self.scope.loops else found

    def expression(self, node: ast.expr) -> Node:
        """The tree of an expression; Wrong says what it may not hold."""
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise Wrong(node, f"the lines have more than {MAX_NODES:,} parts")
        match node:
            case ast.Constant():
                return self.constant(node)
            case ast.Name() | ast.Attribute() | ast.Subscript():
                return self.named(node)
            case ast.BinOp():
                return self.binary(node)
            case ast.UnaryOp(op=ast.USub()):
                inner = self.expression(node.operand)
                if isinstance(inner, Constant) and not isinstance(inner.value, bool):
                    return constant(-inner.value)
                return self.built(node, NEGATIVE, (inner,))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.expression(node.operand)
            case ast.Compare():
                return self.compared(node)
            case ast.Call():
                return self.called(node)
            case _:
                said = "numbers, names, + - * / ** @, comparisons, indices and functions"
                raise Wrong(node, f"not part of a line: a line has {said}")

    def constant(self, node: ast.Constant) -> Node:
        """A number."""
        if isinstance(node.value, bool | int | float):
            if isinstance(node.value, int) and abs(node.value) > 2**53:
                return constant(float(min(node.value, 10**300)))
            return constant(node.value)
        raise Wrong(node, f"not a number: {str(node.value)[:20]!r}")

    def binary(self, node: ast.BinOp) -> Node:
        """Arithmetic of two operands; of two numbers a number."""
        function = BINARY.get(type(node.op))
        if function is None:
            raise Wrong(node, "operators are + - * / ** and @")
        left, right = self.expression(node.left), self.expression(node.right)
        if isinstance(left, Constant) and isinstance(right, Constant) and function is not MATMUL:
            return self.arithmetic(node, function, left, right)
        return self.built(node, function, (left, right))

    def arithmetic(self, node: ast.BinOp, function: Any, left: Constant, right: Constant) -> Node:
        """A number of two numbers; a fraction of whole ones stays written as one."""
        if function is RATIO and left.kind == right.kind == "whole" and right.value:
            return constant(left.value / right.value, left.value, right.value)
        try:
            if function is POWER:
                if abs(right.value) > 1024 and abs(left.value) > 1:
                    raise OverflowError
                found = left.value**right.value
                if not isinstance(found, int | float):
                    raise Wrong(node, "a root of a negative number")
                return constant(found)
            return constant(PLAIN[function](left.value, right.value))
        except (OverflowError, ZeroDivisionError):
            raise Wrong(node, "this is no finite number") from None

    def built(self, node: ast.AST, function: Any, operands: Sequence[Node]) -> Node:
        """A call of an operation, with whole operands made real where the result is."""
        try:
            found = call(function, self.reals(function, operands))
        except Misfit as misfit:
            raise Wrong(node, str(misfit)) from None
        return self.sized(node, found)

    def reals(self, function: Any, operands: Sequence[Node]) -> list[Node]:
        """Operands of one kind: beside a real one, whole ones are made real."""
        if function.kind(operands) != "real":
            return list(operands)
        return [self.real(one) for one in operands]

    def real(self, node: Node) -> Node:
        """A tensor of whole numbers as a real one; it is noted that its name is used so."""
        if node.kind == "real" or isinstance(node, Constant):
            return node
        if isinstance(node, Tensor):
            self.mixed.add(node.name)
        if node.kind == "truth":
            return call(REAL, (node,)) if node.shape else node
        return call(REAL, (node,))

    def sized(self, node: ast.AST, found: Node) -> Node:
        """A tree whose result is not too large to exist."""
        if math.prod(found.shape) > MAX_ELEMENTS:
            raise Wrong(node, f"shape {found.shape} is more than {MAX_ELEMENTS:,} elements")
        return found

    def compared(self, node: ast.Compare) -> Node:
        """A condition on each element."""
        if len(node.ops) > 1:
            raise Wrong(node, "one comparison at a time")
        word = COMPARE.get(type(node.ops[0]))
        if word is None:
            raise Wrong(node, f"comparisons are {' '.join(COMPARE.values())}")
        operands = (self.expression(node.left), self.expression(node.comparators[0]))
        try:
            return self.sized(node, call(COMPARISONS[word], operands))
        except Misfit as misfit:
            raise Wrong(node, str(misfit)) from None

    def name_of(self, node: ast.expr) -> str | None:
        """The name of a tensor as it is written, ``h[t-1]`` with its number; None for no name."""
        match node:
            case ast.Name():
                return node.id
            case ast.Attribute():
                owner = self.name_of(node.value)
                return None if owner is None else f"{owner}.{node.attr}"
            case ast.Subscript():
                owner = self.name_of(node.value)
                parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
                try:
                    numbers = [str(self.whole(part)) for part in parts]
                except Wrong:
                    return None
                return None if owner is None else f"{owner}[{','.join(numbers)}]"
        return None

    def named(self, node: ast.Name | ast.Attribute | ast.Subscript) -> Node:
        """A tensor, a size, or a part of one; the longest name wins."""
        name = self.name_of(node)
        if name is not None:
            self.demand(name)
        if name is not None and name in self.scope.tensors:
            return self.scope.tensors[name]
        match node:
            case ast.Name():
                number = self.scope.number(node.id)
                if number is not None:
                    return constant(number)
                if node.id in CONSTANTS:
                    return constant(CONSTANTS[node.id])
                raise self.unknown(node, node.id)
            case ast.Attribute():
                return self.attribute(node, name)
            case _:
                return self.indexed(node, name)

    def attribute(self, node: ast.Attribute, name: str | None) -> Node:
        """.T and .mT."""
        if node.attr not in ("T", "mT"):
            if name is not None:
                raise self.unknown(node, name)
            raise Wrong(node, "attributes are .T and .mT")
        inner = self.expression(node.value)
        if inner.rank < 2 or (node.attr == "T" and inner.rank != 2):
            hint = "write .mT for the last two axes" if inner.rank > 2 else "it has no two axes"
            raise Wrong(node, f"{described(inner)}: .{node.attr} is of matrices; {hint}")
        return transposed(inner)

    def indexed(self, node: ast.Subscript, name: str | None) -> Node:
        """Elements of a tensor."""
        owner = self.name_of(node.value)
        if owner is not None and owner not in self.scope.tensors and name is not None:
            family = [known for known in self.scope.tensors if known.startswith(f"{owner}[")]
            if family or name in self.missing:
                known = f"; there are {', '.join(family[:4])}" if family else ""
                raise Wrong(node, f"{name} is not made before this line{known}")
        inner = self.expression(node.value)
        if inner.shape == ():
            raise Wrong(node, f"{described(inner)}: it has no elements to index")
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        indices: list[Node] = []
        entries = tuple(self.entry(part, indices) for part in parts)
        if any(one.kind == "whole" for one in indices) or entries:
            try:
                made = call(INDEX, (inner, *indices), (("entries", entries),))
                return self.sized(node, made)
            except Misfit as misfit:
                raise Wrong(node, str(misfit)) from None
        return inner

    def entry(self, node: ast.expr, indices: list[Node]) -> tuple[Any, ...]:
        """One part of an index."""
        match node:
            case ast.Slice():
                ends = (node.lower, node.upper, node.step)
                found = [None if end is None else self.whole(end) for end in ends]
                if found[2] == 0:
                    raise Wrong(node, "a step is not 0")
                return ("slice", *found)
            case ast.Constant(value=None):
                return ("new",)
            case ast.Constant(value=value) if value is ...:
                return ("rest",)
        try:
            return ("at", self.whole(node))
        except Wrong:
            index = self.expression(node)
            if index.kind != "whole" or isinstance(index, Constant):
                said = "an index is a whole number, a slice, or a tensor of whole numbers"
                raise Wrong(node, f"{described(index)}: {said}") from None
            indices.append(index)
            return ("by", len(indices) - 1)

    def whole(self, node: ast.expr) -> int:
        """A whole number that is known now: of numbers, sizes, loop variables and shape(…)."""
        found = self.known(node)
        if type(found) is not int:
            raise Wrong(node, "a whole number is needed here")
        return found

    def known(self, node: ast.expr) -> Any:
        """A number or a tuple of whole numbers that is known now."""
        match node:
            case ast.Constant(value=bool() | int() | float() | str()):
                return node.value
            case ast.Constant(value=None):
                return None
            case ast.Name():
                number = self.scope.number(node.id)
                if number is None:
                    number = self.scope.whole.get(node.id)
                if number is not None:
                    return number
                if node.id in CONSTANTS and node.id not in self.scope.tensors:
                    return CONSTANTS[node.id]
            case ast.UnaryOp(op=ast.USub()):
                return -self.figure(node.operand)
            case ast.BinOp() if type(node.op) in FIGURES:
                left, right = self.figure(node.left), self.figure(node.right)
                if max(abs(left), abs(right)) > 2**40:
                    raise Wrong(node, "too large")
                try:
                    return FIGURES[type(node.op)](left, right)
                except ZeroDivisionError:
                    raise Wrong(node, "division by zero") from None
            case ast.Tuple() | ast.List():
                return tuple(self.known(one) for one in node.elts)
            case ast.Call(func=ast.Name(id="shape"), keywords=[]):
                return self.shape(node)
        raise Wrong(node, "not known before the run: numbers, sizes and shape(…) are")

    def figure(self, node: ast.expr) -> float:
        """A number that is known now."""
        found = self.known(node)
        if not isinstance(found, int | float):
            raise Wrong(node, "a number is needed here")
        return found

    def shape(self, node: ast.Call) -> Whole:
        """shape(x), or one of its sizes, shape(x, axis)."""
        if not 1 <= len(node.args) <= 2:
            raise Wrong(node, "write shape(x) or shape(x, axis)")
        inner = self.expression(node.args[0])
        if len(node.args) == 1:
            return inner.shape
        axis = self.whole(node.args[1])
        if not -inner.rank <= axis < inner.rank:
            raise Wrong(node, f"{described(inner)}: it has no axis {axis}")
        return inner.shape[axis]

    def called(self, node: ast.Call) -> Node:
        """A function of the table."""
        if not isinstance(node.func, ast.Name):
            raise Wrong(node.func, "functions are called by their name")
        name = node.func.id
        if name == "shape":
            found = self.shape(node)
            if isinstance(found, tuple):
                raise Wrong(node, "shape(x) has several sizes: shape(x, 0) is one")
            return constant(found)
        row = self.scope.functions.get(name)
        if row is None:
            near = get_close_matches(name, self.scope.functions, 1)
            hint = f"did you mean {near[0]}?" if near else "docs/catalogue.md has them all"
            raise Wrong(node.func, f"unknown function {name}: {hint}")
        tensors, options = self.bound(row, node)
        made = self.operands(row, tensors)
        try:
            return self.sized(node, row.make(*made, **options))
        except Misfit as misfit:
            raise Wrong(node, f"{misfit}") from None
        except (ValueError, TypeError) as error:
            raise Wrong(node, f"{error}") from None

    def operands(self, row: Row, given: list[Node | None]) -> list[Node | None]:
        """The operands of a function, made real where it takes real ones."""
        if row.name in ("where", "maximum", "minimum"):
            fixed = 1 if row.name == "where" else 0
            found = [one for one in given if one is not None]
            return [*found[:fixed], *self.reals(SUM, found[fixed:])]
        return [
            self.real(one) if one is not None and real_operand(row, i) else one
            for i, one in enumerate(given)
        ]

    def bound(self, row: Row, node: ast.Call) -> tuple[list[Node | None], dict[str, Any]]:
        """The arguments of a call as tensors and options."""
        if any(isinstance(one, ast.Starred) for one in node.args):
            raise Wrong(node, f"write {row.signature}")
        given = list(node.args)
        named = {}
        for keyword in node.keywords:
            if keyword.arg is None or keyword.arg in named:
                raise Wrong(node, f"write {row.signature}")
            named[keyword.arg] = keyword.value
        tensors = list(self.tensors(row, node, given, named))
        while tensors and tensors[-1] is None:
            tensors.pop()
        options = {}
        for option in row.options:
            value = self.option(row, option, node, given, named)
            options[option.name] = value
        if given or named:
            odd = next(iter(named), None)
            said = f"no argument {odd}" if odd else "too many arguments"
            raise Wrong(node, f"{said}: write {row.signature}")
        return tensors, options

    def tensors(
        self, row: Row, node: ast.Call, given: list[ast.expr], named: dict[str, ast.expr]
    ) -> Iterator[Node | None]:
        """The tensors of a call, taken from its arguments."""
        for word in row.tensors:
            if word.startswith("*"):
                if len(given) == 1 and isinstance(given[0], ast.Tuple | ast.List):
                    given[:] = list(given[0].elts)
                if not given:
                    raise Wrong(node, f"write {row.signature}")
                yield from [self.expression(one) for one in given]
                given.clear()
                continue
            name = word.rstrip("=")
            if given:
                first = given.pop(0)
                nothing = isinstance(first, ast.Constant) and first.value is None
                yield None if nothing and word.endswith("=") else self.expression(first)
            elif name in named:
                yield self.expression(named.pop(name))
            elif word.endswith("="):
                yield None
            else:
                raise Wrong(node, f"write {row.signature}")

    def option(
        self,
        row: Row,
        option: Option,
        node: ast.Call,
        given: list[ast.expr],
        named: dict[str, ast.expr],
    ) -> Any:
        """The value of an option, taken from the arguments of a call."""
        if option.kind == "sizes":
            found = [self.known(one) for one in given]
            given.clear()
            if option.name in named:
                found = [self.known(named.pop(option.name))]
            if len(found) == 1 and isinstance(found[0], tuple):
                found = list(found[0])
            if not all(type(one) is int for one in found):
                raise Wrong(node, f"sizes are whole numbers: write {row.signature}")
            if row.name in ("zeros", "ones") and any(one < 0 for one in found):
                raise Wrong(node, "a size is not below 0")
            return tuple(found)
        if given:
            place = given.pop(0)
        elif option.name in named:
            place = named.pop(option.name)
        elif option.default is not REQUIRED:
            return option.default
        else:
            raise Wrong(node, f"{option.name} is missing: write {row.signature}")
        return self.fitted(row, option, place)

    def fitted(self, row: Row, option: Option, place: ast.expr) -> Any:
        """An option's value of its kind."""
        found = self.known(place)
        fits = {
            int: type(found) is int,
            float: isinstance(found, int | float) and not isinstance(found, bool),
            bool: isinstance(found, bool),
            str: isinstance(found, str),
            "axes": found is None
            or type(found) is int
            or (isinstance(found, tuple) and all(type(k) is int for k in found)),
            "pair": type(found) is int
            or (found is None and option.default is None)
            or (isinstance(found, tuple) and all(type(k) is int for k in found)),
            "numbers": isinstance(found, tuple)
            and all(isinstance(k, int | float) and not isinstance(k, bool) for k in found),
            "pairs": type(found) is int
            or (
                isinstance(found, tuple)
                and all(
                    isinstance(p, tuple) and len(p) == 2 and all(type(k) is int for k in p)
                    for p in found
                )
            ),
        }.get(option.kind, True)
        if not fits:
            raise Wrong(place, f"{option.name} cannot be {found!r}: write {row.signature}")
        return float(found) if option.kind is float else found

    def unknown(self, node: ast.AST, name: str) -> Wrong:
        """What to say of a name that is not known here."""
        if name in self.missing:
            return Wrong(node, f"{name} is not known, because what makes it has a mistake")
        if name in self.scope.functions:
            return Wrong(node, f"{name} is a function: {self.scope.functions[name].signature}")
        known = [*self.scope.tensors, *self.scope.sizes, *self.scope.loops]
        near = get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known[:6])}"
        return Wrong(node, f"unknown name {name}: {hint}")


def real_operand(row: Row, i: int) -> bool:
    """Whether an operand of a function is made real where it holds whole numbers."""
    if row.name in ("where", "maximum", "minimum", "one_hot", "reshape", "flatten", "transpose"):
        return False
    if row.name in ("sum", "max", "min", "prod", "abs", "sign", "square", "repeat"):
        return False
    if row.name == "embedding":
        return i == 0
    takes_targets = row.tensors == ("yhat", "y")
    return not (takes_targets and i == 1)


PLAIN: dict[Any, Callable[[float, float], float]] = {
    SUM: lambda a, b: a + b,
    DIFFERENCE: lambda a, b: a - b,
    PRODUCT: lambda a, b: a * b,
    RATIO: lambda a, b: a / b,
}
FIGURES: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Div: lambda a, b: a / b,
}
WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
PLACE = re.compile(r"\[([^\[\]]*)\]")
SMALL = re.compile(r"[-+*/% ()0-9]+\Z")


def substituted(text: str, loops: Mapping[str, int]) -> str:
    """A line with the values of loop variables, and indices such as ``3-1`` worked out."""
    text = WORD.sub(lambda m: str(loops[m[0]]) if m[0] in loops else m[0], text)
    return PLACE.sub(lambda m: f"[{worked_out(m[1])}]", text)


def worked_out(index: str) -> str:
    """An index whose parts that are whole numbers alone are worked out."""
    return ",".join(
        keep_space(part, ":".join(figure(one) for one in part.split(":")))
        for part in index.split(",")
    )


def keep_space(part: str, found: str) -> str:
    """A space before a part of an index stays."""
    return f" {found}" if part.startswith(" ") else found


def figure(text: str) -> str:
    """A sum of whole numbers as one; anything else as it is."""
    bare = text.strip()
    if not bare or len(bare) > 40 or not SMALL.match(bare) or "**" in bare:
        return bare
    try:
        tree = ast.parse(bare, mode="eval").body
        return str(Lines("", Scope({}, {}, {})).whole(tree))
    except (SyntaxError, Wrong):
        return bare
