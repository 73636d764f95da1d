"""The training loop of an experiment in idiomatic PyTorch, line by line, for reading beside a run.

The lines define the model, the criterion and the optimizer and run the five steps in the
experiment's order; each line knows the phase and the layer that it stands for. Data and initial
values are left out: engine.pytorch.script writes what can be run.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any, NamedTuple

import msgspec

from engine.errors import GradstepError
from engine.experiment.dataset import in_lines
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
from engine.optim.groups import Group
from engine.optim.lines import COUNT, Lines
from engine.optim.table import OPTIMIZERS
from engine.program.graph import Node, settings
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.program.update import Updates
from engine.pytorch.line_script import Names, line_statements
from engine.pytorch.own_rule import number_lines, own_rule_lines
from engine.run.phases import Phase

STEPS = {
    Phase.ZERO_GRAD: "optimizer.zero_grad()",
    Phase.FORWARD: "y_hat = model(x)",
    Phase.LOSS: "loss = {loss}",
    Phase.BACKWARD: "loss.backward()",
    Phase.UPDATE: "optimizer.step()",
}
OWN_STEPS = STEPS | {Phase.ZERO_GRAD: "model.zero_grad()", Phase.UPDATE: "step()"}
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
    made = criterion(experiment.loss, experiment.dtype == "float64")
    lines += [CodeLine(f"criterion = {made}")]
    lines += [CodeLine(text) for text in optimizer_texts(program)]
    own = isinstance(program.optimizer, Lines)
    lines += [CodeLine(text) for text in schedule_texts(experiment.schedule, own)]
    lines += [CodeLine("")]
    lines += [CodeLine(f"for epoch in range({experiment.training.epochs}):")]
    lines += [CodeLine("    for x, y in batches(epoch):")]
    return [*lines, *step_lines(experiment, own)]


def code_of_lines(program: Program, network: LineNetwork) -> Iterator[CodeLine]:
    """The lines of a network as PyTorch's, in a loop of the experiment's order."""
    experiment, names = program.experiment, Names(program)
    own = isinstance(program.optimizer, Lines)
    for text in (*optimizer_texts(program), *schedule_texts(experiment.schedule, own)):
        yield CodeLine(text)
    yield CodeLine("")
    yield CodeLine(f"for epoch in range({experiment.training.epochs}):")
    yield CodeLine("    for x, y in batches(epoch):")
    for one in names.dictionaries:
        yield CodeLine(f"        {one} = {{}}")
    for line in step_lines(experiment, own):
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


def trained_lines(program: Program, network: LineNetwork) -> Iterator[str]:
    """The list of the parameters of lines that are trained, and which are not."""
    names = Names(program)
    frozen = [one.name for one in network.parameters_ if one.frozen]
    if frozen:
        yield f"# frozen: {', '.join(frozen)}"
    moved = [names.of(one.name) for one in network.parameters_ if not one.frozen]
    yield f"trained = [{', '.join(moved)}]"


def layer_line(node: Node) -> CodeLine:
    """The line of one layer in ``nn.Sequential``: ``linear1=nn.Linear(3, 4),``."""
    return CodeLine(f"    {node.name}={module(node)},", layer=node.name)


def module(node: Node) -> str:
    """The ``torch.nn`` module of a layer, with the options that differ from their defaults."""
    layer, function = node.layer, node.layer.function
    if layer.type != node.spec.type:  # in evaluation dropout has become an identity
        kind = LAYERS[node.spec.type].function
        function = kind(**settings(node.spec, kind))
    defaults = {option.name: option.default for option in fields(function)}
    options = {
        name: value for name, value in function.torch_options.items() if value != defaults[name]
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


def criterion(loss: LossSpec, double: bool = False) -> str:
    """The loss module; for ``batch_mean``, which PyTorch has not, it sums and the loop divides."""
    plain = loss.reduction == "mean" and not divided_by(loss, "y_hat")
    reduction = {} if plain else {"reduction": "sum"}
    kind = LOSSES[loss.type]
    own = own_options(loss, LossSpec).items()
    options = {name: value for name, value in own if name not in kind.torch_lacks}
    options |= {name: getattr(loss, name) for name in kind.torch_asks}
    made = ", ".join(arguments(options | reduction))
    return f"nn.{kind.torch}({made})" + (".double()" if double and has_weights(loss) else "")


def has_weights(loss: LossSpec) -> bool:
    """Whether the loss module holds tensors, which are then to have the dtype of the model."""
    return any(getattr(loss, name, ()) for name in TENSORS)


def loss_text(loss: LossSpec) -> str:
    """The expression of the loss, with its scale, and the division by N of ``batch_mean``."""
    scale = "" if loss.scale == 1 else f"{loss.scale:g} * "
    return f"{scale}criterion({loss_operands(loss, 'y_hat')}){divided_by(loss, 'y_hat')}"


def divided_by(loss: LossSpec, yhat: str) -> str:
    """The division of a sum where PyTorch has not this reduction, as Python; empty elsewhere."""
    if loss.reduction == "batch_mean":
        return " / len(x)"
    own = loss.reduction == "mean" and not LOSSES[loss.type].torch_means
    return f" / {yhat}.numel()" if own else ""


def loss_operands(loss: LossSpec, yhat: str) -> str:
    """What PyTorch's loss is called with, as Python, ``yhat`` and ``y`` by their names."""
    options = msgspec.structs.asdict(loss)
    return LOSSES[loss.type].torch_operands.format(yhat=yhat, y="y", **options)


