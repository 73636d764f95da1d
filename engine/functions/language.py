"""The functions of the expression language: NumPy's, and the differentiable ones of networks."""

import math
from collections.abc import Collection, Iterable
from typing import Any

import numpy as np

from engine.expressions import expression
from engine.expressions.expression import Expression
from engine.expressions.function import (
    Function,
    as_is,
    check_axis,
    elementwise,
    floating,
    numeric,
    or_nan,
    reduced_shape,
    reduction,
    transcendental,
)
from engine.expressions.names import complete as completed
from engine.expressions.values import (
    Array,
    Evaluation,
    Refused,
    Value,
    broadcast_size,
    matmul,
    simple,
)
from engine.functions.elementwise.identity import Identity
from engine.functions.elementwise.relu import ReLU
from engine.functions.function import Activation
from engine.functions.table import ACTIVATIONS


def _norm(evaluation: Evaluation, value: Value, axis: int | None = None) -> Value:
    array = np.asarray(floating(evaluation, value))
    made = math.prod(reduced_shape(array, axis))
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
    check_axis(array, axis)
    return int(array.shape[axis])


def _size(evaluation: Evaluation, value: Value) -> Value:
    return int(np.size(value))


def _rank(evaluation: Evaluation, value: Value) -> Value:
    return int(np.ndim(value))


def _differentiable(kind: type[Activation]) -> Function:
    """An activation with its default options, as a function of the language."""
    value = kind().value
    said = (kind.__doc__ or "").partition("\n")[0]
    prepare = numeric if kind is ReLU else floating  # which alone keeps whole numbers whole

    def call(array: Any) -> Any:
        return value(np.asarray(array))

    return Function(
        kind.type, ("x",), said, elementwise(call, prepare, kind.cost, kind.temporaries)
    )


def _table() -> tuple[Function, ...]:
    x, xy = ("x",), ("x", "y")
    wave = transcendental
    each = elementwise
    fold = reduction
    return (
        Function("abs", x, "|x| of each element", each(np.abs), scalar=abs),
        Function("sqrt", x, "square root of each element", each(np.sqrt, floating)),
        Function("exp", x, "e to the power of each element", wave(np.exp)),
        Function("log", x, "natural logarithm", wave(np.log)),
        Function("log10", x, "logarithm to base 10", wave(np.log10)),
        Function("log2", x, "logarithm to base 2", wave(np.log2)),
        Function("sin", x, "sine", wave(np.sin)),
        Function("cos", x, "cosine", wave(np.cos)),
        *(_differentiable(kind) for kind in ACTIVATIONS if kind is not Identity),
        Function("sign", x, "-1, 0 or 1", each(np.sign)),
        Function("floor", x, "the next whole number below", each(np.floor, floating)),
        Function("ceil", x, "the next whole number above", each(np.ceil, floating)),
        Function("round", x, "the nearest whole number, halves to even", each(np.rint, floating)),
        Function("minimum", xy, "the smaller of each pair", each(np.minimum, as_is)),
        Function("maximum", xy, "the larger of each pair", each(np.maximum, as_is)),
        Function("where", ("c", "x", "y"), "x where c, y elsewhere", each(np.where, as_is, 2)),
        Function("clip", ("x", "low", "high"), "x kept within bounds", each(np.clip, work=2)),
        Function("isnan", x, "which elements are NaN", each(np.isnan), scalar=math.isnan),
        Function("isinf", x, "which are infinite", each(np.isinf), scalar=math.isinf),
        Function("isfinite", x, "which are finite", each(np.isfinite), scalar=math.isfinite),
        Function("any", x, "is any element true", fold(np.any), "optional", bool),
        Function("all", x, "are all elements true", fold(np.all), "optional", bool),
        Function("sum", x, "sum", fold(np.sum), "optional"),
        Function("mean", x, "mean", fold(or_nan(np.mean)), "optional"),
        Function("std", x, "standard deviation, over n", fold(or_nan(np.std), 4, 2), "optional"),
        Function("var", x, "variance, over n", fold(or_nan(np.var), 4, 2), "optional"),
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


def compile_expression(text: str, names: Collection[str]) -> Expression:
    """Compile an expression over the known tensor and scalar names; raises `ExpressionError`."""
    return expression.compile_expression(text, names, FUNCTIONS)


def complete(prefix: str, names: Iterable[str]) -> list[str]:
    """What `prefix` may become: its last word completed to a name, a function or a constant."""
    return completed(prefix, names, FUNCTIONS)
