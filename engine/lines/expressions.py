"""Expressions of lines into trees: of Python's syntax tree only what is named here is read."""

import ast
import math
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

from engine.lines import elementwise
from engine.lines.algebra import DIFFERENCE, NEGATIVE, POWER, PRODUCT, RATIO, SUM, transposed
from engine.lines.arguments import Arguments
from engine.lines.known import CONSTANTS, Known
from engine.lines.node import Constant, Misfit, Node, Tensor, call, constant, described
from engine.lines.products import MATMUL
from engine.lines.scope import Scope, Wrong
from engine.lines.structure import INDEX, REAL
from engine.lines.table import Row

MAX_NODES = 400_000
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
PLAIN: dict[Any, Callable[[float, float], float]] = {
    SUM: lambda a, b: a + b,
    DIFFERENCE: lambda a, b: a - b,
    PRODUCT: lambda a, b: a * b,
    RATIO: lambda a, b: a / b,
}


class Expressions:
    """Reads the expressions of one text of lines.

    ``demand`` is asked for a name before it is looked up. ``mixed`` has the names of whole tensors
    that are used as real ones, ``missing`` those whose own line could not be read.
    """

    def __init__(self, scope: Scope, demand: Callable[[str], None]) -> None:
        self.scope = scope
        self.demand = demand
        self.known = Known(scope, self.expression)
        self.arguments = Arguments(self.known, self.expression)
        self.mixed: set[str] = set()
        self.missing: set[str] = set()
        self.nodes = 0

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
                    numbers = [str(self.known.whole(part)) for part in parts]
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
                found = [None if end is None else self.known.whole(end) for end in ends]
                if found[2] == 0:
                    raise Wrong(node, "a step is not 0")
                return ("slice", *found)
            case ast.Constant(value=None):
                return ("new",)
            case ast.Constant(value=value) if value is ...:
                return ("rest",)
        try:
            return ("at", self.known.whole(node))
        except Wrong:
            index = self.expression(node)
            if index.kind != "whole" or isinstance(index, Constant):
                said = "an index is a whole number, a slice, or a tensor of whole numbers"
                raise Wrong(node, f"{described(index)}: {said}") from None
            indices.append(index)
            return ("by", len(indices) - 1)

    def called(self, node: ast.Call) -> Node:
        """A function of the table."""
        if not isinstance(node.func, ast.Name):
            raise Wrong(node.func, "functions are called by their name")
        name = node.func.id
        if name == "shape":
            found = self.known.shape(node)
            if isinstance(found, tuple):
                raise Wrong(node, "shape(x) has several sizes: shape(x, 0) is one")
            return constant(found)
        row = self.scope.functions.get(name)
        if row is None:
            near = get_close_matches(name, self.scope.functions, 1)
            hint = f"did you mean {near[0]}?" if near else "docs/catalogue.md has them all"
            raise Wrong(node.func, f"unknown function {name}: {hint}")
        tensors, options = self.arguments.bound(row, node)
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
