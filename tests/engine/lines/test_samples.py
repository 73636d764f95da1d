"""Lines of one sample: the same numbers as the lines of a batch that say the same."""

import re
from typing import Any

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.measure.gradcheck import check_gradients
from engine.session.session import Session
from tests.engine.lines.networks import after_backward, network

RNG = np.random.default_rng(5)
X, W, B = RNG.normal(size=(3, 4)), RNG.normal(size=(3, 4)), RNG.normal(size=3)
CLASSES = np.array([0, 2, 1])
SERIES, U, V = RNG.normal(size=(2, 3, 2)), RNG.normal(size=(2, 2)), RNG.normal(size=(2, 2))

# one sample's lines, a batch's lines, and what both are given
PAIRS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "squared error": (
        "z = W @ x + b\nloss = sum((z - y)**2)",
        "z = x @ W.T + b\nloss = sum((z - y)**2)/N",
        {"x": X, "y": RNG.normal(size=(3, 3)), "W": W, "b": B},
    ),
    "cross-entropy": (
        "z = W @ x + b\nloss = cross_entropy(z, y)",
        "z = x @ W.T + b\nloss = cross_entropy(z, y)",
        {"x": X, "y": CLASSES, "W": W, "b": B},
    ),
    "one-hot": (
        "z = W @ x\np = softmax(z, axis=0)\nloss = -sum(one_hot(y, 3)*log(p))",
        "z = x @ W.T\np = softmax(z)\nloss = -sum(one_hot(y, 3)*log(p))/N",
        {"x": X, "y": CLASSES, "W": W},
    ),
    "mean of elements": (
        "z = W @ x\nloss = mse(z, y)",
        "z = x @ W.T\nloss = mse(z, y)",
        {"x": X, "y": RNG.normal(size=(3, 3)), "W": W},
    ),
    "a single number": (
        "z = w.T @ x\nloss = 0.5*(z - y)**2",
        "z = x @ w\nloss = sum(0.5*(z - y)**2)/N",
        {"x": X, "y": B, "w": W[0]},
    ),
    "a regulariser": (
        "z = W @ x\nloss = sum(z**2) + 0.1*sum(W**2)",
        "z = x @ W.T\nloss = sum(z**2)/N + 0.1*sum(W**2)",
        {"x": X, "W": W},
    ),
    "in time": (
        "h[-1] = zeros(2)\nfor t in range(3):\n    h[t] = tanh(U @ x[t] + V @ h[t-1])\n"
        "loss = sum(h[2]**2)",
        "h[-1] = zeros(N, 2)\nfor t in range(3):\n"
        "    h[t] = tanh(x[:, t] @ U.T + h[t-1] @ V.T)\nloss = sum(h[2]**2)/N",
        {"x": SERIES, "U": U, "V": V},
    ),
    "attention": (
        "q = U @ x.T\nA = softmax(q.T @ (V @ x.T))\nloss = sum((A @ x)**2)",
        "q = U @ x.mT\nA = softmax(q.mT @ (V @ x.mT))\nloss = sum((A @ x)**2)/N",
        {"x": SERIES, "U": U, "V": V},
    ),
    "joined": (
        "h = concat(x, W @ x, axis=0)\nloss = sum(h**3)",
        "h = concat(x, x @ W.T)\nloss = sum(h**3)/N",
        {"x": X, "W": W},
    ),
}
IMAGES, FILTERS = RNG.normal(size=(3, 2, 6, 5)), RNG.normal(size=(4, 2, 3, 3))
SCALES, SHIFTS = RNG.normal(size=4), RNG.normal(size=4)
COLUMNS = RNG.normal(size=(3, 4))
PAIRS |= {
    "softmax of a column": (
        "p = softmax(W @ x)\nq = log_softmax(W @ x)\nloss = sum(p**2) - sum(q)",
        "p = softmax(x @ W.T)\nq = log_softmax(x @ W.T)\nloss = (sum(p**2) - sum(q))/N",
        {"x": X, "W": W},
    ),
    "an image": (
        "c = conv2d(x, K, b, padding=1)\nm = max_pool2d(relu(c), 2)\na = avg_pool2d(c, 2)\n"
        "v = flatten(m) + flatten(a)\nloss = sum(tanh(v)**2)",
        "c = conv2d(x, K, b, padding=1)\nm = max_pool2d(relu(c), 2)\na = avg_pool2d(c, 2)\n"
        "v = flatten(m) + flatten(a)\nloss = sum(tanh(v)**2)/N",
        {"x": IMAGES, "K": FILTERS, "b": SCALES},
    ),
    "an image, wider again": (
        "c = conv_transpose2d(x, K, stride=2)\nloss = sum(adaptive_avg_pool2d(c, 3)**2)",
        "c = conv_transpose2d(x, K, stride=2)\nloss = sum(adaptive_avg_pool2d(c, 3)**2)/N",
        {"x": IMAGES, "K": FILTERS.transpose(1, 0, 2, 3)},
    ),
    "a signal": (
        "c = conv1d(x, K, b, stride=2)\nloss = sum(max_pool1d(c, 2)**3)",
        "c = conv1d(x, K, b, stride=2)\nloss = sum(max_pool1d(c, 2)**3)/N",
        {"x": IMAGES[:, :, :, 0], "K": FILTERS[:, :, :, 0], "b": SCALES},
    ),
    "layer norm": (
        "h = layer_norm(x)\nk = layer_norm(x, g, b)\nloss = sum(h**3) + sum(k**3)",
        "h = layer_norm(x)\nk = layer_norm(x, g, b)\nloss = (sum(h**3) + sum(k**3))/N",
        {"x": COLUMNS, "g": SCALES, "b": SHIFTS},
    ),
    "group norm": (
        "c = conv2d(x, K)\nh = group_norm(c, g, b, groups=2)\nloss = sum(h**3)",
        "c = conv2d(x, K)\nh = group_norm(c, g, b, groups=2)\nloss = sum(h**3)/N",
        {"x": IMAGES, "K": FILTERS, "g": SCALES, "b": SHIFTS},
    ),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_sample_says_what_a_batch_says(name: str) -> None:
    sample, batch, arrays = PAIRS[name]
    one = after_backward(network(sample, {"network": {"per": "sample"}}, **arrays))
    other = after_backward(network(batch, None, **arrays))
    np.testing.assert_allclose(one["loss"], other["loss"], rtol=1e-12)
    for of in other:
        if of.endswith(".grad") and of in one:
            mine = one[of].reshape(other[of].shape)
            np.testing.assert_allclose(mine, other[of], rtol=1e-10, atol=1e-13, err_msg=of)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_of_a_batch_is_the_mean_or_the_sum(name: str, reduction: str) -> None:
    sample, _, arrays = PAIRS[name]
    tables = {"network": {"per": "sample"}, "loss": {"reduction": reduction}}
    program = network(sample, tables, **arrays)
    assert check_gradients(program, Session(program).tensors).passed


def test_formulas_keep_the_convention_of_columns() -> None:
    program = network(
        "z = W @ x + b\nloss = sum((z - y)**2)", {"network": {"per": "sample"}},
        **PAIRS["squared error"][2],
    )  # fmt: skip
    found = {op.name: op.formula for op in program.ops}
    assert found["W.grad@z"] == "∂ℓ/∂W += Σₙ (∂ℓ/∂z xᵀ)ₙ"
    assert found["b.grad@z"] == "∂ℓ/∂b += Σₙ (∂ℓ/∂z)ₙ"
    assert found["x.grad@z"] == "∂ℓ/∂x = Wᵀ ∂ℓ/∂z"
    assert found["z.grad@loss"] == "∂ℓ/∂z = 2/3 (z − y)"


def test_formulas_of_a_batch_in_the_convention_of_each_line() -> None:
    lines = "z1 = x @ W1.T + b1\nz2 = 5*relu(z1)\nz3 = z2 @ W2\nloss = sum(z3**2)"
    program = network(lines, None, x=X, W1=W, b1=B, W2=RNG.normal(size=(3, 2)))
    found = {op.name: op.formula for op in program.ops if "@" in op.name}
    assert found == {
        "z3.grad@loss": "∂ℓ/∂z3 = 2 z3",
        "W2.grad@z3": "∂ℓ/∂W2 += z2ᵀ ∂ℓ/∂z3",
        "z2.grad@z3": "∂ℓ/∂z2 = ∂ℓ/∂z3 W2ᵀ",
        "z1.grad@z2": "∂ℓ/∂z1 = 5 ∂ℓ/∂z2 ⊙ [z1 > 0]",
        "W1.grad@z1": "∂ℓ/∂W1 += (∂ℓ/∂z1)ᵀ x",
        "b1.grad@z1": "∂ℓ/∂b1 += Σₙ (∂ℓ/∂z1)ₙ",
        "x.grad@z1": "∂ℓ/∂x = ∂ℓ/∂z1 W1",
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("z = batch_norm(W @ x)", "mixes the samples"),
        ("z = conv2d(x, W)", "(C, H, W) is needed, of one sample"),
    ],
)
def test_what_one_sample_cannot_have_is_said(line: str, said: str) -> None:
    with pytest.raises(ExperimentError, match=re.escape(said)):
        network(f"{line}\nloss = sum(z**2)", {"network": {"per": "sample"}}, x=X, W=W)


@pytest.mark.parametrize("name", PAIRS)
def test_a_sample_unfolded_agrees_with_itself(name: str) -> None:
    sample, _, arrays = PAIRS[name]
    whole = {"per": "sample"}
    folded = after_backward(network(sample, {"network": whole}, **arrays))
    apart = after_backward(network(sample, {"network": {**whole, "unfold": "all"}}, **arrays))
    for of, value in folded.items():
        np.testing.assert_allclose(apart[of], value, rtol=1e-10, atol=1e-13, err_msg=of)


def test_whole_numbers_of_the_data_unfold() -> None:
    lines = "z = x @ W.T\nloss = sum((z*x)**2)"
    arrays = {"x": np.arange(12).reshape(3, 4), "W": RNG.normal(size=(4, 4))}
    folded = after_backward(network(lines, None, **arrays))
    apart = after_backward(network(lines, {"network": {"unfold": "all"}}, **arrays))
    np.testing.assert_allclose(apart["W.grad"], folded["W.grad"], rtol=1e-12)
