"""What the accounts of the steps say: the wrong way, a factor that eats them, weight decay."""

from collections.abc import Iterator

from engine.diagnostics.detector import Detector, number
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.ledger import FACTORS, Ledger, middle
from engine.optim.optimizers import SGD
from engine.run.phases import Phase

EATEN = Limit(
    0.01,
    "eaten",
    "one of the factors leaves a hundredth of the step that there would be without it",
)
TIRED = Limit(
    1e-3,
    "schedule over",
    "of the first learning rate, for half of the run or more: nothing moves in all that time",
)
CRAWLING = Limit(
    1e-4, "crawling", "‖Δθ‖ / ‖θ‖: a tenth of the healthy 1e-3; a larger step needs no more length"
)
LEFT = Limit(
    0.05, "gradient left", "of the first gradient: where less is left, the loss has little to lose"
)
AS_STRONG = Limit(0.5, "as strong", "the decay pulls at least half as hard as the gradient")
OVERWRITTEN = Limit(
    1.0, "overwritten", "a step as long as the parameters leaves nothing of what they were"
)
FEW = 3


class Ascent(Detector):
    """Steps that go up the loss."""

    card = Card(
        name="ascent",
        title="The steps go up the loss, not down",
        looks="maximize, the sign of the scale of the loss, and with momentum a dampening above "
        "1, which turns the gradient round. Two of them cancel.",
        levels="serious",
        cause="the sign of the step is wrong",
        remedy="take one sign out",
    )

    def found(self) -> Iterator[Found]:
        turns = dict(self.turns())
        names = {info.name for info in self.program.parameters}
        updates = (op for op in self.program.ops if op.phase == Phase.UPDATE and op.name in names)
        event = next((op.index for op in updates), None)
        if len(turns) % 2 == 0 or event is None:
            return
        subject = next(iter(turns))
        yield Found(
            event,
            subject,
            f"{', '.join(turns.values())}: each step moves the parameters along +∂ℓ/∂θ, where the "
            "loss is larger; no rate is right for that",
            cause=f"gradient ascent: {', '.join(turns.values())}",
            remedy={
                "optimizer.maximize": "maximize = false",
                "loss.scale": "a scale above 0",
                "optimizer.dampening": "dampening = 0",
            }[subject],
            numbers={"signs": len(turns)},
        )

    def turns(self) -> Iterator[tuple[str, str]]:
        """What turns the sign of the step, each with its words."""
        optimizer, scale = self.program.optimizer, self.program.network.loss.scale
        if getattr(optimizer, "maximize", False):
            yield "optimizer.maximize", "maximize = true"
        if scale < 0:
            yield "loss.scale", f"the loss has scale = {scale:g}, a wrong sign"
        if isinstance(optimizer, SGD) and optimizer.momentum and optimizer.dampening > 1:
            yield "optimizer.dampening", f"dampening = {optimizer.dampening:g} is above 1, its sign"


