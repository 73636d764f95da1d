"""What follows from what: findings that another one explains become notes that name it."""

from collections.abc import Sequence
from dataclasses import replace

from engine.diagnostics.detector import number
from engine.diagnostics.diagnosis import NOT_FINITE, Diagnosis, Severity
from engine.diagnostics.steps import MANY_ROWS, LearningRate, estimate

# What makes a step or a loss meaningless, whatever comes of it.
WRONG_LOOP = ("nothing-counts", "ascent", "target-domain")
# An effect is explained by a cause that was seen at the same event or before; the first in the row
# that applies is named.
EXPLAINED_BY: dict[str, tuple[str, ...]] = {
    "loss-rising": (
        *WRONG_LOOP,
        "oversized-steps",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "large-inputs",
        "exploding-gradients",
        "wrong-output",
        "step-factor",
        "sorted-batches",
        "target-scale",
    ),
    "loss-oscillating": (
        *WRONG_LOOP,
        "oversized-steps",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "large-inputs",
        "dropout-place",
        "step-factor",
        "sorted-batches",
        "loss-rising",
        "target-scale",
    ),
    "exploding-gradients": (
        *WRONG_LOOP,
        "oversized-steps",
        "large-inputs",
        "accumulated-gradients",
        "summed-loss",
        "loss-rising",
        "target-scale",
    ),
    "vanishing-gradients": (
        *WRONG_LOOP,
        "oversized-steps",
        "large-inputs",
        "dead-relu",
        "symmetric-units",
        "saturated",
        "loss-rising",
        "weight-decay",
    ),
    "update-ratio": (
        *WRONG_LOOP,
        "oversized-steps",
        "unreachable-targets",
        "step-factor",
        "weight-decay",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "large-inputs",
        "exploding-gradients",
        "vanishing-gradients",
        "saturated",
        "log-of-zero",
        "symmetric-units",
        "dead-relu",
        "loss-rising",
        "double-softmax",
        "target-scale",
    ),
    "never-moves": (
        "nothing-counts",
        "dropout-place",
        "unreachable-targets",
        "dead-relu",
        "symmetric-units",
        "log-of-zero",
        "saturated",
        "vanishing-gradients",
        "float32-cancellation",
        "non-finite",
        "wrong-output",
        "step-factor",
    ),
    "dead-relu": (
        *WRONG_LOOP,
        "unreachable-targets",
        "oversized-steps",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "large-inputs",
        "exploding-gradients",
        "loss-rising",
        "target-scale",
    ),
    "saturated": (
        *WRONG_LOOP,
        "oversized-steps",
        "unreachable-targets",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "large-inputs",
        "exploding-gradients",
        "loss-rising",
        "target-scale",
    ),
    "log-of-zero": (
        *WRONG_LOOP,
        "oversized-steps",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "loss-rising",
    ),
    "non-finite": (
        *WRONG_LOOP,
        "oversized-steps",
        "accumulated-gradients",
        "summed-loss",
        "input-scales",
        "exploding-gradients",
        "wrong-output",
        "loss-rising",
        "target-scale",
    ),
    "no-progress": (
        *WRONG_LOOP,
        "oversized-steps",
        "unreachable-targets",
        "double-softmax",
        "wrong-output",
        "accumulated-gradients",
        "never-moves",
        "dropout-place",
        "step-factor",
        "weight-decay",
        "symmetric-units",
        "dead-relu",
        "log-of-zero",
        "saturated",
        "vanishing-gradients",
        "float32-cancellation",
        "linear-in-a-row",
        "missing-bias",
        "frozen",
        "summed-loss",
        "input-scales",
        "large-inputs",
        "exploding-gradients",
        "loss-rising",
        "loss-oscillating",
        "class-imbalance",
        "sorted-batches",
        "target-scale",
        "update-ratio",
    ),
    "missing-bias": (
        *WRONG_LOOP,
        "unreachable-targets",
        "step-factor",
        "weight-decay",
        "never-moves",
        "loss-rising",
    ),
    "overfitting": ("ascent", "target-domain"),
    "unreachable-targets": ("double-softmax",),
    "absent-class": ("target-domain",),
    "class-imbalance": (
        *WRONG_LOOP,
        "oversized-steps",
        "absent-class",
        "unreachable-targets",
        "sorted-batches",
        "step-factor",
        "non-finite",
        "loss-rising",
        "never-moves",
        "dead-relu",
    ),
    "float32-cancellation": ("loss-rising", "exploding-gradients", "accumulated-gradients"),
    "initial-loss": (
        "target-domain",
        "input-scales",
        "large-inputs",
        "log-of-zero",
        "exploding-gradients",
        "wrong-output",
    ),
}
# What may stand there without harm, and matters as much as what comes of it.
RAISED = frozenset(
    {
        "large-inputs",
        "linear-in-a-row",
        "oversized-steps",
        "sorted-batches",
        "step-factor",
        "target-scale",
        "update-ratio",
        "weight-decay",
    }
)
# What is measured over the whole run has a first event of little meaning: no order is asked for.
TIMELESS = frozenset({"update-ratio", "loss-oscillating", "no-progress"})
# Of these even a note is a cause.
HARMLESS_ALONE = frozenset({"large-inputs", "linear-in-a-row", "target-scale"})
# What keeps a network from learning, and matters less where it has learnt all the same.
OBSTACLES = frozenset(
    {
        "dead-relu",
        "exploding-gradients",
        "input-scales",
        "loss-oscillating",
        "loss-rising",
        "saturated",
        "update-ratio",
        "vanishing-gradients",
    }
)
SWINGS = ("loss-rising", "loss-oscillating")
ORDER = list(Severity)


