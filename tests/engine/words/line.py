"""A command line of a small run, for tests."""

from engine.debugger import Debugger
from engine.session.session import Session
from engine.words.language import CommandLine
from tests.engine.small_experiments import built_in

PROGRAM = built_in("regression")


def commands(*lines: str) -> CommandLine:
    made = CommandLine(Debugger(Session(PROGRAM)))
    for line in lines:
        made.execute(line)
    return made
