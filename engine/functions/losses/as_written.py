"""The loss of a network whose lines make it themselves: nothing is known of it but its value."""

from dataclasses import dataclass

from engine.arrays import Array
from engine.errors import GradstepError
from engine.formulas.batch import Writing
from engine.formulas.tree import Formula, Number, Size
from engine.functions.losses.loss import Loss

SAID = "this network's loss is one of its lines: it is no function of ŷ and y alone"


@dataclass(frozen=True)
class AsWritten(Loss):
    """A loss that is a line; whatever asks for its terms is told so by a GradstepError."""

    type = "lines"
    torch = ""
    torch_function = ""

    def terms(self, yhat: Array, y: Array) -> Array:
        raise GradstepError(SAID)

    def slopes(self, yhat: Array, y: Array) -> Array:
        raise GradstepError(SAID)

    def target_slopes(self, yhat: Array, y: Array) -> Array:
        raise GradstepError(SAID)

    def counted(self, yhat: Array, y: Array) -> float:
        raise GradstepError(SAID)

    @property
    def count(self) -> Formula:
        return Number(1)

    def term(self, yhat: Formula, size: Size, by: Writing) -> Formula:
        raise GradstepError(SAID)

    def slope(self, yhat: Formula, size: Size, by: Writing) -> tuple[float, Formula]:
        raise GradstepError(SAID)
