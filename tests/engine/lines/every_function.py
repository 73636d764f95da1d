"""A line for every function of lines, with its parameters."""

from typing import Any

import numpy as np

from tests.engine.lines.networks import network

RNG = np.random.default_rng(7)


A = RNG.normal(size=(3, 4))


B = RNG.normal(size=(3, 4)) + 0.3


POSITIVE = np.abs(RNG.normal(size=(3, 4))) + 0.2


T3 = RNG.normal(size=(2, 3, 4))


IMAGE = RNG.normal(size=(2, 4, 7, 6))


SERIES = RNG.normal(size=(2, 4, 9))


ROWS = np.array([2, 0, 2])


# (a function, a line, its parameters); every function of the table stands here
CASES: list[tuple[str, str, dict[str, Any]]] = [
    *((name, f"z = {name}(a)", {"a": A}) for name in ("exp", "sin", "cos", "abs", "sign")),
    *((name, f"z = {name}(a)", {"a": A}) for name in ("square", "floor", "ceil", "round")),
    *((name, f"z = {name}(a)", {"a": POSITIVE}) for name in ("log", "log2", "log10", "sqrt")),
    *((name, f"z = {name}(3*a)", {"a": A}) for name in ("tanh", "sigmoid", "relu", "elu")),
    *((name, f"z = {name}(3*a)", {"a": A}) for name in ("silu", "gelu", "softplus", "leaky_relu")),
    *((name, f"z = {name}(3*a)", {"a": A}) for name in ("hard_sigmoid", "hard_tanh", "mish")),
    *((name, f"z = {name}(3*a)", {"a": A}) for name in ("hard_swish", "selu", "celu", "softsign")),
    ("hard_tanh", "z = hard_tanh(3*a, min_val=-0.5, max_val=2)", {"a": A}),
    ("gelu", 'z = gelu(3*a, approximate="tanh")', {"a": A}),
    ("thresholded_relu", "z = thresholded_relu(3*a, threshold=0.7)", {"a": A}),
    ("prelu", "z = prelu(a, s)", {"a": A, "s": np.array([0.3])}),
    ("glu", "z = glu(a)", {"a": A}),
    ("glu", "z = glu(t, axis=0)", {"t": T3}),
    ("where", "z = where(a > b, a*b, b**2)", {"a": A, "b": B}),
    ("where", "z = where(a > 0, a, 0.5)", {"a": A}),
    ("maximum", "z = maximum(a, b)*a", {"a": A, "b": B}),
    ("maximum", "z = maximum(0, a)", {"a": np.array([[0.0, 1.0, -1.0]])}),
    ("minimum", "z = minimum(a, b[0])", {"a": A, "b": B}),
    ("clip", "z = clip(a, -0.5, 0.5)", {"a": A}),
    *((name, f"z = {name}(a)*a", {"a": A}) for name in ("sum", "mean", "max", "min", "prod")),
    *((name, f"z = {name}(a, axis=1)", {"a": A}) for name in ("sum", "mean", "max", "min")),
    *(
        (name, f"z = {name}(t, axis=(0, 2), keepdims=True)*t", {"t": T3})
        for name in ("sum", "mean", "var", "logsumexp", "norm")
    ),
    ("max", "z = max(a, axis=0)", {"a": np.array([[1.0, 2.0], [1.0, 0.0], [0.5, 2.0]])}),
    ("max", "z = max(a)", {"a": np.array([[1.0, 2.0], [2.0, 0.0]])}),
    ("prod", "z = prod(a, axis=1)", {"a": np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 3.0]])}),
    ("var", "z = var(a, axis=0, correction=1)", {"a": A}),
    ("std", "z = std(a, axis=1, keepdims=True)*a", {"a": A}),
    ("std", "z = std(a, correction=1)", {"a": A}),
    ("logsumexp", "z = logsumexp(a, axis=-1)", {"a": 50 * A}),
    ("norm", "z = norm(a)", {"a": A}),
    ("norm", "z = norm(a, axis=1)", {"a": A}),
    ("softmax", "z = softmax(a)*b", {"a": A, "b": B}),
    ("softmax", "z = softmax(t, axis=1)*t", {"t": T3}),
    ("log_softmax", "z = log_softmax(a, axis=0)*b", {"a": A, "b": B}),
    ("reshape", "z = reshape(a, 2, 6)*2", {"a": A}),
    ("reshape", "z = reshape(t, -1, 4)**2", {"t": T3}),
    ("flatten", "z = flatten(t)**2", {"t": T3}),
    ("transpose", "z = transpose(t, 0, 2, 1)**2", {"t": T3}),
    ("transpose", "z = a.T @ b", {"a": A, "b": B}),
    ("transpose", "z = t.mT @ t", {"t": T3}),
    ("concat", "z = concat(a, b, 2*a)**2", {"a": A, "b": B}),
    ("concat", "z = concat(a, b, axis=0)**2", {"a": A, "b": B}),
    ("stack", "z = stack(a, b, axis=1)**2", {"a": A, "b": B}),
    ("pad", "z = pad(i, 1)**2", {"i": IMAGE}),
    ("pad", "z = pad(a, ((1, 0), (2, 3)))**2", {"a": A}),
    ("repeat", "z = repeat(a, 3, axis=1)**2", {"a": A}),
    ("one_hot", "z = one_hot(y, 5)*a", {"a": RNG.normal(size=(3, 5)), "y": ROWS}),
    ("zeros", "z = zeros(3, 4) + a", {"a": A}),
    ("ones", "z = ones(3, 1)*a", {"a": A}),
    ("causal", "z = softmax(causal(t))*t", {"t": T3}),
    ("causal", "z = where(causal(a.T) > -5, a.T, 2*a.T)", {"a": A}),
    ("dropout", "z = dropout(a, b)", {"a": A, "b": B}),
    ("embedding", "z = embedding(a, y)**2", {"a": A, "y": ROWS}),
    ("linear", "z = linear(a, w, b)", {"a": A, "w": B[:2], "b": RNG.normal(size=2)}),
    ("linear", "z = linear(a, w)", {"a": A, "w": B[:2]}),
    ("matmul", "z = matmul(a, b.T)", {"a": A, "b": B}),
    ("matmul", "z = t @ w", {"t": T3, "w": RNG.normal(size=(4, 5))}),
    ("matmul", "z = w @ t", {"t": T3, "w": RNG.normal(size=(5, 3))}),
    ("matmul", "z = t @ u", {"t": T3, "u": RNG.normal(size=(2, 4, 2))}),
    ("matmul", "z = a @ v", {"a": A, "v": RNG.normal(size=4)}),
    ("matmul", "z = v @ a", {"a": A, "v": RNG.normal(size=3)}),
    ("matmul", "z = t @ v", {"t": T3, "v": RNG.normal(size=4)}),
    ("dot", "z = dot(u, v)*u", {"u": RNG.normal(size=4), "v": RNG.normal(size=4)}),
    ("conv1d", "z = conv1d(s, k, b, stride=2, padding=1)", {
        "s": SERIES, "k": RNG.normal(size=(3, 4, 3)), "b": RNG.normal(size=3)}),
    ("conv2d", "z = conv2d(i, k, b, stride=2, padding=1)", {
        "i": IMAGE, "k": RNG.normal(size=(3, 4, 3, 3)), "b": RNG.normal(size=3)}),
    ("conv2d", "z = conv2d(i, k, stride=(2, 1), padding=(0, 2), dilation=2, groups=2)", {
        "i": IMAGE, "k": RNG.normal(size=(4, 2, 3, 2))}),
    ("conv_transpose1d", "z = conv_transpose1d(s, k, stride=2)", {
        "s": SERIES, "k": RNG.normal(size=(4, 2, 3))}),
    ("conv_transpose2d", "z = conv_transpose2d(i, k, b, stride=2, padding=1, output_padding=1)", {
        "i": IMAGE, "k": RNG.normal(size=(4, 2, 3, 3)), "b": RNG.normal(size=2)}),
    ("max_pool1d", "z = max_pool1d(s, 2)**2", {"s": SERIES}),
    ("max_pool2d", "z = max_pool2d(i, 3, stride=2, padding=1)**2", {"i": IMAGE}),
    ("max_pool2d", "z = max_pool2d(i, 2)", {"i": np.round(IMAGE)}),
    ("avg_pool1d", "z = avg_pool1d(s, 3, stride=1, padding=1)**2", {"s": SERIES}),
    ("avg_pool2d", "z = avg_pool2d(i, 2)**2", {"i": IMAGE}),
    ("avg_pool2d", "z = avg_pool2d(i, 3, padding=1, count_include_pad=False)**2", {"i": IMAGE}),
    ("adaptive_avg_pool2d", "z = adaptive_avg_pool2d(i, (3, 2))**2", {"i": IMAGE}),
    ("batch_norm", "z = batch_norm(a, g, b)**2", {
        "a": A, "g": RNG.normal(size=4), "b": RNG.normal(size=4)}),
    ("batch_norm", "z = batch_norm(i, g, b, 1e-3)**2", {
        "i": IMAGE, "g": RNG.normal(size=4), "b": RNG.normal(size=4)}),
    ("batch_norm", "z = batch_norm(a)**3", {"a": A}),
    ("layer_norm", "z = layer_norm(t, g, b)**2", {
        "t": T3, "g": RNG.normal(size=4), "b": RNG.normal(size=4)}),
    ("layer_norm", "z = layer_norm(t, g, b)**2", {
        "t": T3, "g": RNG.normal(size=(3, 4)), "b": RNG.normal(size=(3, 4))}),
    ("group_norm", "z = group_norm(i, g, b, 2)**2", {
        "i": IMAGE, "g": RNG.normal(size=4), "b": RNG.normal(size=4)}),
    *(
        ("cross_entropy", f'z = cross_entropy(a, y, reduction="{r}")', {"a": A, "y": ROWS})
        for r in ("mean", "sum", "none")
    ),
    ("cross_entropy", "z = cross_entropy(a, y, weight=[1, 2, 0.5, 1], label_smoothing=0.1)", {
        "a": A, "y": ROWS}),
    ("nll", "z = nll(log_softmax(a), y)", {"a": A, "y": ROWS}),
    ("mse", "z = mse(a, b)", {"a": A, "b": B}),
    ("mse", 'z = mse(a, b, reduction="none")*a', {"a": A, "b": B}),
    ("l1", 'z = l1(a, b, reduction="sum")', {"a": A, "b": B}),
    ("huber", "z = huber(a, b, delta=0.4)", {"a": A, "b": B}),
    ("smooth_l1", "z = smooth_l1(a, b, beta=0.3)", {"a": A, "b": B}),
    ("hinge", "z = hinge(a, sign(b))", {"a": A, "b": B}),
    ("multi_margin", "z = multi_margin(a, y, p=2, margin=0.5)", {"a": A, "y": ROWS}),
    ("kl_div", "z = kl_div(log_softmax(a), softmax(b), reduction=\"sum\")", {"a": A, "b": B}),
    ("gaussian_nll", "z = gaussian_nll(a, b, var=0.5, full=True)", {"a": A, "b": B}),
    ("cosine", "z = cosine(a, b)", {"a": A, "b": B}),
    ("bce", "z = bce(sigmoid(a), sigmoid(b))", {"a": A, "b": B}),
    ("bce_with_logits", "z = bce_with_logits(a, sigmoid(b))", {"a": A, "b": B}),
]  # fmt: skip


IDS = [f"{name}-{k}" for k, (name, _, _) in enumerate(CASES)]


def program_of(line: str, arrays: dict[str, Any]) -> Any:
    """A network whose loss weighs each element of the line differently."""
    return network(f"{line}\nloss = sum(sin(z + 0.5)) + 0.3*sum(z**2)", None, **arrays)
