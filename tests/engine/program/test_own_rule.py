"""A rule in lines as part of an experiment: read, run, gone back in, recorded, refused."""

import numpy as np
import pytest

from engine.errors import ExperimentError, GradstepError
from engine.recording.canonical import experiment_text, parse_experiment
from engine.session.session import Session
from engine.worksheet.worksheet import worksheet
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.recording.recordings import record, verdict
from tests.engine.small_experiments import experiment, program

MOMENTUM = {"lr": 0.1, "mu": 0.9, "lines": "v = mu*v + g\ntheta = theta - lr*v\n"}
ADAM = {
    "lr": 0.02,
    "beta1": 0.9,
    "beta2": 0.99,
    "eps": 1e-8,
    "lines": """
m = beta1*m + (1 - beta1)*g
v = beta2*v + (1 - beta2)*g**2
theta = theta - lr * (m/(1 - beta1**t)) / (sqrt(v/(1 - beta2**t)) + eps)
""",
}
PAIRS = [
    (MOMENTUM, {"type": "sgd", "lr": 0.1, "momentum": 0.9}),
    (ADAM, {"type": "adam", "lr": 0.02, "betas": [0.9, 0.99]}),
]
TABLES = {"data": {"batch_size": 3, "shuffle": True}, "training": {"epochs": 4}}
SCHEDULE = {"type": "exponential", "gamma": 0.8}


