"""The worksheet: the four tables of a backpropagation homework, made from the network itself.

(a) the five steps, (b) the forward pass in x, y and the parameters, (c) the products that make the
gradients, (d) the elements of their factors. One sample, column vectors.
"""

from dataclasses import dataclass, replace
from typing import Literal

from engine.arrays import Array
from engine.formulas.batch import ELEMENT
from engine.formulas.elements import At, walk
from engine.formulas.named import Apply, Named
from engine.formulas.tree import (
    Chain,
    Formula,
    Hadamard,
    Partial,
    Subtract,
    Symbol,
    Transpose,
)
from engine.functions.elementwise.dropout import Dropout
from engine.functions.elementwise.exp import EXP
from engine.functions.elementwise.identity import Identity
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.functions.function import terms
from engine.functions.losses.bce import BCE
from engine.functions.losses.loss import TARGET, WEIGHT
from engine.functions.losses.nll import NLL
from engine.functions.softmax import LogSoftmax
from engine.program.program import Program
from engine.program.update import Updates
from engine.run.phases import CODE, Phase
from engine.worksheet.sample import LOSS, SCALAR, Dims, Sample, spelled_layers

WIDTH = 64  # a longer formula is written with the symbol of its input

Layout = Literal["numerator", "gradient"]
LAYOUTS: tuple[Layout, ...] = ("numerator", "gradient")
Key = tuple[str, int, int]

PHRASES = {
    Phase.ZERO_GRAD: "forget the old gradients",
    Phase.FORWARD: "the prediction",
    Phase.LOSS: "how wrong it is, a scalar",
    Phase.BACKWARD: "the gradients: backward adds",
    Phase.UPDATE: "a step downhill",
}


@dataclass(frozen=True)
class Step:
    """A row of (a), one of the five steps; ``text`` is ``left`` = ``right`` where it has a formula.

    ``right`` is None for zero_grad, backward and update, which write many tensors.
    """

    phase: Phase
    text: str
    left: str
    right: Formula | None
    skipped: bool

    @property
    def code(self) -> str:
        """The PyTorch statement of the step."""
        return CODE[self.phase]

    @property
    def phrase(self) -> str:
        """The purpose of the step in a few words."""
        return PHRASES[self.phase]


@dataclass(frozen=True, eq=False)
class Forward:
    """A row of (b): ``symbol`` = ``output``, from the ``inputs``; ``key`` is the layer's place.

    ``same`` is whether the layer is the identity; ``value`` is the output, a column (d, 1), in
    float64, or the loss (1, 1).
    """

    key: Key
    layer: str
    symbol: Symbol
    inputs: tuple[Formula, ...]
    output: Formula
    same: bool
    dims: Dims
    value: Array | None


@dataclass(frozen=True)
class Factor:
    """A factor of a chain: the Jacobian ∂of/∂wrt, in numerator layout unless transposed.

    ``written`` may be spelled out in x and the parameters; ``symbol`` has each tensor's symbol.
    """

    written: Formula
    symbol: Formula
    of: str
    wrt: str
    dims: Dims

    def transposed(self) -> "Factor":
        """The transpose: the factor in gradient layout."""
        rows, columns = self.dims
        return replace(
            self,
            written=Transpose(self.written),
            symbol=Transpose(self.symbol),
            dims=(columns, rows),
        )


@dataclass(frozen=True, eq=False)
class Gradient:
    """A row of (c), ∂ℓ/∂θ of one parameter: the factors in numerator layout, and their product.

    Of a weight (out × in) the product in numerator layout is (in × out): x · ∂ℓ/∂z.
    """

    key: Key
    parameter: str
    symbol: Symbol
    numerator: tuple[Factor, ...]
    value: Array | None

    def factors(self, layout: Layout) -> tuple[Factor, ...]:
        """The factors in the order of a layout: transposed and reversed in gradient layout."""
        if layout == "numerator":
            return self.numerator
        return tuple(factor.transposed() for factor in reversed(self.numerator))

    def formula(self, layout: Layout) -> Chain:
        """The product of the factors as they are written."""
        written = tuple(factor.written for factor in self.factors(layout))
        return Chain(written, dotted=layout == "numerator")

    def skeleton(self, layout: Layout) -> Chain:
        """The product with the symbol of every tensor, none of them written out."""
        symbols = tuple(factor.symbol for factor in self.factors(layout))
        return Chain(symbols, dotted=layout == "numerator")

    def dims(self, layout: Layout) -> Dims:
        """The size symbols (rows, columns) of the product."""
        factors = self.factors(layout)
        return factors[0].dims[0], factors[-1].dims[1]

    def values(self, layout: Layout) -> Array | None:
        """The gradient in numbers, float64; None where a factor is too large to be evaluated."""
        if self.value is None or layout == "numerator":
            return self.value
        return self.value.T


@dataclass(frozen=True, eq=False)
class Element:
    """A row of (d): a Jacobian in numerator layout, its rule and its value.

    ``by_element`` marks ∂ℓ/∂ŷ, whose rule is that of element i of the row.
    """

    key: Key
    symbol: Partial
    rule: Formula
    by_element: bool
    dims: Dims
    value: Array | None

    @property
    def left(self) -> str:
        """The left-hand side of the rule as text."""
        return f"({self.symbol.text()})ᵢ" if self.by_element else self.symbol.text()


