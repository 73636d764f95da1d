"""A captured multilayer perceptron as layers: linear ones and activations in a chain, a loss."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.arrays import Array
from engine.capture.captured import CapturedRun
from engine.capture.definitions import ENTERS
from engine.capture.messages import OpDefinition
from engine.errors import GradstepError
from engine.run.phases import Phase

ACTIVATIONS: Final[Mapping[str, Mapping[str, str]]] = {
    "relu": {},
    "tanh": {},
    "sigmoid": {},
    "silu": {},
    "softplus": {},
    "gelu": {},
    "leaky_relu": {"negative_slope": "negative_slope"},
    "elu": {"alpha": "alpha"},
}
LOSSES: Final[Mapping[str, str]] = {
    "mse_loss": "mse",
    "l1_loss": "l1",
    "binary_cross_entropy": "bce",
    "binary_cross_entropy_with_logits": "bce_with_logits",
    "cross_entropy": "cross_entropy",
}


@dataclass
class Network:
    """What was found on the way from the input to the loss."""

    layers: list[dict[str, Any]] = field(default_factory=list)
    x: int = -1
    y: int = -1
    loss: dict[str, Any] = field(default_factory=dict)


def refuse(op: OpDefinition | None, why: str) -> GradstepError:
    """The error for what the engine does not have."""
    if op is None:
        return GradstepError(f"no experiment can be made of this script: {why}")
    place = f" at {op.file}:{op.line}" if op.file else ""
    return GradstepError(f"no experiment can be made of this script: {op.kind}{place}: {why}")


def network(run: CapturedRun) -> Network:
    """The layers and the loss, with the parameters' first values."""
    stored, found = run.stored, Network()
    shape = stored.shapes[stored.index[0].shape]
    ops = [stored.ops[number] for number in shape.ops if number < ENTERS]
    forward = [op for op in ops if op.phase == Phase.FORWARD]
    last: int | None = None
    values = run.source.initial()
    for at, op in enumerate(forward):
        if any(op.views) or len(op.writes) != 1:
            raise refuse(op, "its operands are seen through views, or it makes several tensors")
        if op.kind in LOSSES or is_square(forward[at:], last):
            found.loss, found.y = loss_of(run, forward[at:], last)
            return found
        if last is None:
            found.x = op.reads[0]
        elif op.reads[0] != last:
            raise refuse(op, "the network is no chain of layers")
        found.layers.append(layer(run, op, values))
        last = op.writes[0]
    raise refuse(None, "no loss that the engine knows")


def layer(run: CapturedRun, op: OpDefinition, values: Mapping[str, Array]) -> dict[str, Any]:
    """A layer of a forward op."""
    if op.kind in ACTIVATIONS:
        attributes = op.attributes or {}
        if attributes.get("approximate", "none") != "none":
            raise refuse(op, "an approximation that the engine has not")
        named = ACTIVATIONS[op.kind].items()
        return {"type": op.kind} | {
            ours: attributes[name] for name, ours in named if name in attributes
        }
    if op.kind != "linear" or len(op.reads) not in (2, 3):
        raise refuse(op, "the engine's layers are linear ones and activations here")
    tensors = [run.stored.tensors[number] for number in op.reads[1:]]
    for tensor in tensors:
        if tensor.name not in values:
            raise refuse(op, f"the first value of {tensor.name} was not kept in full")
    weight = values[tensors[0].name]
    bias: Any = values[tensors[1].name].tolist() if len(tensors) > 1 else False
    return {"type": "linear", "out": weight.shape[0], "weight": weight.tolist(), "bias": bias}


def is_square(ops: Sequence[OpDefinition], last: int | None) -> bool:
    """Whether ops are ``((yhat - y)**2).mean()``, or its sum."""
    if len(ops) < 3 or last is None:
        return False
    first, second, third = ops[:3]
    squared = second.kind == "pow" and (second.attributes or {}).get("exponent") == 2
    whole = third.kind in ("mean", "sum") and not (third.attributes or {}).get("dim")
    chained = second.reads == first.writes and third.reads == second.writes
    return first.kind == "sub" and last in first.reads and squared and whole and chained


def loss_of(
    run: CapturedRun, ops: Sequence[OpDefinition], last: int | None
) -> tuple[dict[str, Any], int]:
    """The loss, and the number of the target."""
    first = ops[0]
    targets = [number for number in first.reads if number != last]
    of_loss = ops[:1] if first.kind in LOSSES else ops[:3]
    if last not in first.reads or len(targets) != 1:
        raise refuse(first, "it is not taken of the output and one target")
    result = run.stored.tensors[of_loss[-1].writes[0]]
    if result.name != run.loss or len(ops) != len(of_loss):
        raise refuse(ops[-1], "the loss has more in it")
    if first.kind in LOSSES:
        attributes = dict(first.attributes or {})
        told = attributes.pop("reduction", "mean")
        reduction = {1: "mean", 2: "sum"}.get(told, told)  # PyTorch's own numbers of them
        more = [name for name, value in attributes.items() if value not in (None, 0.0, -100)]
        if more or reduction not in ("mean", "sum"):
            raise refuse(first, f"with {more or reduction}")
        return {"type": LOSSES[first.kind], "reduction": reduction}, targets[0]
    return {"type": "mse", "reduction": of_loss[-1].kind}, targets[0]
