"""What lines may name, and what is said of a part of one that is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.lines.node import Node
from engine.lines.table import Row


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
