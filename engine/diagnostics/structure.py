"""What stands in the network in a place where it does not help."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.detector import Detector, Needs, Tensors, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.losses import settled
from engine.functions.elementwise.dropout import Dropout
from engine.functions.linear import Linear
from engine.program.graph import Node
from engine.program.learned import is_frozen
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

OFF_CENTRE = Limit(
    0.5,
    "off centre",
    "half of the mean square of the residuals is that of their mean, which a bias would take away",
)
STILL = (
    0.1  # of the loss, which may fall so slowly, or be so noisy, in the last third of the epochs
)
MUCH_DROPPED = Limit(
    0.3,
    "much dropped",
    "at the input a fifth is usual (Srivastava et al. 2014); more hides the data",
)


class LinearInARow(Detector):
    """Linear layers with nothing between them that bends."""

    needs = Needs.LAYERS
    card = Card(
        name="linear-in-a-row",
        title="Linear layers in a row are one linear layer",
        looks="Two linear layers with nothing but identity and dropout between them.",
        levels="warning; note: the layer between is narrower than both its sides, which is a "
        "factorization; as much as what it explains: a loss that does not come below that of the "
        "best constant answer",
        cause="an activation is missing: W₂ (W₁ x + b₁) + b₂ is one linear map, whatever its width",
        remedy="put an activation, relu or tanh, between the two",
        certainty=Certainty.CERTAIN,
    )

    def found(self) -> Iterator[Found]:
        nodes = [
            n for n in self.program.network.nodes if n.layer.type not in ("identity", "dropout")
        ]
        nodes = [n for n in nodes if is_linear(n) or facts.bends(n.layer)]
        for one, other in pairwise(nodes):
            if not (is_linear(one) and is_linear(other)):
                continue
            event = self.first_event(Phase.FORWARD, other.output)
            if event is None:
                continue
            narrow = one.layer.outputs < min(one.layer.inputs, other.layer.outputs)
            yield Found(
                event,
                other.name,
                f"{one.name} and {other.name} together map {one.layer.inputs} numbers to "
                f"{other.layer.outputs} linearly, as one linear layer does",
                Severity.NOTE if narrow else Severity.WARNING,
                numbers={"inputs": one.layer.inputs, "outputs": other.layer.outputs},
            )


class MissingBias(Detector):
    """A last linear layer without a bias where the residuals have a mean."""

    needs = Needs.LAYERS
    card = Card(
        name="missing-bias",
        title="The last layer has no bias, and the residuals have a mean",
        looks="With bias = false (or frozen) in the last linear layer: the mean of ∂ℓ/∂z over the "
        "rows of the last epoch, squared, against the mean of its square; once the loss no longer "
        "falls.",
        levels="serious: half or more of it",
        cause="bias = false: the outputs cannot be moved to where the targets are",
        remedy="bias = true in the last layer, or subtract their mean from the targets",
        limits=(OFF_CENTRE,),
    )
    phases = frozenset({Phase.LOSS, Phase.BACKWARD})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        linears = [node for node in program.network.nodes if is_linear(node)]
        self.node: Node | None = linears[-1] if linears and lacks_bias(linears[-1]) else None
        self.watching = self.node is not None
        self.gradient = program.gradients[self.node.output] if self.node else ""
        self.losses: list[float] = []
        self.sums: list[tuple[int, Array, Array, int]] = []

    def gap(self) -> None:
        self.losses.clear()
        self.sums.clear()

    def see(self, event: Event, tensors: Tensors) -> None:
        if event.op.phase == Phase.LOSS:
            self.losses.append(float(event.after[0]))
        elif event.op.name == self.gradient:
            grad = np.asarray(event.after[0], np.float64)
            self.sums.append((event.index, grad.sum(axis=0), (grad * grad).sum(axis=0), len(grad)))
            del self.sums[: -self.program.batches.count]

    def found(self) -> Iterator[Found]:
        count = self.program.batches.count
        if self.node is None or len(self.sums) < count or not settled(self.losses, count, STILL):
            return
        rows = sum(n for *_, n in self.sums)
        mean = sum(one for _, one, _, _ in self.sums) / rows
        square = float(np.sum(sum(two for _, _, two, _ in self.sums) / rows))
        share = float(np.sum(mean * mean)) / square if square > 0 else 0.0
        if share >= OFF_CENTRE:
            yield Found(
                self.sums[0][0],
                self.node.name,
                f"{number(100 * share)} % of the mean square of ∂ℓ/∂z over {plural(rows, 'row')} "
                f"is that of its mean: all residuals point one way, and {self.node.name} has no "
                "bias",
                numbers={"share": share, "rows": rows},
            )


def is_linear(node: Node) -> bool:
    """Whether a layer is a linear one, with a weight."""
    return isinstance(node.layer.function, Linear)


def lacks_bias(node: Node) -> bool:
    """Whether a linear layer has no bias that can move."""
    return "bias" not in node.layer.parameters or is_frozen(node, "bias")


class DropoutPlace(Detector):
    """Dropout where it drops data or answers."""

    needs = Needs.LAYERS
    card = Card(
        name="dropout-place",
        title="Dropout stands where it hides data or answers",
        looks="Dropout before the first linear layer or behind the last one, and its p.",
        levels="serious: behind the last linear layer, or p = 1; warning: at the input with p "
        "above 0.3; note: at the input",
        cause="what is dropped is no hidden unit that others could stand in for",
        remedy="dropout between hidden layers, behind their activations",
        certainty=Certainty.CERTAIN,
        limits=(MUCH_DROPPED,),
    )

    def found(self) -> Iterator[Found]:
        nodes = self.program.network.nodes
        places = [i for i, node in enumerate(nodes) if is_linear(node)]
        for i, node in enumerate(nodes):
            event = self.first_event(Phase.FORWARD, node.output)
            drop = node.layer.function
            if not isinstance(drop, Dropout) or drop.p == 0 or event is None:
                continue
            told = self.told(drop.p, not places or i < places[0], bool(places) and i > places[-1])
            if told is not None:
                severity, said, mend = told
                yield Found(event, node.name, said, severity, remedy=mend, numbers={"p": drop.p})

    def told(self, p: float, first: bool, last: bool) -> tuple[Severity, str, str] | None:
        """Severity, evidence and remedy of dropout in a place; None where it may stand."""
        if p == 1:
            return Severity.SERIOUS, "p = 1 drops everything: no gradient passes", "p = 0.5 or less"
        if last:
            said = f"{number(100 * p)} % of all answers are 0 at random, whatever the network says"
            return Severity.SERIOUS, said, "put dropout before the last linear layer, not behind it"
        if first:
            said = f"{number(100 * p)} % of all inputs are hidden in each iteration"
            much = p > MUCH_DROPPED
            return Severity.WARNING if much else Severity.NOTE, said, "no dropout at the input"
        return None
