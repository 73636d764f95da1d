"""PyTorch as a second opinion: every layer, loss and optimizer, their options and edge values."""

import dataclasses
import itertools

import numpy as np
import pytest

from engine.nn.table import LAYERS, LOSSES
from engine.run.drive import advance, initial_state
from engine.session.session import Session
from tests.engine.small_experiments import program

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
F = torch.nn.functional

TOLERANCE = {"float64": 1e-12, "float32": 2e-5}
EDGES = [
    0.0,
    -0.0,
    1e-300,
    -1e-300,
    0.5,
    -0.5,
    1.0,
    -1.0,
    3.0,
    -3.0,
    20.0,
    20.5,
    -20.5,
    1000.0,
    -1000.0,
]
NON_FINITE = [np.nan, np.inf, -np.inf]

OPTIONS = {
    "leaky_relu": {"negative_slope": 0.2},
    "softplus": {"beta": 2.0, "threshold": 5.0},
    "elu": {"alpha": 0.7},
    "celu": {"alpha": 0.5},  # PyTorch takes 1/alpha of it in single precision, here exact
    "gelu": {"approximate": "tanh"},
    "hard_tanh": {"min_val": -0.5, "max_val": 20.5},
    "thresholded_relu": {"threshold": -0.5},
}
ACTIVATIONS = [kind for kind, row in LAYERS.items() if kind != "dropout" and not row.parameters]
CASES = [(kind, {}) for kind in ACTIVATIONS] + list(OPTIONS.items())
# PyTorch's slope of hardsigmoid is ⅙ in single precision, in a float64 tensor too
SIXTH = (1 / 6) / float(np.float32(1 / 6))


def counterpart(kind, options):
    """PyTorch's module of an activation, by the name and the arguments that its row gives."""
    function = LAYERS[kind].function(**options)
    keywords = [f"{name}={value!r}" for name, value in function.torch_options.items()]
    arguments = ", ".join([*function.torch_arguments(4, 4), *keywords])
    return eval(f"torch.nn.{function.torch}({arguments})")


LOSS_OPTIONS = {
    "huber": {"delta": 0.7},
    "smooth_l1": {"beta": 0.7},
    "gaussian_nll": {"var": 0.3, "full": True, "eps": 1e-3},
    "hinge": {"margin": 0.5},
    "multi_margin": {"margin": 0.5, "p": 2},
    "kl_div": {"log_target": True},
}
MORE_OPTIONS = [
    ("smooth_l1", {"beta": 0.0}),
    ("gaussian_nll", {"var": 0.0}),
    ("hinge", {"margin": -0.25}),
    ("multi_margin", {"margin": -0.25}),
    ("multi_margin", {"weight": (0.5, 2.0, -1.25)}),
    ("multi_margin", {"weight": (0.5, 2.0, 0.0), "p": 2}),
]
LOSS_CASES = [(kind, {}) for kind in LOSSES] + list(LOSS_OPTIONS.items()) + MORE_OPTIONS


def torch_terms(kind, yhat, y, options):
    """The terms of a loss, one an element or one a sample, before any reduction."""
    given = {**options, "reduction": "none"}
    if "weight" in options:
        given["weight"] = torch.tensor(options["weight"], dtype=yhat.dtype)[: yhat.shape[1]]
    if kind == "gaussian_nll":
        return F.gaussian_nll_loss(yhat, y, torch.full_like(yhat, given.pop("var", 1.0)), **given)
    if kind == "hinge":
        zeros = torch.zeros_like(yhat)
        return F.margin_ranking_loss(yhat, zeros, y, **{"margin": 1.0, **given})
    if kind == "cosine":
        return F.cosine_embedding_loss(yhat, y, torch.ones(len(yhat)), **given)
    return {
        "mse": F.mse_loss,
        "l1": F.l1_loss,
        "huber": F.huber_loss,
        "smooth_l1": F.smooth_l1_loss,
        "bce": F.binary_cross_entropy,
        "bce_with_logits": F.binary_cross_entropy_with_logits,
        "cross_entropy": F.cross_entropy,
        "nll": F.nll_loss,
        "multi_margin": F.multi_margin_loss,
        "kl_div": F.kl_div,
    }[kind](yhat, y, **given)


