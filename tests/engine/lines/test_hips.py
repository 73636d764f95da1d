"""The gradients of lines against HIPS autograd's: random graphs, and a line for each function."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine.lines.hips_lines import gradients
from tests.engine.lines.networks import after_backward, network
from tests.engine.lines.random_lines import RELAXED, Writer


def agree(text: str, arrays: dict[str, Any], constants: dict[str, Any] | None = None) -> None:
    """Loss and gradients are autograd's."""
    tables = {"constants": constants} if constants else None
    found = after_backward(network(text, tables, **arrays))
    known = {name: np.asarray(value) for name, value in (constants or {}).items()}
    loss, slopes = gradients(text, {**arrays, **known})
    np.testing.assert_allclose(found["loss"], loss, rtol=1e-12, err_msg=text)
    compared = 0
    for name, slope in slopes.items():
        if f"{name}.grad" in found:
            np.testing.assert_allclose(
                found[f"{name}.grad"], slope, rtol=1e-9, atol=1e-12, err_msg=f"{name}\n{text}"
            )
            compared += 1
    assert compared


@RELAXED
@given(st.integers(0, 10**6))
def test_random_lines_are_those_of_autograd(seed: int) -> None:
    writer = Writer(seed)
    agree(writer.text(), writer.arrays)


EXPRESSIONS = [
    "exp(z)", "log(z**2 + 1)", "log2(z**2 + 1)", "sqrt(z**2 + 1)", "abs(z)", "sin(z)", "cos(z)",
    "tanh(z)", "square(z)", "sigmoid(z)", "relu(z)", "leaky_relu(z)", "silu(z)", "mish(z)",
    "gelu(z)", "softsign(z)", "softplus(z)", "softmax(z)", "softmax(z, axis=0)", "log_softmax(z)",
    "sum(z, axis=0)", "mean(z, axis=1, keepdims=True)", "var(z, axis=0)", "std(z, axis=1)",
    "max(z, axis=1)", "min(z, axis=0)", "prod(z, axis=1)", "logsumexp(z, axis=0)",
    "norm(z, axis=1)", "where(z > 0, z, z**3)", "maximum(z, b)", "minimum(z, 0.2)",
    "clip(z, -0.5, 0.5)", "z ** 3", "2 ** z", "(z**2 + 1) ** b", "z / (b**2 + 1)", "b - z",
    "reshape(z, 2, 6)", "transpose(z)", "stack(z, z*b)", "repeat(z, 2, axis=1)", "flatten(z)",
    "concat(z, x, axis=1)", "z[0:2, 1]", "z[rows]", "matmul(z, W)", "linear(z, W.T, x[0])",
    "layer_norm(z)", "layer_norm(z, b, s*b)", "batch_norm(z)", "batch_norm(z, b, s*b)",
]  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_expression_has_the_gradient_of_autograd(expression: str) -> None:
    rng = np.random.default_rng(3)
    arrays: dict[str, Any] = {
        "x": rng.normal(size=(4, 2)),
        "W": rng.normal(size=(3, 2)),
        "b": rng.normal(size=3),
        "s": rng.normal(size=()),
    }
    text = f"z = x @ W.T\nq = {expression}\nloss = mean(q**2) + mean(sin(q))"
    agree(text, arrays, {"rows": [0, 2, 2, 1, 0]} if "rows" in expression else None)


@pytest.mark.parametrize("loss", ["mse(z, y)", "l1(z, y)", "bce_with_logits(z, t)"])
def test_losses_have_the_gradient_of_autograd(loss: str) -> None:
    rng = np.random.default_rng(4)
    arrays = {"x": rng.normal(size=(4, 2)), "y": rng.normal(size=(4, 3))}
    arrays |= {"W": rng.normal(size=(3, 2))}
    t = rng.integers(0, 2, size=(4, 3)).astype(float).tolist()
    agree(f"z = x @ W.T\nloss = {loss}", arrays, {"t": t} if "t)" in loss else None)


def test_cross_entropy_has_the_gradient_of_autograd() -> None:
    rng = np.random.default_rng(5)
    arrays = {"x": rng.normal(size=(4, 2)), "W": rng.normal(size=(3, 2))}
    agree("z = x @ W.T\nloss = cross_entropy(z, c)", arrays, {"c": [0, 2, 1, 2]})
