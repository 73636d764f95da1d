"""A captured network as lines: an equation for each of its ops, as far as the engine has them."""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from engine.arrays import Array
from engine.capture.as_layers import refuse
from engine.capture.captured import CapturedRun
from engine.capture.definitions import ENTERS
from engine.capture.equations import equation
from engine.capture.known import Unknown
from engine.capture.messages import OpDefinition, TensorDefinition
from engine.experiment.reader import RESERVED
from engine.lines.table import loss_rows, rows
from engine.nn.table import LOSSES
from engine.run.phases import Phase

FORWARD: Final = (Phase.FORWARD, Phase.LOSS)
WORDS: Final = frozenset(RESERVED | {"N", "K", "n", "inf", "nan", "pi", "theta", "g", "t"})


@dataclass
class Written:
    """The lines of a network; what it is given by PyTorch's names: data, parameters, constants."""

    lines: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of PyTorch's by those of the lines
    data: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)  # the line that a tensor is now
    rows: int = 0  # of the batch, which views may name as N

    def name(self, wanted: str) -> str:
        """A name for lines that none has yet: ``conv1_weight``, ``relu2``."""
        base = re.sub(r"\W", "_", wanted.partition("#")[0], flags=re.ASCII).strip("_")
        base = base if base[:1].isalpha() else f"p{base}"
        taken = self.names.keys() | WORDS | functions()
        found, number = base, 1
        while found in taken or keyword.iskeyword(found):
            found, number = f"{base}{number}", number + 1
        self.names[found] = wanted
        return found


_functions: set[str] = set()


def functions() -> set[str]:
    """The words of the functions of lines."""
    if not _functions:
        _functions.update(row.name for row in (*rows(), *loss_rows(LOSSES)))
    return _functions


def lines_of(run: CapturedRun) -> Written:
    """The lines of the first iteration, up to its loss.

    Raises GradstepError with the op that the engine has not, or the value that was not kept.
    """
    stored, found = run.stored, Written()
    values = run.source.initial()
    entered = {stored.tensors[number].name for number in stored.index[0].given}
    for place, number in enumerate(stored.shapes[stored.index[0].shape].ops):
        if number >= ENTERS:
            continue
        op = stored.ops[number]
        if op.phase not in FORWARD:
            continue
        tensors = [stored.tensors[one] for one in op.reads]
        kept = [one for one in op.writes if stored.tensors[one].role in ("activation", "loss")]
        if not kept:
            continue  # what batch norm counts is no part of the network
        if len(kept) > 1:
            raise refuse(op, "it makes several tensors")
        operands = [operand(found, op, one, entered, values) for one in tensors]
        arguments = dict(op.attributes or {}) | run.stored.facts(0).get(place, {})
        try:
            text = equation(op, arguments, operands, [one.shape for one in tensors], found.rows)
        except Unknown as problem:
            raise refuse(op, str(problem)) from None
        made = stored.tensors[kept[0]].name
        is_loss = made == run.loss
        name = "loss" if is_loss else found.name(made)
        found.last[made] = name
        found.lines.append(f"{name} = {text}")
        if is_loss:
            return found
    raise refuse(None, "it has no loss that backward begins with")


def operand(
    found: Written,
    op: OpDefinition,
    tensor: TensorDefinition,
    entered: set[str],
    values: Mapping[str, Array],
) -> str:
    """The name of what an op reads: a line, a parameter, x or y, or a constant."""
    name = tensor.name
    if name in found.last:
        return found.last[name]
    if name not in entered:
        raise refuse(op, f"{name} is made outside of forward")
    if tensor.role == "parameter":
        if name not in values:
            said = "was not kept in full: capture it with --window 0:10"
            raise refuse(op, f"the first value of {name} {said}")
        line = found.name(name)
        found.parameters[name] = line
    elif tensor.role in ("input", "target") and len(found.data) < 2:
        line = "y" if found.data else "x"
        found.rows = found.rows or (tensor.shape[0] if tensor.shape else 0)
        found.data[name] = line
    elif tensor.role == "buffer":
        return "unread"  # running statistics are no part of the result in training
    elif name in values and tensor.role == "constant":
        line = found.name(name)
        found.constants[line] = values[name]
    else:
        raise refuse(op, f"{name} is neither one input, one target nor a parameter")
    found.last[name] = line
    return line
