"""Every operator against autograd's dense Jacobian, and every product against the dense one."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from engine.chain.chain import chain
from engine.chain.primals import primals_of
from engine.errors import GradstepError
from engine.functions.elementwise.celu import CELU
from engine.functions.elementwise.elu import ELU
from engine.functions.elementwise.gelu import GELU
from engine.functions.elementwise.hard_sigmoid import HardSigmoid
from engine.functions.elementwise.hard_swish import HardSwish
from engine.functions.elementwise.hard_tanh import HardTanh
from engine.functions.elementwise.identity import Identity
from engine.functions.elementwise.leaky_relu import LeakyReLU
from engine.functions.elementwise.mish import Mish
from engine.functions.elementwise.relu import ReLU
from engine.functions.elementwise.selu import SELU
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.functions.elementwise.silu import SiLU
from engine.functions.elementwise.softplus import Softplus
from engine.functions.elementwise.softsign import Softsign
from engine.functions.elementwise.tanh import Tanh
from engine.functions.elementwise.thresholded_relu import ThresholdedReLU
from engine.functions.function import Function
from engine.functions.glu import GLU
from engine.functions.linear import Linear
from engine.functions.losses.bce import BCE
from engine.functions.losses.bce_with_logits import BCEWithLogits
from engine.functions.losses.cosine import Cosine
from engine.functions.losses.cross_entropy import CrossEntropy
from engine.functions.losses.gaussian_nll import GaussianNLL
from engine.functions.losses.hinge import Hinge
from engine.functions.losses.huber import Huber
from engine.functions.losses.kl_div import KLDiv
from engine.functions.losses.l1 import L1
from engine.functions.losses.mse import MSE
from engine.functions.losses.multi_margin import MultiMargin
from engine.functions.losses.nll import NLL
from engine.functions.losses.smooth_l1 import SmoothL1
from engine.functions.prelu import PReLU
from engine.functions.softmax import LogSoftmax, Softmax
from engine.jacobian.blocks import Kronecker
from engine.jacobian.operator import Point
from engine.nn.table import LAYERS, LOSSES
from engine.session.session import Session
from tests.engine.memory import peak_of
from tests.engine.small_experiments import program

autograd = pytest.importorskip("autograd", reason="the oracle is HIPS autograd")
anp = autograd.numpy

TOLERANCE = {"float64": 1e-12, "float32": 2e-6}


def sigma(z):
    return 1 / (1 + anp.exp(-z))


autograd_erf = autograd.extend.primitive(np.vectorize(math.erf))
autograd.extend.defvjp(
    autograd_erf, lambda _, z: lambda g: g * 2 / math.sqrt(math.pi) * anp.exp(-(z**2))
)


def log_softmax(z):
    return z - anp.log(anp.sum(anp.exp(z), axis=-1, keepdims=True))


def lengths(rows):
    return anp.sqrt(anp.sum(rows**2, axis=-1) + 1e-12)


K = 4
LAMBDA = 1.0507009873554805
# Each layer, and the same function written a second time for autograd.
ACTIVATIONS = [
    (Identity(), lambda z: 1 * z),
    (ReLU(), lambda z: anp.where(z > 0, z, 0)),
    (LeakyReLU(0.2), lambda z: anp.where(z > 0, z, 0.2 * z)),
    (Sigmoid(), sigma),
    (Tanh(), anp.tanh),
    (Softplus(2.0), lambda z: anp.log(1 + anp.exp(2 * z)) / 2),
    (ELU(1.5), lambda z: anp.where(z > 0, z, 1.5 * (anp.exp(z) - 1))),
    (SiLU(), lambda z: z * sigma(z)),
    (GELU(), lambda z: z * (1 + autograd_erf(z / anp.sqrt(2.0))) / 2),
    (GELU("tanh"), lambda z: z * sigma(2 * anp.sqrt(2 / anp.pi) * (z + 0.044715 * z**3))),
    (HardSigmoid(), lambda z: anp.minimum(anp.maximum(z + 3, 0), 6) / 6),
    (HardTanh(-2.0, 0.5), lambda z: anp.minimum(anp.maximum(z, -2.0), 0.5)),
    (HardSwish(), lambda z: z * anp.minimum(anp.maximum(z + 3, 0), 6) / 6),
    (SELU(), lambda z: LAMBDA * anp.where(z > 0, z, 1.6732632423543772 * (anp.exp(z) - 1))),
    (CELU(0.5), lambda z: anp.where(z > 0, z, 0.5 * (anp.exp(z / 0.5) - 1))),
    (Softsign(), lambda z: z / (1 + anp.abs(z))),
    (ThresholdedReLU(0.5), lambda z: anp.where(z > 0.5, z, 0)),
    (Mish(), lambda z: z * anp.tanh(anp.log(1 + anp.exp(z)))),
    (Softmax(), lambda z: anp.exp(log_softmax(z))),
    (LogSoftmax(), log_softmax),
]
LOSS_CASES = [
    (MSE, lambda p, y: (p - y) ** 2),
    (L1, lambda p, y: anp.abs(p - y)),
    (Huber, lambda p, y: anp.where(anp.abs(p - y) < 1, (p - y) ** 2 / 2, anp.abs(p - y) - 0.5)),
    (BCE, lambda p, y: -(y * anp.log(p) + (1 - y) * anp.log(1 - p))),
    (BCEWithLogits, lambda p, y: -(y * anp.log(sigma(p)) + (1 - y) * anp.log(1 - sigma(p)))),
    (SmoothL1, lambda p, y: anp.where(anp.abs(p - y) < 1, (p - y) ** 2 / 2, anp.abs(p - y) - 0.5)),
    (GaussianNLL, lambda p, y: (p - y) ** 2 / 2),
    (Hinge, lambda p, y: anp.maximum(1 - y * p, 0)),
    (KLDiv, lambda p, y: y * (anp.log(y) - p)),
    (Cosine, lambda p, y: 1 - anp.sum(p * y, axis=-1) / (lengths(p) * lengths(y))),
    (CrossEntropy, lambda p, y: -anp.sum(y * log_softmax(p), axis=-1)),
]


def ids(cases):
    return [getattr(case[0], "type", case[0]) for case in cases]


def point(values, samples, dtype="float64", single=False):
    def shape(role):
        batched = single and role in ("input", "output", "yhat", "y")
        return values[role].shape[1:] if batched else values[role].shape

    return Point(samples, np.dtype(dtype), values.__getitem__, shape, single)


def linear_point(size, outputs, samples, read):
    """The point of a linear layer: its shapes, and values that need not be there."""
    shapes = {
        "input": (samples, size),
        "output": (samples, outputs),
        "weight": (outputs, size),
        "bias": (outputs,),
    }
    return Point(samples, np.dtype("float64"), read, shapes.__getitem__)


def inputs(samples, size=K, seed=0):
    z = np.random.default_rng(seed).normal(size=(samples, size)) * 2
    z[0, 0] = abs(z[0, 0])
    return z


def dense_oracle(function, at):
    """autograd's Jacobian in float64 as a matrix."""
    rows = np.asarray(function(at)).size
    return np.asarray(autograd.jacobian(function)(at)).reshape(rows, at.size)


