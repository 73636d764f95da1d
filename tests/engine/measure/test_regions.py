"""Decision regions, against asking the network point by point."""

import numpy as np
import pytest

from engine.measure.metrics import predict
from engine.measure.regions import POINTS, has_regions, regions
from tests.engine.small_experiments import built_in, session_of


def test_the_answers_are_those_of_the_network():
    session = session_of("xor")
    session.goto(60 * len(session.program.ops))
    found = regions(session.program, session.tensors, 7, 5)
    assert found.answers.shape == (5, 7)
    assert found.x == found.y == (-0.15, 1.15)
    for row, up in enumerate(np.linspace(1.15, -0.15, 5)):
        for col, across in enumerate(np.linspace(-0.15, 1.15, 7)):
            one = predict(session.program, session.tensors, np.array([[across, up]]))
            assert found.answers[row, col] == pytest.approx(one[0, 0], rel=1e-12)
    assert (found.threshold, found.classes, found.right) == (0.5, 0, 1.0)


def test_they_move_with_the_cursor():
    session = session_of("xor")
    before = regions(session.program, session.tensors, 4, 4)
    session.goto(len(session.program.ops))
    after = regions(session.program, session.tensors, 4, 4)
    assert (before.answers != after.answers).all()


def test_two_inputs_and_bounded_work(monkeypatch):
    program = built_in("iris")
    assert not has_regions(program)
    with pytest.raises(ValueError, match="two inputs"):
        regions(program, program.initial(), 4, 4)
    xor = built_in("xor")
    assert regions(xor, xor.initial(), 5000, 5000).answers.size <= POINTS
    monkeypatch.setattr("engine.measure.regions.WORK", 1)
    assert regions(xor, xor.initial(), 5000, 5000).answers.size <= 16


def test_classes(tmp_path):
    file = tmp_path / "three.toml"
    file.write_text(
        """
[data]
x = [[0, 0], [1, 0], [0, 1]]
y = [0, 1, 2]
[[layers]]
type = "linear"
out = 3
weight = [[-9, -9], [9, 0], [0, 9]]
bias = [5, 0, 0]
[loss]
type = "cross_entropy"
[optimizer]
type = "sgd"
lr = 0.1
[training]
epochs = 1
""",
        encoding="utf-8",
    )
    program = built_in(str(file))
    found = regions(program, program.initial(), 3, 3)
    assert found.classes == 3
    assert found.threshold is None
    assert found.answers[2, 0] == 0
    assert found.answers[2, 2] == 1
    assert found.answers[0, 0] == 2
    assert found.right == 1
