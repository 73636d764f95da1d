"""``gradstep trace``: run without a screen and print every event."""

import click

from engine.capture.recognized import is_capture
from engine.program.program import Program
from engine.recording.trace_json import trace_lines
from engine.run.position import Granularity
from tui.cli.arguments import experiment_argument, iterations_option, json_option
from tui.cli.opened import eval_option, opened, unedited, unfold_option
from tui.cli.output import console, print_json

SIZES = (Granularity.OP, Granularity.PHASE, Granularity.ITERATION)


@click.command("trace")
@experiment_argument
@unfold_option
@eval_option
@iterations_option("How many iterations to run, beyond the file's epochs if need be.", default=1)
@click.option(
    "--granularity",
    type=click.Choice([size.value for size in SIZES]),
    default=Granularity.OP.value,
    show_default=True,
    help="What is told in one row or line.",
)
@click.option("--values", is_flag=True, help="The values too: all in JSON, small tensors here.")
@json_option
def trace(experiment: str, iterations: int, granularity: str, values: bool, as_json: bool) -> None:
    """Run EXPERIMENT without a screen and print every event.

    With --json: a header line, then one JSON object a line.
    """
    size = Granularity(granularity)
    if is_capture(experiment):
        from tui.cli.captures.trace import trace as captured_trace

        captured_trace(experiment, iterations, size, values, as_json)
        return
    unedited(experiment, "trace")
    program = opened(experiment).lasting(iterations)
    if as_json:
        print_lines(program, size, iterations, values)
        return
    from tui.cli.trace_table import TraceTable

    TraceTable(program, size, iterations, values, console()).print()


def print_lines(program: Program, size: Granularity, iterations: int, values: bool) -> None:
    """Print the header, then a JSON object a step."""
    for line in trace_lines(program, size, iterations, values):
        print_json(line)
