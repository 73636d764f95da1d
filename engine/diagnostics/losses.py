"""The losses of a run: one that rises, one that swings, and what of it is noise.

A loss with a negative scale is seen without its sign, so that up is always the wrong way.
"""

import math
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.detector import Detector, Tensors, number
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.functions.elementwise.dropout import Dropout
from engine.optim.lines import Lines
from engine.program.program import Program
from engine.run.drive import carry_out
from engine.run.event import Event
from engine.run.phases import Phase
from engine.run.run import loss_of
from engine.streams import stream

RISE = Limit(
    1.5,
    "rise",
    "half as much again as in the first epoch: batches of one epoch differ, whole epochs hardly",
)
LEAP = Limit(
    10,
    "leap",
    "ten times the first loss in a single batch is no noise of sampling; not one "
    "healthy built-in comes near 2",
)
SWING = Limit(
    0.05,
    "swing",
    "a twentieth of the first loss; momentum and small batches make swings of a hundredth once the "
    "loss has fallen",
)
TURNS = Limit(0.5, "turns", "a random walk turns at half of its steps; a falling loss at few")
NOISE = Limit(
    3,
    "beyond noise",
    "standard errors of the mean loss of an epoch, from the losses of other rows and other dropout "
    "masks with the same parameters: what lies within three of them happens by itself",
)
HEAVY = 0.8  # a momentum from which on it adds up five steps or more
FALLEN = 0.01  # of the loss, between the two halves of the last third of the epochs
FEW_EPOCHS = 6
AHEAD = (Phase.FORWARD, Phase.LOSS)
OTHER_MASK = 2**40  # added to the number of an iteration: the masks of no iteration
OTHER_ROWS = 2**31 + 3  # keeps the streams of these rows apart from all others


def epoch_means(losses: Sequence[float], count: int) -> Array:
    """The mean of each whole epoch of ``count`` batches: (epochs,) of float64."""
    whole = len(losses) // count * count
    means: Array = np.array(losses[:whole], np.float64).reshape(-1, count).mean(axis=1)
    return means


