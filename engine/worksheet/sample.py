"""One sample of the first batch in column vectors: sizes, symbols and values of its tensors."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from engine.arrays import Array
from engine.errors import GradstepError
from engine.formulas.batch import columns
from engine.formulas.elements import walk
from engine.formulas.symbols import subscript
from engine.formulas.tree import Formula, Partial, Size, Symbol
from engine.functions.elementwise.dropout import Dropout
from engine.functions.function import terms
from engine.functions.losses.loss import Loss
from engine.nn.table import LAYERS
from engine.program.graph import Node
from engine.program.program import Program
from engine.run.op import CLOCK, Tensors

LIMIT = 2**20  # elements of a Jacobian that is still evaluated, 8 MiB
SCALAR = Size("1")
LOSS = "ℓ"

Dims = tuple[Size, Size]


@dataclass(frozen=True, eq=False)
class Sample:
    """Row ``index`` of the first batch, with the parameters before the first iteration.

    Or of the batch and the parameters that ``tensors_`` has.

    Tensor 0 is x and tensor k the output of layer k; ``spelled`` says up to which of them the
    formulas are written out in x and the parameters, instead of with the tensor's own symbol.
    Raises GradstepError for an index outside the batch.
    """

    program: Program
    index: int
    spelled: int
    tensors_: Tensors | None = None

    def __post_init__(self) -> None:
        rows = len(self.entering["x"])
        if not 0 <= self.index < rows:
            raise GradstepError(
                f"{self.program.experiment.name}: sample {self.index} is not in {self.batch}, "
                f"whose samples are 0 to {rows - 1}"
            )

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The layers in order."""
        return self.program.network.nodes

    @cached_property
    def sizes(self) -> tuple[Size, ...]:
        """The size symbol of every tensor, x first: n, h (or h₁, h₂ …), K."""
        resized = [
            LAYERS[node.layer.type].resizes or node.layer.outputs != node.layer.inputs
            for node in self.nodes
        ]
        hidden = [Size(f"h{subscript(k + 1)}") for k in range(sum(resized) - 1)]
        names = iter([*([Size("h")] if len(hidden) == 1 else hidden), Size("K")])
        sizes = [Size("n")]
        for resizes in resized:
            sizes.append(next(names) if resizes else sizes[-1])
        return tuple(sizes)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The size symbols with their numbers, in the order of the tensors."""
        counts = [self.nodes[0].layer.inputs, *(node.layer.outputs for node in self.nodes)]
        return {size.name: count for size, count in zip(self.sizes, counts, strict=True)}

    def count(self, size: Size) -> int:
        """The number that a size symbol stands for."""
        return 1 if size == SCALAR else self.numbers[size.name]

    @cached_property
    def entering(self) -> Tensors:
        """The batch, the parameters, and what else there is before an iteration."""
        return self.program.initial() if self.tensors_ is None else self.tensors_

    @property
    def batch(self) -> str:
        """Which batch it is."""
        return "the first batch" if self.tensors_ is None else "the batch"

    @property
    def heading(self) -> str:
        """Which sample it is."""
        return f"sample {self.index} of {self.batch}, as columns"

    @property
    def notes(self) -> list[str]:
        """The equations of loss weights and dropout masks."""
        weights = [
            f"{name} = ({', '.join(f'{number:g}' for number in numbers)})"
            for name, numbers in self.loss.constants.items()
        ]
        masks = [
            f"{node.symbols['mask']} = {dropout.scale:g} where {node.name} keeps one, else 0"
            for node in self.nodes
            if isinstance(dropout := node.layer.function, Dropout)
        ]
        return [*weights, *masks]

    def symbol_sizes(self) -> Iterator[tuple[str, str]]:
        """Every symbol with its size, ``h×n``, in the order of the network."""
        yield "x", f"{self.sizes[0].name}×1"
        for k, node in enumerate(self.nodes):
            inputs, outputs = self.sizes[k].name, self.sizes[k + 1].name
            for role in node.layer.parameters:
                shape = node.layer.parameters[role]
                size = f"{outputs}×{inputs}" if len(shape) > 1 else f"{outputs}×1"
                alone = shape == (1,) and node.layer.outputs > 1  # one number for all of them
                yield node.symbols[role], "1×1" if alone else size
            if "mask" in node.symbols:
                yield node.symbols["mask"], f"{outputs}×1"
            yield node.symbols["output"], f"{outputs}×1"
        for symbol in self.loss.constants:
            yield symbol, f"{self.sizes[-1].name}×1"
        classes = self.program.data.y.ndim == 1
        yield ("y (a class index)", "scalar") if classes else ("y", f"{self.sizes[-1].name}×1")
        yield LOSS, "scalar"

    @property
    def loss(self) -> Loss:
        """The loss, which for this sample is that of a batch of one."""
        return self.program.network.loss

    def loss_formula(self, yhat: Formula) -> Formula:
        """The loss of this sample, a scalar, in its prediction ŷ."""
        return self.loss.sample_formula(yhat, self.sizes[-1])

    def loss_slope(self, yhat: Formula) -> Formula:
        """Element i of ∂ℓ/∂ŷ of this sample."""
        return self.loss.sample_slope(yhat, self.sizes[-1])

    @cached_property
    def tensors(self) -> tuple[Symbol, ...]:
        """The symbols of x and of every layer's output."""
        return (Symbol("x"), *(Symbol(node.symbols["output"]) for node in self.nodes))

    @cached_property
    def columns(self) -> dict[str, Array]:
        """The value of every symbol but the Jacobians, as a matrix in float64.

        Activations are evaluated from the formulas, and so can be compared with the engine's.
        """
        initial = self.entering
        x, y = (initial[name][self.index : self.index + 1] for name in ("x", "y"))
        values: dict[str, Array] = {"x": as_column(x), "y": as_column(y)}
        for name, node, role, _ in self.program.network.parameters():
            value = np.asarray(initial[name], dtype=np.float64)
            values[node.symbols[role]] = value if value.ndim > 1 else value[:, None]
        for name, numbers in self.loss.constants.items():
            values[name] = np.array(numbers)[:, None]
        for name, count in self.numbers.items():
            values[name] = np.array([[float(count)]])
        values |= self.masks
        with np.errstate(all="ignore"):
            for node in self.nodes:
                given = Symbol(node.symbols["input"])
                values[node.symbols["output"]] = applied(node, given).value(values)
        return values

    @cached_property
    def masks(self) -> dict[str, Array]:
        """The dropout masks (d, 1) of this sample in the first iteration, by their symbols."""
        rows, seed = len(self.entering["x"]), self.program.experiment.seed
        iteration = int(self.entering.get(CLOCK, 1))
        found = {}
        for place, node in enumerate(self.nodes):
            if isinstance(node.layer.function, Dropout):
                shape = (rows, node.layer.outputs)
                # drawn for the whole batch, whose stream the row of this sample is a part of
                mask = node.layer.function.mask(seed, place, iteration, shape, np.float64)
                found[node.symbols["mask"]] = mask[self.index][:, None]
        return found

    @cached_property
    def values(self) -> dict[str, Array]:
        """The value of every symbol, Jacobians in numerator layout; none beyond LIMIT elements."""
        found = dict(self.columns)
        with np.errstate(all="ignore"):
            # the rule is of element i and gives a column; the Jacobian of a scalar is a row
            found["∂ℓ/∂ŷ"] = self.loss_slope(self.tensors[-1]).value(self.columns).T
            for k in range(len(self.nodes)):
                rows, columns = self.dims_of(k)
                if self.count(rows) * self.count(columns) <= LIMIT:
                    partial = self.partial(k).text()
                    found[partial] = self.rule(k).value(self.columns)
        return found

    def value(self, formula: Formula) -> Array | None:
        """A formula evaluated, a matrix in float64; None where a Jacobian in it is too large."""
        if any(name not in self.values for name in symbols_in(formula)):
            return None
        with np.errstate(all="ignore"):
            return formula.value(self.values)

    def partial(self, k: int) -> Partial:
        """The Jacobian of layer k's output by its input (counted from 0) as a symbol."""
        return Partial(self.tensors[k + 1].name, self.tensors[k].name)

    def rule(self, k: int) -> Formula:
        """The formula of the Jacobian of layer k by its input, counted from 0."""
        return derivative(self.nodes[k], self.sizes[k + 1])

    def dims_of(self, k: int) -> Dims:
        """The size symbols (outputs, inputs) of the Jacobian of layer k, counted from 0."""
        return self.sizes[k + 1], self.sizes[k]

    def written(self, k: int) -> Formula:
        """Tensor k in x and the parameters; beyond ``spelled`` by the symbol of its input."""
        if k == 0:
            return self.tensors[0]
        inner = self.written(k - 1) if k <= self.spelled else self.tensors[k - 1]
        return applied(self.nodes[k - 1], inner)

    def meaning(self, k: int) -> Formula:
        """Tensor k as it stands inside a longer formula: written out, or its symbol."""
        return self.written(k) if k <= self.spelled else self.tensors[k]


def applied(node: Node, inner: Formula) -> Formula:
    """The output (outputs×1) of a layer for one sample, around the formula of its input."""
    return columns(node.layer.function.formula({**terms(node.symbols), "input": inner}))


def derivative(node: Node, size: Size) -> Formula:
    """The Jacobian (outputs×inputs) of a layer of one sample by its input; ``size`` is outputs."""
    return node.layer.function.derivative(terms(node.symbols), size)


def as_column(row: Array) -> Array:
    """One sample's row (1, d), or its class index (1,), as a column (d, 1) in float64."""
    return np.asarray(row, dtype=np.float64).reshape(-1, 1)


def symbols_in(formula: Formula) -> set[str]:
    """The names of all symbols in a formula, Jacobians among them."""
    found = (part for part in walk(formula) if isinstance(part, Partial | Symbol))
    return {part.text() for part in found if part != SCALAR}


def spelled_layers(program: Program, width: int) -> int:
    """How many layers can be written out in x and the parameters within ``width`` characters."""
    formula: Formula = Symbol("x")
    for k, node in enumerate(program.network.nodes):
        formula = applied(node, formula)
        if len(formula.text()) > width:
            return k
    return len(program.network.nodes)
