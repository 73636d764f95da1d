"""``gradstep train``: run to the end with a progress bar; the final loss and metrics."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from engine.arrays import Array
from engine.diagnostics.diagnosis import Diagnosis, Severity
from engine.diagnostics.doctor import Doctor
from engine.experiment.reader import load_experiment
from engine.measure.metrics import correct
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.drive import run_iteration
from engine.run.run import loss_of
from tui.cli.arguments import (
    MOST_ITERATIONS,
    experiment_argument,
    iterations_option,
    json_option,
)
from tui.cli.output import console, note, print_json
from tui.cli.status import DONE, INTERRUPTED
from tui.cli.train_summary import measured, summary
from tui.render.text.clean import clean
from tui.render.text.numbers import count_text

REFRESH = 0.1  # seconds between two looks at loss and accuracy
WATCHED = 300  # iterations that the doctor looks at, so that a long run is as fast as without it


@dataclass(eq=False)
class Run:
    """How far a training has come: after whole iterations only, also when it is interrupted."""

    program: Program
    iterations: int
    tensors: Mapping[str, Array]
    done: int = 0
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.doctor = Doctor(self.program)

    def advance(self) -> Iterator[int]:
        """Run to the end, iteration by iteration; the first of them under the doctor's eyes."""
        for done in self.doctor.run(min(self.iterations, WATCHED)):
            self.tensors, self.done = dict(self.doctor.tensors), done
            yield done
        while self.done < self.iterations:
            tensors = run_iteration(self.program, self.tensors, self.done)
            self.tensors, self.done = tensors, self.done + 1
            yield self.done


@click.command("train")
@experiment_argument
@iterations_option("Run N iterations.")
@click.option(
    "--epochs", type=click.IntRange(1, MOST_ITERATIONS), metavar="N", help="Run N epochs."
)
@json_option
def train(experiment: str, iterations: int | None, epochs: int | None, as_json: bool) -> int:
    """Run EXPERIMENT to the end, or as long as the options say, with a progress bar.

    Ctrl-C ends it after a whole iteration, with a summary and exit status 130. What the doctor
    finds in the first 300 iterations stands at the end; see gradstep diagnose.
    """
    if iterations is not None and epochs is not None:
        raise click.UsageError("--iterations and --epochs exclude each other: give one of them")
    program = compile_program(load_experiment(experiment))
    wanted = iterations or (epochs or program.experiment.training.epochs) * program.batches.count
    program = program.lasting(wanted)
    run = Run(program, wanted, program.initial())
    try:
        show_progress(run)
    except KeyboardInterrupt:
        run.interrupted = True
        note(f"interrupted after {count_text(run.done)} of {count_text(wanted)} iterations")
    report(run, as_json)
    return INTERRUPTED if run.interrupted else DONE


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
    result["interrupted"] = run.interrupted
    if as_json:
        print_json(result)
        return
    found = [
        (str(one.severity), f"{one.title} ({clean(one.subject)}, {one.place})")
        for one in findings
        if one.severity != Severity.NOTE
    ]
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
