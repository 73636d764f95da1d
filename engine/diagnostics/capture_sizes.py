"""What sizes in a captured run tell: of the steps beside the weights, of the first loss."""

import math
from collections.abc import Iterator
from statistics import median
from typing import Final

from engine.capture.captured import CapturedRun
from engine.diagnostics.capture_detector import Seen
from engine.diagnostics.capture_stats import update_ratio
from engine.diagnostics.diagnosis import Card, Certainty, Found, Limit, Severity
from engine.diagnostics.ledger import wanted
from engine.diagnostics.rates import FEW_UPDATES, STEP_LARGE, STEP_SMALL
from engine.run.phases import Phase

ABOVE = Limit(2, "above a guess", "PyTorch's own initial weights begin within a tenth of ln K")
OF_CLASSES: Final = ("cross_entropy", "nll_loss")


class UpdateRatio:
    """‖ΔW‖ / ‖W‖ of updates of weights: all of the first, and a few of each doubling of them."""

    card = Card(
        name="update-ratio",
        title="the updates are out of proportion to the weights",
        looks="‖ΔW‖ / ‖W‖ of updates of each weight, of large ones from samples that were taken "
        "at the same places before and after; the median",
        levels="warning",
        certainty=Certainty.LIKELY,
        cause="the learning rate does not fit the gradients",
        remedy="change the learning rate by the factor that leads to about 1e-3",
        limits=(STEP_LARGE, STEP_SMALL),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.counts: dict[str, int] = {}
        self.ratios: dict[str, list[float]] = {}
        self.first: dict[tuple[str, bool], int] = {}

    def see(self, seen: Seen) -> None:
        """Compare a weight before and after its update."""
        if seen.op.phase != Phase.UPDATE or not seen.tensors:
            return
        weight = seen.tensors[0]
        if weight.role != "parameter" or len(weight.shape) < 2:
            return
        count = self.counts[weight.name] = self.counts.get(weight.name, 0) + 1
        if not wanted(count):
            return
        place = seen.event - self.run.timeline.begin(seen.iteration)
        slot = self.run.places.layout_starts(seen.iteration)[place]
        ratio = update_ratio(self.run, (seen.iteration, slot, seen.event), weight.name)
        if ratio is not None and math.isfinite(ratio):
            self.ratios.setdefault(weight.name, []).append(ratio)
            for large in (False, True):
                if ratio > STEP_LARGE if large else ratio < STEP_SMALL:
                    self.first.setdefault((weight.name, large), seen.event)

    def found(self) -> Iterator[Found]:
        """One finding for all weights whose steps are too long, and one for too short ones."""
        middles = {
            name: median(ratios)
            for name, ratios in self.ratios.items()
            if len(ratios) >= FEW_UPDATES
        }
        for large in (True, False):
            odd = {
                name: ratio
                for name, ratio in middles.items()
                if (ratio > STEP_LARGE if large else 0 < ratio < STEP_SMALL)
            }
            if not odd:
                continue
            name = min(odd, key=lambda one: self.first[one, large])
            more = f"; {len(odd) - 1} more weights are like that" if len(odd) > 1 else ""
            told = f"‖ΔW‖ / ‖W‖ is {odd[name]:.3g} (median of {len(self.ratios[name])} updates)"
            yield Found(
                self.first[name, large],
                name,
                f"{told}; healthy is about 1e-3{more}",
                Severity.WARNING,
                cause=f"the learning rate is too {'high' if large else 'low'} for these gradients",
                numbers={"median": odd[name], "weights": len(odd)},
            )


class InitialLoss:
    """A first loss far above that of a guess among the classes."""

    card = Card(
        name="initial-loss",
        title="the first loss is far above that of a guess",
        looks="the first mean cross-entropy of K classes beside ln K, the loss of equal shares",
        levels="warning",
        certainty=Certainty.LIKELY,
        cause="outputs that are large before anything was learnt: initial weights of the last "
        "layer, or inputs that are not scaled",
        remedy="standardize the inputs; begin with a small last layer; after a checkpoint, see "
        "whether it was loaded",
        limits=(ABOVE,),
    )

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.first: tuple[int, float, int] | None = None
        self.over = False

    def see(self, seen: Seen) -> None:
        """Look at the first loss of classes, before the first update."""
        if self.over:
            return
        if seen.op.phase == Phase.UPDATE:
            self.over = True
            return
        if seen.op.kind not in OF_CLASSES or seen.attributes.get("reduction", 1) not in (1, "mean"):
            return
        shape = self.run.tensors[seen.op.reads[0]].shape if seen.op.reads else ()
        smooth = seen.attributes.get("label_smoothing") or seen.attributes.get("weight")
        for _, told in seen.values():
            if told.statistics is not None and len(shape) >= 2 and shape[1] > 1 and not smooth:
                self.first, self.over = (seen.event, told.statistics.mean, shape[1]), True

    def found(self) -> Iterator[Found]:
        """One finding for the run."""
        if self.first is None:
            return
        event, loss, classes = self.first
        guess = math.log(classes)
        if loss > ABOVE * guess:
            told = f"{loss:.4g}; a guess among {classes:,} classes has ln {classes:,} = {guess:.4g}"
            numbers = {"loss": loss, "guess": guess}
            yield Found(event, self.run.loss or "", told, Severity.WARNING, numbers=numbers)
