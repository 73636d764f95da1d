"""The functions of layers as trees: what lines have for them."""

from engine.functions.elementwise.dropout import Dropout
from engine.functions.elementwise.identity import Identity
from engine.functions.function import Elementwise
from engine.functions.glu import GLU
from engine.functions.linear import Linear
from engine.functions.losses.loss import Loss
from engine.functions.prelu import PReLU
from engine.functions.softmax import LogSoftmax, Softmax
from engine.lines.algebra import PRODUCT
from engine.lines.elementwise import Activated
from engine.lines.losses import LossOf
from engine.lines.node import Node as Tree
from engine.lines.node import Tensor, call, tensor
from engine.lines.softmaxes import LOG_SOFTMAX_OF, SOFTMAX_OF
from engine.lines.table import gated, linear, sloped
from engine.program.graph import Node

LAST = (("axis", -1),)


def layer_tree(node: Node, rows: int, mask: str) -> Tree | None:
    """The output of a layer for so many rows; None for a kind that lines have not.

    ``mask`` is the name of the mask that dropout multiplies with.
    """
    function, x = node.layer.function, layer_input(node, rows)
    if isinstance(function, Linear):
        own = [parameter(node, role) for role in node.layer.parameters]
        return linear(x, *own)
    if isinstance(function, Identity):
        return x
    if isinstance(function, Dropout):
        return call(PRODUCT, (x, tensor(mask, x.shape, symbol=node.symbols["mask"])))
    if isinstance(function, Softmax | LogSoftmax):
        kind = SOFTMAX_OF if isinstance(function, Softmax) else LOG_SOFTMAX_OF
        return call(kind, (x,), LAST)
    if isinstance(function, Elementwise):
        return call(Activated(function), (x,))
    if isinstance(function, PReLU):
        return sloped(x, parameter(node, "weight"))
    return gated(x, -1) if isinstance(function, GLU) else None


def layer_input(node: Node, rows: int) -> Tensor:
    """What a layer reads."""
    return tensor(node.input, (rows, node.layer.inputs), symbol=node.symbols["input"])


def layer_output(node: Node, rows: int) -> Tensor:
    """What a layer makes."""
    return tensor(node.output, (rows, node.layer.outputs), symbol=node.symbols["output"])


def parameter(node: Node, role: str) -> Tensor:
    """A parameter of a layer."""
    shape = node.layer.parameters[role]
    return tensor(node.tensor(role), shape, symbol=node.symbols[role])


def loss_tree(loss: Loss, yhat: Tensor, shape: tuple[int, ...], whole: bool) -> Tree:
    """The loss of a prediction, and targets of this shape; ``whole`` ones are classes."""
    return call(LossOf(loss), (yhat, tensor("y", shape, "whole" if whole else "real")))
