"""The names that an answer may use: tensors as the program, the lines and people write them."""

import unicodedata
from dataclasses import dataclass, field
from functools import cached_property

from engine.functions.elementwise.identity import Identity
from engine.functions.function import Function
from engine.functions.table import ACTIVATIONS
from engine.program.program import Program

ROLES = ("input", "target", "parameter", "constant", "activation", "loss")
LOSS_NAMES = ("ℓ", "l", "L", "loss")
DROPPED = str.maketrans("", "", "(){}^_⁽⁾ ")
MATRICES = {"W", "U", "V", "Θ"}
HATS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde"}


def plain(text: str) -> str:
    """A name without its ornaments: W⁽²⁾, W^{(2)}, W_2 and W2 are all W2; ŷ is yhat."""
    text = text.replace("^{[", "").replace("]}", "")
    flat = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text))
    for mark, word in HATS.items():
        flat = flat.replace(mark, word)
    return flat.translate(DROPPED)


@dataclass(frozen=True, eq=False)
class Names:
    """The tensors of a program by every name they have, and the functions of its layers."""

    program: Program
    letters: frozenset[str]

    @cached_property
    def tensors(self) -> dict[str, str]:
        """The own name of each tensor, by its names and symbols without ornaments."""
        infos = [one for one in self.program.tensors.values() if one.role in ROLES]
        found: dict[str, str] = {}
        for one in infos:
            for name in (one.name, plain(one.name), plain(one.symbol)):
                found.setdefault(name, one.name)
        known = {one.name for one in infos}
        for name, own in self.program.aliases.items():
            if own in known:
                found.setdefault(name, own)
        if self.program.loss is not None:
            for name in LOSS_NAMES:
                found.setdefault(name, self.program.loss)
        for one in self.program.parameters:  # w₁₂ is how people write an element of W
            symbol = plain(one.symbol)
            if symbol[:1] in MATRICES:  # k of K is an index
                found.setdefault(symbol[:1].lower() + symbol[1:], one.name)
        return found

    @cached_property
    def longest(self) -> int:
        """The characters of the longest name."""
        return max(map(len, self.tensors))

    def symbol(self, name: str) -> str:
        """How people write a tensor."""
        return self.program.tensors[name].symbol

    @cached_property
    def functions(self) -> dict[str, Function]:
        """The activations by name, and f and g: those after the linear layers, in order."""
        found: dict[str, Function] = {}
        for kind in ACTIVATIONS:
            for word in (kind.type, kind.torch, kind.type.replace("_", "")):
                found.setdefault(word, kind())
        found |= {"σ": found["sigmoid"], "ReLu": found["relu"], "RELU": found["relu"]}
        acts = [n.layer.function for n in self.program.network.nodes if not n.layer.parameters]
        if len(acts) == 2:
            found |= {"f": acts[0], "g": acts[1]}
        return found


@dataclass(frozen=True, eq=False)
class Row:
    """One row of the forward table: a layer or a line, what it reads, and what it makes."""

    name: str
    reads: tuple[str, ...]
    makes: str
    labels: tuple[str, ...] = field(default=())


def rows_of(program: Program) -> list[Row]:
    """The rows of the forward table, the loss last; ``labels`` are Linear₁, f, Linear₂, g."""
    nodes = program.network.nodes
    found: list[Row] = []
    linears = others = 0
    for node in nodes:
        if node.layer.parameters:
            linears += 1
            labels = [f"linear{linears}"]
        else:
            others += 1
            labels = ["fg"[others - 1]] if others <= 2 else []
            labels += (
                [node.layer.function.type]
                if not isinstance(node.layer.function, Identity)
                else ["identity"]
            )
        found.append(Row(node.name, (node.input,), node.output, tuple(labels)))
    if nodes:
        found.append(Row("loss", (program.network.output, "y"), "loss", ("loss",)))
    return found or rows_of_lines(program)


def rows_of_lines(program: Program) -> list[Row]:
    """The rows of lines: one for each, with the lines, x and y that it reads."""
    from engine.worksheet.worksheet import worksheet  # noqa: PLC0415 - lines alone need it

    sheet = worksheet(program)
    found: list[Row] = []
    parameters = {one.name for one in program.parameters}
    ops = {name: op for op in program.ops if op.phase in ("forward", "loss") for name in op.writes}
    for row in sheet.forward:
        op = ops[row.layer]
        reads = tuple(dict.fromkeys(one for one in op.reads if one not in parameters))
        kind, linear, other = row.key
        label = {"linear": f"linear{linear}", "loss": "loss"}.get(kind, "")
        if kind == "activation":
            label = {(1, 1): "f", (2, 1): "g"}.get((linear, other), "")
        found.append(Row(row.layer, reads, row.layer, (label,) if label else ()))
    return found
