"""What the doctor knows of activations and losses, against their own values and PyTorch's."""

import dataclasses
import math

import numpy as np
import pytest

from engine.diagnostics import facts
from engine.functions.function import terms
from engine.functions.losses.bce import BCE
from engine.functions.losses.bce_with_logits import BCEWithLogits
from engine.functions.losses.cosine import Cosine
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.gaussian_nll import GaussianNLL
from engine.functions.losses.hinge import Hinge
from engine.functions.losses.huber import Huber
from engine.functions.losses.kl_div import KLDiv
from engine.functions.losses.l1 import L1
from engine.functions.losses.mse import MSE
from engine.functions.losses.multi_margin import MultiMargin
from engine.functions.losses.nll import NLL
from engine.functions.losses.smooth_l1 import SmoothL1
from engine.nn.table import LAYERS, LOSSES

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")

# glu and prelu can give any number; the others are activations of one input
ACTIVATIONS = [
    kind for kind in LAYERS if kind not in ("linear", "identity", "dropout", "glu", "prelu")
]
RNG = np.random.default_rng(5)
NUMBERS = RNG.normal(size=(9, 2)) * 3
SHARES = RNG.random((9, 2))
CLASSES = np.array([0, 2, 2, 1, 2, 2, 0, 2, 2])


def layer(kind, **options):
    return LAYERS[kind](3, 3, **options)


def test_every_loss_has_a_best_constant():
    for kind, loss in LOSSES.items():
        if kind == "multi_margin":  # of which the doctor says nothing that needs one
            continue
        y = CLASSES if loss.takes_classes else SHARES
        assert facts.best_constant(loss(), y, 3 if y.ndim == 1 else 2) is not None, kind


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_intervals_hold_and_are_nearly_reached(kind):
    """At the ends, or beyond 30 on an infinite side: of a fine grid of inputs up to ±50."""
    one = layer(kind)
    grid = np.linspace(-50, 50, 20001)
    if kind == "softsign":  # which is at 1 − 1/50 there
        grid = np.concatenate([[-1e7], grid, [1e7]])
    x = np.stack([grid, np.zeros_like(grid), -grid], axis=1)
    out = one.forward(x)
    low, high = facts.interval_of(one)
    assert low - 1e-12 <= out.min()
    assert out.max() <= high + 1e-12
    for end, found in ((low, out.min()), (-high, -out.max())):
        if math.isfinite(end):
            assert found == pytest.approx(end, abs=1e-6)
        else:
            assert found < (-0.4 if kind == "leaky_relu" else -30)


@pytest.mark.parametrize(
    ("kinds", "interval"),
    [
        ((), (-math.inf, math.inf)),
        (("relu", "sigmoid"), (0.5, 1.0)),
        (("sigmoid", "identity", "sigmoid"), (0.5, 1 / (1 + math.exp(-1)))),
        (("tanh", "relu"), (0.0, 1.0)),
        (("sigmoid", "softplus"), (math.log(2), math.log(1 + math.e))),
        (("relu", "gelu"), (-0.16997120747, math.inf)),  # not rising: its whole interval
    ],
)
def test_one_activation_narrows_the_next(kinds, interval):
    assert facts.reach([layer(kind) for kind in kinds]) == pytest.approx(interval)


@pytest.mark.parametrize("kind", [kind for kind in ACTIVATIONS if LAYERS[kind].function.rising])
def test_those_that_rise_never_fall(kind):
    grid = np.linspace(-30, 30, 6001)[:, None]
    assert (np.diff(LAYERS[kind](1, 1).forward(grid), axis=0) >= 0).all()


# softmax is of rows, and softplus jumps by 2e-9 alone, at its threshold
KINKED = [(kind, {}) for kind in ACTIVATIONS if "soft" not in kind or kind == "softsign"]
KINKED += [("hard_tanh", {"min_val": -2.0}), ("thresholded_relu", {"threshold": -0.5})]
KINKED += [("elu", {"alpha": 0.5}), ("celu", {"alpha": 0.5}), ("gelu", {"approximate": "tanh"})]


