"""Generated sets: on their curves without noise, the same for the same seed, refused when wrong."""

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment.data_generated import RECIPES, generated
from engine.experiment.dataset import load_data
from engine.experiment.reader import read_experiment

CLASSES = ["spiral", "moons", "circles", "blobs"]
NUMBERS = ["sine", "linear"]


def loaded(loss="cross_entropy", seed=0, **data):
    raw = {
        "seed": seed,
        "data": data,
        "layers": [{"type": "linear", "out": 1}],
        "loss": {"type": loss},
    }
    return load_data(read_experiment(raw, "test.toml"))


def test_all_are_tested():
    assert [*CLASSES, *NUMBERS] == list(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_the_seed_decides(name):
    one, same, other = (generated(name, seed, 30) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one[0], same[0])
    np.testing.assert_array_equal(one[1], same[1])
    assert not np.array_equal(one[0], other[0])


@pytest.mark.parametrize("rows", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("name", CLASSES)
def test_classes_are_as_equal_as_whole_rows_allow(name, rows):
    x, y, kinds = generated(name, 0, rows)
    assert x.shape == (rows, 2)
    assert np.isfinite(x).all()
    counts = np.bincount(y, minlength=kinds)
    assert len(counts) == kinds
    assert counts.max() - counts.min() <= 1


@pytest.mark.parametrize("name", RECIPES)
def test_noise_moves_the_same_points(name):
    still, moved, more = (generated(name, 0, 400, noise)[:2] for noise in (0.0, 1e-3, 2e-3))
    last = 1 if name in NUMBERS else 0
    first = np.abs(moved[last] - still[last])
    assert 0 < first.max() < 0.01
    np.testing.assert_allclose(more[last] - still[last], 2 * (moved[last] - still[last]), atol=1e-5)
    assert name in NUMBERS or np.array_equal(still[1], more[1])


def test_moons_and_circles_are_those_of_scikit_learn():
    reason = "scikit-learn is the second opinion"
    datasets = pytest.importorskip("sklearn.datasets", reason=reason)
    for name, (theirs, labels) in {
        "moons": datasets.make_moons(60, shuffle=False),
        "circles": datasets.make_circles(60, shuffle=False, factor=0.5),
    }.items():
        x, y, _ = generated(name, 3, 60, 0.0)
        ours = np.column_stack([y, x]).round(12) + 0.0
        expected = np.column_stack([labels, theirs]).round(12) + 0.0
        np.testing.assert_array_equal(sorted(ours.tolist()), sorted(expected.tolist()))


def test_arms_of_the_spiral_are_one_arm_turned():
    x, y, _ = generated("spiral", 0, 90, 0.0, classes=3)
    points = x[:, 0] + 1j * x[:, 1]
    arms = [sorted(points[y == k] * np.exp(-2j * np.pi * k / 3), key=abs) for k in range(3)]
    np.testing.assert_allclose(arms[0], arms[1], atol=1e-12)
    np.testing.assert_allclose(arms[0], arms[2], atol=1e-12)
    np.testing.assert_allclose(np.abs(arms[0]), np.linspace(0, 1, 30), atol=1e-12)
    np.testing.assert_allclose(np.angle(arms[0][15]), 4 * 15 / 29, atol=1e-12)


def test_blobs_lie_around_their_centres():
    x, y, kinds = generated("blobs", 1, 4000, 0.3, classes=4, features=5)
    centres, _, _ = generated("blobs", 1, 4000, 0.0, classes=4, features=5)
    assert (x.shape, kinds) == ((4000, 5), 4)
    for k in range(4):
        assert len(np.unique(centres[y == k], axis=0)) == 1
        np.testing.assert_allclose(x[y == k].mean(axis=0), centres[y == k][0], atol=0.05)
        np.testing.assert_allclose(x[y == k].std(axis=0), 0.3, atol=0.03)


def test_numbers_without_noise_are_the_function():
    x, y, kinds = generated("sine", 0, 50, 0.0)
    assert kinds == 0
    np.testing.assert_allclose(y, np.sin(np.pi * x), rtol=1e-15)
    assert -1 <= x.min() < x.max() <= 1
    x, y, _ = generated("linear", 0, 50, 0.0, features=3)
    columns = np.column_stack([x, np.ones(50)])
    fit, residual, rank, _ = np.linalg.lstsq(columns, y, rcond=None)
    assert (rank, fit.shape) == (4, (4, 1))
    assert residual < 1e-25


@pytest.mark.parametrize(
    ("loss", "data", "shape", "dtype"),
    [
        ("cross_entropy", {"generate": "spiral"}, (200,), "int64"),
        ("nll", {"generate": "moons", "samples": 9}, (9,), "int64"),
        ("bce_with_logits", {"generate": "circles"}, (200, 1), "float64"),
        ("mse", {"generate": "blobs", "classes": 2}, (200, 1), "float64"),
        ("mse", {"generate": "spiral", "one_hot": True}, (200, 3), "float64"),
        ("cross_entropy", {"generate": "moons", "one_hot": True}, (200, 2), "float64"),
        ("mse", {"generate": "sine"}, (200, 1), "float64"),
        ("huber", {"generate": "linear", "features": 4}, (200, 1), "float64"),
    ],
)
def test_targets_fit_the_loss(loss, data, shape, dtype):
    found = loaded(loss, **data)
    assert (found.y.shape, found.y.dtype) == (shape, dtype)
    names = tuple(f"x{i}" for i in range(found.x.shape[1]))
    assert found.inputs == names
    kinds = {"spiral": 3, "sine": 0, "linear": 0}.get(data["generate"], 2)
    assert found.classes == tuple("012"[:kinds])


def test_the_other_fields_of_data_apply():
    found = loaded(generate="moons", samples=50, standardize=True, validation=0.2)
    np.testing.assert_allclose(found.x.std(axis=0), 1)
    assert (len(found), len(found.validation)) == (40, 10)


@pytest.mark.parametrize(
    ("loss", "data", "path", "said"),
    [
        ("mse", {"generate": "spirals"}, "data.generate", "did you mean 'spiral'?"),
        ("mse", {"generate": "spiral"}, "data.generate", "one_hot = true makes a column"),
        ("mse", {"generate": "sine", "one_hot": True}, "data.one_hot", "and no classes"),
        ("mse", {"generate": "sine", "classes": 3}, "data.classes", "belongs to spiral, blobs"),
        ("mse", {"generate": "sine", "features": 3}, "data.features", "belongs to blobs, linear"),
        ("nll", {"generate": "moons", "noise": -1}, "data.noise", "of at least 0, not -1"),
        ("nll", {"generate": "moons", "noise": float("inf")}, "data.noise", "inf is not finite"),
        ("nll", {"generate": "moons", "samples": 0}, "data.samples", "of at least 1, not 0"),
        ("nll", {"generate": "blobs", "classes": 1}, "data.classes", "of at least 2, not 1"),
        (
            "nll",
            {"generate": "blobs", "samples": 2**26, "features": 2**16},
            "data.samples",
            "limit",
        ),
        ("nll", {"x": [[1.0]], "y": [0], "samples": 3}, "data.samples", "belongs to generate only"),
        ("nll", {"x": [[1.0]], "y": [0], "generate": "moons"}, "data", "found x/y and generate"),
        ("nll", {"generate": "moons", "inputs": ["a"]}, "data.inputs", "belongs to csv only"),
    ],
    ids=str,
)
def test_what_is_refused(loss, data, path, said):
    with pytest.raises(ExperimentError) as caught:
        loaded(loss, **data)
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message
