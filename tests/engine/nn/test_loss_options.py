"""Class weights, ignored classes, smoothing and binary weights: PyTorch, differences, text."""

import itertools

import numpy as np
import pytest

from engine.chain.chain import chain
from engine.chain.primals import primals_of
from engine.errors import ExperimentError
from engine.formulas.tree import Symbol
from engine.measure.metrics import evaluate
from engine.nn.table import LOSSES
from engine.session.session import Session
from engine.worksheet.worksheet import worksheet
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program

K = 3
WEIGHT = (0.5, 2.0, 1.25)
POSITIVE = (3.0, 0.25, 1.0)
BELOW = (0.5, -2.0, 1.25)  # PyTorch takes weights below 0
CLASS_OPTIONS = [
    {"weight": WEIGHT},
    {"ignore_index": -100},
    {"ignore_index": 1},
    {"weight": WEIGHT, "ignore_index": 2},
    {"weight": BELOW},
]
SMOOTHED = [
    {"label_smoothing": 0.1},
    {"label_smoothing": 1.0},
    {"label_smoothing": 0.2, "weight": WEIGHT},
    {"label_smoothing": 0.2, "ignore_index": -100},
    {"label_smoothing": 0.2, "weight": WEIGHT, "ignore_index": 0},
]
OPTIONS = {
    "cross_entropy": CLASS_OPTIONS + SMOOTHED,
    "nll": CLASS_OPTIONS,
    "multi_margin": [{"weight": WEIGHT}, {"weight": BELOW, "p": 2, "margin": 0.5}],
    "bce": [{"weight": WEIGHT}, {"weight": BELOW}],
    "bce_with_logits": [
        {"weight": WEIGHT},
        {"pos_weight": POSITIVE},
        {"weight": WEIGHT, "pos_weight": POSITIVE},
        {"weight": WEIGHT, "pos_weight": BELOW},
    ],
}
CASES = [(kind, option) for kind, options in OPTIONS.items() for option in options]
REDUCTIONS = ["mean", "sum", "batch_mean"]
SOFT = {"weight": WEIGHT}, {"label_smoothing": 0.1}, {"weight": WEIGHT, "label_smoothing": 0.1}


def torch_functional():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    return torch, {
        "cross_entropy": torch.nn.functional.cross_entropy,
        "nll": torch.nn.functional.nll_loss,
        "multi_margin": torch.nn.functional.multi_margin_loss,
        "bce": torch.nn.functional.binary_cross_entropy,
        "bce_with_logits": torch.nn.functional.binary_cross_entropy_with_logits,
    }


def torch_loss(kind, yhat, y, options, reduction):
    torch, functions = torch_functional()
    tensors = {
        name: torch.tensor(value, dtype=yhat.dtype) if isinstance(value, tuple) else value
        for name, value in options.items()
    }
    whole = "sum" if reduction == "batch_mean" else reduction
    value = functions[kind](yhat, y, reduction=whole, **tensors)
    return value / len(yhat) if reduction == "batch_mean" else value


def sample(kind, options, rows=8):
    """A prediction and a target in which each class, and the ignored one, occurs."""
    rng = np.random.default_rng(5)
    yhat = rng.normal(size=(rows, K))
    if kind == "bce":
        yhat = rng.uniform(0.05, 0.95, (rows, K))
    if kind in ("bce", "bce_with_logits"):
        return yhat, rng.integers(0, 2, (rows, K)).astype(float)
    y = np.arange(rows) % K
    if (ignored := options.get("ignore_index")) is not None:
        y[1::3] = ignored
    return yhat, y


def close(actual, expected, dtype="float64"):
    limit = {"float64": 1e-12, "float32": 2e-5}[dtype]
    np.testing.assert_allclose(actual, expected.detach().numpy(), rtol=limit, atol=limit)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_value_and_gradient_are_those_of_torch(kind, options, reduction, dtype):
    torch, _ = torch_functional()
    yhat, y = sample(kind, options)
    yhat, y = yhat.astype(dtype), y if y.ndim == 1 else y.astype(dtype)
    there = torch.tensor(yhat, requires_grad=True)
    expected = torch_loss(kind, there, torch.tensor(y), options, reduction)
    expected.backward()
    loss = LOSSES[kind](reduction=reduction, **options)
    close(loss.value(yhat, y), expected, dtype)
    close(loss.pull(yhat, y), there.grad, dtype)
    assert loss.pull(yhat, y).dtype == dtype


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("options", SOFT, ids=str)
def test_rows_of_probabilities(options, reduction):
    torch, _ = torch_functional()
    rng = np.random.default_rng(6)
    yhat, y = (torch.tensor(rng.uniform(size=(5, K)), requires_grad=True) for _ in range(2))
    expected = torch_loss("cross_entropy", yhat, y, options, reduction)
    expected.backward()
    loss = LOSSES["cross_entropy"](reduction=reduction, **options)
    given = yhat.detach().numpy(), y.detach().numpy()
    close(loss.value(*given), expected)
    close(loss.pull(*given), yhat.grad)
    close(loss.target_pull(*given), y.grad)


