"""Verdicts on the statistics of a layer: vanishing, exploding, dead, saturated, past which limit.

The limits are those of the doctor's detectors, so that the two never disagree about a number.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from engine.diagnostics.diagnosis import Limit
from engine.diagnostics.gradients import EXPLODED, GROWN, SHRUNK, VANISHED
from engine.diagnostics.rates import STEP_LARGE, STEP_SMALL
from engine.diagnostics.units import DEAD_SHARE, FLAT_MANY, FLAT_NEARLY_ALL
from engine.program.program import Program

Numbers = Mapping[str, float]
WHOLE = Limit(1.0, "whole step", "an update as long as the weight leaves nothing of what it was")
SURGE = Limit(1e3, "surge", "a thousand times what it has mostly been")


@dataclass(frozen=True)
class Verdict:
    """A number past a limit: the word for it, whether upwards, and whether it is severe."""

    quantity: str
    word: str
    up: bool
    severe: bool
    because: str


def reference(program: Program) -> str:
    """The layer whose gradient the others are compared with: the last one that has weights."""
    linears = [node.name for node in program.network.nodes if node.layer.parameters]
    names = linears or [node.name for node in program.network.nodes]
    return names[-1] if names else ""


def judge(
    program: Program, values: Mapping[str, Numbers], usual: Mapping[str, float]
) -> dict[str, list[Verdict]]:
    """The verdicts on each layer, the worst first.

    ``usual`` has the median of the gradient norms of each layer in the last iterations.
    """
    last = reference(program)
    against = values.get(last, {}).get("gradient")
    names = [node.name for node in program.network.nodes]
    found = {}
    for node in program.network.nodes:
        mine = values.get(node.name, {})
        verdicts = [*broken(mine)]
        if names.index(node.name) < names.index(last):
            verdicts += compared(mine, against, last)
        if not verdicts:
            verdicts += surging(mine, usual.get(node.name))
        output = node.output == program.network.output
        verdicts += units(mine, output and program.network.loss.type == "bce", output)
        verdicts += steps(mine)
        found[node.name] = sorted(verdicts, key=lambda verdict: not verdict.severe)
    return found


def broken(values: Numbers) -> Iterator[Verdict]:
    """Numbers that are not finite."""
    for quantity, what in (("gradient", "the gradient"), ("mean", "the activation")):
        if quantity in values and not math.isfinite(values[quantity]):
            yield Verdict(quantity, "not finite", True, True, f"{what} has a NaN or an infinity")


def compared(values: Numbers, against: float | None, last: str) -> Iterator[Verdict]:
    """A gradient much smaller or larger than that of the last layer."""
    mine = values.get("gradient")
    if mine is None or not against or not math.isfinite(mine) or not math.isfinite(against):
        return
    ratio = mine / against
    because = f"{ratio:.2g} × that of {last}"
    if mine == 0:
        yield Verdict("gradient", "no gradient", False, True, "nothing comes back to this layer")
    elif ratio < SHRUNK:
        limit = VANISHED if ratio < VANISHED else SHRUNK
        yield Verdict("gradient", "vanishing", False, ratio < VANISHED, f"{because} (< {limit:g})")
    elif ratio > GROWN:
        limit = EXPLODED if ratio > EXPLODED else GROWN
        yield Verdict("gradient", "exploding", True, ratio > EXPLODED, f"{because} (> {limit:g})")


def surging(values: Numbers, usual: float | None) -> Iterator[Verdict]:
    """A gradient much larger than the median of its past."""
    mine = values.get("gradient")
    if mine is None or not usual or not mine > SURGE * usual:
        return
    because = f"{mine / usual:.2g} × the median of its past (> {SURGE:g})"
    yield Verdict("gradient", "exploding", True, True, because)


def units(values: Numbers, excused: bool, output: bool) -> Iterator[Verdict]:
    """Units that are off, or flat. A sure answer is no fault, and under bce costs no gradient."""
    dead, flat = values.get("dead", 0.0), values.get("flat", 0.0)
    if dead >= DEAD_SHARE:
        all_of = dead == 1
        because = f"{dead:.0%} of the units are off (≥ {DEAD_SHARE:.0%})"
        yield Verdict("zeros", "dead" if all_of else "half dead", True, all_of, because)
    if flat > FLAT_MANY and not excused:
        severe = flat > FLAT_NEARLY_ALL and not output
        limit = FLAT_NEARLY_ALL if severe else FLAT_MANY
        because = f"{flat:.0%} of the outputs are flat (> {limit:.0%})"
        yield Verdict("flat", "saturated", True, severe, because)


def steps(values: Numbers) -> Iterator[Verdict]:
    """Updates that are large or small beside the weights."""
    ratio = values.get("update")
    if ratio is None or math.isnan(ratio):
        return
    because = f"{ratio:.3g} of the weights"
    if ratio > STEP_LARGE:
        limit = WHOLE if ratio > WHOLE else STEP_LARGE
        yield Verdict("update", "big steps", True, ratio > WHOLE, f"{because} (> {limit:g})")
    elif ratio == 0:
        yield Verdict("update", "no steps", False, False, "the update has left the weights alone")
    elif ratio < STEP_SMALL:
        yield Verdict("update", "tiny steps", False, False, f"{because} (< {STEP_SMALL:g})")
