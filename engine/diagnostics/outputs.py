"""The last layer and the loss: what must not stand together, known before anything runs."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from engine.diagnostics.detector import Detector, Needs
from engine.diagnostics.diagnosis import Card, Found, Number, Severity
from engine.diagnostics.facts import squashes
from engine.program.graph import Node
from engine.program.program import Program
from engine.run.phases import Phase

Numbers = dict[str, Number]


@dataclass(frozen=True)
class Clash:
    """What is wrong with a layer in front of a loss; ``double``: a function is applied twice."""

    double: bool
    evidence: str
    severity: Severity
    cause: str
    remedy: str
    numbers: Numbers


class LastLayer(Detector):
    """The last layer (identity apart) against what the loss takes."""

    needs = Needs.LAYERS
    double: ClassVar[bool]

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        nodes = [node for node in program.network.nodes if node.layer.type != "identity"]
        self.node: Node | None = nodes[-1] if nodes else None
        self.before: Node | None = nodes[-2] if len(nodes) > 1 else None

    def found(self) -> Iterator[Found]:
        node = self.node
        if node is None:
            return
        event = self.first_event(Phase.FORWARD, node.output)
        if event is None:
            return
        clash = self.clash(node)
        if clash is not None and clash.double == self.double:
            yield Found(
                event,
                node.name,
                clash.evidence,
                clash.severity,
                cause=clash.cause,
                remedy=clash.remedy,
                numbers=clash.numbers,
            )

    def clash(self, node: Node) -> Clash | None:
        """What is wrong with the last layer and the loss together; None where nothing is."""
        kind, loss = node.layer.type, self.program.network.loss.type
        if self.before is not None and squashes(kind) and self.before.layer.type == kind:
            return twice(kind)
        match loss:
            case "cross_entropy":
                return before_cross_entropy(kind, node.layer.outputs)
            case "bce_with_logits" if squashes(kind):
                return squashed_logits(kind)
            case "nll" | "kl_div" if kind != "log_softmax":
                return no_log_probabilities(kind, loss)
            case "bce" if not squashes(kind):
                return no_probabilities(kind)
        return None


class DoubleSoftmax(LastLayer):
    """softmax or sigmoid applied twice, once by a layer and once by the loss."""

    double = True
    card = Card(
        name="double-softmax",
        title="softmax or sigmoid is applied twice",
        looks="The last layer and the loss: softmax, sigmoid or log_softmax before cross_entropy; "
        "sigmoid or softmax before bce_with_logits; the same layer twice.",
        levels="serious: the loss cannot get where it should; note: log_softmax before "
        "cross_entropy, which changes nothing but the work",
        cause="the loss applies the function itself",
        remedy="remove the layer, or take the loss that goes with it",
        example="bug-double-softmax, bug-double-sigmoid",
    )


class WrongOutput(LastLayer):
    """A last layer whose range is not what the loss takes."""

    double = False
    card = Card(
        name="wrong-output",
        title="The last layer does not give what the loss takes",
        looks="The last layer and the loss: nll and kl_div take log-probabilities, bce "
        "probabilities, cross_entropy scores of either sign.",
        levels="serious: nll or kl_div without log_softmax, bce without sigmoid or softmax; "
        "warning: relu before cross_entropy",
        cause="the loss expects a function to have been applied",
        remedy="add the layer, or take the loss that goes without it",
        example="bug-nll-scores",
    )


def before_cross_entropy(kind: str, outputs: int) -> Clash | None:
    """The clash of a layer with cross_entropy, which takes scores of any size and sign."""
    if kind == "log_softmax":
        said = "log_softmax of log_softmax is log_softmax: loss and gradient stay the same"
        remedy = "remove the layer, or use the loss nll"
        return Clash(
            True, said, Severity.NOTE, "cross_entropy does a log_softmax itself", remedy, {}
        )
    if squashes(kind):
        floor = math.log1p((outputs - 1) / math.e)
        said = (
            f"scores between 0 and 1: with {outputs} classes the loss cannot fall below "
            f"ln(1 + {outputs - 1}/e) = {floor:.4g}, even if every answer is right"
        )
        remedy = f"remove the {kind} layer, or use log_softmax with the loss nll"
        cause = f"cross_entropy does a softmax itself; after a {kind} it sees 0 … 1 only"
        return Clash(
            True, said, Severity.SERIOUS, cause, remedy, {"floor": floor, "classes": outputs}
        )
    if kind == "relu":
        said = "no score can be below 0: where all are off there is no gradient"
        cause = "cross_entropy takes scores of either sign; relu cuts one half off"
        return Clash(False, said, Severity.WARNING, cause, "remove the relu layer", {})
    return None


def twice(kind: str) -> Clash:
    """The clash of a squashing layer with the same one before it."""
    said = f"{kind} of {kind}: the second sees numbers between 0 and 1 only"
    return Clash(True, said, Severity.SERIOUS, f"{kind} stands twice", "remove one of the two", {})


def squashed_logits(kind: str) -> Clash:
    """The clash of a layer with bce_with_logits, which takes scores of any size and sign."""
    high, floor = 1 / (1 + math.exp(-1)), math.log1p(math.exp(-1))
    said = (
        f"logits between 0 and 1: the probability stays between 0.5 and {high:.3g}; "
        f"where y = 0 the loss cannot fall below ln 2 = 0.6931, where y = 1 not below {floor:.4g}"
    )
    cause = f"bce_with_logits does a sigmoid itself; after a {kind} it sees 0 … 1 only"
    remedy = f"remove the {kind} layer, or use the loss bce"
    numbers: Numbers = {"floor_0": math.log(2), "floor_1": floor}
    return Clash(True, said, Severity.SERIOUS, cause, remedy, numbers)


def no_log_probabilities(kind: str, loss: str) -> Clash:
    """The clash of a layer with nll or kl_div, which take logarithms of probabilities."""
    does = "picks −ŷ at the class" if loss == "nll" else "adds up −y ŷ"
    said = f"{loss} {does}, and {kind} does not give log-probabilities"
    cause = "without the logarithm of a softmax the loss has no minimum that means anything"
    remedy = "put log_softmax before the loss, or use cross_entropy on the scores"
    return Clash(False, said, Severity.SERIOUS, cause, remedy, {})


def no_probabilities(kind: str) -> Clash:
    """The clash of a layer with bce, which takes probabilities."""
    said = f"bce takes log ŷ and log(1 − ŷ), and {kind} gives numbers outside 0 … 1"
    cause = "outside 0 … 1 the logarithm is NaN"
    remedy = "put a sigmoid before the loss, or use bce_with_logits"
    return Clash(False, said, Severity.SERIOUS, cause, remedy, {})
