"""The functions of lines in PyTorch: for each node of a tree an expression."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from engine.errors import GradstepError
from engine.functions.losses.loss import Loss
from engine.lines.algebra import Fill
from engine.lines.elementwise import Activated
from engine.lines.losses import LossOf, Terms
from engine.lines.node import Call, Constant, Node, ordered
from engine.lines.structure import Real

INFIX = frozenset({"+", "-", "*", "/", "**", ">", "<", ">=", "<=", "==", "!="})
PLAIN = {"abs": "abs", "square": "square", "sign": "sign", "exp": "exp", "sin": "sin", "cos": "cos"}
PLAIN |= {"log": "log", "log2": "log2", "log10": "log10", "sqrt": "sqrt", "floor": "floor"}
PLAIN |= {"ceil": "ceil", "round": "round", "@": "matmul"}
PLAIN |= {"maximum": "maximum", "minimum": "minimum"}
KNOWN = {"relu": "torch.relu", "sigmoid": "torch.sigmoid", "tanh": "torch.tanh"}
FOLDS = {"sum": "sum", "mean": "mean", "max": "amax", "min": "amin", "prod": "prod"}
FOLDS |= {"logsumexp": "logsumexp", "norm": "linalg.vector_norm", "var": "var", "std": "std"}
WEIGHTS = ("weight", "pos_weight")  # options of a loss that PyTorch takes as tensors


def expression(node: Node, operands: Sequence[str], dtype: str) -> str:
    """One node as an expression of its operands' expressions.

    A GradstepError names a function that has no form here.
    """
    if isinstance(node, Constant):
        return f"({node.value!r})" if node.value < 0 else repr(node.value)
    assert isinstance(node, Call)
    function, name = node.function, getattr(node.function, "name", "")
    if isinstance(function, LossOf | Terms):
        return loss_call(function.loss, operands, isinstance(function, Terms))
    if isinstance(function, Real):
        return f"{operands[0]}.to(torch.{dtype})"
    if name in INFIX:
        left, right = operands
        return f"({left} {name} {right})"
    given = [text if is_tensor(one) else f"torch.as_tensor({text})" for one, text in zip(
        node.operands, operands, strict=True
    )]  # fmt: skip
    if isinstance(function, Fill):
        return f"{given[0]}.broadcast_to({node.shape!r})"
    if isinstance(function, Activated):
        return activation(function, given[0])
    if name in PLAIN:
        return f"torch.{PLAIN[name]}({', '.join(given)})"
    if name in FOLDS:
        return fold(node, given[0])
    written = WRITTEN.get(name)
    if written is None:
        raise GradstepError(f"{name or type(function).__name__}: it has no form in a script here")
    return written(node, given)


def is_tensor(node: Node) -> bool:
    """Whether an expression is a tensor in PyTorch, and no Python number."""
    made = (Constant, Call)
    return any(
        not isinstance(one, made)
        or (isinstance(one, Call) and getattr(one.function, "name", "") not in INFIX)
        for one in ordered(node)
    )


def activation(function: Activated, inner: str) -> str:
    """An activation by its function, or by its module with the options."""
    options = dataclasses.asdict(function.function)
    if function.name in KNOWN and not options:
        return f"{KNOWN[function.name]}({inner})"
    return f"nn.{function.function.torch}({keywords(options)})({inner})"


def keywords(options: dict[str, Any]) -> str:
    """Options as the text of keyword arguments."""
    return ", ".join(f"{name}={value!r}" for name, value in options.items())


def fold(node: Call, inner: str) -> str:
    """A reduction; PyTorch's product takes one axis at a time, and its logsumexp wants them all."""
    name, axis = node.function.name, node.option("axis")
    rank, kept = node.operands[0].rank, bool(node.option("keepdims"))
    axes = range(rank) if axis is None else (axis,) if isinstance(axis, int) else axis
    found = tuple(sorted(k % rank for k in axes)) if rank else ()
    if name == "prod":
        for k in reversed(found):
            inner = f"torch.prod({inner}, dim={k}, keepdim={kept})"
        return inner
    options: dict[str, Any] = {"dim": found, "keepdim": kept} if found else {}
    if name in ("var", "std"):
        options["correction"] = node.option("correction", 0)
    if name in ("sum", "mean") and len(found) == rank and not kept:
        options = {}
    return f"torch.{FOLDS[name]}({', '.join(filter(None, (inner, keywords(options))))})"


def loss_call(loss: Loss, operands: Sequence[str], terms: bool) -> str:
    """A loss of the table, with its reduction and scale; or what it adds up."""
    options = dataclasses.asdict(loss)
    scale, reduction = options.pop("scale"), options.pop("reduction")
    options.pop("of_rows", None)
    yhat, y = operands
    given = loss.torch_operands.format(yhat=yhat, y=y, **options)
    words = [
        f"{name}=torch.tensor({list(value)!r})" if name in WEIGHTS else f"{name}={value!r}"
        for name, value in options.items()
        if value not in ((), None) and name not in loss.torch_lacks
    ]
    divided = "" if terms else divisor(loss, yhat)
    words.append(f"reduction={('none' if terms else 'sum' if divided else reduction)!r}")
    text = f"F.{loss.torch_function}({', '.join([given, *words])})"
    text = f"({text}{divided})" if divided else text
    return text if terms or scale == 1 else f"({scale!r} * {text})"


