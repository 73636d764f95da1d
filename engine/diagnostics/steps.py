"""The step size against the curvature and the reduction of the loss."""

from collections.abc import Iterator
from functools import cached_property

from engine.arrays import Array
from engine.diagnostics.curvature import StableRate, largest_stable_rate
from engine.diagnostics.detector import Detector, Needs, Tensors, number
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.program.program import Program
from engine.run.phases import Phase

MANY_ROWS = Limit(
    16, "many rows", "below, a factor of N is within what one tries as learning rates anyway"
)


def first_update(program: Program) -> int | None:
    """The event of the first update of a parameter."""
    names = {info.name for info in program.parameters}
    updates = (op for op in program.ops if op.phase == Phase.UPDATE and op.name in names)
    return next((op.index for op in updates), None)


class LearningRate(Detector):
    """A learning rate above the largest stable one, whatever the loss does."""

    card = Card(
        name="learning-rate",
        title="The learning rate is above the largest stable one",
        looks="The largest eigenvalue λ of the Hessian of the first batch's loss at the initial "
        "parameters, by power iteration on Hessian-vector products, each a difference of two "
        "gradients in float64. Plain gradient descent settles for rates below 2/λ, with momentum "
        "β below 2(1 + β)/λ. Only for sgd, and only by the command.",
        levels="note: training above the limit often works, at the edge of stability; the rising "
        "loss is a finding of its own and quotes this estimate",
        cause="in the direction of the largest curvature each step overshoots by more than it "
        "gains",
        remedy="a learning rate below the limit",
        certainty=Certainty.POSSIBLE,
    )

    def begin(self, tensors: Tensors, event: int) -> None:
        infos = self.program.tensors.values()
        constant = [i.name for i in infos if i.role in ("parameter", "constant", "buffer")]
        names = [*self.program.entering, *constant]
        self.start: dict[str, Array] = {name: tensors[name] for name in names}

    @cached_property
    def stable(self) -> StableRate | None:
        """The estimate at the start, made once."""
        return largest_stable_rate(self.program, self.start)

    @property
    def rate(self) -> float:
        """The learning rate of the optimizer's declaration; 0 where it has none."""
        return float(self.program.optimizer.hyper.get("lr", 0))

    def found(self) -> Iterator[Found]:
        event, stable = first_update(self.program), self.stable
        if event is None or stable is None or not self.rate > stable.rate:
            return
        yield Found(
            event,
            "optimizer.lr",
            f"{self.rate:g} is {number(self.rate / stable.rate)} times {estimate(stable)}",
            Severity.NOTE,
            remedy=f"a learning rate below {number(stable.rate)}",
            numbers={
                "lr": self.rate,
                "largest_stable": stable.rate,
                "eigenvalue": stable.eigenvalue,
                "products": stable.products,
            },
        )


def estimate(stable: StableRate) -> str:
    """The estimate as the end of a sentence."""
    sure = "" if stable.converged else ", not converged"
    return (
        f"the largest stable learning rate at the start, {number(stable.rate)} "
        f"(λ = {number(stable.eigenvalue)} by power iteration, {stable.products} products{sure})"
    )


class SummedLoss(Detector):
    """A loss that is summed over the rows, so that the step grows with the batch."""

    needs = Needs.ROWS
    card = Card(
        name="summed-loss",
        title="The step grows with the batch",
        looks="reduction = sum with more than one row in a batch. The gradient is N times that of "
        "the mean over the rows, and so is the step.",
        levels="note; serious: the loss rises, and a learning rate divided by N, the rows of a "
        "batch of sixteen or more, would be stable where the chosen one is not",
        cause="the gradients of all rows are added up, not averaged",
        remedy='reduction = "batch_mean" (or mean), or a learning rate divided by N',
        limits=(MANY_ROWS,),
        example="bug-summed-loss",
    )

    def found(self) -> Iterator[Found]:
        event, loss = first_update(self.program), self.program.network.loss
        rows = self.program.tensors["x"].shape[0]
        if event is None or loss.reduction != "sum" or rows < 2:
            return
        last = self.program.batches.rows % self.program.batches.size
        uneven = f"; the last batch of an epoch has {last}" if last and not self.dropped else ""
        yield Found(
            event,
            "loss",
            f"reduction = sum over {rows} rows: each step is {rows} times that of the mean{uneven}",
            Severity.NOTE,
            numbers={"rows": rows},
        )

    @property
    def dropped(self) -> bool:
        """Whether a last, smaller batch is left out."""
        return self.program.batches.drop_last
