"""The optimizer of a script: one of ``torch.optim``, or a rule in lines as a function."""

from collections.abc import Iterator

import msgspec
import numpy as np

from engine.arrays import Array
from engine.optim.groups import Group
from engine.optim.lines import COUNT, Lines
from engine.optim.table import OPTIMIZERS
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.program.update import Updates
from engine.pytorch.own_rule import number_lines, own_rule_lines
from engine.pytorch.source import Raw, array_text, keywords


def optimizer_part(program: Program, iterations: int) -> str:
    """The statements of the optimizer of all parameters that are not frozen.

    With a schedule, also the learning rates of every iteration.
    """
    every, frozen = "model.named_parameters()", frozen_names(program)
    if isinstance(program.network, LineNetwork):
        every = "parameters.items()"
    names = ", ".join(f'"{name}"' for name in frozen)
    lines = [
        f"frozen = {{{names}}}" if frozen else "frozen = set()",
        f"trained = [p for name, p in {every} if name not in frozen]",
    ]
    updates, rule = Updates.of_program(program), program.optimizer
    if isinstance(rule, Lines):
        lines += ["", "", *own_rule_lines(rule), "", *kept_lines(program, updates)]
        lines += number_lines(updates)
    else:
        lines.append(rule_line(program, updates))
    return "\n".join([*lines, *rate_lines(updates, iterations)]) + "\n"


def frozen_names(program: Program) -> list[str]:
    """The parameters that are left alone, as the script names them."""
    if isinstance(program.network, LineNetwork):
        return [one.name for one in program.network.parameters_ if one.frozen]
    return [
        f"{number}.{role}"
        for number, node in enumerate(program.network.nodes)
        for role in getattr(node.spec, "frozen", ())
    ]


def rule_line(program: Program, updates: Updates) -> str:
    """The statement that makes an optimizer of ``torch.optim``."""
    spec = program.experiment.optimizer
    options = msgspec.structs.asdict(spec)
    options.pop("decay")  # which is said by the groups
    parts = groups(updates)
    given = "trained"
    if len(parts) > 1 or parts[0][1]:
        each = [
            {"params": Raw(f"[{', '.join(f'trained[{i}]' for i in places)}]"), **own}
            for places, own in parts
        ]
        given = repr(each)
    return f"optimizer = torch.optim.{OPTIMIZERS[spec.type].torch}({given}, {keywords(options)})"


def groups(updates: Updates) -> list[tuple[list[int], dict[str, float]]]:
    """The parameter groups: the places of their parameters, and the numbers that they have."""
    found: dict[Group, list[int]] = {}
    for place, one in enumerate(updates.moved):
        found.setdefault(one.group, []).append(place)
    return [(places, dict(group.given)) for group, places in found.items()] or [([], {})]


def kept_lines(program: Program, updates: Updates) -> Iterator[str]:
    """The statement that makes the slots of a rule in lines, with their first values."""
    yield "kept = ["
    for one in updates.moved:
        first = {slot: program.slots[f"{one.name}.{slot}"] for slot in program.optimizer.slots}
        texts = [f'"{slot}": {slot_text(slot, value)}' for slot, value in first.items()]
        yield f"    {{{', '.join(texts)}}},  # {one.name}"
    yield "]"


def slot_text(slot: str, value: Array) -> str:
    """An expression of the first value of a slot; the counter is a number."""
    if slot == COUNT:
        return repr(float(value))
    if not value.any():
        return f"torch.zeros({value.shape}, dtype=torch.{value.dtype})"
    return array_text(value)


def rate_lines(updates: Updates, iterations: int) -> Iterator[str]:
    """The learning rates of every iteration; nothing without a schedule.

    They are written out as numbers: PyTorch's schedulers go on from the rate before, and may round
    differently.
    """
    schedule, count = updates.schedule, updates.batches
    if schedule is None:
        return
    firsts = [updates.optimizer.hyper["lr"]]
    if isinstance(updates.optimizer, Lines):
        firsts = [updates.rule(one)[0].hyper["lr"] for one in updates.moved]
    elif updates.rates:
        firsts = [own.get("lr", firsts[0]) for _, own in groups(updates)]
    yield "rates = ["
    for first in firsts:
        rates = [schedule.rate(first, schedule.count_of(i + 1, count)) for i in range(iterations)]
        yield f"    {array_text(np.array(rates))}.tolist(),"
    yield "]"
