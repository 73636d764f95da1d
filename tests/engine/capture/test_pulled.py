"""Numbers of captured Jacobians: each op pulled back as PyTorch's autograd does, then chains."""

from pathlib import Path

import numpy as np
import pytest

from engine.capture.equations import WRITTEN, equation
from engine.capture.graph import Edge
from engine.capture.known import Unknown
from engine.capture.messages import OpDefinition, TensorDefinition
from engine.capture.opened import opened_capture
from engine.capture.paths import jacobian
from engine.capture.pulled import UPSTREAM, step
from engine.run.phases import Phase
from tests.engine.capture.told import Teller, trained, writer_at

torch = pytest.importorskip("torch")
F = torch.nn.functional
RNG = np.random.default_rng(0)
X, W, B = RNG.normal(size=(4, 6)), RNG.normal(size=(3, 6)), RNG.normal(size=3)
IMAGE, FILTER = RNG.normal(size=(2, 2, 6, 5)), RNG.normal(size=(3, 2, 3, 2))
HEADS = RNG.normal(size=(2, 2, 5, 4))
CLASSES = np.array([0, 5, 2, 2])
GAMMA, BETA = RNG.normal(size=6), RNG.normal(size=6)
CONV = {"stride": [2, 1], "padding": [1, 0], "dilation": [1, 1], "groups": 1}
POOL = {"kernel_size": 2, "stride": [], "padding": 0, "dilation": 1, "ceil_mode": False}
NORM = {"normalized_shape": [6], "eps": 1e-5}
CASES = {
    "linear": ((X, W, B), {}, F.linear),
    "matmul": ((X, W.T), {}, torch.matmul),
    "conv2d": ((IMAGE, FILTER, B), CONV, F.conv2d),
    "max_pool2d": ((IMAGE,), POOL, lambda x, **_: F.max_pool2d(x, 2)),
    "avg_pool2d": (
        (IMAGE,),
        {"kernel_size": [2, 2], "stride": [2, 2], "padding": [1, 1], "count_include_pad": True},
        F.avg_pool2d,
    ),
    "relu_": ((X,), {}, F.relu),
    "leaky_relu": ((X,), {"negative_slope": 0.2}, F.leaky_relu),
    "gelu": ((X,), {"approximate": "tanh"}, F.gelu),
    "silu": ((X,), {}, F.silu),
    "tanh": ((X,), {}, torch.tanh),
    "log": ((np.abs(X) + 1,), {}, torch.log),
    "add": ((X, GAMMA), {}, torch.add),
    "sub": ((X,), {"other": 2}, torch.sub),
    "mul": ((X, GAMMA), {}, torch.mul),
    "div": ((X, np.abs(GAMMA) + 1), {}, torch.div),
    "pow": ((X,), {"exponent": 3}, torch.pow),
    "sum": ((X,), {"dim": [0], "keepdim": True}, torch.sum),
    "mean": ((IMAGE,), {"dim": [2, 3]}, torch.mean),
    "softmax": ((X,), {"dim": 1}, torch.softmax),
    "log_softmax": ((X,), {"dim": -1}, torch.log_softmax),
    "mse_loss": ((X, X + 1), {"reduction": 1}, lambda a, b, **_: F.mse_loss(a, b)),
    "nll_loss": ((X, CLASSES), {"ignore_index": -100}, F.nll_loss),
    "cross_entropy": ((X, CLASSES), {"label_smoothing": 0.1}, F.cross_entropy),
    "layer_norm": ((X, GAMMA, BETA), NORM, lambda x, w, b, **_: F.layer_norm(x, [6], w, b)),
    "batch_norm": (
        (X, GAMMA, BETA),
        {"training": True, "eps": 1e-5, "momentum": 0.1, "cudnn_enabled": True},
        lambda x, w, b, **_: F.batch_norm(x, None, None, w, b, training=True),
    ),
    "embedding": ((CLASSES, W), {"padding_idx": -1}, lambda i, w, **_: w[i]),
    "scaled_dot_product_attention": (
        (HEADS, HEADS + 1, HEADS * 2),
        {"is_causal": True, "dropout_p": 0.0},
        lambda q, k, v, **_: F.scaled_dot_product_attention(q, k, v, is_causal=True),
    ),
    "cat": ((X, X * 2), {"dim": 1}, lambda a, b, **_: torch.cat([a, b], 1)),
}  # fmt: skip


def definitions(operands) -> list[TensorDefinition]:
    return [
        TensorDefinition(i, f"t{i}", "activation", str(one.dtype), one.shape)
        for i, one in enumerate(operands)
    ]


def op_of(kind: str, count: int, views: tuple[str, ...] = ()) -> OpDefinition:
    reads = tuple(range(count))
    return OpDefinition(0, Phase.FORWARD, "made", kind, reads, (count,), views=views)


@pytest.mark.parametrize("kind", CASES)
def test_an_op_pulled_back_is_autograds(kind: str) -> None:
    operands, attributes, theirs = CASES[kind]
    if kind == "embedding":
        operands = (CLASSES % 3, W)
    leaves = [torch.from_numpy(one.copy()) for one in operands]
    for leaf in leaves:
        leaf.requires_grad_(leaf.is_floating_point())
    result = theirs(*leaves, **attributes)
    upstream = torch.from_numpy(RNG.normal(size=tuple(result.shape)))
    result.backward(upstream)
    real = [i for i, leaf in enumerate(leaves) if leaf.requires_grad]
    edges = [Edge(0, i, (f"t{i}", -1), ("made", 0)) for i in real]
    shape = tuple(result.shape)
    op = op_of(kind, len(operands))
    found = step(op, attributes, definitions(operands), operands, edges, shape)
    given = found.operands | {UPSTREAM: upstream.numpy()}
    for node, compute in found.back:
        (ours,) = compute(given)
        expected = leaves[int(node[0][1:])].grad.numpy()
        np.testing.assert_allclose(ours, expected, rtol=1e-8, atol=1e-10)
    assert len(found.back) >= len(real) - (kind == "mse_loss")


