"""The derivatives of a line: for each tensor it reads, the gradient as a tree."""

from collections.abc import Collection

from engine.lines.algebra import fill, plus
from engine.lines.node import Call, Node, Tensor, ordered, rebuilt


def gradients(
    root: Node, seed: Node, wanted: Collection[Tensor], own: Tensor | None
) -> dict[Tensor, Node]:
    """The gradient of each wanted tensor, from ``seed``, that of the line's result.

    Reverse mode over the tree: what flows back to a node is the sum over its uses. Where the
    derivative is made from the result itself, the tensor ``own`` stands for it.
    """
    order = ordered(root)
    needed: set[Node] = set(wanted)
    for node in order:
        if isinstance(node, Call) and any(one in needed for one in node.operands):
            needed.add(node)
    back: dict[Node, Node] = {root: seed}
    for node in reversed(order):
        grad = back.get(node)
        if grad is None or not isinstance(node, Call) or node not in needed:
            continue
        for i, operand in enumerate(node.operands):
            if operand not in needed or operand.kind != "real":
                continue
            found = node.function.pull(node, i, grad)
            if found is not None:
                known = back.get(operand)
                back[operand] = found if known is None else plus(known, found)
    replaced: dict[Node, Node] = {root: own} if own is not None and isinstance(root, Call) else {}
    return {
        tensor: rebuilt(fill(back[tensor], tensor.shape), replaced)
        for tensor in wanted
        if tensor in back
    }


def tangent(root: Node, seeds: dict[Tensor, Node]) -> Node | None:
    """The derivative of a line along tangents of the tensors it reads, by forward mode."""
    along: dict[Node, Node] = dict(seeds.items())
    for node in ordered(root):
        if not isinstance(node, Call) or node in along or node.kind != "real":
            continue
        total: Node | None = None
        for i, operand in enumerate(node.operands):
            if operand in along and operand.kind == "real":
                found = node.function.push(node, i, fill(along[operand], operand.shape))
                total = found if total is None else plus(total, found)
        if total is not None:
            along[node] = fill(total, node.shape)
    return along.get(root)


def kinks(root: Node) -> list[Node]:
    """What changes its sign where the derivative of a line jumps."""
    found: list[Node] = []
    for node in ordered(root):
        if isinstance(node, Call):
            found += node.function.kinks(node)
    return found
