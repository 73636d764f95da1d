"""The targets against the last layer and the loss, known before the first iteration."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.detector import Detector, Needs, Tensors, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.progress import is_linear
from engine.experiment.target_range import outside, remedy
from engine.functions.linear import Linear
from engine.functions.losses.kl_div import KLDiv
from engine.measure.metrics import is_binary, ones
from engine.nn.table import LOSSES
from engine.program.graph import Node
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

OUT_OF_REACH = Limit(
    0.25,
    "out of reach",
    "of the loss of the best constant answer: what the last layer cannot reach costs a quarter of "
    "all that there is to learn, or more",
)
HARDLY = Limit(
    0.01,
    "hardly out of reach",
    "a hundredth of it: noise of the targets around an end of the range",
)
SUMS_TO_ONE = 1e-3
SHOWN = 8  # classes that are named
FAR_FROM_ONE = Limit(
    30,
    "large targets",
    "a new network gives numbers around 1: thirty times as much takes as many more steps, or "
    "weights for which no step is small enough; it is told only where that shows",
)


def tail(program: Program) -> list[Node]:
    """The layers behind the last linear one, in their order."""
    nodes = list(program.network.nodes)
    last = max((i for i, n in enumerate(nodes) if isinstance(n.layer.function, Linear)), default=-1)
    return nodes[last + 1 :]


class TargetDomain(Detector):
    """Targets that the loss is not made for."""

    needs = Needs.ROWS
    card = Card(
        name="target-domain",
        title="The targets are none that the loss is made for",
        looks="Every target: for bce_with_logits between 0 and 1, for cross_entropy with rows "
        "and kl_div shares of classes, none negative, that add up to 1. (bce and hinge refuse "
        "what is no target of theirs.)",
        levels="serious: a target for which the loss has no lower bound; warning: rows that do "
        "not add up to 1",
        cause="for a target outside [0, 1] a surer answer is always a better one, and the loss "
        "falls below 0 for ever",
        remedy="write the targets as the loss takes them",
    )

    @cached_property
    def told(self) -> Found | None:
        """The finding, made once: it depends on the data alone."""
        loss, y = self.program.network.loss.type, self.shares()
        event = self.first_event(Phase.LOSS, "loss")
        if event is None or y.ndim != 2:
            return None
        if loss == "bce_with_logits" and outside(y).any():
            return self.told_of(event, outside(y), y, "outside 0 … 1", remedy(y))
        if loss not in ("cross_entropy", "kl_div"):
            return None
        if (y < 0).any():
            return self.told_of(event, y < 0, y, "negative", "write the classes as shares from 0")
        sums = y.sum(axis=1)
        off = np.abs(sums - 1) > SUMS_TO_ONE
        return self.sums(event, sums, off) if off.any() else None

    def shares(self) -> Array:
        """The targets; of kl_div the probabilities that they stand for."""
        loss, y = self.program.network.loss, self.program.data.y
        return loss.probabilities(y.astype(np.float64)) if isinstance(loss, KLDiv) else y

    def told_of(
        self, event: int, wrong: NDArray[np.bool_], y: Array, what: str, mend: str
    ) -> Found:
        """Targets in the wrong place: how many, and the first of them."""
        where = tuple(np.argwhere(wrong)[0].tolist())
        place = ", ".join(map(str, where))
        return Found(
            event,
            "y",
            f"{int(wrong.sum())} of {plural(y.size, 'target')} are {what}, the first "
            f"{number(float(y[where]))} at y[{place}]",
            remedy=mend,
            numbers={"outside": int(wrong.sum()), "targets": int(y.size)},
        )

    def sums(self, event: int, sums: Array, off: Array) -> Found:
        """Rows of targets that are no shares."""
        i = int(np.argmax(off))
        return Found(
            event,
            "y",
            f"{int(off.sum())} of {plural(len(sums), 'row')} of y do not add up to 1: row {i} "
            f"gives {number(float(sums[i]))}",
            Severity.WARNING,
            cause=f"{self.program.network.loss.type} takes one distribution a row; several classes "
            "at once are as many yes or no",
            remedy="bce_with_logits where a row has several classes, else rows that add up to 1",
            numbers={"rows": int(off.sum()), "of": len(sums)},
        )

    def found(self) -> Iterator[Found]:
        if self.told is not None:
            yield self.told


class UnreachableTargets(Detector):
    """Targets, or answers, that the last layer cannot give."""

    needs = Needs.LAYERS
    card = Card(
        name="unreachable-targets",
        title="The last layer cannot reach the targets",
        looks="The interval of what the layers behind the last linear one can give, against the "
        "answer that the loss likes best for each target: the lowest loss within it, beside that "
        "of the best constant answer.",
        levels="serious: the lowest loss that can be reached is a quarter of that of the best "
        "constant answer, or more; warning: a hundredth",
        cause="the last activation cuts off the numbers that the targets ask for",
        remedy="leave the last activation out, or scale the targets into its range",
        limits=(OUT_OF_REACH, HARDLY),
    )

    @cached_property
    def told(self) -> Found | None:
        """The finding, made once: it depends on the data and the layers alone."""
        program, layers = self.program, tail(self.program)
        loss, outputs = program.network.loss, program.network.nodes[-1].layer.outputs
        within = facts.reach([node.layer for node in layers])
        bent = [node for node in layers if facts.interval_of(node.layer) != facts.LINE]
        event = self.first_event(Phase.FORWARD, bent[-1].output) if bent else None
        if event is None or within == facts.LINE:
            return None
        y = program.data.y
        best, free = (facts.ideal(loss, y, outputs, interval) for interval in (within, facts.LINE))
        plain = facts.best_constant(loss, y, outputs)
        if best is None or free is None or loss.scale <= 0:
            return None
        lost = facts.value_of(loss, best, y) - facts.value_of(loss, free, y)
        # A constant target is out of reach as well: then the loss there is is the measure.
        whole = 0.0 if plain is None else facts.value_of(loss, plain, y)
        share = lost / max(whole, lost) if lost > 0 else 0.0
        return self.verdict(event, bent, within, lost, share) if share > HARDLY else None

    def verdict(
        self, event: int, bent: list[Node], within: facts.Interval, lost: float, share: float
    ) -> Found:
        """The finding about the last activation, or about the one before it that narrows it."""
        y, low, high = self.program.data.y, within[0], within[1]
        last, loss = bent[-1], self.program.network.loss.type
        narrowed = len(bent) > 1 and within != facts.interval_of(last.layer)
        node = bent[-2] if narrowed else last
        kind = node.layer.type
        said = f"{kind} gives {between(low, high)}"
        if low == high:
            said = f"{kind} of one output is always {number(low)}"
        if narrowed:
            said = f"behind {kind}, {last.layer.type} gives {between(low, high)}"
        if LOSSES[loss].distance:
            far = (y < low) | (y > high)
            said += (
                f", and {int(far.sum())} of {plural(y.size, 'target')} are outside, which reach "
                f"from {number(float(y.min()))} to {number(float(y.max()))}"
            )
            mend = f"leave the {kind} out, or scale the targets to {between(low, high)}"
        else:
            takes = "probabilities, 0 … 1" if loss == "bce" else "numbers of any size and sign"
            said += f", and {loss} takes {takes}"
            mend = f"leave the {kind} out"
        return Found(
            event,
            node.name,
            f"{said}: the loss cannot fall below {number(lost)}, {number(100 * share)} % of that "
            "of the best constant answer",
            Severity.SERIOUS if share >= OUT_OF_REACH else Severity.WARNING,
            cause=f"{kind} {'before' if narrowed else 'as'} the last layer cuts off what the "
            "targets ask for",
            remedy=mend,
            numbers={"floor": lost, "share": share, "low": low, "high": high},
        )

    def found(self) -> Iterator[Found]:
        if self.told is not None:
            yield self.told


def between(low: float, high: float) -> str:
    """An interval in words: ``0 … 1``, ``0 and more``, ``0 and less``."""
    if np.isinf(high):
        return f"{number(low)} and more"
    return f"{number(high)} and less" if np.isinf(low) else f"{number(low)} … {number(high)}"


class TargetScale(Detector):
    """Numbers as targets that are far larger than what a new network gives."""

    needs = Needs.ROWS
    card = Card(
        name="target-scale",
        title="The targets are large numbers",
        looks="For mse, l1 and huber the root mean square of y against that of the first output, "
        "or 1 if that is less.",
        levels="note; as much as what it explains: a loss that rises, runs to NaN or does not come "
        "below that of the best constant answer",
        cause="a new network gives numbers around 1: on the way to thousands its weights become "
        "so large that no learning rate fits the beginning and the end",
        remedy="standardize the targets: subtract their mean, divide by their standard deviation",
        certainty=Certainty.LIKELY,
        limits=(FAR_FROM_ONE,),
    )
    phases = frozenset({Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.first: tuple[int, float] | None = None
        self.watching = program.network.loss.distance

    def see(self, event: Event, tensors: Tensors) -> None:
        if self.first is None:
            self.first = event.index, rms(tensors[self.program.network.output])

    @property
    def harmless(self) -> bool:
        """Whether size does no harm: gradients of a linear map grow with it, its curvature not."""
        normalizing = self.program.optimizer.normalizes
        return is_linear(self.program) and not normalizing

    @cached_property
    def size(self) -> float:
        """The root mean square of the targets."""
        return rms(self.program.data.y)

    def found(self) -> Iterator[Found]:
        if self.first is None or self.harmless:
            return
        event, size = self.first
        ratio = self.size / max(size, 1.0)
        if ratio > FAR_FROM_ONE:
            y = self.program.data.y
            yield Found(
                event,
                "y",
                f"y reaches from {number(float(y.min()))} to {number(float(y.max()))}, and the "
                f"first output has size {number(size)}: {number(ratio)} times less",
                Severity.NOTE,
                numbers={"targets": self.size, "output": size, "ratio": ratio},
            )


def rms(array: Array) -> float:
    """The root of the mean square, in float64."""
    wide = np.asarray(array, dtype=np.float64)
    return float(np.sqrt(np.mean(wide * wide))) if wide.size else 0.0


class AbsentClass(Detector):
    """A class that no row has."""

    needs = Needs.ROWS
    card = Card(
        name="absent-class",
        title="A class never occurs",
        looks="The classes of all rows trained on, against the outputs of the network.",
        levels="warning",
        cause="there are more outputs than classes, or the data lack one",
        remedy="as many outputs as there are classes; look at how the rows were chosen",
        certainty=Certainty.LIKELY,
    )

    @cached_property
    def counts(self) -> NDArray[np.int64] | None:
        """How often each class is the target, (K,); None where targets are no classes."""
        y, loss = self.program.data.y, self.program.network.loss
        outputs = facts.outputs(self.program) or 0
        if y.ndim == 1:
            known = y[(y >= 0) & (y < outputs) & (y != getattr(loss, "ignore_index", None))]
            return np.bincount(known, minlength=outputs) if len(known) and outputs > 1 else None
        y = ones(self.program, y)
        if not is_binary(y) or loss.distance:
            return None
        if y.shape[1] == 1:
            return np.array([np.sum(y == 0), np.sum(y == 1)])
        return np.asarray(y.sum(axis=0), np.int64)

    def found(self) -> Iterator[Found]:
        counts = self.counts
        event = next((op.index for op in self.program.ops if op.phase == Phase.LOSS), None)
        if counts is None or event is None or (counts > 0).all():
            return
        never = np.flatnonzero(counts == 0).tolist()
        shifted = never == [0] and len(counts) > 2
        yield Found(
            event,
            "y",
            f"{len(never)} of {plural(len(counts), 'class')} in no row: "
            + ", ".join(map(str, never[:SHOWN]))
            + (" …" if len(never) > SHOWN else ""),
            Severity.WARNING,
            cause="the classes seem to be counted from 1, and they count from 0" if shifted else "",
            remedy="subtract 1 from each label, and take one output less" if shifted else "",
            numbers={"absent": len(never), "classes": len(counts)},
        )
