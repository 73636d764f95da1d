"""Rows of two worksheets of which one at least is of lines: matched by place, whatever the names.

A cell is the same where both sides say the same with places for names, or where what they say
stands for the same: one side may write out what the other has by name.
"""

from collections.abc import Sequence

from engine.formulas.tree import Formula
from engine.worksheet.meanings import Meanings
from engine.worksheet.rows import Element, Forward, Gradient, Layout, Step
from engine.worksheet.sample import SCALAR
from engine.worksheet.worksheet import Worksheet

SAME, MEANING, CHANGED = range(3)


class Matched:
    """How the cells of rows that stand at one place differ: SAME, MEANING or CHANGED for each."""

    def __init__(self, left: Worksheet, right: Worksheet) -> None:
        self.left, self.right = Meanings(left), Meanings(right)

    def formulas(self, a: Sequence[Formula], b: Sequence[Formula], same: bool) -> int:
        """How formulas differ; ``same`` is whether they stand for the same."""
        alike = [self.left.text(one) for one in a] == [self.right.text(one) for one in b]
        if same:
            return SAME
        return MEANING if alike else CHANGED

    def step(self, a: Step, b: Step) -> list[int]:
        """The cells of a step: its mathematics is what changes."""
        if a.right is None or b.right is None:
            return [SAME, SAME if a.text == b.text else CHANGED, SAME, SAME]
        if a.left == "ℓ":
            same = self.left.text(a.right) == self.right.text(b.right)
            plain = [self.plain_loss(one) for one in (self.left, self.right)]
            return [SAME, SAME if same or plain[0] == plain[1] else CHANGED, SAME, SAME]
        same = self.left.meaning(a.left) == self.right.meaning(b.left)
        return [SAME, self.formulas((a.right,), (b.right,), same), SAME, SAME]

    def plain_loss(self, side: Meanings) -> str:
        """The loss in places, a mean as a fraction of the sum."""
        return side.text(side.formulas["ℓ"])

    def forward(self, a: Forward, b: Forward) -> list[int]:
        """The cells of a row of (b): its name, input, output and size."""
        names = a.symbol.text(), b.symbol.text()
        inputs = self.left.inputs(names[0]) == self.right.inputs(names[1])
        output = self.left.meaning(names[0]) == self.right.meaning(names[1])
        return [
            SAME,
            self.formulas(a.inputs, b.inputs, inputs),
            self.formulas((a.output,), (b.output,), output),
            self.sizes(a, b),
        ]

    def sizes(self, a: Forward | Gradient | Element, b: Forward | Gradient | Element) -> int:
        """The size cell: the same letters, or the same numbers, are the same."""
        one, other = (
            (row.dims("numerator") if isinstance(row, Gradient) else row.dims) or (SCALAR, SCALAR)
            for row in (a, b)
        )
        if [size.text() for size in one] == [size.text() for size in other]:
            return SAME
        numbers = [
            [side.sheet.sample.count(size) for size in dims]
            for side, dims in ((self.left, one), (self.right, other))
        ]
        return SAME if numbers[0] == numbers[1] else CHANGED

    def gradient(self, a: Gradient, b: Gradient, layout: Layout) -> list[int]:
        """The cells of a row of (c): its parameter, the product and its size."""
        one, other = self.left.text(a.skeleton(layout)), self.right.text(b.skeleton(layout))
        if one != other:
            product = CHANGED
        else:
            given = [self.given(side, row) for side, row in ((self.left, a), (self.right, b))]
            product = SAME if given[0] == given[1] else MEANING
        return [SAME, product, self.sizes(a, b)]

    def given(self, side: Meanings, row: Gradient) -> str:
        """What the tensor stands for that is first in the gradient of a weight."""
        return side.stands_for.get(row.numerator[0].symbol.text(), "") if row.numerator else ""

    def element(self, a: Element, b: Element) -> list[int]:
        """The cells of a row of (d): the factor, its rule and its size."""
        same = self.left.text(a.rule) == self.right.text(b.rule)
        return [SAME, SAME if same else CHANGED, self.sizes(a, b)]
