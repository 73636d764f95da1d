"""The worksheet of a whole batch, whose samples are rows: Z = X Wᵀ, and ∇W as backward computes it.

Nothing is turned into columns: the formulas are those of the ops, and the numbers the engine's own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.arrays import Array
from engine.formulas.tree import Formula, Partial, Size, Symbol
from engine.functions.elementwise.identity import Identity
from engine.functions.function import terms
from engine.program.program import Program
from engine.program.update import Updates
from engine.run.drive import carry_out
from engine.run.op import Tensors
from engine.run.phases import Phase
from engine.worksheet.line_sample import symbol_of
from engine.worksheet.line_sheet import LineSheet
from engine.worksheet.rows import Element, Forward, Gradient, Key, Step, in_numerator, ready
from engine.worksheet.sample import LOSS, SCALAR, Sample

ROWS = Size("N")


def after_backward(program: Program, tensors: Tensors | None) -> dict[str, Array]:
    """The tensors of an iteration after its backward; gradients begin at 0 or are set."""
    found = program.initial() | dict(tensors or {})
    backward = [op.index for op in program.ops if op.phase == Phase.BACKWARD]
    if backward:
        carry_out(program.ops[: backward[-1] + 1], found)
    return found


@dataclass(frozen=True, eq=False)
class BatchPlace:
    """The whole batch of a network of layers."""

    sample: Sample
    index: None = None

    @property
    def program(self) -> Program:
        """The program."""
        return self.sample.program

    @property
    def heading(self) -> str:
        """What the tables are of."""
        return "the whole batch, samples as rows"

    @property
    def notes(self) -> list[str]:
        """The equations of loss weights and dropout masks."""
        return self.sample.notes

    @property
    def numbers(self) -> dict[str, int]:
        """The size symbols with their numbers, N first."""
        return {ROWS.name: len(self.sample.entering["x"]), **self.sample.numbers}

    def count(self, size: Size) -> int:
        """The number that a size symbol stands for."""
        return 1 if size == SCALAR else self.numbers[size.name]

    def symbol_sizes(self) -> Iterator[tuple[str, str]]:
        """Every symbol with its size: a column of a sample is a row of the batch."""
        parameters = {
            node.symbols[role] for node in self.sample.nodes for role in node.layer.parameters
        }
        for symbol, size in self.sample.symbol_sizes():
            column = size.endswith("×1")
            if symbol in parameters or symbol in self.sample.loss.constants:
                yield symbol, size.removesuffix("×1")
            else:
                yield symbol, f"N×{size.removesuffix('×1')}" if column else size


@dataclass(frozen=True, eq=False)
class LayerBatch:
    """Makes the rows of the tables of a batch of a network of layers."""

    sample: Sample
    tensors: Tensors | None

    @property
    def program(self) -> Program:
        """The program."""
        return self.sample.program

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every tensor after backward."""
        return after_backward(self.program, self.tensors)

    def value(self, name: str | None) -> Array | None:
        """A tensor in float64; None where no op has made it."""
        found = None if name is None else self.values.get(name)
        return None if found is None else np.asarray(found, dtype=np.float64)

    def steps(self) -> tuple[Step, ...]:
        """The five steps, the prediction as the batch's."""
        program, nodes = self.program, self.sample.nodes
        yhat = nodes[-1].layer.function.formula(terms(nodes[-1].symbols))
        loss = self.sample.loss.formula(self.sample.tensors[-1])
        left = self.sample.tensors[-1].text()
        found: dict[Phase, tuple[str, str, Formula | None]] = {
            Phase.ZERO_GRAD: ("∇θ ← 0", "", None),
            Phase.FORWARD: (f"{left} = {yhat.text()}", left, yhat),
            Phase.LOSS: (f"{LOSS} = {loss.text()}", LOSS, loss),
            Phase.BACKWARD: ("∇θ ← ∇θ + ∂ℓ/∂θ", "", None),
            Phase.UPDATE: (Updates.of_program(program).summary(), "", None),
        }
        training = program.experiment.training
        return tuple(Step(phase, *found[phase], phase in training.skip) for phase in training.order)

    def forward(self, keys: list[Key]) -> tuple[Forward, ...]:
        """The rows of (b): the formula of every layer for rows, with the symbol of its input."""
        rows = []
        for k, (key, node) in enumerate(zip(keys, self.sample.nodes, strict=True)):
            given, output = self.sample.tensors[k], self.sample.tensors[k + 1]
            formula = node.layer.function.formula(terms(node.symbols))
            same = isinstance(node.layer.function, Identity)
            value = self.value(node.output)
            shape = None if value is None else value.shape
            dims = (ROWS, self.sample.sizes[k + 1])
            rows.append(
                Forward(key, node.name, output, (given,), formula, same, dims, ready(value), shape)
            )
        yhat = self.sample.tensors[-1]
        loss = self.sample.loss.formula(yhat)
        value, inputs = self.value(self.program.loss), (yhat, Symbol("y"))
        key, loss_symbol = ("loss", 0, 0), Symbol(LOSS)
        row = Forward(key, "loss", loss_symbol, inputs, loss, False, (), ready(value), ())
        return (*rows, row)

    def gradients(self, keys: list[Key]) -> tuple[Gradient, ...]:
        """The rows of (c): the formula of every parameter's gradient, as backward has it."""
        rows = []
        for k, node in enumerate(self.sample.nodes):
            formulas = {
                vjp.wrt: vjp.formula for vjp in node.layer.function.vjps(terms(node.symbols))
            }
            for role, shape in node.layer.parameters.items():
                key, name = (role, keys[k][1], 0), node.tensor(role)
                output, inputs = self.sample.sizes[k + 1], self.sample.sizes[k]
                size = (inputs, output) if len(shape) > 1 else (SCALAR, output)
                value = self.value(self.program.gradients.get(name))
                flat = None if value is None else in_numerator(value)
                symbol, own = Symbol(node.symbols[role]), (formulas[role],)
                rows.append(Gradient(key, name, symbol, (), ready(flat), (), size, own, value))
        return tuple(rows)

    def elements(self, keys: list[Key]) -> tuple[Element, ...]:
        """The rows of (d): the gradient of every activation, from the loss backwards."""
        yhat, last = self.sample.tensors[-1], self.sample.nodes[-1].output
        top = Partial(LOSS, yhat.name)
        rule = self.sample.loss.gradient_formula(yhat)
        dims = (ROWS, self.sample.sizes[-1])
        value = self.value(self.program.gradients.get(last))
        rows = [Element(("loss", 0, 0), top, rule, False, dims, ready(value))]
        for k in reversed(range(1, len(self.sample.nodes))):
            node, before = self.sample.nodes[k], self.sample.nodes[k - 1]
            vjps = node.layer.function.vjps(terms(node.symbols))
            rule = next(vjp.formula for vjp in vjps if vjp.wrt == "input")
            partial = Partial(LOSS, self.sample.tensors[k].name)
            value = self.value(self.program.gradients.get(before.output))
            dims = (ROWS, self.sample.sizes[k])
            rows.append(Element(keys[k], partial, rule, False, dims, ready(value)))
        return tuple(rows)


