"""From a syntax tree to closures: the whitelist of the expression language.

No attribute is ever read: a dotted name is looked up as one string.
"""

import ast
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from engine.expressions.function import Function, Functions
from engine.expressions.names import CONSTANTS, Names, quoted, unknown_function, written
from engine.expressions.values import (
    BINARY,
    COMPARISONS,
    FAILURES,
    MAX_INTEGER,
    SCALARS,
    Evaluation,
    ExpressionError,
    NotAvailable,
    Operation,
    Site,
    Value,
    admit,
    negative,
    simple,
)

MAX_NODES = 200
MAX_DEPTH = 40  # Python recurses over the tree when it is compiled and evaluated

ALLOWED = (
    "allowed are numbers, tensor names, + - * / // % ** @, comparisons, and, or, not, "
    "'a if c else b', indexing and functions"
)
KINDS = {
    ast.NamedExpr: "an assignment",
    ast.JoinedStr: "a formatted text",
    ast.Starred: "unpacking with *",
    ast.BitAnd: "& (write 'and', or multiply truth values)",
    ast.BitOr: "| (write 'or')",
    ast.BitXor: "^ (a power is **)",
    ast.Invert: "~ (write 'not')",
    ast.Is: "'is' (write ==)",
    ast.IsNot: "'is not' (write !=)",
}

Reading = Callable[[Evaluation], Value]
Index = Callable[[Evaluation], object]


