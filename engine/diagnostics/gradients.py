"""Gradients on their way back through the layers: vanishing, exploding, and by which factor."""

import math
from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from engine.diagnostics.detector import Detector, Tensors, norm, number
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.line_facts import depths
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

FEW_LAYERS = 3  # with two linear layers there is one factor, and no trend to speak of
SHRUNK = Limit(1e-2, "shrunk", "the first layer learns a hundred times more slowly than the last")
VANISHED = Limit(
    1e-3, "vanished", "a thousandth: in the time the last layer needs, the first does not move"
)
GROWN = Limit(1e2, "grown", "the mirror image of shrunk")
EXPLODED = Limit(1e3, "exploded", "the mirror image of vanished")
MOSTLY = 0.5  # of the iterations seen, so that a single odd batch is no finding


class LayerFactor(Detector):
    """‖∂ℓ/∂z‖ of the first linear layer over that of the last, after each backward pass.

    Of lines with weights, those of one depth stand for a layer.
    """

    phases = frozenset({Phase.BACKWARD})
    limits: ClassVar[tuple[Limit, Limit]]

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.names, self.grads = [], list[list[str]]()
        for name, tensors in levels(program):
            self.names.append(name)
            self.grads.append([program.gradients[one] for one in tensors])
        made = {op.writes[0]: op.index for op in program.ops if op.phase == Phase.BACKWARD}
        read = {name for names in self.grads for name in names}
        self.watching = len(self.names) >= FEW_LAYERS and read <= made.keys()
        # Every gradient is whole behind the last op that adds to one of them.
        self.trigger = max(made[name] for name in read) if self.watching else -1
        self.seen = self.shown = 0
        self.first: tuple[int, list[float]] | None = None
        self.worst: float | None = None

    def see(self, event: Event, tensors: Tensors) -> None:
        if event.op.index != self.trigger:
            return
        norms = [math.hypot(*(norm(tensors[one]) for one in names)) for names in self.grads]
        # There is no ratio; what is not finite is a finding of its own.
        if not np.isfinite(norms).all() or norms[-1] == 0:
            return
        self.seen += 1
        ratio = norms[0] / norms[-1]
        if not self.beyond(ratio, self.limits[0]):
            return
        self.shown += 1
        if self.first is None:
            self.first = event.index, norms
        if self.worst is None or self.beyond(ratio, self.worst):
            self.worst = ratio

    def beyond(self, ratio: float, limit: float) -> bool:
        """Whether a ratio is further from 1 than a limit, on the limit's side."""
        return ratio < limit if self.limits[0] < 1 else ratio > limit

    def found(self) -> Iterator[Found]:
        if self.first is None or self.worst is None or self.shown < MOSTLY * self.seen:
            return
        event, norms = self.first
        ratio = norms[0] / norms[-1]
        factor = ratio ** (1 / (len(norms) - 1))
        shown = " ".join(number(size) for size in norms)
        numbers: dict[str, float | int | str | None] = {
            "factor_per_layer": factor,
            "first_over_last": ratio,
            "worst": self.worst,
            "iterations": self.shown,
        }
        numbers |= {f"norm_{name}": size for name, size in zip(self.names, norms, strict=True)}
        yield Found(
            event,
            self.names[0],
            f"‖∂ℓ/∂z‖ is {number(ratio)} times that of {self.names[-1]}: a factor of "
            f"{number(factor)} per layer; from the first to the last: {shown}; "
            f"in {self.shown} of {self.seen} iterations",
            Severity.SERIOUS if self.beyond(ratio, self.limits[1]) else Severity.WARNING,
            numbers=numbers,
        )


def levels(program: Program) -> list[tuple[str, list[str]]]:
    """The layers with parameters, or the lines with weights by depth: a name, and the tensors."""
    if isinstance(program.network, LineNetwork):
        return [(", ".join(names), names) for names in depths(program)]
    return [(n.name, [n.output]) for n in program.network.nodes if n.layer.parameters]


class VanishingGradients(LayerFactor):
    """The gradient shrinks from layer to layer."""

    limits = (SHRUNK, VANISHED)
    card = Card(
        name="vanishing-gradients",
        title="The gradient vanishes on its way to the first layer",
        looks="‖∂ℓ/∂z‖ of the first linear layer over that of the last, with three linear layers "
        "or more, and the factor per layer: the root of it.",
        levels="serious: below a thousandth in most iterations; warning: below a hundredth",
        cause="every layer multiplies the gradient by W and by the slope of its activation, and "
        "the product is below 1: σ′ ≤ ¼, or small weights",
        remedy="relu with kaiming, tanh with xavier initial weights; fewer layers",
        certainty=Certainty.CERTAIN,
        limits=(SHRUNK, VANISHED),
        example="bug-vanishing",
    )


class ExplodingGradients(LayerFactor):
    """The gradient grows from layer to layer."""

    limits = (GROWN, EXPLODED)
    card = Card(
        name="exploding-gradients",
        title="The gradient explodes on its way to the first layer",
        looks="The same ratio as for vanishing gradients, on the other side of 1.",
        levels="serious: above a thousand in most iterations; warning: above a hundred",
        cause="every layer multiplies the gradient by W and by the slope of its activation, and "
        "the product is above 1: the weights are too large for their number",
        remedy="kaiming or xavier initial weights, which take the number of inputs into account",
        certainty=Certainty.CERTAIN,
        limits=(GROWN, EXPLODED),
        example="bug-large-init",
    )