@dataclass(frozen=True, eq=False)
class Shortcut:
    """A product of Jacobians that simplifies: ``symbol`` = ``left`` = ``right``, and why."""

    left: Chain
    symbol: Partial
    right: Formula
    remark: str
    value: Array | None


@dataclass(frozen=True, eq=False)
class Worksheet:
    """The four tables of one experiment for one sample, column vectors throughout."""

    sample: Sample
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
    def definitions(self) -> list[str]:
        """The equations of named functions, loss weights and dropout masks in the tables."""
        formulas = [*(row.output for row in self.forward), *(row.rule for row in self.elements)]
        found = {f.definition for formula in formulas for f in functions_in(formula)}
        weights = [
            f"{name} = ({', '.join(f'{number:g}' for number in numbers)})"
            for name, numbers in self.sample.loss.constants.items()
        ]
        masks = [
            f"{node.symbols['mask']} = {dropout.scale:g} where {node.name} keeps one, else 0"
            for node in self.sample.nodes
            if isinstance(dropout := node.layer.function, Dropout)
        ]
        return [*sorted(found - {""}), *weights, *masks]


def worksheet(program: Program, sample: int = 0, spelled: int | None = None) -> Worksheet:
    """The worksheet of an experiment for one sample of its first batch.

    ``spelled`` is how many layers are written out in x; by default as many as fit a line.
    Raises GradstepError where there is no such sample.
    """
    depth = spelled_layers(program, WIDTH) if spelled is None else spelled
    at = Sample(program, sample, depth)
    return Worksheet(
        at, steps(at), forward_rows(at), gradient_rows(at), element_rows(at), shortcuts(at)
    )


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
                sample.columns[symbol.name],
            )
        )
    yhat = sample.meaning(len(sample.nodes))
    loss, inputs = sample.loss_formula(yhat), (yhat, TARGET)
    value = sample.value(loss)
    key = ("loss", 0, 0)
    rows.append(Forward(key, "loss", Symbol(LOSS), inputs, loss, False, (SCALAR, SCALAR), value))
    return tuple(rows)


def links(sample: Sample) -> list[Factor]:
    """The Jacobians from the loss back to x, in numerator layout.

    That of a linear layer is its weight, and is written so.
    """
    top = Partial(LOSS, sample.tensors[-1].name)
    found = [Factor(top, top, top.of, top.wrt, (SCALAR, sample.sizes[-1]))]
    for k in reversed(range(len(sample.nodes))):
        partial = sample.partial(k)
        rule = sample.rule(k)
        written = rule if isinstance(rule, Symbol) else partial
        found.append(Factor(written, written, partial.of, partial.wrt, sample.dims_of(k)))
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
    size = sample.sizes[k + 1]
    dims = (size, SCALAR if sample.columns[parameter.name].size == 1 else size)
    return Factor(derivative, derivative, sample.tensors[k + 1].name, parameter.name, dims)


def gradient_row(
    sample: Sample, key: Key, name: str, symbol: Symbol, factors: list[Factor]
) -> Gradient:
    """A row of (c) with its product in numbers."""
    value = sample.value(Chain(tuple(factor.symbol for factor in factors)))
    return Gradient(key, name, symbol, tuple(factors), value)


def element_rows(sample: Sample) -> tuple[Element, ...]:
    """The rows of (d): the distinct Jacobians in the gradients, from the loss backwards."""
    used = {(f.of, f.wrt) for row in gradient_rows(sample) for f in row.numerator}
    top = Partial(LOSS, sample.tensors[-1].name)
    rule = sample.loss_slope(sample.tensors[-1])
    dims = (SCALAR, sample.sizes[-1])
    rows = [Element(("loss", 0, 0), top, rule, True, dims, sample.values[top.text()])]
    places = keys(sample)
    for k in reversed(range(len(sample.nodes))):
        partial = sample.partial(k)
        if (partial.of, partial.wrt) in used:
            value = sample.value(partial)
            rule, dims = sample.rule(k), sample.dims_of(k)
            rows.append(Element(places[k], partial, rule, False, dims, value))
    return tuple(rows)


def shortcuts(sample: Sample) -> tuple[Shortcut, ...]:
    """The simplified ∂ℓ/∂z of the last layer: sigmoid with bce, log_softmax with nll; else none."""
    last = len(sample.nodes) - 1
    function, loss, size = sample.nodes[last].layer.function, sample.loss, sample.sizes[-1]
    yhat, z = sample.tensors[-1], sample.tensors[-2]
    if isinstance(function, Sigmoid) and isinstance(loss, BCE):
        away: Formula = Subtract(yhat, TARGET)
        away = Hadamard(WEIGHT, away) if loss.weight else away
        right = loss.sample_weighted(Transpose(away), size)
        remark = (
            "σ′ cancels: BCE learns from a confidently wrong output, the squared error does not"
        )
    elif isinstance(function, LogSoftmax) and isinstance(loss, NLL):
        slope = loss.less_one_hot(At(Apply(EXP, yhat)), size, ELEMENT)
        right = Transpose(loss.sample_weighted(slope, size))
        remark = "the probabilities minus the one-hot target"
    else:
        return ()
    factors = (Partial(LOSS, yhat.name), sample.partial(last))
    value = sample.value(Chain(factors))
    return (Shortcut(Chain(factors), Partial(LOSS, z.name), right, remark, value),)
