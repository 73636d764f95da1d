"""The layers of an experiment with every size inferred, before anything runs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from engine.arrays import Array, Shape, frozen
from engine.errors import Problem
from engine.experiment.dataset import Dataset
from engine.experiment.failing import failed
from engine.experiment.spec import Experiment, LayerSpec, LinearSpec, ParametersSpec
from engine.formulas.symbols import subscript, superscript
from engine.functions.elementwise.dropout import Dropout
from engine.functions.elementwise.identity import Identity
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.loss import Loss
from engine.nn import initializers
from engine.nn.layer import Layer
from engine.nn.table import LAYERS, LOSSES
from engine.streams import stream
from engine.wording import listed

GRADIENT = ".grad"  # how the name of a tensor's gradient ends
MAX_BYTES = 8 * 2**30  # of parameters, or of the activations of a batch, with their gradients


@dataclass(frozen=True, eq=False)
class Node:
    """One layer in its place: its name, its specification, and the symbols of its tensors.

    ``input`` is the name of the tensor that it reads, ``symbols`` a symbol for each role.
    """

    name: str
    layer: Layer
    spec: LayerSpec
    input: str
    symbols: dict[str, str]

    @property
    def output(self) -> str:
        """The name of the output tensor."""
        return f"{self.name}.out"

    def tensor(self, role: str) -> str:
        """The name of the tensor that plays a role: input, output, mask or a parameter."""
        return {"input": self.input, "output": self.output}.get(role, f"{self.name}.{role}")


@dataclass(frozen=True, eq=False)
class Network:
    """The layers in order, and the loss."""

    nodes: tuple[Node, ...]
    loss: Loss

    @property
    def output(self) -> str:
        """The name of the last layer's output, ŷ."""
        return self.nodes[-1].output

    def initial(self, experiment: Experiment) -> dict[str, Array]:
        """The parameters before the first iteration, by name, read-only."""
        return initial_parameters(experiment, self)

    def parameters(self) -> Iterator[tuple[str, Node, str, Shape]]:
        """Each parameter: its name, node, role and shape."""
        for node in self.nodes:
            for role, shape in node.layer.parameters.items():
                yield node.tensor(role), node, role, shape


def settings(spec: Any, cls: Any) -> dict[str, Any]:
    """The fields of a specification that its implementation takes, by name."""
    return {f.name: getattr(spec, f.name) for f in fields(cls) if hasattr(spec, f.name)}


def build_network(experiment: Experiment, data: Dataset) -> Network:
    """Infer every size; an ExperimentError names the layers and shapes that do not fit."""
    if data.x.ndim != 2:
        raise failed(experiment, [rank_problem(experiment, data)])
    # All problems are told at once: whoever repairs one sees the next in the same message.
    problems: list[Problem] = []
    nodes: list[Node] = []
    size, name, symbol = data.x.shape[1], "x", "x"
    learning = 0
    for i, (spec, label) in enumerate(zip(experiment.layers, experiment.layer_names, strict=True)):
        last = i == len(experiment.layers) - 1
        symbols = {"input": symbol, "output": "ŷ" if last else f"z{subscript(i + 1)}"}
        row = LAYERS[spec.type]
        # In evaluation dropout does nothing: no mask is drawn, and no op reads the iteration.
        if row.function is Dropout and experiment.training.mode == "eval":
            row = LAYERS[Identity.type]
        if row.function is Dropout:
            symbols["mask"] = f"m{subscript(i + 1)}"
        if row.parameters:
            learning += 1
            number = superscript(learning)
            symbols |= {role: f"{one.letter}{number}" for role, one in row.parameters.items()}
        options = settings(spec, row.function)
        if isinstance(spec, LinearSpec):
            problems += weight_problems(spec, i, label, size, name)
            options["bias"] = bool(spec.bias) or isinstance(spec.bias, list)  # true, or its values
        layer = row(size, row.outputs(spec, size), **options)
        if said := layer.function.misfit(size):
            problems.append(Problem(f"layers[{i}]", f"{label}: {said}"))
        problems += value_problems(spec, i, label, layer)
        nodes.append(Node(label, layer, spec, name, symbols))
        size, name, symbol = layer.outputs, f"{label}.out", symbols["output"]
    cls_loss = LOSSES[experiment.loss.type]
    loss = cls_loss(**settings(experiment.loss, cls_loss))
    if isinstance(loss, CrossEntropy):
        loss = replace(loss, of_rows=data.y.ndim == 2)
    problems += target_problems(experiment, data, nodes[-1], size)
    problems += loss_problems(loss, nodes[-1], size)
    problems += memory_problems(experiment, nodes, len(data))
    if problems:
        raise failed(experiment, problems)
    return Network(tuple(nodes), loss)


def rank_problem(experiment: Experiment, data: Dataset) -> Problem:
    """That layers take samples as rows, with what to do."""
    rows, rest = len(data), data.x.shape[1:]
    said = f"{experiment.layer_names[0]} takes rows (N, n), but x has shape {data.x.shape}"
    if not rest:
        return Problem("data.x", f"{said}: write each sample as a row, [[…], […]]")
    flat = f"rows ({rows}, {math.prod(rest)}) have the same numbers"
    return Problem("data.x", f"{said}: {flat}; a flatten layer or lines take x as it is")


def weight_problems(
    spec: LinearSpec, i: int, label: str, inputs: int, before: str
) -> Iterator[Problem]:
    """Explicit weights whose columns are not the inputs of the layer."""
    if spec.weight and len(spec.weight[0]) != inputs:
        rows, columns = len(spec.weight), len(spec.weight[0])
        yield Problem(
            f"layers[{i}].weight",
            f"{label} has weight ({rows}, {columns}), which takes {columns} inputs, "
            f"but {before} has shape (N, {inputs})",
        )


