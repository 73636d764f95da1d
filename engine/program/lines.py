"""The lines of an experiment, read into a network with every shape inferred.

Everything is read once for each size of batch that occurs, since shapes are known before anything
runs: a last, short batch has trees of its own.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from engine.arrays import Array, frozen
from engine.errors import Problem
from engine.experiment.dataset import Batches, Dataset
from engine.experiment.failing import failed
from engine.experiment.spec import Experiment, GivenSpec, NetworkSpec, WrittenSpec
from engine.functions.losses.as_written import AsWritten
from engine.functions.losses.element_loss import ElementLoss
from engine.functions.losses.loss import Loss
from engine.lines.algebra import PRODUCT, reshaped
from engine.lines.lift import Lift
from engine.lines.line import Fault, Line
from engine.lines.losses import LossOf, OfSample
from engine.lines.node import Kind, Misfit, Node, call, rebuilt, tensor
from engine.lines.reader import Lines
from engine.lines.reductions import MEAN, TOTAL, Reduction
from engine.lines.sample_rows import sample_rows
from engine.lines.scope import Scope
from engine.lines.table import loss_rows, rows
from engine.lines.unfold import unfolded
from engine.nn.table import LOSSES
from engine.program.graph import MAX_BYTES, settings
from engine.program.layer_problems import layer_problems
from engine.program.layer_values import LayerValues
from engine.program.line_layers import Held, Layers
from engine.program.line_network import Graph, LineNetwork, Parameter
from engine.program.line_values import Values, columns

GIVEN = "loss.gradient"


def read_lines(experiment: Experiment, data: Dataset, cut: Batches) -> tuple[LineNetwork, Dataset]:
    """The network of lines with every shape inferred, and the data as its lines take them.

    Raises ExperimentError with every problem that can be found.
    """
    return Builder(experiment, data, cut).build()


class Builder:
    """Reads the lines of one experiment; ``problems`` collects what is wrong."""

    def __init__(self, experiment: Experiment, data: Dataset, cut: Batches) -> None:
        self.experiment = experiment
        self.network = experiment.network or NetworkSpec()
        unfold = self.network.unfold
        self.unfold = [unfold] if isinstance(unfold, str) else unfold
        self.sample = self.network.per == "sample"
        self.data = data
        self.cut = cut
        self.problems: list[Problem] = []
        self.made_loss = False
        self.held: dict[str, Held] = {}
        self.read_in: set[int] = set()

    def problem(self, path: str, message: str, row: int = 0) -> None:
        """Note one problem; ``row`` is the line of a text of several lines."""
        self.problems.append(Problem(path, message, row))

    def fail(self) -> None:
        """Raise ExperimentError where anything is wrong."""
        if self.problems:
            # Lines are read again where a name turns out to be real: the same may be wrong twice.
            raise failed(self.experiment, list(dict.fromkeys(self.problems)))

    def build(self) -> tuple[LineNetwork, Dataset]:
        """The network, and the data."""
        data = self.shaped()
        values = Values(self.experiment, self.data, self.sample)
        sizes = values.sizes()
        constants = {
            name: values.constant(name, value) for name, value in self.experiment.constants.items()
        }
        parameters = values.parameters(sizes)
        given = values.given()
        if given is not None:
            constants[GIVEN] = given
        self.problems += values.problems
        self.fail()
        full = min(self.cut.size, len(data))
        counts = sorted({full, self.last(len(data), full)}, reverse=True)
        real: set[str] = set()
        self.problems += layer_problems(self.experiment, self.data, constants)
        graphs: dict[int, Graph] = {}
        for count in counts:
            while True:
                mixed = set(real)
                graph = self.graph(count, sizes, data, constants, parameters, real)
                if real == mixed:
                    break
            if graph is not None:
                graphs[count] = graph
            if self.problems:
                break
        held = LayerValues(self.experiment, self.held.values(), self.read_in)
        self.problems += held.problems
        self.fail()
        constants = {
            name: frozen(value.astype(self.experiment.dtype) if name in real else value)
            for name, value in constants.items()
        }
        data = self.as_real(data, real)
        loss = LOSSES.get(self.experiment.loss.type)
        known = AsWritten(scale=1.0) if loss is None or self.made_loss else self.table_loss()
        learned = (*parameters.values(), *held.parameters)
        network = LineNetwork((), known, learned, constants, graphs, held.buffers)
        self.check_memory(network, full)
        self.fail()
        return network, data

    def last(self, rows: int, full: int) -> int:
        """The rows of the last batch of an epoch."""
        rest = rows % full
        return full if self.cut.drop_last or not rest else rest

    def shaped(self) -> Dataset:
        """The data with columns for vectors, where the lines are of one sample."""
        if not self.sample:
            return self.data
        x = columns(self.data.x, 2)
        y = columns(self.data.y, 2)
        aside = self.data.validation
        if aside is not None:
            aside = replace(aside, x=columns(aside.x, 2), y=columns(aside.y, 2))
        return replace(self.data, x=x, y=y, validation=aside)

    def as_real(self, data: Dataset, real: set[str]) -> Dataset:
        """The data with x and y in the experiment's dtype where they are no indices alone."""
        dtype = self.experiment.dtype
        aside = data.validation
        if aside is not None:
            aside = self.as_real(replace(aside, validation=None), real)

        def cast(name: str, value: Array) -> Array:
            index = value.dtype.kind in "iu" and name not in real
            return frozen(value if index else value.astype(dtype, copy=False))

        return replace(data, x=cast("x", data.x), y=cast("y", data.y), validation=aside)

    def graph(
        self,
        rows_: int,
        sizes: Mapping[str, int],
        data: Dataset,
        constants: Mapping[str, Array],
        parameters: Mapping[str, Parameter],
        real: set[str],
    ) -> Graph | None:
        """The lines for a batch of so many rows; names used as real numbers go into ``real``."""
        own = sample_rows() if self.sample else []
        table = {row.name: row for row in (*rows(), *own, *loss_rows(LOSSES, self.sample))}
        lead = 1 if self.sample else 0
        tensors: dict[str, Node] = {}
        batched: dict[Node, Node] = {}
        for name, value in (("x", data.x), ("y", data.y)):
            if name not in data.given:
                continue
            kind = kind_of(value, name in real)
            whole = tensor(name, (rows_, *value.shape[1:]), kind)
            if self.sample:
                one = tensor(name, value.shape[1:], kind)
                batched[one] = whole
                tensors[name] = one
            else:
                tensors[name] = whole
        for name, value in constants.items():
            tensors[name] = tensor(name, value.shape, kind_of(value, name in real))
        for name, parameter in parameters.items():
            tensors[name] = tensor(name, parameter.value.shape)
        for name, spec in self.experiment.parameters.items():
            if spec.tied is not None:
                tensors[name] = tensors[spec.tied]
        whole_numbers = {
            name: int(value)
            for name, value in constants.items()
            if value.ndim == 0 and value.dtype.kind in "iu"
        }
        scope = Scope(tensors, {"N": rows_, **sizes}, table, whole=whole_numbers)
        lift = Lift(rows_, batched) if lead else None
        fold = TOTAL if self.experiment.loss.reduction == "sum" else MEAN
        layers = Layers(self.experiment, rows_, self.unfold, self.problem)
        lines = LiftedLines(self.network.lines, scope, lift, fold, layers)
        lines.read()
        layers.rest(lines)
        self.held, self.read_in = layers.held, layers.read_in
        for fault in lines.faults:
            self.problem("network.lines", str(fault), fault.line)
        real |= lines.expressions.mixed & {"x", "y", *constants}
        return None if self.problems else self.finished(lines, rows_)

    def finished(self, lines: "LiftedLines", rows_: int) -> Graph | None:
        """The lines with the loss as the last one."""
        made = {line.name: line for line in lines.lines}
        self.made_loss = "loss" in made
        if not made:
            self.problem("network.lines", "there is no line: write an equation, z = W @ x")
            return None
        for i, name in enumerate(self.experiment.layer_names):
            if name in made:
                self.problem(f"layers[{i}].name", f"{name} is the name of a line, too")
        if self.made_loss:
            loss = made["loss"]
            if isinstance(self.experiment.loss, WrittenSpec) is False:
                said = "a line makes loss, and [loss] has a type: one of them"
                self.problem("loss.type", said)
                return None
            if math.prod(loss.root.shape) == 1:
                loss = replace(loss, root=reshaped(loss.root, ()))
            elif loss.root.shape != ():
                shape = loss.root.shape
                said = f"line {loss.number}: loss has shape {shape}: it must be a single number"
                self.problem("network.lines", said, loss.number)
                return None
            others = [line for line in lines.lines if line.name != "loss"]
            output = self.output_of(others)
            return Graph(self.pieces((*others, loss)), output)
        output = self.output_of(lines.lines)
        loss_line = self.loss_line(lines, output, rows_)
        if loss_line is None:
            return None
        return Graph(self.pieces((*lines.lines, loss_line)), output)

    def output_of(self, lines: list[Line]) -> str:
        """The name of ŷ: yhat, or what the last line makes."""
        if not lines:
            return "x"
        made = [line.name for line in lines if line.role == "activation"]
        return "yhat" if "yhat" in made else made[-1]

    def pieces(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """The lines, with those that are to be unfolded as the lines of their functions."""
        layers = self.experiment.layer_names
        known = [*layers, *(line.name for line in lines)]
        families = {name.partition("[")[0] for name in known}
        for name in self.unfold:
            if name != "all" and name not in known and name not in families:
                self.problem("network.unfold", f"no line {name!r}; lines are {', '.join(known)}")
        out: list[Line] = []
        for line in lines:
            names = {line.name, line.name.partition("[")[0], line.layer}
            if line.whole is not None:  # the lines of a layer are its pieces
                names -= {line.whole, line.layer}
            asked = "all" in self.unfold or names & set(self.unfold)
            out += unfolded(line) if asked and line.role == "activation" else [line]
        return tuple(out)

    def table_loss(self) -> Any:
        """The loss of [loss] from the table."""
        spec = self.experiment.loss
        kind = LOSSES[spec.type]
        options = settings(spec, kind)
        if "of_rows" in kind.__dataclass_fields__:
            options["of_rows"] = self.data.y.dtype.kind == "f"
        return kind(**options)

    def loss_line(self, lines: "LiftedLines", output: str, rows_: int) -> Line | None:
        """The loss that [loss] asks for, of ŷ and y."""
        spec = self.experiment.loss
        tensors = lines.scope.tensors
        if isinstance(spec, WrittenSpec):
            self.problem("network.lines", "no line makes loss, and there is no [loss] type")
            return None
        yhat = tensors[output]
        try:
            if isinstance(spec, GivenSpec):
                g = tensors[GIVEN]
                batch = lines.batch(yhat) if lines.lift else yhat
                root: Node = call(TOTAL, (call(PRODUCT, (g, batch)),))
                if batch.shape != g.shape:
                    said = f"has shape {g.shape}, but {output} has {batch.shape}"
                    self.problem("loss.gradient", said)
                    return None
                return Line("loss", f"loss = sum(G*{output})", 0, root)
            loss = self.table_loss()
            if lines.lift is not None:
                kind = replace(loss, reduction="mean" if loss.reduction == "mean" else "sum")
                each = lines.lift(call(OfSample(kind), (yhat, tensors["y"])))
                fold = TOTAL if loss.reduction == "sum" else MEAN
                root = call(fold, (each,))
            else:
                root = call(LossOf(loss), as_rows(loss, yhat, tensors["y"]))
        except Misfit as misfit:
            self.problem("loss", str(misfit))
            return None
        return Line("loss", f"loss = {spec.type}({output}, y)", 0, root)

    def check_memory(self, network: LineNetwork, rows_: int) -> None:
        """Note parameters or tensors of a batch that would not fit into memory."""
        width = np.dtype(self.experiment.dtype).itemsize
        total = sum(math.prod(line.root.shape) for line in network.graph.lines) * width
        if 2 * total > MAX_BYTES:
            said = f"the tensors of the lines and their gradients take {2 * total:,} bytes"
            self.problem("network.lines", f"{said}, more than the limit of {MAX_BYTES:,}")


class LiftedLines(Lines):
    """Lines that may be of one sample: their trees are lifted to a batch as they are read."""

    def __init__(
        self, text: str, scope: Scope, lift: Lift | None, fold: Reduction, layers: Layers
    ) -> None:
        super().__init__(text, scope, taken)
        self.lift = lift
        self.layers = layers
        self.fold = fold  # of the losses of the samples

    def demand(self, name: str) -> None:
        """A layer is read when it is first asked for."""
        self.layers.demand(name, self)

    def batch(self, node: Node) -> Node:
        """A tensor of one sample as that of the batch."""
        assert self.lift is not None
        return self.lift(node)

    def add(self, line: Line) -> None:
        """Keep a line; of a sample, in its form for the batch. A loss is their mean, or sum."""
        if self.lift is None:
            super().add(line)
            return
        try:
            root = self.lift(line.root)
        except Misfit as misfit:
            self.faults.append(Fault(line.number, line.column, str(misfit)))
            self.expressions.missing.add(line.name)
            return
        one = tensor(line.name, line.root.shape, line.root.kind)
        if line.root in self.lift.batched:
            if line.name == "loss" and math.prod(line.root.shape) == 1:
                root = call(self.fold, (reshaped(root, root.shape[:1]),))
            else:
                self.lift.made[one] = tensor(line.name, root.shape, root.kind)
                self.lift.batched.add(one)
        self.lines.append(replace(line, root=root))
        self.scope.tensors[line.name] = one


def as_rows(loss: Loss, yhat: Node, y: Node) -> tuple[Node, Node]:
    """Predictions and targets of sequences or images as the rows that losses take.

    A loss of elements takes all of a sample as one row; where the last axis is that of classes,
    each place with its class is a row of its own.
    """
    if yhat.rank == 2 or not yhat.rank:
        return yhat, y
    each = any(getattr(loss, name, ()) for name in ("weight", "pos_weight"))
    if isinstance(loss, ElementLoss) and y.shape == yhat.shape and not each:
        wide = (yhat.shape[0], math.prod(yhat.shape[1:]))
        return reshaped(yhat, wide), reshaped(y, wide)
    classes = loss.takes_classes and y.kind == "whole" and loss.reduction != "batch_mean"
    if classes and y.shape == yhat.shape[:-1]:
        places = math.prod(y.shape)
        return reshaped(yhat, (places, yhat.shape[-1])), reshaped(y, (places,))
    return yhat, y


def folded(lines: list[Line]) -> Node:
    """Several lines as one tree: each name that is read is replaced by its own tree."""
    made: dict[Node, Node] = {}
    root: Node = lines[-1].root
    for line in lines:
        root = rebuilt(line.root, made)
        made[tensor(line.name, line.root.shape, line.root.kind)] = root
    return root


def kind_of(value: Array, real: bool) -> Kind:
    """What an array holds: whole numbers stay whole where they are no real ones in the lines."""
    return "whole" if value.dtype.kind in "iu" and not real else "real"


TAKEN = {"x", "y", "optimizer", "event", "iteration", "epoch", "tensor", "clip", "training"}


def taken(name: str) -> str:
    """Why a line cannot make a tensor of this name; empty where it can."""
    if name.partition(".")[0].partition("[")[0] in TAKEN:
        return f"{name} has a meaning of its own: choose another name"
    return ""
