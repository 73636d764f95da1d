"""The worksheet: the four tables of a backpropagation homework, made from the network itself.

(a) the five steps, (b) the forward pass in x, y and the parameters, (c) the products that make the
gradients, (d) the elements of their factors. One sample, column vectors.
"""

import math
from dataclasses import dataclass, replace
from functools import partial

from engine.arrays import Array
from engine.formulas.elements import walk
from engine.formulas.named import Apply, Named
from engine.formulas.tree import (
    Chain,
    Formula,
    Partial,
    Symbol,
)
from engine.functions.elementwise.identity import Identity
from engine.functions.function import terms
from engine.functions.losses.loss import TARGET
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.program.update import Updates
from engine.run.op import Tensors
from engine.run.phases import Phase
from engine.worksheet.batch_sheet import BatchPlace, LayerBatch, LineBatch
from engine.worksheet.line_sheet import line_rows
from engine.worksheet.rows import (
    LAYOUTS,
    Element,
    Factor,
    Forward,
    Gradient,
    Key,
    Layout,
    Place,
    Shortcut,
    Step,
)
from engine.worksheet.sample import LOSS, SCALAR, Sample, spelled_layers
from engine.worksheet.shortcuts import shortcut

__all__ = ["LAYOUTS", "Layout", "Worksheet", "standing", "worksheet"]
WIDTH = 64  # a longer formula is written with the symbol of its input


@dataclass(frozen=True, eq=False)
class Worksheet:
    """The four tables of one experiment for one sample, column vectors throughout.

    Of the whole batch, whose samples are rows, ``sample`` has no index, and (c) is what backward
    computes.
    """

    sample: Place
    steps: tuple[Step, ...]
    forward: tuple[Forward, ...]
    gradients: tuple[Gradient, ...]
    elements: tuple[Element, ...]
    shortcuts: tuple[Shortcut, ...]

    def __repr__(self) -> str:
        rows = f"{len(self.forward)} rows forward, {len(self.gradients)} gradients"
        return f"<Worksheet {self.name!r}, sample {self.sample.index}: {rows}>"

    @property
    def name(self) -> str:
        """The name of the experiment."""
        return self.sample.program.experiment.name

    @property
    def whole(self) -> bool:
        """Whether it is of the whole batch: (c) is what backward computes, in one layout."""
        return self.sample.index is None and not any(row.numerator for row in self.gradients)

    @property
    def definitions(self) -> list[str]:
        """The equations of named functions, loss weights and dropout masks in the tables."""
        formulas = [*(row.output for row in self.forward), *(row.rule for row in self.elements)]
        found = {f.definition for formula in formulas for f in functions_in(formula)}
        return [*sorted(found - {""}), *self.sample.notes]


def worksheet(
    program: Program,
    sample: int | None = 0,
    spelled: int | None = None,
    tensors: Tensors | None = None,
) -> Worksheet:
    """The worksheet of an experiment for one sample of a batch, or for all of it (None).

    ``spelled`` is how many layers are written out in x; by default as many as fit a line.
    ``tensors`` has the batch and the parameters, by default those before the first iteration: what
    :func:`standing` finds at a place of a run.
    Raises GradstepError where there is no such sample.
    """
    if isinstance(program.network, LineNetwork):
        place, rows = line_rows(program, sample, tensors)
        pair = LineBatch(rows, tensors) if sample is None else rows
        return Worksheet(
            place, rows.steps(), rows.forward(), pair.gradients(), pair.elements(), rows.shortcuts()
        )
    if sample is None:
        return batch_of_layers(program, tensors)
    depth = spelled_layers(program, WIDTH) if spelled is None else spelled
    at = Sample(program, sample, depth, tensors)
    return Worksheet(
        at, steps(at), forward_rows(at), gradient_rows(at), element_rows(at), shortcuts(at)
    )


