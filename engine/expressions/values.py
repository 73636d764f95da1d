"""Values, bounds and errors of the expression language.

A value is a Python number or a NumPy array of one axis or more; single elements and 0-d arrays
become Python numbers, so scalars are always computed in double precision. Whatever an operation
will make is known from the shapes alone and charged to the `Evaluation` before memory is taken.
"""

import ast
import math
import operator
import time
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Value = Array | float | int | bool
Lookup = Callable[[str], Array | float | int | bool | None]

MAX_INTEGER = 2**63 - 1
# Elements made by one evaluation, with all intermediate results: 512 MiB of float64.
MAX_ELEMENTS = 2**26
# Element operations of one evaluation: roughly a second on one core.
MAX_WORK = 2**28
# Multiply-adds that BLAS does in the time of one elementwise operation.
BLAS_RATE = 8
# Counting is not enough: a product of numbers near 0 takes a hundred times as long as any other.
MAX_SECONDS = 2.0
FREE = 2**16  # element operations before which nobody looks at the clock
PIECE = 2**22  # multiply-adds of a matrix product between two looks
clock = time.perf_counter

SCALARS = frozenset({float, int, bool})
SHOWN_BEFORE, SHOWN_AFTER = 50, 25


def visible(text: str) -> str:
    """Text with control, bidirectional and other unprintable characters as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _columns(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(unicodedata.combining(c) != 0 for c in text)


class ExpressionError(Exception):
    """An expression that cannot be compiled or evaluated; `column` counts characters from 0."""

    def __init__(self, message: str, column: int = 0, text: str = "") -> None:
        super().__init__(message, column, text)
        self.message = visible(message)
        self.column = column
        self.text = text

    def __str__(self) -> str:
        """The text, and below it a caret under the place with the message."""
        if not self.text:
            return self.message
        start, end = self.column - SHOWN_BEFORE, self.column + SHOWN_AFTER
        if len(self.text) <= SHOWN_BEFORE + SHOWN_AFTER:
            start, end = 0, len(self.text)
        before = ("…" if start > 0 else "") + visible(self.text[max(0, start) : self.column])
        after = visible(self.text[self.column : end]) + ("…" if end < len(self.text) else "")
        return f"{before}{after}\n{' ' * _columns(before)}^ {self.message}"


class NotAvailable(ExpressionError):
    """A name whose value has not been computed yet: a condition on it is quietly unmet."""

    def __init__(self, name: str, column: int = 0, text: str = "") -> None:
        super().__init__(f"{name} is not computed yet", column, text)
        self.args = (name, column, text)
        self.name = name


class TooCostly(ExpressionError):
    """An evaluation that would pass the bounds, of memory, work or time."""


class Refused(Exception):
    """An operation refused; the caller, who knows the place, makes it an `ExpressionError`."""


class Excessive(Refused):
    """An operation beyond the bounds of an evaluation."""


FAILURES = (Refused, ArithmeticError, ValueError, TypeError, LookupError, MemoryError, RuntimeError)


@dataclass(frozen=True)
class Site:
    """A place in the text, by its column in characters from 0; errors point at it."""

    text: str
    column: int

    def error(self, message: str) -> ExpressionError:
        return ExpressionError(message, self.column, self.text)

    def failure(self, problem: Exception) -> ExpressionError:
        said = str(problem).strip().split("\n")[0] or type(problem).__name__
        kind = TooCostly if isinstance(problem, Excessive) else ExpressionError
        return kind(said, self.column, self.text)

    def truth(self, value: Value) -> bool:
        """Whether a value at this place counts as true; `ExpressionError` for several elements."""
        if type(value) in SCALARS:
            return bool(value)
        try:
            return truth_of(value)
        except Refused as problem:
            raise self.error(str(problem)) from problem

    def attempt(self, operation: Callable[..., Value], *arguments: Any) -> Value:
        """The result of an operation with IEEE results; a failure is an error at this place."""
        try:
            with np.errstate(all="ignore"):
                return operation(*arguments)
        except FAILURES as problem:
            raise self.failure(problem) from problem


class Evaluation:
    """One evaluation: its lookup, the elements made and work done so far, and until when it may go.

    ``seconds`` is how long it may take, MAX_SECONDS where nothing is said.
    """

    __slots__ = ("lookup", "made", "seconds", "until", "work")

    def __init__(self, lookup: Lookup, seconds: float | None = None) -> None:
        self.lookup = lookup
        self.made = 0
        self.work = 0
        self.seconds = MAX_SECONDS if seconds is None else seconds
        self.until: float | None = None

    def charge(self, work: int, made: int = 0) -> None:
        """Account for `work` element operations and `made` elements of memory; raises `Refused`.

        Called before anything is made: what would pass the bounds never takes memory.
        """
        self.work += work
        self.made += made
        if self.made > MAX_ELEMENTS:
            raise Excessive(
                f"needs {self.made:,} elements of memory; the limit is {MAX_ELEMENTS:,}"
            )
        if self.work > MAX_WORK:
            raise Excessive(f"needs {self.work:,} element operations; the limit is {MAX_WORK:,}")
        if self.until is None:
            self.until = clock() + self.seconds
        elif self.work > FREE:
            self.check_time()

    def check_time(self) -> None:
        """Raise `Refused` where the time is over."""
        if self.until is not None and clock() > self.until:
            raise Excessive(f"takes longer than {self.seconds:.2g} s")


def bounded(number: int) -> int | float:
    """The integer, or from 64 bits on its double: integers never grow."""
    return number if -MAX_INTEGER <= number <= MAX_INTEGER else float(number)


def admit(value: object) -> Value:
    """A value of the language from an array, NumPy scalar or Python number; else `Refused`."""
    # The usual cases first: this runs for every name and every result.
    if type(value) is np.ndarray and value.ndim and value.dtype.kind in "fiub":
        return value
    if isinstance(value, np.floating):
        return float(value)
    if type(value) is int or type(value) is bool:
        return bounded(value) if type(value) is int else value
    if not isinstance(value, np.ndarray | np.generic | float | int):
        raise Refused(f"a {type(value).__name__} is neither a number nor a tensor")
    array = np.asarray(value)
    if array.dtype.kind not in "biuf":
        raise Refused(f"a tensor of {array.dtype} is not made of real numbers")
    if array.ndim:
        return array
    number = array.item()
    if array.dtype.kind == "f":
        return float(number)
    return number if isinstance(number, bool) else bounded(number)


def simple(result: Any) -> Value:
    """A result of NumPy as a value: what has no axis becomes a Python number."""
    return admit(result)


def broadcast_shape(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape by NumPy's rule, without making anything; `Refused` where there is none."""
    result: list[int] = []
    for sizes in zip_longest(*(shape[::-1] for shape in shapes), fillvalue=1):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise Refused(f"shapes {' and '.join(map(str, shapes))} do not broadcast together")
        result.append(wide.pop() if wide else 1)
    return tuple(result[::-1])


