"""Layers with numbers of their own: PyTorch's parameter groups."""

import numpy as np
import pytest

from engine.errors import ExperimentError, GradstepError
from engine.recording.canonical import experiment_text, parse_experiment
from engine.session.session import Session
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import experiment, program

RULES = [
    {"type": "sgd", "lr": 0.1, "momentum": 0.9, "weight_decay": 0.05},
    {"type": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": True},
    {"type": "adam", "lr": 0.02, "weight_decay": 0.05, "amsgrad": True},
    {"type": "adamw", "lr": 0.02, "weight_decay": 0.05},
    {"type": "adadelta", "lr": 0.5, "weight_decay": 0.05},
    {"type": "adagrad", "lr": 0.05, "lr_decay": 0.1, "weight_decay": 0.05},
    {"type": "rmsprop", "lr": 0.01, "weight_decay": 0.05, "momentum": 0.5, "centered": True},
]
KINDS = {
    "sgd": "SGD",
    "adam": "Adam",
    "adamw": "AdamW",
    "adadelta": "Adadelta",
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
}
FIRST, LAST = ({"type": "linear", "out": 3}, {"type": "linear", "out": 1})


def layers(first, last):
    return [FIRST | first, {"type": "tanh"}, LAST | last]


# What the layers say, what the optimizer says, and the numbers of each of the four parameters.
GROUPINGS = [
    (({"lr": 0.03}, {}), {}, [{"lr": 0.03}, {"lr": 0.03}, {}, {}]),
    (({"lr": 0.0}, {"weight_decay": 0.3}), {}, [{"lr": 0.0}] * 2 + [{"weight_decay": 0.3}] * 2),
    (({"decay": False}, {}), {}, [{"weight_decay": 0.0}] * 2 + [{}] * 2),
    (({"decay": ["weight"]}, {}), {}, [{}, {"weight_decay": 0.0}, {}, {}]),
    (({}, {}), {"decay": "weights"}, [{}, {"weight_decay": 0.0}] * 2),
    (
        ({"decay": True, "lr": 0.2}, {"weight_decay": 0.3}),
        {"decay": "weights"},
        [{"lr": 0.2}, {"lr": 0.2}, {"weight_decay": 0.3}, {"weight_decay": 0.0}],
    ),
]


def by_torch(torch, found, rule, groups, schedule=None):
    """The parameters after each of ten steps in PyTorch, by name."""
    start = found.initial()
    names = [info.name for info in found.parameters]
    theirs = {n: torch.tensor(np.array(start[n]), requires_grad=True) for n in names}
    options = {name: value for name, value in rule.items() if name not in ("type", "decay")}
    grouped = [
        {"params": [theirs[name]], **group} for name, group in zip(names, groups, strict=True)
    ]
    optimizer = getattr(torch.optim, KINDS[rule["type"]])(grouped, **options)
    scheduler = schedule(optimizer) if schedule is not None else None
    linear = torch.nn.functional.linear
    for i in range(10):
        x, y = (torch.tensor(np.array(found.batch(i)[name])) for name in ("x", "y"))
        optimizer.zero_grad()
        hidden = torch.tanh(linear(x, *(theirs[n] for n in names[:2])))
        yhat = linear(hidden, *(theirs[n] for n in names[2:]))
        torch.nn.functional.mse_loss(yhat, y).backward()
        optimizer.step()
        if scheduler is not None:
            scheduler.step()
        yield {name: value.detach().numpy().copy() for name, value in theirs.items()}


def same_steps(found, expected):
    """Each step of a program against those that are expected."""
    session = Session(found)
    for i, parameters in enumerate(expected, 1):
        session.goto(i * len(found.ops))
        for name, value in parameters.items():
            np.testing.assert_allclose(session.tensors[name], value, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("grouping", GROUPINGS, ids=lambda g: str(g[:2]))
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r["type"])
def test_ten_steps_are_those_of_torch(rule, grouping):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    said, more, groups = grouping
    found = program(layers=layers(*said), optimizer=rule | more, training={"epochs": 10})
    same_steps(found, by_torch(torch, found, rule, groups))


@pytest.mark.parametrize("eta_min", [0.0, 0.005])
def test_a_schedule_sets_every_rate_as_in_torch(eta_min):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    schedule = {"type": "cosine", "t_max": 8, "eta_min": eta_min}
    found = program(
        layers=layers({"lr": 0.03}, {}),
        optimizer=RULES[0],
        schedule=schedule,
        training={"epochs": 10},
    )
    groups = [{"lr": 0.03}, {"lr": 0.03}, {}, {}]
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR
    same_steps(
        found, by_torch(torch, found, RULES[0], groups, lambda o: cosine(o, 8, eta_min=eta_min))
    )
    ops = [op for op in found.ops if op.phase == "update"]
    assert [op.name for op in ops[:2]] == ["optimizer.lr", "optimizer.linear1.lr"]
    assert ops[1].formula.startswith("η(linear1) ← ")
    assert "η₀(linear1)" in ops[1].formula
    session = Session(found)
    session.goto(4 * len(found.ops))
    if not eta_min:  # the factor η/η₀ is that of the optimizer's own rate
        rate = session.tensors["optimizer.linear1.lr"] / session.tensors["optimizer.lr"]
        assert float(rate) == pytest.approx(0.03 / 0.1, rel=1e-12)


def test_there_are_tensors_for_what_is_given_and_for_nothing_else():
    rule = {"type": "sgd", "lr": 0.1, "weight_decay": 0.05, "decay": "weights"}
    found = program(layers=layers({"lr": 0.3}, {"weight_decay": 0.2}), optimizer=rule)
    hyper = [name for name, info in found.tensors.items() if info.role == "hyper"]
    assert hyper == [
        "optimizer.lr",
        "optimizer.weight_decay",
        "optimizer.linear1.lr",
        "optimizer.linear2.weight_decay",
    ]
    formulas = {op.name: op.formula for op in found.ops if op.phase == "update"}
    assert formulas == {
        "linear1.weight": "W⁽¹⁾ ← W⁽¹⁾ − η (∂ℓ/∂W⁽¹⁾ + λ W⁽¹⁾), η = optimizer.linear1.lr",
        "linear1.bias": "b⁽¹⁾ ← b⁽¹⁾ − η ∂ℓ/∂b⁽¹⁾, η = optimizer.linear1.lr",
        "linear2.weight": "W⁽²⁾ ← W⁽²⁾ − η (∂ℓ/∂W⁽²⁾ + λ W⁽²⁾), λ = optimizer.linear2.weight_decay",
        "linear2.bias": "b⁽²⁾ ← b⁽²⁾ − η ∂ℓ/∂b⁽²⁾",
    }


def test_a_rate_can_be_edited_and_only_its_layer_moves_by_it():
    found = program(layers=layers({"lr": 0.3}, {}), optimizer=RULES[0])
    session = Session(found)
    session.set("optimizer.linear1.lr", 0.0)
    start = session.tensors
    before = {name: start[name] for name in ("linear1.weight", "linear2.weight")}
    session.goto(len(found.ops))
    assert np.array_equal(session.tensors["linear1.weight"], before["linear1.weight"])
    assert not np.array_equal(session.tensors["linear2.weight"], before["linear2.weight"])
    with pytest.raises(GradstepError, match=r"optimizer\.linear1\.lr: must be a number of at le"):
        session.set("optimizer.linear1.lr", -1.0)


@pytest.mark.parametrize("budget", [0, 5_000, 2**28])
def test_going_back_is_exact(budget):
    found = program(
        layers=layers({"lr": 0.3}, {"weight_decay": 0.1}),
        optimizer=RULES[2],
        schedule={"type": "exponential", "gamma": 0.9},
    )
    states = plain_run(found)
    session = Session(found, budget)
    for event in (found.timeline.end, 40, 41, 3, 0, found.timeline.end):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


def test_a_recording_keeps_the_groups():
    written = experiment(
        layers=layers({"lr": 0.3, "decay": ["weight"]}, {"decay": False, "weight_decay": 0.5}),
        optimizer=RULES[0] | {"decay": "weights"},
    )
    again = parse_experiment(experiment_text(written))
    assert again.layers == written.layers
    assert again.optimizer == written.optimizer


@pytest.mark.parametrize(
    ("layer", "path", "said"),
    [
        (FIRST | {"lr": -0.1}, "layers[0].lr", "of at least 0"),
        (FIRST | {"weight_decay": float("nan")}, "layers[0].weight_decay", "not finite"),
        (FIRST | {"decay": ["weights"]}, "layers[0].decay[0]", "did you mean 'weight'?"),
        (FIRST | {"decay": "weight"}, "layers[0].decay", "true or false"),
        (FIRST | {"bias": False, "decay": ["bias"]}, "layers[0].decay", "there is no bias"),
        ({"type": "tanh", "lr": 0.1}, "layers[0].lr", "unknown field"),
    ],
)
def test_what_is_refused(layer, path, said):
    with pytest.raises(ExperimentError) as caught:
        experiment(layers=[layer, LAST])
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message
