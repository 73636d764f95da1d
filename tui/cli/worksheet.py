"""``gradstep worksheet``: the homework's four tables for a network."""

import click

from engine.arrays import Array
from engine.worksheet.rows import LAYOUTS, Layout
from engine.worksheet.worksheet import Worksheet, standing, worksheet
from tui.cli.arguments import experiment_argument
from tui.cli.opened import debugger_on, opened, unfold_option
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
    metavar="I",
    help="Which row of the batch.  [default: 0]",
)
batch_option = click.option(
    "--batch",
    is_flag=True,
    help="The whole batch: samples are rows, and (c) is what backward adds.",
)


@click.command("worksheet")
@experiment_argument
@unfold_option
@sample_option
@batch_option
@click.option(
    "--at",
    metavar="POSITION",
    help="With the batch and the parameters there: #41, i3:update, end.  [default: the start]",
)
@layout_option
@format_option
def worksheet_command(
    experiment: str,
    sample: int | None,
    batch: bool,
    at: str | None,
    layout: Layout | None,
    form: str,
) -> None:
    """The four tables of the backpropagation homework for EXPERIMENT.

    (a) the five steps, (b) the forward pass in x, y and the parameters, (c) the products that make
    the gradients, (d) the elements of their factors; with the sizes and the numbers of one sample.
    Of lines, each is a row with its own name; where they mix samples, the tables are the batch's.
    """
    if batch and sample is not None:
        raise click.UsageError("--sample and --batch exclude each other: give one of them")
    program = opened(experiment)
    tensors = None if at is None else standing_at(experiment, at)
    sheet = worksheet(program, None if batch else sample or 0, tensors=tensors)
    print_worksheet(sheet, layout, form)


def standing_at(experiment: str, at: str) -> dict[str, Array]:
    """The batch and the parameters at a position; raises GradstepError where there is none."""
    from engine.run.position_text import parse_position

    debugger = debugger_on(experiment)
    session = debugger.session
    session.goto(parse_position(at, debugger))
    return standing(session.program, session.state.tensors)


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
