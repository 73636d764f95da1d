"""In which order a product of Jacobians is multiplied, and what that costs."""

from collections.abc import Sequence
from enum import StrEnum

from engine.jacobian.operator import Pattern

MOST_SEARCHED = 24  # factors: the search takes the cube of them, and a millisecond for so many


class Side(StrEnum):
    """Where the multiplication of a long product begins; a short one may begin anywhere."""

    ANY = "any"
    LEFT = "left"
    RIGHT = "right"


class Association:
    """The order of multiplication with the fewest multiply-adds.

    The classic dynamic programme over all brackets (Cormen et al., Introduction to Algorithms,
    "Matrix-chain multiplication"), with the cost of structured factors instead of dense ones.
    Of more than ``MOST_SEARCHED`` factors the two sweeps alone are compared, reverse mode from the
    left and forward mode from the right: of the derivative of a scalar the first is the cheapest.
    ``patterns``, ``costs`` and ``splits`` are by range of factors, as far as they were looked at.
    """

    def __init__(self, leaves: Sequence[Pattern]) -> None:
        count = len(leaves)
        self.patterns = {(i, i + 1): leaf for i, leaf in enumerate(leaves)}
        self.costs = {(i, i + 1): 0 for i in range(count)}
        self.splits: dict[tuple[int, int], int] = {}
        self.side = Side.ANY
        if count > MOST_SEARCHED:
            self.side = self.sweep(count)
            return
        for length in range(2, count + 1):
            for start in range(count - length + 1):
                self.choose(start, start + length)

    def sweep(self, count: int) -> Side:
        """Compare the ways from both sides; of equals that of reverse mode."""
        for start in range(count - 2, -1, -1):
            self.join(start, start + 1, count)
        from_right = self.costs[0, count]
        kept = self.patterns[0, count], self.splits[0, count]
        for stop in range(2, count + 1):
            self.join(0, stop - 1, stop)
        if self.costs[0, count] <= from_right:
            return Side.LEFT
        self.costs[0, count] = from_right
        self.patterns[0, count], self.splits[0, count] = kept
        return Side.RIGHT

    def choose(self, start: int, stop: int) -> None:
        """Find the best last multiplication of a range: of equals that of reverse mode."""
        # −k, so that of equal costs the last split wins: (J₁ … Jₙ₋₁) Jₙ goes from the left
        _, back = min((self.cost(start, k, stop), -k) for k in range(start + 1, stop))
        self.join(start, -back, stop)

    def join(self, start: int, split: int, stop: int) -> None:
        """Multiply a range at ``split`` last."""
        self.costs[start, stop] = self.cost(start, split, stop)
        self.splits[start, stop] = split
        left, right = self.patterns[start, split], self.patterns[split, stop]
        self.patterns[start, stop] = left.times(right)

    def cost(self, start: int, split: int, stop: int) -> int:
        """Multiply-adds of the range ``start`` to ``stop`` when ``split`` is multiplied last."""
        last = self.patterns[start, split].cost(self.patterns[split, stop])
        return self.costs[start, split] + self.costs[split, stop] + last

    def order(self, symbols: Sequence[str]) -> str:
        """The order in words: with brackets, ``cheapest order: (∂ℓ/∂ŷ ∂ŷ/∂z₃) ∂z₃/∂z₂``.

        Of more factors than anybody reads brackets of, the side that it begins at.
        """
        match self.side:
            case Side.LEFT:
                return f"cheapest from the left: {symbols[0]} {symbols[1]} first"
            case Side.RIGHT:
                return f"cheapest from the right: {symbols[-2]} {symbols[-1]} first"
            case _:
                return f"cheapest order: {self.brackets(symbols, 0, len(symbols))}"

    def brackets(self, symbols: Sequence[str], start: int, stop: int) -> str:
        """The order written with brackets: ``(∂ℓ/∂ŷ ∂ŷ/∂z₃) ∂z₃/∂z₂``."""
        if stop - start == 1:
            return symbols[start]
        split = self.splits[start, stop]
        sides = ((start, split), (split, stop))
        texts = [self.brackets(symbols, *side) for side in sides]
        return " ".join(
            f"({t})" if b - a > 1 else t for t, (a, b) in zip(texts, sides, strict=True)
        )
