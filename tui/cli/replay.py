"""``gradstep replay``: the debugger on a recording."""

import click

from tui.cli.arguments import history_option
from tui.cli.opening import replayed
from tui.cli.recordings import recording_argument, run_option


@click.command("replay")
@recording_argument
@run_option
@history_option
@click.option("--at", metavar="POSITION", help="Where to begin: #41, i3:backward, e2, 50%, end.")
@click.option("--follow", is_flag=True, help="Show the run as it grows, while it is written.")
def replay(file: str, number: int | None, at: str | None, follow: bool, budget: int) -> int:
    """The debugger on the recording FILE: every key works both ways.

    What is edited becomes a branch that is live; the file stays as it is.
    """
    return replayed(file, at, budget, number, follow)
