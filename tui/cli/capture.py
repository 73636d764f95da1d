"""``gradstep capture``: a person's own PyTorch script, unchanged, in a recording."""

import os
import re
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from engine.capture.check import compare
from engine.capture.interpreter import check_torch, choose
from engine.capture.launch import Outcome, launch
from engine.capture.origin import started
from engine.capture.plan import BUDGET, DEPTHS, VALUES, Plan
from engine.capture.sink import Stream
from engine.capture.tally import Tally
from engine.capture.writer import CaptureWriter
from engine.errors import GradstepError
from tui.cli.arguments import size_option
from tui.cli.output import note
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text, nbytes_text

REFRESH = 0.2  # seconds between two lines of progress
MANY_FILES = 10_000  # names that are tried for a recording
MOST_NOTES = 20  # of one process that are said
SUFFIX = ".gradstep"


@dataclass(frozen=True)
class Command:
    """What is to be run: ``words`` after the interpreter, if a script or a module; the name of a
    recording of it."""

    words: tuple[str, ...]
    script: Path | None
    python: bool
    stem: str


class CaptureCommand(click.Command):
    """Options end where the script's own words begin: at a script, ``-m MODULE`` or ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what belongs to the script apart."""
        takes = {
            name: not isinstance(option, click.Option) or not option.is_flag
            for option in self.params
            for name in option.opts
        }
        at = 0
        while at < len(args) and args[at].startswith("-") and args[at] not in ("--", "-m", "-"):
            at += 2 if takes.get(args[at], False) else 1
        ctx.meta["words"] = args[at:]
        return super().parse_args(ctx, args[:at])