def at_layer(layer: Function, z, dtype, single=False, **parameters):
    z = z.astype(dtype)
    values = {name: value.astype(dtype) for name, value in parameters.items()}
    out = layer.value(z, *values.values())
    return point({"input": z, "output": out, **values}, len(z), dtype, single)


def check_operator(jacobian, expected, dtype):
    """Dense, entries, windows, both products and the read-only promise against one matrix."""
    scale = TOLERANCE[dtype] * max(1.0, float(np.abs(expected).max()))
    rows, cols = jacobian.dims
    assert expected.shape == (rows, cols)
    dense = jacobian.to_dense()
    assert dense.dtype == np.dtype(dtype)
    assert not dense.flags.writeable
    assert_allclose(dense, expected, atol=scale)
    assert jacobian.nonzeros >= np.count_nonzero(expected)
    assert jacobian.dense_bytes == dense.nbytes
    for i, j in {(0, 0), (rows - 1, cols - 1), (rows // 2, cols // 3)}:
        assert jacobian.entry(i, j) == pytest.approx(dense[i, j], abs=scale)
    for r, c in windows(rows, cols):
        window = jacobian.window(r, c)
        assert window.dtype == np.dtype(dtype)
        assert_allclose(window, dense[r, c], atol=scale)
    rng = np.random.default_rng(1)
    v, u = rng.normal(size=rows).astype(dtype), rng.normal(size=cols).astype(dtype)
    pulled, pushed = jacobian.vjp(v.reshape(jacobian.row_shape)), jacobian.jvp(u)
    assert (pulled.shape, pushed.shape) == (jacobian.col_shape, jacobian.row_shape)
    assert not pulled.flags.writeable
    assert not pushed.flags.writeable
    bound = 50 * scale * np.sqrt(rows * cols)
    assert_allclose(pulled.reshape(-1), v @ expected, atol=bound)
    assert_allclose(pushed.reshape(-1), expected @ u, atol=bound)


def windows(rows, cols):
    yield slice(0, rows // 2 + 1), slice(None)
    yield slice(rows // 2, None), slice(cols // 3, cols // 2 + 1)
    yield slice(None, None, 2), slice(1, None, 3)
    yield slice(None, None, -1), slice(None, None, -2)
    yield slice(1, 1), slice(None)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("layer", "same"), ACTIVATIONS, ids=ids(ACTIVATIONS))
def test_activation_by_its_input(layer, same, samples, dtype):
    z = inputs(samples)
    jacobian = layer.jacobian("input", at_layer(layer, z, dtype))
    assert jacobian.row_shape == jacobian.col_shape == (samples, K)
    expected = dense_oracle(same, z.astype(dtype).astype("float64"))
    check_operator(jacobian, expected, dtype)


def test_all_layers_and_losses_are_tested():
    assert {layer.type for layer, _ in ACTIVATIONS} | {
        *("linear", "dropout", "prelu", "glu")
    } == set(LAYERS)
    assert {cls.type for cls, _ in LOSS_CASES} | {"nll", "multi_margin"} == set(LOSSES)


@pytest.mark.parametrize("layer", [Softmax(), LogSoftmax()], ids=["softmax", "log_softmax"])
def test_softmax_is_dense_per_sample_and_block_diagonal_over_the_batch(layer):
    z = inputs(5)
    assert layer.jacobian("input", at_layer(layer, z, "float64")).structure == "block-diagonal"
    assert layer.jacobian("input", at_layer(layer, z, "float64")).nonzeros == 5 * K * K
    one = layer.jacobian("input", at_layer(layer, z[:1], "float64", single=True))
    assert (one.structure, one.row_shape, one.nonzeros) == ("dense", (K,), K * K)


def test_relu_is_flat_at_exactly_zero():
    layer = ReLU()
    jacobian = layer.jacobian("input", at_layer(layer, np.array([[-1.0, 0.0, 2.0]]), "float64"))
    assert_array_equal(jacobian.to_dense(), np.diag([0.0, 0.0, 1.0]))
    assert (jacobian.structure, jacobian.nonzeros) == ("diagonal", 3)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("samples", "size", "outputs"), [(1, 3, 4), (3, 4, 4), (4, 2, 3)])
@pytest.mark.parametrize("wrt", ["input", "weight", "bias"])
def test_linear_by_everything(wrt, samples, size, outputs, dtype):
    layer, rng = Linear(), np.random.default_rng(7)
    values = {"weight": rng.normal(size=(outputs, size)), "bias": rng.normal(size=outputs)}
    at = at_layer(layer, inputs(samples, size), dtype, **values)
    exact = {role: at.read(role).astype("float64") for role in ("input", "weight", "bias")}

    def forward(value):
        t = {**exact, wrt: value}
        return anp.dot(t["input"], t["weight"].T) + t["bias"]

    check_operator(layer.jacobian(wrt, at), dense_oracle(forward, exact[wrt]), dtype)


@pytest.mark.parametrize(
    ("wrt", "structure", "dims", "nonzeros"),
    [
        ("input", "dense", (4, 3), 12),
        ("weight", "kronecker", (4, 12), 12),
        ("bias", "identity", (4, 4), 4),
    ],
)
def test_linear_of_one_sample(wrt, structure, dims, nonzeros):
    shapes = {"input": (3,), "output": (4,), "weight": (4, 3), "bias": (4,)}
    at = Point(1, np.dtype("float64"), no_values, shapes.__getitem__, single=True)
    jacobian = Linear().jacobian(wrt, at)
    assert (jacobian.structure, jacobian.dims, jacobian.nonzeros) == (structure, dims, nonzeros)
    assert jacobian.row_shape == (4,)


def no_values(role):
    raise GradstepError(f"{role} does not exist yet")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("count", [1, K])
def test_prelu_by_input_and_weight(count, samples, dtype):
    z, weight = inputs(samples), np.linspace(0.25, 1.0, count)
    layer = PReLU(num_parameters=count)

    def value(z, weight):
        return anp.where(z > 0, z, weight * z)

    at = at_layer(layer, z, dtype, weight=weight)
    z, weight = z.astype(dtype).astype("float64"), weight.astype(dtype).astype("float64")
    by_input, by_weight = layer.jacobian("input", at), layer.jacobian("weight", at)
    check_operator(by_input, dense_oracle(lambda z: value(z, weight), z), dtype)
    check_operator(by_weight, dense_oracle(lambda w: value(z, w), weight), dtype)
    names = {1: ("dense", "dense"), K: ("diagonal", "kronecker")}[count]
    assert by_weight.structure == names[samples > 1]
    check_parts(by_weight)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("samples", [1, 3])
def test_glu_by_input(samples, dtype):
    z = inputs(samples, 6)
    jacobian = GLU().jacobian("input", at_layer(GLU(), z, dtype))
    z = z.astype(dtype).astype("float64")
    check_operator(jacobian, dense_oracle(lambda z: z[:, :3] * sigma(z[:, 3:]), z), dtype)
    check_operator(jacobian.transposed(), jacobian.to_dense().T, dtype)
    check_parts(jacobian)


@pytest.mark.parametrize("count", [1, 4])
def test_the_jacobians_of_a_batch_multiply_to_the_gradients_of_backward(count):
    layers = [{"type": "linear", "out": 8}, {"type": "glu"}]
    layers += [{"type": "prelu", "num_parameters": count}, {"type": "linear", "out": 1}]
    made = program(layers=layers)
    session = Session(made)
    session.goto(len(made.ops) - len(made.parameters))  # before the first parameter moves
    for info in made.parameters:
        jacobian = chain(primals_of(session), "loss", info.name).jacobian()
        expected = session.tensors[f"{info.name}.grad"].reshape(-1)
        assert_allclose(jacobian.to_dense()[0], expected, rtol=1e-12)
        window = jacobian.window(slice(0, 1), slice(0, len(expected), 2))
        assert_allclose(window[0], expected[::2], rtol=1e-12)


def check_parts(jacobian):
    """What is computed of some rows and columns alone, against the dense matrix."""
    dense = jacobian.to_dense()
    some = [(np.arange(n)[::2], np.arange(n), np.arange(n)[:1]) for n in jacobian.dims]
    rng = np.random.default_rng(2)
    for rows in some[0]:
        for cols in some[1]:
            part = dense[np.ix_(rows, cols)]
            v, u = (rng.normal(size=(2, len(k))).astype(dense.dtype) for k in (rows, cols))
            assert_allclose(jacobian.left(v, rows, cols), v @ part, atol=1e-5)
            assert_allclose(jacobian.right(u, rows, cols), u @ part.T, atol=1e-5)
            assert_array_equal(jacobian.gather(rows, cols), part)
            touched = np.flatnonzero(dense[:, cols].any(axis=1))
            assert set(touched) <= set(jacobian.touched_rows(cols))
        assert set(np.flatnonzero(dense[rows].any(axis=0))) <= set(jacobian.touched_cols(rows))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("reduction", ["sum", "mean", "batch_mean"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize(("cls", "terms"), LOSS_CASES, ids=ids(LOSS_CASES))
def test_loss_by_prediction_and_target(cls, terms, samples, reduction, dtype):
    rng = np.random.default_rng(3)
    yhat = rng.uniform(0.05, 0.95, (samples, K)).astype(dtype)
    y = rng.dirichlet(np.ones(K), samples).astype(dtype)
    if cls in (Huber, SmoothL1, Hinge):
        yhat = (yhat * 5).astype(dtype)
    loss = cls(reduction=reduction, scale=0.5)
    per_sample = reduction == "batch_mean" or cls.per_sample
    count = 1 if reduction == "sum" else samples if per_sample else samples * K

    def value(p, t):
        return 0.5 * anp.sum(terms(p, t)) / count

    p, t = yhat.astype("float64"), y.astype("float64")
    at = point({"yhat": yhat, "y": y}, samples, dtype)
    by_prediction, by_target = (loss.jacobian(wrt, at) for wrt in ("yhat", "y"))
    assert (by_prediction.row_shape, by_prediction.dims) == ((), (1, samples * K))
    check_operator(by_target, dense_oracle(lambda t: value(p, t), t), dtype)
    check_operator(by_prediction, dense_oracle(lambda p: value(p, t), p), dtype)


def excess(z):
    over = anp.maximum(1 - z[np.arange(3), [2, 0, 3]][:, None] + z, 0)
    return (1 - anp.sum(over, axis=1))[:, None] / K + 0 * z  # the class itself gives 1


@pytest.mark.parametrize(
    ("cls", "logs"), [(NLL, lambda z: z), (CrossEntropy, log_softmax), (MultiMargin, excess)]
)
def test_loss_of_class_indices(cls, logs):
    yhat, y = inputs(3), np.array([2, 0, 3])

    def value(p):
        return -anp.sum(logs(p)[np.arange(3), y]) / 3

    jacobian = cls().jacobian("yhat", point({"yhat": yhat, "y": y}, 3))
    check_operator(jacobian, dense_oracle(value, yhat), "float64")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("layer", "_"), ACTIVATIONS, ids=ids(ACTIVATIONS))
def test_a_second_opinion_from_torch(layer, _, dtype):
    torch = pytest.importorskip("torch", reason="the second opinion is PyTorch's")
    f = torch.nn.functional
    same = {
        "identity": lambda z: z,
        "leaky_relu": lambda z: f.leaky_relu(z, 0.2),
        "softplus": lambda z: f.softplus(z, 2.0),
        "elu": lambda z: f.elu(z, 1.5),
        "softmax": lambda z: f.softmax(z, -1),
        "log_softmax": lambda z: f.log_softmax(z, -1),
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "gelu": lambda z: f.gelu(z, approximate=getattr(layer, "approximate", "none")),
        "hard_sigmoid": f.hardsigmoid,
        "hard_tanh": lambda z: f.hardtanh(z, -2.0, 0.5),
        "hard_swish": f.hardswish,
        "celu": lambda z: f.celu(z, 0.5),
        "thresholded_relu": lambda z: f.threshold(z, 0.5, 0.0),
    }.get(layer.type) or getattr(f, layer.type)
    z = inputs(2).astype(dtype)
    z[1, 1] = 0
    expected = torch.func.jacrev(same)(torch.from_numpy(z.copy())).reshape(z.size, z.size)
    jacobian = layer.jacobian("input", at_layer(layer, z, dtype))
    assert_allclose(jacobian.to_dense(), expected.numpy(), atol=5 * TOLERANCE[dtype])


def test_shapes_need_no_values():
    huge = Linear().jacobian("weight", linear_point(1024, 4096, 128, no_values))
    assert huge.dims == (128 * 4096, 4096 * 1024) == (524_288, 4_194_304)
    assert (huge.structure, huge.nonzeros) == ("kronecker", 128 * 4096 * 1024)
    assert huge.dense_bytes == 8 * 524_288 * 4_194_304
    with pytest.raises(GradstepError, match="does not exist yet"):
        huge.entry(0, 0)


def test_any_window_of_a_huge_jacobian_takes_little_memory():
    x = np.random.default_rng(0).normal(size=(128, 1024))

    def work():
        huge = Linear().jacobian("weight", linear_point(1024, 4096, 128, {"input": x}.get))
        return huge.window(slice(400_000, 400_040), slice(2_785_280, 2_785_300))

    window, peak = peak_of(work)
    sample, unit = divmod(400_000, 4096)
    assert 2_785_280 // 1024 - unit == 2720 - 2688
    assert_array_equal(window[32], x[sample, :20])  # z₁[97, 2720] by the first 20 weights of it
    assert np.count_nonzero(np.delete(window, 32, axis=0)) == 0
    assert peak < 2**20


def test_to_dense_refuses_and_names_the_bytes():
    huge = Kronecker((128, 4096), (4096, 1024), np.dtype("float32"), 128, 4096, lambda: None)
    with pytest.raises(GradstepError, match=r"8,796,093,022,208 bytes.*window"):
        huge.to_dense()
    small = Linear().jacobian("weight", linear_point(3, 4, 1, {"input": np.ones((1, 3))}.get))
    assert small.to_dense(limit_bytes=8 * 48).shape == (4, 12)
    with pytest.raises(GradstepError, match="384 bytes, more than the limit of 383"):
        small.to_dense(limit_bytes=383)


def test_wrong_requests_are_named():
    jacobian = Linear().jacobian("weight", linear_point(3, 4, 2, {"input": np.ones((2, 3))}.get))
    with pytest.raises(GradstepError, match=r"no entry \[8, 0\]: the Jacobian is 8×12"):
        jacobian.entry(8, 0)
    with pytest.raises(GradstepError, match="no entry"):
        jacobian.entry(0, -1)
    with pytest.raises(GradstepError, match="from 0 to 11"):
        jacobian.window(range(2), range(5, 13))
    with pytest.raises(GradstepError, match=r"shape of the rows, \(2, 4\), .* shape \(4, 2\)"):
        jacobian.vjp(np.ones((4, 2)))
