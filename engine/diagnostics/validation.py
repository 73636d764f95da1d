"""The rows set aside as evidence: what is learnt from the others, and does not hold for them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.diagnostics import facts
from engine.diagnostics.detector import Detector, Tensors, number
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.measure.metrics import correct, evaluate
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

RISEN = Limit(
    1.2, "risen", "a fifth above its lowest: the losses of two epochs differ by less than that"
)
WORTH = Limit(
    0.05, "worth it", "of the loss of the best constant answer: less is lost than is worth a word"
)
CHANCE = Limit(
    2, "chance", "standard deviations of an accuracy by chance: 0.22 of 20 rows, 0.03 of a thousand"
)
SPACED = 1.2  # epochs are looked at in this ratio, so that a long run costs no more than a short


@dataclass(frozen=True)
class Look:
    """The losses at the end of an epoch, in evaluation mode; ``accuracy`` where there is one."""

    event: int
    epoch: int
    training: float
    aside: float
    accuracy: float | None


class Overfitting(Detector):
    """The loss of the rows set aside rises while that of the others falls."""

    card = Card(
        name="overfitting",
        title="The network memorizes: the validation loss rises",
        looks="With [data] validation: the loss of the rows set aside and of those trained on, "
        "in evaluation mode, at the ends of some epochs.",
        levels="serious: the validation loss ends above that of the best constant answer, which "
        "knows nothing, and its accuracy, if there is one, is no higher than by chance; warning: "
        "the loss ends a fifth above its lowest",
        cause="the network fits the rows it is trained on one by one: it has more freedom than "
        "the data have to say",
        remedy="stop at the epoch of the lowest validation loss; more data, fewer units, dropout, "
        "weight decay",
        certainty=Certainty.LIKELY,
        limits=(RISEN, WORTH, CHANCE),
    )
    phases = frozenset(Phase)

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.aside = program.data.validation
        self.watching = self.aside is not None
        self.looks: list[Look] = []
        self.last: tuple[int, int, dict[str, Array]] | None = None
        self.final: Look | None = None
        self.names = [info.name for info in program.parameters]

    def gap(self) -> None:
        self.looks.clear()
        self.last = None

    def see(self, event: Event, tensors: Tensors) -> None:
        if self.aside is None or event.op.index != len(self.program.ops) - 1:
            return
        epoch, rest = divmod(event.position.iteration, self.program.batches.count)
        if rest:
            return
        self.last = event.index, epoch, {name: tensors[name] for name in self.names}
        if not self.looks or epoch >= self.looks[-1].epoch * SPACED:
            self.looks.append(self.look(*self.last))

    def look(self, event: int, epoch: int, parameters: dict[str, Array]) -> Look:
        """Both losses with these parameters."""
        there = evaluate(self.program, parameters, data=self.aside)
        here = evaluate(self.program, parameters)
        return Look(event, epoch, here["loss"], there["loss"], there.get("accuracy"))

    def ended(self) -> list[Look]:
        """All looks, with one at the end of the last whole epoch."""
        if self.last is None or not self.looks or self.last[0] == self.looks[-1].event:
            return self.looks
        if self.final is None or self.final.event != self.last[0]:
            self.final = self.look(*self.last)
        return [*self.looks, self.final]

    def found(self) -> Iterator[Found]:
        looks = [one for one in self.ended() if math.isfinite(one.aside)]
        if self.aside is None or len(looks) < 2:
            return
        best, last = min(looks, key=lambda one: one.aside), looks[-1]
        plain, blind = self.plain()
        fell = last.training < best.training  # where both rise, it is no memory
        risen = last.aside > RISEN * best.aside > 0
        if not fell or not risen or last.aside - best.aside < WORTH * (plain or 0.0):
            return
        worse = plain is not None and last.aside > plain
        if last.accuracy is not None and blind is not None:
            worse = worse and last.accuracy <= blind  # sure of some wrong answers, and mostly right
        accuracy = "" if last.accuracy is None else f", accuracy {number(100 * last.accuracy)} %"
        than = f"; the best constant answer has {number(plain)}" if plain is not None else ""
        yield Found(
            next(one.event for one in looks if one.epoch > best.epoch),
            "validation",
            f"on {len(self.aside)} rows set aside the loss was {number(best.aside)} after epoch "
            f"{best.epoch} and is {number(last.aside)} after {last.epoch}{accuracy}, on those "
            f"trained on {number(last.training)}{than}",
            Severity.SERIOUS if worse else Severity.WARNING,
            numbers={
                "lowest": best.aside,
                "epoch": best.epoch,
                "validation": last.aside,
                "training": last.training,
                "constant": plain,
            },
        )

    def plain(self) -> tuple[float | None, float | None]:
        """Loss and accuracy, on the rows set aside, of the best constant answer for the others.

        The accuracy is as high as it may be by chance.
        """
        assert self.aside is not None
        network, y = self.program.network, self.aside.y
        best = facts.constant_answer(self.program, self.program.data.y)
        if best is None:
            return None, None
        value = facts.value_of(network.loss, best, y)
        right = correct(self.program, np.broadcast_to(best, (len(y), len(best))), y)
        if right is None:
            return value if math.isfinite(value) else None, None
        blind = float(right.mean())
        chance = CHANCE * math.sqrt(max(blind * (1 - blind), 1 / right.size) / right.size)
        return value if math.isfinite(value) else None, blind + chance
