"""A captured script as an experiment: its network, its optimizer with a schedule, its batches.

Only what the engine has to the letter is taken over. A multilayer perceptron becomes layers, any
other network lines, an equation for each op.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engine.arrays import Array
from engine.capture.as_layers import network, refuse
from engine.capture.as_lines import Written, lines_of
from engine.capture.batches import Batches, batches_of
from engine.capture.captured import CapturedRun
from engine.errors import GradstepError
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.op import Op
from engine.run.phases import Phase

OPTIMIZERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "SGD.step": ("sgd", ("lr", "momentum", "dampening", "nesterov", "weight_decay", "maximize")),
    "Adam.step": ("adam", ("lr", "betas", "eps", "weight_decay", "amsgrad", "maximize")),
    "AdamW.step": ("adamw", ("lr", "betas", "eps", "weight_decay", "amsgrad", "maximize")),
    "Adadelta.step": ("adadelta", ("lr", "rho", "eps", "weight_decay", "maximize")),
    "Adagrad.step": ("adagrad", ("lr", "lr_decay", "eps", "weight_decay", "maximize")),
    "RMSprop.step": (
        "rmsprop",
        ("lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize"),
    ),
}
OF_A_PARAMETER: Final = ("lr", "weight_decay")  # may differ between parameters
MOST_INLINE: Final = 2_000_000  # numbers in the text of an experiment
CLOSE: Final = 1e-9  # of rates that PyTorch makes by multiplying again and again


@dataclass
class Described:
    """An experiment as the tables of its file, without the ``arrays``: x, y and parameters."""

    raw: dict[str, Any]
    arrays: dict[str, Array] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lines: dict[str, str] = field(default_factory=dict)  # of parameters by PyTorch's names

    @property
    def numbers(self) -> int:
        """The numbers of all arrays."""
        return sum(array.size for array in self.arrays.values())

    def inline(self) -> dict[str, Any]:
        """The tables with all numbers in them."""
        parameters = {line: one | {"value": self.arrays[line].tolist()} for line, one in self.own()}
        data = {name: self.arrays[name].tolist() for name in self.data()} | self.raw["data"]
        return self.raw | {"data": data} | ({"parameters": parameters} if parameters else {})

    def beside(self, file: str) -> dict[str, Any]:
        """The tables where an NPZ file of this name has the arrays."""
        parameters = {line: one | {"file": f"{file}:{line}"} for line, one in self.own()}
        data = {"npz": file, "arrays": self.data()} | self.raw["data"]
        return self.raw | {"data": data} | ({"parameters": parameters} if parameters else {})

    def own(self) -> list[tuple[str, dict[str, Any]]]:
        """The parameters that are arrays, with what they have beside their values."""
        return [*self.raw.get("parameters", {}).items()]

    def data(self) -> list[str]:
        """Which of x and y there are."""
        return [name for name in ("x", "y") if name in self.arrays]


def described(run: CapturedRun) -> Described:
    """The experiment that a captured script is, as far as its batches were kept.

    Raises GradstepError, naming the op, where the engine has no such experiment.
    """
    phases = order_of(run)
    try:
        found = layered(run)
    except GradstepError:
        found = lined(run)
    made, names = found
    count = same_ops(run, min(run.timeline.iterations, len(run.stored.index)))
    steps = updates(run, count)
    batches = batches_of(run, names, len(steps))
    steps = steps[: batches.iterations]
    rule, own, schedule, last = optimizer_of(steps)
    if last < batches.iterations:
        batches = batches_of(run, names, last)
        made.notes.append(f"the learning rate changes after iteration {last} in its own way")
    put_own(made, run, own)
    made.raw |= {"optimizer": rule} | ({"schedule": schedule} if schedule else {})
    made.raw["training"] = {"epochs": batches.epochs} | phases
    clip = clip_of(run, batches.iterations)
    made.raw |= {"clip": clip} if clip else {}
    put_data(made, batches)
    total = run.timeline.iterations
    if batches.iterations < total:
        why = f": {batches.why}" if batches.why else ""
        made.notes.append(f"the first {batches.iterations} of {total} iterations{why}")
    return made


def experiment_of(run: CapturedRun) -> Program:
    """The program of the experiment that a captured script is, all numbers in it.

    Raises GradstepError where there is none, or it is too large for a text.
    """
    found = described(run)
    if found.numbers > MOST_INLINE:
        said = f"{found.numbers:,} numbers, more than {MOST_INLINE:,} for one text"
        raise GradstepError(f"{said}: -o FILE.toml puts them into a file beside it")
    return compile_program(read_experiment(found.inline(), run.name))


def layered(run: CapturedRun) -> tuple[Described, tuple[str, ...]]:
    """A multilayer perceptron as layers, and the names of its data."""
    found, tensors = network(run), run.stored.tensors
    x, y = tensors[found.x], tensors[found.y]
    raw: dict[str, Any] = {"name": name_of(run), "dtype": x.dtype, "data": {}}
    raw |= {"layers": found.layers, "loss": found.loss}
    return Described(raw), (x.name, y.name)


def lined(run: CapturedRun) -> tuple[Described, tuple[str, ...]]:
    """Any network as lines, and the names of its data."""
    found = lines_of(run)
    made = Described({"name": name_of(run), "dtype": dtype_of(run, found), "data": {}})
    values = run.source.initial()
    made.lines = found.parameters
    made.raw["parameters"] = {line: {} for line in found.parameters.values()}
    made.arrays |= {line: values[name] for name, line in found.parameters.items()}
    if found.constants:
        made.raw["constants"] = {name: one.tolist() for name, one in found.constants.items()}
    made.raw["network"] = {"lines": "".join(f"{line}\n" for line in found.lines)}
    made.raw["loss"] = {}
    return made, tuple(found.data)


def name_of(run: CapturedRun) -> str:
    """The name of the experiment."""
    return run.name.removesuffix(".py")


def dtype_of(run: CapturedRun, found: Written) -> str:
    """The dtype of all parameters."""
    kinds = {run.tensors[name].dtype for name in found.parameters}
    if len(kinds) != 1 or not kinds <= {"float32", "float64"}:
        raise refuse(None, f"its parameters are {', '.join(sorted(kinds)) or 'none'}")
    return kinds.pop()


def put_data(made: Described, batches: Batches) -> None:
    """Put the rows into the tables."""
    for name, array in zip(("x", "y"), batches.arrays, strict=False):
        made.arrays[name] = array
    made.raw["data"]["batch_size"] = batches.size


def same_ops(run: CapturedRun, count: int) -> int:
    """How many of the first iterations have the same ops in forward, the sizes of batches apart."""
    first = [signature(op) for op in run.timeline.listing(0).ops if is_forward(op)]
    for iteration in range(1, count):
        ops = run.timeline.listing(iteration).ops
        if [signature(op) for op in ops if is_forward(op)] != first:
            return iteration
    return count


def is_forward(op: Op) -> bool:
    """Whether an op makes something of the network."""
    return op.phase in (Phase.FORWARD, Phase.LOSS) and bool(op.writes)


def signature(op: Op) -> tuple[str, ...]:
    """What an op is, without sizes."""
    return (op.kind, *op.reads, "→", *op.writes)


# -- the optimizer

Steps = dict[str, dict[str, Any]]
"""By parameter, the numbers that it was stepped with, and the type of the rule."""


def updates(run: CapturedRun, count: int) -> list[Steps]:
    """The update of each of the first iterations; a GradstepError for one that no rule is."""
    found = []
    for iteration in range(count):
        facts, steps = run.stored.facts(iteration), Steps()
        for op in run.timeline.listing(iteration).ops:
            if op.phase != Phase.UPDATE or op.kind == "clip_grad_norm_":
                continue
            if op.kind not in OPTIMIZERS or not op.writes or op.writes[0] in steps:
                raise refuse(None, f"{op.kind} is no optimizer of the engine's, or it steps twice")
            kind, names = OPTIMIZERS[op.kind]
            told = facts.get(op.index, {})
            steps[op.writes[0]] = {"type": kind} | {n: told[n] for n in names if n in told}
        if not steps:
            raise refuse(None, f"no optimizer steps in iteration {iteration + 1}")
        found.append(steps)
    return found


def optimizer_of(
    steps: Sequence[Steps],
) -> tuple[dict[str, Any], dict[str, dict[str, Any]], dict[str, Any], int]:
    """The rule, what single parameters have of their own, the schedule, and up to where it holds.

    Raises GradstepError where other numbers than the rates change.
    """
    first = steps[0]
    rule = dict(next(iter(first.values())))
    own: dict[str, dict[str, Any]] = {}
    for name, numbers in first.items():
        if {k: v for k, v in numbers.items() if k not in OF_A_PARAMETER} != {
            k: v for k, v in rule.items() if k not in OF_A_PARAMETER
        }:
            raise refuse(None, "its optimizer has other numbers for some parameters")
        more = {k: numbers[k] for k in OF_A_PARAMETER if numbers.get(k) != rule.get(k)}
        if more:
            own[name] = more
    factors: list[float] = []
    for now in steps:
        ratios = {rate(now[name]) / rate(first[name]) for name in first if name in now}
        fixed = {n: {k: v for k, v in one.items() if k != "lr"} for n, one in now.items()}
        then = {n: {k: v for k, v in one.items() if k != "lr"} for n, one in first.items()}
        if fixed != then or max(ratios) - min(ratios) > CLOSE:
            raise refuse(None, "the numbers of its optimizer change, or differ by parameter")
        factors.append(max(ratios))
    schedule, last = schedule_of(factors)
    return rule, own, schedule, last


def rate(numbers: Mapping[str, Any]) -> float:
    """The learning rate of an update; a GradstepError where it is none."""
    found = numbers.get("lr")
    if isinstance(found, bool) or not isinstance(found, int | float) or not found > 0:
        raise refuse(None, "an update has no learning rate above 0")
    return float(found)


def schedule_of(factors: Sequence[float]) -> tuple[dict[str, Any], int]:
    """The schedule that multiplies the rate so in each iteration, and how many it is right for."""
    first = next((i for i, one in enumerate(factors) if abs(one - 1) > CLOSE), None)
    if first is None:
        return {}, len(factors)
    gamma = factors[first]
    if all(
        math.isclose(one, gamma ** (i // first), rel_tol=CLOSE) for i, one in enumerate(factors)
    ):
        if first == 1:
            return {"type": "exponential", "gamma": gamma, "every": "iteration"}, len(factors)
        step = {"type": "step", "step_size": first, "gamma": gamma, "every": "iteration"}
        return step, len(factors)
    return {}, first


def put_own(made: Described, run: CapturedRun, own: Mapping[str, Mapping[str, Any]]) -> None:
    """Put the numbers that single parameters have of their own; those never stepped are frozen."""
    if own and not made.lines:
        raise refuse(None, "its optimizer has other numbers for some parameters")
    stepped = {op.writes[0] for op in run.timeline.listing(0).ops if is_step(op)}
    for name, line in made.lines.items():
        about = made.raw["parameters"][line]
        about |= own.get(name, {})
        if name not in stepped:
            about["frozen"] = True


def is_step(op: Op) -> bool:
    """Whether an op is a step of an optimizer."""
    return op.phase == Phase.UPDATE and op.kind in OPTIMIZERS and bool(op.writes)


def clip_of(run: CapturedRun, count: int) -> dict[str, Any]:
    """Clipping by the norm of all gradients, the same in each iteration."""
    limits = set()
    for iteration in range(count):
        ops = [op for op in run.timeline.listing(iteration).ops if op.kind == "clip_grad_norm_"]
        facts = run.stored.facts(iteration)
        limits.add(tuple(facts.get(op.index, {}).get("limit") for op in ops))
    if limits == {()}:
        return {}
    (limit, *more) = limits.pop() or (None,)
    if limits or more or not isinstance(limit, int | float):
        raise refuse(None, "its gradients are not clipped in the same way in each iteration")
    return {"norm": float(limit)}


# -- the order of the phases


def order_of(run: CapturedRun) -> dict[str, Any]:
    """The order of the phases, and whether zero_grad is left out."""
    if not run.timeline.iterations:
        raise refuse(None, "it has no iteration")
    listing = run.timeline.listings[0]
    phases = listing.phases()
    if len(phases) != len(set(phases)):
        raise refuse(None, "an iteration has several passes")
    for iteration in range(run.timeline.iterations):
        here = run.timeline.listing(iteration).phases()
        if here != phases and (iteration or here != [p for p in phases if p != Phase.ZERO_GRAD]):
            raise refuse(None, f"iteration {iteration + 1} has other phases than most")
    missing = [phase for phase in Phase if phase not in phases]
    if missing and missing != [Phase.ZERO_GRAD]:
        raise refuse(None, f"an iteration has no {missing[0]}")
    order = [*missing, *phases]
    return {"order": [phase.value for phase in order], "skip": [phase.value for phase in missing]}
