"""What one sample's loss is in that of the batch: its mean or its sum over the samples.

The losses of the samples are each that of a batch which is this sample alone. Where the batch's is
their mean, a row of ∂ℓ/∂ŷ of the batch is 1/N of the sample's own, and where it is their sum, it is
the same. A loss that divides by something else, such as weights of classes, has no such factor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from engine.formulas.tree import Times
from engine.functions.losses.loss import OUTPUTS, ROWS, Loss
from engine.lines.algebra import DIFFERENCE, NEGATIVE, PRODUCT, RATIO, SUM
from engine.lines.losses import LossOf
from engine.lines.node import Call, Constant, Node, Tensor, ordered, tensors
from engine.lines.reductions import MEAN, TOTAL
from engine.program.line_network import LineNetwork
from engine.program.program import Program
from engine.worksheet.one_sample import Inseparable, Separation, lines_of_one

Fold = Literal["mean", "sum"]
COUNTS = (ROWS, Times((ROWS, OUTPUTS), spaced=True))  # what a mean over samples divides by


@dataclass(frozen=True)
class Share:
    """The loss of a batch of ``rows`` samples as the mean or the sum of their losses."""

    fold: Fold
    rows: int

    @property
    def factor(self) -> int:
        """How many times a row of ∂ℓ/∂ŷ of the batch the sample's own is: N, or 1 of a sum."""
        return self.rows if self.fold == "mean" else 1

    def of_batch(self, symbol: str, row: bool = True) -> str:
        """The batch's derivative, said beside that of one sample; ``row``: it has one for each."""
        whole = f"{symbol} of the batch: "
        if not row:
            return f"{whole}the {self.fold} of this over its samples, N = {self.rows}"
        if self.fold == "sum":
            return f"{whole}this as it is, ℓ is the sum over its samples, N = {self.rows}"
        return f"{whole}1/N of this, N = {self.rows}"

    def of_sample(self, symbol: str, row: bool = True) -> str:
        """One sample's own derivative, said beside that of the batch."""
        if not row:
            return f"{symbol} of the batch is the {self.fold} of its samples' own, N = {self.rows}"
        alone = f"{symbol} of one sample alone: "
        if self.fold == "sum":
            return f"{alone}this as it is, ℓ is the sum over the samples, N = {self.rows}"
        return f"{alone}N times this, N = {self.rows}"


@lru_cache(maxsize=8)
def share(program: Program, rows: int) -> Share | None:
    """How the loss of a batch of so many rows is made of its samples'; None where it is neither."""
    network = program.network
    if rows < 2:
        return None
    if not isinstance(network, LineNetwork):
        fold = fold_of_loss(network.loss)
        return None if fold is None else Share(fold, rows)
    graph = network.graphs.get(rows)
    if graph is None:
        return None
    # What a layer keeps for evaluation is no part of the equations.
    graph = replace(graph, lines=tuple(line for line in graph.lines if line.role != "buffer"))
    try:
        _, apart = lines_of_one(graph, rows)
    except Inseparable:
        return None
    roots = {line.name: line.root for line in graph.lines}
    fold = Folding(apart, roots).of(graph.loss.root)
    return None if fold is None else Share(fold, rows)


def fold_of_loss(loss: Loss) -> Fold | None:
    """How a loss of the table folds the samples; None where its mean divides by weights."""
    if loss.reduction == "sum":
        return "sum"
    return "mean" if loss.reduction == "batch_mean" or loss.count in COUNTS else None


class Folding:
    """Finds how a line folds the samples, which are ``apart`` in what has a row for each."""

    def __init__(self, apart: Separation, roots: Mapping[str, Node]) -> None:
        self.apart = apart
        self.roots = roots

    def of(self, node: Node) -> Fold | None:
        """The fold of a number that is made of the samples; None where there is no single one."""
        if isinstance(node, Tensor):
            return self.of(self.roots[node.name]) if node.name in self.roots else None
        if not isinstance(node, Call) or node.shape != ():
            return None
        if isinstance(node.function, LossOf):
            return fold_of_loss(node.function.loss)
        if node.function in (MEAN, TOTAL) and node.operands[0] in self.apart.batched:
            return "mean" if node.function is MEAN else "sum"
        if node.function in (SUM, DIFFERENCE):
            return self.of_terms(node)
        if node.function is NEGATIVE:
            return self.of(node.operands[0])
        if node.function in (PRODUCT, RATIO):
            return self.of_multiple(node)
        return None

    def of_multiple(self, node: Call) -> Fold | None:
        """The fold of a sum or mean times a number; N itself may be in it, which makes a mean."""
        left, right = node.operands
        inner, number = (
            (right, left) if node.function is PRODUCT and self.free(left) else (left, right)
        )
        fold = self.of(inner) if self.free(number) else None
        counts = [one for one in ordered(number) if isinstance(one, Constant)]
        whole = any(
            size % self.apart.rows == 0 for one in counts for size in (one.above, one.below)
        )
        return None if fold == "sum" and whole else fold

    def of_terms(self, node: Call) -> Fold | None:
        """The fold of a sum: that of its terms; a penalty is each sample's whole in a mean."""
        free = [one for one in node.operands if self.free(one)]
        found = {self.of(one) for one in node.operands if one not in free}
        if len(found) != 1:
            return None
        (fold,) = found
        return None if fold == "sum" and any(any(tensors(one)) for one in free) else fold

    def free(self, node: Node) -> bool:
        """Whether a number is the same whatever the samples are."""
        return all(
            one.name not in self.apart.apart
            and (one.name not in self.roots or self.free(self.roots[one.name]))
            for one in tensors(node)
        )
