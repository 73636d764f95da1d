"""A recorded experiment as a PyTorch script that stands alone: its data and initial values inside.

It prints the loss of every iteration. PyTorch adds in another order than NumPy, so that the last
digits may differ.
"""

import msgspec

from engine.experiment.dataset import SHUFFLE
from engine.experiment.spec import LossSpec
from engine.functions.elementwise.dropout import MASKS, Dropout
from engine.nn.table import LOSSES
from engine.optim.lines import Lines
from engine.program.graph import Node
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.pytorch.code import clip_call, divided_by, loss_operands
from engine.pytorch.line_script import Names, functions_part
from engine.pytorch.script_optimizer import optimizer_part
from engine.pytorch.source import Raw, array_text, keywords
from engine.recording.canonical import words
from engine.recording.recorded import Recording
from engine.run.phases import Phase
from engine.run.timeline import begun

HEAD = '''"""{title}

Runs {iterations} iterations and prints the loss of each.
"""

import base64
import math
import zlib

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def packed(text, dtype, shape):
    """An array from compressed bytes."""
    data = zlib.decompress(base64.b64decode(text))
    return torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())

'''
DROPOUT = '''
class Dropout(nn.Module):
    """Dropout with the masks of this run."""

    def __init__(self, place, p, scale):
        super().__init__()
        self.place, self.p, self.scale = place, p, scale

    def forward(self, x):
        """The mask depends on the seed, the place of the layer and the iteration."""
        draw = np.random.default_rng([{seed}, {masks}, self.place, iteration + 1])
        kept = torch.from_numpy(draw.random(tuple(x.shape)) >= self.p)
        return x * (kept.to(x.dtype) * self.scale)


'''
LOOP = """
ITERATIONS = {iterations}
rows, size, batches = len(x_all), {size}, {batches}

for iteration in range(ITERATIONS):
    epoch, k = divmod(iteration, batches)
    order = {order}
    part = torch.from_numpy(np.ascontiguousarray(order[k * size : (k + 1) * size]))
    x, y = x_all[part], y_all[part]
"""


def torch_script(recording: Recording, branch: str) -> str:
    """The Python source of a recorded run, as many iterations as the branch has begun.

    Edits and skips in the branch's journal are not carried out: they stand at the end as comments.
    KeyError for a branch that the recording has not.
    """
    program = recording.program
    iterations = begun(program.timeline, recording.branches[branch].events)
    # the title stands in a docstring of the script, which nothing in it may end or escape
    title = ascii(program.experiment.name)[1:-1].replace('"', "'").replace("\\", "/")
    parts = [
        HEAD.format(title=title, iterations=iterations),
        data_part(program),
        model_part(program),
        optimizer_part(program, iterations),
        loop_part(program, iterations),
    ]
    notes = [
        f"# not in this script: #{e.event} {str(e)!a}" for e in (recording.branches[branch].journal)
    ]
    return "\n".join([*parts, *notes]) + "\n"


def data_part(program: Program) -> str:
    """The statements that make the training data, ``x_all`` (N, n) and ``y_all``."""
    return f"x_all = {array_text(program.data.x)}\ny_all = {array_text(program.data.y)}\n"


def lines_part(program: Program, names: Names) -> str:
    """The parameters and constants of lines with their values, and the lines as functions."""
    network, dtype = program.network, program.experiment.dtype
    assert isinstance(network, LineNetwork)
    made = [f"torch.set_default_dtype(torch.{dtype})"]
    for one in network.parameters_:
        made.append(f"{names.of(one.name)} = {array_text(one.value)}.requires_grad_()")
    made += [f"{names.of(name)} = {array_text(one)}" for name, one in network.constants.items()]
    every = ", ".join(f'"{one.name}": {names.of(one.name)}' for one in network.parameters_)
    made += [f"parameters = {{{every}}}", "", ""]
    return "\n".join(made) + functions_part(program, names)


