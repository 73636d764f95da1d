"""PyTorch's functions that NumPy computes here too, in float64, from the operands of a capture."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from engine.arrays import Array

Attributes = Mapping[str, Any]
Compute = Callable[[Sequence[Array], Attributes], Array]
VIEW: Final = re.compile(r"(?P<name>[a-z_]+)\((?P<arguments>[-\d, ]*)\)(?:\[(?P<part>\d+)\])?")


class Unknown(Exception):
    """A function, a view or an argument that is not known here."""


def dims(attributes: Attributes) -> tuple[int, ...] | None:
    """The axes that a reduction goes over; None for all."""
    found = attributes.get("dim")
    if found is None:
        return None
    listed = found if isinstance(found, list | tuple) else [found]
    if not all(isinstance(one, int) for one in listed):
        raise Unknown("dim")
    return tuple(listed)


def second(operands: Sequence[Array], attributes: Attributes, name: str = "other") -> Any:
    """The second operand: a tensor, or a number among the arguments."""
    if len(operands) > 1:
        return operands[1]
    found = attributes.get(name)
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise Unknown(name)
    return found


def linear(operands: Sequence[Array], attributes: Attributes) -> Array:
    """x Wᵀ + b."""
    found: Array = operands[0] @ np.swapaxes(operands[1], -1, -2)
    return np.asarray(found + operands[2]) if len(operands) > 2 else found


def gelu(operands: Sequence[Array], attributes: Attributes) -> Array:
    """x Φ(x), exactly or by tanh."""
    x = operands[0]
    if attributes.get("approximate", "none") == "tanh":
        inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return np.asarray(0.5 * x * (1 + np.tanh(inner)))
    erf = np.vectorize(math.erf, otypes=[np.float64])
    found: Array = 0.5 * x * (1 + erf(x / math.sqrt(2)))
    return found


def log_softmax(operands: Sequence[Array], attributes: Attributes) -> Array:
    """x − log Σ exp x along an axis."""
    axes = dims(attributes)
    if axes is None or len(axes) != 1:
        raise Unknown("dim")
    x = operands[0] - operands[0].max(axis=axes[0], keepdims=True)
    found: Array = x - np.log(np.exp(x).sum(axis=axes[0], keepdims=True))
    return found


def reduced(values: Array, attributes: Attributes) -> Array:
    """The mean or the sum, as a loss asks for it."""
    how = attributes.get("reduction", "mean")
    if how in ("mean", 1):
        return np.asarray(values.mean())
    if how in ("sum", 2):
        return np.asarray(values.sum())
    raise Unknown("reduction")


def nll_loss(operands: Sequence[Array], attributes: Attributes) -> Array:
    """−x at the target's class, of rows (N, classes)."""
    x, target = operands[:2]
    ignored = attributes.get("ignore_index", -100)
    smooth = attributes.get("label_smoothing", 0.0)
    if len(operands) > 2 or x.ndim != 2 or target.ndim != 1 or smooth:
        raise Unknown("target")
    classes = target.astype(np.int64)
    inside = classes.size and 0 <= classes.min() <= classes.max() < x.shape[1]
    if not inside or (classes == ignored).any():
        raise Unknown("target")
    return reduced(-x[np.arange(len(classes)), classes], attributes)


def cross_entropy(operands: Sequence[Array], attributes: Attributes) -> Array:
    """nll_loss of log_softmax."""
    logs = log_softmax(operands[:1], {"dim": 1})
    return nll_loss([logs, *operands[1:]], attributes)


def layer_norm(operands: Sequence[Array], attributes: Attributes) -> Array:
    """Rows with mean 0 and variance 1, scaled and shifted."""
    x, *rest = operands
    shape = attributes.get("normalized_shape")
    count = len(shape) if isinstance(shape, list) else 0
    if not 0 < count <= x.ndim:
        raise Unknown("normalized_shape")
    axes = tuple(range(-count, 0))
    middle = x - x.mean(axis=axes, keepdims=True)
    eps = attributes.get("eps", 1e-5)
    found = middle / np.sqrt((middle**2).mean(axis=axes, keepdims=True) + eps)
    found = found * rest[0] if rest else found
    return np.asarray(found + rest[1] if len(rest) > 1 else found)


def embedding(operands: Sequence[Array], attributes: Attributes) -> Array:
    """Rows of a table by index."""
    first, other = operands
    indices, table = (first, other) if other.ndim == 2 and first.ndim != 2 else (other, first)
    found: Array = table[indices.astype(np.int64)]
    return found


def reduction(how: Callable[..., Any]) -> Compute:
    """A reduction over axes or everything."""

    def compute(operands: Sequence[Array], attributes: Attributes) -> Array:
        keep = bool(attributes.get("keepdim", False))
        return np.asarray(how(operands[0], axis=dims(attributes), keepdims=keep))

    return compute


