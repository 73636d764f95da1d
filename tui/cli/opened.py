"""The program that a command is about, with the options that say how it is opened."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from engine.program.program import Program

UNFOLD, EVAL = "gradstep.unfold", "gradstep.eval"


def noted(key: str) -> Any:
    """The callback of an option that is kept for :func:`opened`."""

    def keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        ctx.meta[key] = value

    return keep


unfold_option = click.option(
    "--unfold",
    metavar="LINE",
    multiple=True,
    expose_value=False,
    callback=noted(UNFOLD),
    help="A line that gives way to the lines of its functions, or all; may be repeated.",
)
eval_option = click.option(
    "--eval",
    is_flag=True,
    expose_value=False,
    callback=noted(EVAL),
    help="An evaluation pass over the validation rows, or the training rows.",
)


def asked() -> tuple[Sequence[str], bool]:
    """The lines to unfold, and whether an evaluation is asked for, by the command that runs."""
    meta = click.get_current_context().meta
    return meta.get(UNFOLD, ()), meta.get(EVAL, False)


def opened(name: str) -> "Program":
    """The compiled program of an experiment, as the options of the command want it.

    Raises GradstepError for a file that cannot be opened so.
    """
    return program_of(name, *asked())


def program_of(name: str, unfold: Sequence[str] = (), evaluate: bool = False) -> "Program":
    """The compiled program of an experiment with lines unfolded, or its evaluation pass."""
    from engine.experiment.reader import load_experiment
    from engine.program.compiler import compile_program

    experiment = load_experiment(name)
    if unfold:
        from engine.program.refold import unfolding

        experiment = unfolding(experiment, unfold)
    program = compile_program(experiment)
    if evaluate:
        from engine.program.evaluation import evaluation

        return evaluation(program, program.initial())
    return program
