"""PyTorch's functions as equations in gradstep's own language of lines, where it has the same.

An equation is a text over names for the operands: the engine reads it as a line, which has a value
and derivatives, and an experiment file has it as it stands.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from engine.arrays import Shape
from engine.capture.known import Unknown
from engine.capture.messages import OpDefinition
from engine.capture.operands import Operand, permuted, seen_through
from engine.functions.function import Elementwise
from engine.functions.table import ACTIVATIONS

Attributes = Mapping[str, Any]
OFF: Final[tuple[Any, ...]] = (None, False, 0, 0.0, [], -100, "none")
REDUCTIONS: Final = {1: "mean", 2: "sum", "mean": "mean", "sum": "sum"}
MOST_TEXT: Final = 10_000  # characters of an equation: attributes come from a file


Write = Callable[[Sequence[Operand], Attributes], str]


def equation(
    op: OpDefinition,
    arguments: Attributes,
    names: Sequence[str],
    shapes: Sequence[Shape],
    batch: int = 0,
) -> str:
    """The right side of the equation of an op, over names of its operands.

    ``arguments`` are what the op was called with beside tensors; ``batch`` is how many rows the
    batch has where views shall name that as N. Raises Unknown, with the function
    or the argument that the engine has not.
    """
    kind = op.kind if op.kind.startswith("__") else op.kind.rstrip("_")
    write = WRITTEN.get(kind)
    if write is None:
        raise Unknown(f"{op.kind} is no function of the engine's")
    views = op.views if len(op.views) == len(op.reads) else ("",) * len(op.reads)
    operands = [
        seen_through(Operand(name, tuple(shape), batch), view)
        for name, shape, view in zip(names, shapes, views, strict=True)
    ]
    text = write(operands, arguments)
    if len(text) > MOST_TEXT:
        raise Unknown(f"{op.kind} takes more than {MOST_TEXT:,} characters")
    return text


# -- arguments


def only(attributes: Attributes, *names: str) -> dict[str, Any]:
    """The arguments of these names; Unknown where another one says something."""
    for name, value in attributes.items():
        if name not in names and value not in OFF:
            raise Unknown(f"{name}={value}")
    return {name: attributes[name] for name in names if name in attributes}


def number(value: Any) -> str:
    """A number as it is written; Unknown for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise Unknown(f"{value!r} is no number")
    return repr(value)


def whole(value: Any) -> int:
    """A whole number; Unknown for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unknown(f"{value!r} is no whole number")
    return value


def sizes(value: Any) -> str:
    """One whole number, or several in brackets."""
    listed = value if isinstance(value, list | tuple) else [value]
    found = [str(whole(one)) for one in listed]
    return found[0] if len(found) == 1 else f"({', '.join(found)})"


def spatial(attributes: Attributes, *names: str) -> list[str]:
    """Options of windows, those that say something."""
    found = only(attributes, *names, "groups", "ceil_mode", "count_include_pad")
    kept = {name: found[name] for name in names if found.get(name) not in (None, [])}
    return [f"{name}={sizes(value)}" for name, value in kept.items() if not usual(name, value)]


def usual(name: str, value: Any) -> bool:
    """Whether an option of windows says nothing: a padding of 0, a dilation of 1."""
    listed = value if isinstance(value, list | tuple) else [value]
    return name != "stride" and set(listed) == {0 if name == "padding" else 1}


# -- functions


def linear(operands: Sequence[Operand], attributes: Attributes) -> str:
    """x Wᵀ + b."""
    only(attributes)
    return f"linear({', '.join(one.text for one in operands)})"


def matmul(operands: Sequence[Operand], attributes: Attributes) -> str:
    """a @ b."""
    only(attributes)
    first, second = operands
    return f"({first.text}) @ ({second.text})"


def convolution(axes: int) -> Write:
    """A convolution with its options."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        options = spatial(attributes, "stride", "padding", "dilation")
        groups = whole(attributes.get("groups", 1))
        options += [f"groups={groups}"] if groups != 1 else []
        words = [one.text for one in operands]
        return f"conv{axes}d({', '.join([*words, *options])})"

    return write