def divisor(loss: Loss, yhat: str) -> str:
    """The division of a sum where PyTorch has not this reduction; empty elsewhere."""
    if loss.reduction == "batch_mean":
        return f" / len({yhat})"
    return f" / {yhat}.numel()" if loss.reduction == "mean" and not loss.torch_means else ""


def indexed(node: Call, given: Sequence[str]) -> str:
    """An index; PyTorch has no slices that go backwards."""
    parts = []
    for entry in node.option("entries"):
        match entry:
            case ("slice", _, _, step) if step is not None and step < 0:
                raise GradstepError("a slice with a negative step has no form in PyTorch")
            case ("slice", *ends):
                start, stop, step = ("" if end is None else str(end) for end in ends)
                parts.append(f"{start}:{stop}:{step}" if step else f"{start}:{stop}")
            case ("at", i):
                parts.append(repr(i))
            case ("new",):
                parts.append("None")
            case ("rest",):
                parts.append("...")
            case _:
                parts.append(given[1 + entry[1]])
    return f"{given[0]}[{', '.join(parts) or '...'}]"


def padded(node: Call, given: Sequence[str]) -> str:
    """Zeros around; PyTorch counts the axes from the last."""
    widths = [size for pair in reversed(node.option("widths")) for size in pair]
    return f"F.pad({given[0]}, {tuple(widths)!r})"


def joined(name: str) -> Callable[[Call, Sequence[str]], str]:
    """Tensors joined by a function of PyTorch's."""
    return lambda node, given: f"torch.{name}(({', '.join(given)},), dim={node.option('axis')})"


def along(name: str) -> Callable[[Call, Sequence[str]], str]:
    """A function along one axis."""
    return lambda node, given: f"torch.{name}({given[0]}, dim={node.option('axis', -1)})"


def spatial(node: Call, given: Sequence[str]) -> str:
    """A convolution or its transpose, of one spatial axis or of two."""
    name = f"{node.function.name}{node.rank - 2}d"
    return f"F.{name}({', '.join([*given, keywords(dict(node.options))])})"


def pooled(node: Call, given: Sequence[str]) -> str:
    """A pool over windows; the kernel is called otherwise in PyTorch."""
    options = dict(node.options)
    options["kernel_size"] = options.pop("kernel")
    name = f"{node.function.name}{len(options['kernel_size'])}d"
    return f"F.{name}({given[0]}, {keywords(options)})"


def normalized(node: Call, given: Sequence[str]) -> str:
    """A normalization, without scale and shift: these are functions of their own."""
    eps, parts = node.option("eps"), node.option("parts")
    match node.function.name:
        case "batch_norm":
            return f"F.batch_norm({given[0]}, None, None, training=True, eps={eps!r})"
        case "group_norm":
            return f"F.group_norm({given[0]}, {parts}, eps={eps!r})"
        case _:
            return f"F.layer_norm({given[0]}, {node.shape[-parts:]!r}, eps={eps!r})"


def made(name: str) -> Callable[[Call, Sequence[str]], str]:
    """A tensor of a shape, all of one number."""
    return lambda node, given: f"torch.{name}({node.shape!r})"


WRITTEN: dict[str, Callable[[Call, Sequence[str]], str]] = {
    "negative": lambda node, given: f"(-{given[0]})",
    "transpose": lambda node, given: (
        f"{given[0]}.T" if node.rank == 2 else f"{given[0]}.permute({tuple(node.option('axes'))!r})"
    ),
    "reshape": lambda node, given: f"{given[0]}.reshape({node.shape!r})",
    "where": lambda node, given: f"torch.where({given[0]} != 0, {given[1]}, {given[2]})",
    "clip": lambda node, given: (
        f"torch.clamp({given[0]}, {node.option('low')!r}, {node.option('high')!r})"
    ),
    "softmax": along("softmax"),
    "log_softmax": along("log_softmax"),
    "index": indexed,
    "concat": joined("cat"),
    "stack": joined("stack"),
    "pad": padded,
    "repeat": lambda node, given: (
        f"torch.repeat_interleave({given[0]}, {node.option('times')}, dim={node.option('axis')})"
    ),
    "one_hot": lambda node, given: (
        f"F.one_hot({given[0]}, {node.option('classes')}).to(torch.get_default_dtype())"
    ),
    "conv": spatial,
    "conv_transpose": spatial,
    "max_pool": pooled,
    "places": lambda node, given: "None",  # PyTorch's pool finds them itself
    "avg_pool": pooled,
    "adaptive_avg_pool2d": lambda node, given: (
        f"F.adaptive_avg_pool2d({given[0]}, {node.option('out')!r})"
    ),
    "batch_norm": normalized,
    "layer_norm": normalized,
    "group_norm": normalized,
    "zeros": made("zeros"),
    "ones": made("ones"),
    "range": lambda node, given: f"torch.arange({node.option('size')})",
}