def torch_loss(kind, yhat, y, reduction, scale, options):
    terms = torch_terms(kind, yhat, y, options)
    match reduction:
        case "sum":
            return scale * terms.sum()
        case "mean":
            return scale * terms.mean()
        case "batch_mean":
            return scale * terms.sum() / len(yhat)
    raise AssertionError(reduction)


def targets(kind, rng, shape=(5, 3)):
    match kind:
        case "cross_entropy" | "nll" | "multi_margin":
            return rng.integers(0, shape[1], shape[0])
        case "bce" | "bce_with_logits":
            return rng.integers(0, 2, shape).astype(float)
        case "hinge":
            return rng.integers(0, 2, shape) * 2.0 - 1
        case "kl_div":
            return rng.dirichlet(np.ones(shape[1]), shape[0])
    return rng.normal(size=shape)


def close(actual, expected, dtype="float64"):
    expected = expected.detach().numpy()
    assert actual.shape == expected.shape
    assert actual.dtype == expected.dtype
    limit = TOLERANCE[dtype]
    np.testing.assert_allclose(actual, expected, rtol=limit, atol=limit)


def activation(kind, options, size):
    row = LAYERS[kind]
    return row(inputs=size, outputs=row.function.outputs(size), **options)


def pulled(layer, grad, x, out):
    """The gradient of the input, by the layer's own equation."""
    symbols = {"input": "z", "output": "a", "weight": "W", "bias": "b"}
    (vjp,) = (v for v in layer.vjps(symbols) if v.wrt == "input")
    return vjp.pull(grad, *({"input": x, "output": out}[role] for role in vjp.reads))


def test_every_layer_and_loss_has_a_counterpart_here():
    assert set(OPTIONS) <= set(ACTIVATIONS)
    for kind in ACTIVATIONS:  # an option that is tried at its default alone is not tried
        options = {field.name for field in dataclasses.fields(LAYERS[kind].function)}
        assert options == set(OPTIONS.get(kind, {})), kind
    for kind, loss in LOSSES.items():
        options = {field.name for field in dataclasses.fields(loss)}
        elsewhere = {"reduction", "scale", "weight", "pos_weight", "ignore_index"}  # loss options
        elsewhere |= {"label_smoothing", "of_rows"}
        assert options - elsewhere == set(LOSS_OPTIONS.get(kind, {})), kind
        assert hasattr(torch.nn, loss.torch)
        assert hasattr(F, loss.torch_function)
    rng = np.random.default_rng(0)
    assert all(torch_terms(kind, *sample(kind, rng), {}).shape[0] == 5 for kind in LOSSES)


def sample(kind, rng):
    """A prediction in the loss's domain and a target, as torch tensors."""
    yhat = rng.uniform(0.05, 0.95, (5, 3)) if kind == "bce" else rng.normal(size=(5, 3))
    return torch.tensor(yhat, requires_grad=True), torch.tensor(targets(kind, rng))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_activation(kind, options, dtype):
    rng = np.random.default_rng(1)
    x = (rng.normal(size=(6, 4)) * 4).astype(dtype)
    z = torch.tensor(x, requires_grad=True)
    expected = counterpart(kind, options)(z)
    grad = rng.normal(size=tuple(expected.shape)).astype(dtype)
    expected.backward(torch.tensor(grad))
    layer = activation(kind, options, 4)
    out = layer.forward(x)
    close(out, expected, dtype)
    close(pulled(layer, grad, x, out), z.grad * (SIXTH if kind == "hard_sigmoid" else 1), dtype)


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
@pytest.mark.parametrize("value", [*EDGES, *NON_FINITE], ids=str)
def test_activation_at_edge_values(kind, options, value):
    x = np.array([[value, 0.25, -1.5, value]])
    z = torch.tensor(x, requires_grad=True)
    expected = counterpart(kind, options)(z)
    grad = np.array([[1.5, -0.5, 2.0, -1.0]])[:, : expected.shape[1]]
    expected.backward(torch.tensor(grad))
    layer = activation(kind, options, 4)
    with np.errstate(all="ignore"):
        out = layer.forward(x)
        close(out, expected)
        close(pulled(layer, grad, x, out), z.grad * (SIXTH if kind == "hard_sigmoid" else 1))