def batch_of_layers(program: Program, tensors: Tensors | None) -> Worksheet:
    """The worksheet of the whole batch of a network of layers."""
    at = Sample(program, 0, 0, tensors)
    rows, places = LayerBatch(at, tensors), keys(at)
    place = BatchPlace(at)
    forward, gradients = rows.forward(places), rows.gradients(places)
    return Worksheet(place, rows.steps(), forward, gradients, rows.elements(places), ())


def standing(program: Program, tensors: Tensors) -> dict[str, Array]:
    """The batch, the parameters and the numbers of an iteration, as they stand at a place of a run.

    Gradients and slots are left as they are before a run: the worksheet computes its own.
    """
    kept = ("input", "target", "parameter", "constant", "buffer", "hyper")
    now = {n: tensors[n] for n, one in program.tensors.items() if one.role in kept and n in tensors}
    return program.initial() | now


def functions_in(formula: Formula) -> set[Named]:
    """Every named function applied anywhere in a formula."""
    return {part.function for part in walk(formula) if isinstance(part, Apply)}


def keys(sample: Sample) -> list[Key]:
    """The place of each layer: its kind, the number of linear layers so far, and of others since.

    So networks that differ in one activation have the same keys everywhere.
    """
    linears = others = 0
    found: list[Key] = []
    for node in sample.nodes:
        if node.layer.parameters:
            linears, others = linears + 1, 0
            found.append(("linear", linears, 0))
        else:
            others += 1
            found.append(("activation", linears, others))
    return found


def steps(sample: Sample) -> tuple[Step, ...]:
    """The five steps in the experiment's order."""
    training = sample.program.experiment.training
    last = len(sample.nodes)
    yhat, loss = sample.written(last), sample.loss_formula(sample.tensors[-1])
    found: dict[Phase, tuple[str, str, Formula | None]] = {
        Phase.ZERO_GRAD: ("∇θ ← 0", "", None),
        Phase.FORWARD: (f"ŷ = {yhat.text()}", "ŷ", yhat),
        Phase.LOSS: (f"{LOSS} = {loss.text()}", LOSS, loss),
        Phase.BACKWARD: ("∇θ ← ∇θ + (∂ℓ/∂θ)ᵀ", "", None),
        Phase.UPDATE: (Updates.of_program(sample.program).summary(), "", None),
    }
    return tuple(Step(phase, *found[phase], phase in training.skip) for phase in training.order)


def forward_rows(sample: Sample) -> tuple[Forward, ...]:
    """The rows of (b): one for each layer in order, and one for the loss."""
    rows = []
    for k, (key, node) in enumerate(zip(keys(sample), sample.nodes, strict=True), 1):
        fits = k <= sample.spelled
        given = sample.written(k - 1) if fits else sample.tensors[k - 1]
        symbol = sample.tensors[k]
        rows.append(
            Forward(
                key,
                node.name,
                symbol,
                (given,),
                sample.written(k),
                isinstance(node.layer.function, Identity),
                (sample.sizes[k], SCALAR),
                partial(value_of, sample, symbol),
            )
        )
    yhat = sample.meaning(len(sample.nodes))
    loss, inputs = sample.loss_formula(yhat), (yhat, TARGET)
    key, value = ("loss", 0, 0), partial(sample.value, loss)
    rows.append(Forward(key, "loss", Symbol(LOSS), inputs, loss, False, (SCALAR, SCALAR), value))
    return tuple(rows)


def value_of(sample: Sample, symbol: Symbol) -> Array:
    """The value of a tensor of the sample, a column."""
    return sample.columns[symbol.name]


def links(sample: Sample) -> list[Factor]:
    """The Jacobians from the loss back to x, in numerator layout.

    That of a linear layer is its weight, and is written so.
    """
    top = Partial(LOSS, sample.tensors[-1].name)
    found = [Factor(top, top, top.of, top.wrt, (SCALAR, sample.sizes[-1]))]
    for k in reversed(range(len(sample.nodes))):
        symbol, rule = sample.partial(k), sample.rule(k)
        written = rule if isinstance(rule, Symbol) else symbol
        found.append(Factor(written, written, symbol.of, symbol.wrt, sample.dims_of(k)))
    return found


