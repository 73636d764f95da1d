"""Answers that are no formulas: numbers, dimensions, the five steps, several inputs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.answers.chains import right_chain
from engine.answers.claim import Claim
from engine.answers.expr import Unread
from engine.answers.marking import COSTLY, OTHER_LAYOUT, Marking, sized, text_of, unread
from engine.answers.mistakes import diagnosed
from engine.answers.numbers import Place, agreements, array_of, number_mistakes
from engine.answers.reading import Reading, layout_of
from engine.answers.scene import Scene
from engine.answers.steps import dimensions, step_mistakes
from engine.answers.target import Target
from engine.answers.understanding import Read
from engine.answers.values import Spent
from engine.answers.verdict import COLUMN, ROW, Mistake, Verdict, judged
from engine.errors import GradstepError
from engine.worksheet.rows import Layout

SEPARATORS = ",;"


@dataclass(frozen=True, eq=False)
class Others:
    """Judges them, beside the marking of a hand-in."""

    marking: Marking

    def places(self, target: Target) -> list[Place]:
        """Where numbers may be of, the likeliest first."""
        at, wanted = self.marking.handin.at, self.marking.handin
        sample = Place(
            f"sample {wanted.sample or 0}", self.marking.bench.own(at, wanted.sample or 0)
        )
        batch = Place("the batch", self.marking.bench.own(at, None))
        if wanted.batch:
            return [batch]
        if wanted.sample is not None:
            return [sample]
        return [batch, sample] if target.own or target.wrt is None else [sample, batch]

    def numbers(self, one: Read, layout: Layout) -> Verdict:
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
            # A gradient asked for as a tensor has the shape of its parameter.
            usual = "gradient" if target.own else layout
            if all(a.layout != usual for a in found):
                notes.append(OTHER_LAYOUT.format(best.layout))
            notes += [best.rounded] if best.rounded else []
            return Verdict(one.answer.of, "right", said, notes=tuple(notes))
        own = self.standing(target, given)
        if own:
            return Verdict(one.answer.of, "right", said, notes=("as it stands there",))
        updated = self.updated()
        chain = right_chain(target, self.marking.names, self.marking.bench.rows, places[0].scene)
        mistakes = number_mistakes(target, given, places, updated, self.marking.names, chain)
        word = judged(mistakes, target.wrt is None)
        expected = self.marking.bench.expected.numbers(target, places[0].scene, layout)
        return Verdict(one.answer.of, word, said, mistakes, one.notes, expected=expected)

    def standing(self, target: Target, given: Any) -> bool:
        """Whether the numbers are those of the tensor itself at the position, its sums included."""
        name = target.of
        if target.wrt is not None:
            name = self.marking.bench.program.gradients.get(target.wrt, "")
        found = self.marking.bench.session(self.marking.handin.at).tensors.get(name)
        if found is None or (target.wrt is not None and not target.own):
            return False
        return found.size == given.size and bool(
            np.allclose(np.squeeze(found), np.squeeze(given), rtol=1e-5)
            if np.squeeze(found).shape == np.squeeze(given).shape
            else False
        )

    def updated(self) -> Scene | None:
        """The scene after the update of the iteration."""
        session = self.marking.bench.session(self.marking.handin.at)
        timeline = session.timeline
        iteration = timeline.iteration(min(session.event, timeline.end - 1))
        end = timeline.begin(iteration) + len(self.marking.bench.program.ops)
        try:
            return self.marking.bench.own(
                f"#{end}", None if self.marking.handin.batch else self.marking.sample
            )
        except GradstepError:
            return None

    def shape(self, one: Read, layout: Layout) -> Verdict:
        """Dimensions, in letters or numbers."""
        target, said = one.target, text_of(one.answer)
        assert target is not None
        try:
            claim = self.marking.claim(target)
            sizes = self.sizes_of(one.answer.said)
            fitting = [name for name in claim.truth[0] if self.conforms(sizes, claim, name)]
        except Unread as error:
            return unread(replace(one, problem=error.message, place=error.place))
        except GradstepError as error:
            return unread(replace(one, problem=str(error)))
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

    def steps(self, one: Read, layout: Layout) -> Verdict:
        """The five steps in any legal order."""
        said = one.answer.said
        lines = said if isinstance(said, list) else str(said).replace("\n", ",").split(",")
        text = text_of(one.answer)
        try:
            mistakes = step_mistakes([str(line) for line in lines])
        except Unread as error:
            return unread(replace(one, problem=error.message, place=error.place))
        expected = (
            None if not mistakes else [str(phase) for phase in self.marking.bench.program.order]
        )
        word = judged(mistakes)
        return Verdict(one.answer.of, word, text, mistakes, expected=expected)

    def inputs(self, one: Read, layout: Layout) -> Verdict:
        """Several inputs, in any order: each must be one of those that are read."""
        assert one.row is not None
        said = one.answer.said
        parts = said if isinstance(said, list) else split(str(said))
        targets = [Target(name) for name in one.row.reads]
        symbols = ", ".join(self.marking.names.symbol(name) for name in one.row.reads)
        mistakes: tuple[Mistake, ...] = ()
        if len(parts) != len(targets):
            count = f"{len(parts)}, where it reads {len(targets)}: {symbols}"
            mistakes = (Mistake("inputs", "", count),)
        try:
            for part in parts if not mistakes else []:
                mistakes += self.taken(str(part), targets)
        except Unread as error:
            new = replace(one, problem=error.message, place=error.place)
            return unread(new)
        except (Spent, GradstepError) as error:
            return unread(replace(one, problem=str(error) or COSTLY))
        word = judged(mistakes, forward=True)
        expected = symbols if mistakes else None
        return Verdict(one.answer.of, word, text_of(one.answer), mistakes, expected=expected)

    def taken(self, part: str, targets: list[Target]) -> tuple[Mistake, ...]:
        """What is wrong with one input; the target that it is, or is nearest to, is taken away."""
        expr, _ = self.marking.understanding.tree(part)
        claims = ((t, self.marking.claim(t, expr=expr)) for t in targets)
        fitting = next((t for t, claim in claims if claim.fits(expr, "numerator")), None)
        if fitting is not None:
            targets.remove(fitting)
            return ()
        claim = self.marking.claim(targets.pop(0))
        found, _ = diagnosed([self.marking.mending(claim, "numerator")], expr)
        return found or (self.marking.unexplained(expr, claim, "numerator"),)


def split(text: str) -> list[str]:
    """Parts between commas that stand in no brackets."""
    parts, depth, last = [], 0, 0
    for i, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if char in SEPARATORS and depth == 0:
            parts.append(text[last:i])
            last = i + 1
    return [part.strip() for part in (*parts, text[last:]) if part.strip()]


def product_of(axis: Sequence[str], letters: dict[str, int]) -> int:
    """The size of an axis in numbers; 0 where a letter is unknown."""
    out = 1
    for part in axis:
        out *= int(part[:9]) if part.isdigit() else letters.get(part, 0)
    return out