@pytest.mark.parametrize(("kind", "options"), KINKED, ids=str)
def test_the_slope_jumps_at_the_kinks_and_nowhere_else(kind, options):
    """Of a step of 1e-3 the slope moves by a few thousandths, where it is continuous."""
    function = LAYERS[kind](1, 1, **options).function
    grid = np.arange(-5000, 5000) / 1000 + 0.0005
    (vjp,) = function.vjps(terms({"input": "z", "output": "a"}))
    given = {"input": grid[:, None], "output": function.value(grid[:, None])}
    slopes = vjp.pull(np.ones((len(grid), 1)), *(given[role] for role in vjp.reads))[:, 0]
    places = grid[:-1][np.abs(np.diff(slopes)) > 0.01] + 0.0005
    np.testing.assert_allclose(places, function.kinks, atol=1e-9)


def test_options_change_an_interval():
    assert facts.interval_of(layer("elu", alpha=2.5)) == (-2.5, math.inf)
    assert facts.interval_of(layer("leaky_relu", negative_slope=-0.1)) == (0, math.inf)
    assert facts.interval_of(layer("hard_tanh", min_val=-2.0, max_val=0.5)) == (-2, 0.5)
    assert facts.interval_of(layer("thresholded_relu", threshold=-0.5)) == (-0.5, math.inf)
    assert facts.interval_of(layer("celu", alpha=2.5)) == (-2.5, math.inf)
    assert not facts.bends(layer("leaky_relu", negative_slope=1.0))
    assert facts.bends(layer("leaky_relu"))


WEIGHT = (0.5, 1.0, 4.0)


class WithTarget(torch.nn.Module):
    """A criterion that takes a third tensor, which is made of the target."""

    def __init__(self, loss, third):
        super().__init__()
        self.loss, self.third = loss, third

    def forward(self, yhat, y):
        return self.loss(yhat, y, self.third(y))


class Ranking(torch.nn.Module):
    """The hinge: the ranking of ŷ against 0."""

    def __init__(self, margin):
        super().__init__()
        self.loss = torch.nn.MarginRankingLoss(margin)

    def forward(self, yhat, y):
        return self.loss(yhat, 0 * yhat, y)


DIVERGENCE = KLDiv(reduction="batch_mean")  # which PyTorch does not warn of
CONSTANTS = [
    (MSE(), torch.nn.MSELoss(), NUMBERS),
    (L1(), torch.nn.L1Loss(), NUMBERS),
    (Huber(delta=0.7), torch.nn.HuberLoss(delta=0.7), NUMBERS),
    (SmoothL1(beta=0.7), torch.nn.SmoothL1Loss(beta=0.7), NUMBERS),
    (SmoothL1(beta=0.0), torch.nn.L1Loss(), NUMBERS),
    (GaussianNLL(var=0.3), WithTarget(torch.nn.GaussianNLLLoss(), lambda y: 0.3 + 0 * y), NUMBERS),
    (Cosine(), WithTarget(torch.nn.CosineEmbeddingLoss(), lambda y: y[:, 0] * 0 + 1), NUMBERS),
    (DIVERGENCE, torch.nn.KLDivLoss(reduction="batchmean"), SHARES),
    (
        dataclasses.replace(DIVERGENCE, log_target=True),
        torch.nn.KLDivLoss(reduction="batchmean", log_target=True),
        np.log(SHARES),
    ),
    (Hinge(margin=0.5), Ranking(0.5), np.where(NUMBERS > -1, 1.0, -1.0)),
    (BCE(weight=(1.0, 3.0)), torch.nn.BCELoss(torch.tensor([1.0, 3.0])), SHARES),
    (
        BCEWithLogits(pos_weight=(5.0, 0.2)),
        torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor([5.0, 0.2])),
        SHARES,
    ),
    (
        CrossEntropy(weight=WEIGHT, label_smoothing=0.2, ignore_index=1),
        torch.nn.CrossEntropyLoss(torch.tensor(WEIGHT), ignore_index=1, label_smoothing=0.2),
        CLASSES,
    ),
    (NLL(weight=WEIGHT), torch.nn.NLLLoss(torch.tensor(WEIGHT)), CLASSES),
]


