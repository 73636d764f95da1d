"""Every function of lines against PyTorch: values and all gradients; and against differences."""

from typing import Any

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.lines.table import loss_rows, rows
from engine.measure.gradcheck import check_gradients
from engine.nn.table import LOSSES
from engine.session.session import Session
from tests.engine.lines.every_function import (
    CASES,
    IDS,
    A,
    program_of,
)
from tests.engine.lines.networks import after_backward, network
from tests.engine.lines.torch_lines import run


@pytest.mark.parametrize(("name", "line", "arrays"), CASES, ids=IDS)
def test_values_and_gradients_are_those_of_pytorch(
    name: str, line: str, arrays: dict[str, Any]
) -> None:
    torch = pytest.importorskip("torch")
    found = after_backward(program_of(line, arrays))
    text = f"{line}\nloss = sum(sin(z + 0.5)) + 0.3*sum(z**2)"
    loss, expected = run(torch, text, arrays)
    loss.backward()
    np.testing.assert_allclose(found["loss"], loss.item(), rtol=1e-12)
    np.testing.assert_allclose(found["z"], expected["z"].detach().numpy(), rtol=1e-12, atol=1e-14)
    for of, value in expected.items():
        if value.grad is not None and of != "loss":
            mine, theirs = found[f"{of}.grad"], value.grad.numpy()
            np.testing.assert_allclose(mine, theirs, rtol=1e-11, atol=1e-12, err_msg=of)


@pytest.mark.parametrize(("name", "line", "arrays"), CASES, ids=IDS)
def test_gradients_agree_with_central_differences(
    name: str, line: str, arrays: dict[str, Any]
) -> None:
    program = program_of(line, arrays)
    tensors = Session(program).tensors
    checked = check_gradients(program, tensors, tolerance=1e-5)
    wrong = [one for one in checked.parameters if not one.passed]
    assert not wrong


def test_every_function_of_lines_is_tried() -> None:
    known = {row.name for row in (*rows(), *loss_rows(LOSSES))}
    assert known - {name for name, _, _ in CASES} <= set()


@pytest.mark.parametrize("call", ["batch_norm(x, g)", "layer_norm(x, g)", "group_norm(x, g, g, 2)"])
def test_a_gamma_that_does_not_fit_is_refused_at_its_line(call):
    with pytest.raises(ExperimentError, match=r"line 1.*\(3,\)"):
        network(f"z = {call}\nloss = sum(z**2)", None, x=A, g=np.ones(3))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("batch_norm(x)", "batch_norm has 1 values a channel"),
        ("group_norm(x, groups=4)", "one value a group"),
    ],
)
@pytest.mark.parametrize("size", [1, 2])
def test_a_batch_without_a_variance_is_refused_before_it_runs(call, said, size):
    """Also where only the last batch is that short."""
    tables = {"data": {"batch_size": size}}
    with pytest.raises(ExperimentError, match=f"line 1.*{said}"):
        network(f"z = {call}\nloss = sum(z**2)", tables, x=A[:1] if size == 1 else A)