def optimizer_texts(program: Program) -> Iterator[str]:
    """The lines of the optimizer, with the options that differ; frozen parameters are left out."""
    if isinstance(program.network, LineNetwork):
        yield from trained_lines(program, program.network)
    elif frozen := frozen_names(program.experiment):
        yield f"frozen = {frozen}"
        yield "trained = ["
        yield "    p for name, p in model.named_parameters()"
        yield "    if name not in frozen"
        yield "]"
    if isinstance(program.optimizer, Lines):
        yield from own_rule_texts(program, program.optimizer)
        return
    spec = program.experiment.optimizer
    options: dict[str, Any] = {"lr": getattr(spec, "lr", 0.0)}
    for field in msgspec.structs.fields(spec):
        value = getattr(spec, field.name)
        if field.name not in ("lr", "decay") and value != field.default:
            options[field.name] = value
    yield f"optimizer = torch.optim.{OPTIMIZERS[spec.type].torch}("
    yield from (f"    {text}" for text in group_texts(program))
    yield f"    {', '.join(arguments(options))},"
    yield ")"


def group_texts(program: Program) -> list[str]:
    """What the optimizer gets: the parameters, in groups where layers have their own numbers."""
    groups: dict[Group, list[str]] = {}
    for one in Updates.of_program(program).moved:
        groups.setdefault(one.group, []).append(one.name)
    lines = isinstance(program.network, LineNetwork)
    if not any(group.given for group in groups):
        return ["trained,"] if lines else [f"{trained(program.experiment)},"]
    texts = ["["]
    for group, names in groups.items():
        own = arguments(dict(group.given))
        owner = "" if lines else "model."
        listed = [f"        {owner}{name}," for name in names]
        texts += [
            "    dict(",
            "        params=[",
            *(f"    {text}" for text in listed),
            "        ],",
        ]
        texts += [*(f"        {text}," for text in own), "    ),"]
    return [*texts, "],"]


def own_rule_texts(program: Program, rule: Lines) -> Iterator[str]:
    """The lines of a rule in lines: its functions, and what it keeps of each parameter."""
    try:
        yield from list(own_rule_lines(rule))
    except GradstepError as problem:
        yield f"# {problem}"
        yield from (f"# {one.name} ={one.expression.text}" for one in rule.statements)
        yield "def step(): ..."
    if not frozen_names(program.experiment) and not isinstance(program.network, LineNetwork):
        yield "trained = list(model.parameters())"
    first = {slot: "0.0" if slot == COUNT else "torch.zeros_like(p)" for slot in rule.slots}
    texts = [f'"{slot}": {text}' for slot, text in first.items()]
    if any(value.any() for value in program.slots.values()):
        yield "# their first values are those of the experiment"
    yield "kept = ["
    yield f"    {{{', '.join(texts)}}}"
    yield "    for p in trained"
    yield "]"
    yield from number_lines(Updates.of_program(program))


def frozen_names(experiment: Experiment) -> list[str]:
    """The parameters that are not trained, as PyTorch names them: ``linear1.weight``."""
    return [
        f"{name}.{role}"
        for name, layer in zip(experiment.layer_names, experiment.layers, strict=True)
        for role in getattr(layer, "frozen", ())
    ]


def trained(experiment: Experiment) -> str:
    """The expression of the parameters that are trained."""
    named = in_lines(experiment) or frozen_names(experiment)
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


def schedule_texts(spec: ScheduleSpec | None, own: bool) -> list[str]:
    """The lines of the schedule; for a rule of one's own a remark, as PyTorch has no schedule."""
    if own and scheduler_texts(spec):
        return ["# lr follows the schedule: left out here"]
    return scheduler_texts(spec)


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


def step_lines(experiment: Experiment, own: bool) -> Iterator[CodeLine]:
    """The lines of the five steps in the experiment's order; a skipped one is a comment.

    Clipping and a schedule belong to the update, and are left out with it. A rule of one's ``own``
    has a function instead of an optimizer.
    """
    training, schedule = experiment.training, experiment.schedule
    hash_ = "# " if Phase.UPDATE in training.skip else ""
    every = schedule.every if schedule is not None and scheduler_texts(schedule) else ""
    every = "" if own else every
    for phase in training.order:
        if phase == Phase.UPDATE:
            yield from (CodeLine(f"        {hash_}{text}") for text in clip_texts(experiment))
        known = experiment.loss.type in LOSSES  # else a line makes it
        said = loss_text(experiment.loss) if known else "loss"
        text = (OWN_STEPS if own else STEPS)[phase].format(loss=said)
        skipped = phase in training.skip
        yield CodeLine(f"        {'# ' if skipped else ''}{text}", phase, skipped=skipped)
        if phase == Phase.UPDATE and every == "iteration":
            yield CodeLine(f"        {hash_}scheduler.step()")
    if every == "epoch":
        yield CodeLine(f"    {hash_}scheduler.step()")
