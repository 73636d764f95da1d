"""The program of an experiment file as it is now, in place of the one that was made of it."""

from engine.errors import GradstepError
from engine.experiment.dataset import in_lines
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.program.refold import unfolded_names, unfolding, wholes
from engine.run.run import Run


def from_file(run: Run) -> tuple[Program, str]:
    """The program that a run is, and the file that it was made of; GradstepError without one."""
    if isinstance(run, Program) and run.experiment.file.endswith(".toml"):
        return run, run.experiment.file
    raise GradstepError("there is no experiment file here that could be read again")


def reread(old: Program) -> Program:
    """The program of its file as it is now, with the lines unfolded that are there still.

    Raises GradstepError for a file that is wrong now.
    """
    experiment = load_experiment(old.experiment.file)
    if in_lines(experiment) and in_lines(old.experiment):
        names = [name for name in unfolded_names(old) if name == "all" or name in wholes(old)]
        try:
            return compile_program(unfolding(experiment, names))
        except GradstepError:
            pass  # one of them is no line any more, or something else is wrong, which is told
    return compile_program(experiment)
