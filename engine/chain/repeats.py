"""Repetitions in a chain: the same few factors again and again, as a deep network has them."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

LONGEST = 8  # factors of one repetition
FEWEST = 3  # repetitions that are worth a sign
SHORT = 12  # a chain of so many factors is seen whole


class Run(NamedTuple):
    """``times`` repetitions of the ``size`` factors from number ``start`` on; else once one."""

    start: int
    size: int
    times: int

    @property
    def stop(self) -> int:
        """The number of the factor behind the run."""
        return self.start + self.size * self.times


def repeats(factors: Sequence[Hashable]) -> list[Run]:
    """A chain as runs of equal factors, from left to right; a short one as single factors.

    Where several begin at one place, the one that covers most; of equals the shortest.
    """
    if len(factors) <= SHORT:
        return [Run(i, 1, 1) for i in range(len(factors))]
    # lengths[p][i]: how many factors from i on are equal to the one p places further.
    lengths = {p: equal_from(factors, p) for p in range(1, LONGEST + 1)}
    found, at = list[Run](), 0
    while at < len(factors):
        best = Run(at, 1, 1)
        for size, equal in lengths.items():
            times = equal[at] // size + 1
            if times >= FEWEST and size * times > best.stop - at:
                best = Run(at, size, times)
        found.append(best)
        at = best.stop
    return found


def equal_from(factors: Sequence[Hashable], size: int) -> list[int]:
    """For each place how many factors in a row equal the one ``size`` places further on."""
    found = [0] * (len(factors) + 1)
    for i in range(len(factors) - size - 1, -1, -1):
        found[i] = found[i + 1] + 1 if factors[i] == factors[i + size] else 0
    return found[:-1]
