"""``gradstep compare``: what changes in the worksheet from one experiment to another."""

import click

from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.worksheet.comparison import Comparison, compare
from engine.worksheet.rows import LAYOUTS, Layout
from tui.cli.opened import refuse_capture
from tui.cli.output import console, print_json
from tui.cli.worksheet import format_option, sample_option


@click.command("compare")
@click.argument("a")
@click.argument("b")
@sample_option
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="numerator",
    show_default=True,
    help="The layout of the gradients.",
)
@format_option
def compare_command(a: str, b: str, sample: int | None, layout: Layout, form: str) -> None:
    """Which rows of the worksheet change from experiment A to experiment B.

    The tables stand side by side, changed cells marked ≠; each ends with a sentence about what
    changes. What counts is the formula or the rule. Below, the norms of the gradients.
    """
    for name in (a, b):
        refuse_capture(name)
    programs = [compile_program(load_experiment(name)) for name in (a, b)]
    print_comparison(compare(programs[0], programs[1], sample or 0, layout), form)


def print_comparison(found: Comparison, form: str) -> None:
    """Print a comparison in one of the formats."""
    match form:
        case "json":
            from engine.worksheet.comparison_json import comparison_json

            print_json(comparison_json(found), indent=1)
        case "markdown":
            from engine.worksheet.markdown import comparison_markdown

            click.echo(comparison_markdown(found), nl=False)
        case "latex":
            from engine.worksheet.latex import comparison_latex

            click.echo(comparison_latex(found), nl=False)
        case _:
            from tui.render.reports.comparison import comparison_tables

            out = console()
            for part in comparison_tables(found, out.width):
                out.print(part)