@pytest.mark.parametrize("value", [1.25, *EDGES, *NON_FINITE], ids=str)
@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_prelu(dtype, count, value):
    rng = np.random.default_rng(2)
    x, grad = ((rng.normal(size=(5, 4)) * 2).astype(dtype) for _ in range(2))
    x[2, 1] = value
    theirs = torch.nn.PReLU(num_parameters=count).to(getattr(torch, dtype))
    layer = LAYERS["prelu"](4, 4, num_parameters=count)
    weight = theirs.weight.detach().numpy() + (np.arange(count) / 2).astype(dtype)
    with torch.no_grad():
        theirs.weight.copy_(torch.tensor(weight))
    z = torch.tensor(x, requires_grad=True)
    expected = theirs(z)
    expected.backward(torch.tensor(grad))
    close(layer.forward(x, weight), expected, dtype)
    of_weight, of_input = layer.vjps({"input": "z", "output": "y", "weight": "a"})
    close(of_weight.pull(grad, x), theirs.weight.grad, dtype)
    close(of_input.pull(grad, x, weight), z.grad, dtype)


def test_prelu_begins_as_in_torch():
    compiled = program(
        layers=[{"type": "linear", "out": 3}, {"type": "prelu"}, {"type": "linear", "out": 1}]
    )
    theirs = torch.nn.PReLU().weight.detach().numpy()
    assert compiled.initial()["prelu1.weight"].tolist() == theirs.tolist()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_linear(dtype, bias):
    rng = np.random.default_rng(2)
    x, w, b, grad = (
        rng.normal(size=shape).astype(dtype) for shape in ((5, 3), (2, 3), (2,), (5, 2))
    )
    tx, tw, tb = (torch.tensor(a, requires_grad=True) for a in (x, w, b))
    expected = F.linear(tx, tw, tb if bias else None)
    expected.backward(torch.tensor(grad))
    layer = LAYERS["linear"](3, 2, bias=bias)
    given = {"input": x, "weight": w, "bias": b}
    close(layer.forward(*(given[role] for role in layer.reads)), expected, dtype)
    vjps = layer.vjps({"input": "x", "output": "z", "weight": "W", "bias": "b"})
    found = {v.wrt: v.pull(grad, *(given[role] for role in v.reads)) for v in vjps}
    assert set(found) == {"input", "weight"} | ({"bias"} if bias else set())
    for name, tensor in (("input", tx), ("weight", tw), ("bias", tb)):
        if name in found:
            close(found[name], tensor.grad, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("scale", [1.0, 0.5, -3.0])
@pytest.mark.parametrize("reduction", ["sum", "mean", "batch_mean"])
@pytest.mark.parametrize(("kind", "options"), LOSS_CASES, ids=str)
def test_loss(kind, options, reduction, scale, dtype):
    yhat, y = sample(kind, np.random.default_rng(3))
    yhat = yhat.detach().to(getattr(torch, dtype)).requires_grad_()
    y = y if y.ndim == 1 else y.to(yhat.dtype)
    expected = torch_loss(kind, yhat, y, reduction, scale, options)
    expected.backward()
    loss = LOSSES[kind](reduction=reduction, scale=scale, **options)
    values = yhat.detach().numpy(), y.numpy()
    close(loss.value(*values), expected, dtype)
    close(loss.pull(*values), yhat.grad, dtype)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_cross_entropy_with_rows_of_probabilities(reduction):
    rng = np.random.default_rng(4)
    yhat = torch.tensor(rng.normal(size=(5, 3)) * 3, requires_grad=True)
    y = torch.tensor(rng.uniform(size=(5, 3)))  # rows need not add up to 1
    expected = F.cross_entropy(yhat, y, reduction=reduction)
    expected.backward()
    loss = LOSSES["cross_entropy"](reduction=reduction)
    close(loss.value(yhat.detach().numpy(), y.numpy()), expected)
    close(loss.pull(yhat.detach().numpy(), y.numpy()), yhat.grad)


def loss_edges():
    for kind, options in LOSS_CASES:
        extreme = [0.0, 1.0, 1e-300, 1e-13, 1 - 1e-13] if kind == "bce" else [*EDGES, *NON_FINITE]
        yield from ((kind, options, value) for value in extreme)


@pytest.mark.parametrize(("kind", "options", "value"), list(loss_edges()), ids=str)
def test_loss_at_edge_values(kind, options, value):
    for k, target in enumerate((-1.0 if LOSSES[kind].labels else 0.0, 1.0)):
        yhat = torch.tensor([[value, 0.25], [0.75, value]], requires_grad=True)
        yhat = yhat.detach().double().requires_grad_()
        with torch.no_grad():
            yhat[0, 0] = yhat[1, 1] = value
        flat = LOSSES[kind].takes_classes
        y = torch.tensor([k, 1 - k]) if flat else torch.full((2, 2), target).double()
        expected = torch_loss(kind, yhat, y, "sum", 1.0, options)
        expected.backward()
        loss = LOSSES[kind](reduction="sum", **options)
        with np.errstate(all="ignore"):
            close(loss.value(yhat.detach().numpy(), y.numpy()), expected)
            close(loss.pull(yhat.detach().numpy(), y.numpy()), yhat.grad)


SGD = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.3},
    {"momentum": 0.9, "nesterov": True},
    {"dampening": 0.5},
]
OTHERS = {
    "adam": [{}, {"betas": [0.8, 0.95], "eps": 1e-3}, {"amsgrad": True}],
    "adamw": [{}, {"betas": [0.8, 0.95], "eps": 1e-3}, {"amsgrad": True}],
    "adagrad": [{}, {"lr_decay": 0.1, "eps": 1e-4}, {"initial_accumulator_value": 0.5}],
    "adadelta": [{}, {"rho": 0.5, "eps": 1e-3}],
    "rmsprop": [
        {},
        {"alpha": 0.9, "eps": 1e-4},
        {"momentum": 0.7},
        {"centered": True},
        {"momentum": 0.7, "centered": True},
    ],
}
TORCH_OPTIMIZERS = {
    "sgd": torch.optim.SGD,
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "adadelta": torch.optim.Adadelta,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
TORCH_SLOTS = {"momentum": "momentum_buffer", "max_exp_avg_sq": "max_exp_avg_sq"}


def optimizer_options():
    for kind, options in {"sgd": SGD, **OTHERS}.items():
        for option, decay, maximize in itertools.product(options, [0.0, 0.1], [False, True]):
            more = {"weight_decay": decay} if decay or kind == "adamw" else {}
            given = option | more | ({"maximize": True} if maximize else {})
            for dtype in TOLERANCE:
                # centered: in float32 v − g² cancels, and both sides are rounding noise
                if not (dtype == "float32" and option.get("centered")):
                    yield kind, given, dtype


def trained_by_torch(start, compiled, kind, options, iterations, frozen=()):
    """The parameters and optimizer of the same network after some iterations in torch."""
    layers = [node for node in compiled.network.nodes if node.layer.parameters]
    parameters = {
        f"{node.name}.{role}": torch.tensor(
            start[f"{node.name}.{role}"], requires_grad=f"{node.name}.{role}" not in frozen
        )
        for node in layers
        for role in node.layer.parameters
    }
    optimizer = TORCH_OPTIMIZERS[kind](
        [p for p in parameters.values() if p.requires_grad], **options
    )
    first, second = (node.name for node in layers)
    for iteration in range(iterations):
        batch = compiled.batch(iteration)
        x, y = (torch.tensor(np.array(batch[name])) for name in ("x", "y"))
        optimizer.zero_grad()
        hidden = torch.tanh(F.linear(x, *(parameters[f"{first}.{r}"] for r in ("weight", "bias"))))
        yhat = F.linear(hidden, *(parameters[f"{second}.{r}"] for r in ("weight", "bias")))
        F.mse_loss(yhat, y).backward()
        optimizer.step()
    return parameters, optimizer


@pytest.mark.parametrize(("kind", "options", "dtype"), list(optimizer_options()), ids=str)
def test_optimizer_over_ten_steps(kind, options, dtype):
    rate = {"lr": 0.01} if "lr" not in options else {}
    compiled = program(
        optimizer={"type": kind, **rate, **options},
        dtype=dtype,
        data={"batch_size": 2, "shuffle": True},
    )
    session = Session(compiled)
    start = {name: np.array(value) for name, value in session.tensors.items()}
    session.goto(10 * len(compiled.ops))
    given = {**rate, **options}
    if "betas" in given:
        given["betas"] = tuple(given["betas"])
    parameters, optimizer = trained_by_torch(start, compiled, kind, given, 10)
    for name, parameter in parameters.items():
        close(session.tensors[name], parameter, dtype)
        for slot in compiled.optimizer.slots:
            theirs = optimizer.state[parameter][TORCH_SLOTS.get(slot, slot)]
            ours = session.tensors[f"{name}.{slot}"]
            np.testing.assert_allclose(
                ours, theirs.numpy(), rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
            )
    assert not np.array_equal(session.tensors["linear1.weight"], start["linear1.weight"])


def test_frozen_parameters_stay_and_the_others_move_as_in_torch():
    frozen = ("linear1.bias", "linear2.weight")
    compiled = program(
        layers=[
            {"type": "linear", "out": 3, "frozen": ["bias"]},
            {"type": "tanh"},
            {"type": "linear", "out": 1, "frozen": ["weight"]},
        ],
        optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.5, "weight_decay": 0.1},
    )
    state = initial_state(compiled)
    start = {name: np.array(value) for name, value in state.tensors.items()}
    while state.event < compiled.timeline.end:
        state, _ = advance(compiled, state)
    given = {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1}
    parameters, _ = trained_by_torch(start, compiled, "sgd", given, 3, frozen)
    for name, parameter in parameters.items():
        close(state.tensors[name], parameter)
        assert np.array_equal(state.tensors[name], start[name]) == (name in frozen)
        assert (f"{name}.momentum" in state.tensors) == (name not in frozen)


