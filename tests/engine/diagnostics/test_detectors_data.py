"""Detectors of data, outputs and refusals: what they must see, and what they must leave alone."""

import math

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.doctor import diagnose
from engine.diagnostics.refusals import diagnose_refusal
from engine.errors import ExperimentError
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from tests.engine.diagnostics.diagnosed import binary, classified, finding, found, linear
from tests.engine.small_experiments import document, experiment, program


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


def test_the_sum_over_one_row_is_no_sum():
    loss = {"type": "mse", "reduction": "sum"}
    assert not found("summed-loss", loss=loss, data={"batch_size": 1})
    assert (
        "the last batch of an epoch has 1"
        in found("summed-loss", loss=loss, data={"batch_size": 3})[0].evidence
    )


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


def test_a_missing_value_is_no_scale():
    data = {"x": [[1e-3, 1e-3], [math.nan, 2e-3]], "y": [[1.0], [1.0]]}
    assert not found("input-scales", data=data)


def test_it_takes_patience_to_say_never():
    x = np.random.default_rng(6).normal(size=(31, 2)).tolist()
    data = {"x": x, "y": [0] * 30 + [1]}
    case = {"data": data, "layers": [linear(2, init="zeros")], "loss": {"type": "cross_entropy"}}
    assert finding("class-imbalance", iterations=2, **case).severity == Severity.WARNING
    assert finding("class-imbalance", iterations=3, **case).serious


def test_a_first_loss_of_three_times_guessing():
    data = {"x": [[1.0], [1.0]], "y": [0, 1]}
    layers = [linear(2, weight=[[4.2], [0.0]], bias=False)]
    one = finding("initial-loss", data=data, layers=layers, loss={"type": "cross_entropy"})
    mean = (math.log1p(math.exp(-4.2)) + math.log1p(math.exp(4.2))) / 2
    assert one.numbers["ratio"] == pytest.approx(mean / math.log(2)) == pytest.approx(3, abs=0.1)


def test_the_shadow_has_the_data_before_rounding(tmp_path):
    """16 777 217 is the first whole number that float32 does not have."""
    path = tmp_path / "a.csv"
    path.write_text("a,t\n16777217,1\n16777217,1\n")
    data = {"csv": "a.csv", "inputs": ["a"], "targets": ["t"]}
    layers = [linear(1, weight=[[1.0]], bias=[-16777216.0])]
    raw = document(dtype="float32", layers=layers) | {"data": data}
    compiled = compile_program(read_experiment(raw, "a.toml", directory=str(tmp_path)))
    assert float(compiled.data.x[0, 0]) == 16777216
    (one,) = [one for one in diagnose(compiled, 1) if one.name == "float32-cancellation"]
    assert one.numbers["error"] == pytest.approx(1)
    path.unlink()
    assert not [one for one in diagnose(compiled, 1) if one.name == "float32-cancellation"]
    path.write_text("a,t\n5,1\n5,1\n")
    assert not [one for one in diagnose(compiled, 1) if one.name == "float32-cancellation"]


PIXELS = np.random.default_rng(8).integers(0, 256, size=(40, 16)).astype(float)


@pytest.mark.parametrize(("kind", "effect"), [("sigmoid", "saturated"), ("tanh", "saturated")])
def test_pixels_as_they_are_saturate_the_first_layer(kind, effect):
    tables = {
        "data": {"x": PIXELS.tolist(), "y": [0, 1] * 20},
        "layers": [linear(8), {"type": kind}, linear(2)],
        "loss": {"type": "cross_entropy"},
        "training": {"epochs": 40},
    }
    one = finding("large-inputs", **tables)
    assert one.serious
    assert one.numbers["size"] == pytest.approx(np.sqrt(np.mean(PIXELS**2)))
    assert {other.follows for other in found(effect, **tables)} == {"large-inputs"}
    tables["data"] |= {"standardize": True}
    assert not found("large-inputs", **tables)
    assert not found(effect, **tables)


def test_large_inputs_that_do_no_harm_are_a_note():
    data = {"x": PIXELS[:, :2].tolist(), "y": (PIXELS[:, :1] / 255).tolist()}
    slow = {"optimizer": {"type": "sgd", "lr": 1e-5}, "layers": [linear(1, init="zeros")]}
    one = finding("large-inputs", data=data, training={"epochs": 200}, **slow)
    assert one.severity == Severity.NOTE


def test_weights_that_make_up_for_a_rare_class():
    """One in twenty, and twenty times the weight: nothing is left to advise."""
    x = np.random.default_rng(9).normal(size=(40, 2)).tolist()
    yes = {"x": x, "y": [[1.0 * (i % 20 == 0)] for i in range(40)]}
    tables = {"data": yes, "layers": [linear(1)]}
    plain, weighted = ({"type": "bce_with_logits"} | more for more in ({}, {"pos_weight": [19.0]}))
    one = finding("class-imbalance", loss=plain, **tables)
    assert one.numbers["constant"] == pytest.approx(
        -(0.05 * math.log(0.05) + 0.95 * math.log(0.95))
    )
    assert not found("class-imbalance", loss=weighted, **tables)
    tables = {"data": {"x": x, "y": [int(i % 20 == 0) for i in range(40)]}, "layers": [linear(2)]}
    weights = {"type": "cross_entropy", "weight": [1.0, 19.0]}
    assert found("class-imbalance", loss={"type": "cross_entropy"}, **tables)
    assert not found("class-imbalance", loss=weights, **tables)
