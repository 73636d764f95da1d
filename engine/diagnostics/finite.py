"""Numbers that are not finite: the first NaN or infinity, and the logarithm of zero."""

from collections.abc import Iterator

import numpy as np

from engine.arrays import Array
from engine.diagnostics.detector import Detector, Needs, Tensors, number, plural
from engine.diagnostics.diagnosis import NOT_FINITE, Card, Found, Number, Severity
from engine.functions.losses.bce import LOG_FLOOR
from engine.program.program import Program
from engine.run.event import Event
from engine.run.phases import Phase

MOST_OPERANDS = 4
DATA = ("x", "y")
REPAIR = "repair or leave out the rows with missing values"


class NonFinite(Detector):
    """The first op that makes a NaN or an infinity."""

    card = Card(
        name=NOT_FINITE,
        title="NaN or infinity",
        looks="Each batch when it is loaded, each edit, and everything that an op writes. The "
        "first op with a result that is not finite is named, with the range of each operand; "
        "before there is one, the tensor that entered with a NaN or an infinity.",
        levels="serious",
        cause="a number left the range of the dtype: overflow, 0/0, ∞ − ∞ or the logarithm of a "
        "negative number",
        remedy="go to this event and look at the operands; a smaller learning rate if they grew "
        "from iteration to iteration",
        example="bug-missing-value",
    )
    phases = frozenset(Phase)

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.first: Found | None = None
        self.given: Found | None = None

    def enter(self, event: int, given: Tensors) -> None:
        if self.first is not None or self.given is not None:
            return
        for name, value in given.items():
            if not finite(value):
                self.given = entered(event, name, value)
                return

    def see(self, event: Event, tensors: Tensors) -> None:
        if self.first is not None:
            return
        for name, value in zip(event.op.writes, event.after, strict=False):
            if not np.isfinite(value).all():
                self.first = self.verdict(event, name, value, tensors)
                return

    def verdict(self, event: Event, name: str, value: Array, tensors: Tensors) -> Found:
        """The finding about an op: what of its result is not finite, and the range of its reads."""
        # The operands as the op read them: what it wrote itself is taken back.
        given = dict(tensors)
        given.update(zip(event.op.writes, event.before, strict=False))  # type: ignore[arg-type]
        operands = {read: given.get(read) for read in event.op.reads}
        bad = [read for read, array in operands.items() if array is not None and not finite(array)]
        said = "; ".join(
            f"{read} {span(array)}" for read, array in list(operands.items())[:MOST_OPERANDS]
        )
        culprit = bad[0] if bad else ""
        return Found(
            event.index,
            name,
            f"{lost_in(value)} from {said}",
            cause=f"{culprit} is not finite itself" if culprit else "",
            remedy=REPAIR if culprit in DATA else "",
            numbers=counts(value),
        )

    def found(self) -> Iterator[Found]:
        told = self.first or self.given
        if told is not None:
            yield told


def entered(event: int, name: str, value: Array) -> Found:
    """The finding about a batch or an edit, with the index of its first NaN or infinity."""
    place = ", ".join(str(i) for i in np.argwhere(~np.isfinite(value))[0])
    where = f"{name}[{place}]" if place else name
    data = name in DATA
    return Found(
        event,
        name,
        f"{lost_in(value)} in {'the batch' if data else 'the edit'}, the first at {where}",
        cause="the data has missing or infinite values" if data else f"{name} was set to it",
        remedy=REPAIR if data else "set it to a finite value, or go back to the branch before",
        numbers=counts(value),
        entered=True,
    )


def counts(value: Array) -> dict[str, Number]:
    """How many elements are NaN, how many infinite, of how many."""
    nans, infinities = int(np.isnan(value).sum()), int(np.isinf(value).sum())
    return {"nan": nans, "infinite": infinities, "elements": int(value.size)}


def lost_in(value: Array) -> str:
    """``3 NaN and 1 ±∞ of 16 elements``."""
    found = counts(value)
    kinds = ((found["nan"], "NaN"), (found["infinite"], "±∞"))
    what = " and ".join(f"{count} {kind}" for count, kind in kinds if count)
    return f"{what} of {plural(value.size, 'element')}"


def finite(array: Array) -> bool:
    """Whether every element is finite."""
    return bool(np.isfinite(array).all())


def span(array: Array | None) -> str:
    """The range of the finite elements, and how many are not, as text."""
    if array is None or not array.size:
        return "none"
    good = array[np.isfinite(array)]
    said = f"in {number(float(good.min()))} … {number(float(good.max()))}" if good.size else ""
    lost = array.size - good.size
    return " ".join(part for part in (said, f"with {lost} not finite" if lost else "") if part)


class LogOfZero(Detector):
    """Outputs of which the binary cross-entropy takes log(0)."""

    needs = Needs.ROWS
    card = Card(
        name="log-of-zero",
        title="The loss takes the logarithm of zero",
        looks="Under bce, outputs whose logarithm is cut off at −100, as PyTorch does it. The "
        "sigmoid before it has slope 0 there, so these samples teach nothing.",
        levels="serious",
        cause="ŷ is exactly 0 or 1 in floating point where the target says otherwise",
        remedy="leave the sigmoid out and use the loss bce_with_logits; scale the inputs",
        example="bug-log-zero",
    )
    phases = frozenset({Phase.LOSS})

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.first: tuple[int, int, int] | None = None
        self.most = 0
        self.watching = self.program.network.loss.type == "bce"

    def see(self, event: Event, tensors: Tensors) -> None:
        yhat = tensors.get(self.program.network.output)
        if yhat is None:
            return
        count = clamped(yhat, tensors["y"])
        self.most = max(self.most, count)
        if count and self.first is None:
            self.first = event.index, count, int(yhat.size)

    def found(self) -> Iterator[Found]:
        if self.first is None:
            return
        event, count, total = self.first
        yield Found(
            event,
            self.program.network.output,
            f"{plural(count, 'output')} of {total} exactly 0 or 1 on the wrong side: each counts "
            f"{-LOG_FLOOR:g} instead of ∞, and its gradient before the sigmoid is 0; at most "
            f"{self.most} in one batch so far",
            Severity.SERIOUS,
            numbers={"clamped": count, "outputs": total, "most": self.most},
        )


def clamped(yhat: Array, y: Array) -> int:
    """How many terms of the binary cross-entropy are cut off at the floor."""
    with np.errstate(all="ignore"):
        one = (np.log(yhat) < LOG_FLOOR) & (y > 0)
        zero = (np.log1p(-yhat) < LOG_FLOOR) & (y < 1)
    return int((one | zero).sum())
