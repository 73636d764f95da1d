"""Learning-rate schedules against torch.optim.lr_scheduler, and what one can do with them."""

import tomllib

import numpy as np
import pytest

from engine.errors import ExperimentError, GradstepError
from engine.measure.gradcheck import check_gradients
from engine.optim.schedules import SCHEDULES
from engine.recording.trace_json import header, step_object, steps
from engine.run.op import CLOCK
from engine.session.session import Session
from engine.worksheet.worksheet import worksheet
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program

CASES = [
    {"type": "constant"},
    {"type": "step", "step_size": 2, "gamma": 0.5},
    {"type": "step", "step_size": 3, "every": "iteration"},
    {"type": "exponential", "gamma": 0.8},
    {"type": "exponential", "gamma": 1.1, "every": "iteration"},
    {"type": "cosine", "t_max": 3},
    {"type": "cosine", "t_max": 4, "eta_min": 0.01, "every": "iteration"},
    {"type": "linear_warmup", "start_factor": 0.1, "iterations": 4},
    {"type": "linear_warmup", "every": "epoch"},
]
FORMULAS = [
    "η ← η₀",
    "η ← η₀ · 0.5ᵏ, k = ⌊(e − 1) / 2⌋",
    "η ← η₀ · 0.1ᵏ, k = ⌊(i − 1) / 3⌋",
    "η ← η₀ · 0.8ᵏ, k = e − 1",
    "η ← η₀ · 1.1ᵏ, k = i − 1",
    "η ← ½ η₀ (1 + cos(π k / 3)), k = e − 1",
    "η ← 0.01 + ½ (η₀ − 0.01) (1 + cos(π k / 4)), k = i − 1",
    "η ← η₀ · (0.1 + 0.9 min(k, 4) / 4), k = i − 1",
    "η ← η₀ · (0.3333 + 0.6667 min(k, 5) / 5), k = e − 1",
]
OPTIMIZERS = [
    {"type": "sgd", "lr": 0.1, "momentum": 0.9},
    {"type": "adam", "lr": 0.02},
    {"type": "adamw", "lr": 0.02},
    {"type": "adadelta", "lr": 0.5},
    {"type": "adagrad", "lr": 0.05, "lr_decay": 0.1},
    {"type": "rmsprop", "lr": 0.01},
]


def scheduled(schedule, **more):
    """Seven rows in batches of three: three iterations an epoch."""
    tables = {"data": {"batch_size": 3}, "training": {"epochs": 6}} | more
    return program(schedule=schedule, **tables)


def torch_scheduler(torch, optimizer, options):
    given = {name: value for name, value in options.items() if name not in ("type", "every")}
    scheduler = torch.optim.lr_scheduler
    match options["type"]:
        case "constant":
            return scheduler.LambdaLR(optimizer, lambda k: 1.0)
        case "step":
            return scheduler.StepLR(optimizer, **given)
        case "exponential":
            return scheduler.ExponentialLR(optimizer, **given)
        case "cosine":
            named = {"T_max": given["t_max"], "eta_min": given.get("eta_min", 0.0)}
            return scheduler.CosineAnnealingLR(optimizer, **named)
        case "linear_warmup":
            start, total = given.get("start_factor", 1 / 3), given.get("iterations", 5)
            return scheduler.LinearLR(optimizer, start_factor=start, total_iters=total)
    raise AssertionError(options)


def every_of(options):
    default = "iteration" if options["type"] == "linear_warmup" else "epoch"
    return options.get("every", default)


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda o: o["type"])
@pytest.mark.parametrize("options", CASES, ids=str)
def test_rates_and_parameters_are_those_of_torch(options, optimizer):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    found = scheduled(options, optimizer=optimizer)
    session = Session(found)
    names = [info.name for info in found.parameters]
    theirs = {n: torch.tensor(np.array(session.tensors[n]), requires_grad=True) for n in names}
    kinds = {
        "sgd": "SGD",
        "adam": "Adam",
        "adamw": "AdamW",
        "adagrad": "Adagrad",
        "adadelta": "Adadelta",
    }
    kind = getattr(torch.optim, kinds.get(optimizer["type"], "RMSprop"))
    rule = kind(theirs.values(), **{k: v for k, v in optimizer.items() if k != "type"})
    scheduler = torch_scheduler(torch, rule, options)
    linear = torch.nn.functional.linear
    for i in range(found.timeline.iterations):
        x, y = (torch.tensor(np.array(found.batch(i)[name])) for name in ("x", "y"))
        rule.zero_grad()
        hidden = torch.tanh(linear(x, *(theirs[n] for n in names[:2])))
        loss = torch.nn.functional.mse_loss(linear(hidden, *(theirs[n] for n in names[2:])), y)
        loss.backward()
        rate = rule.param_groups[0]["lr"]
        rule.step()
        if every_of(options) == "iteration" or (i + 1) % 3 == 0:
            scheduler.step()
        session.goto((i + 1) * len(found.ops))
        assert float(session.tensors["optimizer.lr"]) == pytest.approx(rate, rel=1e-12)
        for name in names:
            expected = theirs[name].detach().numpy()
            np.testing.assert_allclose(session.tensors[name], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("options", "formula"), list(zip(CASES, FORMULAS, strict=True)), ids=str)