@pytest.mark.parametrize("more", [{}, {"clip": {"norm": 0.05}}, {"schedule": SCHEDULE}], ids=str)
@pytest.mark.parametrize("pair", PAIRS, ids=["momentum", "adam"])
def test_the_run_is_that_of_the_rule_of_the_table(pair, more):
    ours, theirs = (Session(program(optimizer=rule, **TABLES, **more)) for rule in pair)
    for iteration in range(1, 11):
        for session in (ours, theirs):
            session.goto(iteration * len(session.program.ops))
        for info in theirs.program.parameters:
            mine, expected = ours.tensors[info.name], theirs.tensors[info.name]
            np.testing.assert_allclose(mine, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("budget", [0, 5_000, 2**28])
@pytest.mark.parametrize("skip", [[], ["backward"]], ids=str)
def test_going_back_is_exact(skip, budget):
    found = program(
        optimizer=ADAM | {"slots": {"v": 0.5}},
        schedule=SCHEDULE,
        data=TABLES["data"],
        training={"epochs": 4, "skip": skip},
    )
    states = plain_run(found)
    session = Session(found, budget)
    for event in (found.timeline.end, 60, 61, 5, 100, 0, found.timeline.end):
        session.goto(min(event, found.timeline.end))
        assert same_tensors(session.tensors, states[min(event, found.timeline.end)])


def test_the_op_the_tensors_and_the_worksheet():
    found = program(optimizer=MOMENTUM)
    op = next(op for op in found.ops if op.phase == "update")
    assert op.label == "W⁽¹⁾ ← W⁽¹⁾ − η·v"
    assert op.formula == "v ← mu·v + ∂ℓ/∂W⁽¹⁾, W⁽¹⁾ ← W⁽¹⁾ − η·v"
    assert op.writes == ("linear1.weight", "linear1.weight.v")
    assert {"optimizer.lr", "optimizer.mu"} <= set(op.reads)
    slot = found.tensors["linear1.weight.v"]
    assert (slot.role, slot.symbol, slot.shape) == ("slot", "v(W⁽¹⁾)", (3, 2))
    assert worksheet(found).steps[-1].text == "v ← mu·v + ∇θ, θ ← θ − η·v"


def test_slots_are_there_from_the_start_with_their_first_values():
    slots = {"v": {"linear1.weight": [[1.0, 2.0]], "linear2.bias": 3}}
    session = Session(program(optimizer=MOMENTUM | {"slots": slots}))
    assert session.tensors["linear1.weight.v"].tolist() == [[1.0, 2.0]] * 3
    assert session.tensors["linear2.bias.v"].tolist() == [3.0]
    assert session.tensors["linear2.weight.v"].tolist() == [[0.0] * 3]
    ops = len(session.program.ops)
    session.goto(ops)
    tensors = session.tensors
    first = 0.9 * np.array([[1.0, 2.0]] * 3) + tensors["linear1.weight.grad"]
    np.testing.assert_array_equal(tensors["linear1.weight.v"], first)


def test_numbers_and_slots_can_be_edited():
    session = Session(program(optimizer=MOMENTUM))
    session.set("optimizer.mu", -3.0)  # no limits: nobody knows what the name means
    session.set("linear1.bias.v", 1.0)
    session.goto(len(session.program.ops))
    tensors = session.tensors
    np.testing.assert_array_equal(tensors["linear1.bias.v"], tensors["linear1.bias.grad"] - 3.0)
    with pytest.raises(GradstepError, match=r"optimizer\.mu must be a finite number"):
        session.set("optimizer.mu", float("nan"))


def test_a_layer_may_have_a_rate_of_its_own():
    layers = [{"type": "linear", "out": 2, "lr": 0.0}, {"type": "linear", "out": 1}]
    session = Session(program(optimizer=MOMENTUM, layers=layers))
    before = session.tensors["linear1.weight"]
    session.goto(session.program.timeline.end)
    assert np.array_equal(session.tensors["linear1.weight"], before)
    assert float(session.tensors["optimizer.linear1.lr"]) == 0.0


def test_frozen_parameters_have_no_slots():
    layers = [{"type": "linear", "out": 2, "frozen": ["bias"]}, {"type": "linear", "out": 1}]
    found = program(optimizer=MOMENTUM, layers=layers)
    assert "linear1.bias.v" not in found.initial()
    assert "linear1.weight.v" in found.initial()


def test_a_recording_keeps_the_rule():
    rule = ADAM | {"type": "lines", "slots": {"v": [0.5]}}
    written = experiment(optimizer=rule)
    again = parse_experiment(experiment_text(written))
    assert again.optimizer == written.optimizer
    assert experiment_text(again) == experiment_text(written)


@pytest.mark.parametrize("store", ["full", "keyframes"])
def test_a_recorded_run_is_verified_bit_by_bit(store, tmp_path):
    layers = [{"type": "linear", "out": 3, "lr": 0.01}, {"type": "linear", "out": 1}]
    rule = ADAM | {"slots": {"v": {"linear1.bias": [0.5, 0.0, 0.5]}}}
    made = program(optimizer=rule, layers=layers, schedule=SCHEDULE, training={"epochs": 40})
    record(tmp_path / "r.gradstep", made, store)
    found = verdict(tmp_path / "r.gradstep")
    assert found.good
    assert (found.exact, found.events) == (True, made.timeline.end)


@pytest.mark.parametrize(
    ("rule", "path", "said"),
    [
        ({"lines": "theta = theta - eta*g"}, "optimizer.lines", "line 1, column 17: unknown name"),
        ({"lines": "theta = sum(g)"}, "optimizer.lines", "theta has shape ()"),
        ({"lines": 3}, "optimizer.lines", "must be lines of text, not 3"),
        ({"lines": "  \n"}, "optimizer.lines", "must be lines of text"),
        (MOMENTUM | {"type": "sgd"}, "optimizer.type", "leave out the type"),
        (MOMENTUM | {"nesterov": True}, "optimizer.nesterov", "must be a number"),
        (MOMENTUM | {"decay": "weights"}, "optimizer.decay", "must be a number"),
        (MOMENTUM | {"rho": float("inf")}, "optimizer.rho", "not finite"),
        (MOMENTUM | {"rho": 10**400}, "optimizer.rho", "not finite, or too large"),
        (MOMENTUM | {"g": 0.5}, "optimizer.g", "g is its gradient"),
        (MOMENTUM | {"pi": 3.0}, "optimizer.pi", "a constant"),
        (MOMENTUM | {"initial_lr": 3.0}, "optimizer.initial_lr", "that a schedule begins with"),
        (MOMENTUM | {"lambda": 3.0}, "optimizer.lambda", "no word of Python"),
        (MOMENTUM | {"slots": 3}, "optimizer.slots", "must be a table"),
        (MOMENTUM | {"slots": {"m": 0}}, "optimizer.slots.m", "no slot"),
        (MOMENTUM | {"slots": {"v": "0"}}, "optimizer.slots.v", "an array of finite numbers"),
        (MOMENTUM | {"slots": {"v": [[1], [2, 3]]}}, "optimizer.slots.v", "an array of finite"),
        (MOMENTUM | {"slots": {"v": ["0"]}}, "optimizer.slots.v", "an array of finite numbers"),
        (MOMENTUM | {"slots": {"v": {"linear1.bias": {}}}}, "optimizer.slots.v", "not a table"),
        (MOMENTUM | {"slots": {"v": {"W": 1}}}, "optimizer.slots.v", "W is no parameter"),
        (
            MOMENTUM | {"slots": {"v": {"linear1.bias": [1, 2]}}},
            "optimizer.slots.v",
            "shape (2,) does not broadcast to (3,), that of linear1.bias",
        ),
    ],
    ids=str,
)
def test_what_is_refused(rule, path, said):
    with pytest.raises(ExperimentError) as caught:
        program(optimizer=rule)
    problem = caught.value.problems[0]
    assert problem.path.startswith(path)
    assert said in problem.message


def test_what_other_tables_ask_of_the_lines():
    plain = {"lines": "theta = theta - 0.1*g"}
    layers = [{"type": "linear", "out": 1, "lr": 0.1, "weight_decay": 0.1, "decay": False}]
    with pytest.raises(ExperimentError) as caught:
        program(optimizer=plain, layers=layers, schedule=SCHEDULE)
    paths = ["schedule", "layers[0].lr", "layers[0].weight_decay", "layers[0].decay"]
    assert [problem.path for problem in caught.value.problems] == paths


def test_an_if_may_choose_another_shape_only_while_it_runs():
    found = program(optimizer={"lines": "theta = theta - g if t < 2 else sum(g)"})
    session = Session(found)
    session.goto(len(found.ops))
    with pytest.raises(GradstepError, match=r"line 1, column 1: theta has shape \(\)"):
        session.goto(2 * len(found.ops))
