"""Can it learn one batch? Built-ins that can and cannot, and the bounds of the answer."""

import numpy as np
import pytest

from engine.diagnostics.one_batch import FEWEST_ROWS, LEFT, MOST_ROWS, Attempt, bounds, one_batch
from engine.run.phases import Phase
from tests.engine.diagnostics.diagnosed import CLASSES, linear
from tests.engine.small_experiments import built_in, program


def tried(compiled, iterations=2000):
    attempt = Attempt(compiled, iterations)
    for _ in attempt.run():
        pass
    return attempt.result()


@pytest.mark.parametrize(
    "name", ["regression", "classification-relu", "deep-relu", "digits", "iris", "xor"]
)
def test_what_can_learn_one_batch(name):
    result = tried(built_in(name))
    assert result.learnt
    assert result.iterations < 2000
    way = (result.lowest - result.floor) / (result.constant - result.floor)
    assert result.share == pytest.approx(way)
    assert result.share <= LEFT


@pytest.mark.parametrize(
    "name",
    [
        "bug-dead-relu",
        "bug-double-softmax",
        "bug-exploding",
        "bug-missing-value",
        "bug-nll-scores",
        "bug-saturated",
        "bug-symmetric-init",
        "bug-tiny-rate",
    ],
)
def test_what_cannot(name):
    result = tried(built_in(name), 400)
    assert not result.learnt
    assert [one for one in result.findings if one.serious]


def test_a_forgotten_update_learns_nothing():
    result = tried(program(training={"skip": ["update"]}), 50)
    assert (result.learnt, result.lowest) == (False, result.first)
    nothing = tried(program(training={"skip": ["loss", "backward", "update"]}), 50)
    assert (nothing.learnt, nothing.first) == (False, None)


@pytest.mark.parametrize(("batch", "rows"), [(1, 8), (15, 15), (64, 32), (None, 32)])
def test_a_batch_is_a_few_rows_of_the_data(batch, rows):
    assert (FEWEST_ROWS, MOST_ROWS) == (8, 32)
    x = np.arange(100.0)[:, None]
    data = {"x": x.tolist(), "y": (x + 0.5).tolist()} | ({"batch_size": batch} if batch else {})
    one = one_batch(program(data=data | {"validation": 0.2}))
    assert len(one.data) == one.batches.size == rows
    assert one.data.validation is None
    assert np.array_equal(one.data.y, one.data.x + 0.5)
    assert len(np.unique(one.data.x)) == rows


def test_what_works_against_overfitting_is_left_out():
    layers = [linear(3), {"type": "dropout", "p": 0.9}, linear(1)]
    one = one_batch(program(layers=layers, schedule={"type": "exponential", "gamma": 0.1}))
    assert one.experiment.schedule is None
    names = [op.name for op in one.ops if op.phase == Phase.UPDATE]
    assert "optimizer.lr" not in names
    assert "dropout1.mask" not in one.tensors


def test_equal_rows_must_have_equal_answers():
    """Two rows that contradict each other leave a floor, that of their mean."""
    data = {"x": [[1.0], [1.0], [2.0]], "y": [[0.0], [4.0], [1.0]]}
    floor, constant = bounds(program(data=data))
    assert floor == pytest.approx((4 + 4 + 0) / 3)
    assert constant == pytest.approx(np.var([0, 4, 1]))


def test_a_smoothed_target_has_a_floor_of_its_own():
    loss = {"type": "cross_entropy", "label_smoothing": 0.3}
    floor, _ = bounds(program(data=CLASSES, layers=[linear(3)], loss=loss))
    share = np.array([0.8, 0.1, 0.1])
    assert floor == pytest.approx(-np.sum(share * np.log(share)))


@pytest.mark.parametrize(
    ("loss", "layers"),
    [("nll", [linear(3)]), ("bce", [linear(1)]), ("bce", [linear(1), {"type": "relu"}])],
)
def test_without_the_function_a_loss_asks_for_there_is_no_floor(loss, layers):
    yes = {"x": CLASSES["x"], "y": [[0.0], [1.0]] * 6}
    data = CLASSES if loss == "nll" else yes
    assert bounds(program(data=data, layers=layers, loss={"type": loss}))[0] is None


def test_a_loss_with_a_wrong_sign_is_not_learnt():
    result = tried(program(loss={"type": "mse", "scale": -1.0}), 200)
    assert not result.learnt
    assert result.findings[0].name == "ascent"
