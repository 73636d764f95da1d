"""Grading: each answer of a hand-in held against the engine.

Formulas are tried in scenes of random numbers and sizes, and then on the experiment's own; numbers
are compared with these alone.
"""

from collections.abc import Callable
from dataclasses import replace

from engine.answers.bench import Bench
from engine.answers.claim import Claim
from engine.answers.expr import Expr
from engine.answers.handin import Answer, HandIn
from engine.answers.marking import Marking, unread
from engine.answers.others import Others
from engine.answers.target import Target
from engine.answers.understanding import Read, Understanding
from engine.answers.verdict import Verdict
from engine.program.program import Program
from engine.session.session import Session
from engine.worksheet.rows import Layout


class Grader:
    """Grades hand-ins against one program."""

    def __init__(self, program: Program, session: Session | None = None) -> None:
        self.bench = Bench(program, session)

    @property
    def understanding(self) -> Understanding:
        """What reads answers in the names of the program."""
        return Understanding(self.bench.names, self.bench.rows)

    def claim(self, target: Target, expr: Expr | None = None) -> Claim:
        """A claim about a target of a sample, with its scenes."""
        return Marking(self.bench, HandIn("", ())).claim(target, expr=expr)

    def question(self, key: str) -> str:
        """What a key is about, by one name; the key itself where it is about nothing."""
        read = self.understanding.read(Answer(key, [0.0]))
        return key if read is None else read.question or key

    def grade(self, handin: HandIn) -> list[Verdict]:
        """The verdicts of a hand-in, in the order of its answers.

        The layout of the hand-in is known only when all is read. Raises GradstepError where it is
        about a position or a sample that the run has not.
        """
        marking = Marking(self.bench, handin)
        found = (marking.understanding.read(answer) for answer in handin.answers)
        read = [one for one in found if one is not None]
        fits = [marking.fitting(one) for one in read]
        layout = handin.layout or marking.common(read, fits)
        others = Others(marking)
        judge: dict[str, Callable[[Read, Layout], Verdict]] = {
            "numbers": others.numbers,
            "shape": others.shape,
            "steps": others.steps,
            "inputs": others.inputs,
            "unread": lambda one, layout: unread(one),
        }
        verdicts = []
        for one, fit in zip(read, fits, strict=True):
            formula = one.kind == "formula"
            made = marking.formula(one, fit, layout) if formula else judge[one.kind](one, layout)
            question = one.question or one.answer.of
            of = self.called(one)
            verdicts.append(replace(made, of=of, line=one.answer.line, question=question))
        return verdicts

    def called(self, one: Read) -> str:
        """What an answer is about, as it is written; in a document by its symbol."""
        return one.question if one.answer.found and one.question else one.answer.of
