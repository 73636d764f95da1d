"""The terms of every number add up to it, whatever op made it; and are what NumPy says they are."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engine.experiment.builtins import builtin_names
from engine.explain.explain import explain
from engine.explain.explanation import Explanation, Operand
from engine.nn.table import LAYERS, LOSSES
from engine.program.program import Program
from engine.session.session import Session
from tests.engine import line_networks
from tests.engine.explain.sweeping import explanations, wrong
from tests.engine.lines.every_function import CASES, IDS, program_of
from tests.engine.small_experiments import built_in, program

pytestmark = pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid", "ignore:divide")


@pytest.mark.parametrize("name", builtin_names())
def test_terms_of_every_op_of_a_built_in(name: str) -> None:
    assert wrong(built_in(name)) == []


@pytest.mark.parametrize("name", line_networks.KINDS)
def test_terms_of_every_op_of_lines(name: str) -> None:
    assert wrong(line_networks.compiled(line_networks.text(name, batch=9))) == []


@pytest.mark.parametrize(("name", "line", "arrays"), CASES, ids=IDS)
def test_terms_of_every_function_of_lines(name: str, line: str, arrays: dict[str, Any]) -> None:
    assert wrong(program_of(line, arrays), iterations=1, tries=3) == []


OPTIMIZERS: list[dict[str, Any]] = [
    {"type": "sgd", "momentum": 0.9, "dampening": 0.1, "weight_decay": 0.01},
    {"type": "sgd", "momentum": 0.9, "nesterov": True, "maximize": True},
    {"type": "adam"},
    {"type": "adam", "amsgrad": True, "weight_decay": 0.1},
    {"type": "adamw"},
    {"type": "adadelta", "rho": 0.8},
    {"type": "adagrad", "lr_decay": 0.1, "initial_accumulator_value": 0.1},
    {"type": "rmsprop"},
    {"type": "rmsprop", "centered": True, "momentum": 0.5, "weight_decay": 0.1},
    {"lr": 0.1, "lines": "v = 0.9*v + 0.1*g\ntheta = theta - lr*v"},
    {"lr": 0.1, "lines": "s = s + g**2\ntheta = theta - lr*g/(sqrt(s) + 1e-8)/t"},
]


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_terms_of_every_rule(optimizer: dict[str, Any]) -> None:
    assert wrong(program(optimizer={"lr": 0.05, **optimizer}), iterations=3) == []


@pytest.mark.parametrize(
    "schedule",
    [
        {"type": "constant"},
        {"type": "step", "gamma": 0.5, "step_size": 1},
        {"type": "exponential", "gamma": 0.9},
        {"type": "cosine", "t_max": 5, "eta_min": 0.01},
        {"type": "linear_warmup", "iterations": 3},
    ],
    ids=str,
)
def test_terms_of_every_schedule(schedule: dict[str, Any]) -> None:
    assert wrong(program(schedule=schedule), iterations=3) == []


@pytest.mark.parametrize("clip", [{"norm": 0.1}, {"value": 0.05}], ids=str)
def test_terms_of_clipping(clip: dict[str, Any]) -> None:
    assert wrong(program(clip=clip)) == []


@pytest.mark.parametrize("kind", sorted(LAYERS.keys() - {"linear"}))
def test_terms_of_every_layer(kind: str) -> None:
    layers = [{"type": "linear", "out": 4}, {"type": kind}, {"type": "linear", "out": 1}]
    assert wrong(program(layers=layers), iterations=1, tries=4) == []


@pytest.mark.parametrize("reduction", ["sum", "mean", "batch_mean"])
@pytest.mark.parametrize("kind", sorted(LOSSES))
def test_terms_of_every_loss(kind: str, reduction: str) -> None:
    y: Any = np.random.default_rng(1).uniform(0.1, 0.9, size=(7, 3))
    y = np.sign(y - 0.5) if kind == "hinge" else y
    classes = LOSSES[kind].takes_classes and kind != "kl_div"
    data = {"y": [0, 1, 2, 0, 1, 2, 2] if classes else y.tolist()}
    last = "log_softmax" if kind == "nll" else "sigmoid"
    made = program(
        data=data,
        layers=[{"type": "linear", "out": 3}, {"type": last}],
        loss={"type": kind, "reduction": reduction, "scale": 0.5},
    )
    assert wrong(made, tries=4) == []


def test_float32_says_what_it_rounds() -> None:
    assert wrong(program(dtype="float32")) == []


def test_the_terms_of_a_layer_are_the_products_that_numpy_makes() -> None:
    made = built_in("regression")
    session = Session(made)
    session.goto(len(made.ops) - 4)  # before the update
    t = session.tensors
    n, k, j = 2, 1, 0
    forward = explain(session, f"linear2.out[{n},{k}]")
    products = t["relu1.out"][n] * t["linear2.weight"][k]
    expected = [*products, t["linear2.bias"][k]]
    assert [term.value for term in forward.terms] == expected
    weight = explain(session, f"W2.grad[{k},{j}]")
    expected = list(t["linear2.out.grad"][:, k] * t["relu1.out"][:, j])
    assert [term.value for term in weight.terms] == expected
    back = explain(session, f"z2.grad[{n},{j}]")
    expected = list(t["linear2.out.grad"][n] * t["linear2.weight"][:, j])
    assert [term.value for term in back.terms] == expected


def operands_are_elements(made: Program) -> int:
    """Hold every factor of every term to the tensor before its event; how many there were."""
    count = 0
    for found in explanations(made):
        session = Session(made)
        for one in every_factor(found):
            if one.tensor is None:
                continue
            assert one.event is not None
            session.goto(one.event)
            value = float(session.tensors[one.tensor][one.index])
            assert one.value == value or (math.isnan(value) and math.isnan(one.value))
            count += 1
    return count


def every_factor(found: Explanation) -> Iterator[Operand]:
    """The factors of all terms, those of the parts too."""
    for term in found.terms:
        yield from term.factors
    for part in found.parts:
        yield from every_factor(part)


@pytest.mark.parametrize(
    "optimizer",
    [{"type": "sgd"}, {"type": "sgd", "momentum": 0.9}, {"type": "adam", "amsgrad": True}],
    ids=str,
)
def test_factors_are_elements_of_tensors(optimizer: dict[str, Any]) -> None:
    assert operands_are_elements(program(optimizer={"lr": 0.1, **optimizer})) > 200


@pytest.mark.parametrize("name", ["recurrent", "embedding", "sample", "softmax-by-hand"])
def test_factors_of_lines_are_elements_of_tensors(name: str) -> None:
    made = line_networks.compiled(line_networks.text(name, batch=6))
    assert operands_are_elements(made) > 100
