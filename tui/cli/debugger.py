"""``gradstep run`` and plain ``gradstep``: the debugger on the screen."""

import gc
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import click

from engine.errors import GradstepError
from tui.cli.arguments import experiment_argument, own_history_option
from tui.cli.drawing import drawing
from tui.cli.opened import asked, eval_option, program_of, unfold_option


@click.command("run")
@experiment_argument
@unfold_option
@eval_option
@own_history_option
@click.option("--record", metavar="FILE", help="Record into FILE from the first event.")
@click.option("--at", metavar="POSITION", help="Where to begin: #41, i3:backward, e2, 50%, end.")
def run(experiment: str, record: str | None, at: str | None, budget: int | None) -> int:
    """The debugger on EXPERIMENT, a built-in name or a .toml file."""
    return debug(experiment, at, budget, record)


def debug(
    experiment: str,
    at: str | None,
    budget: int | None,
    record: str | None = None,
    offer: bool = False,
) -> int:
    """Open the debugger; the exit status. Raises GradstepError where there is no terminal.

    With ``offer`` the first start offers a tour.
    """
    need_terminal(f"gradstep trace {shlex.quote(experiment)}")
    with loading():
        from tui.app import run_debugger

        if not any(asked()):
            return run_debugger(experiment, at, budget, record, offer=offer, drawing=drawing)
        unfold, evaluate = asked()
        program = partial(program_of, unfold=unfold, evaluate=evaluate)
        return run_debugger(experiment, at, budget, record, program, drawing=drawing)


TICKS = 250  # a second


@contextmanager
def loading() -> Iterator[None]:
    """Load the debugger: without looking for garbage, and for prompt paints.

    There is no garbage yet, and looking takes a tenth of the start. The application switches the
    collector on when it is painted, and spares it all that was made till then. The toolkit paints
    at ticks of a clock; at its usual 60 a second a key would wait half a tick for nothing.
    """
    os.environ.setdefault("TEXTUAL_FPS", str(TICKS))
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def need_terminal(instead: str) -> None:
    """Raise GradstepError where there is no terminal, or one that moves no cursor.

    ``instead`` is a command that needs none.
    """
    if "TEXTUAL_DRIVER" in os.environ:  # a browser is the terminal
        return
    missing = [
        name
        for name, stream in (("stdin", sys.stdin), ("stdout", sys.stdout))
        if stream is None or not stream.isatty()
    ]
    if missing:
        raise GradstepError(
            f"the debugger needs a terminal on {' and '.join(missing)}; without one: {instead}"
        )
    if os.environ.get("TERM") == "dumb":
        raise GradstepError(
            "the debugger needs a terminal that moves its cursor, and this one is dumb "
            f"(TERM=dumb); without one: {instead}"
        )
