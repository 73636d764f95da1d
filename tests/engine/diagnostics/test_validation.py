"""The rows set aside are evidence."""

from dataclasses import replace

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.doctor import Doctor
from engine.diagnostics.validation import Look, Overfitting
from engine.measure.metrics import evaluate
from tests.engine.diagnostics.diagnosed import finding, found, linear
from tests.engine.small_experiments import program

RNG = np.random.default_rng(2)
X = RNG.normal(size=(40, 2))
WIDE = [linear(64), {"type": "relu"}, linear(64), {"type": "relu"}]
ADAM = {"optimizer": {"type": "adam", "lr": 0.01}, "training": {"epochs": 150}}


def tables(y, outputs, loss, **data):
    return ADAM | {
        "data": {"x": X.tolist(), "y": np.asarray(y).tolist(), "validation": 0.5} | data,
        "layers": [*WIDE, linear(outputs)],
        "loss": {"type": loss},
    }


RANDOM = tables(RNG.integers(2, size=40), 2, "cross_entropy")
NUMBERS = tables(RNG.normal(size=(40, 1)), 1, "mse")


@pytest.mark.parametrize("memorized", [RANDOM, NUMBERS], ids=["classes", "numbers"])
def test_labels_of_chance_are_memorized(memorized):
    one = finding("overfitting", **memorized)
    assert one.serious
    compiled = program(**memorized)
    doctor = Doctor(compiled)
    for _ in doctor.run(150):
        pass
    aside = evaluate(compiled, doctor.tensors, data=compiled.data.validation)
    assert one.numbers["validation"] == pytest.approx(aside["loss"])
    assert one.numbers["training"] == pytest.approx(evaluate(compiled, doctor.tensors)["loss"])
    assert one.numbers["validation"] > one.numbers["constant"]


def test_what_holds_for_the_rows_set_aside_is_learnt():
    y = (X[:, 0] > 0).astype(int)
    apart = {"x": (X + 3 * y[:, None]).tolist()}
    assert not found("overfitting", **tables(y, 2, "cross_entropy", **apart))
    assert not found("overfitting", **tables(np.tanh(X[:, :1]), 1, "mse"))
    assert not found("overfitting", **(RANDOM | {"training": {"epochs": 1}}))


def test_sure_of_some_wrong_answers_and_mostly_right_is_a_warning():
    x = RNG.normal(size=(160, 2))
    y = (x[:, 0] > 0).astype(int)
    y[RNG.permutation(160)[:24]] ^= 1
    (one,) = found("overfitting", **tables(y, 2, "cross_entropy", x=x.tolist()))
    assert one.severity == Severity.WARNING
    assert one.numbers["validation"] > one.numbers["constant"]


def test_a_rise_of_next_to_nothing_is_not_worth_a_word():
    compiled = program(**NUMBERS)
    detector = Overfitting(compiled)
    looks = [Look(10 * i, i, 1 / i, aside, None) for i, aside in ((1, 9e-3), (2, 1e-3), (3, 9e-3))]
    detector.looks = looks
    assert not list(detector.found())
    detector.looks = [replace(one, aside=100 * one.aside) for one in looks]
    assert [one.event for one in detector.found()] == [30]


def test_where_both_losses_rise_it_is_no_memory():
    fast = {"optimizer": {"type": "sgd", "lr": 3.0}, "training": {"epochs": 8}}
    assert not found("overfitting", **(NUMBERS | {"layers": [linear(1)]} | fast))


def test_without_rows_set_aside_nothing_is_known():
    whole = RANDOM | {"data": {"x": X.tolist(), "y": RANDOM["data"]["y"]}}
    assert not found("overfitting", **whole)
