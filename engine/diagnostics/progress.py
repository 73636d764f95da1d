"""Whether the loss gets anywhere: converged, no better than a constant answer, of nothing."""

from array import array
from collections.abc import Iterator

import numpy as np

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.detector import Detector, Needs, Tensors, norm, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.losses import FEW_EPOCHS, Losses, settled
from engine.functions.linear import Linear
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

GONE = Limit(
    1e-3, "gone", "a thousandth of the largest gradient of an epoch: what is left moves nothing"
)
NO_BETTER = Limit(
    0.98, "no better", "two hundredths below a constant answer are what one gets by chance"
)
LEARNT = 0.1  # of the loss of a constant answer: what is left is no sign of anything wrong
MOSTLY_SMOOTH = Limit(
    0.9, "smooth", "label smoothing above it leaves less than a tenth of the target; 0.1 is usual"
)
LONG_ENOUGH = 300  # iterations after which a run that is meant to be longer may be judged


class Converged(Losses):
    """The loss has settled, and no gradient is left."""

    card = Card(
        name="converged",
        title="The loss has converged",
        looks="The norm of the mean gradient of each epoch against the largest, and whether the "
        "loss has settled.",
        levels="note",
        cause="the parameters are where the gradient is 0: a minimum, or a saddle",
        remedy="nothing, if the loss is low enough; more iterations change nothing",
        certainty=Certainty.LIKELY,
        limits=(GONE,),
    )
    phases = frozenset({Phase.LOSS, Phase.BACKWARD})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        backward = [op for op in program.ops if op.phase == Phase.BACKWARD]
        self.last = backward[-1].index if backward else -1
        updated = {op.name for op in program.ops if op.phase == Phase.UPDATE}
        names = [info.name for info in program.parameters if info.name in updated]
        self.names = [program.gradients[name] for name in names]
        self.norms = array("d")
        self.sums: list[Array] = []
        self.added = 0

    def gap(self) -> None:
        super().gap()
        del self.norms[:]
        self.sums, self.added = [], 0

    def see(self, event: Event, tensors: Tensors) -> None:
        if event.op.phase == Phase.LOSS:
            super().see(event, tensors)
        elif event.op.index == self.last:
            grads = [tensors[name] for name in self.names if name in tensors]
            pairs = zip(self.sums, grads, strict=True)
            self.sums = [a + b for a, b in pairs] if self.sums else grads
            self.added += 1
            if self.added == self.program.batches.count:
                self.norms.append(float(np.linalg.norm([norm(one) for one in self.sums])))
                self.sums, self.added = [], 0

    def found(self) -> Iterator[Found]:
        norms = np.array(self.norms)
        if len(norms) < FEW_EPOCHS or not np.isfinite(norms).all() or not norms.max() > 0:
            return
        if norms[-1] > GONE * norms.max() or not settled(self.losses, self.program.batches.count):
            return
        left = np.flatnonzero(norms > GONE * norms.max())
        epoch = int(left[-1]) + 1 if len(left) else 0
        level = float(self.epochs()[-1])
        share = norms[-1] / norms.max()
        guess = f"; the best constant answer has {number(self.usual)}" if self.usual > 0 else ""
        yield Found(
            self.events[min(epoch * self.program.batches.count, len(self.events) - 1)],
            "loss",
            f"at {number(level)}, from epoch {epoch + 1} on: the gradient is {number(share)} times "
            f"the largest{guess}",
            Severity.NOTE,
            numbers={"loss": level, "epoch": epoch + 1, "constant": self.usual},
        )