def window_option(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    """``A:B``: iterations from A up to B, without B."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,12}):(\d{1,12})", value)
    if found is None or int(found[1]) >= int(found[2]):
        raise click.BadParameter(f"{value!r} is no A:B with A before B", ctx, param)
    return int(found[1]), int(found[2])


def line_option(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, int] | None:
    """``FILE:LINE``."""
    if value is None:
        return None
    name, _, line = value.rpartition(":")
    if not name or not line.isdigit() or int(line) < 1:
        raise click.BadParameter(f"{value!r} is no FILE:LINE", ctx, param)
    return name, int(line)


def check_option(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """A number of iterations, or ``all``: 0."""
    if value is None or value == "all":
        return None if value is None else 0
    if not value.isdigit() or int(value) < 1:
        raise click.BadParameter(f"{value!r} is no number of iterations, nor all", ctx, param)
    return int(value)


@click.command("capture", cls=CaptureCommand, options_metavar="[OPTIONS]")
@click.option("--python", metavar="P", help="The Python that runs the script.")
@click.option("-o", "--output", "path", metavar="FILE", help="FILE.gradstep")
@click.option(
    "--values",
    type=click.Choice(VALUES),
    default="auto",
    show_default=True,
    help="auto: small tensors whole, of large ones statistics and a sample.",
)
@click.option(
    "--budget",
    callback=size_option,
    metavar="SIZE",
    help="Bytes of the recording.  [default: 1GiB]",
)
@click.option("--window", callback=window_option, metavar="A:B", help="Iterations A to B in full.")
@click.option(
    "--every", type=click.IntRange(1), metavar="N", help="Each N-th iteration in full as well."
)
@click.option("--light", is_flag=True, help="The same as --values light.")
@click.option("--digests", is_flag=True, help="A fingerprint of everything that is written.")
@click.option("--quiet", is_flag=True, help="gradstep itself says nothing.")
@click.option(
    "--depth", type=click.Choice(DEPTHS), default="op", show_default=True, help="What an op is."
)
@click.option(
    "--iteration",
    callback=line_option,
    metavar="FILE:LINE",
    help="A line that runs an op, with which an iteration begins.",
)
@click.option("--no-inputs", is_flag=True, help="No values of inputs and targets.")
@click.option("--no-source", is_flag=True, help="No source files.")
@click.option("--eager", is_flag=True, help="torch.compile compiles nothing: other numbers.")
@click.option(
    "--check",
    callback=check_option,
    metavar="N|all",
    help="Run N iterations with and without the tracer; 1 where anything differs.",
)
@click.pass_context
def capture(ctx: click.Context, /, python: str | None, path: str | None, **wishes: Any) -> int:
    """Run a PyTorch script unchanged and record its training.

    \b
    gradstep capture [OPTIONS] SCRIPT.py ARGS…
    gradstep capture [OPTIONS] -m MODULE ARGS…
    gradstep capture [OPTIONS] -- COMMAND ARGS…

    The script computes, prints and writes what it does without. Exit status: the script's own; 1
    where nothing could be captured, 2 where it cannot be started.
    """
    command = command_of(ctx)
    plan = plan_of(wishes)
    outer = dict(os.environ)
    words = list(command.words)
    if command.python:
        words = [interpreter(command.script, python, plan, outer), *words]
    elif python is not None:
        raise click.UsageError("--python names the Python of a script, not of a command after --")
    if wishes["check"] is not None:
        return checked(words, plan, wishes["check"] or None, outer)
    target = target_of(path, command.stem)
    return captured(words, plan, target, outer, command.script)


def capture_script(script: str) -> tuple[int, Path]:
    """Capture a script with the usual plan; its exit status, and where the recording is."""
    outer, plan = dict(os.environ), Plan()
    words = [interpreter(Path(script), None, plan, outer), script]
    target = target_of(None, Path(script).stem)
    return captured(words, plan, target, outer, Path(script)), target


def interpreter(script: Path | None, python: str | None, plan: Plan, outer: dict[str, str]) -> str:
    """The Python that runs a script, which is told; a GradstepError where it has no torch."""
    chosen = choose(script, python, outer)
    check_torch(chosen, outer)
    if not plan.quiet:
        note(f"gradstep: {chosen}")
    return chosen


def command_of(ctx: click.Context) -> Command:
    """What is to be run; a UsageError where nothing is."""
    words = tuple(ctx.meta["words"])
    match words:
        case ("--", name, *_):
            return Command(words[1:], None, False, Path(name).name)
        case ("-m", module, *_):
            return Command(words, None, True, module.rpartition(".")[2] or module)
        case (name, *_) if name not in ("--", "-m"):
            script = Path(name)
            if name != "-" and not script.exists():
                raise GradstepError(f"{name}: No such file")
            return Command(words, script, True, script.stem or "script")
    raise click.UsageError("what is to be captured? SCRIPT.py, -m MODULE, or -- COMMAND", ctx)


def plan_of(wishes: dict[str, Any]) -> Plan:
    """The options as a plan."""
    return Plan(
        depth=wishes["depth"],
        values="light" if wishes["light"] else wishes["values"],
        budget=wishes["budget"] or BUDGET,
        window=wishes["window"],
        every=wishes["every"] or 0,
        digests=wishes["digests"],
        quiet=wishes["quiet"],
        iteration=wishes["iteration"],
        inputs=not wishes["no_inputs"],
        source=not wishes["no_source"],
        eager=wishes["eager"],
    )


def target_of(path: str | None, stem: str) -> Path:
    """Where the recording goes: what is there is never overwritten."""
    if path is not None:
        if os.path.lexists(path):
            raise GradstepError(f"{path}: exists already, and is not overwritten")
        return Path(path)
    for number in range(1, MANY_FILES):
        found = Path(f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number}{SUFFIX}")
        if not os.path.lexists(found):
            return found
    raise GradstepError(f"{stem}{SUFFIX}: there are {MANY_FILES:,} of them; name a file with -o")


def recording_sink(
    path: Path, words: list[str], plan: Plan, outer: dict[str, str], script: Path | None
) -> CaptureWriter:
    """What writes the recording, with its first event."""
    command = started(path.stem, words, asdict(plan), outer, script)
    return CaptureWriter(path, command, sources=plan.source, limit=plan.budget)


class Progress:
    """The line on stderr while a script runs, out of the way of what the script prints."""

    def __init__(self, tally: Tally, quiet: bool) -> None:
        self.tally = tally
        self.quiet = quiet
        self.shown = not quiet and sys.stderr.isatty()
        self.drawn = False
        self.fresh = True  # the script is at the beginning of a line
        self.due = 0.0
        self.began: float | None = None  # when the first event came
        self.estimated = False

    def write(self, stream: Stream, data: bytes) -> None:
        """What the script has printed, as it is."""
        self.clear()
        target = sys.stdout if stream is Stream.STDOUT else sys.stderr
        with suppress(BrokenPipeError):
            target.buffer.write(data)
            target.buffer.flush()
        self.fresh = data.endswith(b"\n")

    def look(self) -> bool:
        """Called again and again; the script is never stopped from here."""
        if not self.estimated and self.tally.iterations >= 1 and self.fresh:
            self.estimated = True
            self.say(self.estimate())
        now = time.monotonic()
        if self.began is None and self.tally.events:
            self.began = now
        if self.shown and self.fresh and self.began is not None and now >= self.due:
            self.due = now + REFRESH
            self.clear()
            width = max(20, shutil.get_terminal_size().columns - 1)
            sys.stderr.write(self.line(now)[:width])
            sys.stderr.flush()
            self.drawn = True
        return False

    def line(self, now: float) -> str:
        """How far it is."""
        tally = self.tally
        first = tally.processes.get(0)
        loss = "" if first is None or first.loss is None else f"  loss {compact(first.loss)}"
        rate = tally.events / max(REFRESH, now - (self.began or now))
        kept = nbytes_text(sum(one.told for one in tally.processes.values()))
        its = f"{count_text(tally.iterations)} iterations"
        return f"gradstep: {its}{loss}  {rate:,.0f} events/s  {kept}"

    def estimate(self) -> str:
        """What an iteration takes, known after the first one."""
        first = self.tally.processes[0]
        return (
            f"gradstep: an iteration is {nbytes_text(first.in_full)} in full; "
            f"{nbytes_text(first.kept)} of the first are kept"
        )

    def clear(self) -> None:
        """Take the line away."""
        if self.drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self.drawn = False

    def say(self, text: str) -> None:
        """A line of gradstep's own."""
        self.clear()
        if not self.quiet:
            note(text)


def captured(
    words: list[str], plan: Plan, target: Path, outer: dict[str, str], script: Path | None
) -> int:
    """Run the command and record it; the exit status."""
    writer = recording_sink(target, words, plan, outer, script)
    tally = Tally(writer)
    progress = Progress(tally, plan.quiet)

    def unheard(why: str) -> None:
        progress.say(f"gradstep: nothing is captured so far: {why}")

    outcome = launch(words, plan, tally, progress.write, outer, progress.look, unheard)
    progress.clear()
    for line in [*report(outcome, tally, target), *writer.notes]:
        progress.say(f"gradstep: {line}")
    if outcome.why_nothing and outcome.status == 0:
        return NO
    return outcome.status


def report(outcome: Outcome, tally: Tally, target: Path) -> list[str]:
    """What came of it, for people."""
    if outcome.why_nothing:
        return [f"nothing was captured: {outcome.why_nothing}"]
    found = []
    for number, process in sorted(tally.processes.items()):
        hello = process.hello
        rank = f"rank {hello.rank}: " if hello is not None and hello.world > 1 else ""
        again = f"process {number}: " if len(tally.processes) > 1 and not rank else rank
        found.append(
            f"{again}{count_text(process.iterations)} iterations, "
            f"{count_text(process.events)} events"
        )
        found += [f"{again}{clean(text)}" for text in process.notes[:MOST_NOTES]]
    if target.exists():
        found.append(f"{target}: {nbytes_text(target.stat().st_size)}")
    if outcome.failed:
        found.append(f"the recording ended early: {outcome.failed}")
    return found


def checked(words: list[str], plan: Plan, iterations: int | None, outer: dict[str, str]) -> int:
    """Run with and without the tracer; the exit status says whether anything differs."""
    found = compare(words, plan, iterations, outer, Path.cwd())
    extent = "to the end" if found.whole else "and stopped there"
    click.echo(f"{count_text(found.iterations)} iterations, {extent}")
    click.echo(f"the same: {count_text(found.lines)} lines, {count_text(found.files)} files")
    if found.unsteady:
        click.echo(f"not compared: {count_text(found.unsteady)} that differ between plain runs too")
    for difference in found.differences[:20]:
        note(f"gradstep: {difference}")
    click.echo("DIFFERENT" if found.differences else "no difference")
    return NO if found.differences else DONE