def broadcast_size(values: Iterable[Value]) -> int:
    """The number of elements of an elementwise result; `Refused` where shapes do not broadcast."""
    shapes = [value.shape for value in values if isinstance(value, np.ndarray)]
    return math.prod(broadcast_shape(shapes) if len(shapes) > 1 else shapes[0] if shapes else ())


def truth_of(value: Value) -> bool:
    if not isinstance(value, np.ndarray):
        return bool(value)
    if value.size == 1:
        return bool(value.item())
    raise Refused(
        f"a tensor of shape {value.shape} is neither true nor false: use any(…), all(…) or norm(…)"
    )


def truth(value: Value) -> bool:
    """Whether a condition of this value is met; a tensor of several elements is an error."""
    try:
        return truth_of(value)
    except Refused as problem:
        raise ExpressionError(str(problem)) from problem


@dataclass(frozen=True)
class Operation:
    """A binary operator: on two Python numbers, and on everything else."""

    symbol: str
    numbers: Callable[[Any, Any], Value]
    arrays: Callable[[Evaluation, Value, Value], Value]


def _elementwise(ufunc: Callable[..., Any]) -> Callable[[Evaluation, Value, Value], Value]:
    def apply(evaluation: Evaluation, left: Value, right: Value) -> Value:
        size = broadcast_size((left, right))
        evaluation.charge(size, size)
        return simple(ufunc(left, right))

    return apply


def _numbers(
    python: Callable[[Any, Any], Any], ufunc: Callable[..., Any]
) -> Callable[[Any, Any], Value]:
    """Python's fast operator, with IEEE results where Python would raise."""

    def apply(left: float, right: float) -> Value:
        try:
            result = python(left, right)
        except (ArithmeticError, ValueError):
            with np.errstate(all="ignore"):
                return float(ufunc(float(left), float(right)))
        if type(result) is int and not -MAX_INTEGER <= result <= MAX_INTEGER:
            return float(result)
        return result  # type: ignore[no-any-return]

    return apply