def value_problems(spec: LayerSpec, i: int, label: str, layer: Layer) -> Iterator[Problem]:
    """Explicit values of parameters that have not their shape; a linear layer's are known to."""
    if isinstance(spec, ParametersSpec):
        for role, shape in layer.parameters.items():
            given = getattr(spec, role)
            if given is not None and (found := np.shape(np.array(given, dtype=object))) != shape:
                said = f"{label} has {role} {found}, but it takes {shape}"
                yield Problem(f"layers[{i}].{role}", said)


def target_problems(
    experiment: Experiment, data: Dataset, last: Node, size: int
) -> Iterator[Problem]:
    """Targets that do not fit the output of the last layer."""
    y, kind = data.y, experiment.loss.type
    output = f"{last.output} has shape (N, {size})"
    path = "data.y" if experiment.data.csv is None else "data.targets"
    if y.ndim == 1 and not LOSSES[kind].takes_classes:
        broadcast = f"; ({len(y)},) against ({len(y)}, 1) would broadcast to ({len(y)}, {len(y)})"
        said = f"y has shape ({len(y)},), but {output}{broadcast if size == 1 else ''}"
        yield Problem(path, f"{said}: write each target as a row, [[…], […]]")
    elif y.ndim >= 2 and not LOSSES[kind].takes_rows:
        yield Problem(path, f"{kind} takes class indices (N,), but y has shape {y.shape}")
    elif y.ndim >= 2 and y.shape[1:] != (size,):
        yield Problem(path, f"y has shape {y.shape}, but {output}: the columns must agree")
    elif y.ndim == 1 and (largest := largest_class(experiment, y)) >= size:
        said = f"class {largest} needs {largest + 1} outputs, but {output}"
        yield Problem(path, said + hint(data, largest, size))
    elif y.ndim == 2 and size == 1 and LOSSES[kind].takes_classes and experiment.data.csv:
        # Of a table this is a person's mistake; PyTorch computes it, and older files may have it.
        said = f"{kind} of a single output is the same whatever the output is"
        yield Problem("loss.type", f"{said}: numbers take mse, two classes bce_with_logits")


def hint(data: Dataset, largest: int, size: int) -> str:
    """What to do where classes seem to be numbered from 1, or are no classes but amounts."""
    least = int(data.y.min())
    if largest == size and least > 0:
        return f"; the smallest is {least}, and classes count from 0: subtract 1 from each"
    if size == 1:
        names = f" here, {listed([*data.classes][:4])} …" if data.classes else ""
        return f"; cross_entropy predicts one of the classes{names}; amounts take mse"
    return "; classes count from 0"


def largest_class(experiment: Experiment, y: Array) -> int:
    """The largest class index that is not ignored; −1 where all are."""
    ignored = getattr(experiment.loss, "ignore_index", None)
    counted = y if ignored is None else y[y != ignored]
    return int(counted.max(initial=-1))


def loss_problems(loss: Loss, last: Node, size: int) -> Iterator[Problem]:
    """Weights that are not one for each output of the last layer."""
    for field in ("weight", "pos_weight"):
        given = getattr(loss, field, ())
        if given and len(given) != size:
            what = "class" if loss.takes_classes else "output"
            said = f"has {len(given)} numbers, but {last.output} has shape (N, {size})"
            yield Problem(f"loss.{field}", f"{said}: write one for each {what}")


def memory_problems(experiment: Experiment, nodes: list[Node], rows: int) -> Iterator[Problem]:
    """Parameters, or the activations of one batch, that would not fit into memory."""
    width = np.dtype(experiment.dtype).itemsize
    shapes = [shape for node in nodes for shape in node.layer.parameters.values()]
    parameters = sum(math.prod(shape) for shape in shapes) * width
    batch = min(experiment.data.batch_size or rows, rows)
    activations = sum(batch * node.layer.outputs for node in nodes) * width
    limit = f"more than the limit of {MAX_BYTES:,}"
    if 2 * parameters > MAX_BYTES:
        said = f"the parameters and their gradients take {2 * parameters:,} bytes, {limit}"
        yield Problem("layers", f"{said}: choose smaller layers")
    if 2 * activations > MAX_BYTES:
        said = f"the outputs of the layers and their gradients take {2 * activations:,} bytes"
        yield Problem(
            "layers", f"{said} for a batch of {batch}, {limit}: choose smaller layers or batches"
        )


def initial_parameters(experiment: Experiment, network: Network) -> dict[str, Array]:
    """The parameters before the first iteration, by name, read-only."""
    values: dict[str, Array] = {}
    for i, (name, node, role, shape) in enumerate(network.parameters()):
        given = getattr(node.spec, role)
        if isinstance(given, list):
            value: Array = np.array(given, dtype=experiment.dtype).reshape(shape)
        else:
            value = drawn(node, role, shape, experiment, i)
        values[name] = frozen(value)
    return values


def drawn(node: Node, role: str, shape: Shape, experiment: Experiment, i: int) -> Array:
    """A parameter as its kind begins: from its initializer, or a number.

    The initializer has a random stream of its own, number ``i``: giving one parameter its values
    therefore changes no other one.
    """
    spec, begins = node.spec, LAYERS[node.spec.type].parameters[role].begins
    if not isinstance(begins, str):
        return np.full(shape, begins, experiment.dtype)
    assert isinstance(spec, LinearSpec | ParametersSpec)
    rng = stream(experiment.seed, i)
    if begins == "bias":
        return initializers.bias(spec.init, shape, node.layer.inputs, rng, experiment.dtype)
    return initializers.weight(spec.init, shape, rng, spec.init_scale, experiment.dtype)