@pytest.mark.parametrize(
    ("kind", "operands", "attributes", "said"),
    [
        ("lstm", (X,), {}, "no function of the engine's"),
        ("dropout", (X,), {"p": 0.5, "train": True}, "its mask was not kept"),
        ("add", (X, X), {"alpha": 2}, "alpha=2"),
        ("batch_norm", (X, GAMMA, BETA), {"training": False}, "in evaluation"),
        ("nll_loss", (IMAGE, CLASSES), {}, "other than rows"),
        ("max_pool2d", (IMAGE,), {**POOL, "return_indices": True}, "more than a window"),
        ("mul", (X,), {"other": float("nan")}, "no number"),
        ("conv2d", (IMAGE, FILTER), {**CONV, "padding": "same"}, "no whole number"),
    ],
)
def test_what_the_engine_has_not_is_said(kind, operands, attributes, said) -> None:
    with pytest.raises(Unknown, match=said):
        equation(
            op_of(kind, len(operands)), attributes, "abc"[: len(operands)],
            [one.shape for one in operands],
        )  # fmt: skip


def test_what_is_recorded_otherwise_is_not_believed() -> None:
    edges = [Edge(0, 0, ("t0", -1), ("made", 0))]
    with pytest.raises(Unknown, match=r"it makes \(4, 3\), and \(4, 10{12}\) was recorded"):
        step(op_of("linear", 3), {}, definitions((X, W, B)), (X, W, B), edges, (4, 10**12))
    long = np.zeros((1, 3000, 2))
    with pytest.raises(Unknown, match="it takes"):
        step(
            op_of("scaled_dot_product_attention", 3), {}, definitions((long,) * 3),
            (long.repeat(4, 0),) * 3, edges, (4, 3000, 2),
        )  # fmt: skip


def test_views_are_part_of_an_equation() -> None:
    for views, text in {
        "flatten(1)": "relu(reshape(a, 4, 6))",
        "view(2, -1).t()": "relu(transpose(reshape(a, 2, 12), 1, 0))",
        "split(4, 1)[1]": "relu(a[:, 4:6])",
        "unsqueeze(1)": "relu(reshape(a, 4, 1, 6))",
    }.items():
        assert equation(op_of("relu", 1, (views,)), {}, "a", [(4, 6)]) == text
    by_rows = equation(op_of("relu", 1, ("view(4, 2, 3)",)), {}, "a", [(4, 6)], batch=4)
    assert by_rows == "relu(reshape(a, N, 2, 3))"
    for views in ("view(5, 5)", "__import__('os')", "narrow(0, 1, 2)", "split(9, 1)[7]"):
        with pytest.raises(Unknown):
            equation(op_of("relu", 1, (views,)), {}, "a", [(4, 6)])
    assert all(name == name.strip() for name in WRITTEN)


def test_a_chain_of_ops(tmp_path: Path) -> None:
    trained(tmp_path / "r", 2)
    with opened_capture(str(tmp_path / "r")) as run:
        view = jacobian(run, 1, "z", "fc1.weight")
        begin = run.timeline.begin(1)
        values = {
            name: torch.from_numpy(run.places.at(run.places.locate(begin, name)).astype(np.float64))
            for name in ("x", "fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias")
        }
        assert view.numbers is not None
        found = view.numbers.window(range(10), range(12))

    def z(w):
        hidden = F.relu(F.linear(values["x"], w, values["fc1.bias"]))
        return F.linear(hidden, values["fc2.weight"], values["fc2.bias"])

    expected = torch.autograd.functional.jacobian(z, values["fc1.weight"])
    np.testing.assert_allclose(found, expected.reshape(10, 12), rtol=1e-10, atol=1e-12)
    assert view.as_json()["window"]["rows"] == [0, 8]
    assert view.why_not == ""


def test_paths_add_up(tmp_path: Path) -> None:
    teller = Teller(writer_at(tmp_path / "r"))
    x = np.float32([[0.5, -1.0]])
    ids = {"x": teller.tensor("x", "input", x)}
    teller.given("x", "input", x)
    h, y = np.tanh(x), np.tanh(x) + x
    ids["h"] = teller.tensor("h", "activation", h)
    teller.happen(Phase.FORWARD, "h", "tanh", {"x": ids["x"]}, {"h": (ids["h"], h)}, 3)
    ids["y"] = teller.tensor("y", "activation", y)
    reads = {"h": ids["h"], "x": ids["x"]}
    teller.happen(Phase.FORWARD, "y", "add", reads, {"y": (ids["y"], y)}, 4)
    teller.end_iteration()
    teller.end()
    with opened_capture(str(tmp_path / "r")) as run:
        view = jacobian(run, 0, "y", "x")
        assert view.chain[0].structure == "2 paths"
        assert view.numbers is not None
        found = view.numbers.window(range(2), range(2))
    np.testing.assert_allclose(found, np.diag(2 - np.tanh(x[0]) ** 2), atol=1e-6)


def test_an_operand_that_was_not_kept_is_named(tmp_path: Path) -> None:
    trained(tmp_path / "r", 2, limit=3)
    with opened_capture(str(tmp_path / "r")) as run:
        view = jacobian(run, 1, "z", "h")
    assert view.numbers is None
    assert "was not kept in full before #" in view.why_not
