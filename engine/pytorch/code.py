"""The training loop of an experiment in idiomatic PyTorch, line by line, for reading beside a run.

The lines define the model, the criterion and the optimizer and run the five steps in the
experiment's order; each line knows the phase and the layer that it stands for. Data and initial
values are left out: engine.pytorch.script writes what can be run.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

import msgspec

from engine.experiment.spec import (
    ClipSpec,
    CosineSpec,
    Experiment,
    ExponentialSpec,
    LinearWarmupSpec,
    LossSpec,
    ScheduleSpec,
    StepSpec,
)
from engine.nn.table import LAYERS, LOSSES
from engine.optim.optimizers import OPTIMIZERS
from engine.program.graph import Node, settings
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.pytorch.line_script import Names, line_statements
from engine.run.phases import Phase

STEPS = {
    Phase.ZERO_GRAD: "optimizer.zero_grad()",
    Phase.FORWARD: "y_hat = model(x)",
    Phase.LOSS: "loss = {loss}",
    Phase.BACKWARD: "loss.backward()",
    Phase.UPDATE: "optimizer.step()",
}
TENSORS = ("weight", "pos_weight")  # options that PyTorch takes as tensors


class CodeLine(NamedTuple):
    """A line of code, and the phase or the layer that it stands for; None for neither."""

    text: str
    phase: Phase | None = None
    layer: str | None = None
    skipped: bool = False


def training_code(program: Program) -> list[CodeLine]:
    """The lines of the model, the criterion, the optimizer and the training loop, in order."""
    experiment = program.experiment
    if isinstance(program.network, LineNetwork):
        return list(code_of_lines(program, program.network))
    lines = [CodeLine("model = nn.Sequential(OrderedDict(")]
    lines += [layer_line(node) for node in program.network.nodes]
    lines += [CodeLine("))")]
    if experiment.dtype == "float64":
        lines += [CodeLine("model.double()")]
    if experiment.training.mode == "eval":
        lines += [CodeLine("model.eval()")]
    lines += [CodeLine(f"criterion = {criterion(experiment.loss)}")]
    lines += [*optimizer_lines(experiment)]
    lines += [CodeLine(text) for text in scheduler_texts(experiment.schedule)]
    lines += [CodeLine("")]
    lines += [CodeLine(f"for epoch in range({experiment.training.epochs}):")]
    lines += [CodeLine("    for x, y in batches(epoch):")]
    return [*lines, *step_lines(experiment)]


def code_of_lines(program: Program, network: LineNetwork) -> Iterator[CodeLine]:
    """The lines of a network as PyTorch's, in a loop of the experiment's order."""
    experiment, names = program.experiment, Names(program)
    frozen = [one.name for one in network.parameters_ if one.frozen]
    trained = [names.of(one.name) for one in network.parameters_ if not one.frozen]
    if frozen:
        yield CodeLine(f"# frozen: {', '.join(frozen)}")
    yield CodeLine(f"trained = [{', '.join(trained)}]")
    yield from made_optimizer(experiment)
    for text in scheduler_texts(experiment.schedule):
        yield CodeLine(text)
    yield CodeLine("")
    yield CodeLine(f"for epoch in range({experiment.training.epochs}):")
    yield CodeLine("    for x, y in batches(epoch):")
    for one in names.dictionaries:
        yield CodeLine(f"        {one} = {{}}", Phase.FORWARD)
    for line in step_lines(experiment):
        if line.phase == Phase.FORWARD:
            made = network.graph.lines[:-1]
        elif line.phase == Phase.LOSS:
            made = network.graph.lines[-1:]
        else:
            yield line
            continue
        for written in made:
            for text in line_statements(written, names, experiment.dtype):
                said = f"        {'# skipped: ' if line.skipped else ''}{text}"
                yield CodeLine(said, line.phase, skipped=line.skipped)


def layer_line(node: Node) -> CodeLine:
    """The line of one layer in ``nn.Sequential``: ``linear1=nn.Linear(3, 4),``."""
    return CodeLine(f"    {node.name}={module(node)},", layer=node.name)


def module(node: Node) -> str:
    """The ``torch.nn`` module of a layer, with the options that differ from their defaults."""
    layer, function = node.layer, node.layer.function
    if layer.type != node.spec.type:  # in evaluation dropout has become an identity
        kind = LAYERS[node.spec.type].function
        function = kind(**settings(node.spec, kind))
    options = {
        option.name: value
        for option in fields(function)
        if (value := getattr(function, option.name)) != option.default
    }
    first = function.torch_arguments(layer.inputs, layer.outputs)
    return f"nn.{function.torch}({', '.join([*first, *arguments(options)])})"


def own_options(spec: Any, base: type) -> dict[str, Any]:
    """The fields that differ from their defaults, without those that every such table has."""
    common = {field.name for field in msgspec.structs.fields(base)}
    return {
        field.name: getattr(spec, field.name)
        for field in msgspec.structs.fields(spec)
        if field.name not in common and getattr(spec, field.name) != field.default
    }


def arguments(options: dict[str, Any]) -> list[str]:
    """Options as the texts of keyword arguments: ``lr=0.1``, ``momentum=0.9``."""
    return [f"{name}={written(name, value)}" for name, value in options.items()]


def written(name: str, value: Any) -> str:
    """An option's value as a Python expression; weights of a loss are tensors."""
    if name in TENSORS:
        return f"torch.tensor({list(value)})"
    return repr(value)