def model_part(program: Program) -> str:
    """The statements that make the model and copy the initial parameters into it."""
    if isinstance(program.network, LineNetwork):
        return lines_part(program, Names(program))
    dtype = program.experiment.dtype
    initial = program.initial()
    layers, values = [], []
    for number, node in enumerate(program.network.nodes):
        layers.append(f"    {module_text(node, number)},  # {node.name}")
        for role in node.layer.parameters:
            value = array_text(initial[node.tensor(role)])
            values.append(f"    model[{number}].{role}.copy_({value})")
    drops = any(isinstance(node.layer.function, Dropout) for node in program.network.nodes)
    before = DROPOUT.format(seed=program.experiment.seed, masks=MASKS) if drops else ""
    made = "\n".join([f"{before}model = nn.Sequential(", *layers, f").to(torch.{dtype})"])
    return made + ("\nwith torch.no_grad():\n" + "\n".join(values) if values else "") + "\n"


def module_text(node: Node, number: int) -> str:
    """The module of layer ``number``, from 0, with all its options; dropout with our own masks.

    In evaluation mode dropout has been compiled as the identity, and is written as that.
    """
    layer, function = node.layer, node.layer.function
    if isinstance(function, Dropout):
        return f"Dropout({number}, {function.p!r}, {function.scale!r})"
    first = function.torch_arguments(layer.inputs, layer.outputs)
    options = keywords(function.torch_options)
    return f"nn.{function.torch}({', '.join([*first, *([options] if options else [])])})"


def loop_part(program: Program, iterations: int) -> str:
    """The training loop, its steps in the experiment's order, without the skipped ones."""
    cut, training = program.batches, program.experiment.training
    order = "np.arange(rows)"
    if cut.shuffle:
        seeds = f"[{program.experiment.seed}, {SHUFFLE}, epoch]"
        order = f"np.random.default_rng({seeds}).permutation(rows)"
    loop = LOOP.format(iterations=iterations, size=cut.size, batches=cut.count, order=order)
    if program.experiment.schedule is not None:
        held = "numbers" if isinstance(program.optimizer, Lines) else "optimizer.param_groups"
        loop += f"    for group, rate in zip({held}, rates):\n"
        loop += '        group["lr"] = rate[iteration]\n'
    for phase in training.order:
        if phase not in training.skip:
            loop += "".join(f"    {line}\n" for line in phase_lines(program, phase))
    shown = Phase.LOSS not in training.skip and Phase.FORWARD not in training.skip
    return loop + ("    print(iteration + 1, loss.item())\n" if shown else "")


def phase_lines(program: Program, phase: Phase) -> list[str]:
    """The statements of one step; lines that go forward make the loss as well."""
    if isinstance(program.network, LineNetwork):
        match phase:
            case Phase.ZERO_GRAD:
                return ["for p in parameters.values():", "    p.grad = torch.zeros_like(p)"]
            case Phase.FORWARD:
                return []
            case Phase.LOSS:
                return ["loss = lines[len(x)](x, y)"]
    match phase:
        case Phase.ZERO_GRAD:
            # zeros, as this engine's; and the model's, for frozen parameters have gradients too
            return ["model.zero_grad(set_to_none=False)"]
        case Phase.FORWARD:
            return ["yhat = model(x)"]
        case Phase.LOSS:
            return [f"loss = {loss_text(program.experiment.loss)}"]
        case Phase.BACKWARD:
            return ["loss.backward()"]
        case Phase.UPDATE:
            own = isinstance(program.optimizer, Lines)
            return [*clip_lines(program), "step()" if own else "optimizer.step()"]


def clip_lines(program: Program) -> list[str]:
    """The statement of gradient clipping, right before the update; none without clipping."""
    if program.experiment.clip is None:
        return []
    function, given = clip_call(program.experiment.clip)
    return [f"{function}(trained, {given})"]


def loss_text(spec: LossSpec) -> str:
    """The loss as an expression of ``yhat`` and ``y``, with its scale and reduction."""
    options = msgspec.structs.asdict(spec)
    scale, reduction = options.pop("scale"), options.pop("reduction")
    options = {name: value for name, value in options.items() if value not in ((), None)}
    for name in ("weight", "pos_weight"):
        if name in options:
            options[name] = Raw(f"torch.tensor({list(options[name])!r}, dtype=yhat.dtype)")
    divided = divided_by(spec, "yhat")
    options["reduction"] = "sum" if divided else reduction
    kind = LOSSES[spec.type]
    options = {name: value for name, value in options.items() if name not in kind.torch_lacks}
    text = f"F.{kind.torch_function}({loss_operands(spec, 'yhat')}, {keywords(options)})"
    text += divided
    return text if scale == 1 else f"{words(scale)!r} * {text}"
