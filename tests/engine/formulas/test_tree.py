"""Every formula of the worksheet, evaluated, is what the engine computes for a batch of one."""

from typing import Any

import numpy as np
import pytest

from engine.experiment.reader import read_experiment
from engine.formulas.named import Apply, Positive
from engine.formulas.tree import (
    Add,
    Fraction,
    Number,
    Partial,
    Product,
    Size,
    SquaredNorm,
    Subtract,
    Symbol,
    Times,
    Transpose,
)
from engine.functions.elementwise.sigmoid import SIGMA
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.drive import advance, initial_state
from engine.worksheet.markdown import worksheet_markdown
from engine.worksheet.sample import Sample, symbols_in
from engine.worksheet.worksheet import LAYOUTS, Worksheet, worksheet

ACTIVATIONS = [
    {"type": "identity"},
    {"type": "relu"},
    {"type": "leaky_relu", "negative_slope": 0.2},
    {"type": "sigmoid"},
    {"type": "tanh"},
    {"type": "softplus", "beta": 2.0, "threshold": 1.5},
    {"type": "elu", "alpha": 0.7},
    {"type": "silu"},
    {"type": "gelu"},
    {"type": "softmax"},
    {"type": "log_softmax"},
]
LOSSES = ["mse", "l1", "huber", "bce", "bce_with_logits", "cross_entropy", "nll"]
REDUCTIONS = ["sum", "mean", "batch_mean"]


def random_experiment(seed: int) -> dict[str, Any]:
    """Any depth from 1 to 5, any widths (K = h among them), any layers, loss and reduction."""
    rng = np.random.default_rng(seed)
    depth = int(rng.integers(1, 6))
    n = int(rng.integers(1, 5))
    widths = [3] * depth if seed % 3 == 0 else [int(w) for w in rng.integers(1, 5, depth)]
    loss: dict[str, Any] = {
        "type": LOSSES[seed % len(LOSSES)],
        "reduction": REDUCTIONS[int(rng.integers(3))],
        "scale": [1.0, 0.5, 0.3, 2.0, -1.0][int(rng.integers(5))],
    }
    if loss["type"] == "huber":
        loss["delta"] = [1.0, 0.4][int(rng.integers(2))]
    layers: list[dict[str, Any]] = [ACTIVATIONS[seed % len(ACTIVATIONS)]] * (seed % 4 == 1)
    for width in widths:
        bias = bool(rng.integers(4))
        layers.append({"type": "linear", "out": width, "bias": bias, "init": "normal"})
        count = int(rng.integers(3))
        layers += [ACTIVATIONS[int(rng.integers(len(ACTIVATIONS)))] for _ in range(count)]
    if loss["type"] == "bce":
        layers.append({"type": "sigmoid"})
    classes = loss["type"] == "nll" or (loss["type"] == "cross_entropy" and seed % 2 == 0)
    k = widths[-1]
    y: Any = rng.random((1, k)).tolist()
    if classes:
        y = [int(rng.integers(k))]
    training = {"epochs": 1, "input_gradient": bool(rng.integers(2))}
    data = {"x": rng.normal(size=(1, n)).tolist(), "y": y}
    return {"seed": seed, "data": data, "layers": layers, "loss": loss, "training": training}


def compiled(raw: dict[str, Any]) -> Program:
    return compile_program(read_experiment(raw, file="random"))


def computed(program: Program) -> dict[str, np.ndarray]:
    """Every tensor that the first iteration has computed before its update."""
    state = initial_state(program)
    while program.ops[state.event].phase != "update":
        state, _ = advance(program, state)
    return dict(state.tensors)


def shape_of(sheet: Worksheet, dims: Any) -> tuple[int, ...]:
    return tuple(sheet.sample.count(size) for size in dims)


def close(actual: Any, expected: Any) -> None:
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("spelled", [None, 0, 99])
@pytest.mark.parametrize("seed", range(105))
def test_formulas_give_the_tensors_of_the_engine(seed: int, spelled: int | None) -> None:
    program = compiled(random_experiment(seed))
    depth = None if spelled is None else min(spelled, len(program.network.nodes))
    sheet, tensors = worksheet(program, 0, depth), computed(program)

    for row in sheet.forward:
        name = "loss" if row.layer == "loss" else f"{row.layer}.out"
        value = sheet.sample.value(row.output)
        assert value is not None
        assert value.shape == shape_of(sheet, row.dims)
        close(value.ravel(), tensors[name].ravel())

    assert len(sheet.gradients) == len(program.parameters) + ("x.grad" in tensors)
    for gradient in sheet.gradients:
        expected = tensors[f"{gradient.parameter}.grad"]
        for layout in LAYOUTS:
            product = sheet.sample.value(gradient.formula(layout))
            symbols = sheet.sample.value(gradient.skeleton(layout))
            assert product is not None
            assert product.shape == shape_of(sheet, gradient.dims(layout))
            by_layout = expected if layout == "gradient" else expected.T
            by_layout = by_layout.reshape(product.shape)
            close(product, by_layout)
            close(symbols, by_layout)
            close(gradient.values(layout), by_layout)
            for factor in gradient.factors(layout):
                value = sheet.sample.value(factor.written)
                assert value is not None
                assert value.shape == shape_of(sheet, factor.dims)

    for shortcut in sheet.shortcuts:
        close(sheet.sample.value(shortcut.right), shortcut.value)


