"""A captured script as an experiment: it trains as the script did."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.capture.as_experiment import described, experiment_of, schedule_of
from engine.capture.batches import regular
from engine.capture.captured import CapturedRun
from engine.capture.launch import launch
from engine.capture.opened import opened_capture
from engine.capture.plan import Plan
from engine.capture.writer import CaptureWriter, Command
from engine.session.session import Session
from tests.engine.captured_scripts import environment, python

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CapturedRun]:
    """A convolutional network, its first ten iterations in full."""
    folder = tmp_path_factory.mktemp("digits")
    command = python("digits.py")
    writer = CaptureWriter(folder / "r", Command("digits.py", tuple(command), str(folder)))
    here = Path.cwd()
    os.chdir(folder)
    try:
        launch(
            command, Plan(quiet=True, window=(0, 10), budget=2**28), writer,
            lambda stream, data: None, environment(),
        )  # fmt: skip
    finally:
        os.chdir(here)
    with opened_capture(str(folder / "r")) as run:
        yield run


def test_ten_iterations_are_those_of_the_script(digits: CapturedRun) -> None:
    program = experiment_of(digits)
    assert program.experiment.optimizer.type == "adadelta"
    session = Session(program)
    session.goto(program.timeline.begin(10))
    recorded = [row.loss for row in digits.stored.index][:10]
    np.testing.assert_allclose(session.losses[:10], recorded, rtol=1e-6)
    for name in ("conv1.weight", "fc.bias"):
        expected = digits.places.at(digits.places.before(10)[name])
        found = session.tensors[name.replace(".", "_")]
        assert np.linalg.norm(found - expected) <= 1e-4 * np.linalg.norm(expected)


def test_what_it_is_made_of(digits: CapturedRun) -> None:
    found = described(digits)
    assert found.raw["schedule"] == {
        "type": "step", "step_size": 4, "gamma": 0.7, "every": "iteration",
    }  # fmt: skip
    assert (
        "fc_linear = linear(reshape(max_pool2d1, N, 100), fc_weight, fc_bias)"
        in (found.raw["network"]["lines"])
    )
    assert found.arrays["x"].shape == (400, 1, 12, 12)
    assert found.notes == [
        "the first 10 of 12 iterations: the batch of iteration 11 (data) was not kept in full"
    ]
    beside = found.beside("r.npz")
    assert beside["data"] == {"npz": "r.npz", "arrays": ["x", "y"], "batch_size": 40}
    assert beside["parameters"]["fc_bias"] == {"file": "r.npz:fc_bias"}


def test_schedules() -> None:
    assert schedule_of([1, 1, 1]) == ({}, 3)
    assert schedule_of([1, 1, 0.5, 0.5, 0.25])[0]["step_size"] == 2
    assert schedule_of([1, 0.9, 0.81])[0]["type"] == "exponential"
    assert schedule_of([1, 1, 0.5, 0.3]) == ({}, 2)


def test_batches_that_an_experiment_has_too() -> None:
    a, b, c = (b"a",), (b"b",), (b"c",)
    assert regular([a, b, c], [5, 5, 5]) == (3, 3)
    assert regular([a, b, c, a, b, c], [5, 5, 2, 5, 5, 2]) == (6, 3)
    assert regular([a, b, c, b, a, c], [5, 5, 2, 5, 5, 2]) == (3, 3)
    assert regular([a, a, b], [5, 5, 7]) == (2, 1)
