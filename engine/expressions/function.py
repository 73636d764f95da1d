"""How functions of NumPy become functions of the language, with sizes and cost checked first.

The table of them is not here: the parser takes it as an argument.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.expressions.values import Array, Evaluation, Refused, Value, broadcast_size, simple

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


def floating(evaluation: Evaluation, value: Value) -> Value:
    """The value in floating point: NumPy would take exp of truth values in half precision."""
    if not isinstance(value, np.ndarray):
        return float(value)
    if value.dtype.kind == "f":
        return value
    evaluation.charge(value.size, value.size)
    return value.astype(np.float64)


def numeric(evaluation: Evaluation, value: Value) -> Value:
    """The value with truth values as 0 and 1."""
    if not isinstance(value, np.ndarray):
        return int(value) if isinstance(value, bool) else value
    if value.dtype.kind != "b":
        return value
    evaluation.charge(value.size, value.size)
    return value.astype(np.int64)


def elementwise(
    operation: Callable[..., Any],
    prepare: Callable[[Evaluation, Value], Value] = numeric,
    work: int = 1,
    temporaries: int = 0,
) -> Call:
    def call(evaluation: Evaluation, *arguments: Value) -> Value:
        values = [prepare(evaluation, argument) for argument in arguments]
        size = broadcast_size(values)
        evaluation.charge(size * work, size * (1 + temporaries))
        return simple(operation(*values))

    return call


def transcendental(operation: Callable[..., Any]) -> Call:
    return elementwise(operation, floating, TRANSCENDENTAL)


def as_is(evaluation: Evaluation, value: Value) -> Value:
    return value


def reduced_shape(array: Array, axis: int | None) -> tuple[int, ...]:
    if axis is None:
        return ()
    check_axis(array, axis)
    sizes = list(array.shape)
    del sizes[axis]
    return tuple(sizes)


def check_axis(array: Array, axis: int) -> None:
    if not -array.ndim <= axis < array.ndim:
        raise Refused(f"axis {axis} is beyond the {array.ndim} axes of shape {array.shape}")


def reduction(
    operation: Callable[[Array, int | None], Any], work: int = 1, temporaries: int = 0
) -> Call:
    def call(evaluation: Evaluation, value: Value, axis: int | None = None) -> Value:
        array = np.asarray(value)
        made = math.prod(reduced_shape(array, axis))
        evaluation.charge(array.size * work + made, array.size * temporaries + made)
        return simple(operation(array, axis))

    return call


def or_nan(operation: Callable[..., Any]) -> Callable[[Array, int | None], Any]:
    """NaN for the mean of nothing, without the warning that NumPy gives whatever errstate says."""

    def reduce(array: Array, axis: int | None) -> Any:
        count = array.size if axis is None else array.shape[axis]
        if count:
            return operation(array, axis=axis)
        return np.full(reduced_shape(array, axis), np.nan)

    return reduce


Functions = Mapping[str, Function]
