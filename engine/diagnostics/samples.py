"""The data: inputs on different scales, classes of different size, and the first loss."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.detector import NEVER, Detector, Needs, Tensors, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.measure.metrics import is_binary, ones, threshold_of
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase
from engine.run.timeline import shifted

SCALES_APART = Limit(
    100,
    "scales apart",
    "the curvature of the loss along a weight grows with the square of its input: 100 makes a "
    "condition number of 10⁴, and gradient descent takes about as many steps",
)
SCALES_WORLDS_APART = Limit(1000, "scales worlds apart", "a condition number of 10⁶")
LARGE = Limit(
    20,
    "large",
    "a first layer adds up n inputs times 1/√n: at twenty its sums are far in the flat parts of σ "
    "and tanh, and the curvature is 400 times that of standardized inputs",
)
UNEVEN = Limit(
    0.5,
    "uneven",
    "the entropy of the classes over log K; with two classes ½ is a minority of 11 %",
)
PATIENCE = 3  # epochs before it matters which classes are never the answer
CONFIDENT = Limit(
    2,
    "confident",
    "small random outputs give log K; twice as much means that the untrained network is sure of "
    "wrong answers (Karpathy, CS231n, “Look for correct loss at chance performance”)",
)


def inputs_of(program: Program) -> Array | None:
    """The inputs (N, n) in float64; None for pictures, sequences and indices, which lines take."""
    x = program.data.x
    flat = x.ndim == 2 or (x.ndim == 3 and x.shape[-1] == 1)
    if x.dtype.kind != "f" or not flat:
        return None
    return x.reshape(len(x), -1).astype(np.float64)


class InputScales(Detector):
    """Inputs on very different scales."""

    card = Card(
        name="input-scales",
        title="The inputs are on very different scales",
        looks="The largest |x| of each input over all samples, largest over smallest; inputs that "
        "are 0 throughout do not count.",
        levels="serious: more than a thousand; warning: more than a hundred",
        cause="no learning rate fits all inputs: it is too large for the big one or too small for "
        "the little one",
        remedy="standardize = true in [data]: each input to mean 0 and standard deviation 1",
        certainty=Certainty.LIKELY,
        limits=(SCALES_APART, SCALES_WORLDS_APART),
        example="bug-input-scales",
    )

    def found(self) -> Iterator[Found]:
        x = inputs_of(self.program)
        if x is None:
            return
        x = np.abs(x)
        size = np.max(np.where(np.isfinite(x), x, 0), axis=0)
        used = np.flatnonzero(size)
        event = next((op.index for op in self.program.ops if "x" in op.reads), None)
        if len(used) < 2 or event is None:
            return
        large, small = used[np.argmax(size[used])], used[np.argmin(size[used])]
        ratio = float(size[large] / size[small])
        if ratio > SCALES_APART:
            yield Found(
                event,
                "x",
                f"{self.column(large)} reaches {number(float(size[large]))}, {self.column(small)} "
                f"{number(float(size[small]))}: a ratio of {number(ratio)}",
                Severity.SERIOUS if ratio > SCALES_WORLDS_APART else Severity.WARNING,
                numbers={
                    "ratio": ratio,
                    "largest": float(size[large]),
                    "smallest": float(size[small]),
                    "largest_input": int(large),
                    "smallest_input": int(small),
                },
            )

    def column(self, i: int) -> str:
        """The name of an input, or its number."""
        names = self.program.data.inputs
        return names[i] if names else f"input {i}"


class LargeInputs(Detector):
    """Inputs that are all large."""

    card = Card(
        name="large-inputs",
        title="The inputs are large numbers",
        looks="The root mean square of x over all samples.",
        levels="note; as much as what it explains: units that saturate or die, a loss that rises "
        "or gets nowhere",
        cause="initial weights and usual learning rates are made for inputs around 1",
        remedy="standardize = true in [data], or divide pixels by 255",
        certainty=Certainty.LIKELY,
        limits=(LARGE,),
    )

    @cached_property
    def size(self) -> float:
        """The root mean square of the finite inputs."""
        x = self.program.data.x
        if x.dtype.kind != "f":  # indices have no size
            return 0.0
        known = x[np.isfinite(x)].astype(np.float64)
        return float(np.sqrt(np.mean(np.square(known)))) if known.size else 0.0

    def found(self) -> Iterator[Found]:
        event = next((op.index for op in self.program.ops if "x" in op.reads), None)
        if event is None or not self.size > LARGE:
            return
        yield Found(
            event,
            "x",
            f"their root mean square is {number(self.size)}; standardized inputs have 1",
            Severity.NOTE,
            numbers={"size": self.size},
        )


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of a data set: how often each occurs, and how an output names one.

    ``weighted`` has the counts times the weights that the loss gives the classes. ``threshold`` is
    None where the largest output is the answer; otherwise there is one column, and class 1 is an
    output above it.
    """

    counts: NDArray[np.int64]
    weighted: NDArray[np.float64]
    threshold: float | None = None

    @property
    def evenness(self) -> float:
        """The entropy of the weighted classes over log K, of those that occur: 0 to 1."""
        kinds = int((self.counts > 0).sum())
        return entropy(self.weighted) / math.log(kinds) if kinds > 1 else 1.0

    def answers(self, yhat: Array) -> NDArray[np.int64]:
        """The class that each row of an output (N, K) names: (N,) of int64."""
        if self.threshold is None:
            return np.asarray(np.argmax(yhat, axis=1), np.int64)
        return (yhat[:, 0] > self.threshold).astype(np.int64)


def entropy(counts: NDArray[Any]) -> float:
    """The entropy of the relative frequencies, in nats."""
    there = counts[counts > 0]  # times a weight below 0 a class has no part in it
    share = there / there.sum()
    return float(-np.sum(share * np.log(share)))


