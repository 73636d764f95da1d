"""Random networks: every Jacobian against PyTorch's jacrev, and every window against the whole."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from engine.chain.chain import chain
from engine.chain.primals import primals_of
from engine.chain.query import complete_at
from engine.experiment.dataset import Dataset
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.session.session import Session

KINDS = ["identity", "relu", "leaky_relu", "sigmoid", "tanh", "softplus", "elu", "silu", "gelu",
         "selu", "celu", "softsign", "mish", "softmax", "log_softmax"]  # fmt: skip
FEW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def networks(draw):
    """A session after backward, its layers, and a sample or None."""
    samples, size = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        bias = draw(st.booleans())
        layers.append({"type": "linear", "out": draw(st.integers(1, 4)), "bias": bias})
        layers.append({"type": draw(st.sampled_from(KINDS))})
    raw = {
        "seed": draw(st.integers(0, 99)),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "data": {"x": [[0.0]], "y": [[0.0]]},
        "layers": layers,
        "loss": {"type": "mse", "reduction": draw(st.sampled_from(["sum", "mean", "batch_mean"]))},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    outs = [layer["out"] for layer in layers if "out" in layer]
    x, y = rng.normal(size=(samples, size)) * 2, rng.normal(size=(samples, outs[-1]))
    data = Dataset(x.astype(raw["dtype"]), y.astype(raw["dtype"]))
    session = Session(compile_program(read_experiment(raw, "random"), data))
    session.goto(complete_at(session.program))
    return session, draw(st.sampled_from([None, samples - 1]))


def pairs(session):
    nodes = session.program.network.nodes
    parameters = [info.name for info in session.program.parameters]
    of = ["loss", *(node.output for node in nodes)]
    return of, ["x", "y", *parameters, *(node.output for node in nodes)]


def torch_network(torch, session, sample):
    """Every tensor of forward, a second time, with one of them given."""
    cut = slice(None) if sample is None else slice(sample, sample + 1)
    program = session.program
    batched = {"x", "y"}
    fixed = {
        name: torch.from_numpy(np.array(session.tensors[name][cut if name in batched else ...]))
        for name in ("x", "y", *(info.name for info in program.parameters))
    }
    f = torch.nn.functional

    def run(name, value):
        t = {**fixed, name: value}
        for node in program.network.nodes:
            if node.output != name:
                t[node.output] = layer_of(node, t)
        terms = ((t[program.network.output] - t["y"]) ** 2).sum()
        rows, outs = t["y"].shape
        counts = {"sum": 1, "mean": rows * outs, "batch_mean": rows}
        t["loss"] = terms / counts[program.experiment.loss.reduction]
        return t

    def layer_of(node, t):
        z, kind = t[node.input], node.layer.type
        if kind == "linear":
            return f.linear(z, t[f"{node.name}.weight"], t.get(f"{node.name}.bias"))
        if kind in ("softmax", "log_softmax"):
            return getattr(f, kind)(z, dim=-1)
        return {"identity": lambda z: z, "tanh": torch.tanh, "sigmoid": torch.sigmoid}.get(
            kind, getattr(f, kind, None)
        )(z)

    return run, fixed


@FEW
@given(networks(), st.data())
def test_random_networks_against_jacrev(drawn, data):
    torch = pytest.importorskip("torch", reason="the second opinion is PyTorch's jacrev")
    session, sample = drawn
    of, wrt = (data.draw(st.sampled_from(names)) for names in pairs(session))
    run, fixed = torch_network(torch, session, sample)
    value = run("x", fixed["x"])[wrt] if wrt not in fixed else fixed[wrt]
    rows = run(wrt, value)[of].numel()
    expected = torch.func.jacrev(lambda v: run(wrt, v)[of] + 0 * v.sum())(value)
    expected = expected.reshape(rows, value.numel()).numpy()
    jacobian = chain(primals_of(session, sample), of, wrt).jacobian()
    dense = jacobian.to_dense()
    tight = 1e-10 if dense.dtype == np.float64 else 1e-4
    assert dense.dtype == session.tensors["x"].dtype
    assert_allclose(dense, expected, rtol=tight, atol=tight * max(1, np.abs(expected).max()))
    assert jacobian.nonzeros >= np.count_nonzero(expected)


@FEW
@given(networks(), st.data())
def test_random_windows_and_products_against_the_whole(drawn, data):
    session, sample = drawn
    of, wrt = (data.draw(st.sampled_from(names)) for names in pairs(session))
    jacobian = chain(primals_of(session, sample), of, wrt).jacobian()
    dense = jacobian.to_dense()
    rows, cols = (data.draw(windows(size)) for size in dense.shape)
    near = {"rtol": 1e-4, "atol": 1e-4} if dense.dtype == np.float32 else {"atol": 1e-12}
    assert_allclose(jacobian.window(rows, cols), dense[np.ix_(rows, cols)], **near)
    rng = np.random.default_rng(0)
    v, u = (rng.normal(size=size).astype(dense.dtype) for size in dense.shape)
    assert_allclose(jacobian.vjp(v).reshape(-1), v @ dense, **near)
    assert_allclose(jacobian.jvp(u).reshape(-1), dense @ u, **near)


def windows(size):
    """A range with any step inside the size."""

    def ranged(bounds):
        low, high, step = bounds
        forward = range(min(low, high), max(low, high), step)
        return forward if low <= high else forward[::-1]

    ends = st.tuples(st.integers(0, size), st.integers(0, size), st.integers(1, 3))
    return ends.map(ranged)


@FEW
@given(networks())
def test_the_chain_of_every_gradient_is_what_backward_computes(drawn):
    session, _ = drawn
    for info in session.program.parameters:
        found = chain(primals_of(session), "loss", info.name)
        assert found.gaps() == []
        gradient = session.tensor(f"{info.name}.grad")
        near = 1e-4 if gradient.dtype == np.float32 else 1e-12
        assert_allclose(found.jacobian().vjp(np.array(1.0)), gradient, rtol=near, atol=near)
