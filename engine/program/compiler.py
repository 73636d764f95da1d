"""From an experiment to ops: each phase's equations bound to the tensors they read and write."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from engine.arrays import Array, frozen
from engine.experiment.dataset import Batches, Dataset, batches, in_lines, load_data
from engine.experiment.spec import Experiment
from engine.formulas.symbols import gradient
from engine.formulas.tree import Symbol
from engine.functions.elementwise.dropout import Dropout
from engine.functions.function import Vjp
from engine.program.assembly import assembled
from engine.program.declared import Declared, zeroing
from engine.program.graph import GRADIENT, Network, Node, build_network
from engine.program.program import Program
from engine.run.op import CLOCK, Compute, Op, TensorInfo, Tensors
from engine.run.phases import Phase

YHAT = Symbol("ŷ")


def compile_program(experiment: Experiment, data: Dataset | None = None) -> Program:
    """Compile an experiment; an ExperimentError says what does not fit. Nothing is run.

    Without ``data`` they are loaded, which may raise ExperimentError too.
    """
    data = load_data(experiment) if data is None else data
    cut = batches(experiment, data)
    if in_lines(experiment) or data.x.ndim > 2:
        from engine.program.line_compiler import compile_lines

        return compile_lines(experiment, data, cut)
    network = build_network(experiment, data)
    compiler = Compiler(experiment, data, cut, network)
    return assembled(experiment, data, cut, network, compiler.declared, compiler.ops)


class Compiler:
    """Builds the ops of one iteration and the table of its tensors."""

    def __init__(
        self, experiment: Experiment, data: Dataset, cut: Batches, network: Network
    ) -> None:
        self.experiment = experiment
        self.network = network
        self.rows = min(cut.size, len(data))
        self.dtype = experiment.dtype
        self.declared = Declared(experiment, network, cut.count)
        self.updates = self.declared.updates
        # One array of zeros a parameter, which every zero_grad writes: arrays never change, so that
        # sharing is free, and ``adding`` knows it by identity.
        self.zeros: dict[str, Array] = {
            name: frozen(np.zeros(shape, self.dtype)) for name, _, _, shape in network.parameters()
        }
        self.ops = self.compile()
        self.declare(data)

    def compile(self) -> tuple[Op, ...]:
        """The ops of the phases in the experiment's order, without the skipped ones."""
        build: dict[Phase, Callable[[], Iterator[Op]]] = {
            Phase.ZERO_GRAD: lambda: zeroing(self.network, self.zeros),
            Phase.FORWARD: self.forward,
            Phase.LOSS: self.loss,
            Phase.BACKWARD: self.backward,
            Phase.UPDATE: self.updates.ops,
        }
        training = self.experiment.training
        ops = [op for p in training.order if p not in training.skip for op in build[p]()]
        # Only now is it known which place each has in the iteration.
        return tuple(replace(op, index=i) for i, op in enumerate(ops))

    def declare(self, data: Dataset) -> None:
        """Enter every tensor of the run with its shape: (N, d) with the N rows of a full batch."""
        rows, nodes = self.rows, self.network.nodes
        add = self.declared.add
        add("x", "x", (rows, data.x.shape[1]), "input")
        classes = nodes[-1].layer.outputs if data.y.dtype.kind in "iu" else None
        shape, dtype = (rows, *data.y.shape[1:]), str(data.y.dtype)
        add("y", "y", shape, "target", dtype=dtype, classes=classes)
        for node in nodes:
            for role, shape in node.layer.parameters.items():
                add(node.tensor(role), node.symbols[role], shape, "parameter", node.name)
            shape = (rows, node.layer.outputs)
            add(node.output, node.symbols["output"], shape, "activation", node.name)
            if "mask" in node.symbols:
                add(node.tensor("mask"), node.symbols["mask"], shape, "mask", node.name)
        add("loss", "ℓ", (), "loss")
        known = self.tensors.values()
        wanted = [info for info in known if info.role in ("activation", "parameter")]
        if self.experiment.training.input_gradient:
            wanted.append(self.tensors["x"])
        self.declared.gradients(wanted)
        self.declared.state(self.ops)

    @property
    def tensors(self) -> dict[str, TensorInfo]:
        """The tensors of the program by name."""
        return self.declared.tensors

    def op(
        self,
        phase: Phase,
        layer: str | None,
        text: tuple[str, str],
        reads: tuple[str, ...],
        writes: tuple[str, ...],
        run: Compute,
        adds: bool = False,
    ) -> Op:
        """One op; ``text`` is its short label and its whole formula."""
        label, formula = text
        return Op(0, phase, writes[0], layer, label, formula, reads, writes, run, adds)

    def forward(self) -> Iterator[Op]:
        """One op a layer, out (N, outputs); that of dropout writes its mask beside it."""
        for place, node in enumerate(self.network.nodes):
            reads = tuple(node.tensor(role) for role in node.layer.reads)
            out, given = node.symbols["output"], node.symbols["input"]
            text = (f"{out} = {node.name}({given})", f"{out} = {node.layer.formula(node.symbols)}")
            run = call(node.layer.function.value, reads)
            writes: tuple[str, ...] = (node.output,)
            if isinstance(node.layer.function, Dropout):
                run = dropping(node.layer.function, self.experiment.seed, place, node.input)
                reads, writes = (*reads, CLOCK), (*writes, node.tensor("mask"))
            yield self.op(Phase.FORWARD, node.name, text, reads, writes, run)

    def loss(self) -> Iterator[Op]:
        """ℓ = loss(ŷ, y), one op, of shape ()."""
        loss, reads = self.network.loss, (self.network.output, "y")
        text = (f"ℓ = {loss.type}(ŷ, y)", f"ℓ = {loss.formula(YHAT).text()}")
        yield self.op(Phase.LOSS, None, text, reads, ("loss",), call(loss.value, reads))

    def backward(self) -> Iterator[Op]:
        """One vector-Jacobian product an op: one equation, one gradient."""
        loss, reads = self.network.loss, (self.network.output, "y")
        text = f"{gradient('ŷ')} = {loss.gradient_formula(YHAT).text()}"
        writes = (self.network.output + GRADIENT,)
        yield self.op(Phase.BACKWARD, None, (text, text), reads, writes, call(loss.pull, reads))
        for node in reversed(self.network.nodes):
            for vjp in node.layer.vjps(node.symbols):
                # The data are no parameter: as in PyTorch, ∂ℓ/∂x is made on demand alone.
                first = vjp.wrt == "input" and node.input == "x"
                if not first or self.experiment.training.input_gradient:
                    yield self.vjp(node, vjp)

    def vjp(self, node: Node, vjp: Vjp) -> Op:
        """The op of one equation; gradients of parameters are added to."""
        reads = (node.output + GRADIENT, *(node.tensor(role) for role in vjp.reads))
        target = node.tensor(vjp.wrt) + GRADIENT
        adds = vjp.wrt != "input"
        text = f"{gradient(node.symbols[vjp.wrt])} {'+=' if adds else '='} {vjp.formula.text()}"
        name = node.tensor(vjp.wrt)
        run = adding(vjp.pull, reads, target, self.zeros[name]) if adds else call(vjp.pull, reads)
        return self.op(Phase.BACKWARD, node.name, (text, text), reads, (target,), run, adds)