def labels_of(program: Program) -> Labels | None:
    """The classes of a program's data; None where its targets are no single classes."""
    y, outputs, loss = program.data.y, facts.outputs(program), program.network.loss
    if outputs is None:
        return None
    weight = np.asarray(getattr(loss, "weight", ()) or np.ones(outputs))
    if y.ndim == 1:
        known = y[(y >= 0) & (y < outputs) & (y != getattr(loss, "ignore_index", None))]
        counts = np.bincount(known, minlength=outputs)
        return Labels(counts, counts * weight) if outputs > 1 and len(known) else None
    y = ones(program, y)
    if not is_binary(y):
        return None
    if y.shape[1] == 1:
        boundary = threshold_of(program)
        many = int(y.sum())
        counts = np.array([len(y) - many, many])
        positive = (getattr(loss, "pos_weight", ()) or (1.0,))[0]
        weighted = counts * np.array([1.0, positive])
        return None if boundary is None else Labels(counts, weighted, boundary)
    picks = loss.picks or any(n.layer.function.picks for n in program.network.nodes[-1:])
    single = bool((y.sum(axis=1) == 1).all()) and picks
    counts = y.sum(axis=0).astype(np.int64)
    return Labels(counts, counts * weight) if single else None


class ClassImbalance(Detector):
    """A class so rare that never naming it costs little."""

    needs = Needs.ROWS
    card = Card(
        name="class-imbalance",
        title="One class outnumbers the others",
        looks="The entropy of the class frequencies, times the weights that the loss gives the "
        "classes, against log K; the loss of the best constant answer; and which classes are ever "
        "the answer.",
        levels="serious: after three epochs a class is never the answer for any sample; warning: "
        "otherwise",
        cause="the rare class has little weight in the loss: always naming the frequent one "
        "gives a low loss and a high accuracy",
        remedy="class weights, more samples of the rare class, or a metric other than accuracy",
        certainty=Certainty.LIKELY,
        limits=(UNEVEN,),
        example="bug-imbalance",
    )
    phases = frozenset({Phase.FORWARD, Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        found = labels_of(program)
        self.labels = found if found is not None and found.evenness < UNEVEN else None
        self.watching = self.labels is not None
        self.first: tuple[int, float] | None = None
        self.seen = self.last = 0
        classes = len(self.labels.counts) if self.labels else 0
        self.named = np.full(classes, NEVER, np.int64)

    def see(self, event: Event, tensors: Tensors) -> None:
        if self.labels is None:
            return
        if event.op.name == self.program.network.output:
            self.named[self.labels.answers(event.after[0])] = event.index
            self.seen, self.last = self.seen + 1, event.index
        elif event.op.phase == Phase.LOSS and self.first is None:
            self.first = event.index, float(event.after[0])

    @cached_property
    def guess(self) -> float:
        """The loss of the best constant answer, over all rows as one batch."""
        network, y = self.program.network, self.program.data.y
        best = facts.constant_answer(self.program, y)
        return math.nan if best is None else facts.value_of(network.loss, best, y)

    def found(self) -> Iterator[Found]:
        if self.labels is None or self.first is None:
            return
        counts, batches = self.labels.counts, self.program.batches.count
        since = shifted(self.program.timeline, self.last, -batches)
        never = [int(c) for c in np.flatnonzero((self.named <= since) & (counts > 0))]
        patient = self.seen >= PATIENCE * batches
        share, h = float(counts.max() / counts.sum()), entropy(counts)
        guess = self.guess
        lost = f"; in the last epoch never the answer: class {', '.join(map(str, never))}"
        event, loss = self.first
        yield Found(
            event,
            "y",
            f"{number(100 * share)} % of {plural(int(counts.sum()), 'target')} are class "
            f"{int(counts.argmax())}; the first loss is {number(loss)}, and an answer that ignores "
            f"the input gives {number(guess)}" + (lost if never and patient else ""),
            Severity.SERIOUS if never and patient else Severity.WARNING,
            numbers={
                "share": share,
                "entropy": h,
                "constant": guess,
                "log_classes": math.log(len(counts)),
                "first_loss": loss,
                "never_named": len(never) if patient else None,
            },
        )


class InitialLoss(Detector):
    """A first loss far from that of guessing."""

    needs = Needs.ROWS
    card = Card(
        name="initial-loss",
        title="The first loss is far above that of guessing",
        looks="The first loss of a classification against that of an answer that says nothing, "
        "log K for K classes and log 2 for a yes or no, with its weights and its reduction.",
        levels="warning",
        cause="the untrained network is sure of wrong answers: large initial weights or inputs",
        remedy="smaller initial weights in the last layer, standardized inputs",
        certainty=Certainty.LIKELY,
        limits=(CONFIDENT,),
    )
    phases = frozenset({Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.first: tuple[int, float, float] | None = None

    def see(self, event: Event, tensors: Tensors) -> None:
        if self.first is None:
            loss = self.program.network.loss
            outputs = facts.outputs(self.program)
            answer = None if outputs is None else facts.uninformed(loss, outputs)
            expected = math.nan
            if answer is not None and loss.scale > 0:
                expected = facts.value_of(loss, answer, tensors["y"])
            self.first = event.index, float(event.after[0]), expected

    def found(self) -> Iterator[Found]:
        if self.first is None:
            return
        event, loss, expected = self.first
        if expected > 0 and loss > CONFIDENT * expected:
            yield Found(
                event,
                "loss",
                f"it is {number(loss)}, and guessing gives {number(expected)}: "
                f"{number(loss / expected)} times as much",
                Severity.WARNING,
                numbers={"first": loss, "guessing": expected, "ratio": loss / expected},
            )
