"""Each detector on small experiments: what it must see, and what it must leave alone."""

import math

import numpy as np
import pytest

from engine.diagnostics import Severity, diagnose, diagnose_refusal
from engine.errors import ExperimentError
from engine.experiment_reader import read_experiment
from engine.program import compile_program
from tests.engine.small_experiments import document, experiment, program

CLASSES = {"x": np.random.default_rng(3).normal(size=(12, 2)).tolist(), "y": [0, 1, 2] * 4}


def found(kind, iterations=None, **tables):
    """The findings of a kind in a small experiment."""
    compiled = program(**tables)
    every = diagnose(compiled, iterations or compiled.iterations)
    return [one for one in every if one.name == kind]


def linear(out, **options):
    return {"type": "linear", "out": out, **options}


def classified(loss, *last):
    return {"data": CLASSES, "layers": [linear(3), *last], "loss": {"type": loss}}


def binary(loss, *last):
    y = [[0.0], [1.0]] * 3
    x = np.random.default_rng(4).normal(size=(6, 2)).tolist()
    return {
        "data": {"x": x, "y": y},
        "layers": [linear(1, init_scale=0.1), *last],
        "loss": {"type": loss},
    }


def test_gradients_summed_up_on_purpose_are_no_mistake():
    """Without any update nothing is used twice; with one every iteration, it is."""
    assert not found("accumulated-gradients", training={"skip": ["zero_grad", "update"]})
    assert found("accumulated-gradients", training={"skip": ["zero_grad"]})
    order = ["forward", "loss", "backward", "update", "zero_grad"]
    assert not found("accumulated-gradients", training={"order": order})


def test_an_adaptive_rule_has_accumulated_gradients_too():
    tables = {"optimizer": {"type": "adam", "lr": 0.01}, "training": {"skip": ["zero_grad"]}}
    assert found("accumulated-gradients", **tables)


@pytest.mark.parametrize(
    ("tables", "cause"),
    [
        ({"optimizer": {"type": "sgd", "lr": 0.0}}, "the learning rate is 0"),
        ({"training": {"skip": ["update"]}}, "update is skipped"),
        ({"optimizer": {"type": "sgd", "lr": 1e-30}}, "smaller than the rounding"),
    ],
)
def test_why_a_parameter_never_moves(tables, cause):
    every = found("never-moves", **tables)
    assert {one.subject for one in every} == {
        "linear1.weight",
        "linear1.bias",
        "linear2.weight",
        "linear2.bias",
    }
    assert all(cause in one.cause for one in every)
    weights = {one.subject for one in every if one.serious}
    assert weights == {"linear1.weight", "linear2.weight"}


def test_parameters_that_move_are_left_alone():
    assert not found("never-moves")
    clip = {"norm": 1.0}
    assert not found("never-moves", clip=clip, schedule={"type": "exponential", "gamma": 0.9})


def test_a_frozen_front_is_a_note_and_a_frozen_end_is_serious():
    front = [linear(3, frozen=["weight", "bias"]), {"type": "tanh"}, linear(1)]
    end = [linear(3), {"type": "tanh"}, linear(1, frozen=["weight", "bias"])]
    part = [linear(3), {"type": "tanh"}, linear(1, frozen=["bias"])]
    severities = [
        {one.severity for one in found("frozen", layers=layers)} for layers in (front, end, part)
    ]
    assert severities == [{Severity.NOTE}, {Severity.SERIOUS}, {Severity.NOTE}]
    assert not found("frozen")


def test_zero_weights_are_symmetric():
    layers = [linear(3, init="zeros"), {"type": "tanh"}, linear(1, init="zeros")]
    (one,) = found("symmetric-units", layers=layers)
    assert one.serious
    assert "zero weights" in one.evidence


def test_units_with_different_ways_out_are_not_symmetric():
    layers = [linear(3, init="constant"), {"type": "tanh"}, linear(1)]
    assert not found("symmetric-units", layers=layers)
    assert not found("symmetric-units")


def test_two_twins_among_many_are_a_warning():
    weight = [[0.1, 0.2], [0.1, 0.2], [0.3, -0.4], [-0.5, 0.6], [0.7, 0.8]]
    last = [[0.5, 0.5, -0.4, 0.3, 0.2]]
    layers = [linear(5, weight=weight, bias=[0.0] * 5), {"type": "tanh"}, linear(1, weight=last)]
    (one,) = found("symmetric-units", layers=layers)
    assert one.severity == Severity.WARNING
    assert one.numbers["equal"] == 2


def test_a_linear_classifier_may_start_at_zero():
    """Its units have targets of their own that tell them apart."""
    zeros = {
        "data": CLASSES,
        "layers": [linear(3, init="zeros")],
        "loss": {"type": "cross_entropy"},
    }
    assert not found("symmetric-units", **zeros)


