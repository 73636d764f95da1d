"""The PyTorch loop that the program pane shows is real: run, it trains like the engine."""

import math
from collections import OrderedDict
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import numpy as np
import pytest

from engine.experiment.builtins import builtin_names
from engine.experiment.dataset import in_lines
from engine.experiment.reader import load_experiment
from engine.program.program import Program
from engine.pytorch.code import training_code
from engine.run.phases import Phase
from engine.session.session import Session
from tests.engine.pytorch.losses import LOSSES
from tests.engine.small_experiments import built_in, program

ITERATIONS = 12
CHAINS = [name for name in builtin_names() if not in_lines(load_experiment(name))]
LINEAR: list[dict[str, Any]] = [{"type": "linear", "out": 1}]


@pytest.mark.parametrize("name", builtin_names())
def test_every_built_in_has_valid_code_with_each_step_once(name: str) -> None:
    lines = training_code(built_in(name))
    compile("\n".join(line.text for line in lines) + "\n        pass\n", name, "exec")
    phases = [line.phase for line in lines if line.phase]
    # Lines are a statement each, layers a call of the model.
    steps = [phase for phase, _ in groupby(phases)] if name not in CHAINS else phases
    assert steps == list(load_experiment(name).training.order)
    assert {line.phase for line in lines if line.skipped} == set(
        load_experiment(name).training.skip
    )


# PyTorch's BCELoss raises on a NaN, which the engine carries on to the loss.
@pytest.mark.parametrize("name", [n for n in CHAINS if n != "bug-missing-value"])
def test_the_code_trains_like_the_engine(name: str) -> None:
    torch = pytest.importorskip("torch", reason="the code is PyTorch's: install the torch extra")
    program = built_in(name)
    session = Session(program)
    session.goto(ITERATIONS * len(program.ops))
    expected = session.losses[:ITERATIONS]
    assert np.allclose(run(torch, program), expected, rtol=1e-5, atol=1e-9, equal_nan=True)


def run(torch: Any, program: Program) -> list[float]:
    """The losses of the first iterations of the code, from the engine's initial parameters."""
    losses: list[float] = []
    from torch.optim import lr_scheduler

    names = {
        "torch": torch,
        "lr_scheduler": lr_scheduler,
        "nn": torch.nn,
        "math": math,
        "OrderedDict": OrderedDict,
        "losses": losses,
    }

    def batches(epoch: int) -> Iterator[tuple[Any, Any]]:
        for k in range(program.batches.count):
            if len(losses) == ITERATIONS:
                return
            x, y = program.batches.batch(program.data, epoch, k)
            yield torch.tensor(x), torch.tensor(y)

    lines = [line.text for line in training_code(program)]
    loop = next(i for i, line in enumerate(lines) if line.startswith("for epoch"))
    scope: dict[str, Any] = names | {"batches": batches}
    exec("\n".join(lines[:loop]), scope)
    initial = program.initial()
    state = {f"{name}": torch.tensor(initial[name]) for name, *_ in program.network.parameters()}
    scope["model"].load_state_dict(state)
    last = max(i for i, line in enumerate(lines) if line.startswith(" " * 8))
    body = [*lines[loop : last + 1], "        losses.append(loss.item())", *lines[last + 1 :]]
    exec("\n".join(body), scope)
    return losses


EACH: list[dict[str, Any]] = [
    {"type": "prelu", "num_parameters": 4},
    {"type": "prelu", "frozen": ["weight"]},
    {"type": "glu"},
    {"type": "hard_tanh", "min_val": -0.25},
    {"type": "thresholded_relu", "threshold": 0.0},
    {"type": "thresholded_relu"},
    {"type": "gelu", "approximate": "tanh"},
    *(
        {"type": kind}
        for kind in ("hard_sigmoid", "hard_swish", "selu", "celu", "softsign", "mish")
    ),
]
LOGS = [{"type": "linear", "out": 2}, {"type": "log_softmax"}]
OPTIONS: list[dict[str, Any]] = [
    *({"loss": loss, "data": data, "layers": LOGS} for loss, data in LOSSES),
    *({"layers": [{"type": "linear", "out": 4}, one, *LINEAR]} for one in EACH),
    {"clip": {"norm": 0.05}},
    {"clip": {"norm": 0.05, "norm_type": "inf"}},
    {"clip": {"value": 0.01}},
    {"schedule": {"type": "step", "step_size": 2, "gamma": 0.5}},
    {"schedule": {"type": "step", "step_size": 2, "every": "iteration"}},
    {"schedule": {"type": "exponential", "gamma": 0.7}, "data": {"batch_size": 3}},
    {"schedule": {"type": "cosine", "t_max": 6, "eta_min": 0.01, "every": "iteration"}},
    {"schedule": {"type": "linear_warmup", "start_factor": 0.1, "iterations": 4}},
    {"schedule": {"type": "constant"}},
    {"clip": {"norm": 0.05}, "schedule": {"type": "exponential", "gamma": 0.7}},
    {"layers": [*LINEAR, {"type": "dropout", "p": 0.5}, *LINEAR], "training": {"mode": "eval"}},
    {"layers": [{"type": "linear", "out": 1, "frozen": ["weight"]}], "clip": {"norm": 0.05}},
]