def call(function: Callable[..., Any], reads: tuple[str, ...]) -> Compute:
    """An op that writes a function of what it reads."""
    # A form for each of the usual numbers of operands: a loop over names would cost at every op.
    match reads:
        case (a,):
            return lambda t: (function(t[a]),)
        case (a, b):
            return lambda t: (function(t[a], t[b]),)
        case (a, b, c):
            return lambda t: (function(t[a], t[b], t[c]),)
        case _:
            return lambda t: (function(*[t[name] for name in reads]),)


def dropping(function: Dropout, seed: int, place: int, given: str) -> Compute:
    """An op that draws a mask for this iteration, and multiplies with it.

    The mask is a function of seed, place of the layer and iteration: going back draws the same.
    """

    def run(tensors: Tensors) -> tuple[Array, ...]:
        x = tensors[given]
        mask = function.mask(seed, place, int(tensors[CLOCK]), x.shape, x.dtype)
        return x * mask, mask

    return run


def adding(pull: Callable[..., Array], reads: tuple[str, ...], target: str, zero: Array) -> Compute:
    """An op that adds a vector-Jacobian product to the gradient that is there.

    Adding to nothing, or to zeros, gives the product itself: it differs from the sum at most in the
    sign of a zero, and every legal order of the phases takes the same path. ``zero`` is what
    zero_grad writes, and being that very array saves the look at its elements.
    """

    def added(before: Array | None, new: Array) -> tuple[Array, ...]:
        if before is None or before is zero or not before.any():
            return (new,)
        return (before + new,)

    # A form for each number of operands, as in ``call``.
    match reads:
        case (a,):
            return lambda t: added(t.get(target), pull(t[a]))
        case (a, b):
            return lambda t: added(t.get(target), pull(t[a], t[b]))
        case _:
            return lambda t: added(t.get(target), pull(*[t[name] for name in reads]))