def test_skipped_zero_grad_accumulates_as_in_torch():
    compiled = program(training={"skip": ["zero_grad"], "epochs": 4})
    session = Session(compiled)
    start = {
        name: torch.tensor(value, requires_grad=True) for name, value in session.tensors.items()
    }
    session.goto(compiled.timeline.end)
    names = [info.name for info in compiled.parameters]
    optimizer = torch.optim.SGD([start[name] for name in names], lr=0.1)
    for _ in range(4):
        hidden = torch.tanh(F.linear(start["x"], start[names[0]], start[names[1]]))
        F.mse_loss(F.linear(hidden, start[names[2]], start[names[3]]), start["y"]).backward()
        optimizer.step()
    for name in names:
        close(session.tensors[name], start[name])
        close(session.tensors[f"{name}.grad"], start[name].grad)


@pytest.mark.parametrize(("dtype", "far"), [("float64", 1.5e308), ("float32", 3e38)])
def test_the_gradient_of_mse_near_the_end_of_the_numbers(dtype, far):
    yhat, y = np.array([[0.0, 1.0]] * 3, dtype), np.array([[far, far]] * 3, dtype)
    there = torch.tensor(yhat, requires_grad=True)
    F.mse_loss(there, torch.tensor(y)).backward()
    loss = LOSSES["mse"]()
    close(loss.pull(yhat, y), there.grad, dtype)
    assert np.isfinite(loss.pull(yhat, y)).all()
    np.testing.assert_array_equal(loss.target_pull(yhat, y), -loss.pull(yhat, y))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["sum", "mean", "batch_mean"])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.3])
def test_the_factor_of_two_changes_no_bit(dtype, reduction, scale):
    rng = np.random.default_rng(11)
    yhat, y = (rng.normal(size=(7, 3)).astype(dtype) for _ in range(2))
    loss = LOSSES["mse"](reduction=reduction, scale=scale)
    plainly = loss.slopes(yhat, y) * (loss.scale / loss.divisor(yhat, y))
    assert loss.pull(yhat, y).tobytes() == plainly.tobytes()
    assert loss.pull(yhat, y).dtype == dtype
