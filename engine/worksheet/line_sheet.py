"""The four tables of a network of lines, in the names that the lines have.

Of one sample in columns where the lines have such a form, else of the whole batch with its tensors
as they are; (c) and (d) are sums of products of Jacobians either way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from engine.arrays import Array
from engine.formulas.tree import Formula, Partial, Size
from engine.functions.softmax import LogSoftmax
from engine.lines.derive import gradients
from engine.lines.elementwise import Activated
from engine.lines.line import Line
from engine.lines.node import Call, Tensor, constant, tensor, tensors
from engine.lines.softmaxes import LOG_SOFTMAX_OF
from engine.program.lines import GIVEN
from engine.program.program import Program
from engine.program.update import Updates
from engine.run.phases import Phase
from engine.worksheet.line_chains import Chains, edges_of
from engine.worksheet.line_jacobians import Edge
from engine.worksheet.line_sample import (
    LOSS,
    LOSS_WIDTH,
    WIDTH,
    LineSample,
    line_sample,
    symbol_of,
    written,
)
from engine.worksheet.rows import Element, Forward, Gradient, Key, Shortcut, Step, ready
from engine.worksheet.sample_loss import SampleLoss
from engine.worksheet.shortcuts import shortcut


@dataclass(frozen=True, eq=False)
class LinePlace:
    """Where a worksheet of lines is of, and what stands around its tables."""

    at: LineSample

    @property
    def program(self) -> Program:
        """The program."""
        return self.at.program

    @property
    def index(self) -> int | None:
        """The sample; None of the whole batch."""
        return self.at.index

    @property
    def numbers(self) -> dict[str, int]:
        """The size symbols with their numbers."""
        return self.at.numbers

    def count(self, size: Size) -> int:
        """The number that a size stands for."""
        return self.at.count(size)

    @property
    def heading(self) -> str:
        """Which sample it is; or that it is the batch, and why."""
        if self.at.index is not None:
            return f"sample {self.at.index} of the batch, vectors as columns"
        why = f": {self.at.reason}" if self.at.reason else ""
        return f"the whole batch{why}"

    @property
    def notes(self) -> list[str]:
        """What G is, where the upstream gradient is given."""
        return ["G is the given upstream gradient"] if GIVEN in self.at.leaves else []

    def symbol_sizes(self) -> Iterator[tuple[str, str]]:
        """Every tensor with its size, given ones first."""
        made = [line.name for line in self.at.lines]
        given = [name for name in self.at.leaves if name not in made]
        for name in (*given, *made):
            sizes = self.at.sizes(name)
            size = "×".join(one.name for one in sizes) if sizes else "scalar"
            yield symbol_of(name).text(), size


@dataclass(frozen=True, eq=False)
class LineSheet:
    """Makes the rows of the tables."""

    at: LineSample

    @cached_property
    def chains(self) -> Chains:
        """The gradients as sums of products."""
        return Chains(self.at)

    @cached_property
    def parameters(self) -> set[str]:
        """The names of the parameters."""
        return {one.name for one in self.at.network.parameters_}

    @cached_property
    def places(self) -> dict[str, Key]:
        """The place of each line: its kind, the number of lines with weights so far, others since.

        So the lines of a network and its layers have the same places.
        """
        found: dict[str, Key] = {LOSS: ("loss", 0, 0)}
        linears = others = 0
        for line in self.at.lines[:-1]:
            if any(one.name in self.parameters for one in tensors(line.root)):
                linears, others = linears + 1, 0
                found[line.name] = ("linear", linears, 0)
            else:
                others += 1
                found[line.name] = ("activation", linears, others)
        return found

    def steps(self) -> tuple[Step, ...]:
        """The five steps in the experiment's order."""
        program = self.at.program
        training, output = program.experiment.training, self.at.network.output
        lines = {line.name: line.root for line in self.at.lines}
        yhat = written(self.at.expanded(lines[output])) if output in lines else symbol_of(output)
        left, loss = symbol_of(output).text(), written(lines[LOSS])
        found: dict[Phase, tuple[str, str, Formula | None]] = {
            Phase.ZERO_GRAD: ("∇θ ← 0", "", None),
            Phase.FORWARD: (f"{left} = {yhat.text()}", left, yhat)
            if output in lines
            else ("no line before that of the loss", "", None),
            Phase.LOSS: (f"ℓ = {loss.text()}", "ℓ", loss),
            Phase.BACKWARD: ("∇θ ← ∇θ + (∂ℓ/∂θ)ᵀ", "", None),
            Phase.UPDATE: (Updates.of_program(program).summary(), "", None),
        }
        return tuple(Step(phase, *found[phase], phase in training.skip) for phase in training.order)

    def forward(self) -> tuple[Forward, ...]:
        """The rows of (b), one a line."""
        return tuple(self.forward_row(line) for line in self.at.lines)

    def forward_row(self, line: Line) -> Forward:
        """A row of (b), written out in x, y and the parameters where that fits a line of text."""
        width = LOSS_WIDTH if line.name == LOSS else WIDTH
        root, value = self.at.expanded(line.root, width), self.at.values[line.name]
        spelled = root is not line.root
        inputs = self.inputs(line)
        given = tuple(written(self.at.expanded(one) if spelled else one) for one in inputs)
        same = isinstance(line.root, Tensor)
        sizes = self.at.sizes(line.name)
        symbol, shape = symbol_of(line.name), line.root.shape
        key = self.places[line.name]
        output, found = written(root), ready(value)
        return Forward(key, line.name, symbol, given, output, same, sizes, found, shape)

    def inputs(self, line: Line) -> list[Tensor]:
        """The lines, x and y that a line reads; parameters where there are none of these."""
        reads = [one for one in tensors(line.root) if one.name != line.name]
        made = {row.name for row in self.at.lines} | {"x", "y"}
        return [one for one in reads if one.name in made] or reads

    def gradients(self) -> tuple[Gradient, ...]:
        """The rows of (c): one for each parameter; and where ways are many, one for each line."""
        return tuple(self.gradient(name) for name in (*self.wanted, *self.chains.folded))

    @property
    def wanted(self) -> tuple[str, ...]:
        """The names of what has a row, as far as the lines read it."""
        return tuple(name for name in self.chains.wanted if name in self.at.leaves)

    def gradient(self, name: str) -> Gradient:
        """The row of one tensor."""
        own = self.contributions(name)
        return self.chains.row(self.gradient_key(name), name, self.chains.folds(name), own)

    @cached_property
    def readers(self) -> dict[str, list[tuple[Line, Tensor]]]:
        """For each tensor the lines of the batch that read it, the last one first."""
        found: dict[str, list[tuple[Line, Tensor]]] = {}
        for line in reversed(self.at.network.graphs[len(self.at.tensors["x"])].lines):
            for one in tensors(line.root) if line.root.kind == "real" else ():
                found.setdefault(one.name, []).append((line, one))
        return found

    def contributions(self, name: str) -> tuple[Formula, ...]:
        """What backward adds to a gradient, line by line, as formulas of the whole batch."""
        found = [contribution(line, one) for line, one in self.readers.get(name, [])]
        return tuple(one for one in found if one is not None)

    def gradient_key(self, name: str) -> Key:
        """The place of a parameter: weight or bias, and of which line."""
        if name not in self.parameters:
            return (name, 0, 0)
        first = next((line for line in self.at.lines if reads(line, name)), None)
        one = self.at.leaves[name]
        vector = len(one.shape) == 1 or (len(one.shape) == 2 and one.shape[1] == 1)
        number = 0 if first is None else self.places[first.name][1]
        alike = [other for other in self.parameters if other != name and first is not None]
        clash = any(reads(first, other) for other in alike) if first is not None else False
        role = "bias" if vector and clash else "weight"
        return (role, number, 0)

    def elements(self) -> tuple[Element, ...]:
        """The rows of (d): the distinct Jacobians in (c), from the loss backwards."""
        found: dict[tuple[str, str], Edge] = {}
        for name in (*reversed(self.wanted), *self.chains.folded):
            for edge in edges_of(self.chains.ways(name, self.chains.folds(name))):
                if edge.wrt.name not in self.parameters or not edge.of_loss:
                    found.setdefault((edge.line.name, edge.wrt.name), edge)
        order = {line.name: i for i, line in enumerate(self.at.lines)}
        kept = [edge for edge in found.values() if self.has_rule(edge)]
        kept.sort(key=lambda edge: -order[edge.line.name])
        return tuple(self.element(edge) for edge in kept)

    def has_rule(self, edge: Edge) -> bool:
        """Whether a Jacobian is a factor of its own; that by a weight is written with its input."""
        return edge.wrt.name not in self.parameters or edge.matrix is None

    def element(self, edge: Edge) -> Element:
        """A row of (d)."""
        partial = Partial(symbol_of(edge.line.name).text(), symbol_of(edge.wrt.name).text())
        scalar = edge.line.root.shape == ()
        by_element = scalar and edge.scalar_rule[1]
        key = self.places[edge.line.name]
        read = [one for one in self.inputs(edge.line) if one.name in self.chains.learned]
        if len(read) > 1 or edge.wrt.name in self.parameters:
            key = (f"{key[0]} by {edge.wrt.name}", key[1], key[2])
        return Element(key, partial, edge.rule, by_element, edge.dims, lambda: edge.value)

    def shortcuts(self) -> tuple[Shortcut, ...]:
        """The simplified ∂ℓ/∂z of the last activation, where it and the loss cancel."""
        lines = {line.name: line for line in self.at.lines}
        loss = lines[LOSS].root
        if self.at.index is None or not isinstance(loss, Call):
            return ()
        yhat = loss.operands[0] if isinstance(loss.function, SampleLoss) else None
        made = lines[yhat.name].root if isinstance(yhat, Tensor) and yhat.name in lines else None
        if not isinstance(made, Call) or not isinstance(made.operands[0], Tensor):
            return ()
        function = made.function.function if isinstance(made.function, Activated) else None
        function = LogSoftmax() if made.function is LOG_SOFTMAX_OF else function
        if function is None or not isinstance(loss.function, SampleLoss):
            return ()
        assert isinstance(yhat, Tensor)
        z, size = made.operands[0], self.at.sizes(yhat.name)[0]
        found = shortcut(
            function, loss.function.loss, symbol_of(yhat.name), symbol_of(z.name), size
        )
        if found is None:
            return ()
        return (replace(found, value=self.chains.grads[z.name].reshape(1, -1)),)


def reads(line: Line, name: str) -> bool:
    """Whether a line reads a tensor."""
    return any(one.name == name for one in tensors(line.root))


def contribution(line: Line, wrt: Tensor) -> Formula | None:
    """What flows back from a line to a tensor that it reads, in the gradient of the line."""
    seed = tensor(f"{line.name}.grad", line.root.shape, symbol=f"∂ℓ/∂{line.name}")
    own = tensor(line.name, line.root.shape, line.root.kind)
    top = constant(1.0) if line.name == LOSS else seed
    pulled = gradients(line.root, top, [wrt], own).get(wrt)
    return None if pulled is None else written(pulled)


def line_rows(
    program: Program, index: int | None, tensors_: Mapping[str, Array] | None = None
) -> tuple[LinePlace, LineSheet]:
    """The place and the maker of the rows; raises GradstepError where there is no such sample."""
    at = line_sample(program, index, tensors_)
    return LinePlace(at), LineSheet(at)
