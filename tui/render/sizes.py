"""The sizes of tensors in letters, n h K as in a homework; the elements of Jacobians in words."""

from functools import lru_cache

from engine.formulas.symbols import gradient
from engine.formulas.tree import Size
from engine.functions.function import terms
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.worksheet.rows import Gradient
from engine.worksheet.sample import Sample, spelled_layers
from engine.worksheet.worksheet import element_rows, gradient_rows

SPELLED = 40  # where the input of a layer outgrows this, its symbol stands for it


def has_letters(program: Program) -> bool:
    """Whether the sizes of its tensors have the letters of a sequence of layers."""
    return not isinstance(program.network, LineNetwork)


@lru_cache(maxsize=4)
def letters(program: Program) -> dict[str, str]:
    """The letter of the size of each tensor of one sample: n, h, K; a weight has two."""
    sizes = [size.name for size in Sample(program, 0, 0).sizes]
    found = {"x": sizes[0], "loss": "1", "y": sizes[-1]}
    for node, before, after in zip(program.network.nodes, sizes, sizes[1:], strict=False):
        found[node.output] = after
        for role, shape in node.layer.parameters.items():
            one = "1" if shape == (1,) and node.layer.outputs > 1 else after
            found[node.tensor(role)] = after + before if len(shape) > 1 else one
    return found


def dims_letters(program: Program, of: str, wrt: str, batch: bool = False) -> tuple[str, str]:
    """``K`` and ``h`` for a Jacobian of one sample; ``NK`` and ``Nh`` for one of N samples."""
    return size_letters(program, of, batch), size_letters(program, wrt, batch)


def size_letters(program: Program, name: str, batch: bool) -> str:
    """The letters of the size of a tensor; what has a row for each sample has N times as many."""
    rows = batch and program.tensors[name].per_sample
    return f"N{letters(program)[name]}" if rows else letters(program)[name]


def weight_letters(program: Program, weight: str) -> tuple[str, str]:
    """``n`` and ``h``: the sizes of a weight's gradient in numerator layout, (in, out)."""
    name = program.tensors[weight].layer
    node = next(node for node in program.network.nodes if node.name == name)
    return letters(program)[node.input], letters(program)[node.output]


@lru_cache(maxsize=4)
def rules(program: Program) -> dict[tuple[str, str], str]:
    """The rule of the elements of each Jacobian of a layer or the loss, by the two symbols."""
    rows = element_rows(Sample(program, 0, 0))
    return {(row.symbol.of, row.symbol.wrt): row.rule.text() for row in rows}


@lru_cache(maxsize=4)
def products(program: Program) -> dict[str, Gradient]:
    """The product that makes the gradient of each parameter."""
    rows = gradient_rows(Sample(program, 0, spelled_layers(program, SPELLED)))
    return {row.parameter: row for row in rows}


def element_rule(program: Program, of: str, wrt: str) -> str:
    """What an element of ∂of/∂wrt is; empty where the two are not neighbours."""
    info, other = program.tensors[of], program.tensors[wrt]
    if of == wrt:
        return "I"
    if not has_letters(program):
        return ""
    known = rules(program).get((info.symbol, other.symbol))
    if known is not None:
        return f"({gradient(other.symbol)})ᵢ = {known}" if info.role == "loss" else known
    node = next((n for n in program.network.nodes if n.output == of), None)
    if node is not None and node.input == wrt:
        return node.layer.function.derivative(terms(node.symbols), Size("K")).text()
    if node is None or other.layer != node.name or other.role != "parameter":
        return ""
    role = next(role for role in node.layer.parameters if node.tensor(role) == wrt)
    before, after = node.layer.function.around(role, terms(node.symbols))
    if after is not None:
        return after.text()
    if before is None:  # a bias
        return "1 if i = j, else 0"
    return f"∂{info.symbol}ᵢ/∂{other.symbol}ₖⱼ = {node.symbols['input']}ⱼ if i = k, else 0"