@dataclass(frozen=True, eq=False)
class LineBatch:
    """Makes the rows of (c) and (d) of a batch of lines; the others are those of any lines."""

    sheet: LineSheet
    tensors: Tensors | None

    @cached_property
    def values(self) -> dict[str, Array]:
        """Every tensor after backward."""
        return after_backward(self.sheet.at.program, self.tensors)

    def gradients(self) -> tuple[Gradient, ...]:
        """The rows of (c): what backward adds to the gradient of each parameter."""
        return tuple(self.gradient(name) for name in self.sheet.wanted)

    def gradient(self, name: str) -> Gradient:
        """The row of one tensor."""
        own = self.sheet.contributions(name)
        value = self.values.get(f"{name}.grad")
        flat = None if value is None else in_numerator(np.asarray(value, np.float64))
        size = self.sheet.chains.size(name)
        key = self.sheet.gradient_key(name)
        return Gradient(key, name, symbol_of(name), (), ready(flat), (), size, own, value)

    def elements(self) -> tuple[Element, ...]:
        """The rows of (d): the gradient of every line, from the loss backwards."""
        rows = []
        for line in reversed(self.sheet.at.lines[:-1]):
            value = self.values.get(f"{line.name}.grad")
            own = self.sheet.contributions(line.name)
            if value is None or not own:
                continue
            partial = Partial(LOSS, symbol_of(line.name).text())
            dims = self.sheet.at.sizes(line.name)
            key = self.sheet.places[line.name]
            rule = Gradient(key, line.name, symbol_of(line.name), (), ready(None), (), None, own)
            found = ready(np.asarray(value))
            rows.append(Element(key, partial, rule.formula("gradient"), False, dims, found))
        return tuple(rows)
