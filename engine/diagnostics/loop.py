"""Mistakes of the training loop itself: gradients that pile up, parameters that never move."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from engine.arrays import Array
from engine.diagnostics.detector import Detector, Tensors, norm, number, plural
from engine.diagnostics.diagnosis import Card, Certainty, Found, Severity
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase


class AccumulatedGradients(Detector):
    """Gradients to which backward adds after an update has used them."""

    card = Card(
        name="accumulated-gradients",
        title="Gradients pile up from iteration to iteration",
        looks="Whether backward adds to a gradient that is not zero and that an update has "
        "already used. Adding up several batches before one update is no mistake.",
        levels="serious",
        cause="zero_grad is skipped, so that each update walks along the sum of old gradients",
        remedy="run zero_grad in every iteration: take it out of `skip`",
        example="bug-no-zero-grad",
    )
    phases = frozenset({Phase.ZERO_GRAD, Phase.BACKWARD, Phase.UPDATE})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.used: set[str] = set()
        self.first: tuple[int, str, float, float] | None = None
        self.times = 0

    def gap(self) -> None:
        self.used.clear()

    def see(self, event: Event, tensors: Tensors) -> None:
        name = event.op.writes[0]
        match event.op.phase:
            case Phase.ZERO_GRAD:
                self.used.discard(name)
            case Phase.UPDATE:
                self.used.add(self.program.gradients.get(name, ""))
            case _ if name in self.used and event.op.adds:
                self.added(event, name)

    def added(self, event: Event, name: str) -> None:
        """Note that something was added to a gradient that an update has used."""
        before = event.before[0]
        # Zeros, set by hand perhaps: nothing old is in the sum.
        if before is None or not before.any():
            self.used.discard(name)
            return
        self.times += 1
        if self.first is None:
            self.first = (event.index, name, norm(before), norm(event.after[0] - before))

    def found(self) -> Iterator[Found]:
        if self.first is None:
            return
        event, name, old, new = self.first
        yield Found(
            event,
            name,
            f"backward added ‖{number(new)}‖ to a gradient of ‖{number(old)}‖ that update had "
            f"used; so far {plural(self.times, 'such addition')}",
            numbers={"before": old, "added": new, "additions": self.times},
        )


ROUNDING = 64  # times the machine's ε: a sum of terms that cancel leaves as much


@dataclass
class Watched:
    """One parameter: its first value, its gradients so far, and the largest element of them."""

    start: Array
    first_update: int | None = None
    first_gradient: int | None = None
    gradients: int = 0
    zero_gradients: int = 0
    largest: float = 0.0
    moved: bool = False


class NeverMoves(Detector):
    """A parameter that no update changes."""

    card = Card(
        name="never-moves",
        title="A parameter never moves",
        looks="Every parameter against its first value after each iteration, and the norm of its "
        "gradient. Frozen parameters have a finding of their own.",
        levels="serious: all elements of a weight stayed exactly the same; warning: a bias did; "
        "note: ∂ℓ/∂ŷ is zero too",
        cause="its gradient is exactly zero",
        remedy="look at the gradients from the loss backwards: the first that is zero is the place",
    )
    phases = frozenset({Phase.BACKWARD, Phase.UPDATE})

    def begin(self, tensors: Tensors, event: int) -> None:
        self.watched = {info.name: Watched(tensors[info.name]) for info in self.program.parameters}
        self.output = self.program.gradients.get(self.program.network.output)
        self.asked = self.output is None  # lines may have no such output
        backward = [op for op in self.program.ops if op.phase == Phase.BACKWARD]
        # A gradient that several ops add to is what it is after the last of them.
        self.complete = {op.writes[0]: op.index for op in backward}
        self.updated = {op.name for op in self.program.ops if op.phase == Phase.UPDATE}

    def see(self, event: Event, tensors: Tensors) -> None:
        name = event.op.writes[0]
        if name == self.output:
            self.asked = self.asked or bool(event.after[0].any())
        if event.op.phase == Phase.UPDATE:
            if name in self.watched:  # the learning rate and clipping have ops of their own
                self.moved(event, self.watched[name])
        elif self.complete[name] != event.op.index:
            return
        elif event.op.adds and (of := self.program.tensors[name].gradient_of) in self.watched:
            one = self.watched[of]
            one.gradients += 1
            if one.first_gradient is None:
                one.first_gradient = event.index
            if not one.moved:
                size = float(np.max(np.abs(event.after[0]), initial=0))
                one.zero_gradients += size == 0
                one.largest = max(one.largest, size)

    def moved(self, event: Event, one: Watched) -> None:
        """Note an update, and whether the parameter has left its first value."""
        if one.first_update is None:
            one.first_update = event.index
        if not one.moved:
            one.moved = not np.array_equal(event.after[0], one.start, equal_nan=True)

    def found(self) -> Iterator[Found]:
        for name, one in self.watched.items():
            if self.unread(name, one):
                yield self.no_part(name, one)
            if one.moved or one.gradients < 2:
                continue
            if Phase.UPDATE not in self.program.timeline.listing(0).phases():
                yield self.verdict(name, one, "update is skipped", "take update out of `skip`")
            elif name not in self.updated:
                continue  # frozen
            elif one.zero_gradients == one.gradients:
                yield self.verdict(name, one, "", "") if self.asked else self.nothing(name, one)
            elif one.first_update is not None:
                yield self.verdict(name, one, *self.too_small(one))

    def unread(self, name: str, one: Watched) -> bool:
        """Whether the loss does not depend on a parameter that is there to be learnt."""
        if not self.complete or name not in self.updated or one.moved:
            return False
        return self.program.gradients[name] not in self.complete and one.first_update is not None

    def no_part(self, name: str, one: Watched) -> Found:
        """The finding about a parameter that the loss does not depend on."""
        cause = "the loss does not depend on it: no op of backward writes its gradient"
        found = self.verdict(name, one, cause, f"let a line that leads to the loss read {name}")
        return replace(found, severity=Severity.WARNING)

    def nothing(self, name: str, one: Watched) -> Found:
        """The finding where the loss asks for no change: ∂ℓ/∂ŷ is zero in every element."""
        cause = "∂ℓ/∂ŷ is exactly zero: the loss is at its lowest, or nothing counts in it"
        found = self.verdict(name, one, cause, "nothing, if the loss is low enough")
        return replace(found, severity=Severity.NOTE)

    def too_small(self, one: Watched) -> tuple[str, str]:
        """The cause and the remedy where a gradient that is not zero moves nothing."""
        if self.program.optimizer.hyper.get("lr") == 0:
            return "the learning rate is 0", "choose a learning rate above 0"
        if one.largest <= ROUNDING * np.finfo(one.start.dtype).eps:
            return (
                "its gradient is zero but for rounding: the loss does not depend on it",
                "leave it out; a bias before a normalization is one such",
            )
        return (
            "the updates are smaller than the rounding of the parameter",
            "raise the learning rate, or use float64",
        )

    def verdict(self, name: str, one: Watched, cause: str, remedy: str) -> Found:
        """The finding about one parameter."""
        event = one.first_update if one.first_update is not None else one.first_gradient
        weight = self.program.tensors[name].shape[1:] != ()
        zeros = f"{one.zero_gradients} of {plural(one.gradients, 'gradient')} exactly zero"
        return Found(
            event or 0,
            name,
            f"unchanged so far, {zeros}, the largest element {number(one.largest)}",
            Severity.SERIOUS if weight else Severity.WARNING,
            cause=cause,
            remedy=remedy,
            numbers={
                "gradients": one.gradients,
                "zero_gradients": one.zero_gradients,
                "largest": one.largest,
            },
        )


class Frozen(Detector):
    """A parameter that has gradients but is left alone by the optimizer."""

    card = Card(
        name="frozen",
        title="A frozen layer has gradients that nobody uses",
        looks="Parameters named in `frozen` whose gradient is not zero.",
        levels="serious: the last layer with parameters is frozen as a whole while others learn "
        "(fine-tuning freezes the front and trains the end); note: any other",
        cause="`frozen` takes the parameter away from the optimizer",
        remedy="remove `frozen`, unless the values come from a network that has learnt",
        certainty=Certainty.LIKELY,
        example="bug-frozen",
    )
    phases = frozenset({Phase.BACKWARD})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        updated = {op.name for op in self.program.ops if op.phase == Phase.UPDATE}
        names = [info.name for info in self.program.parameters]
        gradients = self.program.gradients
        self.frozen = {gradients[name]: name for name in names if name not in updated}
        self.learning = bool(updated)
        self.seen: dict[str, tuple[int, float]] = {}

    def see(self, event: Event, tensors: Tensors) -> None:
        name = self.frozen.get(event.op.writes[0])
        if name is not None and name not in self.seen and event.after[0].any():
            self.seen[name] = event.index, norm(event.after[0])

    def found(self) -> Iterator[Found]:
        if not self.learning:
            return
        last = self.program.parameters[-1].layer
        # Of parameters of lines, which belong to no layer, none is known to be the last.
        whole = last is not None and all(
            info.name in self.seen for info in self.program.parameters if info.layer == last
        )
        for name, (event, size) in self.seen.items():
            serious = whole and self.program.tensors[name].layer == last
            yield Found(
                event,
                name,
                f"its gradient has norm {number(size)}, and there is no update op for it",
                Severity.SERIOUS if serious else Severity.NOTE,
                Certainty.LIKELY if serious else Certainty.POSSIBLE,
                numbers={"gradient_norm": size},
            )
