"""The arguments of a call in a line, as tensors and options of its function's row."""

import ast
from collections.abc import Callable, Iterator
from typing import Any

from engine.lines.known import Known
from engine.lines.node import Node
from engine.lines.scope import Wrong
from engine.lines.table import REQUIRED, Option, Row


class Arguments:
    """Takes calls apart; tensors are read by ``expression``, options are known numbers."""

    def __init__(self, known: Known, expression: Callable[[ast.expr], Node]) -> None:
        self.numbers = known
        self.expression = expression

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
            found = [self.numbers.known(one) for one in given]
            given.clear()
            if option.name in named:
                found = [self.numbers.known(named.pop(option.name))]
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
        found = self.numbers.known(place)
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
