"""Grading: each answer of a hand-in held against the engine, in the layout that the hand-in has.

Formulas are tried in scenes of random numbers and sizes, and then on the experiment's own; numbers
are compared with these alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.answers.chains import right_chain
from engine.answers.claim import BUDGET, Claim, Fit
from engine.answers.expected import Expected
from engine.answers.expr import Expr, Unread
from engine.answers.grammar import annotated
from engine.answers.handin import Answer, HandIn
from engine.answers.latex import flat_text
from engine.answers.mistakes import Mending, diagnosed, of_value, repeated
from engine.answers.names import Names, Row, plain, rows_of
from engine.answers.numbers import Place, agreements, array_of, number_mistakes
from engine.answers.reading import Reading, layout_of, readings_of
from engine.answers.scene import Large, Scene, own_scene, random_scenes
from engine.answers.spoken import spoken
from engine.answers.steps import dimensions, step_mistakes
from engine.answers.target import Target, target_of
from engine.answers.values import MOST, Meter, Mismatch, Spent, Unit
from engine.answers.verdict import COLUMN, ROW, Mistake, Verdict, judged
from engine.chain.query import complete_at
from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.program.program import Program
from engine.run.position_text import parse_position
from engine.session.session import Session
from engine.worksheet.rows import Layout

STEPS = ("steps", "the five steps")
SHAPES = ("shape", "dims", "size")
ITSELF = "it says only what is asked for"
OTHER_LAYOUT = "in {} layout"
COSTLY = "it takes too long to evaluate: write it shorter"
FILE_BUDGET = 20 * BUDGET  # for all answers of a hand-in
SEPARATE = ", ; "


@dataclass(frozen=True)
class Read:
    """An answer with what it is about: a target, or a kind of its own."""

    answer: Answer
    kind: str  # formula, numbers, shape, steps, inputs, unread
    target: Target | None = None
    expr: Expr | None = None
    notes: tuple[str, ...] = ()
    problem: str = ""
    place: int | None = None
    row: Row | None = None
    question: str = ""


class Grader:
    """Grades hand-ins against one program; scenes and positions are made once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.sessions: dict[str | None, Session] = {}
        self.scenes: dict[tuple[str | None, int | None], Scene] = {}
        self.random: dict[bool, list[Scene]] = {}

    @cached_property
    def names(self) -> Names:
        """The names that answers may use."""
        first = self.own(None, 0)
        letters = {plain(one) for one in first.letters} | set(first.letters)
        return Names(self.program, frozenset(letters))

    @cached_property
    def rows(self) -> list[Row]:
        """The rows of the forward table."""
        return rows_of(self.program)

    @cached_property
    def expected(self) -> Expected:
        """What would have been right, as people write it."""
        return Expected(self.program, self.names)

    def session(self, at: str | None) -> Session:
        """A session at a position, by default where all of the first iteration is there."""
        if at not in self.sessions:
            session = Session(self.program)
            where = complete_at(session.program)
            session.goto(where if at is None else parse_position(at, Debugger(session)))
            self.sessions[at] = session
        return self.sessions[at]

    def own(self, at: str | None, sample: int | None) -> Scene:
        """The experiment's own numbers at a position; raises GradstepError for a bad sample."""
        key = (at, sample)
        if key not in self.scenes:
            tensors = self.session(at).tensors
            rows = len(tensors["x"])
            if sample is not None and not 0 <= sample < rows:
                raise GradstepError(f"sample {sample}: this batch has {rows}, from 0 to {rows - 1}")
            self.scenes[key] = own_scene(self.program, tensors, sample)
        return self.scenes[key]

    def tried(self, batch: bool) -> list[Scene]:
        """The random scenes, of one sample or of a batch."""
        if batch not in self.random:
            self.random[batch] = random_scenes(self.program, None if batch else 0)
        return self.random[batch]

    def question(self, key: str) -> str:
        """What a key is about, by one name; the key itself where it is about nothing."""
        read = Marking(self, HandIn("", ())).read(Answer(key, [0.0]))
        return key if read is None else read.question or key

    def grade(self, handin: HandIn) -> list[Verdict]:
        """The verdicts of a hand-in, in the order of its answers."""
        return Marking(self, handin).verdicts()


