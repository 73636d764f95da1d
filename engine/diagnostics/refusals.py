"""Mistakes that are refused before anything runs: the refusal is the diagnosis."""

import re
from dataclasses import dataclass

from engine.diagnostics.diagnosis import Card, Diagnosis, Severity
from engine.errors import ExperimentError, Problem

ALWAYS = "serious: the experiment is refused"


@dataclass(frozen=True)
class Refusal:
    """A kind of mistake, known by patterns of the refused field's path and of the message."""

    card: Card
    path: str
    said: str

    def fits(self, problem: Problem) -> bool:
        """Whether a problem is of this kind."""
        return bool(re.fullmatch(self.path, problem.path) and re.search(self.said, problem.message))


REFUSALS = (
    Refusal(
        Card(
            name="zero-grad-before-update",
            title="zero_grad stands between backward and update",
            looks="The order of the steps.",
            levels=ALWAYS,
            cause="the gradients are erased before update can use them: nothing would ever move",
            remedy="zero_grad first, or anywhere but between backward and update",
        ),
        r"training\.order",
        "zero_grad stands between backward and update",
    ),
    Refusal(
        Card(
            name="update-before-backward",
            title="update stands before backward",
            looks="The order of the steps.",
            levels=ALWAYS,
            cause="update would use the gradients of the iteration before, or none",
            remedy="forward, loss, backward, update, in this order",
        ),
        r"training\.order",
        "update stands before",
    ),
    Refusal(
        Card(
            name="backward-without-forward",
            title="backward without what it needs",
            looks="The order of the steps, and the steps that are skipped.",
            levels=ALWAYS,
            cause="backward needs the loss, and the loss the outputs of forward, of this iteration",
            remedy="forward, loss, backward, in this order, none of them skipped",
        ),
        r"training\.(order|skip)",
        r"(backward|loss) (stands before|needs) (loss|forward)",
    ),
    Refusal(
        Card(
            name="broadcasting-target",
            title="The target would broadcast against the output",
            looks="The shapes of y and of the last output: (N,) or (N, 1) against (N, K).",
            levels=ALWAYS,
            cause="NumPy and PyTorch would stretch y and compare every sample with every target",
            remedy="write each target as a row with as many columns as the output",
        ),
        r"data\.y",
        r"would broadcast|y has shape \(\d+, 1\), but",
    ),
    Refusal(
        Card(
            name="bce-targets",
            title="Targets outside 0 … 1 under bce",
            looks="The targets of bce, as PyTorch looks at them.",
            levels=ALWAYS,
            cause="bce takes probabilities: for any other target a surer answer is always better, "
            "and the loss falls below 0 for ever",
            remedy="0 and 1 for a yes or no, cross_entropy for classes, mse for numbers",
        ),
        r"data\.y",
        r"takes targets between 0 and 1",
    ),
    Refusal(
        Card(
            name="hinge-targets",
            title="Targets other than −1 and 1 under hinge",
            looks="The targets of hinge.",
            levels=ALWAYS,
            cause="the hinge takes the sign of a target for its class: with 0 for one of them its "
            "rows teach nothing",
            remedy="−1 and 1 for a yes or no, multi_margin for classes, mse for numbers",
        ),
        r"data\.y",
        r"takes targets −1 and 1",
    ),
    Refusal(
        Card(
            name="class-without-output",
            title="A class has no output",
            looks="The class indices, against the number of outputs.",
            levels=ALWAYS,
            cause="classes are numbered from 0, and there are fewer outputs than numbers",
            remedy="labels that count from 0, or as many outputs as there are classes",
        ),
        r"data\.y",
        r"class \d+ needs \d+ outputs",
    ),
    Refusal(
        Card(
            name="loss-not-scalar",
            title="The loss is not a scalar",
            looks="The reduction of the loss.",
            levels=ALWAYS,
            cause="without a reduction the loss is one number a sample, and has no gradient",
            remedy="reduction = mean, sum or batch_mean",
        ),
        r"loss\.reduction",
        r"none\b",
    ),
)


def diagnose_refusal(error: ExperimentError) -> list[Diagnosis]:
    """The findings behind a refusal, with the refusal's own words as evidence; may be empty."""
    return [
        refused(refusal.card, problem)
        for problem in error.problems
        for refusal in REFUSALS
        if refusal.fits(problem)
    ]


def refused(card: Card, problem: Problem) -> Diagnosis:
    """The finding behind one problem; there is no event."""
    return Diagnosis(
        name=card.name,
        title=card.title,
        severity=Severity.SERIOUS,
        certainty=card.certainty,
        subject=problem.path,
        evidence=problem.message,
        numbers={},
        event=None,
        place=f"{problem.path}, refused before anything runs",
        cause=card.cause,
        remedy=card.remedy,
    )
