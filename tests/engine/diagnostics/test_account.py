"""The account of a step: each factor measured, and named where it is the one."""

import numpy as np
import pytest

from engine.diagnostics.account import LEFT, StepFactor, WeightDecay
from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.doctor import Doctor
from engine.diagnostics.ledger import wanted
from tests.engine.diagnostics.diagnosed import found, linear
from tests.engine.small_experiments import program

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")

LONG = {"epochs": 60}
SGD = {"type": "sgd", "lr": 0.1}


def ledger(kind=StepFactor, iterations=40, **tables):
    """The detector after a run."""
    doctor = Doctor(program(training=LONG, **tables))
    for _ in doctor.run(iterations):
        pass
    return next(one for one in doctor.detectors if type(one) is kind)


def only(kind, **tables):
    (one,) = found(kind, **({"training": LONG} | tables))
    return one


def test_the_iterations_sampled_are_eight_in_a_doubling():
    assert [n for n in range(1, 40) if wanted(n)][:12] == [*range(1, 13)]
    counts = [sum(wanted(n) for n in range(2**k, 2 ** (k + 1))) for k in range(4, 12)]
    assert counts == [8] * 8


def test_the_account_of_plain_descent_adds_up():
    for step in ledger().steps:
        assert step.moved == pytest.approx(0.1 * step.gradient)
        assert (step.schedule, step.decay, step.factors) == (1, 0, {})


def test_clipping_is_measured_and_so_is_the_schedule():
    schedule = {"type": "exponential", "gamma": 0.9}
    for step in ledger(clip={"norm": 0.01}, schedule=schedule).steps:
        assert step.factors["clip"] == pytest.approx(0.01 / (step.gradient + 1e-6))
        assert step.schedule == pytest.approx(0.9 ** (step.iteration - 1))
        assert step.moved == pytest.approx(0.1 * step.schedule * 0.01, rel=1e-3)


def test_eps_is_what_torch_would_move_without_it():
    """Two Adams of PyTorch on one parameter, the second with eps = 0 at the first step."""
    step = ledger(optimizer={"type": "adam", "lr": 0.01, "eps": 0.5}).steps[0]
    compiled = program(optimizer={"type": "adam", "lr": 0.01, "eps": 0.5})
    doctor = Doctor(compiled)
    next(iter(doctor.run(1)))
    lengths = []
    for eps in (0.5, 0.0):
        total = 0.0
        for info in compiled.parameters:
            start = torch.tensor(compiled.initial()[info.name], requires_grad=True)
            before = start.detach().clone()
            start.grad = torch.tensor(doctor.tensors[f"{info.name}.grad"])
            torch.optim.Adam([start], lr=0.01, eps=eps).step()
            total += float(((start.detach() - before) ** 2).sum())
        lengths.append(np.sqrt(total))
    assert step.factors["eps"] == pytest.approx(lengths[0] / lengths[1])


@pytest.mark.parametrize(
    ("tables", "subject", "word"),
    [
        ({"clip": {"norm": 1e-7}}, "clip", "clipping"),
        ({"clip": {"value": 1e-8}}, "clip", "clipping"),
        ({"loss": {"type": "mse", "scale": 1e-7}}, "loss.scale", "scale"),
        (
            {"optimizer": SGD | {"momentum": 0.5, "dampening": 1.0}},
            "optimizer.dampening",
            "dampening",
        ),
        ({"optimizer": {"type": "adam", "lr": 1e-3, "eps": 1e4}}, "optimizer.eps", "eps"),
        ({"optimizer": {"type": "rmsprop", "lr": 1e-3, "eps": 1e4}}, "optimizer.eps", "eps"),
        (
            {"optimizer": {"type": "adagrad", "lr": 1e-3, "lr_decay": 100.0}},
            "optimizer.lr_decay",
            "lr_decay",
        ),
        (
            {"optimizer": {"type": "adagrad", "lr": 1e-2, "initial_accumulator_value": 1e8}},
            "optimizer.initial_accumulator_value",
            "initial_accumulator_value",
        ),
        (
            {"schedule": {"type": "exponential", "gamma": 0.5, "every": "iteration"}},
            "optimizer.lr",
            "schedule",
        ),
        (
            {"schedule": {"type": "linear_warmup", "iterations": 10**9, "start_factor": 1e-6}},
            "optimizer.lr",
            "schedule",
        ),
    ],
)
def test_the_factor_that_eats_the_step_is_named(tables, subject, word):
    one = only("step-factor", **tables)
    assert one.subject == subject
    assert one.severity in (Severity.SERIOUS, Severity.WARNING)
    assert word in one.cause
    for other in found("update-ratio", training=LONG, **tables):
        assert (other.severity, other.follows) == (Severity.NOTE, "step-factor")


@pytest.mark.parametrize(
    "tables",
    [
        {},
        {"clip": {"norm": 1.0}},
        {"loss": {"type": "mse", "scale": 0.5}},
        {"loss": {"type": "mse", "scale": 1e-3}, "optimizer": {"type": "adam", "lr": 1e-2}},
        {"clip": {"value": 0.1}},
        {"optimizer": SGD | {"momentum": 0.9, "dampening": 0.1}},
        {"optimizer": {"type": "adam", "lr": 1e-2}},
        {"optimizer": {"type": "adagrad", "lr": 1e-2, "lr_decay": 0.01}},
        {"optimizer": {"type": "adagrad", "lr": 1e-2, "initial_accumulator_value": 0.1}},
        {"schedule": {"type": "exponential", "gamma": 0.9}},
        {"schedule": {"type": "cosine", "t_max": 60}},
        {"schedule": {"type": "step", "step_size": 20}},
        {"schedule": {"type": "linear_warmup", "iterations": 20}},
    ],
)
def test_factors_in_their_usual_size_are_left_alone(tables):
    assert not found("step-factor", training=LONG, **tables)