def test_a_unit_counts_as_dead_after_a_whole_epoch_only():
    bias = [-100.0, 0.0, 0.0]
    layers = [linear(3, bias=bias), {"type": "relu"}, linear(1)]
    tables = {"data": {"batch_size": 2}, "layers": layers}
    assert not found("dead-relu", iterations=3, **tables)
    (one,) = found("dead-relu", iterations=4, **tables)
    assert (one.numbers["dead"], one.severity) == (1, Severity.NOTE)


@pytest.mark.parametrize(("kind", "scale"), [("tanh", 100), ("sigmoid", 100)])
def test_saturated_hidden_units(kind, scale):
    hidden = linear(4, init="normal", init_scale=float(scale))
    (one,) = found("saturated", layers=[hidden, {"type": kind}, linear(1)], training={"epochs": 1})
    assert one.subject == f"{kind}1"
    assert not found("saturated", layers=[linear(4), {"type": kind}, linear(1)])


def test_a_sure_and_right_output_is_not_saturated():
    data = {"x": [[1.0], [-1.0]], "y": [[1.0], [0.0]]}
    layers = [linear(1, weight=[[20.0]], bias=[0.0]), {"type": "sigmoid"}]
    assert not found("saturated", data=data, layers=layers)
    wrong = [linear(1, weight=[[-20.0]], bias=[0.0]), {"type": "sigmoid"}]
    assert found("saturated", data=data, layers=wrong)[0].serious


def test_two_layers_are_no_trend():
    small = [linear(3, init="normal", init_scale=1e-9), {"type": "tanh"}, linear(1)]
    assert not found("vanishing-gradients", layers=small)


def deep(scale):
    hidden = [
        layer
        for _ in range(4)
        for layer in (linear(8, init="xavier_normal", init_scale=scale), {"type": "tanh"})
    ]
    return [*hidden, linear(1)]


@pytest.mark.parametrize(("scale", "severities"), [(1.0, []), (0.01, ["serious"])])
def test_vanishing_gradients(scale, severities):
    every = found("vanishing-gradients", layers=deep(scale))
    assert [one.severity for one in every] == severities


@pytest.mark.parametrize(
    ("case", "severity"),
    [
        (classified("cross_entropy"), None),
        (classified("cross_entropy", {"type": "softmax"}), "serious"),
        (classified("cross_entropy", {"type": "softmax"}, {"type": "identity"}), "serious"),
        (classified("cross_entropy", {"type": "sigmoid"}), "serious"),
        (classified("cross_entropy", {"type": "log_softmax"}), "note"),
        (classified("nll", {"type": "log_softmax"}), None),
        (classified("nll", {"type": "softmax"}, {"type": "softmax"}), "serious"),
        (binary("bce_with_logits"), None),
        (binary("bce_with_logits", {"type": "sigmoid"}), "serious"),
        (binary("bce", {"type": "sigmoid"}), None),
        (binary("mse", {"type": "sigmoid"}, {"type": "sigmoid"}), "serious"),
        (binary("mse", {"type": "sigmoid"}), None),
    ],
    ids=lambda value: str(value)[-90:] if isinstance(value, dict) else None,
)
def test_softmax_and_sigmoid_twice(case, severity):
    assert [one.severity for one in found("double-softmax", **case)] == [severity] * bool(severity)


@pytest.mark.parametrize(
    ("case", "severity"),
    [
        (classified("nll"), "serious"),
        (classified("nll", {"type": "softmax"}), "serious"),
        (classified("nll", {"type": "log_softmax"}), None),
        (classified("cross_entropy", {"type": "relu"}), "warning"),
        (binary("bce"), "serious"),
        (binary("bce", {"type": "tanh"}), "serious"),
        (binary("bce", {"type": "sigmoid"}), None),
    ],
    ids=lambda value: str(value)[-90:] if isinstance(value, dict) else None,
)
def test_outputs_that_the_loss_cannot_take(case, severity):
    assert [one.severity for one in found("wrong-output", **case)] == [severity] * bool(severity)


@pytest.mark.parametrize(
    ("columns", "severity"),
    [([1, 50], None), ([1, 500], "warning"), ([1, 5000], "serious"), ([0, 5000], None)],
)
def test_scales(columns, severity):
    x = (np.random.default_rng(5).uniform(0.5, 1, size=(7, 2)) * columns).tolist()
    every = found("input-scales", data={"x": x}, optimizer={"type": "sgd", "lr": 1e-9})
    assert [one.severity for one in every] == [severity] * bool(severity)


def test_scales_name_the_columns_and_ignore_missing_values(tmp_path):
    (tmp_path / "a.csv").write_text("age,income,target\n1,20000,0\n0.5,nan,1\n")
    data = {"csv": "a.csv", "inputs": ["age", "income"], "targets": ["target"]}
    raw = document() | {"data": data}
    compiled = compile_program(read_experiment(raw, "a.toml", directory=str(tmp_path)))
    (one,) = [one for one in diagnose(compiled, 1) if one.name == "input-scales"]
    assert "income reaches 2e4, age 1" in one.evidence


