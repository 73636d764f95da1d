"""The orders of the five steps: the legal ones agree, the illegal ones are refused by name."""

from itertools import permutations

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.run.phases import Phase, order_problems
from engine.session.session import Session
from tests.engine.small_experiments import experiment, program

DEFAULT = ["zero_grad", "forward", "loss", "backward", "update"]
HOMEWORK = ["forward", "loss", "zero_grad", "backward", "update"]
LEGAL = [
    DEFAULT,
    ["forward", "zero_grad", "loss", "backward", "update"],
    HOMEWORK,
    ["forward", "loss", "backward", "update", "zero_grad"],
]
CHAIN = ["forward", "loss", "backward", "update"]


def trained(session_of):
    session = Session(session_of)
    session.goto(session_of.timeline.end)
    return session


def parameters(compiled):
    session = trained(compiled)
    return {info.name: session.tensors[info.name].tobytes() for info in compiled.parameters}


def test_the_legal_orders_are_those_in_which_pytorch_would_learn_the_same():
    """zero_grad anywhere but between backward and update, the rest as each needs the other."""
    found = [list(order) for order in permutations(Phase) if not order_problems(order)]
    assert sorted(found) == sorted(LEGAL)


@pytest.mark.parametrize("order", LEGAL[1:], ids="-".join)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_every_legal_order_gives_the_parameters_of_the_default_bit_for_bit(order, optimizer):
    options = {
        "data": {"batch_size": 2, "shuffle": True},
        "optimizer": {"type": optimizer, "lr": 0.05, "weight_decay": 0.01},
    }
    expected = parameters(program(**options))
    compiled = program(**options, training={"order": order})
    assert compiled.timeline.listing(0).phases() == order
    assert parameters(compiled) == expected


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (["loss", "zero_grad", "forward", "backward", "update"], "loss stands before forward"),
        (["zero_grad", "forward", "backward", "loss", "update"], "backward stands before loss"),
        (["update", "zero_grad", "forward", "loss", "backward"], "update stands before backward"),
        (["forward", "loss", "backward", "zero_grad", "update"], "between backward and update"),
        (["forward", "forward", "loss", "backward", "update"], "forward stands twice"),
        (["forward", "loss", "backward", "update"], "zero_grad is missing"),
        ([], "zero_grad is missing"),
    ],
)
def test_an_illegal_order_is_refused_by_name(order, said):
    with pytest.raises(ExperimentError, match=said) as caught:
        experiment(training={"order": order})
    assert {problem.path for problem in caught.value.problems} == {"training.order"}


def gradients(**training):
    session = trained(program(training={"epochs": 3, **training}))
    return {name: value for name, value in session.tensors.items() if name.endswith("weight.grad")}


def test_without_zero_grad_the_gradients_add_up():
    """Three iterations without update: three equal gradients, added in the order they came."""
    (name, once), *_ = gradients(skip=["update"]).items()
    thrice = gradients(skip=["update", "zero_grad"])[name]
    np.testing.assert_array_equal(thrice, once + once + once)
    assert np.any(once != 0)


def test_without_update_nothing_moves_and_without_backward_there_is_nothing_to_move_by():
    start = Session(program()).state.tensors
    for skip in (["update"], ["backward"], ["forward", "loss", "backward"]):
        compiled = program(training={"skip": skip})
        for name, value in parameters(compiled).items():
            assert value == start[name].tobytes()
        assert not set(compiled.timeline.listing(0).phases()) & set(skip)


def test_without_backward_and_zero_grad_no_optimizer_slot_comes_to_be():
    """As in PyTorch, a parameter whose gradient does not exist is left alone, decay and all."""
    compiled = program(
        optimizer={"type": "adam", "weight_decay": 0.5},
        training={"skip": ["backward", "zero_grad"]},
    )
    session = trained(compiled)
    start = Session(compiled).tensors
    assert not [name for name in session.tensors if name.endswith((".step", ".grad"))]
    for info in compiled.parameters:
        assert session.tensors[info.name].tobytes() == start[info.name].tobytes()


@pytest.mark.parametrize(
    ("skip", "said"),
    [
        (["forward"], "loss needs forward, which is skipped: skip loss too"),
        (["loss"], "backward needs loss, which is skipped: skip backward too"),
        (DEFAULT, None),
    ],
)
def test_what_cannot_be_skipped_is_said(skip, said):
    with pytest.raises(ExperimentError, match=said or "leaves nothing to run") as caught:
        program(training={"skip": skip})
    assert [problem.path for problem in caught.value.problems] == ["training.skip"]
