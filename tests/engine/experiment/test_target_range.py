"""bce refuses what PyTorch refuses, and says what the targets look like."""

import numpy as np
import pytest

from engine.diagnostics.refusals import diagnose_refusal
from engine.errors import ExperimentError
from engine.experiment.target_range import outside
from tests.engine.small_experiments import program

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")


def refused(y, loss="bce", **tables):
    """The message of the one problem."""
    data = {"x": [[float(i)] for i in range(len(y))], "y": [[v] for v in y]}
    layers = [{"type": "linear", "out": 1}, {"type": "sigmoid"}]
    with pytest.raises(ExperimentError) as told:
        program(data=data | tables, layers=layers, loss={"type": loss})
    (problem,) = told.value.problems
    assert problem.path == "data.y"
    return problem.message, told.value


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5, -1e-9, 1 + 1e-9, 2.0, -1.0, np.nan, np.inf])
def test_the_range_is_that_of_pytorch(value):
    target = torch.tensor([value], dtype=torch.float64)
    try:
        torch.nn.functional.binary_cross_entropy(torch.tensor([0.5], dtype=torch.float64), target)
        theirs = False
    except RuntimeError:
        theirs = True
    assert outside(np.array([value])).any() == theirs


@pytest.mark.parametrize(
    ("y", "remedy"),
    [
        ([0.0, 6.0, 9.0, 3.0], "classes 0 … 9 take cross_entropy"),
        ([1.0, -1.0, 1.0], "(y + 1) / 2"),
        ([2.0, 1.0, 1.0], "subtract 1"),
        ([0.0, 255.0, 12.0], "divide them by 255"),
        ([12.5, 99.1, 0.3], "divided by 100"),
        ([1500.0, 2e5, -3.25], "take mse"),
        ([1.0, float("nan")], "missing values"),
    ],
)
def test_the_remedy_is_read_from_the_values(y, remedy):
    message, _ = refused(y)
    assert remedy in message


@pytest.mark.parametrize(
    ("y", "said"),
    [
        ([-1.0, 0.0, 1.0, 0.0], "y[1, 0] is 0; 2 of 4 are neither"),
        ([0.0, 1.0, 1.0], "become −1 and 1 by 2 y − 1"),
        ([2.0, 1.0, 1.0], "become −1 and 1 by 2 y − 3"),
        ([0.0, 6.0, 9.0, 3.0], "classes take multi_margin or cross_entropy"),
        ([0.3, -2.5], "take mse"),
        ([1.0, float("nan")], "missing values"),
    ],
)
def test_a_hinge_takes_no_other_targets_than_two(y, said):
    message, error = refused(y, "hinge")
    assert message.startswith("hinge takes targets −1 and 1, but y[")
    assert said in message
    (found,) = diagnose_refusal(error)
    assert (found.name, found.serious) == ("hinge-targets", True)


def test_the_first_is_named_with_its_row_in_the_file():
    message, error = refused([0.0, 1.0, 2.0, 0.5, -3.0], validation=0.4, shuffle=True)
    assert "y[2, 0] is 2; 2 of 5 are outside" in message
    (found,) = diagnose_refusal(error)
    assert (found.name, found.serious) == ("bce-targets", True)


def test_with_logits_it_is_a_finding_and_no_refusal_as_in_pytorch():
    data = {"x": [[0.0], [1.0]], "y": [[2.0], [-1.0]]}
    layers = [{"type": "linear", "out": 1}]
    assert program(data=data, layers=layers, loss={"type": "bce_with_logits"})


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ([1, 2, 3], "the smallest is 1, and classes count from 0: subtract 1"),
        ([0, 1, 3], "class 3 needs 4 outputs, but linear1.out has shape (N, 3); classes count"),
    ],
)
def test_labels_that_count_from_one(labels, said):
    data = {"x": [[0.0], [1.0], [2.0]], "y": labels}
    with pytest.raises(ExperimentError) as told:
        program(data=data, layers=[{"type": "linear", "out": 3}], loss={"type": "cross_entropy"})
    assert said in str(told.value)
    assert diagnose_refusal(told.value)[0].name == "class-without-output"
