"""``gradstep jacobian``: dimensions, structure, chain, and a window of values."""

import re
from collections.abc import Iterator

import click

from engine.capture.recognized import is_capture
from engine.chain.query import JacobianView, Window, complete_at, query
from engine.errors import GradstepError
from engine.jacobian.operator import Layout
from engine.run.position_text import parse_position
from engine.session.session import Session
from tui.cli.arguments import experiment_argument, json_option
from tui.cli.opened import debugger_on, unfold_option
from tui.cli.output import console, note, print_json

WINDOW = re.compile(r"(\d{0,18}):(\d{0,18}),(\d{0,18}):(\d{0,18})\Z", re.ASCII)
Bounds = tuple[tuple[int, int], tuple[int, int]]


@click.command("jacobian")
@experiment_argument
@unfold_option
@click.option("--of", required=True, metavar="TENSOR", help="The numerator: loss, relu1.out, yhat.")
@click.option(
    "--wrt", required=True, metavar="TENSOR", help="The denominator: x, linear1.weight, relu1.out."
)
@click.option(
    "--at",
    metavar="POSITION",
    help="Where: #41, i3:update, 50%, end.  [default: before the first update]",
)
@click.option(
    "--sample", type=click.IntRange(0), metavar="I", help="One sample, as columns.  [default: 0]"
)
@click.option("--batch", is_flag=True, help="The whole batch; rows are samples.")
@click.option(
    "--layout",
    type=click.Choice([layout.value for layout in Layout]),
    default=Layout.NUMERATOR.value,
    show_default=True,
    help="Numerator: of × wrt; gradient: the transpose.",
)
@click.option("--window", metavar="R0:R1,C0:C1", help="Which rows and columns to show, from 0.")
@json_option
def jacobian(
    experiment: str,
    of: str,
    wrt: str,
    at: str | None,
    sample: int | None,
    batch: bool,
    layout: str,
    window: str | None,
    as_json: bool,
) -> None:
    """The Jacobian of a tensor of EXPERIMENT by another one.

    Its dimensions, structure, cost, the chain of its factors, and a window of values. All but the
    values is there at any position; nothing but the window is computed.
    """
    if batch and sample is not None:
        raise click.UsageError("--sample and --batch exclude each other: give one of them")
    if is_capture(experiment):
        from tui.cli.captures.jacobian import jacobian as of_capture

        if window is not None:
            raise click.UsageError("--window: a captured op is not executed: there are no windows")
        of_capture(experiment, of, wrt, at, batch, Layout(layout), as_json)
        return
    session = session_at(experiment, at)
    view = query(session, of, wrt, None if batch else sample or 0, Layout(layout))
    shown, missing = values(view, window)
    if missing:
        note(f"no values: {missing}")
    if as_json:
        print_json(view.as_json(shown, missing))
        return
    from tui.render.reports.jacobian import report  # JSON needs no Rich

    out = console()
    for line in report(view, shown, window is not None, out.width):
        out.print(line, overflow="fold")


def session_at(experiment: str, at: str | None) -> Session:
    """A session of an experiment at a position, by default before the first update.

    There all tensors of the iteration have values. Raises GradstepError.
    """
    debugger = debugger_on(experiment)
    session = debugger.session
    complete = complete_at(session.program)
    session.goto(complete if at is None else parse_position(at, debugger))
    return session


def values(view: JacobianView, window: str | None) -> tuple[Window | None, str]:
    """The window, or why there are no values; raises GradstepError where one is asked for."""
    if window is not None:
        return view.part(*bounds(window, view.dims)), ""
    try:
        return view.corner(), ""
    except GradstepError as error:
        return None, str(error)


def bounds(text: str, dims: tuple[int, int]) -> Bounds:
    """The rows and columns that ``R0:R1,C0:C1`` means; what is left out is the end.

    Raises GradstepError where the text is none of that.
    """
    found = WINDOW.match(text)
    if found is None:
        raise GradstepError(f"--window {text}: write rows and columns as 0:4,0:20")

    def side(which: int, size: int) -> Iterator[int]:
        yield int(found[which] or 0)
        yield int(found[which + 1] or size)

    (top, bottom), (left, right) = side(1, dims[0]), side(3, dims[1])
    return (top, bottom), (left, right)
