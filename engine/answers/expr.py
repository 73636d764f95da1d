"""What an answer says, as a tree: each node knows where it stands in the text it was read from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

Path = tuple[int, ...]
"""Where a node is: the numbers of the arguments from the root."""


class Unread(Exception):
    """Text that is not understood, with the place, counted from 0, where reading stopped."""

    def __init__(self, message: str, place: int) -> None:
        super().__init__(message)
        self.message = message
        self.place = place


@dataclass(frozen=True)
class Expr:
    """One node: ``op`` says what it is, ``args`` are expressions and ``data`` what else it has.

    ``product`` and ``sum`` have any number of arguments, ``tensor`` and ``partial`` none.
    """

    op: str
    args: tuple["Expr", ...] = ()
    data: Any = None
    text: str = ""
    depth: int = 1

    def walk(self, path: Path = ()) -> Iterator[tuple[Path, "Expr"]]:
        """Every node below this one, itself first, with its path."""
        yield path, self
        for i, arg in enumerate(self.args):
            yield from arg.walk((*path, i))

    def put(self, path: Path, new: "Expr") -> "Expr":
        """The same tree with another node at a path."""
        if not path:
            return new
        args = list(self.args)
        args[path[0]] = args[path[0]].put(path[1:], new)
        return replace(self, args=tuple(args))

    def same(self, other: "Expr") -> bool:
        """Whether two trees say the same, wherever they stand."""
        alike = self.op == other.op and self.data == other.data
        pairs = zip(self.args, other.args, strict=False)
        return alike and len(self.args) == len(other.args) and all(a.same(b) for a, b in pairs)


def turned(one: Expr) -> Expr:
    """The transpose of an expression, as it would be written."""
    if one.op == "transpose":
        return one.args[0]
    return Expr("transpose", (one,), None, f"{one.text}ᵀ")


def product(factors: tuple[Expr, ...]) -> Expr:
    """Factors as one product, none of them a product itself where it has no brackets."""
    return factors[0] if len(factors) == 1 else Expr("product", factors)