@pytest.mark.parametrize("seed", range(0, 105, 5))
def test_rules_are_the_jacobians_by_central_differences(seed: int) -> None:
    sheet = worksheet(compiled(random_experiment(seed)))
    at = sheet.sample
    for row in sheet.elements:
        source, target = row.symbol.wrt, row.symbol.of
        step = 1e-6
        columns = []
        for i in range(len(at.columns[source])):
            ends = []
            for sign in (1, -1):
                moved = dict(at.columns)
                moved[source] = moved[source].copy()
                moved[source][i, 0] += sign * step
                ends.append(result(at, target, moved))
            columns.append((ends[0] - ends[1]) / (2 * step))
        np.testing.assert_allclose(row.value, np.hstack(columns), rtol=1e-4, atol=1e-7)


def result(at: Sample, target: str, values: dict[str, np.ndarray]) -> np.ndarray:
    """A tensor from the symbols that its own layer reads."""
    if target == "ℓ":
        return at.loss_formula(at.tensors[-1]).value(values)
    k = [symbol.name for symbol in at.tensors].index(target)
    return Sample(at.program, 0, 0).written(k).value(values)


def test_a_column_of_products_reads_no_jacobian_that_is_not_named() -> None:
    sheet = worksheet(compiled(random_experiment(8)))
    known = set(sheet.sample.values)
    for row in sheet.gradients:
        assert set(symbols_in(row.formula("numerator"))) <= known


x, y, W, K = Symbol("x"), Symbol("y"), Symbol("W⁽¹⁾"), Size("K")
z1, partial = Symbol("z₁₂"), Partial("z₂", "z₁")


@pytest.mark.parametrize(
    ("formula", "text", "latex"),
    [
        (Product((W, x)), "W⁽¹⁾x", r"W^{(1)}\,x"),
        (Product((W, Add(x, y))), "W⁽¹⁾(x + y)", r"W^{(1)}\,(x + y)"),
        (Subtract(x, Subtract(x, y)), "x − (x − y)", "x - (x - y)"),
        (Transpose(Product((W, x))), "(W⁽¹⁾x)ᵀ", r"{(W^{(1)}\,x)}^{\top}"),
        (Transpose(W), "W⁽¹⁾ᵀ", r"{W^{(1)}}^{\top}"),
        (Transpose(Positive(x)), "((x)⁺)ᵀ", r"{((x)^{+})}^{\top}"),
        (
            Transpose(partial),
            "(∂z₂/∂z₁)ᵀ",
            r"\left(\frac{\partial z_{2}}{\partial z_{1}}\right)^{\top}",
        ),
        (Fraction(Number(1), K), "1/K", r"\frac{1}{K}"),
        (Fraction(Add(x, y), Times((K, x))), "(x + y) / (K x)", r"\frac{x + y}{K\,x}"),
        (
            Times((Number(0.5), SquaredNorm(Add(x, y)))),
            "½ ‖x + y‖²",
            r"\tfrac{1}{2}\,\lVert x + y \rVert^{2}",
        ),
        (Apply(SIGMA, z1), "σ(z₁₂)", r"\sigma(z_{12})"),
        (Number(-1e-7), "−1e−07", r"-1 \cdot 10^{-7}"),
    ],
)
def test_writing(formula: Any, text: str, latex: str) -> None:
    assert formula.text() == text
    assert formula.latex() == latex


def test_bce_is_clamped_where_the_engine_clamps_it() -> None:
    layers = [
        {"type": "linear", "out": 2, "weight": [[900.0], [-900.0]], "bias": False},
        {"type": "sigmoid"},
    ]
    data = {"x": [[1.0]], "y": [[0.0, 1.0]]}
    program = compiled({"data": data, "layers": layers, "loss": {"type": "bce"}})
    sheet, tensors = worksheet(program), computed(program)
    assert float(tensors["loss"]) == 100.0  # PyTorch's floor of the logarithm
    close(sheet.forward[-1].value, tensors["loss"])
    close(sheet.elements[0].value, tensors["sigmoid1.out.grad"])
    close(sheet.gradients[0].value, tensors["linear1.weight.grad"].T)


def test_a_network_without_parameters() -> None:
    data = {"x": [[0.3, -0.2]], "y": [[1.0, 0.0]]}
    sheet = worksheet(
        compiled({"data": data, "layers": [{"type": "tanh"}], "loss": {"type": "mse"}})
    )
    assert [row.output.text() for row in sheet.forward] == ["tanh(x)", "1/n ‖tanh(x) − y‖²"]
    assert sheet.gradients == ()
    assert [row.left for row in sheet.elements] == ["(∂ℓ/∂ŷ)ᵢ"]
    assert "none" in worksheet_markdown(sheet, LAYOUTS)
