"""The learning-rate range test against the same one in PyTorch."""

import math

import numpy as np
import pytest

from engine.diagnostics.range_test import BLOWN_UP, RangeTester
from engine.errors import GradstepError
from engine.measure.metrics import evaluate
from engine.run.drive import run_iteration
from tests.engine.small_experiments import built_in, program

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")

TWO = {"optimizer": {"type": "sgd", "lr": 0.1, "momentum": 0.9}, "data": {"batch_size": 3}}


def curve_of(compiled, *args):
    tester = RangeTester(compiled, *args)
    for _ in tester.run():
        pass
    return tester.result()


def test_the_curve_is_that_of_pytorch():
    compiled = program(**TWO)
    result = curve_of(compiled, 1e-4, 1.0, 40)
    start = compiled.initial()
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)
    ).double()
    with torch.no_grad():
        for one, info in zip(model.parameters(), compiled.parameters, strict=True):
            one.copy_(torch.tensor(start[info.name]))
    x, y = torch.tensor(compiled.data.x), torch.tensor(compiled.data.y)
    descent = torch.optim.SGD(model.parameters(), lr=1, momentum=0.9)
    losses = [torch.nn.functional.mse_loss(model(x), y).item()]
    for i, rate in enumerate(np.geomspace(1e-4, 1.0, 40)):
        rows = slice(3 * (i % 3), min(3 * (i % 3) + 3, 7))
        descent.param_groups[0]["lr"] = float(rate)
        descent.zero_grad()
        torch.nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
        descent.step()
        losses.append(torch.nn.functional.mse_loss(model(x), y).item())
    assert result.losses == pytest.approx(losses[: len(result.losses)], rel=1e-9)
    assert result.rates == pytest.approx(np.geomspace(1e-4, 1.0, 40)[: len(result.rates)])


def test_the_numbers_are_those_of_the_curve():
    result = curve_of(built_in("iris"))
    losses, rates = result.losses, result.rates
    assert result.lowest == rates[np.argmin(losses) - 1]
    assert result.rate == pytest.approx(result.lowest / 10)
    falls = np.diff(losses[: np.argmin(losses) + 1])
    assert result.steepest == rates[np.argmin(falls)]
    assert result.blown_up == rates[-1]
    assert losses[-1] > BLOWN_UP * losses.min()


@pytest.mark.parametrize("name", ["regression", "iris", "digits", "xor", "classification-relu"])
def test_training_at_that_rate_learns(name):
    """A tenth of the loss of the beginning is gone, and nothing explodes."""
    compiled = built_in(name)
    rate = curve_of(compiled).rate
    tensors = compiled.initial() | {"optimizer.lr": np.array(rate)}
    first = evaluate(compiled, tensors)["loss"]
    for iteration in range(min(compiled.timeline.iterations, 200)):
        tensors = run_iteration(compiled, tensors, iteration)
    last = evaluate(compiled, tensors)["loss"]
    assert math.isfinite(last)
    assert last < 0.9 * first


@pytest.mark.parametrize(
    "tables",
    [
        {"optimizer": {"type": "sgd", "lr": 0.1, "maximize": True}},
        {"loss": {"type": "mse", "scale": -1.0}},
        {"training": {"skip": ["update"]}},
    ],
)
def test_no_rate_lowers_the_loss_of_a_broken_loop(tables):
    result = curve_of(program(**tables))
    assert (result.rate, result.steepest, result.lowest) == (None, None, None)


def test_a_schedule_does_not_set_the_rate_back():
    plain, scheduled = (
        curve_of(program(**more)) for more in ({}, {"schedule": {"type": "step", "step_size": 1}})
    )
    assert scheduled.losses == pytest.approx(plain.losses)


def test_the_rate_of_a_layer_keeps_its_proportion():
    layers = [{"type": "linear", "out": 3, "lr": 0.02}, {"type": "linear", "out": 1}]
    compiled = program(layers=layers, optimizer={"type": "sgd", "lr": 0.1})
    result, tensors = curve_of(compiled), compiled.initial()
    for iteration, rate in enumerate(result.rates[:20]):
        chosen = {"optimizer.lr": np.array(rate), "optimizer.linear1.lr": np.array(rate * 0.2)}
        tensors = run_iteration(compiled.lasting(20), tensors | chosen, iteration)
    assert evaluate(compiled, tensors)["loss"] == pytest.approx(result.losses[20], rel=1e-12)


def test_lines_that_read_no_rate_have_none_to_test():
    with pytest.raises(GradstepError, match="no line reads lr"):
        curve_of(program(optimizer={"lines": "theta = theta - 0.1*g"}))