class Marking:
    """The grading of one hand-in."""

    def __init__(self, grader: Grader, handin: HandIn) -> None:
        self.grader = grader
        self.handin = handin
        self.names = grader.names
        self.meter = Meter(FILE_BUDGET)
        self.claims: dict[tuple[Target, bool], Claim] = {}

    def verdicts(self) -> list[Verdict]:
        """All verdicts; the layout of the hand-in is known only when all is read."""
        read = [one for answer in self.handin.answers if (one := self.read(answer)) is not None]
        fits = [self.fitting(one) for one in read]
        layout = self.handin.layout or self.common(read, fits)
        judge: dict[str, Callable[[Read, list[Fit], Layout], Verdict]] = {
            "formula": self.formula,
            "numbers": self.numbers,
            "shape": self.shape,
            "steps": self.steps,
            "inputs": self.inputs,
            "unread": self.unread,
        }
        return [
            replace(
                judge[one.kind](one, fit, layout),
                of=self.called(one),
                line=one.answer.line,
                question=one.question or one.answer.of,
            )
            for one, fit in zip(read, fits, strict=True)
        ]

    def called(self, one: Read) -> str:
        """What an answer is about, as it is written; in a document by its symbol."""
        if one.answer.found and one.target is not None:
            return one.target.symbol(self.names)
        return one.answer.of

    # Reading.

    def read(self, answer: Answer) -> Read | None:
        """What an answer is about, and what it says; None where prose is no answer."""
        question = ""
        try:
            question, target = self.about(answer.of)
        except Unread:
            if answer.found and not any(sign in answer.of for sign in "∂δ"):
                return None
            target = None
        try:
            return replace(self.understood(answer), question=question)
        except Unread as error:
            problem, place = error.message, error.place
            found = Read(answer, "unread", target, problem=problem, place=place)
            return replace(found, question=question)

    def about(self, key: str) -> tuple[str, Target | None]:
        """The question of a key, and its target; raises Unread."""
        key = key.strip()
        if key.lower() in STEPS:
            return "steps", None
        head, _, inner = key.partition("(")
        if head.strip().lower() in SHAPES and inner.endswith(")"):
            target, _ = self.target(inner[:-1])
            return f"shape({target.symbol(self.names)})", target
        row = self.row(key)
        if row is not None:
            return f"{row[0].name}.{row[1]}", None
        target, _ = self.target(key)
        return target.symbol(self.names), target

    def understood(self, answer: Answer) -> Read:
        """As :meth:`read`; raises Unread."""
        if answer.problem:
            raise Unread(answer.problem, answer.offset or 0)
        key = answer.of.strip()
        if key.lower() in STEPS:
            return Read(answer, "steps")
        head, _, inner = key.partition("(")
        if head.strip().lower() in SHAPES and inner.endswith(")"):
            target, notes = self.target(inner[:-1])
            return Read(answer, "shape", target, notes=tuple(notes))
        row = self.row(key)
        if row is not None:
            return self.of_row(answer, *row)
        target, notes = self.target(key)
        return self.said(answer, target, notes)

    def target(self, text: str) -> tuple[Target, list[str]]:
        """What a left side is about; raises Unread, whose place is in the key."""
        try:
            return target_of(flat_text(text).text, self.names)
        except Unread as error:
            raise Unread(f"{text.strip()!r}: {error.message}", error.place) from None

    def tree(self, text: str) -> tuple[Expr, list[str]]:
        """Text, which may be LaTeX, as a tree; raises Unread with the place in the text."""
        flat = flat_text(text)
        try:
            return annotated(flat.text, self.names)
        except Unread as error:
            places = [*flat.places, len(text)]
            raise Unread(error.message, places[min(error.place, len(flat.places))]) from None

    def said(self, answer: Answer, target: Target, notes: list[str]) -> Read:
        """An answer about a target: a formula, or numbers."""
        if isinstance(answer.said, str):
            expr, more = self.tree(answer.said)
            more += self.unexpanded(expr)
            return Read(answer, "formula", target, expr, tuple(dict.fromkeys(notes + more)))
        array_of(answer.said)
        return Read(answer, "numbers", target, notes=tuple(notes))

    def unexpanded(self, expr: Expr) -> list[str]:
        """Notes on derivatives by parameters that are left as they are."""
        parameters = {one.name for one in self.names.program.parameters}
        found = []
        for _, node in expr.walk():
            if node.op == "partial" and node.data[1] in parameters and not node.data[2]:
                of, wrt, _ = node.data
                symbol = f"∂{self.names.symbol(of)}/∂{self.names.symbol(wrt)}"
                found.append(f"{symbol} is not expanded")
        return found

    def row(self, key: str) -> tuple[Row, str] | None:
        """The row and the side that a key like linear1.output is about."""
        name, _, side = key.rpartition(".")
        name, side = name.strip(), side.strip().lower()
        if side not in ("input", "output", "inputs", "in"):
            return None
        bare = plain(name).lower().replace("layer", "")
        for row in self.grader.rows:
            if name == row.name or bare in (plain(row.name).lower(), *row.labels):
                return row, "output" if side == "output" else "input"
        raise Unread(f"no layer and no line {name!r}", 0)

    def of_row(self, answer: Answer, row: Row, side: str) -> Read:
        """An answer about what a layer reads or makes."""
        if side == "output":
            return self.said(answer, Target(row.makes), [])
        if len(row.reads) == 1 and isinstance(answer.said, str):
            return replace(self.said(answer, Target(row.reads[0]), []), row=row)
        return Read(answer, "inputs", row=row)

    # The layout.

    def claim(self, target: Target, batch: bool | None = None) -> Claim:
        """The claim about a target, with its scenes; raises GradstepError where it has no value."""
        whole = self.handin.batch if batch is None else batch
        if (target, whole) not in self.claims:
            own = self.grader.own(self.handin.at, None if whole else self.sample)
            scenes = list(self.grader.tried(whole))
            try:
                truths = target.truths(own).values()
                if all(t.size <= MOST and np.isfinite(t).all() for t in truths):
                    scenes.append(own)
            except Large:
                pass
            if not scenes:
                raise GradstepError("it has no finite value that an answer could be compared with")
            self.claims[target, whole] = Claim(target, scenes)
        found = self.claims[target, whole]
        return Claim(target, found.scenes, Meter(BUDGET, self.meter))

    @property
    def sample(self) -> int | None:
        """The sample that formulas are about, None for the batch."""
        return None if self.handin.batch else self.handin.sample or 0

    def fitting(self, one: Read) -> list[Fit]:
        """The layouts in which a formula is right."""
        if one.kind != "formula" or one.target is None or one.expr is None:
            return []
        try:
            return self.claim(one.target).layouts(one.expr)
        except (GradstepError, Spent, Large):
            return []

    def common(self, read: Sequence[Read], fits: Sequence[list[Fit]]) -> Layout:
        """The layout that most products are right in.

        Where none decides, numerator layout; of a batch that of the parameters.
        """
        votes: dict[Layout, int] = {"numerator": 0, "gradient": 0}
        for one, found in zip(read, fits, strict=True):
            product = one.expr is not None and any(n.op == "partial" for _, n in one.expr.walk())
            layouts = {layout_of(fit.layout) for fit in found}
            if len(layouts) == 1 and product:
                votes[layouts.pop()] += 1
        if votes["gradient"] == votes["numerator"]:
            return "gradient" if self.handin.batch else "numerator"
        return max(votes, key=votes.__getitem__)

    # Judging.

    def unread(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """An answer that is not understood, with the place."""
        mistake = Mistake(one.problem)
        said = text_of(one.answer)
        return Verdict(one.answer.of, "not understood", said, (mistake,), place=one.place)

    def formula(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """A formula: right, or with the mistakes that explain it."""
        assert one.target is not None
        assert one.expr is not None
        try:
            claim = self.claim(one.target)
        except GradstepError as error:
            return self.unread(replace(one, problem=str(error)), fits, layout)
        if not fits and self.of_batch(one):
            notes = (*one.notes, "of the batch")
            return Verdict(one.answer.of, "right", text_of(one.answer), notes=notes)
        try:
            mistakes, notes, used = self.found(one, claim, fits, layout)
        except Spent:
            return self.unread(replace(one, problem=COSTLY), fits, layout)
        forward = one.target.wrt is None
        word = judged(mistakes, forward)
        expected = None if word == "right" else self.grader.expected.of(one.target, used)
        dims = self.dims(one.expr, used) if mistakes else ()
        said = spoken(one.expr, self.names) if one.answer.line else text_of(one.answer)
        return Verdict(
            one.answer.of, word, said, mistakes, (*one.notes, *notes), dims, expected, layout=used
        )

    def of_batch(self, one: Read) -> bool:
        """Whether a formula that is wrong of a sample is right of the batch, samples as rows.

        That is for answers that do not say which they are about.
        """
        if self.handin.batch or self.handin.sample is not None or self.circular(one):
            return False
        assert one.target is not None
        assert one.expr is not None
        try:
            return bool(self.claim(one.target, True).layouts(one.expr))
        except (GradstepError, Spent, Large):
            return False

    def circular(self, one: Read) -> bool:
        """Whether an answer says what is asked for by itself."""
        assert one.target is not None
        assert one.expr is not None
        given = self.names.program.tensors[one.target.of].role in ("input", "target", "parameter")
        if one.row is not None or (given and one.target.wrt is None):
            return False
        return any(one.target.itself(node) for _, node in one.expr.walk())

    def found(
        self, one: Read, claim: Claim, fits: list[Fit], layout: Layout
    ) -> tuple[tuple[Mistake, ...], tuple[str, ...], Layout]:
        """The mistakes of a formula, notes, and the layout it was read in."""
        assert one.target is not None
        assert one.expr is not None
        if self.circular(one):
            return (Mistake(ITSELF),), (), layout
        menders = [self.mending(self.claim(one.target), r) for r in readings_of(layout)]
        twice = repeated(menders[0], one.expr)
        pure = not any(node.op == "partial" for _, node in one.expr.walk())
        fitting = next((f for f in fits if layout_of(f.layout) == layout), None)
        if fitting is not None:
            only = len({layout_of(fit.layout) for fit in fits}) == 1
            notes = (OTHER_LAYOUT.format(layout),) if layout == "gradient" and only else ()
            return twice or self.kink(one, claim, fitting.layout), notes, layout
        if fits:
            other = layout_of(fits[0].layout)
            turned = of_value(claim, one.expr, readings_of(layout)[0])
            if turned is not None and turned.reason in (COLUMN, ROW) and pure:
                return (turned,), (), layout
            if self.handin.layout is not None and not twice:
                return (Mistake("another layout", "", OTHER_LAYOUT.format(other)),), (), layout
            return twice, (OTHER_LAYOUT.format(other),), other
        found, used = diagnosed(menders, one.expr)
        if found and layout_of(used) != layout and pure:
            found = (*found, *lying(claim.truth[0][readings_of(layout)[0]].shape))
        more = [m for m in twice if m.reason not in [known.reason for known in found]]
        if found or twice:
            return (*found, *more), (), layout_of(used)
        return (self.unexplained(one.expr, claim, readings_of(layout)[0]),), (), layout

    def mending(self, claim: Claim, layout: Reading) -> Mending:
        """The search for mistakes in a layout."""
        return Mending(claim, self.names, self.grader.rows, layout)

    def kink(self, one: Read, claim: Claim, layout: Reading) -> tuple[Mistake, ...]:
        """The mistake of a rule that is right but where all parameters, and so z, are 0."""
        assert one.expr is not None
        assert one.target is not None
        first = claim.scenes[0]
        zeros = {p.name: np.zeros(p.shape) for p in first.program.parameters}
        flat = own_scene(first.program, dict(first.tensors) | zeros, first.sample)
        try:
            there = Claim(one.target, [flat])
            sound = all(np.isfinite(t).all() for t in there.truth[0].values())
            if not sound or there.fits(one.expr, layout):
                return ()
        except (GradstepError, Large, Spent):
            return ()
        return (Mistake("at the kink", "", "where z is exactly 0 the derivative is 0"),)

    def unexplained(self, expr: Expr, claim: Claim, layout: Reading) -> Mistake:
        """What can be said where no single mistake explains an answer."""
        claim = Claim(claim.target, claim.scenes, Meter(BUDGET, self.meter))
        for k in (0, *reversed(range(len(claim.scenes)))):
            scene, truth = claim.scenes[k], claim.truth[k][layout]
            try:
                value = claim.value(expr, layout, k)
            except Mismatch as error:
                dims = "".join(f"({scene.lettered(one)})" for one in error.dims)
                return Mistake("dimensions do not conform", "", dims or error.message)
            if isinstance(value, Unit) or value.shape != truth.shape:
                found = (
                    "I" if isinstance(value, Unit) else scene.lettered(value.shape) or "a number"
                )
                return Mistake(
                    "dimensions", "", f"{found}, where it is {scene.lettered(truth.shape)}"
                )
            if k == 0:
                continue  # the experiment's own numbers say more
            apart = ~np.isclose(value, truth, rtol=1e-7, atol=1e-9)
            if apart.any():
                at = tuple(int(i) for i in np.argwhere(apart)[0])
                said = f"[{', '.join(map(str, at))}] is {truth[at]:.6g}, not {value[at]:.6g}"
                return Mistake("the first element that differs", "", said)
        return Mistake("it differs at random points")

    def dims(self, expr: Expr, layout: Layout) -> tuple[tuple[int, ...], ...]:
        """The dimensions of the factors of a product, with the experiment's own sizes."""
        if expr.op != "product":
            return ()
        claim = Claim(Target("loss"), [self.grader.own(self.handin.at, self.sample)])
        found = []
        for factor in expr.args:
            try:
                value = claim.value(factor, layout, 0)
            except (Mismatch, Spent):
                return ()
            if not isinstance(value, Unit):
                found.append(value.shape or (1, 1))
        return tuple(found)

    # Numbers, dimensions, steps, inputs.

    def places(self, target: Target) -> list[Place]:
        """Where numbers may be of, the likeliest first."""
        at, wanted = self.handin.at, self.handin
        sample = Place(f"sample {wanted.sample or 0}", self.grader.own(at, wanted.sample or 0))
        batch = Place("the batch", self.grader.own(at, None))
        if wanted.batch:
            return [batch]
        if wanted.sample is not None:
            return [sample]
        return [batch, sample] if target.own or target.wrt is None else [sample, batch]

    def numbers(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """Numbers, held against those of the sample or the batch."""
        target = one.target
        assert target is not None
        given, said = array_of(one.answer.said), text_of(one.answer)
        places = self.places(target)
        found = list(agreements(target, given, places))
        # The layout of a matrix is free; that of a vector is the hand-in's.
        free = [a for a in found if target.own or not a.oriented or a.layout == layout]
        if free:
            best = free[0]
            notes = [*one.notes]
            if len(places) > 1:
                notes.append(f"of {best.place.name}")
            if best.layout != layout and not target.own and all(a.layout != layout for a in found):
                notes.append(OTHER_LAYOUT.format(best.layout))
            notes += [best.rounded] if best.rounded else []
            return Verdict(one.answer.of, "right", said, notes=tuple(notes))
        own = self.standing(target, given)
        if own:
            return Verdict(one.answer.of, "right", said, notes=("as it stands there",))
        updated = self.updated()
        chain = right_chain(target, self.names, self.grader.rows, places[0].scene)
        mistakes = number_mistakes(target, given, places, updated, self.names, chain)
        word = judged(mistakes, target.wrt is None)
        expected = self.grader.expected.numbers(target, places[0].scene, layout)
        return Verdict(one.answer.of, word, said, mistakes, one.notes, expected=expected)

    def standing(self, target: Target, given: Any) -> bool:
        """Whether the numbers are those of the tensor itself at the position, its sums included."""
        name = target.of
        if target.wrt is not None:
            name = self.grader.program.gradients.get(target.wrt, "")
        found = self.grader.session(self.handin.at).tensors.get(name)
        if found is None or (target.wrt is not None and not target.own):
            return False
        return found.size == given.size and bool(
            np.allclose(np.squeeze(found), np.squeeze(given), rtol=1e-5)
            if np.squeeze(found).shape == np.squeeze(given).shape
            else False
        )

    def updated(self) -> Scene | None:
        """The scene after the update of the iteration."""
        session = self.grader.session(self.handin.at)
        timeline = session.timeline
        iteration = timeline.iteration(min(session.event, timeline.end - 1))
        end = timeline.begin(iteration) + len(self.grader.program.ops)
        try:
            return self.grader.own(f"#{end}", None if self.handin.batch else self.sample)
        except GradstepError:
            return None

    def shape(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """Dimensions, in letters or numbers."""
        target, said = one.target, text_of(one.answer)
        assert target is not None
        try:
            claim = self.claim(target)
            sizes = self.sizes_of(one.answer.said)
            fitting = [name for name in claim.truth[0] if self.conforms(sizes, claim, name)]
        except Unread as error:
            return self.unread(replace(one, problem=error.message, place=error.place), fits, layout)
        except GradstepError as error:
            return self.unread(replace(one, problem=str(error)), fits, layout)
        expected = claim.scenes[0].lettered(claim.truth[0][layout].shape)
        if layout in fitting:
            return Verdict(one.answer.of, "right", said, notes=one.notes)
        own = sized(claim.truth[-1][layout].shape)
        if fitting:
            vector = 1 in claim.truth[0][layout].shape
            rows = claim.truth[0][layout].shape[0]
            if not vector:
                note = OTHER_LAYOUT.format(layout_of(fitting[0]))
                return Verdict(one.answer.of, "right", said, notes=(*one.notes, note))
            mistake = Mistake(COLUMN if rows == 1 else ROW)
        else:
            mistake = Mistake("dimensions", "", f"it is {expected} ({own})")
        word = judged((mistake,))
        return Verdict(one.answer.of, word, said, (mistake,), one.notes, expected=expected)

    def sizes_of(self, said: Any) -> list[list[str]]:
        """The sizes of an answer: text, or a list of numbers and letters."""
        if isinstance(said, str):
            return dimensions(said)
        flat = np.asarray(said).reshape(-1).tolist() if not isinstance(said, list) else said
        if not all(isinstance(one, int | str) for one in flat):
            raise Unread("expects dimensions, as h×h or [4, 4]", 0)
        return dimensions("×".join(map(str, flat)) or "1×1")

    def conforms(self, sizes: list[list[str]], claim: Claim, layout: Reading) -> bool:
        """Whether dimensions are right: letters in every scene, numbers in the experiment's own."""
        letters = any(not part.isdigit() for axis in sizes for part in axis)
        picked = list(enumerate(claim.scenes)) if letters else [(len(claim.scenes) - 1, None)]
        for k, _ in picked:
            truth = claim.truth[k][layout].shape
            known = claim.scenes[k].letters
            found = tuple(product_of(axis, known) for axis in sizes)
            column = len(found) == 1 and 1 in truth and found[0] == max(truth)
            if found != truth and not column:
                return False
        return True

    def steps(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """The five steps in any legal order."""
        said = one.answer.said
        lines = said if isinstance(said, list) else str(said).replace("\n", ",").split(",")
        text = text_of(one.answer)
        try:
            mistakes = step_mistakes([str(line) for line in lines])
        except Unread as error:
            return self.unread(replace(one, problem=error.message, place=error.place), fits, layout)
        expected = None if not mistakes else [str(phase) for phase in self.grader.program.order]
        word = judged(mistakes)
        return Verdict(one.answer.of, word, text, mistakes, expected=expected)

    def inputs(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """Several inputs, in any order: each must be one of those that are read."""
        assert one.row is not None
        said = one.answer.said
        parts = said if isinstance(said, list) else split(str(said))
        targets = [Target(name) for name in one.row.reads]
        symbols = ", ".join(self.names.symbol(name) for name in one.row.reads)
        mistakes: tuple[Mistake, ...] = ()
        if len(parts) != len(targets):
            count = f"{len(parts)}, where it reads {len(targets)}: {symbols}"
            mistakes = (Mistake("inputs", "", count),)
        try:
            for part in parts if not mistakes else []:
                mistakes += self.taken(str(part), targets)
        except Unread as error:
            new = replace(one, problem=error.message, place=error.place)
            return self.unread(new, fits, layout)
        except (Spent, GradstepError) as error:
            return self.unread(replace(one, problem=str(error) or COSTLY), fits, layout)
        word = judged(mistakes, forward=True)
        expected = symbols if mistakes else None
        return Verdict(one.answer.of, word, text_of(one.answer), mistakes, expected=expected)

    def taken(self, part: str, targets: list[Target]) -> tuple[Mistake, ...]:
        """What is wrong with one input; the target that it is, or is nearest to, is taken away."""
        expr, _ = self.tree(part)
        fitting = next((t for t in targets if self.claim(t).fits(expr, "numerator")), None)
        if fitting is not None:
            targets.remove(fitting)
            return ()
        claim = self.claim(targets.pop(0))
        found, _ = diagnosed([self.mending(claim, "numerator")], expr)
        return found or (self.unexplained(expr, claim, "numerator"),)


def lying(shape: tuple[int, ...]) -> tuple[Mistake, ...]:
    """The mistake of a vector that is not of this shape but its transpose."""
    return (Mistake(COLUMN if shape[0] == 1 else ROW),) if 1 in shape else ()


def split(text: str) -> list[str]:
    """Parts between commas that stand in no brackets."""
    parts, depth, last = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char in SEPARATE[::2] and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    return [part.strip() for part in (*parts, text[last:]) if part.strip()]


def product_of(axis: Sequence[str], letters: dict[str, int]) -> int:
    """The size of an axis in numbers; 0 where a letter is unknown."""
    out = 1
    for part in axis:
        out *= int(part[:9]) if part.isdigit() else letters.get(part, 0)
    return out


def sized(shape: tuple[int, ...]) -> str:
    """Dimensions as people write them."""
    return "×".join(map(str, shape)) if shape else "a number"


def text_of(answer: Answer) -> str:
    """An answer as it was written; of numbers their dimensions."""
    if answer.shown:
        return answer.shown
    said = answer.said
    if isinstance(said, str):
        return said
    if isinstance(said, list) and all(isinstance(one, str) for one in said):
        return ", ".join(said)
    try:
        shape = np.asarray(said).shape
    except (ValueError, OverflowError):
        return "a list"
    return f"{sized(shape)} numbers" if shape else str(said)