def _number_power(base: float, exponent: float) -> float:
    # From 64 on, the power of an integer other than 0 and ±1 has left 64 bits.
    if isinstance(base, int) and isinstance(exponent, int) and 0 <= exponent < 64:
        return int(base**exponent)
    return math.pow(base, exponent)


def _power(base: Any, exponent: Any) -> Any:
    # NumPy refuses integers to negative integer powers; Python gives their quotient.
    negative = isinstance(exponent, int) and exponent < 0
    return np.power(base, float(exponent) if negative else exponent)


def _no_matmul(left: float, right: float) -> Value:
    raise Refused("@ multiplies tensors; for numbers write *")


def matmul(evaluation: Evaluation, left: Value, right: Value) -> Value:
    """NumPy's matrix product, its size and cost checked first; `Refused` beyond the bounds."""
    if not (isinstance(left, np.ndarray) and isinstance(right, np.ndarray)):
        return _no_matmul(0, 0)
    inner = left.shape[-1]
    rows = left.shape[-2] if left.ndim > 1 else 1
    columns = right.shape[-1] if right.ndim > 1 else 1
    if right.shape[-2 if right.ndim > 1 else 0] != inner:
        raise Refused(f"shapes {left.shape} and {right.shape} do not conform for a matrix product")
    made = math.prod(broadcast_shape((left.shape[:-2], right.shape[:-2]))) * rows * columns
    evaluation.charge(_matmul_work(left, right, made * inner) + left.size + right.size, made)
    if left.ndim != 2 or right.ndim > 2 or rows * inner * columns <= PIECE:
        return simple(np.matmul(left, right))
    return simple(_by_rows(evaluation, left, right, max(1, PIECE // (inner * columns))))


def _by_rows(evaluation: Evaluation, left: Array, right: Array, step: int) -> Array:
    """The product of a matrix, ``step`` rows at a time with a look at the clock between."""
    parts = []
    for start in range(0, len(left), step):
        parts.append(np.matmul(left[start : start + step], right))
        evaluation.check_time()
    return np.concatenate(parts)


def _matmul_work(left: Array, right: Array, products: int) -> int:
    blas = left.dtype == right.dtype and left.dtype in (np.float32, np.float64)
    return products // BLAS_RATE if blas and _is_dense(left) and _is_dense(right) else products


def _is_dense(array: Array) -> bool:
    # BLAS wants rows or columns without gaps; NumPy multiplies the rest by slow loops.
    return array.itemsize in array.strides[-2:] and min(array.strides) > 0


def _arithmetic(symbol: str, python: Callable[[Any, Any], Any], ufunc: Any) -> Operation:
    return Operation(symbol, _numbers(python, ufunc), _elementwise(ufunc))


def negative(evaluation: Evaluation, value: Value) -> Value:
    size = broadcast_size((value,))
    evaluation.charge(size, size)
    return simple(np.negative(value))


BINARY: dict[type[ast.operator], Operation] = {
    ast.Add: _arithmetic("+", operator.add, np.add),
    ast.Sub: _arithmetic("-", operator.sub, np.subtract),
    ast.Mult: _arithmetic("*", operator.mul, np.multiply),
    ast.Div: _arithmetic("/", operator.truediv, np.true_divide),
    ast.FloorDiv: _arithmetic("//", operator.floordiv, np.floor_divide),
    ast.Mod: _arithmetic("%", operator.mod, np.remainder),
    ast.Pow: Operation("**", _numbers(_number_power, np.power), _elementwise(_power)),
    ast.MatMult: Operation("@", _no_matmul, matmul),
}
COMPARISONS: dict[type[ast.cmpop], Operation] = {
    ast.Lt: Operation("<", operator.lt, _elementwise(np.less)),
    ast.LtE: Operation("<=", operator.le, _elementwise(np.less_equal)),
    ast.Gt: Operation(">", operator.gt, _elementwise(np.greater)),
    ast.GtE: Operation(">=", operator.ge, _elementwise(np.greater_equal)),
    ast.Eq: Operation("==", operator.eq, _elementwise(np.equal)),
    ast.NotEq: Operation("!=", operator.ne, _elementwise(np.not_equal)),
}
