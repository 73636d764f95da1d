"""``gradstep THING``: the debugger on whatever a thing is."""

import shlex
from collections.abc import Sequence

import click

from engine.capture.recognized import is_capture
from tui.cli.arguments import own_history_option
from tui.cli.debugger import debug, loading, need_terminal
from tui.cli.output import note
from tui.cli.recordings import opened
from tui.render.text.clean import clean


@click.command("THING", add_help_option=False)
@click.argument("thing")
@click.option("--target", "targets", multiple=True, metavar="COLUMN")
@own_history_option
@click.option("--at", metavar="POSITION")
def thing_command(thing: str, targets: tuple[str, ...], at: str | None, budget: int | None) -> int:
    """The debugger on a built-in, a .toml, a .csv (--target COLUMN), a .gradstep or a .py."""
    from engine.words.things import Kind, kind_of

    kind = kind_of(thing)
    if targets and kind is not Kind.TABLE:
        raise click.UsageError(f"--target names columns of a table, and {thing} is none")
    match kind:
        case Kind.BUILTIN | Kind.EXPERIMENT:
            return debug(thing, at, budget)
        case Kind.RECORDING:
            return replayed(thing, at, budget)
        case Kind.TABLE:
            return fitted_to(thing, targets, at, budget)
        case Kind.SCRIPT:
            return run_first(thing, at, budget)


def run_first(script: str, at: str | None, budget: int | None) -> int:
    """Capture a script as ``gradstep capture`` does, and open the recording; the exit status.

    It is opened too where the script has failed: at its end stands what it failed in.
    """
    from tui.cli.capture import capture_script

    need_terminal(f"gradstep capture {shlex.quote(script)}")
    status, recording = capture_script(script)
    return replayed(str(recording), at, budget) if recording.exists() else status


def replayed(
    file: str,
    at: str | None,
    budget: int | None,
    number: int | None = None,
    follow: bool = False,
) -> int:
    """The debugger on a recording, or on a run of it by number; the exit status."""
    need_terminal(f"gradstep info {shlex.quote(file)}")
    if is_capture(file):
        from engine.capture.opened import opened_capture
        from engine.session.history import DEFAULT_BUDGET
        from tui.replaying import open_captured

        with loading(), opened_capture(file, number) as run:
            return open_captured(run, at, follow, budget or DEFAULT_BUDGET)
    with loading(), opened(file, number) as recording:
        from engine.session.history import DEFAULT_BUDGET
        from tui.replaying import open_recording

        return open_recording(recording, at, follow, budget or DEFAULT_BUDGET)


def fitted_to(table: str, targets: Sequence[str], at: str | None, budget: int | None) -> int:
    """The debugger on a small network for a table; the exit status."""
    from engine.words.things import fitted

    columns = " ".join(f"--target {shlex.quote(one)}" for one in targets or ["COLUMN"])
    need_terminal(f"gradstep new FILE.toml --csv {shlex.quote(table)} {columns}")
    chosen = targets or ask_targets(table)
    with loading():
        from tui.app import run_debugger

        return run_debugger(table, at, budget, program=lambda name: fitted(name, chosen))


def ask_targets(thing: str) -> tuple[str, ...]:
    """Ask at the terminal which columns are to be predicted, until they are columns."""
    from pathlib import Path

    from engine.words.things import columns_of

    columns = columns_of(Path(thing))
    note(f"{thing} has the columns {', '.join(columns)}")
    while True:
        said = click.prompt("which shall be predicted (several with commas)", err=True)
        chosen = tuple(part.strip() for part in said.split(","))
        wrong = [one for one in chosen if one not in columns]
        if not wrong:
            return chosen
        note(clean(f"no column {wrong[0]!r}: {', '.join(columns)}"))
