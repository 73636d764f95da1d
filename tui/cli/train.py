"""``gradstep train``: run to the end with a progress bar; the final loss and metrics."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import click
import numpy as np

from engine.arrays import Array, keep_memory
from engine.diagnostics.diagnosis import Diagnosis, Severity, place_of
from engine.diagnostics.doctor import Doctor
from engine.measure.metrics import correct
from engine.program.program import Program
from engine.run.drive import happen, run_iteration
from engine.run.run import loss_of
from tui.cli.arguments import (
    MOST_ITERATIONS,
    experiment_argument,
    iterations_option,
    json_option,
)
from tui.cli.drawing import drawing
from tui.cli.opened import opened, unfold_option
from tui.cli.output import console, note, print_json
from tui.cli.status import DONE, INTERRUPTED, NO
from tui.cli.train_summary import measured, summary
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

REFRESH = 0.1  # seconds between two looks at loss and accuracy
NAN, SERIOUS = "nan", "serious"  # what --fail-on takes
ASKED = 16  # the doctor is asked again after a sixteenth of the iterations so far
WATCHED = 300  # iterations that the doctor looks at, so that a long run is as fast as without it
CLOSELY = 2**23  # elements written that it looks at, as long as a training of some seconds takes
LEAST = 8  # iterations of which it looks at everything in any case


@dataclass(frozen=True)
class Broken:
    """The first number that is not finite: the event that made it, its place, the tensor."""

    event: int
    place: str
    tensor: str


def sound(program: Program, tensors: Mapping[str, Array], parameters: bool) -> bool:
    """Whether the loss is finite after an iteration, and if asked for the parameters are too."""
    loss = loss_of(program, tensors)
    if loss is not None and not math.isfinite(loss):
        return False
    names = [info.name for info in program.parameters] if parameters else []
    return all(bool(np.isfinite(tensors[name]).all()) for name in names)


def first_broken(program: Program, before: Mapping[str, Array], iteration: int) -> Broken:
    """Take an iteration once more, op by op, to find the first result that is not finite."""
    begin, end = program.timeline.begin(iteration), program.timeline.begin(iteration + 1)
    tensors = {**before, **program.source.enters(iteration)}
    for event in happen(program, tensors, begin, end):
        for name, value in zip(event.op.writes, event.after, strict=False):
            if not np.isfinite(value).all():
                return Broken(event.index, place_of(program, event.index), name)
    return Broken(end - 1, place_of(program, end - 1), "loss")


def looked_at(program: Program) -> int:
    """The iterations of which the doctor sees everything: fewer, the larger the network."""
    tensors = program.tensors
    elements = sum(math.prod(tensors[name].shape) for op in program.ops for name in op.writes)
    return max(LEAST, CLOSELY // max(1, elements))


@dataclass(eq=False)
class Run:
    """How far a training has come: after whole iterations only, also when it is interrupted."""

    program: Program
    iterations: int
    tensors: Mapping[str, Array]
    fail_on: str | None = None
    done: int = 0
    interrupted: bool = False
    broken: Broken | None = None
    stopped: str | None = None

    def __post_init__(self) -> None:
        keep_memory(max(one.nbytes for one in self.program.tensors.values()))
        self.doctor = Doctor(self.program)
        self.asks_next = 1

    def advance(self) -> Iterator[int]:
        """Run to the end, iteration by iteration, or to what ``fail_on`` names.

        The first iterations are under the doctor's eyes, of a large network their losses alone
        after a while; with ``serious`` all of them.
        """
        watched = self.iterations if self.fail_on == SERIOUS else min(self.iterations, WATCHED)
        closely = None if self.fail_on == SERIOUS else looked_at(self.program)
        for done in self.doctor.run(watched, closely):
            yield from self.took(dict(self.doctor.tensors), done)
            if self.stopped is not None:
                return
        while self.done < self.iterations and self.stopped is None:
            tensors = run_iteration(self.program, self.tensors, self.done)
            yield from self.took(tensors, self.done + 1)

    def took(self, tensors: Mapping[str, Array], done: int) -> Iterator[int]:
        """Note an iteration, and whether it is the one to stop at."""
        before, self.tensors, self.done = self.tensors, tensors, done
        everything = self.fail_on is not None or done == self.iterations
        if self.broken is None and not sound(self.program, tensors, everything):
            self.broken = first_broken(self.program, before, done - 1)
        if self.fail_on is not None and self.broken is not None:
            self.stopped = NAN
        elif self.fail_on == SERIOUS and (done >= self.asks_next or done == self.iterations):
            # Asking costs about as much as an iteration: at first each time, later more rarely.
            self.asks_next = done + max(1, done // ASKED)
            if any(one.serious for one in self.doctor.findings()):
                self.stopped = SERIOUS
        yield done


@click.command("train")
@experiment_argument
@unfold_option
@iterations_option("Run N iterations.")
@click.option(
    "--epochs", type=click.IntRange(1, MOST_ITERATIONS), metavar="N", help="Run N epochs."
)
@click.option(
    "--fail-on",
    type=click.Choice([NAN, SERIOUS]),
    help="Stop at the first NaN or infinity, or at what the doctor finds serious, with status 1.",
)
@json_option
def train(
    experiment: str,
    iterations: int | None,
    epochs: int | None,
    fail_on: str | None,
    as_json: bool,
) -> int:
    """Run EXPERIMENT to the end, or as long as the options say, with a progress bar.

    Ctrl-C ends it after a whole iteration, with a summary and exit status 130. What the doctor
    finds in the first 300 iterations (of a large network in their losses, after the first few)
    stands at the end; see gradstep diagnose. So does the first
    NaN or infinity in the loss, which ends nothing unless --fail-on says so.
    """
    if iterations is not None and epochs is not None:
        raise click.UsageError("--iterations and --epochs exclude each other: give one of them")
    with drawing():
        program = opened(experiment)
        initial = program.initial()
    wanted = iterations or (epochs or program.experiment.training.epochs) * program.batches.count
    program = program.lasting(wanted)
    run = Run(program, wanted, initial, fail_on)
    try:
        show_progress(run)
    except KeyboardInterrupt:
        run.interrupted = True
        note(f"interrupted after {count_text(run.done)} of {count_text(wanted)} iterations")
    report(run, as_json)
    if run.interrupted:
        return INTERRUPTED
    return DONE if run.stopped is None else NO


def show_progress(run: Run) -> None:
    """Run with a bar on stderr, where that is a terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    to = console(stderr=True)
    columns = (
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        Remaining(),
    )
    bar = Progress(*columns, console=to, disable=not to.is_terminal, expand=True)
    with bar:
        task = bar.add_task("", total=run.iterations, figures="")
        due = 0.0
        for done in run.advance():
            if not bar.disable and (time.monotonic() >= due or done == run.iterations):
                bar.update(task, completed=done, figures=figures(run))
                due = time.monotonic() + REFRESH


