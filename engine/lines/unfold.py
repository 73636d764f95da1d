"""A line as the lines of its functions: each a tensor of its own, in the order of computing."""

from dataclasses import replace

from engine.lines.algebra import Fill, Permute, Reshape
from engine.lines.line import Line
from engine.lines.node import Call, Node, formula, ordered, rebuilt, tensor
from engine.lines.structure import Real

MAX_NAME = 40
WORDS = {
    "+": "sum",
    "-": "difference",
    "*": "product",
    "/": "ratio",
    "**": "power",
    "@": "matmul",
    ">": "above",
    "<": "below",
}


def is_step(node: Node) -> bool:
    """Whether a node is a step of its own: what only moves or repeats, or says places, is not."""
    if not isinstance(node, Call) or node.kind == "whole":
        return False
    return not isinstance(node.function, Permute | Reshape | Fill | Real) and bool(node.operands)


def unfolded(line: Line) -> list[Line]:
    """The lines of a line's functions; the last one makes its tensor. One function is itself."""
    root = expanded(line.root)
    steps = [node for node in ordered(root) if is_step(node) and node is not root]
    made: dict[Node, Node] = {}
    out: list[Line] = []
    counts: dict[str, int] = {}
    for node in steps:
        assert isinstance(node, Call)
        word = WORDS.get(node.function.name, node.function.name)
        counts[word] = counts.get(word, 0) + 1
        name = f"{line.name}.{word}{counts[word]}"
        tree = rebuilt(node, {k: v for k, v in made.items() if k is not node})
        own = tensor(name, node.shape, node.kind)
        text = f"{name} = {formula(tree).text()}"
        out.append(Line(name, text, line.number, tree, line.column, line.layer, line.name))
        made[node] = own
    last = rebuilt(root, made)
    text = line.text if not out else f"{line.name} = {formula(last).text()}"
    return [*out, replace(line, root=last, text=text, whole=line.name if out else line.whole)]


def expanded(root: Node) -> Node:
    """A tree with functions that have a definition in others replaced by it."""
    made: dict[Node, Node] = {}
    for node in ordered(root):
        if isinstance(node, Call):
            again = rebuilt(node, {k: v for k, v in made.items() if k in node.operands})
            definition = None
            if isinstance(again, Call):
                definition = again.function.definition(again)
            found = again if definition is None else expanded(definition)
            if found is not node:
                made[node] = found
    return made.get(root, root)
