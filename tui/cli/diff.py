"""``gradstep diff``: the first difference of two runs, why, and how it grows."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from engine.capture.recognized import is_capture
from engine.errors import GradstepError
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.recording.compare import Comparison, Outcome
from engine.recording.reader import MAGIC
from engine.recording.recorded import Recording
from engine.recording.replay import open_debugger
from engine.run.timeline import begun
from engine.session.session import Session
from tui.cli.arguments import iterations_option, json_option
from tui.cli.output import console, note, print_json
from tui.cli.recordings import damage, opened
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean
from tui.render.text.numbers import compact, count_text, exact

SUFFIX = ".gradstep"


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option(
    "--tolerance",
    type=click.FloatRange(0, 1e300),
    default=0.0,
    metavar="T",
    help="Allow |a − b| ≤ T · max(1, |a|, |b|); by default every bit counts.",
)
@iterations_option("Compare N iterations; by default all that both have.")
@json_option
def diff(a: str, b: str, tolerance: float, iterations: int | None, as_json: bool) -> int:
    """The first event and tensor in which A and B differ, why, and a table; 1 if they do.

    Each is a recording, or an experiment that is run on the spot. Also 1 where one of them is
    damaged: what could not be read is recomputed, and told.
    """
    captures = [is_capture(name) for name in (a, b)]
    if all(captures):
        from tui.cli.captures.diff import diff as diff_of_captures

        return diff_of_captures(a, b, tolerance, iterations, as_json)
    if any(captures):
        one, other = (a, b) if captures[0] else (b, a)
        raise GradstepError(f"{one} is a captured script, and {other} is none: nothing to compare")
    with ExitStack() as stack:
        recordings: dict[str, Recording] = {}
        sides = [side(name, iterations, stack, recordings) for name in (a, b)]
        both = min(count for _, count in sides)
        wanted = both if iterations is None else min(both, iterations)
        comparison = Comparison(sides[0][0], sides[1][0], wanted, tolerance)
        for _ in comparison.run():
            pass
        found = [f"{name}: {said}" for name in recordings for said in damage(recordings[name])]
    outcome = comparison.outcome
    if as_json:
        print_json(as_object(outcome) | {"damage": found})
    else:
        show(outcome)
    for said in found:
        note(said)
    return DONE if outcome.first is None and not found else NO


def side(
    name: str, iterations: int | None, stack: ExitStack, recordings: dict[str, Recording]
) -> tuple[Session, int]:
    """A session of a recording or an experiment at its first event, and its iterations.

    Raises GradstepError where ``name`` is neither. ``stack`` closes a recording, which is entered
    into ``recordings``.
    """
    if is_recording(name):
        recordings[name] = stack.enter_context(opened(name))
        session = open_debugger(recordings[name])[0].session
        return session, begun(session.timeline, session.known)
    program = compile_program(load_experiment(name))
    program = program.lasting(iterations or 1)
    return Session(program), program.timeline.iterations


def is_recording(name: str) -> bool:
    """Whether a name is that of a recording: by its ending, else by the first bytes of the file."""
    path = Path(name)
    try:
        if path.suffix == SUFFIX or not path.is_file():
            return path.suffix == SUFFIX
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except (OSError, ValueError):
        return False


def as_object(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain data."""
    return {
        "same": outcome.first is None,
        "iterations": outcome.compared,
        "first": None if outcome.first is None else asdict(outcome.first),
        "reasons": outcome.reasons,
        "columns": outcome.columns,
        "table": outcome.table,
    }


def show(outcome: Outcome) -> None:
    """Print the outcome."""
    for line in lines(outcome):
        click.echo(clean(line))
    if outcome.first is not None:
        show_table(outcome)


def lines(outcome: Outcome) -> Iterator[str]:
    """The lines about the first difference, and the reasons for it."""
    first = outcome.first
    if first is None:
        yield f"no difference in {count_text(outcome.compared)} iterations"
    else:
        where = "before the first event" if first.event is None else f"#{first.event}"
        index = "" if not first.index else str(list(first.index))
        yield f"first difference  {where} {first.position}: {first.tensor}{index}"
        if first.values is not None:
            ulps = "" if first.ulps is None else f", {count_text(first.ulps)} ULPs apart"
            yield f"                  A {exact(first.values[0])}, B {exact(first.values[1])}{ulps}"
        if first.about:
            yield f"                  {first.about}"
    for reason in outcome.reasons:
        yield f"why               {reason}"


def show_table(outcome: Outcome) -> None:
    """Print the largest difference of each tensor after each iteration compared."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("max |A − B| after")
    for iteration in outcome.columns:
        table.add_column(f"i{iteration}", justify="right")
    for name, row in outcome.table.items():
        if any(value != 0 for value in row):
            texts = ["—" if value is None else compact(value, 9).strip() for value in row]
            table.add_row(Text(clean(name)), *texts)
    console().print(table)