def settled(losses: Sequence[float], count: int, fallen: float = FALLEN) -> bool:
    """Whether the mean loss of an epoch no longer falls in the last third of six epochs or more.

    ``fallen`` is the share of it by which its two halves may differ.
    """
    epochs = epoch_means(losses, count)
    late = epochs[-max(len(epochs) // 3, 2) :]
    if len(epochs) < FEW_EPOCHS or not np.isfinite(late).all():
        return False
    before, after = late[: len(late) // 2].mean(), late[len(late) // 2 :].mean()
    return bool(before - after <= fallen * abs(after))


class Losses(Detector):
    """The losses of a run, and the loss of each epoch as the mean of its batches."""

    phases = frozenset({Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.losses = array("d")
        self.events = array("q")
        self.sign = -1.0 if program.network.loss.scale < 0 else 1.0

    def see(self, event: Event, tensors: Tensors) -> None:
        self.losses.append(self.sign * float(event.after[0]))
        self.events.append(event.index)

    def gap(self) -> None:
        del self.losses[:], self.events[:]

    @property
    def start(self) -> float:
        """The loss that later ones are compared with: the first, or its epoch's mean if larger."""
        first, mean = self.losses[0], self.epochs()[:1]
        usual = self.usual if math.isfinite(self.usual) else 0.0
        # An epoch in which the loss has exploded is no measure of anything.
        sane = len(mean) == 1 and float(mean[0]) <= LEAP * max(abs(first), usual)
        return max(first, float(mean[0])) if sane else first

    @cached_property
    def plain(self) -> Array | None:
        """The best constant answer (K,) to the data."""
        return facts.constant_answer(self.program, self.program.data.y)

    def guessed(self, k: int) -> float:
        """The loss of the best constant answer in the k-th batch seen; NaN where there is none."""
        if self.plain is None:
            return math.nan
        timeline, batches = self.program.timeline, self.program.batches
        epoch, place = divmod(timeline.iteration(self.events[k]), batches.count)
        y = self.program.data.y[batches.rows_of(epoch, place)]
        return self.sign * facts.value_of(self.program.network.loss, self.plain, y)

    @cached_property
    def usual(self) -> float:
        """The mean loss of the best constant answer over the batches of the first epoch seen."""
        count = min(self.program.batches.count, len(self.losses))
        with np.errstate(all="ignore"):
            return float(np.mean([self.guessed(k) for k in range(count)])) if count else math.nan

    @property
    def size(self) -> float:
        """What a change of the loss is measured by: the first loss, or a tenth of guessing's."""
        usual = abs(self.usual) if math.isfinite(self.usual) else 0.0
        return max(abs(self.start), usual / 10)

    def epochs(self) -> Array:
        """The mean loss of each whole epoch seen: (epochs,) of float64."""
        return epoch_means(self.losses, self.program.batches.count)


class NoisyLosses(Losses):
    """Losses with what noise is in them: that of the batches, and that of dropout.

    In some iterations the loss is taken once more, with the same parameters and other rows and
    masks: what it differs by is not the doing of any update.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        nodes = program.network.nodes
        functions = [node.layer.function for node in nodes]
        self.drops = any(isinstance(one, Dropout) and one.p > 0 for one in functions)
        self.draws = program.batches.count > 1
        self.apart: list[float] = []

    def see(self, event: Event, tensors: Tensors) -> None:
        super().see(event, tensors)
        seen = len(self.losses) - 1
        if (self.drops or self.draws) and (seen & (seen - 1)) <= 0:  # iterations 1, 2, 3, 5, 9, …
            other = self.sign * self.other(tensors, event.position.iteration)
            self.apart.append((other - self.losses[-1]) / math.sqrt(2))

    def gap(self) -> None:
        super().gap()
        self.apart.clear()

    def other(self, tensors: Tensors, iteration: int) -> float:
        """The loss of another batch with the same parameters and other dropout masks."""
        program = self.program
        found = dict(tensors)
        if self.draws:
            rng = stream(program.experiment.seed, OTHER_ROWS, iteration)
            rows = rng.integers(len(program.data), size=len(tensors["x"]))
            found |= {"x": program.data.x[rows], "y": program.data.y[rows]}
        if (
            not program.network.nodes
        ):  # lines draw nothing: their ops are what they are in evaluation
            carry_out([op for op in program.ops if op.phase in AHEAD], found)
            return loss_of(program, found) or math.nan
        for place, node in enumerate(program.network.nodes):
            if isinstance(dropout := node.layer.function, Dropout):
                x, seed = found[node.input], program.experiment.seed
                mask = dropout.mask(seed, place, OTHER_MASK + iteration, x.shape, x.dtype)
                found[node.output] = x * mask
            else:
                reads = [found[node.tensor(role)] for role in node.layer.reads]
                found[node.output] = node.layer.forward(*reads)
        return float(program.network.loss.value(found[program.network.output], found["y"]))

    @property
    def noise(self) -> float:
        """The standard error of the mean loss of an epoch, later in the run."""
        late = [size for size in self.apart[len(self.apart) // 2 :] if math.isfinite(size)]
        one = float(np.sqrt(np.mean(np.square(late)))) if late else 0.0
        return one / math.sqrt(self.program.batches.count)

    def noise_words(self) -> str:
        """Where the noise comes from."""
        batches = f"batches of {self.program.batches.size} rows"
        if not self.drops:
            return batches
        return f"dropout, and {batches}" if self.draws else "dropout"


class LossRising(NoisyLosses):
    """The loss rises instead of falling."""

    card = Card(
        name="loss-rising",
        title="The loss rises",
        looks="The mean loss of each epoch against the first, and each batch against the first "
        "batch, or against what the best constant answer gives for it where that is more.",
        levels="serious; warning: the last epoch is below the first loss again",
        cause="the learning rate is too high: the updates overshoot, and the next gradients are "
        "larger than the last",
        remedy="a smaller learning rate",
        certainty=Certainty.LIKELY,
        limits=(RISE, LEAP, NOISE),
        example="bug-exploding",
    )

    def found(self) -> Iterator[Found]:
        if not self.losses:
            return
        shown = self.leap() or self.rise()
        if shown is None:
            return
        event, loss, what = shown
        rate = self.program.optimizer.hyper.get("lr")
        factor = loss / self.start if self.start > 0 else None
        last = self.epochs()[-1:]
        back = len(last) == 1 and bool(last[0] <= self.start)
        times = f"{number(factor)} times" if factor is not None else "above"
        yield Found(
            event,
            "loss",
            f"{what} {number(loss)}, is {times} the first, {number(self.start)}; "
            f"the last is {number(self.losses[-1])}{rate_words(rate)}",
            Severity.WARNING if back else Severity.SERIOUS,
            cause=too_fast(self.program),
            numbers={
                "first": self.start,
                "loss": loss,
                "factor": factor,
                "last": self.losses[-1],
                "lr": rate,
            },
        )

    def beyond(self, loss: float, times: float) -> bool:
        """Whether a loss is above the first by more than these times allow."""
        return loss > self.start + (times - 1) * self.size

    def leap(self) -> tuple[int, float, str] | None:
        """The first batch with a loss beyond LEAP: event, loss, and the words."""
        for k in np.flatnonzero(np.array(self.losses) > self.start + (LEAP - 1) * self.size):
            guess = self.guessed(int(k))
            if not self.losses[k] <= LEAP * guess:
                return self.events[k], self.losses[k], "the loss of a batch,"
        return None

    def rise(self) -> tuple[int, float, str] | None:
        """The last epoch, if its loss is beyond RISE times the first's: event, loss, and the words.

        The event is where the first such epoch begins.
        """
        epochs = self.epochs()
        if len(epochs) < 2:
            return None
        limit = epochs[0] + (RISE - 1) * max(abs(epochs[0]), self.size / 10)
        if not epochs[-1] > max(limit, epochs[0] + NOISE * self.noise):
            return None
        above = int(np.argmax(epochs > limit))
        event = self.events[above * self.program.batches.count]
        return event, float(epochs[-1]), "the mean loss of the last epoch,"


class LossOscillating(NoisyLosses):
    """The loss swings up and down."""

    card = Card(
        name="loss-oscillating",
        title="The loss swings up and down",
        looks="The mean loss of each epoch in the second half of the run: how often it turns, and "
        "the mean size of its changes against the first loss, and against the noise.",
        levels="serious; note: the swings are no larger than the noise of batches and dropout",
        cause="the learning rate is too high: each update jumps over the valley",
        remedy="a smaller learning rate, or a schedule that lowers it",
        certainty=Certainty.LIKELY,
        limits=(SWING, TURNS, NOISE),
        example="bug-oscillating",
    )

    def found(self) -> Iterator[Found]:
        epochs = self.epochs()
        late = epochs[len(epochs) // 2 :]
        if len(epochs) < FEW_EPOCHS or not np.isfinite(late).all() or self.start == 0:
            return
        changes = np.diff(late)
        turns = float(np.mean(changes[1:] * changes[:-1] < 0))
        swing = float(np.mean(np.abs(changes)))
        share = swing / self.size
        if turns < TURNS or share < SWING:
            return
        up = int(np.argmax(np.diff(epochs) > 0)) + 1
        rate = self.program.optimizer.hyper.get("lr")
        noisy = swing <= NOISE * self.noise
        said = (
            f"from epoch to epoch it turns in {number(100 * turns)} % of the steps, by "
            f"{number(100 * share)} % of the first loss on average{rate_words(rate)}"
        )
        if noisy:
            said += f"; {self.noise_words()} alone make {number(100 * self.noise / self.size)} %"
        yield Found(
            self.events[up * self.program.batches.count],
            "loss",
            said,
            Severity.NOTE if noisy else Severity.SERIOUS,
            cause=f"the noise of {self.noise_words()}" if noisy else too_fast(self.program),
            remedy="larger batches, or look at the mean of several epochs" if noisy else "",
            numbers={"turns": turns, "swing": share, "lr": rate, "noise": self.noise / self.size},
        )


def rate_words(rate: float | None) -> str:
    """The learning rate as the end of a sentence; nothing where the rule has none."""
    return "" if rate is None else f"; learning rate {rate:g}"


def too_fast(program: Program) -> str:
    """Why the steps are too long, where the gradient and the learning rate alone do not say it."""
    optimizer = program.optimizer
    rate, momentum = optimizer.hyper.get("lr"), optimizer.hyper.get("momentum", 0.0)
    if rate is None or isinstance(optimizer, Lines):
        return ""
    if optimizer.normalizes:
        return (
            f"the learning rate is too high: {optimizer.type} divides by the size of the gradient, "
            f"so that every element moves by about {rate:g}, however flat the loss is"
        )
    if HEAVY <= momentum < 1:
        return (
            f"learning rate and momentum together are too high: {momentum:g} adds up "
            f"{number(1 / (1 - momentum))} steps, as a rate of {number(rate / (1 - momentum))} does"
        )
    return ""
