"""From an experiment to ops: each phase's equations bound to the tensors they read and write."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.errors import ExperimentError, Problem
from engine.experiment.dataset import Batches, Dataset, batches, load_data
from engine.experiment.domains import domain_of
from engine.experiment.spec import Experiment, LinesSpec
from engine.formulas.symbols import gradient
from engine.formulas.tree import Symbol
from engine.functions.elementwise.dropout import Dropout
from engine.functions.function import Vjp
from engine.optim.optimizers import Optimizer
from engine.program.first_slots import first_slots
from engine.program.graph import GRADIENT, Network, Node, build_network
from engine.program.learned import learned_parameters, optimizer_of
from engine.program.program import Program
from engine.program.update import Updates
from engine.run.op import CLOCK, Compute, Domain, Op, TensorInfo, Tensors
from engine.run.phases import Phase

YHAT = Symbol("ŷ")


def compile_program(experiment: Experiment, data: Dataset | None = None) -> Program:
    """Compile an experiment; an ExperimentError says what does not fit. Nothing is run.

    Without ``data`` they are loaded, which may raise ExperimentError too.
    """
    data = load_data(experiment) if data is None else data
    cut = batches(experiment, data)
    network = build_network(experiment, data)
    compiler = Compiler(experiment, data, cut, network)
    if not compiler.ops:
        problem = Problem("training.skip", "leaves nothing to run: skip fewer steps")
        raise ExperimentError(experiment.file or experiment.name, [problem])
    return Program(
        experiment,
        data,
        cut,
        network,
        compiler.optimizer,
        compiler.tensors,
        compiler.ops,
        compiler.scalars,
        compiler.slots,
    )


class Compiler:
    """Builds the ops of one iteration and the table of its tensors."""

    def __init__(
        self, experiment: Experiment, data: Dataset, cut: Batches, network: Network
    ) -> None:
        self.experiment = experiment
        self.network = network
        self.rows = min(cut.size, len(data))
        self.dtype = experiment.dtype
        self.optimizer: Optimizer = optimizer_of(experiment.optimizer)
        learned = learned_parameters(experiment, network)
        self.updates = Updates.of(experiment, learned, self.optimizer, cut.count)
        self.slots = first_slots(experiment, self.optimizer, self.updates.moved)
        self.tensors: dict[str, TensorInfo] = {}
        self.scalars: dict[str, float] = {}
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
            Phase.ZERO_GRAD: self.zero_grad,
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
        self.tensor("x", "x", (rows, data.x.shape[1]), "input")
        classes = nodes[-1].layer.outputs if data.y.dtype.kind in "iu" else None
        shape, dtype = (rows, *data.y.shape[1:]), str(data.y.dtype)
        self.tensor("y", "y", shape, "target", dtype=dtype, classes=classes)
        for node in nodes:
            for role, shape in node.layer.parameters.items():
                self.tensor(node.tensor(role), node.symbols[role], shape, "parameter", node.name)
            shape = (rows, node.layer.outputs)
            self.tensor(node.output, node.symbols["output"], shape, "activation", node.name)
            if "mask" in node.symbols:
                self.tensor(node.tensor("mask"), node.symbols["mask"], shape, "mask", node.name)
        self.tensor("loss", "ℓ", (), "loss")
        wanted = [
            info for info in self.tensors.values() if info.role in ("activation", "parameter")
        ]
        if self.experiment.training.input_gradient:
            wanted.append(self.tensors["x"])
        for info in wanted:
            name, symbol = info.name + GRADIENT, gradient(info.symbol)
            self.tensor(name, symbol, info.shape, "gradient", info.layer, gradient_of=info.name)
        for one in self.updates.moved:
            for slot in self.optimizer.slots:
                name, shape = f"{one.name}.{slot}", self.optimizer.shape_of(slot, one.shape)
                symbol = f"{self.optimizer.letters.get(slot, slot)}({one.symbol})"
                self.tensor(name, symbol, shape, "slot", one.layer, slot_of=one.name)
        for name, symbol, value in self.updates.scalars():
            limits = self.domain(name)
            self.tensor(name, symbol, (), "hyper", dtype="float64", domain=limits)
            if value is not None:
                self.scalars[name] = value
        # Only where an op reads it: otherwise every iteration would bring a tensor for nothing.
        if any(CLOCK in op.reads for op in self.ops):
            self.tensor(CLOCK, "i", (), "hyper", dtype="float64")

    def domain(self, name: str) -> Domain:
        """The limits of a hyper-parameter, as a file has them; none where no file names it."""
        owner, _, field = name.rpartition(".")
        spec = self.experiment.optimizer
        if owner.partition(".")[0] != "optimizer" or isinstance(spec, LinesSpec):
            return ()
        return domain_of(type(spec), field.removeprefix("initial_"))

    def tensor(
        self,
        name: str,
        symbol: str,
        shape: Shape,
        role: str,
        layer: str | None = None,
        dtype: str | None = None,
        gradient_of: str | None = None,
        classes: int | None = None,
        slot_of: str | None = None,
        domain: Domain = (),
    ) -> None:
        """Enter one tensor; without a dtype it has the experiment's."""
        own = dtype or self.dtype
        self.tensors[name] = TensorInfo(
            name, symbol, shape, own, role, layer, gradient_of, classes, slot_of, domain
        )

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

    def zero_grad(self) -> Iterator[Op]:
        """∇θ ← 0, one op for each parameter, frozen ones too."""
        for name, node, role, _ in self.network.parameters():
            text = f"{gradient(node.symbols[role])} ← 0"
            run = constant(self.zeros[name])
            yield self.op(Phase.ZERO_GRAD, node.name, (text, text), (), (name + GRADIENT,), run)

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


def constant(value: Array) -> Compute:
    """An op that always writes the same read-only array."""
    result = (value,)
    return lambda tensors: result


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
    product = call(pull, reads)

    def run(tensors: Tensors) -> tuple[Array, ...]:
        before = tensors.get(target)
        (new,) = product(tensors)
        if before is None or before is zero or not before.any():
            return (new,)
        return (before + new,)

    return run
