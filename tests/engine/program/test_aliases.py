"""Short names of tensors: z1 … zn, yhat, W1, b1, and their gradients."""

import pytest

from engine.debugger import Debugger
from engine.words.language import CommandLine
from tests.engine.small_experiments import built_in, session_of

SHORT = {
    "z1": "linear1.out",
    "z2": "relu1.out",
    "z3": "linear2.out",
    "z4": "identity1.out",
    "yhat": "identity1.out",
    "W1": "linear1.weight",
    "b1": "linear1.bias",
    "W2": "linear2.weight",
    "b2": "linear2.bias",
}


@pytest.mark.parametrize(("short", "own"), SHORT.items())
def test_a_short_name_means_the_tensor_and_its_gradient(short: str, own: str) -> None:
    program = built_in("regression")
    assert program.resolve(short) == own
    assert program.resolve(f"{short}.grad") == f"{own}.grad"


def test_other_names_stay() -> None:
    program = built_in("regression")
    for name in ("x", "loss", "linear1.weight", "z9", "z1.weight", "W3"):
        assert program.resolve(name) == name


def test_short_names_in_commands() -> None:
    session = session_of("regression")
    debugger = CommandLine(Debugger(session))
    debugger.execute("f")
    assert debugger.execute("assert norm(z1) == norm(linear1.out)").ok
    assert debugger.execute("assert all(W2.grad == linear2.weight.grad)").ok
    debugger.execute("set W1[0, 0] = 0.25")
    assert session.tensors["linear1.weight"][0, 0] == 0.25
