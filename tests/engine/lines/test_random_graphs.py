"""Random graphs of random lines: against PyTorch, and against themselves unfolded."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.session.session import Session
from tests.engine.lines.networks import after_backward, network
from tests.engine.lines.random_lines import RELAXED, Writer
from tests.engine.lines.torch_lines import run


@RELAXED
@given(st.integers(0, 10**6))
def test_random_lines_are_those_of_pytorch(seed: int) -> None:
    torch = pytest.importorskip("torch")
    writer = Writer(seed)
    text = writer.text()
    found = after_backward(network(text, None, **writer.arrays))
    loss, expected = run(torch, text, writer.arrays)
    loss.backward()
    np.testing.assert_allclose(found["loss"], loss.item(), rtol=1e-12, err_msg=text)
    for of, value in expected.items():
        if value.grad is not None and of != "loss":
            mine, theirs = found[f"{of}.grad"], value.grad.numpy()
            np.testing.assert_allclose(
                mine, theirs, rtol=1e-10, atol=1e-12, err_msg=f"{of}\n{text}"
            )


@RELAXED
@given(st.integers(0, 10**6))
def test_unfolded_lines_agree_with_themselves(seed: int) -> None:
    writer = Writer(seed)
    text = writer.text()
    folded = after_backward(network(text, None, **writer.arrays))
    apart = after_backward(network(text, {"network": {"unfold": "all"}}, **writer.arrays))
    assert folded.keys() <= apart.keys()
    for name, value in folded.items():
        np.testing.assert_allclose(
            apart[name], value, rtol=1e-10, atol=1e-12, err_msg=f"{name}\n{text}"
        )


@RELAXED
@given(st.integers(0, 10**6))
def test_forward_and_back_is_the_same_to_the_bit(seed: int) -> None:
    writer = Writer(seed)
    session = Session(network(writer.text(), None, **writer.arrays))
    end = session.timeline.end
    first = [bits(session) for _ in range(end) if session.step() or True]
    for _ in range(end):
        session.step(-1)
    assert [bits(session) for _ in range(end) if session.step() or True] == first


def bits(session: Session) -> dict[str, bytes]:
    """Every tensor's bytes."""
    return {name: value.tobytes() for name, value in session.tensors.items()}


LECTURES = {
    "softmax": "p = softmax(x @ W.T)\nloss = mean((p - y)**2)",
    "cross-entropy": "z = x @ W.T\nloss = cross_entropy(z, c)",
    "log_softmax": "p = log_softmax(x @ W.T)\nloss = -mean(p*y)",
    "mse": "z = x @ W.T\nloss = mse(z, y)",
    "l1": 'z = x @ W.T\nloss = l1(z, y, reduction="sum")',
    "batch norm": "z = batch_norm(x @ W.T, g, b)\nloss = mean((z - y)**2)",
    "layer norm": "z = layer_norm(x @ W.T, g, b)\nloss = mean((z - y)**3)",
}


@pytest.mark.parametrize("name", LECTURES)
def test_what_a_lecture_derives_is_what_unfolds(name: str) -> None:
    rng = np.random.default_rng(1)
    arrays = {
        "x": rng.normal(size=(4, 3)),
        "y": rng.normal(size=(4, 2)),
        "W": rng.normal(size=(2, 3)),
    }
    arrays |= {"g": rng.normal(size=2), "b": rng.normal(size=2)}
    more: dict[str, Any] = {"constants": {"c": [0, 1, 1, 0]}}
    folded = network(LECTURES[name], more, **arrays)
    apart = network(LECTURES[name], {**more, "network": {"unfold": "all"}}, **arrays)
    assert len(apart.ops) > len(folded.ops) + 2
    one, other = after_backward(folded), after_backward(apart)
    for of in one:
        np.testing.assert_allclose(other[of], one[of], rtol=1e-11, atol=1e-12, err_msg=of)
