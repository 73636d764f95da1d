"""Central differences against the gradients of every layer and loss, and of a whole iteration."""

import numpy as np
import pytest

from engine.nn.table import LAYERS, LOSSES
from engine.session.session import Session
from tests.engine.small_experiments import program

SYMBOLS = {"input": "z", "output": "a", "weight": "W", "bias": "b"}
OPTIONS = {
    "leaky_relu": {"negative_slope": 0.3},
    "softplus": {"beta": 1.5, "threshold": 4.0},
    "elu": {"alpha": 0.6},
    "celu": {"alpha": 0.6},
    "gelu": {"approximate": "tanh"},
    "hard_tanh": {"min_val": -1.5, "max_val": 0.75},
    "thresholded_relu": {"threshold": 0.3},
    "prelu": {"num_parameters": 4},
    "huber": {"delta": 0.8},
    "smooth_l1": {"beta": 0.8},
    "gaussian_nll": {"var": 0.3, "full": True},
    "hinge": {"margin": 0.6},
    "multi_margin": {"p": 2, "margin": 0.6},
}
STEP = 1e-6
FIXED = [kind for kind in LAYERS if kind != "dropout"]  # its mask is no function of the input


def numeric(function, at):
    """The gradient of a scalar function by central differences."""
    out = np.empty_like(at)
    for index in np.ndindex(at.shape):
        values = []
        for sign in (1, -1):
            moved = at.copy()
            moved[index] += sign * STEP
            values.append(float(function(moved)))
        out[index] = (values[0] - values[1]) / (2 * STEP)
    return out


def agree(analytic, function, at):
    np.testing.assert_allclose(analytic, numeric(function, at), rtol=2e-7, atol=2e-8)


@pytest.mark.parametrize("kind", FIXED)
def test_layer(kind):
    rng = np.random.default_rng(7)
    outputs = 2 if kind == "linear" else LAYERS[kind].function.outputs(4)
    layer = LAYERS[kind](inputs=4, outputs=outputs, **OPTIONS.get(kind, {}))
    given = {role: rng.normal(size=shape) for role, shape in layer.parameters.items()}
    given["input"] = rng.normal(size=(3, 4)) * 2
    weights = rng.normal(size=(3, outputs))
    output = layer.forward(*(given[role] for role in layer.reads))

    def total(role, value):
        moved = given | {role: value}
        return np.sum(weights * layer.forward(*(moved[r] for r in layer.reads)))

    vjps = layer.vjps(SYMBOLS)
    assert [vjp.wrt for vjp in vjps] == [*layer.parameters, "input"]
    for vjp in vjps:
        reads = [(given | {"output": output})[role] for role in vjp.reads]
        grad = vjp.pull(weights, *reads)
        agree(grad, lambda value, role=vjp.wrt: total(role, value), given[vjp.wrt])


LOSS_AND_TARGET = [(kind, "classes" if LOSSES[kind].takes_classes else "rows") for kind in LOSSES]


@pytest.mark.parametrize("reduction", ["sum", "mean", "batch_mean"])
@pytest.mark.parametrize(("kind", "target"), [*LOSS_AND_TARGET, ("cross_entropy", "rows")])
def test_loss(kind, target, reduction):
    rng = np.random.default_rng(8)
    yhat = rng.uniform(0.1, 0.9, (4, 3)) if kind == "bce" else rng.normal(size=(4, 3))
    y = rng.uniform(size=(4, 3)) if target == "rows" else rng.integers(0, 3, 4)
    y = np.where(y > 0.5, 1.0, -1.0) if LOSSES[kind].labels else y
    for options in ({}, OPTIONS.get(kind, {})):
        loss = LOSSES[kind](reduction=reduction, scale=0.5, **options)
        agree(loss.pull(yhat, y), lambda value, loss=loss: loss.value(value, y), yhat)


@pytest.mark.parametrize("kind", [kind for kind in FIXED if kind != "linear"])
def test_whole_iteration(kind):
    """The gradients that backward leaves, by the parameters and the input, against the loss."""
    compiled = program(
        layers=[
            {"type": "linear", "out": 4},
            {"type": kind, **OPTIONS.get(kind, {})},
            {"type": "linear", "out": 1},
        ],
        training={"input_gradient": True, "skip": ["update"]},
    )
    session = Session(compiled)
    session.goto(len(compiled.ops))
    network = compiled.network

    def loss(name, value):
        tensors = dict(session.tensors) | {name: value}
        for node in network.nodes:
            reads = [tensors[node.tensor(role)] for role in node.layer.reads]
            tensors[node.output] = node.layer.forward(*reads)
        return network.loss.value(tensors[network.output], tensors["y"])

    names = ["x", *(info.name for info in compiled.parameters)]
    assert len(names) == 6 if kind == "prelu" else 5
    for name in names:
        start = np.array(session.tensors[name])
        agree(session.tensors[f"{name}.grad"], lambda value, n=name: loss(n, value), start)
