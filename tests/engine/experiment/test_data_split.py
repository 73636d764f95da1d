"""Rows set aside for validation, and rows that are pictures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ExperimentError
from engine.experiment.data_files import DataProblem
from engine.experiment.data_split import split
from engine.measure.metrics import confusion, evaluate
from engine.program.compiler import compile_program
from engine.session.session import Session
from tests.engine.small_experiments import document, experiment, program


@given(
    st.integers(2, 60), st.floats(0.01, 0.99), st.integers(0, 5), st.booleans(), st.integers(1, 4)
)
def test_every_row_is_on_one_side(rows, fraction, seed, stratify, kinds):
    y = np.arange(rows) % kinds
    wanted = min(max(int(rows * fraction + 0.5), 1), rows - 1)
    if stratify and wanted > rows - len(set(y)):
        with pytest.raises(DataProblem, match="leave a row of every class"):
            split(y, fraction, seed, stratify)
        return
    train, aside = split(y, fraction, seed, stratify)
    assert sorted([*train, *aside]) == list(range(rows))
    assert list(train) == sorted(train)
    assert list(aside) == sorted(aside)
    assert len(aside) == wanted
    if stratify:
        share = wanted / rows
        sizes, kept = np.bincount(y), np.bincount(y[aside], minlength=len(np.bincount(y)))
        assert (kept < sizes).all()
        room = sizes * share <= sizes - 1  # where no class is kept from its share
        assert np.abs(kept - sizes * share)[room].max(initial=0) < 1 or not room.all()


def test_shares_are_those_of_scikit_learn():
    reason = "scikit-learn is the second opinion"
    selection = pytest.importorskip("sklearn.model_selection", reason=reason)
    y = np.repeat([0, 1, 2], [60, 30, 10])
    _, aside = split(y, 0.2, 0, True)
    _, theirs = selection.train_test_split(y, test_size=0.2, stratify=y, random_state=0)
    np.testing.assert_array_equal(np.bincount(y[aside]), np.bincount(theirs))
    assert np.bincount(y[aside]).tolist() == [12, 6, 2]


def test_the_seed_decides():
    y = np.zeros(50)
    sets = [split(y, 0.3, seed, False)[1].tolist() for seed in (0, 0, 1)]
    assert sets[0] == sets[1] != sets[2]


def test_only_rows_to_train_on_are_trained_on():
    found = program(data={"validation": 0.3, "batch_size": 2})
    whole = program().data
    data, aside = found.data, found.data.validation
    assert (len(data), len(aside)) == (5, 2)
    both = np.concatenate([data.x, aside.x])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(whole.x, axis=0))
    assert found.batches.count == 3
    session = Session(found)
    session.goto(len(found.ops) * 2)
    assert len(session.tensors["x"]) == 1
    assert program().data.validation is None


def test_mean_and_deviation_are_those_of_the_rows_trained_on():
    found = program(data={"validation": 0.3, "standardize": True})
    plain = program(data={"validation": 0.3})
    middle, spread = plain.data.x.mean(axis=0), plain.data.x.std(axis=0)
    np.testing.assert_allclose(found.data.x.mean(axis=0), 0, atol=1e-15)
    expected = (plain.data.validation.x - middle) / spread
    np.testing.assert_allclose(found.data.validation.x, expected, rtol=1e-13)


def test_what_is_constant_among_the_rows_trained_on_stays_a_difference():
    x = [[3.0, 1.0]] * 9 + [[5.0, 2.0]]
    for seed in range(30):
        raw = {"x": x, "y": [[1.0]] * 10, "validation": 0.2, "standardize": True}
        found = program(data=raw, seed=seed)
        if 2.0 in found.data.validation.x[:, 0]:
            break
    assert not found.data.x.any()
    assert found.data.validation.x.max() == 2.0


def test_metrics_on_both():
    raw = {
        "x": [[float(i)] for i in range(10)],
        "y": [[2.0 * i] for i in range(9)] + [[0.0]],
        "validation": 0.2,
    }
    layers = [{"type": "linear", "out": 1, "weight": [[2.0]], "bias": [0.0]}]
    for seed in range(30):
        found = program(data=raw, layers=layers, seed=seed)
        if 9.0 in found.data.validation.x:
            break
    tensors = found.initial()
    assert evaluate(found, tensors) == {"loss": 0.0, "r2": 1.0, "mae": 0.0}
    aside = evaluate(found, tensors, data=found.data.validation)
    assert aside["mae"] == 9.0
    assert aside["loss"] == 162.0


CLASSES = {"x": [[1.0], [2.0], [3.0], [4.0]], "y": [0, 1, 0, 1]}


def classes(**data):
    return compile_program(
        experiment(
            data=document()["data"] | CLASSES | data,
            layers=[{"type": "linear", "out": 2}],
            loss={"type": "cross_entropy"},
        )
    )


def test_confusion_on_both():
    found = classes(validation=0.5, stratify=True)
    assert confusion(found, found.initial()).sum(axis=1).tolist() == [1, 1]
    assert confusion(found, found.initial(), found.data.validation).sum(axis=1).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("data", "path", "said"),
    [
        ({"validation": 0}, "data.validation", "above 0, not 0"),
        ({"validation": 1.0}, "data.validation", "below 1, not 1.0"),
        ({"validation": float("nan")}, "data.validation", "nan"),
        ({"stratify": True}, "data.stratify", "belongs to validation"),
        ({"validation": 0.2, "stratify": True}, "data.stratify", "needs targets that are classes"),
        ({"image": [2, 2]}, "data.image", "2 × 2 is 4 numbers, but a row of x has 2"),
        ({"image": [2]}, "data.image", "a list of 2 values, not 1"),
        ({"image": [0, 2]}, "data.image[0]", "of at least 1, not 0"),
    ],
)
def test_what_is_refused(data, path, said):
    with pytest.raises(ExperimentError) as caught:
        program(data=data)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message


def test_a_single_row_cannot_be_split():
    with pytest.raises(ExperimentError, match="needs at least 2 rows"):
        program(data={"x": [[1.0]], "y": [[1.0]], "validation": 0.5})


def test_rows_may_be_pictures():
    assert program(data={"image": [1, 2]}).experiment.data.image == (1, 2)


@pytest.mark.parametrize(
    "y", [[[1.0], [0.0], [1.0], [0.0]], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]], ids=str
)
def test_rows_of_classes_can_be_stratified(y):
    for seed in range(8):
        _, aside = split(np.array(y), 0.5, seed, True)
        assert np.array(y)[aside][:, 0].tolist() in ([1.0, 0.0], [0.0, 1.0])
