"""Captured ops computed again: each function as PyTorch has it, and a wrong result is found."""

from pathlib import Path

import numpy as np
import pytest

from engine.capture.known import KNOWN, Unknown, viewed
from engine.capture.mathematics import Checked, check
from engine.capture.opened import opened_capture
from engine.run.phases import Phase
from tests.engine.capture.told import Teller, trained, writer_at

torch = pytest.importorskip("torch")
F = torch.nn.functional
RNG = np.random.default_rng(0)


def checked(path: Path) -> Checked:
    with opened_capture(str(path)) as run:
        steps = check(run, 100)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                return end.value


def test_a_sound_run(tmp_path: Path) -> None:
    trained(tmp_path / "r", 3)
    found = checked(tmp_path / "r")
    assert (found.ops, found.checked, found.wrong) == (50, 24, [])
    assert found.unknown["AccumulateGrad"] == 12


def test_a_result_that_its_operands_do_not_make(tmp_path: Path) -> None:
    teller = Teller(writer_at(tmp_path / "r"))
    x = np.float32([1, 2, 3])
    ids = {"x": teller.tensor("x", "input", x)}
    teller.given("x", "input", x)
    wrong = np.float32([1, 2.001, 3])
    number = teller.tensor("h", "activation", x)
    teller.happen(Phase.FORWARD, "h", "relu", ids, {"h": (number, wrong)}, 3)
    teller.end_iteration()
    teller.end()
    (one,) = checked(tmp_path / "r").wrong
    assert (one.event, one.tensor, one.index) == (0, "h", (1,))
    assert one.computed == 2.0


def test_what_was_not_kept_is_not_checked(tmp_path: Path) -> None:
    trained(tmp_path / "r", 2, limit=1)
    found = checked(tmp_path / "r")
    assert (found.checked, found.wrong) == (0, [])
    assert found.not_kept > 10


X = RNG.normal(size=(4, 6))
CLASSES = np.array([0, 5, 2, 2])
SAME = {
    "linear": ((X, RNG.normal(size=(3, 6)), RNG.normal(size=3)), {}, F.linear),
    "matmul": ((X, RNG.normal(size=(6, 2))), {}, torch.matmul),
    "gelu": ((X,), {}, F.gelu),
    "gelu by tanh": ((X,), {"approximate": "tanh"}, F.gelu),
    "silu": ((X,), {}, F.silu),
    "sigmoid": ((X,), {}, torch.sigmoid),
    "log_softmax": ((X,), {"dim": 1}, F.log_softmax),
    "softmax": ((X,), {"dim": 0}, F.softmax),
    "sum": ((X,), {"dim": 1, "keepdim": True}, torch.sum),
    "mean": ((X,), {}, torch.mean),
    "add": ((X,), {"other": 0.5}, torch.add),
    "div": ((X, X + 9), {}, torch.div),
    "pow": ((X,), {"exponent": 2}, torch.pow),
    "mse_loss": ((X, X + 1), {"reduction": "sum"}, F.mse_loss),
    "cross_entropy": ((X, CLASSES), {}, F.cross_entropy),
    "nll_loss": ((X, CLASSES), {}, F.nll_loss),
    "layer_norm": (
        (X, RNG.normal(size=6), RNG.normal(size=6)),
        {"normalized_shape": [6], "eps": 1e-5},
        lambda x, w, b, normalized_shape, eps: F.layer_norm(x, normalized_shape, w, b, eps),
    ),
    "embedding": ((CLASSES, RNG.normal(size=(7, 3))), {}, F.embedding),
}


@pytest.mark.parametrize("name", SAME)
def test_each_function_is_pytorchs(name: str) -> None:
    operands, attributes, theirs = SAME[name]
    found = KNOWN[name.split(maxsplit=1)[0]](operands, attributes)
    expected = theirs(*map(torch.from_numpy, operands), **attributes).numpy()
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("kind", "operands", "attributes"),
    [
        ("add", (X,), {}),
        ("add", (X, X), {"alpha": 2}),
        ("nll_loss", (X, np.array([0, 9, 1, 1])), {}),
        ("nll_loss", (X, np.array([0, -100, 1, 1])), {}),
        ("cross_entropy", (X, X), {}),
        ("softmax", (X,), {}),
        ("SGD.step", (X, X), {"momentum": 0.9, "lr": 1}),
    ],
)
def test_what_is_not_known_is_not_guessed(kind, operands, attributes) -> None:
    with pytest.raises(Unknown):
        KNOWN[kind](operands, attributes)


def test_views() -> None:
    array = np.arange(24.0).reshape(2, 12)
    tensor = torch.from_numpy(array)
    for text, expected in {
        "view(2, 3, 4)": tensor.view(2, 3, 4),
        "view(2, 3, 4).transpose(1, 2)": tensor.view(2, 3, 4).transpose(1, 2),
        "split(4, 1)[2].t()": tensor.split(4, 1)[2].t(),
        "unsqueeze(0).expand(3, -1, -1)": tensor.unsqueeze(0).expand(3, -1, -1),
        "": tensor,
    }.items():
        assert np.array_equal(viewed(array, text), expected.numpy()), text
    for text in ("view(5, 5)", "narrow(0, 1, 2)", "__import__('os')", "view(2, 12"):
        with pytest.raises(Unknown):
            viewed(array, text)