def pool(word: str, largest: bool) -> Write:
    """A pool with its options."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        if attributes.get("return_indices") or attributes.get("divisor_override"):
            raise Unknown(f"{word} with more than a window")
        names = ("stride", "padding", *(["dilation"] if largest else []))
        given = {k: v for k, v in attributes.items() if k != "kernel_size"}
        options = spatial(given, *names)
        options += ["ceil_mode=True"] if attributes.get("ceil_mode") else []
        if not largest and attributes.get("count_include_pad") is False:
            options.append("count_include_pad=False")
        kernel = sizes(attributes.get("kernel_size"))
        return f"{word}({', '.join([operands[0].text, kernel, *options])})"

    return write


def activation(kind: type[Elementwise]) -> Write:
    """An activation of the engine's with its options, which have PyTorch's names."""
    own = [one.name for one in fields(kind)]

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        found = only({k: v for k, v in attributes.items() if k != "inplace"}, *own)
        words = [
            f"{name}={value!r}" if isinstance(value, str) else f"{name}={number(value)}"
            for name, value in found.items()
        ]
        return f"{kind.type}({', '.join([operands[0].text, *words])})"

    return write


def plain(word: str) -> Write:
    """A function of one operand without options."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        only({k: v for k, v in attributes.items() if k not in IDLE})
        return word.format(operands[0].text)

    return write


IDLE: Final = ("inplace", "memory_format", "dtype", "copy", "non_blocking")


def binary(sign: str, name: str = "other", turned: bool = False) -> Write:
    """Two operands and a sign between them; the second one may be a number."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        found = only({k: v for k, v in attributes.items() if (k, v) != ("alpha", 1)}, name)
        second = operands[1].text if len(operands) > 1 else number(found.get(name))
        first, second = f"({operands[0].text})", f"({second})"
        return f"{second} {sign} {first}" if turned else f"{first} {sign} {second}"

    return write


def reduction(word: str) -> Write:
    """A sum or a mean over axes, or over everything."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        found = only(attributes, "dim", "keepdim")
        options = [f"axis={sizes(found['dim'])}"] if found.get("dim") not in (None, []) else []
        options += ["keepdims=True"] if found.get("keepdim") else []
        return f"{word}({', '.join([operands[0].text, *options])})"

    return write


def along(word: str) -> Write:
    """softmax or its logarithm along an axis."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        kept = {k: v for k, v in attributes.items() if k != "_stacklevel"}
        axis = whole(only(kept, "dim").get("dim"))
        return f"{word}({operands[0].text}, axis={axis})"

    return write


def loss(word: str) -> Write:
    """A loss of the engine's: of rows and a target, its reduction PyTorch's."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        found = only(attributes, "reduction", *SMOOTHED.get(word, ()))
        reduction = REDUCTIONS.get(found.get("reduction", "mean"))
        if reduction is None or len(operands) != 2:
            raise Unknown(f"{word} without a reduction, or with weights")
        yhat, y = operands
        classes = word in ("nll", "cross_entropy")
        if classes and (len(yhat.shape) != 2 or len(y.shape) != 1):
            raise Unknown(f"{word} of other than rows and classes")
        if not classes and yhat.shape != y.shape:
            raise Unknown(f"{word} of tensors that broadcast")
        options = [f'reduction="{reduction}"']
        if found.get("label_smoothing"):
            options.append(f"label_smoothing={number(found['label_smoothing'])}")
        return f"{word}({yhat.text}, {y.text}, {', '.join(options)})"

    return write


SMOOTHED: Final = {"cross_entropy": ("label_smoothing",)}


def layer_norm(operands: Sequence[Operand], attributes: Attributes) -> str:
    """Over the axes that γ has."""
    kept = {k: v for k, v in attributes.items() if k != "cudnn_enable"}
    found = only(kept, "normalized_shape", "eps")
    if len(operands) < 2 or list(operands[1].shape) != list(found.get("normalized_shape", ())):
        raise Unknown("layer_norm without a weight")
    words = [one.text for one in operands]
    return f"layer_norm({', '.join(words)}, eps={number(found.get('eps', 1e-5))})"


