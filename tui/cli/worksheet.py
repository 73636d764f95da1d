"""``gradstep worksheet``: the homework's four tables for a network."""

import click

from engine.worksheet.worksheet import LAYOUTS, Layout, Worksheet, worksheet
from tui.cli.arguments import experiment_argument
from tui.cli.opened import opened, unfold_option
from tui.cli.output import console, print_json

FORMATS = ("text", "markdown", "latex", "json")

layout_option = click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    help="One layout of the gradients only.  [default: both; json: numerator first]",
)
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="What to print.",
)
sample_option = click.option(
    "--sample",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    metavar="I",
    help="Which row of the first batch.",
)


@click.command("worksheet")
@experiment_argument
@unfold_option
@sample_option
@layout_option
@format_option
def worksheet_command(experiment: str, sample: int, layout: Layout | None, form: str) -> None:
    """The four tables of the backpropagation homework for EXPERIMENT.

    (a) the five steps, (b) the forward pass in x, y and the parameters, (c) the products that make
    the gradients, (d) the elements of their factors; with the sizes and the numbers of one sample.
    """
    sheet = worksheet(opened(experiment), sample)
    print_worksheet(sheet, layout, form)


def print_worksheet(sheet: Worksheet, layout: Layout | None, form: str) -> None:
    """Print a worksheet in one of the formats."""
    layouts = (layout,) if layout else LAYOUTS
    match form:
        case "json":
            from engine.worksheet.json import worksheet_json

            print_json(worksheet_json(sheet, layout), indent=1)
        case "markdown":
            from engine.worksheet.markdown import worksheet_markdown

            click.echo(worksheet_markdown(sheet, layouts), nl=False)
        case "latex":
            from engine.worksheet.latex import worksheet_latex

            click.echo(worksheet_latex(sheet, layouts), nl=False)
        case _:
            from tui.render.reports.worksheet import worksheet_tables

            out = console()
            for part in worksheet_tables(sheet, layouts):
                out.print(part)
