"""Numbers that are known when lines are read: sizes, axes, loop variables and sums of them."""

import ast
import math
from collections.abc import Callable
from typing import Any

from engine.lines.node import Node, described
from engine.lines.scope import Scope, Wrong

CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
Whole = int | tuple[int, ...]
FIGURES: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Div: lambda a, b: a / b,
}


class Known:
    """Works out numbers in a scope; ``expression`` reads the operand of ``shape(…)``."""

    def __init__(self, scope: Scope, expression: Callable[[ast.expr], Node]) -> None:
        self.scope = scope
        self.expression = expression

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
