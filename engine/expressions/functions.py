"""The functions of the expression language: NumPy's, with sizes and cost checked first."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.expressions.values import (
    Array,
    Evaluation,
    Refused,
    Value,
    broadcast_size,
    matmul,
    simple,
)

# exp, log, tanh and the like take this many times as long as an addition.
TRANSCENDENTAL = 4

Call = Callable[..., Value]


@dataclass(frozen=True)
class Function:
    """A row of the table; `call` takes the evaluation, the arguments and, if any, the axis."""

    name: str
    parameters: tuple[str, ...]
    summary: str
    call: Call
    axis: Literal["none", "optional", "required"] = "none"
    scalar: Callable[[Any], Value] | None = None  # the quick way for one Python number

    @property
    def signature(self) -> str:
        axis = {"none": (), "optional": ("axis=…",), "required": ("axis",)}[self.axis]
        return f"{self.name}({', '.join((*self.parameters, *axis))})"


def _floating(evaluation: Evaluation, value: Value) -> Value:
    """The value in floating point: NumPy would take exp of truth values in half precision."""
    if not isinstance(value, np.ndarray):
        return float(value)
    if value.dtype.kind == "f":
        return value
    evaluation.charge(value.size, value.size)
    return value.astype(np.float64)


def _numeric(evaluation: Evaluation, value: Value) -> Value:
    """The value with truth values as 0 and 1."""
    if not isinstance(value, np.ndarray):
        return int(value) if isinstance(value, bool) else value
    if value.dtype.kind != "b":
        return value
    evaluation.charge(value.size, value.size)
    return value.astype(np.int64)


def _elementwise(
    operation: Callable[..., Any],
    prepare: Callable[[Evaluation, Value], Value] = _numeric,
    work: int = 1,
    temporaries: int = 0,
) -> Call:
    def call(evaluation: Evaluation, *arguments: Value) -> Value:
        values = [prepare(evaluation, argument) for argument in arguments]
        size = broadcast_size(values)
        evaluation.charge(size * work, size * (1 + temporaries))
        return simple(operation(*values))

    return call


def _transcendental(operation: Callable[..., Any]) -> Call:
    return _elementwise(operation, _floating, TRANSCENDENTAL)


def _sigmoid(value: Any) -> Any:
    # exp(-log(1 + exp(-x))) overflows nowhere.
    return np.exp(-np.logaddexp(0.0, -value))


def _as_is(evaluation: Evaluation, value: Value) -> Value:
    return value


def _reduced_shape(array: Array, axis: int | None) -> tuple[int, ...]:
    if axis is None:
        return ()
    _check_axis(array, axis)
    sizes = list(array.shape)
    del sizes[axis]
    return tuple(sizes)


def _check_axis(array: Array, axis: int) -> None:
    if not -array.ndim <= axis < array.ndim:
        raise Refused(f"axis {axis} is beyond the {array.ndim} axes of shape {array.shape}")


def _reduction(
    operation: Callable[[Array, int | None], Any], work: int = 1, temporaries: int = 0
) -> Call:
    def call(evaluation: Evaluation, value: Value, axis: int | None = None) -> Value:
        array = np.asarray(value)
        made = math.prod(_reduced_shape(array, axis))
        evaluation.charge(array.size * work + made, array.size * temporaries + made)
        return simple(operation(array, axis))

    return call


def _or_nan(operation: Callable[..., Any]) -> Callable[[Array, int | None], Any]:
    """NaN for the mean of nothing, without the warning that NumPy gives whatever errstate says."""

    def reduce(array: Array, axis: int | None) -> Any:
        count = array.size if axis is None else array.shape[axis]
        if count:
            return operation(array, axis=axis)
        return np.full(_reduced_shape(array, axis), np.nan)

    return reduce


def _norm(evaluation: Evaluation, value: Value, axis: int | None = None) -> Value:
    array = np.asarray(_floating(evaluation, value))
    made = math.prod(_reduced_shape(array, axis))
    copied = 0 if axis is None and array.flags.forc else array.size
    evaluation.charge(2 * array.size + made, copied + made)
    if axis is not None:
        return simple(np.sqrt(np.sum(array * array, axis=axis)))
    flat = array.ravel(order="K")
    return math.sqrt(flat.dot(flat))


def _zeros_fraction(array: Array, axis: int | None) -> Any:
    count = array.size if axis is None else array.shape[axis]
    zeros = count - np.count_nonzero(array, axis=axis)
    return np.true_divide(zeros, count)


def _dot(evaluation: Evaluation, left: Value, right: Value) -> Value:
    if not (isinstance(left, np.ndarray) and isinstance(right, np.ndarray)):
        size = broadcast_size((left, right))
        evaluation.charge(size, size)
        return simple(np.multiply(left, right))
    if left.ndim > 2 or right.ndim > 2:
        raise Refused("dot takes vectors and matrices; for more axes write @")
    return matmul(evaluation, left, right)


def _cos_similarity(evaluation: Evaluation, left: Value, right: Value) -> Value:
    a, b = np.asarray(left), np.asarray(right)
    if a.shape != b.shape:
        raise Refused(f"cos_similarity takes equal shapes, not {a.shape} and {b.shape}")
    evaluation.charge(3 * a.size, 2 * a.size)
    u, v = a.ravel().astype(np.float64, copy=False), b.ravel().astype(np.float64, copy=False)
    return simple(u.dot(v) / (np.sqrt(u.dot(u)) * np.sqrt(v.dot(v))))


def _trace(evaluation: Evaluation, value: Value) -> Value:
    array = np.asarray(value)
    if array.ndim != 2:
        raise Refused(f"trace takes a matrix, not shape {array.shape}")
    evaluation.charge(min(array.shape))
    return simple(np.trace(array))


def _diag(evaluation: Evaluation, value: Value) -> Value:
    array = np.asarray(value)
    if array.ndim == 2:
        return array.diagonal()
    if array.ndim != 1:
        raise Refused(f"diag takes a vector or a matrix, not shape {array.shape}")
    evaluation.charge(array.size**2, array.size**2)  # a vector becomes a matrix
    return np.diag(array)


def _transpose(evaluation: Evaluation, value: Value) -> Value:
    return value.T if isinstance(value, np.ndarray) else value


def _shape(evaluation: Evaluation, value: Value, axis: int) -> Value:
    array = np.asarray(value)
    _check_axis(array, axis)
    return int(array.shape[axis])


def _size(evaluation: Evaluation, value: Value) -> Value:
    return int(np.size(value))


def _rank(evaluation: Evaluation, value: Value) -> Value:
    return int(np.ndim(value))


def _table() -> tuple[Function, ...]:
    x, xy = ("x",), ("x", "y")
    wave = _transcendental
    each = _elementwise
    fold = _reduction
    return (
        Function("abs", x, "|x| of each element", each(np.abs), scalar=abs),
        Function("sqrt", x, "square root of each element", each(np.sqrt, _floating)),
        Function("exp", x, "e to the power of each element", wave(np.exp)),
        Function("log", x, "natural logarithm", wave(np.log)),
        Function("log10", x, "logarithm to base 10", wave(np.log10)),
        Function("log2", x, "logarithm to base 2", wave(np.log2)),
        Function("sin", x, "sine", wave(np.sin)),
        Function("cos", x, "cosine", wave(np.cos)),
        Function("tanh", x, "hyperbolic tangent", wave(np.tanh)),
        Function("sigmoid", x, "1/(1 + exp(-x))", each(_sigmoid, _floating, 16, 2)),
        Function("relu", x, "the larger of x and 0", each(lambda v: np.maximum(v, 0))),
        Function("sign", x, "-1, 0 or 1", each(np.sign)),
        Function("floor", x, "the next whole number below", each(np.floor, _floating)),
        Function("ceil", x, "the next whole number above", each(np.ceil, _floating)),
        Function("round", x, "the nearest whole number, halves to even", each(np.rint, _floating)),
        Function("minimum", xy, "the smaller of each pair", each(np.minimum, _as_is)),
        Function("maximum", xy, "the larger of each pair", each(np.maximum, _as_is)),
        Function("where", ("c", "x", "y"), "x where c, y elsewhere", each(np.where, _as_is, 2)),
        Function("clip", ("x", "low", "high"), "x kept within bounds", each(np.clip, work=2)),
        Function("isnan", x, "which elements are NaN", each(np.isnan), scalar=math.isnan),
        Function("isinf", x, "which are infinite", each(np.isinf), scalar=math.isinf),
        Function("isfinite", x, "which are finite", each(np.isfinite), scalar=math.isfinite),
        Function("any", x, "is any element true", fold(np.any), "optional", bool),
        Function("all", x, "are all elements true", fold(np.all), "optional", bool),
        Function("sum", x, "sum", fold(np.sum), "optional"),
        Function("mean", x, "mean", fold(_or_nan(np.mean)), "optional"),
        Function("std", x, "standard deviation, over n", fold(_or_nan(np.std), 4, 2), "optional"),
        Function("var", x, "variance, over n", fold(_or_nan(np.var), 4, 2), "optional"),
        Function("min", x, "smallest element", fold(np.min), "optional"),
        Function("max", x, "largest element", fold(np.max), "optional"),
        Function("argmin", x, "where the smallest is", fold(np.argmin, 1, 1), "optional"),
        Function("argmax", x, "where the largest is", fold(np.argmax, 1, 1), "optional"),
        Function("norm", x, "root of the sum of squares", _norm, "optional"),
        Function("count_nonzero", x, "non-zero elements", fold(np.count_nonzero, 2, 1), "optional"),
        Function("zeros_fraction", x, "zeros/elements", fold(_zeros_fraction, 2, 1), "optional"),
        Function("dot", xy, "scalar or matrix product", _dot),
        Function("cos_similarity", xy, "cosine of the angle between", _cos_similarity),
        Function("trace", x, "sum of the diagonal", _trace),
        Function("transpose", x, "axes in reverse order", _transpose),
        Function("diag", x, "diagonal of a matrix, or matrix of a diagonal", _diag),
        Function("size", x, "number of elements", _size),
        Function("shape", x, "length of one axis", _shape, "required"),
        Function("rank", x, "number of axes", _rank),
    )


FUNCTIONS = {function.name: function for function in _table()}
