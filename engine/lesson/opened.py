"""The debugger that a lesson is over, and how its files are looked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.experiment.builtins import builtin_names
from engine.experiment.reader import load_experiment
from engine.lesson.steps import Lesson
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session

RECORDED = ".gradstep"


def thing_of(lesson: Lesson) -> str:
    """What a lesson opens: a built-in's name, or a path, relative to the file of the lesson."""
    return beside(lesson, lesson.thing)


def beside(lesson: Lesson, name: str) -> str:
    """A name of an experiment as a lesson means it."""
    if name in builtin_names():
        return name
    return str(lesson.folder / Path(name).expanduser())


@contextmanager
def opened(lesson: Lesson, budget: int = DEFAULT_BUDGET) -> Iterator[Debugger]:
    """A debugger on what a lesson opens, at its first event.

    Raises GradstepError with the file of the lesson where that cannot be opened.
    """
    thing = thing_of(lesson)
    if not thing.endswith(RECORDED):
        yield Debugger(Session(program_of(lesson, thing), budget))
        return
    from engine.capture.opened import debugger_of, run_of
    from engine.recording.reader import Reader
    from engine.recording.recorded import Recording
    from engine.recording.replay import open_debugger

    try:
        reader = Reader(Path(thing))
    except GradstepError as problem:
        raise cannot(lesson, problem) from problem
    try:
        if reader.captured:
            yield debugger_of(run_of(reader, None), budget)
        else:
            yield open_debugger(Recording(reader), budget)[0]
    finally:
        reader.close()


def program_of(lesson: Lesson, thing: str) -> Program:
    """The program of the experiment that a lesson opens."""
    try:
        return compile_program(load_experiment(thing))
    except GradstepError as problem:
        raise cannot(lesson, problem) from problem


def cannot(lesson: Lesson, problem: GradstepError) -> GradstepError:
    """The error of a lesson whose thing cannot be opened."""
    return GradstepError(f"{lesson.file}: what it opens: {problem}")