def batch_norm(operands: Sequence[Operand], attributes: Attributes) -> str:
    """With the statistics of the batch; those that it keeps are no part of the result."""
    found = only({**attributes, "cudnn_enabled": None, "momentum": None}, "training", "eps")
    if found.get("training") is not True or len(operands) not in (3, 5):
        raise Unknown("batch_norm in evaluation, or without a weight")
    words = [one.text for one in operands[:3]]
    return f"batch_norm({', '.join(words)}, eps={number(found.get('eps', 1e-5))})"


def dropout(operands: Sequence[Operand], attributes: Attributes) -> str:
    """In evaluation the same as it is."""
    if attributes.get("train", attributes.get("training")) is not False and attributes.get("p"):
        raise Unknown("its mask was not kept")
    return f"1 * ({operands[0].text})"


def embedding(operands: Sequence[Operand], attributes: Attributes) -> str:
    """Rows of a table by index."""
    only({k: v for k, v in attributes.items() if (k, v) != ("padding_idx", -1)})
    first, other = operands
    table, index = (other, first) if other.shape[1:] and len(first.shape) != 2 else (first, other)
    return f"embedding({table.text}, {index.text})"


def attention(operands: Sequence[Operand], attributes: Attributes) -> str:
    """softmax(q kᵀ/√d) v, with −∞ where it is causal."""
    found = only(attributes, "is_causal", "scale")
    if len(operands) != 3:
        raise Unknown("scaled_dot_product_attention with a mask")
    q, k, v = operands
    if found.get("scale") is not None or len(k.shape) < 2:
        raise Unknown("scaled_dot_product_attention with a scale")
    rank = len(k.shape)
    turned = permuted(k, [*range(rank - 2), rank - 1, rank - 2])
    scores = f"({q.text}) @ ({turned.text}) / {float(k.shape[-1]) ** 0.5!r}"
    scores = f"causal({scores})" if found.get("is_causal") else scores
    return f"softmax({scores}) @ ({v.text})"


def joined(word: str) -> Write:
    """Tensors joined along an axis."""

    def write(operands: Sequence[Operand], attributes: Attributes) -> str:
        axis = whole(only(attributes, "dim").get("dim", 0))
        return f"{word}({', '.join(one.text for one in operands)}, axis={axis})"

    return write


SAME: Final = ("float", "double", "to", "type", "clone", "contiguous")
WRITTEN: Final[Mapping[str, Write]] = {
    **{
        name: activation(kind)
        for kind in ACTIVATIONS
        for name in (kind.type, kind.torch.lower())
        if issubclass(kind, Elementwise) and kind.type not in ("dropout", "identity")
    },
    **{name: plain("1 * ({})") for name in SAME},
    **{name: plain(f"{name}({{}})") for name in ("exp", "log", "sqrt", "abs")},
    "neg": plain("-({})"),
    "square": plain("({}) ** 2"),
    "linear": linear,
    "matmul": matmul,
    "__matmul__": matmul,
    "mm": matmul,
    "bmm": matmul,
    "conv1d": convolution(1),
    "conv2d": convolution(2),
    "max_pool1d": pool("max_pool1d", True),
    "max_pool2d": pool("max_pool2d", True),
    "avg_pool1d": pool("avg_pool1d", False),
    "avg_pool2d": pool("avg_pool2d", False),
    "add": binary("+"),
    "sub": binary("-"),
    "rsub": binary("-", turned=True),
    "mul": binary("*"),
    "div": binary("/"),
    "true_divide": binary("/"),
    "pow": binary("**", "exponent"),
    "sum": reduction("sum"),
    "mean": reduction("mean"),
    "softmax": along("softmax"),
    "log_softmax": along("log_softmax"),
    "mse_loss": loss("mse"),
    "l1_loss": loss("l1"),
    "nll_loss": loss("nll"),
    "cross_entropy": loss("cross_entropy"),
    "binary_cross_entropy": loss("bce"),
    "binary_cross_entropy_with_logits": loss("bce_with_logits"),
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "dropout": dropout,
    "embedding": embedding,
    "scaled_dot_product_attention": attention,
    "cat": joined("concat"),
    "stack": joined("stack"),
}
