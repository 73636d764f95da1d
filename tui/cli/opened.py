"""The program that a command is about, with the options that say how it is opened."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.capture.recognized import is_capture
from engine.errors import GradstepError

if TYPE_CHECKING:
    from engine.debugger import Debugger
    from engine.experiment.dataset import Dataset
    from engine.experiment.spec import Experiment
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
    """The compiled program of an experiment with lines unfolded, or its evaluation pass.

    That of a recording is the one that was recorded, without the edits.
    """
    from engine.program.compiler import compile_program

    experiment, data = experiment_of(name)
    if unfold:
        from engine.program.refold import unfolding

        experiment = unfolding(experiment, unfold)
    program = compile_program(experiment, data)
    if evaluate:
        from engine.program.evaluation import evaluation

        return evaluation(program, program.initial())
    return program


def experiment_of(name: str) -> "tuple[Experiment, Dataset | None]":
    """An experiment by its name, or that of a recording with its data."""
    from engine.experiment.reader import load_experiment

    refuse_capture(name)
    if not is_recording(name):
        return load_experiment(name), None
    from engine.recording.reader import Reader
    from engine.recording.recorded import Recording

    reader = Reader(Path(name))
    try:
        program = Recording(reader).program  # the compiled one: it is bounded by what is plausible
        return program.experiment, program.data
    finally:
        reader.close()


def refuse_capture(name: str) -> None:
    """Raise GradstepError where a name is that of a captured script."""
    from engine.program.program import CAPTURED

    if is_capture(name):
        raise GradstepError(
            f"{name}: {CAPTURED}, which this command is about; replay, trace, script, info, diff, "
            "diagnose, jacobian, verify and export take it"
        )


def is_recording(name: str) -> bool:
    """Whether a name is that of a recording, by its ending or its first bytes."""
    from engine.files import is_database

    return name.endswith(".gradstep") or (not name.endswith(".toml") and is_database(Path(name)))


def unedited(name: str, command: str) -> None:
    """Raise GradstepError where a recording has edits, which a run from the beginning has not."""
    if not is_recording(name):
        return
    from engine.recording.replay import open_recording

    if any(branch.journal for branch in open_recording(name).session.branches):
        raise GradstepError(
            f"{name}: has edits, and {command} runs the experiment without them; "
            f"gradstep export {shlex.quote(name)} --to jsonl has what was recorded"
        )


def debugger_on(name: str, budget: int | None = None) -> "Debugger":
    """A debugger on an experiment as the options of the command want it, or on a recording.

    ``budget`` is the bytes of the history.
    """
    from engine.debugger import Debugger
    from engine.session.history import DEFAULT_BUDGET
    from engine.session.session import Session

    if is_capture(name):
        from engine.capture.opened import debugger_of, opened_capture

        # Open as long as the command runs: whoever looks at a value reads it from the file.
        context = click.get_current_context()
        return debugger_of(context.with_resource(opened_capture(name)), budget or DEFAULT_BUDGET)
    if is_recording(name) and not any(asked()):
        from engine.recording.replay import open_recording

        return open_recording(name, budget=budget or DEFAULT_BUDGET)
    return Debugger(Session(opened(name), budget or DEFAULT_BUDGET))
