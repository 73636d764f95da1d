"""Mistakes in the loop of a captured script: what is zeroed, stepped, clipped and skipped."""

from collections.abc import Iterator

from engine.capture.captured import CapturedRun
from engine.diagnostics.capture_detector import Seen
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.run.phases import Phase

ALWAYS = Limit(0.99, "always", "now and then is what clipping is for")
MANY = Limit(10, "many", "fewer updates tell little")
MOST_TOLD = 500  # characters of what was raised
IN_A_ROW = Limit(5, "in a row", "a loss scale that adapts skips one or two")


class ForgottenZeroGrad:
    """Gradients that were stepped with and are added to all the same."""

    card = Card(
        name="accumulated-gradients",
        title="gradients pile up: they are not zeroed between updates",
        looks="an update with a gradient that an update before has used already, and to which "
        "backward has added since. Passes between two updates are accumulation on purpose.",
        levels="serious",
        cause="optimizer.zero_grad() is missing, or comes before backward of the pass before",
        remedy="call optimizer.zero_grad() once for each optimizer.step()",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.gradients = {gradient: name for name, gradient in run.gradients.items()}
        self.of = run.gradients
        self.used: set[str] = set()
        self.added: dict[str, int] = {}
        self.first: dict[str, int] = {}
        self.times: dict[str, int] = {}

    def see(self, seen: Seen) -> None:
        """Note what an update uses, what is zeroed, and what is added to."""
        op = seen.op
        if op.phase == Phase.UPDATE:
            for name in [self.of[name] for name in op.writes if name in self.of]:
                self.used.add(name)
                if name in self.added:
                    self.first.setdefault(name, self.added.pop(name))
                    self.times[name] = self.times.get(name, 0) + 1
            return
        for name in op.writes:
            if op.phase == Phase.ZERO_GRAD or (op.phase == Phase.BACKWARD and not op.adds):
                self.used.discard(name)
                # One that is zeroed before it is stepped with did no harm: a GAN's discriminator.
                self.added.pop(name, None)
            elif op.phase == Phase.BACKWARD and name in self.used:
                self.added.setdefault(name, seen.event)

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first:
            name = min(self.first, key=lambda one: self.first[one])
            most = max(self.times.values())
            told = f"{len(self.first)} gradients are added to what an update has used already, "
            yield Found(
                self.first[name],
                self.gradients.get(name, name),
                f"{told}{most} times; the first is {name}",
                numbers={"gradients": len(self.first), "times": most},
            )


class NeverStepped:
    """Trained parameters that no optimizer moves."""

    card = Card(
        name="never-stepped",
        title="a parameter gets a gradient, and no optimizer steps it",
        looks="parameters that backward makes a gradient of, and that no update writes while "
        "others are updated",
        levels="serious",
        certainty=Certainty.LIKELY,
        cause="the optimizer was given other parameters: before the module was made or replaced, "
        "or only those of a part of the model",
        remedy="give the optimizer the parameters of the whole model, once it is complete; freeze "
        "with requires_grad_(False) what shall not be trained",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.made: dict[str, int] = {}
        self.moved: set[str] = set()
        self.updates = 0
        self.roles = {one.name: one for one in run.tensors.values() if one.role == "parameter"}
        self.gradients = {gradient: name for name, gradient in run.gradients.items()}

    def see(self, seen: Seen) -> None:
        """Note gradients that are made, and parameters that move."""
        if seen.op.phase == Phase.BACKWARD:
            for name in seen.op.writes:
                of = self.gradients.get(name)
                if of in self.roles:
                    self.made.setdefault(of, seen.event)
        elif seen.op.phase == Phase.UPDATE:
            self.updates += 1
            self.moved.update(seen.op.writes)

    def found(self) -> Iterator[Found]:
        """One finding for each parameter."""
        if not self.moved.intersection(self.roles):
            return
        for name, event in self.made.items():
            if name not in self.moved:
                yield Found(event, name, f"{name} has a gradient and is never updated")


class NeverMoves:
    """Parameters whose updates leave them as they are."""

    card = Card(
        name="never-moves",
        title="updates leave a parameter as it is",
        looks="a parameter with the same bits after each of its updates",
        levels="serious",
        certainty=Certainty.LIKELY,
        cause="its lr is 0, its gradient is 0, or the step is smaller than the last digit",
        remedy="look at its gradient and at lr at the update; in float16 or bfloat16 keep float32 "
        "copies of the parameters",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.last: dict[str, bytes] = {}
        self.updates: dict[str, int] = {}
        self.moved: set[str] = set()
        self.first: dict[str, int] = {}

    def see(self, seen: Seen) -> None:
        """Compare the parameter with what it was after the update before."""
        if seen.op.phase != Phase.UPDATE:
            return
        for tensor, told in seen.values():
            mark = told.digest or told.fingerprint
            if tensor.role != "parameter" or not mark:
                continue
            name = tensor.name
            self.updates[name] = self.updates.get(name, 0) + 1
            self.first.setdefault(name, seen.event)
            if name in self.last and self.last[name] != mark:
                self.moved.add(name)
            self.last[name] = mark

    def found(self) -> Iterator[Found]:
        """One finding for each parameter, after some updates."""
        for name, times in self.updates.items():
            if times >= MANY and name not in self.moved:
                told = f"the same bits after each of {times} updates"
                yield Found(self.first[name], name, told, numbers={"updates": times})


class EvalWhileTraining:
    """Layers in evaluation mode in iterations that update."""

    card = Card(
        name="eval-while-training",
        title="the model is in eval() while it is trained",
        looks="iterations with an update whose dropout or batch norm ran as in evaluation",
        levels="serious where no such layer ever trained; else a warning",
        certainty=Certainty.LIKELY,
        cause="model.eval() after the validation was not followed by model.train()",
        remedy="call model.train() at the beginning of each epoch of training",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.pending: tuple[int, str] | None = None
        self.trained_now = False
        self.iteration = -1
        self.first: tuple[int, str] | None = None
        self.evaluated = self.trained = 0

    def see(self, seen: Seen) -> None:
        """Note in which mode layers ran before an update."""
        if seen.iteration != self.iteration:
            self.iteration, self.pending, self.trained_now = seen.iteration, None, False
        op = seen.op
        mode = seen.attributes.get("train", seen.attributes.get("training"))
        if op.phase in (Phase.FORWARD, Phase.LOSS) and isinstance(mode, bool):
            if mode:
                self.trained_now = True
            elif self.pending is None:
                self.pending = seen.event, op.formula
        elif op.phase == Phase.UPDATE:
            self.trained += self.trained_now
            if self.pending is not None and not self.trained_now:
                self.evaluated += 1
                self.first = self.first or self.pending
            self.pending, self.trained_now = None, False

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first is not None:
            event, formula = self.first
            severity = Severity.WARNING if self.trained else Severity.SERIOUS
            told = f"{self.evaluated} updates follow on a pass in evaluation mode: {formula}"
            yield Found(event, "", told, severity, numbers={"updates": self.evaluated})


class BatchNormOfOne:
    """Batch statistics of a single value a channel."""

    card = Card(
        name="batch-norm-of-one",
        title="batch norm of a batch of one",
        looks="batch norm in training with a single value for each channel",
        levels="serious",
        cause="a batch with one row: its variance is 0, and the output is the bias alone",
        remedy="a larger batch; drop_last=True where it is the last one; or another normalization",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.first: tuple[int, str] | None = None
        self.times = 0

    def see(self, seen: Seen) -> None:
        """Look at the shape of what batch norm writes: (rows, channels, …)."""
        if seen.op.kind != "batch_norm" or seen.attributes.get("training") is not True:
            return
        shape = next((tensor.shape for tensor in seen.tensors if tensor.role == "activation"), None)
        if shape is not None and len(shape) > 1 and shape[0] == 1 and set(shape[2:]) <= {1}:
            self.times += 1
            self.first = self.first or (seen.event, seen.op.layer or seen.op.name)

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first is not None:
            told = f"one value a channel, {self.times} times"
            yield Found(*self.first, told, numbers={"times": self.times})


class AlwaysClipped:
    """Gradients that are clipped at every step."""

    card = Card(
        name="always-clipped",
        title="gradients are clipped at every step",
        looks="clip_grad_norm_ whose norm is above its limit in nearly every update",
        levels="warning",
        cause="the limit is below what the gradients always are: it is a second learning rate",
        remedy="raise the limit to what the norm is as a rule, or lower lr instead",
        limits=(ALWAYS, MANY),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.first: int | None = None
        self.clipped = self.asked = 0
        self.numbers: list[float] = []

    def see(self, seen: Seen) -> None:
        """Compare the norm with its limit."""
        norm, limit = seen.facts.get("norm"), seen.facts.get("limit")
        if isinstance(norm, float | int) and isinstance(limit, float | int):
            self.asked += 1
            self.clipped += norm > limit
            self.numbers.append(norm / limit if limit else 0.0)
            if self.first is None and norm > limit:
                self.first = seen.event

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first is not None and self.asked >= MANY and self.clipped >= ALWAYS * self.asked:
            middle = sorted(self.numbers)[len(self.numbers) // 2]
            told = f"{self.clipped} of {self.asked} times; the norm is {middle:.3g} times the limit"
            yield Found(self.first, "", told, Severity.WARNING, numbers={"times": self.clipped})


class SkippedSteps:
    """Updates that a gradient scaler leaves out one after the other."""

    card = Card(
        name="skipped-steps",
        title="updates are skipped again and again",
        looks="updates that GradScaler leaves out for infinite gradients, several in a row",
        levels="serious",
        cause="the loss or a gradient overflows float16 whatever the scale: something is wrong "
        "with the numbers themselves",
        remedy="look at the first gradient that is not finite; train in bfloat16 or float32",
        limits=(IN_A_ROW,),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.row = self.most = 0
        self.first: int | None = None
        self.start: int | None = None

    def see(self, seen: Seen) -> None:
        """Count updates that were skipped, in a row."""
        if seen.op.phase != Phase.UPDATE:
            return
        if "reason" in seen.facts and not seen.op.writes:
            self.start = seen.event if not self.row else self.start
            self.row += 1
            if self.row > self.most:
                self.most, self.first = self.row, self.start
        elif seen.op.writes:
            self.row = 0

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first is not None and self.most >= IN_A_ROW:
            told = f"{self.most} updates in a row"
            yield Found(self.first, "", told, numbers={"in_a_row": self.most})


class SchedulerFirst:
    """A scheduler of the learning rate that is stepped before its optimizer ever was."""

    card = Card(
        name="scheduler-first",
        title="the scheduler is stepped before the optimizer",
        looks="a scheduler that was stepped before the first step of its optimizer, as PyTorch's "
        "own warning has it",
        levels="warning",
        cause="scheduler.step() stands before optimizer.step() in the loop: the first value of the "
        "schedule is skipped",
        remedy="call optimizer.step() first, then scheduler.step()",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.first: tuple[int, float | None] | None = None

    def see(self, seen: Seen) -> None:
        """Look at what is told of the first step."""
        if self.first is None and seen.facts.get("scheduler_first") is True:
            rate = seen.facts.get("lr")
            self.first = seen.event, rate if isinstance(rate, float) else None

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first is not None:
            event, rate = self.first
            told = "" if rate is None else f", at a learning rate of {rate:g}"
            said = f"the first update comes after a step of the scheduler{told}"
            yield Found(event, "", said, Severity.WARNING)


class Raised:
    """An op that ended the script with an exception."""

    card = Card(
        name="raised",
        title="the script ended with an exception",
        looks="the last op, where it raised and nothing came after",
        levels="serious",
        cause="what the exception says; the shapes of the operands stand beside the op",
        remedy="go to the op: its operands are there to be seen",
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.last: Seen | None = None

    def see(self, seen: Seen) -> None:
        """Note what was raised."""
        if "raised" in seen.facts:
            self.last = seen

    def found(self) -> Iterator[Found]:
        """One finding, where it was the end."""
        if self.last is None or self.run.failed is None or self.last.event != self.run.failed[0]:
            return
        op, facts = self.last.op, self.last.facts
        where = f" at {op.file}:{op.line}" if op.file else ""
        told = f"{op.formula}{where} raised {facts['raised']}: {facts.get('text', '')}"
        yield Found(self.last.event, op.name, told[:MOST_TOLD])
