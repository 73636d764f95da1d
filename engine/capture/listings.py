"""Captured ops as everybody sees them: names, formulas, listings; and the tensors' table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from engine.capture.definitions import ENTERS
from engine.capture.messages import OpDefinition, TensorDefinition
from engine.capture.rows import Shape
from engine.run.op import Op, TensorInfo
from engine.run.phases import Phase
from engine.run.timeline import Listing

MOST_NAMED: Final = 6  # operands that a formula names


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
        formula = formula_of(one, reads, writes)
        phase = Phase.LOSS if of_loss and one.phase == Phase.FORWARD else one.phase
        return Op(
            place,
            phase,
            one.name,
            one.module,
            formula,
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


def formula_of(op: OpDefinition, reads: Sequence[str], writes: Sequence[str]) -> str:
    """An op as a call: ``h = linear(x, fc1.weight, fc1.bias)``."""
    views = op.views if len(op.views) == len(reads) else ("",) * len(reads)
    shown = [f"{name}.{view}" if view else name for name, view in zip(reads, views, strict=True)]
    if len(shown) > MOST_NAMED:
        shown = [*shown[:MOST_NAMED], "…"]
    written = list(writes) if len(writes) <= MOST_NAMED else [*writes[:MOST_NAMED], "…"]
    made = ", ".join(written)
    call = f"{op.kind}({', '.join(shown)})"
    return f"{made} {'+=' if op.adds else '='} {call}" if made else call


def infos_of(tensors: Sequence[TensorDefinition]) -> dict[str, TensorInfo]:
    """What is known of each tensor by name; of several shapes under one name the first."""
    gradients = {one.gradient_of: one.name for one in tensors if one.gradient_of is not None}
    found: dict[str, TensorInfo] = {}
    for one in tensors:
        if one.name in found:
            continue
        symbol = one.name
        if one.gradient_of is not None and gradients.get(one.gradient_of) == one.name:
            symbol = f"∂ℓ/∂{one.gradient_of}"
        found[one.name] = TensorInfo(
            *(one.name, symbol, one.shape, one.dtype, one.role, one.module),
            gradient_of=one.gradient_of,
            slot_of=one.slot_of,
        )
    return found


def gradients_of(infos: Mapping[str, TensorInfo]) -> dict[str, str]:
    """Each tensor that has a gradient, with its gradient's name."""
    return {
        info.gradient_of: name
        for name, info in infos.items()
        if info.gradient_of is not None and info.gradient_of in infos
    }