def gradient_rows(sample: Sample) -> tuple[Gradient, ...]:
    """The rows of (c): one for each parameter, and one for x where its gradient is asked for."""
    chain, places, rows = links(sample), keys(sample), []
    for k, node in enumerate(sample.nodes):
        back = chain[: len(sample.nodes) - k]
        for role in node.layer.parameters:
            symbol = Symbol(node.symbols[role])
            before, after = node.layer.function.around(role, terms(node.symbols))
            first = [] if before is None else [given(sample, k, symbol)]
            last = [] if after is None else [by_parameter(sample, k, symbol, after)]
            factors, place = [*first, *back, *last], (role, places[k][1], 0)
            rows.append(gradient_row(sample, place, node.tensor(role), symbol, factors))
    if sample.program.experiment.training.input_gradient:
        rows.append(gradient_row(sample, ("x", 0, 0), "x", sample.tensors[0], chain))
    return tuple(rows)


def given(sample: Sample, k: int, weight: Symbol) -> Factor:
    """The input of layer k, linear, which stands first in the gradient of its weight, (n×1).

    It stands for ∂z/∂W, which has three axes: a · ∂ℓ/∂z is the same sum without them.
    """
    dims = (sample.sizes[k], SCALAR)
    symbol = sample.tensors[k]
    return Factor(sample.meaning(k), symbol, sample.tensors[k + 1].name, weight.name, dims)


def by_parameter(sample: Sample, k: int, parameter: Symbol, derivative: Formula) -> Factor:
    """The Jacobian ∂z/∂θ of layer k by a parameter that is a vector, (outputs×outputs).

    By a single number for all outputs it is a column.
    """
    node, size = sample.nodes[k], sample.sizes[k + 1]
    role = next(role for role in node.layer.parameters if node.symbols[role] == parameter.name)
    dims = (size, SCALAR if math.prod(node.layer.parameters[role]) == 1 else size)
    return Factor(derivative, derivative, sample.tensors[k + 1].name, parameter.name, dims)


def gradient_row(
    sample: Sample, key: Key, name: str, symbol: Symbol, factors: list[Factor]
) -> Gradient:
    """A row of (c) with its product in numbers."""
    product = Chain(tuple(factor.symbol for factor in factors))
    return Gradient(key, name, symbol, tuple(factors), partial(sample.value, product))


def element_rows(sample: Sample) -> tuple[Element, ...]:
    """The rows of (d): the distinct Jacobians in the gradients, from the loss backwards."""
    used = {(f.of, f.wrt) for row in gradient_rows(sample) for f in row.numerator}
    top = Partial(LOSS, sample.tensors[-1].name)
    rule = sample.loss_slope(sample.tensors[-1])
    dims = (SCALAR, sample.sizes[-1])
    rows = [Element(("loss", 0, 0), top, rule, True, dims, partial(sample.value, top))]
    places = keys(sample)
    for k in reversed(range(len(sample.nodes))):
        symbol = sample.partial(k)
        if (symbol.of, symbol.wrt) in used:
            value = partial(sample.value, symbol)
            rule, dims = sample.rule(k), sample.dims_of(k)
            rows.append(Element(places[k], symbol, rule, False, dims, value))
    return tuple(rows)


def shortcuts(sample: Sample) -> tuple[Shortcut, ...]:
    """The simplified ∂ℓ/∂z of the last layer: sigmoid with bce, log_softmax with nll; else none."""
    last = len(sample.nodes) - 1
    function, size = sample.nodes[last].layer.function, sample.sizes[-1]
    found = shortcut(function, sample.loss, sample.tensors[-1], sample.tensors[-2], size)
    return () if found is None else (replace(found, value=sample.value(found.left)),)
