"""The marking of one hand-in: formulas, in the layout that the hand-in has."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.answers.bench import Bench
from engine.answers.claim import BUDGET, Claim, Fit
from engine.answers.expr import Expr
from engine.answers.forms import of_value
from engine.answers.handin import Answer, HandIn
from engine.answers.mistakes import Mending, diagnosed, repeated
from engine.answers.reading import Reading, layout_of, readings_of
from engine.answers.scene import Large, own_scene
from engine.answers.spoken import spoken
from engine.answers.target import Target
from engine.answers.understanding import Read, Understanding
from engine.answers.values import MOST, Meter, Mismatch, Spent, Unit, of_one_size
from engine.answers.verdict import COLUMN, ROW, Mistake, Verdict, judged
from engine.errors import GradstepError
from engine.worksheet.rows import Layout

ITSELF = "it says only what is asked for"
OTHER_LAYOUT = "in {} layout"
COSTLY = "it takes too long to evaluate: write it shorter"
FILE_BUDGET = 20 * BUDGET  # for all answers of a hand-in


class Marking:
    """What is known of one hand-in while it is marked."""

    def __init__(self, bench: Bench, handin: HandIn) -> None:
        self.bench = bench
        self.handin = handin
        self.names = bench.names
        self.understanding = Understanding(bench.names, bench.rows)
        self.meter = Meter(FILE_BUDGET)
        self.claims: dict[tuple[Target, bool, bool], Claim] = {}

    def claim(self, target: Target, batch: bool | None = None, expr: Expr | None = None) -> Claim:
        """The claim about a target, with its scenes; raises GradstepError where it has no value.

        An expression that counts elements is tried in the sizes of the experiment alone.
        """
        whole = self.handin.batch if batch is None else batch
        one_size = bool(target.at) or (expr is not None and of_one_size(expr))
        key = target, whole, one_size
        if key not in self.claims:
            own = self.bench.own(self.handin.at, None if whole else self.sample)
            scenes = list(self.bench.tried(whole, one_size))
            try:
                truths = target.truths(own).values()
                if all(t.size <= MOST and np.isfinite(t).all() for t in truths):
                    scenes.append(own)
            except Large:
                pass
            if not scenes:
                raise GradstepError("it has no finite value that an answer could be compared with")
            self.claims[key] = Claim(target, scenes)
        found = self.claims[key]
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
            return self.claim(one.target, expr=one.expr).layouts(one.expr)
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

    def formula(self, one: Read, fits: list[Fit], layout: Layout) -> Verdict:
        """A formula: right, or with the mistakes that explain it."""
        assert one.target is not None
        assert one.expr is not None
        try:
            claim = self.claim(one.target, expr=one.expr)
        except GradstepError as error:
            return unread(replace(one, problem=str(error)))
        if not fits and self.of_batch(one):
            notes = (*one.notes, "of the batch")
            return Verdict(one.answer.of, "right", text_of(one.answer), notes=notes)
        try:
            mistakes, notes, used = self.found(one, claim, fits, layout)
        except Spent:
            return unread(replace(one, problem=COSTLY))
        forward = one.target.wrt is None
        word = judged(mistakes, forward)
        expected = None if word == "right" else self.bench.expected.of(one.target, used)
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
            return bool(self.claim(one.target, True, one.expr).layouts(one.expr))
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
        tried = [self.claim(one.target, expr=one.expr) for _ in readings_of(layout)]
        menders = [self.mending(t, r) for t, r in zip(tried, readings_of(layout), strict=True)]
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
        return Mending(claim, self.names, self.bench.rows, layout)

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
        counted = bool(claim.target.at) or of_one_size(expr)
        claim = Claim(claim.target, claim.scenes, Meter(BUDGET, self.meter))
        for k in (0, *reversed(range(len(claim.scenes)))):
            scene, truth = claim.scenes[k], claim.truth[k][layout]
            lettered = sized if counted else scene.lettered
            try:
                value = claim.value(expr, layout, k)
            except Mismatch as error:
                dims = "".join(f"({lettered(one)})" for one in error.dims)
                return Mistake("dimensions do not conform", "", dims or error.message)
            if not isinstance(value, Unit):  # it may lie as in the other layout
                alike = (t for t in claim.truth[k].values() if t.shape == value.shape)
                truth = next(alike, truth)
            if isinstance(value, Unit) or value.shape != truth.shape:
                found = "I" if isinstance(value, Unit) else lettered(value.shape) or "a number"
                return Mistake("dimensions", "", f"{found}, where it is {lettered(truth.shape)}")
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
        claim = Claim(Target("loss"), [self.bench.own(self.handin.at, self.sample)])
        found = []
        for factor in expr.args:
            try:
                value = claim.value(factor, layout, 0)
            except (Mismatch, Spent):
                return ()
            if not isinstance(value, Unit):
                found.append(value.shape or (1, 1))
        return tuple(found)


def lying(shape: tuple[int, ...]) -> tuple[Mistake, ...]:
    """The mistake of a vector that is not of this shape but its transpose."""
    return (Mistake(COLUMN if shape[0] == 1 else ROW),) if 1 in shape else ()


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


def unread(one: Read) -> Verdict:
    """An answer that is not understood, with the place."""
    mistake = Mistake(one.problem)
    said = text_of(one.answer)
    return Verdict(one.answer.of, "not understood", said, (mistake,), place=one.place)
