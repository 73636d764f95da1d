"""Hand-ins graded in one call, for tests."""

import functools
from pathlib import Path
from typing import Any

from engine.answers.bench import Bench
from engine.answers.grading import Grader
from engine.answers.handin import Answer, HandIn
from engine.answers.sources import read_handin
from engine.answers.verdict import Verdict
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program

HANDINS = Path(__file__).parent / "handins"


@functools.cache
def grader(name: str) -> Grader:
    """The grader of an experiment, made once."""
    return Grader(compile_program(load_experiment(name)))


def bench(name: str) -> Bench:
    return grader(name).bench


def verdicts(name: str, answers: dict[str, Any], **settings: Any) -> list[Verdict]:
    """The verdicts of several answers of one hand-in."""
    found = tuple(Answer(of, said) for of, said in answers.items())
    return grader(name).grade(HandIn("hand-in", found, **settings))


def verdict(name: str, of: str, said: Any, **settings: Any) -> Verdict:
    """The verdict of a single answer."""
    return verdicts(name, {of: said}, **settings)[0]


def of_file(name: str, file: str) -> dict[str, Verdict]:
    """The verdicts of a hand-in in a file, by what they are about; the last one counts."""
    return {one.of: one for one in grader(name).grade(read_handin(HANDINS / file))}