OWN_RULE = {"lr": 0.05, "mu": 0.9, "lines": "v = mu*v + g\ntheta = theta - lr*v/(1 + t)"}
GROUPS: list[dict[str, Any]] = [
    {"type": "linear", "out": 3, "lr": 0.01, "decay": ["weight"]},
    {"type": "linear", "out": 1, "weight_decay": 0.5},
]
RULES: list[dict[str, Any]] = [
    {"optimizer": OWN_RULE},
    {"optimizer": OWN_RULE, "layers": [LINEAR[0] | {"lr": 0.2}, *LINEAR]},
    {"optimizer": OWN_RULE, "layers": [LINEAR[0] | {"frozen": ["bias"]}], "clip": {"norm": 0.05}},
    {"optimizer": {"type": "adamw", "lr": 0.1, "decay": "weights"}, "layers": GROUPS},
    {"schedule": {"type": "exponential", "gamma": 0.7}, "layers": GROUPS},
]


@pytest.mark.parametrize("options", RULES, ids=str)
def test_groups_and_rules_in_lines_are_in_the_code(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="the code is PyTorch's: install the torch extra")
    made = with_options(options)
    session = Session(made)
    session.goto(made.timeline.begin(ITERATIONS))
    expected = session.losses[:ITERATIONS]
    assert np.allclose(run(torch, made), expected, rtol=1e-9, atol=1e-12)
    plain = with_options(options | {"optimizer": {"type": "sgd", "lr": 0.1}, "layers": LINEAR})
    assert not np.allclose(run(torch, plain), expected, rtol=1e-3)


def test_a_rule_that_pytorch_cannot_write_is_shown_as_it_is() -> None:
    rule = {"lines": "v = cos_similarity(g, theta)\ntheta = theta - 0.1*v*g"}
    lines = training_code(with_options({"optimizer": rule}))
    texts = [line.text for line in lines]
    compile("\n".join(texts) + "\n", "code", "exec")
    assert "# theta = theta - 0.1*v*g" in texts
    assert [line.text.strip() for line in lines if line.phase == Phase.UPDATE] == ["step()"]


def test_the_schedule_of_a_rule_in_lines_is_a_remark() -> None:
    schedule = {"type": "exponential", "gamma": 0.7}
    texts = [
        line.text
        for line in training_code(with_options({"optimizer": OWN_RULE, "schedule": schedule}))
    ]
    compile("\n".join(texts) + "\n", "code", "exec")
    assert "# lr follows the schedule: left out here" in texts
    assert not any("scheduler" in text for text in texts)


def with_options(options: dict[str, Any]) -> Program:
    training = {"epochs": ITERATIONS} | options.get("training", {})
    return program(**({"layers": LINEAR} | options | {"training": training}))


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_what_belongs_to_the_update_is_in_the_code(options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="the code is PyTorch's: install the torch extra")
    made = with_options(options)
    session = Session(made)
    session.goto(made.timeline.begin(ITERATIONS))
    expected = session.losses[:ITERATIONS]
    assert np.allclose(run(torch, made), expected, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_is_valid_code_and_said_with_a_skipped_update_as_a_comment(
    options: dict[str, Any],
) -> None:
    texts = [line.text for line in training_code(with_options(options))]
    compile("\n".join(texts) + "\n", "code", "exec")
    said = {"clip": "clip_grad", "schedule": "scheduler.step()", "training": "model.eval()"}
    for option, words in said.items():
        expected = option in options and options[option] != {"type": "constant"}
        assert any(words in text for text in texts) == expected
    skipped = options.get("training", {}) | {"skip": ["update"]}
    texts = [line.text for line in training_code(with_options(options | {"training": skipped}))]
    for words in ("clip_grad", "scheduler.step()", "optimizer.step()"):
        assert all("# " in text for text in texts if words in text)


def test_a_skipped_step_is_a_comment() -> None:
    lines = training_code(built_in("bug-no-zero-grad"))
    (line,) = [line for line in lines if line.phase == Phase.ZERO_GRAD]
    assert line.text.strip() == "# optimizer.zero_grad()"