@pytest.mark.parametrize("options", [o for k, o in CASES if k == "bce_with_logits"], ids=str)
def test_logits_by_their_target(options):
    torch, _ = torch_functional()
    yhat, y = sample("bce_with_logits", options)
    there = torch.tensor(y * 0.8 + 0.1, requires_grad=True)
    torch_loss("bce_with_logits", torch.tensor(yhat), there, options, "mean").backward()
    loss = LOSSES["bce_with_logits"](**options)
    close(loss.target_pull(yhat, there.detach().numpy()), there.grad)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("options", [{}, {"weight": WEIGHT}, {"label_smoothing": 0.1}], ids=str)
@pytest.mark.parametrize("kind", ["cross_entropy", "nll"])
def test_where_every_row_is_ignored(kind, options, reduction):
    if kind == "nll" and "label_smoothing" in options:
        options = {"weight": (0.0, 1.0, 2.0)}
    torch, _ = torch_functional()
    given = options | {"ignore_index": -100}
    yhat, y = sample(kind, {})[0], np.full(8, -100)
    there = torch.tensor(yhat, requires_grad=True)
    expected = torch_loss(kind, there, torch.tensor(y), given, reduction)
    expected.backward()
    loss = LOSSES[kind](reduction=reduction, **given)
    close(loss.value(yhat, y), expected)
    assert np.isnan(float(expected.detach())) == (reduction == "mean")
    close(loss.pull(yhat, y), there.grad)


def test_an_ignored_row_may_hold_anything():
    torch, _ = torch_functional()
    yhat = np.array([[np.nan, 0.0, 1.0], [0.5, -0.5, 0.25]])
    y = np.array([7, 0])
    for kind in ("nll", "cross_entropy"):
        expected = torch_loss(kind, torch.tensor(yhat), torch.tensor(y), {"ignore_index": 7}, "sum")
        close(LOSSES[kind](reduction="sum", ignore_index=7).value(yhat, y), expected)
        assert np.isfinite(float(expected))