class StepFactor(Ledger):
    """A factor of the step that leaves next to nothing of it."""

    card = Card(
        name="step-factor",
        title="A single factor decides the size of the step",
        looks="The account of the step, ‖Δθ‖ = ‖g‖ × clipping × η(t)/η₀ × η₀ × what the rule makes "
        "of it, in some iterations of each doubling of their number: what each factor leaves is "
        "found by taking the same step without it.",
        levels="warning: what is left is small beside the parameters, and there is gradient left; "
        "note: otherwise; as much as what it explains; serious: momentum of 1 or more",
        cause="the gradient is there, and the factor takes it away",
        remedy="change the factor, not the learning rate",
        limits=(EATEN, TIRED, CRAWLING, LEFT),
    )

    def found(self) -> Iterator[Found]:
        late = self.late
        if len(self.steps) < FEW or not late:
            return
        momentum = self.program.optimizer.hyper.get("momentum", 0.0)
        if momentum >= 1:
            yield self.endless(momentum)
        for factor in self.asked:
            part = middle([one.factors[factor] for one in late])
            if part < EATEN:
                yield self.eaten(factor, part)
                break  # those behind it see what it has left
        if middle([one.schedule for one in late]) < TIRED:
            yield self.tired()
        elif (told := self.again()) is not None:
            yield told

    def severity(self) -> Severity:
        """How much it matters that the steps are short."""
        small = middle([one.ratio for one in self.late]) < CRAWLING
        return Severity.WARNING if small and self.left >= LEFT else Severity.NOTE

    def eaten(self, factor: str, part: float) -> Found:
        """The finding about a factor."""
        subject, what, mend = FACTORS[factor]
        first = next(one for one in self.steps if one.factors[factor] < EATEN)
        return Found(
            first.event,
            subject,
            f"{what} leaves {number(part)} of each step: {self.words()}",
            self.severity(),
            cause=f"{what} eats the step: {self.value(factor)}",
            remedy=mend,
            numbers={"factor": part, "ratio": middle([one.ratio for one in self.late])},
        )

    def value(self, factor: str) -> str:
        """The setting behind a factor in words."""
        if factor == "scale":
            return f"scale = {self.program.network.loss.scale:g}"
        if factor != "clip":
            name = FACTORS[factor][0].removeprefix("optimizer.")
            return f"{name} = {getattr(self.program.optimizer, name):g}"
        clip = self.program.experiment.clip
        assert clip is not None
        return f"value = {clip.value:g}" if clip.norm is None else f"norm = {clip.norm:g}"

    def tired(self) -> Found:
        """The finding about a schedule that has ended long before the run."""
        spec = self.program.experiment.schedule
        part = middle([one.schedule for one in self.late])
        assert spec is not None
        first = next(one for one in self.steps if one.schedule < TIRED)
        each, batches = spec.every, self.program.batches.count
        mend = "a slower decay: the rate belongs to the whole run"
        if each == "iteration" and batches > 1:
            mend = f'every = "epoch" in [schedule]: an epoch has {batches} iterations'
        elif spec.type == "linear_warmup":
            mend = "fewer iterations of warm-up"
        return Found(
            first.event,
            "optimizer.lr",
            f"in iteration {first.iteration} of {self.steps[-1].iteration} the {spec.type} "
            f"schedule has left {number(first.schedule)} of the learning rate: {self.words()}",
            Severity.WARNING if self.left >= LEFT else Severity.NOTE,
            cause=f"the schedule, {spec.type} every {each}, has taken the rate away",
            remedy=mend,
            numbers={"iteration": first.iteration, "schedule": part},
        )

    def again(self) -> Found | None:
        """The finding about a cosine that is counted in iterations and meant in epochs."""
        spec, count = self.program.experiment.schedule, self.program.batches.count
        if spec is None or spec.type != "cosine" or spec.every != "iteration" or count == 1:
            return None
        t_max = getattr(spec, "t_max", 0)
        if t_max > self.program.experiment.training.epochs or self.steps[-1].iteration <= t_max:
            return None
        event = next(s.event for s in self.steps if s.iteration > t_max)
        return Found(
            event,
            "optimizer.lr",
            f"the cosine is at its end after {t_max} iterations, of {count} in an epoch, and goes "
            "up again",
            Severity.WARNING,
            Certainty.LIKELY,
            cause="the schedule counts iterations, and t_max is a number of epochs",
            remedy='every = "epoch" in [schedule], or t_max in iterations',
            numbers={"t_max": t_max},
        )

    def endless(self, momentum: float) -> Found:
        """The finding about a velocity that never slows down."""
        return Found(
            self.steps[0].event,
            "optimizer.momentum",
            f"momentum = {momentum:g}: the velocity is the sum of all gradients, and never fades",
            Severity.SERIOUS,
            cause="momentum of 1 or more has no friction",
            remedy="momentum = 0.9",
            numbers={"momentum": momentum},
        )


class OversizedSteps(Ledger):
    """A rule that divides by the size of the gradient, with a rate for one that does not."""

    card = Card(
        name="oversized-steps",
        title="The first step is longer than the parameters",
        looks="‖Δθ‖ / ‖θ‖ of the first step of adam, adamw, adagrad or rmsprop.",
        levels="warning; as much as what it explains",
        cause="the rule divides by the size of the gradient, so that every element moves by about "
        "the learning rate, however flat the loss is",
        remedy="a learning rate of 1e-3 to 1e-2",
        limits=(OVERWRITTEN,),
    )

    def found(self) -> Iterator[Found]:
        if not self.steps or not self.program.optimizer.normalizes:
            return
        kind, rate = self.program.optimizer.type, self.program.optimizer.hyper["lr"]
        first = self.steps[0]
        ratio = first.ratio
        if ratio < OVERWRITTEN:
            return
        yield Found(
            first.event,
            "optimizer.lr",
            f"{kind} at {rate:g}: the first step is {number(ratio)} times as long as the "
            f"parameters, whose gradient is {number(first.gradient)}; what was drawn for them is "
            "overwritten",
            Severity.WARNING,
            cause=f"{kind} divides by the size of the gradient: every element moves by about "
            f"{rate:g} in each step",
            numbers={"ratio": ratio, "lr": rate},
        )


class WeightDecay(Ledger):
    """Weight decay that holds the weights where the loss is high."""

    card = Card(
        name="weight-decay",
        title="Weight decay outweighs the gradient",
        looks="The pull of weight decay, λ‖θ‖ (for adamw what it moves), beside the gradient in "
        "the second half of the run; and how much gradient is left there.",
        levels="warning; as much as what it explains",
        cause="weight decay pulls all parameters to 0, and the gradient cannot hold against it",
        remedy="weight_decay a hundred times smaller; 1e-4 to 1e-2 is usual",
        limits=(AS_STRONG, LEFT),
    )

    def found(self) -> Iterator[Found]:
        late = self.late
        if len(self.steps) < FEW or not late or self.left < LEFT:
            return
        pull = middle([one.decay for one in late])
        if pull < AS_STRONG:
            return
        first, last = self.steps[0], self.steps[-1]
        amount = max(rule.hyper.get("weight_decay", 0.0) for rule, _ in self.rules.values())
        yield Found(
            next(one.event for one in self.steps if one.decay >= AS_STRONG),
            "optimizer.weight_decay",
            f"weight_decay = {amount:g} pulls {number(pull)} times as hard as the gradient, of "
            f"which {number(100 * self.left)} % is left; ‖θ‖ has gone from "
            f"{number(first.weights)} to {number(last.weights)}",
            Severity.WARNING,
            Certainty.LIKELY,
            numbers={"pull": pull, "left": self.left, "weights": last.weights},
        )
