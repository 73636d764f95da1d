"""``gradstep explain``: one number, the terms that make it, and where each comes from."""

import click

from engine.explain.asked import explained_at
from engine.explain.explain import explain
from engine.explain.text import explanation_lines
from engine.run.position_text import parse_position
from engine.session.session import Session
from tui.cli.arguments import experiment_argument, json_option
from tui.cli.opened import debugger_on, unfold_option
from tui.cli.output import print_json
from tui.render.text.clean import clean


@click.command("explain")
@experiment_argument
@click.argument("of", metavar="TENSOR[INDEX]")
@unfold_option
@click.option(
    "--at",
    metavar="POSITION",
    help="Where: #41, i3:update, 50%, end.  [default: in the first iteration]",
)
@json_option
def explain_command(experiment: str, of: str, at: str | None, as_json: bool) -> None:
    """The terms that make one number of EXPERIMENT, with their values put in.

    The number is that of the op which wrote it last before the position: of forward, the loss, a
    gradient or an update. Without an index: the formula with indices, and how a matrix product
    follows from it.

        gradstep explain regression 'z1[0,1]'
    """
    session = session_for(experiment, of, at)
    found = explain(session, of)
    if as_json:
        print_json(found.as_json())
        return
    for line in explanation_lines(found):
        click.echo(clean(line))


def session_for(experiment: str, of: str, at: str | None) -> Session:
    """A session of an experiment, or of a recording, at a position; raises GradstepError."""
    debugger = debugger_on(experiment)
    session = debugger.session
    target = explained_at(session.program, of)
    session.goto(target if at is None else parse_position(at, debugger))
    return session
