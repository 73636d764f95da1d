"""The largest stable learning rate, against exact Hessians and against what descent really does."""

import math

import numpy as np
import pytest

from engine.diagnostics.curvature import largest_stable_rate
from engine.session.session import Session
from tests.engine.small_experiments import program

X = np.random.default_rng(1).normal(size=(6, 3)) * [3.0, 1.0, 0.3]
Y = np.random.default_rng(2).normal(size=(6, 1))


def least_squares(optimizer, dtype="float64", epochs=300):
    """One linear layer and the mean squared error: a quadratic in its four parameters."""
    return program(
        dtype=dtype,
        data={"x": X.tolist(), "y": Y.tolist()},
        layers=[{"type": "linear", "out": 1}],
        loss={"type": "mse"},
        optimizer=optimizer,
        training={"epochs": epochs},
    )


def exact_eigenvalue():
    """The largest eigenvalue of 2/N [X 1]ᵀ[X 1]."""
    a = np.hstack([X, np.ones((6, 1))])
    return np.linalg.eigvalsh(2 / 6 * a.T @ a)[-1]


def stable(compiled):
    return largest_stable_rate(compiled, compiled.initial())


def test_the_eigenvalue_of_a_quadratic():
    found = stable(least_squares({"type": "sgd", "lr": 0.1}))
    assert found.converged
    assert found.eigenvalue == pytest.approx(exact_eigenvalue(), rel=1e-3)
    assert found.rate == pytest.approx(2 / exact_eigenvalue(), rel=1e-3)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"momentum": 0.5},
        {"momentum": 0.5, "dampening": 0.25},
        {"momentum": 0.5, "nesterov": True},
        {"weight_decay": 0.5},
        {"momentum": 0.8, "nesterov": True, "weight_decay": 0.5},
    ],
    ids=str,
)
def test_descent_settles_below_the_rate_and_explodes_above(options):
    rate = stable(least_squares({"type": "sgd", "lr": 0.1, **options})).rate

    def end(share):
        session = Session(least_squares({"type": "sgd", "lr": share * rate, **options}))
        session.goto(session.program.timeline.end)
        return session.losses

    assert end(0.98)[-1] <= end(0.98)[0]
    assert end(0.98)[-1] < end(0.98)[150]
    assert end(1.02)[-1] > 10 * end(1.02)[0]


def test_a_float32_experiment_is_looked_at_in_float64():
    found = stable(least_squares({"type": "sgd", "lr": 0.1}, dtype="float32"))
    assert found.eigenvalue == pytest.approx(exact_eigenvalue(), rel=1e-3)


def hessian(compiled):
    """The Hessian of a Linear-Tanh-Linear network under the mean squared error, from PyTorch."""
    torch = pytest.importorskip("torch", reason="needs PyTorch for exact Hessians")
    start = compiled.initial()
    names = [info.name for info in compiled.parameters]
    x, y = (torch.tensor(np.array(start[name])) for name in ("x", "y"))
    shapes = [start[name].shape for name in names]

    def loss(flat):
        w1, b1, w2, b2 = (
            part.reshape(shape)
            for part, shape in zip(flat.split([math.prod(s) for s in shapes]), shapes, strict=True)
        )
        yhat = torch.tanh(x @ w1.T + b1) @ w2.T + b2
        return ((yhat - y) ** 2).mean()

    flat = torch.tensor(np.concatenate([start[name].ravel() for name in names]))
    return torch.autograd.functional.hessian(loss, flat).numpy()


@pytest.mark.parametrize("seed", range(6))
def test_the_largest_eigenvalue_of_a_network(seed):
    compiled = program(seed=seed)
    values = np.linalg.eigvalsh(hessian(compiled))
    found = stable(compiled)
    assert found.eigenvalue <= values[-1] * (1 + 1e-6)
    assert found.eigenvalue == pytest.approx(values[-1], rel=0.02)


def test_the_largest_and_not_the_largest_in_size():
    """Targets far away make the curvature of this network mostly negative."""
    compiled = program(
        data={"x": [[1.0]], "y": [[3.0]]},
        layers=[
            {"type": "linear", "out": 1, "bias": False, "weight": [[0.5]]},
            {"type": "tanh"},
            {"type": "linear", "out": 1, "bias": False, "weight": [[-0.1]]},
        ],
    )
    a, s = math.tanh(0.5), 1 - math.tanh(0.5) ** 2
    w = -0.1
    e = w * a - 3
    exact = np.array(
        [[2 * (w * s) ** 2 - 4 * e * w * a * s, 2 * (w * s * a + e * s)], [0.0, 2 * a * a]]
    )
    exact[1, 0] = exact[0, 1]
    low, high = np.linalg.eigvalsh(exact)
    assert -low > high
    assert stable(compiled).eigenvalue == pytest.approx(high, rel=1e-3)


@pytest.mark.parametrize(
    "tables",
    [
        {"optimizer": {"type": "adam", "lr": 0.1}},
        {"optimizer": {"type": "sgd", "lr": 0.1, "maximize": True}},
        {"training": {"skip": ["update"]}},
        {"training": {"skip": ["backward"]}},
        {"data": {"x": [[math.nan]], "y": [[1.0]]}},
        {"layers": [{"type": "tanh"}], "data": {"x": [[1.0]], "y": [[1.0]]}},
        {"layers": [{"type": "linear", "out": 1, "lr": 0.01}]},
        {
            "data": {"x": [[1e300]], "y": [[0.0]]},
            "layers": [
                {"type": "linear", "out": 1},
                {"type": "relu"},
                {"type": "linear", "out": 1, "init": "zeros"},
                {"type": "relu"},
                {"type": "linear", "out": 1, "bias": False},
            ],
        },
    ],
    ids=str,
)
def test_where_there_is_no_estimate(tables):
    assert stable(program(**tables)) is None


def test_a_flat_loss_bears_any_rate():
    compiled = program(
        data={"x": [[1.0]], "y": [[9.0]]},
        layers=[{"type": "linear", "out": 1}],
        loss={"type": "l1"},
    )
    assert stable(compiled).rate == math.inf