def compiled(kind, options, **more):
    """A network for these losses, in batches of three rows."""
    rng = np.random.default_rng(9)
    _, y = sample(kind, options)
    layers = [{"type": "linear", "out": 4}, {"type": "tanh"}, {"type": "linear", "out": K}]
    last = {"bce": "sigmoid", "nll": "log_softmax"}.get(kind)
    layers += [{"type": last}] if last else []
    given = {name: list(v) if isinstance(v, tuple) else v for name, v in options.items()}
    return program(
        data={"x": rng.normal(size=(8, 2)).tolist(), "y": y.tolist(), "batch_size": 3},
        layers=layers,
        loss={"type": kind} | given | more,
        training={"epochs": 4},
    )


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_ten_steps_are_those_of_torch(kind, options):
    torch, _ = torch_functional()
    found = compiled(kind, options)
    session = Session(found)
    names = [info.name for info in found.parameters]
    theirs = {n: torch.tensor(np.array(session.tensors[n]), requires_grad=True) for n in names}
    optimizer = torch.optim.SGD(theirs.values(), lr=0.1)
    for i in range(10):
        x, y = (torch.tensor(np.array(found.batch(i)[name])) for name in ("x", "y"))
        optimizer.zero_grad()
        linear = torch.nn.functional.linear
        z = linear(torch.tanh(linear(x, *(theirs[n] for n in names[:2]))), *(
            theirs[n] for n in names[2:]
        ))  # fmt: skip
        z = {"bce": torch.sigmoid, "nll": lambda a: a.log_softmax(-1)}.get(kind, lambda a: a)(z)
        torch_loss(kind, z, y, options, "mean").backward()
        optimizer.step()
    session.goto(10 * len(found.ops))
    for name in names:
        close(session.tensors[name], theirs[name])
    states = plain_run(found)
    for event in (session.event, 31, 7, 0):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_central_differences(kind, options, reduction):
    yhat, y = sample(kind, options)
    loss = LOSSES[kind](reduction=reduction, scale=0.5, **options)
    numeric = np.empty_like(yhat)
    for index in np.ndindex(yhat.shape):
        step = np.zeros_like(yhat)
        step[index] = 1e-6
        numeric[index] = (loss.value(yhat + step, y) - loss.value(yhat - step, y)) / 2e-6
    np.testing.assert_allclose(loss.pull(yhat, y), numeric, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_the_jacobian_of_the_batch_is_the_gradient_that_backward_computes(kind, options):
    found = compiled(kind, options)
    session = Session(found)
    session.goto(len(found.ops) - len(found.parameters))
    product = chain(primals_of(session), "loss", "linear1.weight").jacobian()
    expected = session.tensors["linear1.weight.grad"]
    np.testing.assert_allclose(product.to_dense()[0], expected.ravel(), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_the_worksheet_says_the_same_in_formulas(kind, options, reduction):
    found = compiled(kind, options, reduction=reduction, scale=0.5)
    counted = [i for i in range(3) if found.batch(0)["y"][i : i + 1].tolist() != [
        options.get("ignore_index")
    ]]  # fmt: skip
    for i in counted:
        sheet = worksheet(found, i)
        yhat = sheet.sample.columns["ŷ"].T
        y = found.batch(0)["y"][i : i + 1]
        loss = found.network.loss
        assert sheet.forward[-1].value.item() == pytest.approx(loss.value(yhat, y), rel=1e-12)
        slope = sheet.elements[0].value
        np.testing.assert_allclose(slope, loss.pull(yhat, y), rtol=1e-12, atol=1e-15)
        for row in sheet.shortcuts:
            right = sheet.sample.value(row.right)
            np.testing.assert_allclose(right, row.value, rtol=1e-12, atol=1e-15)


TEXTS = {
    ("cross_entropy", "weight"): (
        "½ 1/(Σ w[y]) Σ −w[y] log softmax(ŷ)[y]",
        "½ 1/(Σ w[y]) w[y] (softmax(ŷ) − onehot(y))",
    ),
    ("cross_entropy", "ignore_index"): (
        "½ 1/(Σ [y ≠ −100]) Σ −[y ≠ −100] log softmax(ŷ)[y]",
        "½ 1/(Σ [y ≠ −100]) [y ≠ −100] (softmax(ŷ) − onehot(y))",
    ),
    ("cross_entropy", "label_smoothing"): (
        "½ 1/N Σ −Σⱼ (0.9[j = y] + 0.1/K) log softmax(ŷ)ⱼ",
        "½ 1/N (softmax(ŷ) − (0.9 onehot(y) + 0.1/K))",
    ),
    ("nll", "weight"): (
        "½ 1/(Σ w[y]) Σ −w[y] ŷ[y]",
        "½ 1/(Σ w[y]) (−w[y] onehot(y))",
    ),
    ("bce", "weight"): (
        "½ 1/(N K) Σ −w ⊙ (y log ŷ + (1 − y) log(1 − ŷ))",
        "½ 1/(N K) w ⊙ (ŷ − y) / (ŷ (1 − ŷ))",
    ),
    ("bce_with_logits", "pos_weight"): (
        "½ 1/(N K) Σ −[(w⁺ ⊙ y) log σ(ŷ) + (1 − y) log(1 − σ(ŷ))]",
        "½ 1/(N K) ((w⁺ ⊙ y + 1 − y) σ(ŷ) − w⁺ ⊙ y)",
    ),
}


@pytest.mark.parametrize(("kind", "name"), TEXTS)
def test_formulas(kind, name):
    option = {name: {"ignore_index": -100, "label_smoothing": 0.1}.get(name, WEIGHT)}
    loss = LOSSES[kind](scale=0.5, **option)
    formulas = loss.formula(Symbol("ŷ")), loss.gradient_formula(Symbol("ŷ"))
    assert tuple(formula.text() for formula in formulas) == TEXTS[kind, name]


def test_the_worksheet_tells_the_weights():
    sheet = worksheet(compiled("bce_with_logits", {"weight": WEIGHT, "pos_weight": POSITIVE}))
    assert sheet.definitions[-2:] == ["w = (0.5, 2, 1.25)", "w⁺ = (3, 0.25, 1)"]
    assert sheet.forward[-1].output.text().startswith("1/K Σᵢ −wᵢ(w⁺ᵢyᵢ log σ(")


def test_accuracy_is_that_of_the_rows_that_count():
    found = program(
        data={"x": [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], "y": [0, 0, -1]},
        layers=[{"type": "linear", "out": 2, "weight": [[1.0, 0.0], [0.0, 1.0]], "bias": False}],
        loss={"type": "cross_entropy", "ignore_index": -1},
    )
    assert evaluate(found, found.initial())["accuracy"] == 0.5


WRONG = [
    ("nll", {"weight": [1.0]}, "loss.weight", "has 1 numbers, but linear2.out has shape (N, 3)"),
    ("bce", {"weight": [1.0] * 4}, "loss.weight", "write one for each output"),
    ("bce_with_logits", {"pos_weight": [1.0]}, "loss.pos_weight", "has 1 numbers"),
    ("multi_margin", {"weight": [1.0]}, "loss.weight", "write one for each class"),
    ("multi_margin", {"p": 3}, "loss.p", "3"),
    ("smooth_l1", {"beta": -1.0}, "loss.beta", "of at least 0, not -1.0"),
    ("cross_entropy", {"weight": [1.0, float("inf"), 1.0]}, "loss.weight", "not finite"),
    ("cross_entropy", {"weight": 2.0}, "loss.weight", "must be a list, not 2.0"),
    ("cross_entropy", {"ignore_index": 0.5}, "loss.ignore_index", "must be a whole number"),
    ("cross_entropy", {"label_smoothing": 1.5}, "loss.label_smoothing", "at most 1"),
    ("nll", {"label_smoothing": 0.1}, "loss.label_smoothing", "unknown field"),
    ("mse", {"weight": [1.0] * 3}, "loss.weight", "unknown field"),
]


@pytest.mark.parametrize(("kind", "options", "path", "said"), WRONG, ids=str)
def test_what_is_refused(kind, options, path, said):
    layers = [{"type": "linear", "out": 4}, {"type": "linear", "out": 3}]
    y = [0, 1, 2] if LOSSES[kind].takes_classes else [[0.0, 1.0, 1.0]] * 3
    with pytest.raises(ExperimentError) as caught:
        program(
            data={"x": [[1.0], [2.0], [3.0]], "y": y},
            layers=layers,
            loss={"type": kind} | options,
        )
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message


def test_a_class_outside_is_refused_unless_it_is_ignored():
    tables = {
        "data": {"x": [[1.0], [2.0]], "y": [-100, 0]},
        "layers": [{"type": "linear", "out": 2}],
    }
    with pytest.raises(ExperimentError, match="whole numbers from 0, but y\\[0\\] is -100"):
        program(loss={"type": "nll"}, **tables)
    assert program(loss={"type": "nll", "ignore_index": -100}, **tables).timeline.end > 0
    tables["data"]["y"] = [5, 0]
    with pytest.raises(ExperimentError, match="class 5 needs 6 outputs"):
        program(loss={"type": "nll", "ignore_index": -100}, **tables)
    assert program(loss={"type": "nll", "ignore_index": 5}, **tables).timeline.end > 0


def test_losses_without_options_are_as_they_were():
    plain = {"weight": (1.0,) * K}
    for kind, reduction in itertools.product(OPTIONS, REDUCTIONS):
        yhat, y = sample(kind, {})
        one, other = (LOSSES[kind](reduction=reduction, **given) for given in ({}, plain))
        assert one.value(yhat, y) == pytest.approx(other.value(yhat, y), rel=1e-14)
        np.testing.assert_allclose(one.pull(yhat, y), other.pull(yhat, y), rtol=1e-14, atol=1e-16)


def test_the_target_of_an_absolute_error_at_nan_and_of_no_row():
    yhat, y = np.array([[1.0, np.nan, 2.0, 0.5]]), np.array([[0.0, 1.0, np.inf, 0.5]])
    loss = LOSSES["l1"](reduction="sum")
    assert loss.target_pull(yhat, y).tolist() == [[-1.0, 0.0, 1.0, 0.0]]
    assert loss.pull(yhat, y).tolist() == [[1.0, 0.0, -1.0, 0.0]]
    assert LOSSES["mse"]().target_pull(np.zeros((0, 2)), np.zeros((0, 2))).shape == (0, 2)