def elementwise(how: Callable[[Array], Array]) -> Compute:
    """A function of each element."""
    return lambda operands, attributes: how(operands[0])


def binary(how: Callable[[Any, Any], Array], name: str = "other") -> Compute:
    """A function of two operands, the second perhaps a number."""

    def compute(operands: Sequence[Array], attributes: Attributes) -> Array:
        if attributes.get("alpha", 1) != 1 or attributes.get("rounding_mode"):
            raise Unknown("alpha")
        return np.asarray(how(operands[0], second(operands, attributes, name)))

    return compute


def sgd(operands: Sequence[Array], attributes: Attributes) -> Array:
    """θ − lr g, without momentum; weight decay is added to g."""
    if len(operands) != 2 or attributes.get("momentum") or attributes.get("maximize"):
        raise Unknown("momentum")
    theta, gradient = operands
    pull = attributes.get("weight_decay", 0) * theta
    return np.asarray(theta - attributes["lr"] * (gradient + pull))


KNOWN: Final[Mapping[str, Compute]] = {
    "linear": linear,
    "matmul": lambda operands, _: operands[0] @ operands[1],
    "mm": lambda operands, _: operands[0] @ operands[1],
    "bmm": lambda operands, _: operands[0] @ operands[1],
    "relu": elementwise(lambda x: np.maximum(x, 0)),
    "tanh": elementwise(np.tanh),
    "sigmoid": elementwise(lambda x: 1 / (1 + np.exp(-x))),
    "silu": elementwise(lambda x: x / (1 + np.exp(-x))),
    "gelu": gelu,
    "exp": elementwise(np.exp),
    "log": elementwise(np.log),
    "sqrt": elementwise(np.sqrt),
    "neg": elementwise(np.negative),
    "abs": elementwise(np.abs),
    "float": elementwise(lambda x: x),
    "contiguous": elementwise(lambda x: x),
    "clone": elementwise(lambda x: x),
    "add": binary(np.add),
    "sub": binary(np.subtract),
    "mul": binary(np.multiply),
    "div": binary(np.divide),
    "pow": binary(np.power, "exponent"),
    "sum": reduction(np.sum),
    "mean": reduction(np.mean),
    "log_softmax": log_softmax,
    "softmax": lambda operands, attributes: np.exp(log_softmax(operands, attributes)),
    "mse_loss": lambda o, attributes: reduced((o[0] - o[1]) ** 2, attributes),
    "l1_loss": lambda o, attributes: reduced(np.abs(o[0] - o[1]), attributes),
    "nll_loss": nll_loss,
    "cross_entropy": cross_entropy,
    "layer_norm": layer_norm,
    "embedding": embedding,
    "SGD.step": sgd,
}
SUMS: Final = frozenset({"linear", "matmul", "mm", "bmm", "sum", "mean"})


def magnitude(kind: str, operands: Sequence[Array], result: Array) -> Array:
    """How large the terms are that a result is made of: rounding is a share of that."""
    if kind in SUMS and kind not in ("sum", "mean"):
        sizes = [np.abs(one) for one in operands]
        return KNOWN[kind](sizes, {})
    largest = max((float(np.abs(one).max(initial=0)) for one in operands), default=0.0)
    return np.maximum(np.abs(result), largest)


def viewed(array: Array, views: str) -> Array:
    """A tensor as an op has read it: ``view(4, 2).transpose(0, 1)``. Raises Unknown."""
    while views:
        found = VIEW.match(views)
        if found is None:
            raise Unknown(views)
        numbers = [int(one) for one in found["arguments"].replace(" ", "").split(",") if one]
        array = one_view(array, found["name"], numbers, found["part"])
        views = views[found.end() :].removeprefix(".")
    return array


def one_view(array: Array, name: str, numbers: Sequence[int], part: str | None) -> Array:
    """One view of a tensor; Unknown for one that is not known, or does not fit."""
    try:
        match name, numbers:
            case ("view" | "reshape" | "flatten", [*shape]) if shape and name != "flatten":
                return array.reshape(shape)
            case "transpose", [a, b]:
                return np.swapaxes(array, a, b)
            case "t", []:
                return array.T
            case "permute", [*axes]:
                return array.transpose(axes)
            case "unsqueeze", [axis]:
                return np.expand_dims(array, axis)
            case "squeeze", [axis]:
                return array.squeeze(axis)
            case "expand", [*shape]:
                sizes = [n if n >= 0 else m for n, m in zip(shape, array.shape, strict=True)]
                return np.broadcast_to(array, sizes)
            case "split", [size, axis] if part is not None:
                return np.split(array, range(size, array.shape[axis], size), axis)[int(part)]
    except (ValueError, IndexError) as problem:
        raise Unknown(name) from problem
    raise Unknown(name)
