"""What a worksheet says whatever its tensors are called: places for names, and what they stand for.

So a network as lines can be held against the same as layers. A place is that of a row or of a
parameter; the meaning of a tensor is its formula, with that of every tensor in it.
"""

import re
from dataclasses import fields, replace
from functools import cached_property
from hashlib import sha256
from typing import Any

from engine.formulas.elements import Case
from engine.formulas.tree import Formula, Partial, Size, Symbol
from engine.lines.algebra import PRODUCT, fraction
from engine.lines.node import Call, Node, call, ordered, rebuilt, tensors
from engine.lines.reductions import MEAN, TOTAL
from engine.worksheet.line_sample import LineSample, written
from engine.worksheet.line_sheet import LinePlace
from engine.worksheet.sample import Sample, applied
from engine.worksheet.worksheet import Worksheet

BETWEEN = re.compile(r"[\s·]+|(?<=\))(?=\()")


class Meanings:
    """The places and meanings of the tensors of one worksheet."""

    def __init__(self, sheet: Worksheet) -> None:
        self.sheet = sheet

    @cached_property
    def places(self) -> dict[str, str]:
        """The place of each symbol: of a row of (b), or of a parameter."""
        rows = {row.symbol.text(): f"⟨{'.'.join(map(str, row.key))}⟩" for row in self.sheet.forward}
        given = {row.symbol.text(): f"⟨{row.key[0]}.{row.key[1]}⟩" for row in self.sheet.gradients}
        return {**given, **rows}

    def text(self, formula: Formula) -> str:
        """A formula with places for names and numbers for sizes, without spaces."""
        return squeezed(self.placed(formula, self.places).text())

    def placed(self, formula: Formula, names: dict[str, str]) -> Formula:
        """A formula in other names."""
        found: Formula = self.renamed(formula, names)
        return found

    def renamed(self, part: Any, names: dict[str, str]) -> Any:
        """A part of a formula in other names."""
        if isinstance(part, tuple):
            return tuple(self.renamed(one, names) for one in part)
        if isinstance(part, Partial):
            return Partial(names.get(part.of, part.of), names.get(part.wrt, part.wrt))
        if isinstance(part, Size):
            return Symbol(str(self.sheet.sample.count(part)))
        if isinstance(part, Symbol):
            return Symbol(names.get(part.name, part.name))
        if not isinstance(part, Formula | Case):
            return part
        inner = {one.name: getattr(part, one.name) for one in fields(part)}  # type: ignore[arg-type]
        changed = {
            name: self.renamed(value, names)
            for name, value in inner.items()
            if isinstance(value, Formula | Case | tuple) and name != "size"
        }
        return replace(part, **changed)  # type: ignore[type-var]

    @cached_property
    def formulas(self) -> dict[str, Formula]:
        """Each row of (b) in the symbols of its inputs, by its own symbol."""
        at = self.sheet.sample
        if isinstance(at, Sample):
            found = {
                at.tensors[k + 1].text(): applied(node, at.tensors[k])
                for k, node in enumerate(at.nodes)
            }
            return found | {"ℓ": at.loss_formula(at.tensors[-1])}
        if isinstance(at, LinePlace):
            return {
                row.symbol.text(): written(plainly(line.root))
                for row, line in zip(self.sheet.forward, at.at.lines, strict=True)
            }
        return {row.symbol.text(): row.output for row in self.sheet.forward}

    @cached_property
    def stands_for(self) -> dict[str, str]:
        """What each symbol stands for, in full, as a digest of it."""
        found: dict[str, str] = dict(self.places)
        for symbol in self.formulas:
            found.pop(symbol, None)
        for symbol, formula in self.formulas.items():
            whole = squeezed(self.placed(formula, found).text())
            # what is the same as another tensor, an identity, stands for what that does
            same = isinstance(formula, Symbol)
            found[symbol] = whole if same else f"⟨{sha256(whole.encode()).hexdigest()[:16]}⟩"
        return found

    def meaning(self, symbol: str) -> str:
        """What a symbol stands for."""
        return self.stands_for.get(symbol, symbol)

    def inputs(self, symbol: str) -> list[str]:
        """What the tensors that a row of (b) reads stand for, parameters aside."""
        at = self.sheet.sample
        if isinstance(at, LinePlace):
            return [self.meaning(name) for name in line_inputs(at.at, symbol)]
        row = next(one for one in self.sheet.forward if one.symbol.text() == symbol)
        k = self.sheet.forward.index(row)
        before = "x" if k == 0 else self.sheet.forward[k - 1].symbol.text()
        return [self.meaning(before), *(["y"] if row.layer == "loss" else [])]


def line_inputs(at: LineSample, symbol: str) -> list[str]:
    """The names of the lines, x and y that a line reads."""
    made = {line.name for line in at.lines} | {"x", "y"}
    name = "loss" if symbol == "ℓ" else symbol
    line = next(one for one in at.lines if one.name == name)
    return [n.name for n in tensors(line.root) if n.name in made and n.name != name]


def plainly(root: Node) -> Node:
    """A tree with a mean of everything as a fraction of the sum, as losses are written."""
    made: dict[Node, Node] = {}
    for node in ordered(root):
        if (
            isinstance(node, Call)
            and node.function is MEAN
            and node.shape == ()
            and not node.options
        ):
            (inner,) = node.operands
            count = 1
            for size in inner.shape:
                count *= size
            made[node] = call(PRODUCT, (fraction(1, count), call(TOTAL, (inner,))))
    return rebuilt(root, made)


def squeezed(text: str) -> str:
    """A text without what only keeps factors apart."""
    return BETWEEN.sub("", text)