def figures(run: Run) -> str:
    """The loss and the accuracy of the last batch, for the bar."""
    tensors, program = run.tensors, run.program
    loss = loss_of(program, tensors)
    text = "" if loss is None else f"loss {loss:.4g}"
    yhat = tensors.get(program.network.output)
    right = None if yhat is None else correct(program, yhat, tensors["y"])
    return text if right is None else f"{text}  accuracy {right.mean():.1%}"


def report(run: Run, as_json: bool) -> None:
    """Print loss, metrics, confusion and findings on stdout."""
    program, data, findings = run.program, run.program.data, run.doctor.findings()
    result: dict[str, Any] = {
        "experiment": program.experiment.name,
        "iterations": run.done,
        "epochs": run.done / program.batches.count,
        "loss": loss_of(run.program, run.tensors),
        **measured(program, run.tensors, data),
    }
    if (aside := data.validation) is not None:
        result["validation"] = {"rows": len(aside), **measured(program, run.tensors, aside)}
    result["diagnostics"] = [told(one) for one in findings]
    result["non_finite"] = None if run.broken is None else asdict(run.broken)
    result["stopped"] = run.stopped
    result["interrupted"] = run.interrupted
    if as_json:
        print_json(result)
        return
    found = [
        (str(one.severity), f"{one.title} ({clean(one.subject)}, {one.place})")
        for one in findings
        if one.severity != Severity.NOTE
    ]
    if run.broken is not None:
        found.insert(0, ("NaN or infinity", f"since {run.broken.place} ({run.broken.tensor})"))
    if run.stopped is not None:
        found.insert(0, ("stopped", f"by --fail-on {run.fail_on}, after iteration {run.done}"))
    for line in summary(result, data.classes, found):
        click.echo(line)


def told(one: Diagnosis) -> dict[str, Any]:
    """A finding as plain data, in short; the command diagnose tells all of it."""
    return {
        "name": one.name,
        "severity": one.severity,
        "subject": one.subject,
        "event": one.event,
        "evidence": one.evidence,
    }
