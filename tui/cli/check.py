"""``gradstep check``: the gradients against central differences, parameter by parameter."""

from typing import Any

import click
from rich.table import Table
from rich.text import Text

from engine.debugger import Debugger
from engine.measure.gradcheck import GradCheck, ParameterCheck, check_gradients
from engine.run.position_text import format_position, parse_position
from engine.session.session import Session
from tui.cli.arguments import experiment_argument, json_option
from tui.cli.opened import opened, unfold_option
from tui.cli.output import console, print_json
from tui.cli.status import DONE, NO
from tui.render.text.clean import clean


@click.command("check")
@experiment_argument
@unfold_option
@click.option(
    "--at",
    metavar="POSITION",
    help="Where: #41, i3, e2, 50%, end.  [default: the initial parameters]",
)
@json_option
def check(experiment: str, at: str | None, as_json: bool) -> int:
    """Check the gradient of each parameter of EXPERIMENT by central differences.

    In float64, with the batch and the parameters of the position. Exit status 1 when one fails.
    """
    session = Session(opened(experiment))
    session.goto(0 if at is None else parse_position(at, Debugger(session)))
    result = check_gradients(session.program, session.tensors)
    place = format_position(session.program, session.event)
    if as_json:
        print_json(as_object(session, result, place), indent=1)
    else:
        print_check(result, place)
    return DONE if result.passed else NO


def as_object(session: Session, result: GradCheck, place: str) -> dict[str, Any]:
    """A gradient check as plain data."""
    return {
        "experiment": session.program.experiment.name,
        "position": place,
        "loss": result.loss,
        "dtype": result.dtype,
        "evaluated_in": "float64",
        "mode": result.mode,
        "passed": result.passed,
        "parameters": [parameter(one) for one in result.parameters],
    }


def parameter(one: ParameterCheck) -> dict[str, Any]:
    """The check of one parameter as plain data."""
    return {
        "name": one.name,
        "shape": list(one.shape),
        "mode": one.mode,
        "passed": one.passed,
        "checked": one.checked,
        "kinks": one.kinks,
        "step": one.step,
        "tolerance": one.tolerance,
        "worst": {"index": list(one.index), "analytic": one.analytic, "numeric": one.numeric},
        "relative_error": one.relative_error,
        "ratio": one.ratio,
        "note": one.note,
    }


def print_check(result: GradCheck, place: str) -> None:
    """Print a check: a line for each parameter, then the notes and the sum."""
    out = console()
    tolerance = max(one.tolerance for one in result.parameters)
    out.print(f"central differences in float64, {result.mode}, tolerance {tolerance:g}")
    out.print(f"ℓ = {result.loss:.6g} at {clean(place)}\n", overflow="fold")
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("")
    table.add_column("parameter", overflow="fold")
    for heading in ("checked", "error", "worst", "analytic", "numeric"):
        table.add_column(heading, justify="right")
    for one in result.parameters:
        mark = Text("✓", "green") if one.passed else Text("✗", "red")
        table.add_row(mark, clean(one.name), *figures(one))
    out.print(table)
    for one in result.parameters:
        if one.note:
            out.print(Text(f"{clean(one.name)}: {one.note}", "" if one.passed else "red"))
    wrong = sum(not one.passed for one in result.parameters)
    said = f"{wrong} of {len(result.parameters)} gradients are wrong"
    out.print()
    out.print(Text(said, "red") if wrong else Text("every gradient agrees", "green"))


def figures(one: ParameterCheck) -> tuple[str, ...]:
    """The cells of a parameter: how many elements, largest error, where, analytic, numeric."""
    where = f"[{', '.join(str(i) for i in one.index)}]" if one.mode == "every element" else "–"
    numbers = (f"{one.analytic:.4g}", f"{one.numeric:.4g}")
    return (f"{one.checked:,}", f"{one.relative_error:.0e}", where, *numbers)