def test_clipping_what_has_exploded_is_no_fault():
    """The step that is left is as long as any other."""
    x = (1000 * np.random.default_rng(1).normal(size=(7, 2))).tolist()
    tables = {"data": {"x": x}, "layers": [linear(1)], "clip": {"norm": 1.0}}
    one = only("step-factor", optimizer={"type": "sgd", "lr": 0.1}, **tables)
    assert one.numbers["factor"] < 0.01
    assert ledger(optimizer={"type": "sgd", "lr": 0.1}, **tables).left > LEFT
    assert one.severity == Severity.NOTE


def test_a_schedule_in_iterations_that_was_meant_in_epochs():
    data = {"batch_size": 2}
    schedule = {"type": "cosine", "t_max": 60, "every": "iteration"}
    one = only("step-factor", data=data, schedule=schedule)
    assert 'every = "epoch"' in one.remedy
    whole = {"type": "cosine", "t_max": 240, "every": "iteration"}
    assert not found("step-factor", data=data, schedule=whole, training=LONG)
    half = {"type": "exponential", "gamma": 0.5, "every": "iteration"}
    assert "an epoch has 4 iterations" in only("step-factor", data=data, schedule=half).remedy


def test_momentum_without_friction_is_serious():
    one = only("step-factor", optimizer=SGD | {"momentum": 1.0})
    assert (one.subject, one.serious) == ("optimizer.momentum", True)
    assert not found("step-factor", optimizer=SGD | {"momentum": 0.99}, training=LONG)


MSE = {"type": "mse"}


@pytest.mark.parametrize(
    ("tables", "subject"),
    [
        ({"optimizer": SGD | {"maximize": True}}, "optimizer.maximize"),
        ({"optimizer": {"type": "adam", "lr": 0.01, "maximize": True}}, "optimizer.maximize"),
        ({"loss": MSE | {"scale": -1.0}}, "loss.scale"),
        ({"optimizer": SGD | {"momentum": 0.9, "dampening": 1.5}}, "optimizer.dampening"),
    ],
)
def test_ascent_is_named_and_the_rising_loss_follows_it(tables, subject):
    one = only("ascent", **tables)
    assert (one.subject, one.serious) == (subject, True)
    assert "learning rate" not in one.cause + one.remedy
    serious = [other.name for other in every(**tables) if other.serious]
    assert serious == ["ascent"]


def every(**tables):
    doctor = Doctor(program(training=LONG, **tables))
    for _ in doctor.run(60):
        pass
    return doctor.findings()


def test_two_wrong_signs_go_down():
    twice = {"optimizer": SGD | {"maximize": True}, "loss": MSE | {"scale": -1.0}}
    assert not found("ascent", training=LONG, **twice)
    assert not found("loss-rising", training=LONG, **twice)
    assert not found("ascent", optimizer=SGD | {"dampening": 1.5})  # of no momentum


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD | {"weight_decay": 0.5},
        {"type": "adam", "lr": 0.02, "weight_decay": 0.5},
        {"type": "adamw", "lr": 0.02, "weight_decay": 20.0},
    ],
)
def test_weight_decay_that_outweighs_the_gradient(optimizer):
    long = {"epochs": 200}
    (one,) = found("weight-decay", optimizer=optimizer, training=long)
    assert one.severity in (Severity.SERIOUS, Severity.WARNING)
    assert one.numbers["left"] > 0.05
    usual = optimizer | {"weight_decay": 1e-3}
    assert not found("weight-decay", optimizer=usual, training=long)


def test_the_pull_of_weight_decay_is_its_product_with_the_weights():
    one = ledger(WeightDecay, optimizer=SGD | {"weight_decay": 0.3}).steps[-1]
    assert one.decay == pytest.approx(0.3 * one.weights / one.gradient)


def test_a_rule_that_normalizes_at_a_rate_for_another():
    one = only("oversized-steps", optimizer={"type": "adam", "lr": 1.0})
    assert "every element moves by about 1" in one.cause
    weights = np.concatenate(
        [program().initial()[info.name].ravel() for info in program().parameters]
    )
    assert one.numbers["ratio"] == pytest.approx(
        np.sqrt(len(weights)) / np.linalg.norm(weights), rel=1e-6
    )
    for lr in (0.1, 0.01):
        assert not found("oversized-steps", optimizer={"type": "adam", "lr": lr}, training=LONG)
    assert not found("oversized-steps", optimizer={"type": "sgd", "lr": 1.0})


def test_decay_that_layers_have_of_their_own_is_named():
    layers = [linear(3, weight_decay=0.5), {"type": "tanh"}, linear(1, weight_decay=0.5)]
    long = {"epochs": 200}
    (one,) = found("weight-decay", optimizer=SGD, layers=layers, training=long)
    assert one.evidence.startswith("weight_decay = 0.5 pulls")


def test_the_account_of_groups_and_lines_is_measured_by_their_own_rules():
    layers = [linear(3, lr=0.02, weight_decay=0.3), linear(1, decay=False)]
    rule = {"type": "adam", "lr": 0.1, "eps": 1e-2}
    ours = ledger(layers=layers, optimizer=rule, clip={"norm": 0.01}).steps
    for step in ours:
        assert 0 < step.factors["clip"] < 1
        assert 0 < step.factors["eps"] < 1
    lines = {"lr": 0.1, "weight_decay": 0.3, "lines": "theta = theta - lr*(g + weight_decay*theta)"}
    for step in ledger(optimizer=lines, clip={"norm": 0.01}).steps:
        assert step.decay == 0  # in lines it is a name like any other
        assert 0 < step.factors["clip"] < 1