def concluded(
    findings: Sequence[Diagnosis], rate: LearningRate | None, learnt: bool = False
) -> list[Diagnosis]:
    """The findings with causes and effects told apart, the serious ones first, then by event.

    Of the same severity what is not finite comes first: every other number is worth little then.
    ``rate`` can give the estimate of the largest stable learning rate; without it there is none.
    ``learnt``: the loss is a tenth of that of a constant answer, so that obstacles were none.
    """
    if learnt:
        findings = [overcome(one) if one.name in OBSTACLES else one for one in findings]
    if rate is not None and any(one.name in SWINGS for one in findings):
        findings = with_estimate(findings, rate)
    told = [effect(one, findings) for one in findings]
    return sorted(raised(told, findings), key=rank)


def overcome(one: Diagnosis) -> Diagnosis:
    """A finding about an obstacle that has not kept the network from learning."""
    if not one.serious:
        return one
    said = f"{one.evidence}; the network has learnt all the same"
    return replace(one, severity=Severity.WARNING, evidence=said)


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


def raised(told: Sequence[Diagnosis], findings: Sequence[Diagnosis]) -> list[Diagnosis]:
    """The findings, with those that explain a heavier one as heavy as that: ``told`` after it."""
    weight: dict[str, Severity] = {}
    for before, after in zip(findings, told, strict=True):
        if after.follows in RAISED:
            known = weight.get(after.follows, Severity.NOTE)
            weight[after.follows] = min(known, before.severity, key=ORDER.index)
    return [
        replace(one, severity=min(one.severity, weight[one.name], key=ORDER.index))
        if one.name in weight and not one.follows
        else one
        for one in told
    ]


def effect(one: Diagnosis, findings: Sequence[Diagnosis]) -> Diagnosis:
    """The finding itself, or as a note where an earlier one explains it."""
    for name in EXPLAINED_BY.get(one.name, ()):
        for cause in findings:
            if cause.name == name and explains(cause, one):
                return replace(one, severity=Severity.NOTE, follows=name)
    return one


def explains(cause: Diagnosis, one: Diagnosis) -> bool:
    """Whether a cause counts, and was there before."""
    if cause.event is None or one.event is None or one.severity == Severity.NOTE:
        return False
    if cause.severity == Severity.NOTE and cause.name not in HARMLESS_ALONE:
        return False
    heavy = cause.serious or cause.severity == one.severity or cause.name in RAISED
    return heavy and (one.name in TIMELESS or cause.event <= one.event)
