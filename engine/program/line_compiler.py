"""From a network of lines to ops: one line, one op forward; backward one for each operand."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array, frozen
from engine.experiment.dataset import Batches, Dataset
from engine.experiment.spec import Experiment
from engine.formulas.symbols import gradient
from engine.lines.derive import gradients
from engine.lines.line import Line
from engine.lines.node import Node, Tensor, constant, formula, tensor, tensors
from engine.lines.tape import Tape
from engine.program.assembly import assembled
from engine.program.declared import Declared, zeroing
from engine.program.graph import GRADIENT
from engine.program.line_layers import short
from engine.program.line_network import Graph, LineNetwork
from engine.program.line_pass import pinned
from engine.program.lines import read_lines
from engine.program.program import Program
from engine.run.op import ROWS, Compute, Op, TensorInfo, Tensors
from engine.run.phases import Phase


@dataclass(frozen=True, eq=False)
class Piece:
    """One op of one size of batch: what it writes and how, before it is known where it stands."""

    phase: Phase
    name: str
    text: str
    reads: tuple[str, ...]
    target: str
    run: Compute
    layer: str | None = None
    adds: bool = False


def compile_lines(experiment: Experiment, data: Dataset, cut: Batches) -> Program:
    """Compile an experiment of lines; an ExperimentError says what does not fit."""
    experiment = pinned(experiment, data)
    network, data = read_lines(experiment, data, cut)
    compiler = LineCompiler(experiment, data, cut, network)
    return assembled(experiment, data, cut, network, compiler.declared, compiler.ops)


class LineCompiler:
    """Builds the ops of one iteration of lines and the table of its tensors."""

    def __init__(
        self, experiment: Experiment, data: Dataset, cut: Batches, network: LineNetwork
    ) -> None:
        self.experiment = experiment
        self.network = network
        self.data = data
        self.declared = Declared(experiment, network, cut.count)
        self.zeros: dict[str, Array] = {
            one.name: frozen(np.zeros(one.value.shape, experiment.dtype))
            for one in network.parameters_
        }
        self.learned = self.learning()
        self.flowing: set[str] = set()  # the gradients that backward makes
        self.ops = self.compile()
        self.declare()

    @property
    def tensors(self) -> dict[str, TensorInfo]:
        """The tensors of the program by name."""
        return self.declared.tensors

    def learning(self) -> frozenset[str]:
        """The names of the tensors that have a gradient: what depends on a parameter, or on x."""
        found = {one.name for one in self.network.parameters_}
        if self.experiment.training.input_gradient:
            found |= {name for name in ("x", "y") if self.real(name)}
        for line in self.network.graph.lines:
            reads = {node.name for node in tensors(line.root) if node.kind == "real"}
            if line.root.kind == "real" and line.role == "activation" and reads & found:
                found.add(line.name)
        return frozenset(found)

    def real(self, name: str) -> bool:
        """Whether x or y holds real numbers, which alone have a gradient."""
        value: Array = getattr(self.data, name)
        return value.dtype.kind == "f"

    def compile(self) -> tuple[Op, ...]:
        """The ops of the phases in the experiment's order, without the skipped ones."""
        pieces = {rows: self.pieces(graph) for rows, graph in self.network.graphs.items()}
        ops: dict[Phase, list[Op]] = {phase: [] for phase in Phase}
        ops[Phase.ZERO_GRAD] = list(zeroing(self.network, self.zeros))
        for same in zip(*pieces.values(), strict=True):
            one = same[0]
            run, reads = one.run, one.reads
            if len(pieces) > 1:
                run, reads = choosing(dict(zip(pieces, same, strict=True))), (*reads, ROWS)
            ops[one.phase].append(
                Op(
                    0, one.phase, one.name, one.layer, one.text, one.text, reads,
                    (one.target,), run, one.adds,
                )
            )  # fmt: skip
        ops[Phase.UPDATE] = list(self.declared.updates.ops())
        training = self.experiment.training
        chosen = [op for phase in training.order if phase not in training.skip for op in ops[phase]]
        return tuple(replace(op, index=i) for i, op in enumerate(chosen))

    def pieces(self, graph: Graph) -> list[Piece]:
        """The ops of one size of batch but for those of zero_grad and update."""
        needed = self.needed(graph)
        derived = [self.derive(graph, line, needed) for line in graph.lines]
        forward = [self.forward(graph, line, tape) for line, tape, _ in derived]
        used: set[str] = set()
        backward = []
        for line, tape, grads in reversed(derived):
            # Behind floor, sign and their like nothing flows back: no op has made this gradient.
            if line is not graph.loss and line.name + GRADIENT not in used:
                continue
            for wrt, grad in grads.items():
                backward.append(self.backward(graph, line, tape, wrt, grad, used))
        self.flowing |= used
        return [*forward, *backward]

    def derive(
        self, graph: Graph, line: Line, needed: frozenset[str]
    ) -> tuple[Line, Tape, dict[Tensor, Node]]:
        """A line with its tape, and the gradients of what it reads."""
        wanted = [node for node in tensors(line.root) if node.name in needed]
        wanted.sort(key=lambda node: node.name not in self.zeros)  # parameters first
        grads: dict[Tensor, Node] = {}
        if line is graph.loss:
            grads = gradients(line.root, constant(1.0), wanted, own(line))
        elif line.name in needed:
            symbol = gradient(line.name)
            seed = tensor(line.name + GRADIENT, line.root.shape, symbol=symbol)
            grads = gradients(line.root, seed, wanted, own(line))
        return line, Tape([line.root, *grads.values()], self.experiment.dtype), grads

    def needed(self, graph: Graph) -> frozenset[str]:
        """The names of the tensors whose gradient is computed: what the loss depends on, too."""
        reached = {graph.loss.name}
        for line in reversed(graph.lines):
            # A buffer is read as it was before its own line: nothing flows through that.
            if line.name in reached and line.root.kind == "real" and line.role != "buffer":
                reached |= {n.name for n in tensors(line.root) if n.kind == "real"}
        return frozenset(reached & self.learned)

    def forward(self, graph: Graph, line: Line, tape: Tape) -> Piece:
        """The op of one line."""
        phase = Phase.LOSS if line is graph.loss else Phase.FORWARD
        reads = tape.reads(line.root)
        run = tape.compute(line.root)
        return Piece(phase, line.name, line.text, reads, line.name, run, line.layer)

    def backward(
        self, graph: Graph, line: Line, tape: Tape, wrt: Tensor, grad: Node, used: set[str]
    ) -> Piece:
        """The op of one contribution to a gradient: the first of an activation's sets it."""
        target = wrt.name + GRADIENT
        adds = wrt.name in self.zeros or target in used
        used.add(target)
        sign = "+=" if adds else "="
        chained = f"{gradient(line.name)} · ∂{line.name}/∂{wrt.name}"
        written = formula(grad).text() if short(grad) else chained
        text = f"{gradient(wrt.name)} {sign} {written}"
        run = tape.compute(grad)
        if adds:
            run = accumulating(run, target, self.zeros.get(wrt.name))
        name = f"{target}@{line.name}"
        reads = tape.reads(grad)
        return Piece(Phase.BACKWARD, name, text, reads, target, run, line.layer, adds)

    def declare(self) -> None:
        """Enter every tensor of the run with its shape, of a full batch."""
        add, graph = self.declared.add, self.network.graph
        rows = max(self.network.graphs)
        for name, role, value in (("x", "input", self.data.x), ("y", "target", self.data.y)):
            shape, classes = (rows, *value.shape[1:]), None
            if role == "target" and value.dtype.kind in "iu" and value.ndim == 1 and value.size:
                classes = int(value.max()) + 1
            add(name, name, shape, role, dtype=str(value.dtype), classes=classes)
        for one in self.network.parameters_:
            add(one.name, one.name, one.value.shape, "parameter", one.layer)
        for name, value in self.network.constants.items():
            add(name, name, value.shape, "constant", dtype=str(value.dtype))
        for name, (layer, value) in self.network.buffers.items():
            add(name, name, value.shape, "buffer", layer)
        with_rows = self.with_rows()
        for line in graph.lines[:-1]:
            if line.role == "buffer":
                continue
            dtype = {"real": None, "whole": "int64", "truth": "bool"}[line.root.kind]
            rowless = line.name not in with_rows
            shape = line.root.shape
            add(line.name, line.name, shape, line.role, line.layer, dtype, rowless=rowless)
        add("loss", "ℓ", (), "loss")
        wanted = [info for info in self.tensors.values() if info.name + GRADIENT in self.flowing]
        parameters = [info for info in self.tensors.values() if info.role == "parameter"]
        self.declared.gradients([*wanted, *(p for p in parameters if p not in wanted)])
        self.declared.state(self.ops)
        if len(self.network.graphs) > 1:
            add(ROWS, "N", (), "hyper", dtype="float64")

    def with_rows(self) -> set[str]:
        """The lines whose first axis is that of the samples."""
        graphs = list(self.network.graphs.values())
        if len(graphs) > 1:
            both = zip(graphs[0].lines, graphs[1].lines, strict=True)
            return {a.name for a, b in both if a.root.shape != b.root.shape}
        rows = max(self.network.graphs)
        found = {"x", "y"}
        for line in graphs[0].lines:
            reads = {node.name for node in tensors(line.root)}
            if line.root.shape[:1] == (rows,) and (reads & found or line.role == "mask"):
                found.add(line.name)
        return found


def own(line: Line) -> Tensor:
    """The tensor that a line makes."""
    return tensor(line.name, line.root.shape, line.root.kind)


def choosing(pieces: Mapping[int, Piece]) -> Compute:
    """An op that is computed by the trees for the number of rows that the batch has."""
    runs = {rows: piece.run for rows, piece in pieces.items()}

    def run(tensors: Tensors) -> tuple[Array, ...]:
        return runs[int(tensors[ROWS])](tensors)

    return run


def accumulating(product: Compute, target: str, zero: Array | None) -> Compute:
    """An op that adds to the gradient that is there; to nothing, or to zeros, it adds itself."""

    def run(tensors: Tensors) -> tuple[Array, ...]:
        before = tensors.get(target)
        (new,) = product(tensors)
        if before is None or before is zero:
            return (new,)
        return (np.asarray(before + new),)  # of two single numbers NumPy makes no array

    return run
