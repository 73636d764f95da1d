"""What is read from a text of lines: each line with its tree, and what is wrong with others."""

from dataclasses import dataclass

from engine.lines.node import Node


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