def _dotted(node: ast.expr) -> str | None:
    """The dotted name that a chain of attributes spells."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _literal_integer(node: ast.expr) -> int | None:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    value = node.value if isinstance(node, ast.Constant) else None
    return sign * value if type(value) is int and value <= MAX_INTEGER else None


class Compiler:
    """Compiles one text over the known names; `reads` collects the names that it reads.

    Raises `ExpressionError` with the column of what is not allowed, or not known.
    """

    def __init__(self, text: str, names: Collection[str], functions: Functions) -> None:
        self.text = text
        self.names = Names(names, functions)
        self.functions = functions
        self.reads: set[str] = set()
        self._indent = len(text) - len(text.lstrip())
        self._encoded = text.strip().encode()

    def compile(self, tree: ast.expr) -> Reading:
        """The closure of a whole tree, its size checked first."""
        # Level by level: a recursion could be exhausted by the very tree that is to be refused.
        level: list[ast.AST] = [tree]
        nodes = depth = 0
        while level:
            nodes, depth = nodes + len(level), depth + 1
            if nodes > MAX_NODES or depth > MAX_DEPTH:
                limits = f"at most {MAX_NODES} parts, nested at most {MAX_DEPTH} deep"
                raise self._error(tree, f"the expression is too complex: {limits}")
            children = (child for node in level for child in ast.iter_child_nodes(node))
            level = [child for child in children if isinstance(child, ast.expr | ast.keyword)]
        return self._expression(tree)

    def _site(self, offset: int) -> Site:
        # ast counts UTF-8 bytes, people count characters.
        return Site(self.text, self._indent + len(self._encoded[:offset].decode()))

    def _after(self, node: ast.expr, symbol: str) -> Site:
        """The place of an operator: only brackets and blanks stand between it and its operand."""
        return self._site(self._encoded.index(symbol.encode(), node.end_col_offset))

    def _error(self, node: ast.expr | ast.keyword, message: str) -> ExpressionError:
        return self._site(node.col_offset).error(message)

    def _refuse(self, node: ast.expr, what: ast.AST) -> ExpressionError:
        kind = KINDS.get(type(what), type(what).__name__)
        return self._error(node, f"{kind} is not allowed; {ALLOWED}")

    def _expression(self, node: ast.expr) -> Reading:
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name() | ast.Attribute():
                return self._name(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BinOp():
                return self._binary(node)
            case ast.Compare():
                return self._comparison(node)
            case ast.BoolOp():
                return self._junction(node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return self._call(node)
        raise self._refuse(node, node)

    def _constant(self, node: ast.Constant) -> Reading:
        value = node.value
        if isinstance(value, str | bytes):
            raise self._error(node, 'text is allowed only as a name, tensor("…")')
        if not isinstance(value, int | float):
            shown = "..." if value is ... else value
            raise self._error(node, f"{shown} is not allowed here; {ALLOWED}")
        if isinstance(value, int) and value > MAX_INTEGER:
            raise self._error(node, "a whole number has at most 64 bits; write it as 1e30")
        constant: Value = value
        return lambda evaluation: constant

    def _name(self, node: ast.expr) -> Reading:
        if (found := self._named(node)) is not None:
            return found
        dotted = _dotted(node)
        if dotted is None:
            if (spelled := written(node)) is not None:
                raise self._error(node, self.names.unknown(spelled, self.text))
            raise self._error(node, f"an attribute of a value cannot be reached; {ALLOWED}")
        if dotted not in CONSTANTS:
            raise self._error(node, self.names.unknown(dotted, self.text))
        constant = CONSTANTS[dotted]
        return lambda evaluation: constant

    def _named(self, node: ast.expr) -> Reading | None:
        """The tensor whose whole name a node spells, ``h[2]`` too; None where there is none."""
        found = self.names.at(node)
        if len(found) > 1:
            forms = " or ".join(map(quoted, found))
            raise self._error(node, f"{written(node)} may be several tensors: write {forms}")
        return self._read(found[0], node) if found else None

    def _quoted(self, node: ast.Call) -> Reading:
        name = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if not isinstance(name, str) or len(node.args) > 1 or node.keywords:
            raise self._error(node, 'tensor takes one name in quotes: tensor("my layer.weight")')
        if name not in self.names.exact:
            raise self._error(node.args[0], self.names.unknown_text(name))
        return self._read(name, node)

    def _read(self, name: str, node: ast.expr) -> Reading:
        self.reads.add(name)
        site = self._site(node.col_offset)

        def run(evaluation: Evaluation) -> Value:
            value = evaluation.lookup(name)
            if type(value) is float:
                return value
            if value is None:
                raise NotAvailable(name, site.column, site.text)
            try:
                return admit(value)
            except FAILURES as problem:
                raise site.failure(problem) from problem

        return run

    def _unary(self, node: ast.UnaryOp) -> Reading:
        operand, site = self._expression(node.operand), self._site(node.col_offset)
        truth = self._site(node.operand.col_offset).truth
        match node.op:
            case ast.Not():
                return lambda evaluation: not truth(operand(evaluation))
            case ast.USub():
                return _negation(site, operand)
            case ast.UAdd():
                return operand
        raise self._refuse(node, node.op)

    def _binary(self, node: ast.BinOp) -> Reading:
        operation = BINARY.get(type(node.op))
        if operation is None:
            raise self._refuse(node, node.op)
        left, right = self._expression(node.left), self._expression(node.right)
        return _application(operation, self._after(node.left, operation.symbol), left, right)

    def _comparison(self, node: ast.Compare) -> Reading:
        links = []
        left = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            operation = COMPARISONS.get(type(operator))
            if operation is None:
                raise self._refuse(node, operator)
            links.append((operation, self._after(left, operation.symbol), self._expression(right)))
            left = right
        first = self._expression(node.left)
        if len(links) > 1:
            return _chain(first, links)
        operation, site, second = links[0]
        return _application(operation, site, first, second)

    def _junction(self, node: ast.BoolOp) -> Reading:
        parts = [(self._expression(v), self._site(v.col_offset).truth) for v in node.values]
        decisive = isinstance(node.op, ast.Or)

        def run(evaluation: Evaluation) -> Value:
            for part, truth in parts:
                if truth(part(evaluation)) is decisive:
                    return decisive
            return not decisive

        return run

    def _choice(self, node: ast.IfExp) -> Reading:
        test, truth = self._expression(node.test), self._site(node.test.col_offset).truth
        body, orelse = self._expression(node.body), self._expression(node.orelse)
        return lambda evaluation: (body if truth(test(evaluation)) else orelse)(evaluation)

    def _subscript(self, node: ast.Subscript) -> Reading:
        if (named := self._named(node)) is not None:
            return named  # the longest name wins: of a tensor h[2] the element is h[2][0, 1]
        spelled, owner = written(node), written(node.value) or ""
        if spelled and not self.names.find(owner) and self.names.has_places(owner):
            raise self._error(node, self.names.unknown(spelled, self.text))
        value, site = self._expression(node.value), self._after(node.value, "[")
        if isinstance(node.slice, ast.Tuple) and node.slice.elts:
            return _taking(site, value, [self._index(part) for part in node.slice.elts])
        return _taking(site, value, [self._index(node.slice)])

    def _index(self, node: ast.expr) -> Index:
        if isinstance(node, ast.Constant) and node.value is ...:
            return lambda evaluation: ...
        if isinstance(node, ast.Slice):
            ends = [end and self._whole(end) for end in (node.lower, node.upper, node.step)]
            return lambda evaluation: slice(*(end and end(evaluation) for end in ends))
        return self._whole(node)

    def _whole(self, node: ast.expr) -> Index:
        run, site = self._expression(node), self._site(node.col_offset)

        def index(evaluation: Evaluation) -> object:
            value = run(evaluation)
            if type(value) is not int:
                raise site.error("an index is a whole number, a slice or '...'")
            return value

        return index

    def _call(self, node: ast.Call) -> Reading:
        name = _dotted(node.func)
        if name == "tensor":
            return self._quoted(node)
        if name is None:
            raise self._error(node, f"only functions by name can be called; {ALLOWED}")
        if name not in self.functions:
            raise self._error(node, unknown_function(name, self.functions))
        function = self.functions[name]
        arguments, axis = self._bind(function, node)
        return _calling(function, self._site(node.col_offset), arguments, axis)

    def _bind(self, function: Function, node: ast.Call) -> tuple[list[Reading], tuple[int, ...]]:
        """The arguments and, where it is given, the axis; arity is checked here, once."""
        positional, axes = list(node.args), [keyword.value for keyword in node.keywords]
        wanted = len(function.parameters)
        if any(keyword.arg != "axis" for keyword in node.keywords):
            raise self._error(node, f"the only keyword is axis; write {function.signature}")
        if function.axis != "none" and len(positional) == wanted + 1:
            axes.append(positional.pop())
        fewest, most = {"none": (0, 0), "optional": (0, 1), "required": (1, 1)}[function.axis]
        if len(positional) != wanted or not fewest <= len(axes) <= most:
            raise self._error(node, f"wrong number of arguments; write {function.signature}")
        return [self._expression(argument) for argument in positional], self._axis(function, axes)

    def _axis(self, function: Function, axes: list[ast.expr]) -> tuple[int, ...]:
        if not axes:
            return ()
        axis = _literal_integer(axes[0])
        if axis is None:
            pair = {
                "min": "; of two values: minimum(x, y)",
                "max": "; of two values: maximum(x, y)",
            }
            hint = pair.get(function.name, "")
            raise self._error(axes[0], f"an axis is a whole number such as 0 or -1{hint}")
        return (axis,)


def _negation(site: Site, operand: Reading) -> Reading:
    def run(evaluation: Evaluation) -> Value:
        value = operand(evaluation)
        return -value if type(value) in SCALARS else site.attempt(negative, evaluation, value)

    return run


def _apply(
    operation: Operation, site: Site, evaluation: Evaluation, left: Value, right: Value
) -> Value:
    if type(left) not in SCALARS or type(right) not in SCALARS:
        return site.attempt(operation.arrays, evaluation, left, right)
    try:
        return operation.numbers(left, right)
    except FAILURES as problem:
        raise site.failure(problem) from problem


def _application(operation: Operation, site: Site, left: Reading, right: Reading) -> Reading:
    return lambda evaluation: _apply(
        operation, site, evaluation, left(evaluation), right(evaluation)
    )


def _chain(first: Reading, links: list[tuple[Operation, Site, Reading]]) -> Reading:
    """a < b < c: every term evaluated at most once, and no further than the first that fails."""

    def run(evaluation: Evaluation) -> Value:
        left = first(evaluation)
        for operation, site, term in links:
            right = term(evaluation)
            if not site.truth(_apply(operation, site, evaluation, left, right)):
                return False
            left = right
        return True

    return run


def _taking(site: Site, value: Reading, indices: list[Index]) -> Reading:
    def run(evaluation: Evaluation) -> Value:
        array = value(evaluation)
        if not isinstance(array, np.ndarray):
            raise site.error("a number has no elements to index")
        key: Any = tuple([index(evaluation) for index in indices])
        try:
            return simple(array[key])
        except FAILURES as problem:
            raise site.failure(problem) from problem

    return run


def _calling(
    function: Function, site: Site, arguments: list[Reading], axis: tuple[int, ...]
) -> Reading:
    call, scalar, first = function.call, function.scalar, arguments[0]

    def run(evaluation: Evaluation) -> Value:
        values = [argument(evaluation) for argument in arguments]
        return site.attempt(call, evaluation, *values, *axis)

    def run_scalar(evaluation: Evaluation) -> Value:
        value = first(evaluation)
        if scalar is not None and type(value) in SCALARS:
            return scalar(value)
        return site.attempt(call, evaluation, value)

    return run if scalar is None or axis else run_scalar
