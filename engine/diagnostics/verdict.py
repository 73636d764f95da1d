"""What follows from what: findings that another one explains become notes that name it."""

from collections.abc import Sequence
from dataclasses import replace

from engine.diagnostics.detector import number
from engine.diagnostics.diagnosis import NOT_FINITE, Diagnosis, Severity
from engine.diagnostics.steps import MANY_ROWS, LearningRate, estimate

# An effect is explained by a cause that was seen at the same event or before; the first in the row
# that applies is named.
EXPLAINED_BY: dict[str, tuple[str, ...]] = {
    "loss-rising": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "wrong-output",
    ),
    "loss-oscillating": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "loss-rising",
    ),
    "exploding-gradients": ("accumulated-gradients", "summed-loss", "loss-rising"),
    "vanishing-gradients": ("dead-relu", "symmetric-units", "saturated", "loss-rising"),
    "update-ratio": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "vanishing-gradients",
        "saturated",
        "log-of-zero",
        "symmetric-units",
        "dead-relu",
        "loss-rising",
        "double-softmax",
    ),
    "never-moves": (
        "dead-relu",
        "symmetric-units",
        "log-of-zero",
        "saturated",
        "vanishing-gradients",
        "float32-cancellation",
        "non-finite",
        "wrong-output",
    ),
    "dead-relu": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "loss-rising",
    ),
    "saturated": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "loss-rising",
    ),
    "log-of-zero": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "loss-rising",
    ),
    "non-finite": (
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "wrong-output",
        "loss-rising",
    ),
    "class-imbalance": ("non-finite", "loss-rising", "never-moves", "dead-relu"),
    "float32-cancellation": ("loss-rising", "exploding-gradients", "accumulated-gradients"),
    "initial-loss": ("input-scales", "log-of-zero", "exploding-gradients", "wrong-output"),
}
# What is measured over the whole run has a first event of little meaning: no order is asked for.
TIMELESS = frozenset({"update-ratio", "loss-oscillating"})
SWINGS = ("loss-rising", "loss-oscillating")
ORDER = list(Severity)


def concluded(findings: Sequence[Diagnosis], rate: LearningRate | None) -> list[Diagnosis]:
    """The findings with causes and effects told apart, the serious ones first, then by event.

    Of the same severity what is not finite comes first: every other number is worth little then.
    ``rate`` can give the estimate of the largest stable learning rate; without it there is none.
    """
    if rate is not None and any(one.name in SWINGS for one in findings):
        findings = with_estimate(findings, rate)
    told = [effect(one, findings) for one in findings]
    return sorted(told, key=rank)


def rank(one: Diagnosis) -> tuple[int, bool, int]:
    """The order of a finding among the others: severity, not finite first, then the event."""
    return ORDER.index(one.severity), one.name != NOT_FINITE, one.event or 0


def with_estimate(findings: Sequence[Diagnosis], rate: LearningRate) -> list[Diagnosis]:
    """A rising loss quotes the estimate; a summed loss is its cause where the numbers say so."""
    stable = rate.stable
    if stable is None:
        return list(findings)
    told = []
    for one in findings:
        if one.name in SWINGS:
            numbers = {**one.numbers, "largest_stable": stable.rate}
            text = f"{one.evidence}; {estimate(stable)}"
            below = f", below {number(stable.rate)}" if rate.rate > stable.rate else ""
            remedy = one.remedy.replace(
                "a smaller learning rate", f"a smaller learning rate{below}"
            )
            told.append(replace(one, evidence=text, remedy=remedy, numbers=numbers))
        elif one.name == "summed-loss" and blamed(one, rate.rate, stable.rate):
            rows = one.numbers["rows"]
            text = (
                f"{one.evidence}; {rate.rate:g} is above {estimate(stable)}, {rate.rate:g}/{rows}"
            )
            told.append(replace(one, evidence=f"{text} is not", severity=Severity.SERIOUS))
        else:
            told.append(one)
    return told


def blamed(one: Diagnosis, rate: float, stable: float) -> bool:
    """Whether the number of rows makes the difference between a stable rate and another."""
    rows = one.numbers["rows"]
    return isinstance(rows, int) and rows >= MANY_ROWS and rate > stable >= rate / rows


def effect(one: Diagnosis, findings: Sequence[Diagnosis]) -> Diagnosis:
    """The finding itself, or as a note where an earlier one explains it."""
    for name in EXPLAINED_BY.get(one.name, ()):
        for cause in findings:
            if cause.name == name and explains(cause, one):
                return replace(one, severity=Severity.NOTE, follows=name)
    return one


def explains(cause: Diagnosis, one: Diagnosis) -> bool:
    """Whether a cause counts, and was there before."""
    if cause.event is None or one.event is None or cause.severity == Severity.NOTE:
        return False
    heavy = cause.serious or cause.severity == one.severity
    return heavy and (one.name in TIMELESS or cause.event <= one.event)
