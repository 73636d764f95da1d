"""``gradstep replay``: the debugger on a recording."""

import shlex

import click

from engine.capture.recognized import is_capture
from tui.cli.arguments import history_option
from tui.cli.debugger import loading, need_terminal
from tui.cli.recordings import opened, recording_argument, run_option


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
    need_terminal(f"gradstep info {shlex.quote(file)}")
    if is_capture(file):
        from engine.capture.opened import opened_capture

        with loading(), opened_capture(file, number) as run:
            from tui.replaying import open_captured

            return open_captured(run, at, follow, budget)
    with loading(), opened(file, number) as recording:
        from tui.replaying import open_recording

        return open_recording(recording, at, follow, budget)