def test_the_rate_is_set_by_the_first_op_of_update(options, formula):
    found = scheduled(options)
    first = next(op for op in found.ops if op.phase == "update")
    assert (first.name, first.formula) == ("optimizer.lr", formula)
    assert first.reads == ("optimizer.initial_lr", CLOCK)
    assert found.tensors["optimizer.initial_lr"].symbol == "η₀"
    assert worksheet(found).steps[-1].text == f"{formula}; θ ← θ − η ∇θ"


@pytest.mark.parametrize("budget", [0, 4_000, 2**28])
@pytest.mark.parametrize("options", [CASES[2], CASES[5]], ids=str)
def test_going_back_is_exact(options, budget):
    found = scheduled(options)
    states = plain_run(found)
    session = Session(found, budget)
    for event in (found.timeline.end, 40, 41, 3, 200, 0, found.timeline.end):
        session.goto(event)
        here = min(event, found.timeline.end)
        assert same_tensors(session.tensors, states[here])


def test_an_edit_of_the_initial_rate_scales_what_is_left_of_the_schedule():
    found = scheduled({"type": "exponential", "gamma": 0.5})
    session = Session(found)
    session.goto(len(found.ops) * 3)
    assert float(session.tensors["optimizer.lr"]) == 0.1
    session.set("optimizer.initial_lr", 1.0)
    session.goto(len(found.ops) * 6)
    assert float(session.tensors["optimizer.lr"]) == 0.5
    states = plain_run(found, session.journal)
    for event in (len(found.ops) * 3 - 1, len(found.ops) * 5):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


def test_an_edit_of_the_rate_lasts_until_the_schedule_sets_it_and_for_good_without_it():
    found = scheduled({"type": "exponential", "gamma": 0.5})
    ops = len(found.ops)
    session = Session(found)
    session.set("optimizer.lr", 7.0)
    session.goto(ops)
    assert float(session.tensors["optimizer.lr"]) == 0.1
    session.skip("update:optimizer.lr", always=True)
    session.set("optimizer.lr", 0.25)
    before = session.tensors["linear1.weight"]
    session.goto(2 * ops)
    assert float(session.tensors["optimizer.lr"]) == 0.25
    moved = before - 0.25 * session.tensors["linear1.weight.grad"]
    np.testing.assert_array_equal(session.tensors["linear1.weight"], moved)


def test_the_clock_can_be_edited_within_its_iteration():
    found = scheduled({"type": "exponential", "gamma": 0.5, "every": "iteration"})
    ops = len(found.ops)
    session = Session(found)
    session.set(CLOCK, 4)
    session.goto(ops - 1)
    assert float(session.tensors["optimizer.lr"]) == 0.1 / 8
    session.goto(2 * ops)
    assert float(session.tensors["optimizer.lr"]) == 0.1 / 2
    states = plain_run(found, session.journal)
    for event in (ops + 1, ops, ops - 1, 0):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])
    for wrong in (0, 1.5, float("nan")):
        with pytest.raises(GradstepError, match=r"training\.iteration must be a"):
            session.set(CLOCK, wrong)


def test_the_clock_is_there_only_where_an_op_reads_it():
    assert CLOCK in scheduled({"type": "constant"}).tensors
    assert CLOCK not in program().tensors
    skipped = scheduled({"type": "constant"}, training={"epochs": 1, "skip": ["update"]})
    assert CLOCK not in skipped.tensors
    assert [op.name for op in program().ops] == [
        op.name for op in scheduled({"type": "constant"}).ops if op.name != "optimizer.lr"
    ]


def test_a_trace_with_values_is_complete():
    found = scheduled({"type": "constant"})
    assert header(found)["ops"] == len(found.ops)
    lines = [step_object(step, True) for step in steps(found, "phase", 2)]
    numbers = [line["batch"][CLOCK] for line in lines if "batch" in line]
    assert numbers == [1.0, 2.0]


def test_gradients_can_be_checked():
    found = scheduled({"type": "constant"})
    assert check_gradients(found, Session(found).tensors).passed


def test_every_schedule_is_tested():
    assert {case["type"] for case in CASES} == set(SCHEDULES)


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("type = 'stepp'", "schedule.type", "did you mean 'step'?"),
        ("every = 'epoch'", "schedule.type", "missing; allowed: constant, step"),
        ("type = 'step'", "schedule.step_size", "missing: this field is required"),
        ("type = 'step'\nstep_size = 0", "schedule.step_size", "of at least 1, not 0"),
        ("type = 'exponential'\ngamma = 0", "schedule.gamma", "above 0, not 0"),
        ("type = 'exponential'\ngamma = nan", "schedule.gamma", "nan is not finite"),
        ("type = 'cosine'\nt_max = 2\neta_min = -1", "schedule.eta_min", "of at least 0"),
        ("type = 'linear_warmup'\nstart_factor = 2", "schedule.start_factor", "of at most 1"),
        ("type = 'constant'\nevery = 'batch'", "schedule.every", "allowed: epoch, iteration"),
        ("type = 'constant'\ngamma = 0.5", "schedule.gamma", "unknown field"),
    ],
)
def test_what_is_refused(text, path, said):
    with pytest.raises(ExperimentError) as caught:
        program(schedule=tomllib.loads(text))
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message
