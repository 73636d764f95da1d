"""The language of conditions and watches: Python's expressions over tensors by name.

Numbers, True, False, nan, inf, pi, e; tensors and scalars by dotted name, or by
`tensor("my layer.weight")` where a name is not made of identifiers; + - * / // % ** @, comparisons,
and, or, not, `a if c else b`; indexing with whole numbers, slices and `...`; the functions of
`engine.functions.language`. Numbers are doubles, or integers of at most 64 bits. No expression
can read an attribute, hold text, call anything else, raise anything but `ExpressionError`, or pass
the bounds of `engine.expressions.values`.
"""

import ast
import warnings
from collections.abc import Collection
from dataclasses import dataclass

from engine.expressions.compiler import ALLOWED, Compiler, Reading
from engine.expressions.function import Functions
from engine.expressions.names import complete, spelling, unwritable
from engine.expressions.values import (
    Evaluation,
    ExpressionError,
    Lookup,
    NotAvailable,
    Site,
    Value,
    truth,
)

__all__ = [
    "Expression",
    "ExpressionError",
    "NotAvailable",
    "compile_expression",
    "complete",
    "spelling",
    "truth",
]

MAX_CHARACTERS = 1000


@dataclass(frozen=True, eq=False)
class Expression:
    """A compiled expression; `names` are the tensors and scalars that it reads."""

    text: str
    names: frozenset[str]
    run: Reading

    def evaluate(self, lookup: Lookup, seconds: float | None = None) -> Value:
        """The value; `lookup` gives an array or number for a name, or None if not computed yet.

        It may take so many `seconds`, those of `engine.expressions.values` where none are given.

        Raises `NotAvailable` for a name without a value and `ExpressionError` for anything that
        cannot be computed or would pass the bounds; what `lookup` itself raises passes through.
        The array may be a view of a tensor.
        """
        try:
            return self.run(Evaluation(lookup, seconds))
        except RecursionError as problem:  # called from deep inside, where little stack is left
            raise ExpressionError(str(problem), 0, self.text) from problem

    def holds(self, lookup: Lookup) -> bool:
        """Whether this condition is met; one that needs a name not computed yet is not.

        Raises `ExpressionError` for anything else that has no truth value.
        """
        try:
            return Site(self.text, 0).truth(self.evaluate(lookup))
        except NotAvailable:
            return False


def compile_expression(text: str, names: Collection[str], functions: Functions) -> Expression:
    """Compile an expression over the known names and functions; raises `ExpressionError`."""
    try:
        tree = _parse(text, names)
        compiler = Compiler(text, names, functions)
        run = compiler.compile(tree)
    except (ValueError, MemoryError, RecursionError) as problem:
        raise ExpressionError(f"this cannot be compiled: {problem}", 0, text) from problem
    return Expression(text, frozenset(compiler.reads), run)


def _parse(text: str, names: Collection[str]) -> ast.expr:
    if len(text) > MAX_CHARACTERS:
        message = f"an expression has at most {MAX_CHARACTERS} characters, this one {len(text)}"
        raise ExpressionError(message, MAX_CHARACTERS, text)
    for column, character in enumerate(text):
        if not character.isprintable() and character != "\t":
            message = f"the character U+{ord(character):04X} is not allowed in an expression"
            raise ExpressionError(message, column, text)
    try:
        # Python warns of what it only dislikes, such as "1if x else 2"; nobody is there to read it.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as problem:
        raise _syntax_error(problem, text, names) from problem


def _syntax_error(problem: SyntaxError, text: str, names: Collection[str]) -> ExpressionError:
    indent = len(text) - len(text.lstrip())
    # Without an offset, the text has ended too early.
    column = min(indent + problem.offset - 1, len(text)) if problem.offset else len(text)
    if not text.strip():
        return ExpressionError(f"an expression is missing; {ALLOWED}", 0, text)
    if name := unwritable(text, names):
        hint = f"write {spelling(name)}"
    elif text[column : column + 1] == "=":
        hint = "to compare, write =="
    else:
        hint = ALLOWED
    return ExpressionError(f"{problem.msg.split('. ')[0]}; {hint}", column, text)
