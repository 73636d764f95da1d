"""A lesson without a screen: every step carried out, each question given its own right answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.lesson.hidden import NOTHING
from engine.lesson.opened import beside
from engine.lesson.question import Question
from engine.lesson.score import Score
from engine.lesson.steps import (
    AnyStep,
    Ask,
    Chapter,
    Hide,
    Hold,
    Lesson,
    Note,
    Play,
    Reveal,
    Say,
    Show,
    Typed,
)
from engine.lesson.tensors import known
from engine.words.command import CommandError
from engine.words.language import CommandLine

NAMING = ("versus",)  # words whose argument names an experiment


@dataclass(frozen=True, eq=False)
class Outcome:
    """What has come of a step: lines, data, and whether it is as it should be."""

    step: AnyStep
    lines: tuple[str, ...] = ()
    data: dict[str, Any] = field(default_factory=dict)
    ok: bool = True


class Performance:
    """Carries out the steps of a lesson on a debugger; errors name the file and the line."""

    def __init__(self, lesson: Lesson, debugger: Debugger) -> None:
        self.lesson = lesson
        self.commands = CommandLine(debugger)
        self.score = Score(len(lesson.questions))
        self.hidden = NOTHING

    @property
    def debugger(self) -> Debugger:
        """The debugger at work: another one within an evaluation."""
        return self.commands.debugger

    def outcomes(self) -> Iterator[Outcome]:
        """What comes of each step, in their order."""
        for step in self.lesson.steps:
            try:
                yield self.outcome(step)
            except GradstepError as problem:
                raise at_line(self.lesson, step, problem) from problem

    def outcome(self, step: AnyStep) -> Outcome:
        """Carry out one step."""
        match step:
            case Typed():
                result = self.commands.execute(line_of(self.lesson, step))
                return Outcome(step, result.lines, result.data, result.ok)
            case Play():
                result = self.commands.execute(step.text)
                return Outcome(step, result.lines, result.data, result.ok)
            case Say():
                return Outcome(step, tuple(step.text.splitlines()), {"text": step.text})
            case Chapter():
                return Outcome(step, (step.title,), {"chapter": step.title})
            case Hold() | Note():
                return Outcome(step)
            case Ask():
                return self.asked(step)
            case Show():
                check_view(step, self.debugger)
                return Outcome(step)
            case Hide() | Reveal():
                self.hidden = self.hidden.after(step, self.debugger.run)
                return Outcome(step)

    def asked(self, step: Ask) -> Outcome:
        """Answer a question with its own right answer, which must be taken."""
        question = Question(step, self.debugger)
        told = question.told
        judged = question.judge(told)
        self.score.of(step).try_(told, judged)
        said = f": {judged.message}" if judged.message else ""
        data = {"question": step.question, "answer": told, "verdict": judged.verdict}
        lines = (step.question, f"{told} is {judged.verdict}{said}")
        return Outcome(step, lines, data, judged.right)


def line_of(lesson: Lesson, step: Typed) -> str:
    """The line of the command language that a step runs; its files are beside the lesson."""
    word, _, rest = step.text.partition(" ")
    if step.name in NAMING and rest.strip():
        return f"{word} {beside(lesson, rest.strip())}"
    return step.text


def at_line(lesson: Lesson, step: AnyStep, problem: GradstepError) -> GradstepError:
    """A problem with the file and the line where it is."""
    place = f"{lesson.file}:{step.line}"
    if isinstance(problem, CommandError):
        return GradstepError(f"{place}:{problem.column + 1}: {problem.message}\n{problem.shown}")
    return GradstepError(f"{place}: {problem}")


def check_view(step: Show, debugger: Debugger) -> None:
    """Raise GradstepError where a view names what the run has not."""
    known(debugger.run, tuple(name for name in (step.of, step.wrt) if name))
    if step.sample is not None and step.sample >= 0:
        run = debugger.session.program
        rows = len(debugger.session.tensors[run.batch_names[0]])
        if step.sample >= rows:
            raise GradstepError(f"sample {step.sample}: the batch has {rows}, from 0")
