"""Exports: the lines of a trace, arrays, and a script that PyTorch runs."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.errors import GradstepError
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.pytorch.script import torch_script
from engine.recording.export import recorded_arrays, recorded_lines
from engine.recording.trace_json import trace_lines
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.pytorch.losses import LOSSES
from tests.engine.recording.recordings import opened, record
from tests.engine.small_experiments import program


@pytest.mark.parametrize("store", ["full", "keyframes"])
@pytest.mark.parametrize(
    "tables",
    [
        {"training": {"epochs": 3}},
        {"data": {"batch_size": 3, "shuffle": True}, "dtype": "float32"},
        {"optimizer": {"type": "adam"}, "training": {"epochs": 3, "skip": ["zero_grad"]}},
    ],
)
def test_the_lines_are_those_of_a_trace(store: str, tables: dict[str, Any], tmp_path: Path) -> None:
    made = program(**tables)
    record(tmp_path / "r.gradstep", made, store)
    with opened(tmp_path / "r.gradstep") as recording:
        found = list(recorded_lines(recording, "main", with_values=True))
    assert found == list(
        trace_lines(made, Granularity.OP, made.timeline.iterations, with_values=True)
    )


def test_arrays(tmp_path: Path) -> None:
    made = program(training={"epochs": 4})
    record(tmp_path / "r.gradstep", made, "keyframes")
    with opened(tmp_path / "r.gradstep") as recording:
        found = recorded_arrays(recording, "main")
    session = Session(made)
    assert found["iterations"].tolist() == [0, 1, 2, 3, 4]
    for iteration in range(5):
        session.goto(iteration * len(made.ops))
        assert np.array_equal(found["linear1.weight"][iteration], session.tensors["linear1.weight"])
    assert np.array_equal(found["loss"], session.losses)
    assert np.array_equal(found["x"], made.data.x)


def compiled(name: str, epochs: int = 3) -> Program:
    found = load_experiment(name)
    training = msgspec.structs.replace(found.training, epochs=epochs)
    return compile_program(msgspec.structs.replace(found, training=training))


def with_loss(loss: dict[str, Any], data: dict[str, Any]) -> Callable[[str], Program]:
    """A program of two outputs, logarithms of probabilities, with a loss of them."""
    layers = [{"type": "linear", "out": 2}, {"type": "log_softmax"}]
    return lambda name: program(data=data, layers=layers, loss=loss)


CASES: dict[str, Any] = {
    "schedule": lambda name: program(
        schedule={"type": "exponential", "gamma": 0.8},
        clip={"norm": 0.5},
        data={"batch_size": 3},
        training={"epochs": 6},
    ),
    "classification-bce": compiled,
    "digits": compiled,
    "iris": compiled,
    "bug-frozen": compiled,
    "bug-no-zero-grad": compiled,
    "adam": lambda name: program(
        optimizer={"type": "adam", "lr": 0.05, "weight_decay": 0.1},
        data={"batch_size": 3, "shuffle": True},
        loss={"type": "huber", "delta": 0.5, "reduction": "batch_mean", "scale": 0.5},
        layers=[
            {"type": "linear", "out": 40},
            {"type": "leaky_relu", "negative_slope": 0.2},
            {"type": "elu", "alpha": 0.7},
            {"type": "linear", "out": 1, "bias": False},
        ],
        training={"epochs": 6, "order": ["forward", "loss", "zero_grad", "backward", "update"]},
    ),
}
CASES |= {
    "dropout, schedule, clip": lambda name: program(
        layers=[
            {"type": "linear", "out": 20},
            {"type": "dropout", "p": 0.25},
            {"type": "tanh"},
            {"type": "dropout", "p": 0.5},
            {"type": "linear", "out": 1},
        ],
        data={"batch_size": 3, "shuffle": True},
        schedule={"type": "cosine", "t_max": 7, "every": "iteration"},
        clip={"norm": 0.1},
        training={"epochs": 5},
    ),
    "evaluation, warm-up, clip by value": lambda name: program(
        layers=[{"type": "linear", "out": 1}, {"type": "dropout"}],
        schedule={"type": "linear_warmup"},
        clip={"value": 0.01},
        training={"epochs": 8, "mode": "eval"},
    ),
    "class weights": lambda name: program(
        data={"generate": "blobs", "samples": 30, "classes": 3, "x": None, "y": None},
        layers=[{"type": "linear", "out": 3}],
        loss={
            "type": "cross_entropy",
            "weight": [1.0, 2.0, 0.5],
            "ignore_index": 1,
            "label_smoothing": 0.1,
        },
        optimizer={"type": "adamw", "amsgrad": True},
    ),
    "activations": lambda name: program(
        layers=[
            {"type": "linear", "out": 8},
            {"type": "glu"},
            *({"type": kind} for kind in ("celu", "selu", "mish", "softsign", "prelu")),
            {"type": "hard_swish"},
            {"type": "hard_sigmoid"},
            {"type": "linear", "out": 4},
            {"type": "thresholded_relu", "threshold": -0.5},
            {"type": "prelu", "num_parameters": 4, "frozen": ["weight"]},
            {"type": "gelu", "approximate": "tanh"},
            {"type": "hard_tanh", "min_val": -3.0, "max_val": 0.5},
            {"type": "linear", "out": 1},
        ],
    ),
    **{f"{loss['type']} {i}": with_loss(loss, data) for i, (loss, data) in enumerate(LOSSES)},
    "binary weights": lambda name: program(
        data={"x": [[1.0], [2.0]], "y": [[1.0, 0.0], [0.0, 1.0]]},
        layers=[{"type": "linear", "out": 2}],
        loss={"type": "bce_with_logits", "weight": [1.0, 2.0], "pos_weight": [3.0, 0.5]},
    ),
}


EVERYTHING = """
n = norm(g)
d = clip(g, -1, 1) if n > 2 else where(g > 0, g, maximum(g, -std(g) - e))
v = mu*v + d*(1 - mu**t)
theta = theta - lr*(v + 0.01*(u - 0.5*w)) + 0.001*mean(abs(u), axis=0)
u = theta                       # the parameter and its gradient, which will change
w = g
"""
OWN_RULE = {"lr": 0.05, "mu": 0.9, "lines": EVERYTHING, "slots": {"v": 0.1}}
UPDATES: dict[str, Callable[[str], Program]] = {
    "a rule in lines": lambda name: program(optimizer=OWN_RULE, training={"epochs": 12}),
    "a rule in lines, clipped, with a schedule and a rate of a layer": lambda name: program(
        layers=[
            {"type": "linear", "out": 3, "lr": 0.02},
            {"type": "linear", "out": 1, "frozen": ["bias"]},
        ],
        dtype="float32",
        optimizer=OWN_RULE,
        schedule={"type": "exponential", "gamma": 0.8},
        clip={"norm": 0.5},
        training={"epochs": 8},
    ),
    "groups": lambda name: program(
        layers=[
            {"type": "linear", "out": 3, "lr": 0.02, "decay": ["weight"]},
            {"type": "linear", "out": 1, "weight_decay": 0.5},
        ],
        optimizer={"type": "adamw", "lr": 0.1, "decay": "weights"},
        schedule={"type": "cosine", "t_max": 7, "eta_min": 0.001},
        training={"epochs": 8},
    ),
}
CASES |= UPDATES


def test_a_rule_that_pytorch_has_not_is_refused(tmp_path: Path) -> None:
    said = r"optimizer\.lines: cos_similarity\(…\) cannot be written as a script of PyTorch"
    made = program(optimizer={"lines": "theta = theta - 0.1*cos_similarity(g, theta)*g"})
    record(tmp_path / "r.gradstep", made, "keyframes")
    with opened(tmp_path / "r.gradstep") as recording, pytest.raises(GradstepError, match=said):
        torch_script(recording, "main")


@pytest.mark.parametrize("name", CASES)
def test_the_script_gives_the_same_losses_in_pytorch(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    made = CASES[name](name)
    path = tmp_path / "r.gradstep"
    record(path, made, "keyframes")
    with opened(path) as recording:
        (tmp_path / "run.py").write_text(torch_script(recording, "main"))
        losses = np.array(recording.losses(recording.branches["main"]))
    runpy.run_path(str(tmp_path / "run.py"))  # a process of its own would import torch again
    printed = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [int(number) for number, _ in printed] == list(range(1, len(losses) + 1))
    torch_losses = np.array([float(loss) for _, loss in printed])
    precision = 1e-9 if made.experiment.dtype == "float64" else 2e-3
    assert np.allclose(torch_losses, losses, rtol=precision, atol=precision * 1e-3)


def test_a_name_cannot_leave_its_comment(tmp_path: Path) -> None:
    made = program(name='"""\nimport os\nraise SystemExit(7)\n"""\\')
    record(tmp_path / "r.gradstep", made, "keyframes")
    with opened(tmp_path / "r.gradstep") as recording:
        script = torch_script(recording, "main")
    module = compile(script, "run.py", "exec")
    assert "raise SystemExit" not in script.replace(module.co_consts[0], "")