def test_imbalance_of_rows_with_a_single_one():
    y = [[1.0, 0.0, 0.0]] * 30 + [[0.0, 1.0, 0.0]]
    x = np.random.default_rng(6).normal(size=(31, 2)).tolist()
    case = classified("cross_entropy") | {"data": {"x": x, "y": y}}
    (one,) = found("class-imbalance", **case)
    assert one.numbers["share"] == pytest.approx(30 / 31)
    even = classified("cross_entropy") | {
        "data": {"x": x[:30], "y": [[1.0, 0.0, 0.0]] * 15 + [[0.0, 1.0, 0.0]] * 15}
    }
    assert not found("class-imbalance", **even)
    assert not found("class-imbalance", **binary("bce", {"type": "sigmoid"}))


@pytest.mark.parametrize("reduction", ["mean", "sum", "batch_mean"])
@pytest.mark.parametrize("loss", ["cross_entropy", "bce_with_logits"])
def test_guessing_has_the_loss_of_an_output_of_zeros(loss, reduction):
    """The first loss of zeros is what guessing gives; ten times it is far above."""
    y = [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]
    data = {"x": [[1.0], [2.0], [3.0]], "y": y}
    zeros = [linear(2, init="zeros", bias=False)]
    large = [linear(2, weight=[[-50.0], [50.0]], bias=False)]
    settings = {"type": loss, "reduction": reduction, "scale": 3.0}
    compiled = program(data=data, layers=zeros, loss=settings)
    first = float(compiled.network.loss.value(np.zeros((3, 2)), np.array(y)))
    assert not found("initial-loss", data=data, layers=zeros, loss=settings)
    (one,) = found("initial-loss", data=data, layers=large, loss=settings)
    assert one.numbers["guessing"] == pytest.approx(first)


def test_a_loss_that_falls_is_left_alone_and_a_maximized_one_may_rise():
    assert not found("loss-rising")
    up = {"type": "sgd", "lr": 1.0, "maximize": True}
    assert not found("loss-rising", optimizer=up, training={"epochs": 20})
    assert found("loss-rising", optimizer={"type": "sgd", "lr": 5.0}, training={"epochs": 20})


def test_the_sum_over_one_row_is_no_sum():
    loss = {"type": "mse", "reduction": "sum"}
    assert not found("summed-loss", loss=loss, data={"batch_size": 1})
    assert (
        "the last batch of an epoch has 1"
        in found("summed-loss", loss=loss, data={"batch_size": 3})[0].evidence
    )


def test_the_learning_rate_is_noted_above_the_limit_only():
    (one,) = found("learning-rate", optimizer={"type": "sgd", "lr": 3.0}, iterations=1)
    assert one.severity == Severity.NOTE
    assert one.numbers["lr"] > one.numbers["largest_stable"] > 0
    assert not found("learning-rate", optimizer={"type": "sgd", "lr": 0.01})


def test_float32_is_compared_and_float64_is_not():
    offset = 1e6
    y = [[offset + i / 7] for i in range(7)]
    layers = [linear(1, init="zeros", bias=[offset])]
    tables = {"data": {"y": y}, "layers": layers}
    assert found("float32-cancellation", dtype="float32", **tables)[0].numbers["error"] > 1e-3
    assert not found("float32-cancellation", dtype="float64", **tables)
    assert not found("float32-cancellation", dtype="float32")


def refusals(**tables):
    with pytest.raises(ExperimentError) as caught:
        program(**tables)
    return {one.name: one for one in diagnose_refusal(caught.value)}


@pytest.mark.parametrize(
    ("tables", "name"),
    [
        (
            {"training": {"order": ["forward", "loss", "backward", "zero_grad", "update"]}},
            "zero-grad-before-update",
        ),
        (
            {"training": {"order": ["update", "zero_grad", "forward", "loss", "backward"]}},
            "update-before-backward",
        ),
        (
            {"training": {"order": ["zero_grad", "forward", "backward", "loss", "update"]}},
            "backward-without-forward",
        ),
        ({"training": {"skip": ["forward"]}}, "backward-without-forward"),
        ({"training": {"skip": ["forward", "loss"]}}, "backward-without-forward"),
        ({"loss": {"type": "mse", "reduction": "none"}}, "loss-not-scalar"),
        ({"data": {"y": [0.0] * 7}}, "broadcasting-target"),
        ({"data": {"y": [[0.0]] * 7}, "layers": [linear(3)]}, "broadcasting-target"),
    ],
)
def test_a_refusal_is_a_diagnosis(tables, name):
    one = refusals(**tables)[name]
    assert one.serious
    assert one.event is None
    assert one.evidence


def test_other_refusals_are_none():
    with pytest.raises(ExperimentError) as caught:
        experiment(optimizer={"type": "sgd", "lr": math.inf}, training={"epochs": 0})
    assert diagnose_refusal(caught.value) == []
