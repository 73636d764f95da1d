"""Captured ops as everybody sees them: names, formulas, listings; and the tensors' table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from engine.arrays import Shape as Sizes
from engine.capture.definitions import ENTERS
from engine.capture.messages import OpDefinition, TensorDefinition
from engine.capture.rows import Shape
from engine.run.op import Op, TensorInfo
from engine.run.phases import Phase
from engine.run.timeline import Listing

MOST_NAMED: Final = 6  # operands that a formula names
MOST_OPTIONS: Final = 4  # other arguments that it names
MOST_PATH: Final = 16  # characters of the path of a module in a listing
MOST_OPTION: Final = 24  # characters of one


class Listings:
    """The listings of shapes; ops that are the same at the same place are shared."""

    def __init__(self, ops: Sequence[OpDefinition], tensors: Sequence[TensorDefinition]) -> None:
        self.ops = ops
        self.tensors = tensors
        self._known: dict[tuple[int, int, bool, int], Op] = {}
        self._listings: dict[Shape, Listing] = {}

    def listing(self, shape: Shape) -> Listing:
        """The listing of a shape; the same one for the same shape."""
        found = self._listings.get(shape)
        if found is None:
            found = self._listings[shape] = Listing(tuple(self.listed(shape)))
        return found

    def listed(self, shape: Shape) -> Iterable[Op]:
        """The ops of a shape in their order."""
        times: dict[int, int] = {}
        for place, number in enumerate(shape.ops):
            times[number] = times.get(number, 0) + (number >= ENTERS)
            key = place, number, place in shape.loss_ops, times[number]
            if key not in self._known:
                self._known[key] = self.op(*key)
            yield self._known[key]

    def op(self, place: int, number: int, of_loss: bool, time: int) -> Op:
        """An op at a place of its iteration, or a tensor that enters there."""
        if number >= ENTERS:
            name = self.tensors[number - ENTERS].name
            text = f"{name}: the script's next one"
            key = f"{name}@{time + 1}"  # the first came with the iteration
            return Op(place, Phase.FORWARD, key, None, text, text, (), (name,), kind="given")
        one = self.ops[number]
        reads, writes = self.names(one.reads), self.names(one.writes)
        formula = formula_of(one, reads, writes, [self.tensors[i].shape for i in one.reads])
        phase = Phase.LOSS if of_loss and one.phase == Phase.FORWARD else one.phase
        return Op(
            place,
            phase,
            one.name,
            one.module or None,
            label_of(one, reads, writes, formula),
            formula,
            reads,
            writes,
            adds=one.adds,
            kind=one.kind,
            file=one.file,
            line=one.line,
        )

    def names(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """The names of tensors."""
        return tuple(self.tensors[number].name for number in numbers)


def formula_of(
    op: OpDefinition, reads: Sequence[str], writes: Sequence[str], shapes: Sequence[Sizes] = ()
) -> str:
    """An op as a call: ``h = linear(x, fc1.weight, fc1.bias)``.

    ``shapes`` are those of what it reads, for one that wrote nothing.
    """
    if op.phase == Phase.ZERO_GRAD:
        value = "None" if (op.attributes or {}).get("set_to_none") else "0"
        made = writes[0] if len(writes) == 1 else f"{len(writes)} gradients"
        return f"{made} = {value}"
    views = op.views if len(op.views) == len(reads) else ("",) * len(reads)
    shown = [f"{name}.{view}" if view else name for name, view in zip(reads, views, strict=True)]
    made = ", ".join(shortened(writes))
    if op.phase == Phase.UPDATE and writes:  # beside the parameter its slots change as well
        shown = [name for name in shown if name not in writes]
        made = writes[0]
    else:
        shown += options_of(op.attributes or {})
    if not writes:  # it raised, or was skipped: what it was called with is all there is to see
        shown = [f"{name} {shape}" for name, shape in zip(shown, shapes, strict=False)]
    call = f"{op.kind}({', '.join(shortened(shown))})"
    return f"{made} {'+=' if op.adds else '='} {call}" if made else call


def shortened(names: Sequence[str]) -> list[str]:
    """The first MOST_NAMED of some names."""
    return list(names) if len(names) <= MOST_NAMED else [*names[:MOST_NAMED], "…"]


def options_of(attributes: Mapping[str, Any]) -> list[str]:
    """The arguments that are no tensors and say something: ``dim=0``."""
    found = []
    for name, value in attributes.items():
        text = f"{name}={value}"
        if value not in (None, False, "") and len(text) <= MOST_OPTION:
            found.append(text)
    return found[:MOST_OPTIONS]


def label_of(op: OpDefinition, reads: Sequence[str], writes: Sequence[str], formula: str) -> str:
    """An op as a listing of many shows it: by its module, else by its formula."""
    if op.phase in (Phase.FORWARD, Phase.LOSS) and op.module and writes:
        return f"{tail(op.module)}: {op.kind}"
    return formula


def tail(path: str) -> str:
    """The last parts of the path of a module, which tell it from its neighbours."""
    parts = path.split(".")
    while len(parts) > 1 and len(".".join(parts)) > MOST_PATH:
        del parts[0]
    text = ".".join(parts)
    return text if text == path else f"…{text}"


def aliases_of(infos: Mapping[str, TensorInfo]) -> dict[str, str]:
    """How expressions write names that are none to them: ``layer1[0].weight``, ``relu_2``."""
    found: dict[str, str] = {}
    for name in infos:
        parts = name.replace("#", "_").replace("@", "_at_").split(".")
        text = parts[0] if not parts[0].isdecimal() else f"module[{parts[0]}]"
        for part in parts[1:]:
            text += f"[{part}]" if part.isdecimal() else f".{part}"
        if text != name and text not in infos:
            found.setdefault(text, name)
    return found


def infos_of(tensors: Sequence[TensorDefinition]) -> dict[str, TensorInfo]:
    """What is known of each tensor by name; of several shapes under one name the first."""
    gradients = wholes((one.gradient_of, one.name) for one in tensors)
    found: dict[str, TensorInfo] = {}
    for one in tensors:
        if one.name in found:
            continue
        symbol = one.name
        if one.gradient_of is not None and gradients.get(one.gradient_of) == one.name:
            symbol = f"∂ℓ/∂{one.gradient_of}"
        found[one.name] = TensorInfo(
            *(one.name, symbol, one.shape, one.dtype, one.role, one.module or None),
            gradient_of=one.gradient_of,
            slot_of=one.slot_of,
        )
    return found


def gradients_of(infos: Mapping[str, TensorInfo]) -> dict[str, str]:
    """Each tensor that has a gradient, with its gradient's name."""
    gradients = wholes((info.gradient_of, name) for name, info in infos.items())
    return {of: name for of, name in gradients.items() if of in infos}


def wholes(gradients: Iterable[tuple[str | None, str]]) -> dict[str, str]:
    """For each tensor its gradient, of what a gradient is of and is called.

    What one use of several contributes to it is a gradient too: ``weight.grad@rnn``.
    """
    found: dict[str, str] = {}
    for of, name in gradients:
        if of is not None and (of not in found or name == f"{of}.grad"):
            found[of] = name
    return found
