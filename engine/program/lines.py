"""The network of an experiment that is written as lines: parameters, lines, layers, loss.

Everything is read once for each size of batch that occurs, since shapes are known before anything
runs: a last, short batch has trees of its own.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.errors import ExperimentError, Problem
from engine.experiment.data_files import npz_arrays
from engine.experiment.data_inline import Walk, array_of
from engine.experiment.data_problem import DataProblem
from engine.experiment.dataset import Batches, Dataset
from engine.experiment.spec import Experiment, GivenSpec, ParameterSpec, WrittenSpec
from engine.functions.losses.as_written import AsWritten
from engine.lines.algebra import PRODUCT
from engine.lines.lift import Lift
from engine.lines.losses import LossOf, OfSample
from engine.lines.node import Misfit, Node, call, rebuilt, tensor
from engine.lines.reader import Fault, Line, Lines, Scope
from engine.lines.reductions import MEAN, TOTAL, Reduction
from engine.lines.table import loss_rows, rows
from engine.lines.unfold import unfolded
from engine.nn import initializers
from engine.nn.table import LOSSES
from engine.program.graph import MAX_BYTES, Network
from engine.program.graph import Node as LayerNode
from engine.streams import stream
from engine.wording import shown

GIVEN = "loss.gradient"
RESERVED = {"loss", "yhat"}


@dataclass(frozen=True, eq=False)
class Parameter:
    """A parameter of lines: its first value, and whether the optimizer leaves it alone."""

    name: str
    value: Array
    frozen: bool
    layer: str | None = None


@dataclass(frozen=True)
class Frozen:
    """Which of its parameters the optimizer leaves alone."""

    frozen: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Holder:
    """What stands where a layer stands: a parameter of lines belongs to none, or to one by name."""

    name: str | None
    symbols: Mapping[str, str]
    spec: Frozen

    def tensor(self, role: str) -> str:
        """The name of a parameter."""
        return role


@dataclass(frozen=True, eq=False)
class Graph:
    """The lines of one size of batch in the order in which they run; the loss is the last."""

    lines: tuple[Line, ...]
    output: str

    @property
    def loss(self) -> Line:
        """The line that makes the loss."""
        return self.lines[-1]


@dataclass(frozen=True, eq=False)
class LineNetwork(Network):
    """A network as lines: a graph for each number of rows that a batch has.

    It has no layers in a row, and its ``loss`` is a function of ŷ and y only where [loss] says so.
    """

    parameters_: tuple[Parameter, ...] = ()
    constants: Mapping[str, Array] = field(default_factory=dict)
    graphs: Mapping[int, Graph] = field(default_factory=dict)

    def parameters(self) -> Iterator[tuple[str, LayerNode, str, Shape]]:
        """Each parameter: its name, what stands for its layer, its role there, and its shape."""
        for one in self.parameters_:
            held: Any = Holder(one.layer, {one.name: one.name}, Frozen((one.name,) * one.frozen))
            yield one.name, held, one.name, one.value.shape

    def initial(self, experiment: Experiment) -> dict[str, Array]:
        """The parameters and constants before the first iteration, by name, read-only."""
        return {one.name: one.value for one in self.parameters_} | dict(self.constants)

    @property
    def graph(self) -> Graph:
        """The graph of a full batch."""
        return self.graphs[max(self.graphs)]

    @property
    def output(self) -> str:
        """The name of ŷ: the tensor of that name, or what the last line before the loss makes."""
        return self.graph.output


def has_lines(experiment: Experiment) -> bool:
    """Whether a network is written as lines, and no chain of layers."""
    return experiment.network is not None


def read_lines(experiment: Experiment, data: Dataset, cut: Batches) -> tuple[LineNetwork, Dataset]:
    """The network of lines with every shape inferred, and the data as its lines take them.

    Raises ExperimentError with every problem that can be found.
    """
    return Builder(experiment, data, cut).build()


class Builder:
    """Reads the lines of one experiment; ``problems`` collects what is wrong."""

    def __init__(self, experiment: Experiment, data: Dataset, cut: Batches) -> None:
        assert experiment.network is not None
        self.experiment = experiment
        self.network = experiment.network
        self.sample = self.network.per == "sample"
        self.data = data
        self.cut = cut
        self.problems: list[Problem] = []
        self.lines_fault: list[Fault] = []

    def problem(self, path: str, message: str) -> None:
        """Note one problem."""
        self.problems.append(Problem(path, message))

    def fail(self) -> None:
        """Raise ExperimentError where anything is wrong."""
        if self.problems:
            name = self.experiment.file or self.experiment.name
            raise ExperimentError(name, self.problems)

    def build(self) -> tuple[LineNetwork, Dataset]:
        """The network, and the data."""
        data = self.shaped()
        sizes = self.sizes(data)
        constants = {
            name: self.constant(name, value) for name, value in self.experiment.constants.items()
        }
        parameters = self.parameters(sizes)
        self.fail()
        given = self.given()
        if given is not None:
            constants[GIVEN] = given
        full = min(self.cut.size, len(data))
        counts = sorted({full, self.last(len(data), full)}, reverse=True)
        real: set[str] = set()
        graphs: dict[int, Graph] = {}
        for rows in counts:
            while True:
                mixed = set(real)
                graph = self.graph(rows, sizes, data, constants, parameters, real)
                if real == mixed:
                    break
            if graph is not None:
                graphs[rows] = graph
            if self.problems:
                break
        self.fail()
        constants = {
            name: frozen(value.astype(self.experiment.dtype) if name in real else value)
            for name, value in constants.items()
        }
        data = self.as_real(data, real)
        loss = LOSSES.get(self.experiment.loss.type)
        known = AsWritten(scale=1.0) if loss is None or self.made_loss else self.table_loss()
        network = LineNetwork((), known, tuple(parameters.values()), constants, graphs)
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

    def sizes(self, data: Dataset) -> dict[str, int]:
        """Sizes by letter: those of [sizes], n and K of the data."""
        found: dict[str, int] = {}
        if self.data.x.ndim > 1:
            found["n"] = self.data.x.shape[-1]
        y = self.data.y
        if y.ndim > 1:
            found["K"] = y.shape[-1]
        elif y.dtype.kind in "iu" and y.size:
            found["K"] = int(y.max()) + 1
        return found | self.experiment.sizes

    def constant(self, name: str, value: Any) -> Array:
        """A number or an array of [constants]."""
        return self.array(f"constants.{name}", value)

    def array(self, path: str, value: Any) -> Array:
        """Nested lists as an array in the experiment's dtype; whole numbers stay."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            found: Array = np.asarray(value)
        elif isinstance(value, list | tuple):
            fault = Walk().fault(value)
            if fault is not None:
                self.problem(path + fault[0], fault[1])
                return np.zeros(())
            try:
                found = array_of(value, path, keep=True)
            except DataProblem as error:
                self.problems += [Problem(path, one.message) for one in error.problems]
                return np.zeros(())
        else:
            self.problem(path, f"must be a number or lists of numbers, not {shown(value)}")
            return np.zeros(())
        return found if found.dtype.kind in "iu" else found.astype(self.experiment.dtype)

    def parameters(self, sizes: Mapping[str, int]) -> dict[str, Parameter]:
        """The parameters with their first values; a tied one is the one that it is tied to."""
        found: dict[str, Parameter] = {}
        specs = self.experiment.parameters
        for i, (name, spec) in enumerate(specs.items()):
            if name in self.experiment.constants:
                self.problem(f"parameters.{name}", "is a name of [constants] too")
            if spec.tied is not None:
                if spec.tied not in specs or specs[spec.tied].tied is not None:
                    said = f"tied to {spec.tied!r}, which is no parameter of its own"
                    self.problem(f"parameters.{name}.tied", said)
                continue
            value = self.first_value(name, spec, sizes, i)
            if value is not None:
                if self.sample and value.ndim == 1:
                    value = value[:, None]
                found[name] = Parameter(name, frozen(value), spec.frozen)
        return found

    def first_value(
        self, name: str, spec: ParameterSpec, sizes: Mapping[str, int], i: int
    ) -> Array | None:
        """What a parameter begins as: given, from a file, or drawn."""
        path = f"parameters.{name}"
        ways = [w for w in ("value", "file", "shape") if getattr(spec, w) is not None]
        if not ways:
            self.problem(path, "needs a shape, a value, a file or the parameter it is tied to")
            return None
        if "value" in ways and "file" in ways:
            self.problem(path, "has both a value and a file: one of them")
            return None
        shape = None if spec.shape is None else self.shape_of(spec.shape, sizes, f"{path}.shape")
        if ways == ["shape"]:
            return None if shape is None else self.drawn(spec, shape, i, path)
        if spec.value is not None:
            value = self.array(f"{path}.value", spec.value).astype(self.experiment.dtype)
        else:
            value = self.from_file(spec.file or "", path)
        if shape is not None and value.shape != shape and not self.problems:
            self.problem(path, f"has shape {shape}, but its values have {value.shape}")
        return value

    def from_file(self, file: str, path: str) -> Array:
        """A parameter in an NPZ file, ``weights.npz:W1``."""
        name, _, key = file.rpartition(":")
        if not name:
            self.problem(f"{path}.file", f"{file!r}: write FILE.npz:NAME")
            return np.zeros(())
        try:
            where = self.experiment.path_of(name)
            (found,) = npz_arrays(where, [key], self.experiment.dtype)
        except DataProblem as error:
            for one in error.problems:
                self.problem(f"{path}.file", one.message)
            return np.zeros(())
        return found.astype(self.experiment.dtype)

    def shape_of(self, given: list[int | str], sizes: Mapping[str, int], path: str) -> Shape | None:
        """A shape whose sizes may be letters."""
        out = []
        for one in given:
            size = sizes.get(one) if isinstance(one, str) else one
            if size is None:
                known = ", ".join(sizes) or "none"
                self.problem(path, f"no size {one!r}; known are {known}: [sizes] names others")
                return None
            if size < 1:
                self.problem(path, f"a size is 1 or more, not {size}")
                return None
            out.append(size)
        if math.prod(out) * 8 > MAX_BYTES:
            self.problem(path, f"{tuple(out)} is more than the limit of {MAX_BYTES:,} bytes")
            return None
        return tuple(out)

    def drawn(self, spec: ParameterSpec, shape: Shape, i: int, path: str) -> Array:
        """A parameter from its initializer; one axis or none begins at 0."""
        dtype, rng = self.experiment.dtype, stream(self.experiment.seed, i)
        plain = spec.init in ("zeros", "constant", "normal", "uniform")
        if len(shape) < 2 and not plain:
            return np.zeros(shape, dtype)
        matrix = (shape[0], math.prod(shape[1:])) if len(shape) > 1 else (1, math.prod(shape))
        if len(shape) > 1 and spec.fan == 0:
            value = initializers.weight(spec.init, matrix[::-1], rng, spec.init_scale, dtype)
            return np.ascontiguousarray(value.T).reshape(shape)
        value = initializers.weight(spec.init, matrix, rng, spec.init_scale, dtype)
        return value.reshape(shape)

    def given(self) -> Array | None:
        """The upstream gradient of [loss] type = "given"."""
        spec = self.experiment.loss
        if not isinstance(spec, GivenSpec):
            return None
        value = self.array("loss.gradient", spec.gradient).astype(self.experiment.dtype)
        self.fail()
        return columns(value, 2) if self.sample else value

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
        table = {row.name: row for row in (*rows(), *loss_rows(LOSSES, self.sample))}
        lead = 1 if self.sample else 0
        tensors: dict[str, Node] = {}
        batched: dict[Node, Node] = {}
        for name, value in (("x", data.x), ("y", data.y)):
            kind = "whole" if value.dtype.kind in "iu" and name not in real else "real"
            whole = tensor(name, (rows_, *value.shape[1:]), kind)  # type: ignore[arg-type]
            if self.sample:
                one = tensor(name, value.shape[1:], kind)  # type: ignore[arg-type]
                batched[one] = whole
                tensors[name] = one
            else:
                tensors[name] = whole
        for name, value in constants.items():
            kind = "whole" if value.dtype.kind in "iu" and name not in real else "real"
            tensors[name] = tensor(name, self.constant_shape(value), kind)  # type: ignore[arg-type]
        for name, parameter in parameters.items():
            tensors[name] = tensor(name, parameter.value.shape)
        for name, spec in self.experiment.parameters.items():
            if spec.tied is not None:
                tensors[name] = tensors[spec.tied]
        scope = Scope(tensors, {"N": rows_, **sizes}, table)
        lift = Lift(rows_, batched) if lead else None
        fold = TOTAL if self.experiment.loss.reduction == "sum" else MEAN
        lines = LiftedLines(self.network.lines, scope, lift, fold)
        lines.read()
        for fault in lines.faults:
            self.problem("network.lines", str(fault))
        real |= lines.mixed & {"x", "y", *constants}
        return None if self.problems else self.finished(lines, rows_)

    def constant_shape(self, value: Array) -> Shape:
        """The shape of a constant in the lines: in those of one sample a vector is a column."""
        return value.shape

    def finished(self, lines: "LiftedLines", rows_: int) -> Graph | None:
        """The lines with the loss as the last one."""
        made = {line.name: line for line in lines.lines}
        self.made_loss = "loss" in made
        if not made:
            self.problem("network.lines", "there is no line: write an equation, z = W @ x")
            return None
        if self.made_loss:
            loss = made["loss"]
            if isinstance(self.experiment.loss, WrittenSpec) is False:
                said = "a line makes loss, and [loss] has a type: one of them"
                self.problem("loss.type", said)
                return None
            if loss.root.shape != ():
                shape = loss.root.shape
                said = f"line {loss.number}: loss has shape {shape}: it must be a single number"
                self.problem("network.lines", said)
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
        return "yhat" if any(line.name == "yhat" for line in lines) else lines[-1].name

    def pieces(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        """The lines, with those that are to be unfolded as the lines of their functions."""
        wanted = self.network.unfold
        names = [wanted] if isinstance(wanted, str) else wanted
        known = [line.name for line in lines]
        for name in names:
            if name != "all" and name not in known:
                self.problem("network.unfold", f"no line {name!r}; lines are {', '.join(known)}")
        out: list[Line] = []
        for line in lines:
            out += unfolded(line) if "all" in names or line.name in names else [line]
        return tuple(out)

    def table_loss(self) -> Any:
        """The loss of [loss] from the table."""
        from engine.program.graph import settings

        spec = self.experiment.loss
        kind = LOSSES[spec.type]
        options = settings(spec, kind)
        if "of_rows" in {f for f in kind.__dataclass_fields__}:
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
                root = call(LossOf(loss), (yhat, tensors["y"]))
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

    def __init__(self, text: str, scope: Scope, lift: Lift | None, fold: Reduction) -> None:
        super().__init__(text, scope)
        self.lift = lift
        self.fold = fold  # of the losses of the samples

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
            self.missing.add(line.name)
            return
        one = tensor(line.name, line.root.shape, line.root.kind)
        if line.root in self.lift.batched:
            if line.name == "loss" and line.root.shape == ():
                root = call(self.fold, (root,))
            else:
                self.lift.made[one] = tensor(line.name, root.shape, root.kind)
                self.lift.batched.add(one)
        self.lines.append(replace(line, root=root))
        self.scope.tensors[line.name] = one


def columns(value: Array, rank: int) -> Array:
    """Vectors of samples (N, d) as columns (N, d, 1); anything else as it is."""
    return frozen(value[..., None]) if value.ndim == rank else value


def folded(lines: list[Line]) -> Node:
    """Several lines as one tree: each name that is read is replaced by its own tree."""
    made: dict[Node, Node] = {}
    root: Node = lines[-1].root
    for line in lines:
        root = rebuilt(line.root, made)
        made[tensor(line.name, line.root.shape, line.root.kind)] = root
    return root