@pytest.mark.parametrize(("loss", "theirs", "y"), CONSTANTS, ids=[c[0].type for c in CONSTANTS])
def test_the_best_constant_is_what_pytorch_descends_to(loss, theirs, y):
    """Adam on the one answer, which nll takes through a log_softmax and bce through a sigmoid."""
    outputs = 3 if y.ndim == 1 else 2

    def log_softmax(z):
        return torch.log_softmax(z, 0)

    theirs = theirs.double()
    free = torch.zeros(outputs, dtype=torch.float64, requires_grad=True)
    into = {"nll": log_softmax, "kl_div": log_softmax, "bce": torch.sigmoid}.get(
        loss.type, lambda z: z
    )
    target = torch.tensor(y)
    free.data += 0.1  # a cosine has no slope at 0
    descent = torch.optim.Adam([free], lr=0.1)
    schedule = torch.optim.lr_scheduler.ExponentialLR(descent, 0.99)
    for _ in range(1000):
        descent.zero_grad()
        value = theirs(into(free).expand(len(y), outputs), target)
        value.backward()
        descent.step()
        schedule.step()
    answer = facts.best_constant(loss, y, outputs)
    assert facts.value_of(loss, answer, y) == pytest.approx(value.item(), rel=1e-4)
    assert facts.value_of(loss, answer, y) <= value.item() * (1 + 1e-9)


def test_no_constant_where_nothing_counts_or_targets_are_out_of_domain():
    assert facts.best_constant(CrossEntropy(weight=(0.0, 0.0, 0.0)), CLASSES, 3) is None
    assert facts.best_constant(BCEWithLogits(), np.array([[-1.0], [-1.0]]), 1) is None
    assert facts.best_constant(MSE(), np.array([[np.nan]]), 1) is None


def test_the_ideal_answer_is_the_best_within_its_interval():
    """Against a grid of the interval, element by element."""
    grid = np.linspace(-1, 2, 3001)
    signs = np.where(NUMBERS > 0, 1.0, -1.0)
    for loss, y in (
        (MSE(), NUMBERS),
        (BCEWithLogits(pos_weight=(2.0, 3.0)), SHARES),
        (Hinge(margin=1.5), signs),
    ):
        best = facts.ideal(loss, y, 2, (-1.0, 2.0))
        for i, k in np.ndindex(y.shape):
            row = y[i : i + 1].repeat(len(grid), axis=0)
            tried = best[i : i + 1].repeat(len(grid), axis=0)
            tried[:, k] = grid
            assert loss.terms(best[i : i + 1], y[i : i + 1])[0, k] <= (
                loss.terms(tried, row)[:, k].min() + 1e-9
            )


def test_scores_of_a_width_have_the_floor_of_a_doubled_softmax():
    best = facts.ideal(CrossEntropy(), CLASSES, 3, (0.0, 1.0))
    assert facts.value_of(CrossEntropy(), best, CLASSES) == pytest.approx(math.log(1 + 2 / math.e))
    free = facts.ideal(CrossEntropy(), CLASSES, 3, (0.0, math.inf))
    assert facts.value_of(CrossEntropy(), free, CLASSES) < 1e-12


@pytest.mark.parametrize("within", [(0.0, 1.0), (-1.0, 2.0), (0.0, math.inf), (-math.inf, 0.5)])
@pytest.mark.parametrize(("loss", "y"), [(MultiMargin(), CLASSES), (Cosine(), NUMBERS)])
def test_no_answer_of_rows_is_better_than_the_ideal_one(loss, y, within):
    """Against ten thousand answers by chance for each row."""
    outputs = 3 if y.ndim == 1 else 2
    best = facts.ideal(loss, y, outputs, within)
    low, high = np.clip(within, -5, 5)
    assert best.min() >= within[0]
    assert best.max() <= within[1]
    tried = np.random.default_rng(0).uniform(low, high, size=(10_000, outputs))
    for i in range(len(y)):
        terms = loss.terms(tried, y[i : i + 1].repeat(len(tried), axis=0))
        assert loss.terms(best[i : i + 1], y[i : i + 1])[0] <= terms.min() + 1e-9


def test_a_weight_below_0_leaves_no_best_answer():
    below = (1.0, -1.0, 1.0)
    assert facts.best_constant(CrossEntropy(weight=below), CLASSES, 3) is None
    assert facts.best_constant(BCE(weight=below[:2]), SHARES, 2) is None
    assert facts.counts_for_something(NLL(weight=below), CLASSES, 3).all()