def criterion(loss: LossSpec) -> str:
    """The loss module; for ``batch_mean``, which PyTorch has not, it sums and the loop divides."""
    reduction = {} if loss.reduction == "mean" else {"reduction": "sum"}
    options = arguments(own_options(loss, LossSpec) | reduction)
    return f"nn.{LOSSES[loss.type].torch}({', '.join(options)})"


def loss_text(loss: LossSpec) -> str:
    """The expression of the loss, with its scale, and the division by N of ``batch_mean``."""
    scale = "" if loss.scale == 1 else f"{loss.scale:g} * "
    per_sample = " / len(x)" if loss.reduction == "batch_mean" else ""
    return f"{scale}criterion(y_hat, y){per_sample}"


def optimizer_lines(experiment: Experiment) -> Iterator[CodeLine]:
    """The lines of the optimizer, with the options that differ; frozen parameters are left out."""
    frozen = frozen_names(experiment)
    if frozen:
        yield CodeLine(f"frozen = {frozen}")
        yield CodeLine("trained = [")
        yield CodeLine("    p for name, p in model.named_parameters()")
        yield CodeLine("    if name not in frozen")
        yield CodeLine("]")
    yield from made_optimizer(experiment)


def made_optimizer(experiment: Experiment) -> Iterator[CodeLine]:
    """The lines that make the optimizer of what is trained."""
    spec = experiment.optimizer
    options: dict[str, Any] = {"lr": getattr(spec, "lr", 0.0)}
    for field in msgspec.structs.fields(spec):
        value = getattr(spec, field.name)
        if field.name != "lr" and value != field.default:
            options[field.name] = value
    named = OPTIMIZERS[spec.type].torch
    yield CodeLine(f"optimizer = torch.optim.{named}(")
    yield CodeLine(f"    {trained(experiment)},")
    yield CodeLine(f"    {', '.join(arguments(options))},")
    yield CodeLine(")")


def frozen_names(experiment: Experiment) -> list[str]:
    """The parameters that are not trained, as PyTorch names them: ``linear1.weight``."""
    return [
        f"{name}.{role}"
        for name, layer in zip(experiment.layer_names, experiment.layers, strict=True)
        for role in getattr(layer, "frozen", ())
    ]


def trained(experiment: Experiment) -> str:
    """The expression of the parameters that are trained."""
    named = experiment.network is not None or frozen_names(experiment)
    return "trained" if named else "model.parameters()"


def scheduler_texts(spec: ScheduleSpec | None) -> list[str]:
    """The lines that make the schedule with ``torch.optim.lr_scheduler``; none for a constant."""
    match spec:
        case StepSpec():
            name, options = "StepLR", {"step_size": spec.step_size, "gamma": spec.gamma}
        case ExponentialSpec():
            name, options = "ExponentialLR", {"gamma": spec.gamma}
        case CosineSpec():
            name, options = "CosineAnnealingLR", {"T_max": spec.t_max, "eta_min": spec.eta_min}
        case LinearWarmupSpec():
            name = "LinearLR"
            options = {"start_factor": spec.start_factor, "total_iters": spec.iterations}
        case _:
            return []
    # The program pane is narrow: an argument a line.
    given = [f"    {name}={value!r}," for name, value in options.items()]
    return [f"scheduler = lr_scheduler.{name}(", "    optimizer,", *given, ")"]


def clip_texts(experiment: Experiment) -> list[str]:
    """The lines of gradient clipping; none without it."""
    if experiment.clip is None:
        return []
    function, given = clip_call(experiment.clip)
    return [f"{function}(", f"    {trained(experiment)}, {given},", ")"]


def clip_call(clip: ClipSpec) -> tuple[str, str]:
    """The function of ``torch.nn`` that clips, and what follows the parameters in its call."""
    if clip.value is not None:
        return "nn.utils.clip_grad_value_", repr(clip.value)
    kind = "math.inf" if clip.norm_type == "inf" else repr(clip.norm_type)
    return "nn.utils.clip_grad_norm_", f"{clip.norm!r}, {kind}"


def step_lines(experiment: Experiment) -> Iterator[CodeLine]:
    """The lines of the five steps in the experiment's order; a skipped one is a comment.

    Clipping and a schedule belong to the update, and are left out with it.
    """
    training, schedule = experiment.training, experiment.schedule
    hash_ = "# " if Phase.UPDATE in training.skip else ""
    every = schedule.every if schedule is not None and scheduler_texts(schedule) else ""
    for phase in training.order:
        if phase == Phase.UPDATE:
            yield from (CodeLine(f"        {hash_}{text}") for text in clip_texts(experiment))
        text = STEPS[phase].format(loss=loss_text(experiment.loss))
        skipped = phase in training.skip
        yield CodeLine(f"        {'# ' if skipped else ''}{text}", phase, skipped=skipped)
        if phase == Phase.UPDATE and every == "iteration":
            yield CodeLine(f"        {hash_}scheduler.step()")
    if every == "epoch":
        yield CodeLine(f"    {hash_}scheduler.step()")