class NoProgress(Losses):
    """The loss is no better than that of an answer that does not look at the input."""

    card = Card(
        name="no-progress",
        title="The loss is no better than that of a constant answer",
        looks="The mean loss of the last epoch, and of the last third of all, against the best "
        "answer that is the same for all rows: the loss itself says what that gives, with its "
        "weights, smoothing, ignored classes and reduction.",
        levels="serious: and it no longer falls, when the run, or 300 iterations of it, are over; "
        "warning: it still falls",
        cause="what the network says does not depend on its inputs, or not in a way that helps",
        remedy="gradstep overfit shows whether it can learn one batch; then more units, other "
        "inputs, a longer run",
        certainty=Certainty.LIKELY,
        limits=(NO_BETTER,),
    )

    @property
    def learnt(self) -> bool:
        """Whether the loss of the last epoch is a small part of that of a constant answer.

        Where that is not known, of the first loss: lines may make any loss.
        """
        last = self.epochs()[-1:]
        known = len(last) == 1 and len(self.losses) > 0
        measure = self.usual if not known or np.isfinite(self.usual) else self.losses[0]
        return known and bool(0 <= last[0] <= LEARNT * measure)

    def found(self) -> Iterator[Found]:
        count, planned = self.program.batches.count, self.program.timeline.iterations
        epochs = self.epochs()
        if len(epochs) < FEW_EPOCHS or len(self.losses) < min(planned, LONG_ENOUGH):
            return
        first = len(epochs) - max(len(epochs) // 3, 2)
        late = epochs[first:]
        guess = float(
            np.mean(
                [self.guessed(k) for k in range((len(epochs) - 1) * count, len(epochs) * count)]
            )
        )
        if not guess > 0 or not min(late[-1], late.mean()) >= NO_BETTER * guess:
            return
        flat = settled(self.losses, count)
        linear = is_linear(self.program)
        yield Found(
            self.events[first * count],
            "loss",
            f"the mean loss of the last epoch is {number(float(late[-1]))} after "
            f"{plural(len(epochs), 'epoch')}, that of the best constant answer {number(guess)}",
            Severity.SERIOUS if flat else Severity.WARNING,
            cause="the network is one linear map, whatever its layers, and no linear map of these "
            "inputs is better than a constant"
            if linear
            else "",
            remedy="hidden units with an activation between two linear layers" if linear else "",
            numbers={"loss": float(late[-1]), "constant": guess, "epochs": len(epochs)},
        )


def is_linear(program: Program) -> bool:
    """Whether nothing bends before the last linear layer; of lines it is not known."""
    if not program.network.nodes:
        return False
    layers = [node.layer for node in program.network.nodes]
    last = max(
        (i for i, layer in enumerate(layers) if isinstance(layer.function, Linear)), default=0
    )
    return not any(facts.bends(layer) for layer in layers[:last])


class NothingCounts(Detector):
    """A loss of which nothing counts: all rows ignored, or weights of 0."""

    needs = Needs.ROWS
    card = Card(
        name="nothing-counts",
        title="Rows have no part in the loss",
        looks="scale, the weights of the loss, and for each batch which rows are neither ignored "
        "nor of weight 0; and label smoothing.",
        levels="serious: nothing of a batch counts, or of all classes one at most, or smoothing "
        "leaves nothing of the targets; warning: a class has weight 0",
        cause="the loss is the mean of nothing, 0/0, or a sum of nothing",
        remedy="weights above 0; an ignore_index that is not every row's",
        limits=(MOSTLY_SMOOTH,),
    )
    phases = frozenset({Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        loss = program.network.loss
        weighted = any(getattr(loss, name, ()) for name in ("weight", "pos_weight"))
        ignored = getattr(loss, "ignore_index", None) is not None
        smooth = getattr(loss, "label_smoothing", 0.0) > MOSTLY_SMOOTH
        self.watching = weighted or ignored or smooth or loss.scale == 0
        self.first: tuple[int, int] | None = None
        self.empty = self.seen = 0

    def see(self, event: Event, tensors: Tensors) -> None:
        self.seen += 1
        loss, y = self.program.network.loss, tensors["y"]
        outputs = facts.outputs(self.program) or 0
        if loss.scale == 0 or not facts.counts_for_something(loss, y, outputs).any():
            self.empty += 1
            if self.first is None:
                self.first = event.index, len(y)

    def found(self) -> Iterator[Found]:
        loss = self.program.network.loss
        lost = self.weightless()
        if self.first is not None and (lost is None or self.empty == self.seen):
            event, rows = self.first
            divided = loss.reduction == "mean" and loss.per_sample and loss.scale != 0
            gives = "the loss is 0/0" if divided else "the loss and its gradient are 0"
            yield Found(
                event,
                "loss",
                f"none of {plural(rows, 'row')} of the batch counts: {gives}; so in {self.empty} "
                f"of {plural(self.seen, 'batch')}",
                cause=self.reason(),
                numbers={"empty": self.empty, "batches": self.seen},
            )
        elif lost is not None and self.seen:
            yield lost

    def reason(self) -> str:
        """Why nothing counts."""
        loss = self.program.network.loss
        if loss.scale == 0:
            return "scale = 0 multiplies the loss with 0"
        weight = getattr(loss, "weight", ())
        if weight and not any(weight):
            return "all weights of the loss are 0"
        if getattr(loss, "ignore_index", None) is not None:
            ignored = getattr(loss, "ignore_index", None)
            return f"all targets of the batch are {ignored}, the class that is ignored"
        return "the classes in the batch have weight 0"

    def weightless(self) -> Found | None:
        """A class, or output, that occurs and has weight 0."""
        loss, y = self.program.network.loss, self.program.data.y
        event = self.first_event(Phase.LOSS, "loss")
        field = next((n for n in ("weight", "pos_weight") if 0 in getattr(loss, n, ())), None)
        smoothing = getattr(loss, "label_smoothing", 0.0)
        if smoothing > MOSTLY_SMOOTH and event is not None:
            return smoothed(event, smoothing)
        if field is None or event is None:
            return None
        given = np.asarray(getattr(loss, field))
        used = (
            np.bincount(y[(y >= 0) & (y < len(given))], minlength=len(given))
            if y.ndim == 1
            else y.sum(axis=0)
        )
        lost = np.flatnonzero((given == 0) & (used > 0))
        if not len(lost):
            return None
        left = int(((given > 0) & (used > 0)).sum())
        alone = left < 2 and loss.per_sample
        which = ", ".join(map(str, lost[:8].tolist()))
        return Found(
            event,
            f"loss.{field}",
            f"{field} is 0 for {'class' if loss.per_sample else 'output'} {which}: its rows teach "
            "nothing" + (", and one class alone is left" if alone else ""),
            Severity.SERIOUS if alone or field == "pos_weight" else Severity.WARNING,
            cause=f"{field} = 0",
            remedy=f"a {field} above 0",
            numbers={"without_weight": len(lost), "left": left},
        )


def smoothed(event: int, smoothing: float) -> Found:
    """The finding about a smoothing that makes all targets alike."""
    return Found(
        event,
        "loss.label_smoothing",
        f"label_smoothing = {smoothing:g} leaves {number(1 - smoothing)} of each target: all rows "
        "ask for nearly the same answer",
        cause="smoothing mixes the target with the same share for every class",
        remedy="label_smoothing = 0.1",
        numbers={"label_smoothing": smoothing},
    )
