"""``gradstep record``: run an experiment without a screen and keep the run in a file."""

import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from engine.errors import GradstepError
from engine.program.program import Program
from engine.recording.environment import environment
from engine.recording.estimate import Estimate, estimate
from engine.recording.file import exists
from engine.recording.live import record_run
from engine.recording.reader import check_appendable
from engine.recording.writer import Writer
from tui.cli.arguments import (
    MOST_ITERATIONS,
    experiment_argument,
    iterations_option,
    size_option,
)
from tui.cli.opened import opened, unfold_option
from tui.cli.output import console, note
from tui.cli.status import DONE, INTERRUPTED, REFUSED
from tui.render.text.numbers import count_text, nbytes_text

if TYPE_CHECKING:
    from rich.progress import Progress

REFRESH = 0.2  # seconds between two lines of progress
DISK_LOOK = 1.0  # seconds between two looks at the free space
LEAST_FREE = 64 * 2**20  # bytes that are left to others: below, no more tensors are stored


# A hang-up comes with a closed window; not every system has it.
ENDING = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


@dataclass
class Ending:
    """The signal that has asked the run to end, 0 for none.

    ``before`` has the handlers to restore.
    """

    signal: int = 0
    before: dict[int, Any] = field(default_factory=dict)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGINT, SIGTERM and SIGHUP end the run after a whole iteration."""
        # No KeyboardInterrupt: it could come in the middle of an event or of a transaction.
        for wanted in ENDING:
            if signal.getsignal(wanted) is signal.SIG_IGN and wanted != signal.SIGINT:
                continue  # nohup, say: it shall go on when the window is closed
            self.before[wanted] = signal.signal(wanted, self.ask)
        try:
            yield
        finally:
            for number, handler in self.before.items():
                signal.signal(number, handler)

    def ask(self, number: int, frame: FrameType | None) -> None:
        """The handler of the signals."""
        self.signal = number


@click.command("record")
@experiment_argument
@unfold_option
@click.option("-o", "--output", "path", required=True, metavar="FILE", help="FILE.gradstep")
@iterations_option("Run N iterations.")
@click.option(
    "--epochs", type=click.IntRange(1, MOST_ITERATIONS), metavar="N", help="Run N epochs."
)
@click.option(
    "--store",
    type=click.Choice(["auto", "full", "keyframes"]),
    default="auto",
    show_default=True,
    help="Every tensor, or states at intervals; auto is full up to 256 MiB.",
)
@click.option(
    "--limit",
    callback=lambda c, p, v: None if v is None else size_option(c, p, v),
    metavar="SIZE",
    help="Store no more tensors once the file has this size.",
)
@click.option("--append", is_flag=True, help="Add a run to a recording that is there.")
def record(
    experiment: str,
    path: str,
    iterations: int | None,
    epochs: int | None,
    store: str,
    limit: int | None,
    append: bool,
) -> int:
    """Run EXPERIMENT to the end, or as long as the options say, and record it.

    Ctrl-C, a SIGTERM or a closed window ends it after a whole iteration; the file is complete up to
    there.
    """
    if iterations is not None and epochs is not None:
        raise click.UsageError("--iterations and --epochs exclude each other: give one of them")
    program = opened(experiment)
    wanted = iterations or (epochs or program.experiment.training.epochs) * program.batches.count
    program = program.lasting(wanted)
    target = Path(path)
    check_target(target, append)
    plan = estimate(program, store, wanted)
    writer = Writer(target, program, plan, environment(), limit)
    note(plan_text(plan))
    return run(writer, program, wanted)


def check_target(path: Path, append: bool) -> None:
    """Raise GradstepError where a file would be overwritten, or is no recording to append to."""
    if not exists(path):
        return
    if not append:
        raise GradstepError(f"{path}: exists already; --append adds a run to a recording")
    check_appendable(path)


def plan_text(plan: Estimate) -> str:
    """A sentence about what will be stored, and how many bytes that is."""
    kept = "every tensor" if plan.store == "full" else f"states every {plan.spacing} iterations"
    sizes = f"{nbytes_text(plan.per_iteration)} an iteration, {nbytes_text(plan.total)} in all"
    return f"store {plan.store} ({kept}): about {sizes}"


def run(writer: Writer, program: Program, iterations: int) -> int:
    """Run with a bar on stderr; the exit status."""
    ending, done, status = Ending(), 0, "interrupted"
    with ending.on_signals():
        try:
            done = follow(writer, record_run(writer, program, iterations), iterations, ending)
            status = "interrupted" if ending.signal else "closed"
        finally:  # whatever happens: what was recorded is in a closed file
            writer.close(status)
    if writer.note:
        note(writer.note)
    if writer.failed:
        note(writer.failed)
        return REFUSED
    size = nbytes_text(writer.path.stat().st_size)
    events = count_text(program.timeline.begin(done))
    note(f"{writer.path}: {count_text(done)} iterations, {events} events, {size}")
    if ending.signal:
        note(f"interrupted after {count_text(done)} of {count_text(iterations)} iterations")
    return (
        INTERRUPTED
        if ending.signal == signal.SIGINT
        else 128 + ending.signal
        if (ending.signal)
        else DONE
    )


def follow(writer: Writer, progress: Iterator[int], iterations: int, ending: Ending) -> int:
    """Pull the run iteration by iteration, commit in time, and show how far it is."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    to = console(stderr=True)
    figures = TextColumn("{task.fields[figures]}", markup=False)
    columns = (BarColumn(bar_width=None), MofNCompleteColumn(), figures, Remaining())
    done, began, due, look = 0, time.monotonic(), 0.0, 0.0
    shown = Progress(*columns, console=to, disable=not to.is_terminal, expand=True)
    with running(shown) as bar:
        task = bar.add_task("", total=iterations, figures="")
        for done in progress:
            now = time.monotonic()
            writer.tick(now)
            if writer.failed or ending.signal:
                break
            if now >= look:
                look = now + DISK_LOOK
                check_disk(writer)
            if not bar.disable and (now >= due or done == iterations):
                due = now + REFRESH
                bar.update(task, completed=done, figures=rate_text(writer, done, now - began))
    return done


@contextmanager
def running(bar: "Progress") -> Iterator["Progress"]:
    """A bar that is shown meanwhile, as long as there is a terminal: a run does not end with it."""
    with suppress(OSError):
        bar.start()
    try:
        yield bar
    finally:
        with suppress(OSError):
            bar.stop()


def check_disk(writer: Writer) -> None:
    """Store no more tensors where the disk has less than LEAST_FREE bytes left."""
    try:
        free = shutil.disk_usage(writer.path.parent).free
    except OSError:
        return  # the next commit says what is the matter
    if free < LEAST_FREE:
        writer.stop_tensors(f"the disk has only {nbytes_text(free)} left")


def rate_text(writer: Writer, done: int, seconds: float) -> str:
    """The bytes so far, those to be expected, and iterations a second."""
    rate = done / seconds if seconds > 0 else 0.0
    return f"{nbytes_text(writer.size)} of about {nbytes_text(writer.plan.total)}  {rate:,.0f} it/s"
