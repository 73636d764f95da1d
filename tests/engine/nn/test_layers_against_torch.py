"""Every kind of layer that is lines, with every option, against PyTorch's from the same values."""

from typing import Any

import numpy as np
import pytest

from engine.program.evaluation import evaluation
from engine.session.session import Session
from tests.engine.nn.torch_layers import beside_torch, compiled, torch

CLOSE = 1e-12
nn = torch.nn
RNG = np.random.default_rng(5)
IMAGES = RNG.normal(size=(3, 4, 6, 5))
SEQUENCES = RNG.normal(size=(3, 4, 7))
WORDS = RNG.integers(0, 6, size=(3, 5))


def in_a_row(modules: Any, x: Any) -> Any:
    """What the modules make one after the other."""
    for module in modules.values():
        x = module(x)
    return x


def agree(
    layers: list[dict[str, Any]], modules: list[Any], x: Any, forward: Any = in_a_row
) -> None:
    """The layers, flattened and with a linear one behind them, are what PyTorch's modules are."""
    ends = [{"type": "flatten"}, {"type": "linear", "out": 2}]
    program = compiled([*layers, *ends], x, RNG.normal(size=(len(x), 2)))
    names = program.experiment.layer_names
    wide = program.tensors[f"{names[-1]}.weight"].shape[1]
    whole = [*modules, nn.Flatten(), nn.Linear(wide, 2)]
    found = beside_torch(program, dict(zip(names, whole, strict=True)), forward)
    assert max(found.values()) < CLOSE, found


CONVOLUTIONS = [
    {},
    {"bias": False},
    {"stride": 2, "padding": 1},
    {"dilation": 2, "groups": 2},
    {"kernel": [3, 2], "stride": [1, 2], "padding": [2, 1]},
    {"padding": "same", "kernel": [3, 1]},
    {"padding": "valid"},
]


def renamed(options: dict[str, Any], **names: str) -> dict[str, Any]:
    """Options under PyTorch's names, lists as tuples."""
    turned = {k: tuple(v) if isinstance(v, list) else v for k, v in options.items()}
    return {names.get(k, k): v for k, v in turned.items()}


@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
def test_conv2d(options):
    options = {"kernel": 3, "out": 4} | options
    theirs = renamed(options, kernel="kernel_size", out="out_channels")
    agree([{"type": "conv2d", **options}], [nn.Conv2d(4, **theirs)], IMAGES)


@pytest.mark.parametrize("options", [o for o in CONVOLUTIONS if "kernel" not in o], ids=str)
def test_conv1d(options):
    options = {"kernel": 3, "out": 4} | options
    theirs = renamed(options, kernel="kernel_size", out="out_channels")
    agree([{"type": "conv1d", **options}], [nn.Conv1d(4, **theirs)], SEQUENCES)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"stride": 2, "padding": 1, "output_padding": 1},
        {"groups": 2, "dilation": 2, "bias": False},
        {"kernel": [2, 3], "stride": [2, 1], "padding": [0, 1], "output_padding": [1, 0]},
    ],
    ids=str,
)
def test_conv_transpose2d(options):
    options = {"kernel": 3, "out": 4} | options
    theirs = renamed(options, kernel="kernel_size", out="out_channels")
    agree([{"type": "conv_transpose2d", **options}], [nn.ConvTranspose2d(4, **theirs)], IMAGES)


POOLS = [
    ("max_pool2d", nn.MaxPool2d, IMAGES, {"kernel": 2}),
    ("max_pool2d", nn.MaxPool2d, IMAGES, {"kernel": [3, 2], "stride": [1, 2], "padding": [1, 0]}),
    ("max_pool2d", nn.MaxPool2d, IMAGES, {"kernel": 2, "dilation": 2, "stride": 1}),
    ("max_pool2d", nn.MaxPool2d, IMAGES, {"kernel": 4, "ceil_mode": True}),
    ("avg_pool2d", nn.AvgPool2d, IMAGES, {"kernel": 2}),
    ("avg_pool2d", nn.AvgPool2d, IMAGES, {"kernel": 3, "stride": 2, "padding": 1}),
    (
        "avg_pool2d",
        nn.AvgPool2d,
        IMAGES,
        {"kernel": 3, "padding": 1, "ceil_mode": True, "count_include_pad": False},
    ),
    ("max_pool1d", nn.MaxPool1d, SEQUENCES, {"kernel": 3, "stride": 2, "padding": 1}),
    ("avg_pool1d", nn.AvgPool1d, SEQUENCES, {"kernel": 2, "padding": 1}),
]


@pytest.mark.parametrize(("kind", "module", "x", "options"), POOLS)
def test_pools(kind, module, x, options):
    axes = x.ndim - 2
    layers = [{"type": f"conv{axes}d", "out": 3, "kernel": 1}, {"type": kind, **options}]
    conv = nn.Conv1d if axes == 1 else nn.Conv2d
    theirs = module(**renamed(options, kernel="kernel_size"))
    agree(layers, [conv(4, 3, 1), theirs], x)


@pytest.mark.parametrize("out", [1, [2, 3], [4, 4]])
def test_adaptive_avg_pool2d(out):
    layers = [
        {"type": "conv2d", "out": 3, "kernel": 1},
        {"type": "adaptive_avg_pool2d", "out": out},
    ]
    size = tuple(out) if isinstance(out, list) else out
    agree(layers, [nn.Conv2d(4, 3, 1), nn.AdaptiveAvgPool2d(size)], IMAGES)


NORMS = [{}, {"affine": False}, {"momentum": 0.3, "eps": 0.01}, {"track_running_stats": False}]


@pytest.mark.parametrize("options", NORMS, ids=str)
def test_batch_norm2d(options):
    layers = [{"type": "conv2d", "out": 3, "kernel": 2}, {"type": "batch_norm2d", **options}]
    agree(layers, [nn.Conv2d(4, 3, 2), nn.BatchNorm2d(3, **options)], IMAGES)


@pytest.mark.parametrize("x", [SEQUENCES, SEQUENCES[:, :, 0]], ids=["sequences", "rows"])
@pytest.mark.parametrize("options", NORMS, ids=str)
def test_batch_norm1d(options, x):
    agree([{"type": "batch_norm1d", **options}], [nn.BatchNorm1d(4, **options)], x)


@pytest.mark.parametrize(
    ("options", "module"),
    [
        ({}, nn.LayerNorm(7)),
        ({"bias": False, "eps": 0.1}, nn.LayerNorm(7, bias=False, eps=0.1)),
        ({"normalized_shape": [4, 7]}, nn.LayerNorm((4, 7))),
        ({"elementwise_affine": False}, nn.LayerNorm(7, elementwise_affine=False)),
        (
            {"normalized_shape": [4, 7], "elementwise_affine": False},
            nn.LayerNorm((4, 7), elementwise_affine=False),
        ),
    ],
)
def test_layer_norm(options, module):
    agree([{"type": "layer_norm", **options}], [module], SEQUENCES)


@pytest.mark.parametrize("options", [{"groups": 2}, {"groups": 4, "affine": False}], ids=str)
def test_group_norm(options):
    theirs = nn.GroupNorm(num_channels=4, **renamed(options, groups="num_groups"))
    agree([{"type": "group_norm", **options}], [theirs], IMAGES)


@pytest.mark.parametrize("word", ["out", "dim"])
def test_embedding(word):
    agree([{"type": "embedding", "num": 6, word: 3}], [nn.Embedding(6, 3)], WORDS)


def outputs(modules: Any, x: Any) -> Any:
    """The same, of recurrent modules their outputs without the last states."""
    for module in modules.values():
        x = module(x)
        x = x[0] if isinstance(x, tuple) else x
    return x


RECURRENT = [
    {},
    {"bias": False},
    {"layers": 2},
    {"bidirectional": True},
    {"layers": 2, "bidirectional": True},
]


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("options", RECURRENT, ids=str)
def test_recurrent(kind, options):
    module = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind]
    theirs = module(7, 3, batch_first=True, **renamed(options, layers="num_layers"))
    agree([{"type": kind, "hidden": 3, **options}], [theirs], SEQUENCES, outputs)


def test_rnn_with_relu():
    layers = [{"type": "rnn", "hidden": 3, "nonlinearity": "relu"}]
    agree(layers, [nn.RNN(7, 3, batch_first=True, nonlinearity="relu")], SEQUENCES, outputs)


def attending(causal: bool, other: bool) -> Any:
    """The forward pass of attention over the first layer, of the second where there is another."""

    def forward(modules: Any, x: Any) -> Any:
        query = modules["query"](x)
        source = modules["source"](x) if other else query
        mask = None
        if causal:
            mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), diagonal=1)
        z, _ = modules["attention1"](query, source, source, attn_mask=mask)
        return modules["linear1"](z.flatten(1))

    return forward


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("other", [False, True])
@pytest.mark.parametrize("bias", [True, False])
def test_attention(heads, causal, other, bias):
    names = ["query", "source"][: 1 + other]
    layers = [{"type": "linear", "out": 6, "name": name, "inputs": ["x"]} for name in names]
    options = {"heads": heads, "causal": causal, "bias": bias, "inputs": names}
    layers += [{"type": "attention", **options}, {"type": "flatten"}]
    layers += [{"type": "linear", "out": 2, "name": "linear1"}]
    program = compiled(layers, SEQUENCES, RNG.normal(size=(3, 2)))
    modules = {name: nn.Linear(7, 6) for name in names}
    modules["attention1"] = nn.MultiheadAttention(6, heads, bias=bias, batch_first=True)
    modules["linear1"] = nn.Linear(24, 2)
    found = beside_torch(program, modules, attending(causal, other))
    assert max(found.values()) < CLOSE, found


@pytest.mark.parametrize(
    ("options", "module"),
    [
        ({"type": "relu"}, nn.ReLU()),
        ({"type": "leaky_relu", "negative_slope": 0.2}, nn.LeakyReLU(0.2)),
        ({"type": "sigmoid"}, nn.Sigmoid()),
        ({"type": "tanh"}, nn.Tanh()),
        ({"type": "softplus", "beta": 2.0}, nn.Softplus(beta=2)),
        ({"type": "elu", "alpha": 0.5}, nn.ELU(0.5)),
        ({"type": "silu"}, nn.SiLU()),
        ({"type": "gelu"}, nn.GELU()),
        ({"type": "softmax"}, nn.Softmax(-1)),
        ({"type": "log_softmax"}, nn.LogSoftmax(-1)),
        ({"type": "identity"}, nn.Identity()),
        ({"type": "glu"}, nn.GLU()),
        ({"type": "mish"}, nn.Mish()),
        ({"type": "expression", "formula": "5*relu(z)"}, lambda z: 5 * torch.relu(z)),
        ({"type": "reshape", "shape": [2, -1]}, lambda z: z.reshape(3, 2, 16)),
        ({"type": "flatten", "start_dim": -2}, nn.Flatten(-2)),
        ({"type": "flatten", "end_dim": 1}, nn.Flatten(1, 1)),
    ],
)
def test_functions_of_each_element_and_shapes(options, module):
    class Called(nn.Module):
        def forward(self, z: Any) -> Any:
            return module(z)

    agree([{"type": "linear", "out": 8}, options], [nn.Linear(7, 8), Called()], SEQUENCES)


@pytest.mark.parametrize("options", [{}, {"num_parameters": 4}], ids=str)
@pytest.mark.parametrize("x", [IMAGES, SEQUENCES, SEQUENCES[:, :, 0]], ids=["4", "3", "2"])
def test_prelu(options, x):
    layers = [{"type": "prelu", **options}, {"type": "identity", "inputs": ["prelu1"]}]
    agree(layers, [nn.PReLU(**options), nn.Identity()], x)


@pytest.mark.parametrize(
    ("options", "joined"),
    [
        ({"type": "add"}, lambda a, b, c: a + b + c),
        ({"type": "multiply"}, lambda a, b, c: a * b * c),
        ({"type": "concat"}, lambda *z: torch.cat(z, -1)),
        ({"type": "concat", "axis": 1}, lambda *z: torch.cat(z, 1)),
        ({"type": "expression", "formula": "z1*z2 - tanh(z3)"}, lambda a, b, c: a * b - c.tanh()),
    ],
)
def test_several_inputs(options, joined):
    layers = [
        {"type": "linear", "out": 7, "name": "a"},
        {"type": "tanh", "name": "b"},
        {**options, "name": "joined", "inputs": ["a", "b", "x"]},
        {"type": "flatten"},
        {"type": "linear", "out": 2, "name": "last"},
    ]
    program = compiled(layers, SEQUENCES, RNG.normal(size=(3, 2)))
    wide = program.tensors["last.weight"].shape[1]
    modules = {"a": nn.Linear(7, 7), "last": nn.Linear(wide, 2)}

    def forward(known: Any, x: Any) -> Any:
        a = known["a"](x)
        return known["last"](joined(a, a.tanh(), x).flatten(1))

    found = beside_torch(program, modules, forward)
    assert max(found.values()) < CLOSE, found


@pytest.mark.parametrize("options", NORMS, ids=str)
def test_an_evaluation_pass_is_that_of_torch(options):
    """After two steps of training, with the statistics that ran along; without any, the batch's."""
    layers = [
        {"type": "batch_norm1d", **options},
        {"type": "flatten"},
        {"type": "linear", "out": 2},
    ]
    program = compiled(layers, SEQUENCES, RNG.normal(size=(3, 2)))
    session = Session(program)
    session.goto(2 * len(program.ops))
    found = Session(evaluation(program, session.tensors))
    found.goto(found.timeline.end)
    module = nn.Sequential(nn.BatchNorm1d(4, **options), nn.Flatten(), nn.Linear(28, 2)).double()
    names = {"batch_norm1d1": module[0], "linear1": module[2]}
    with torch.no_grad():
        for name, layer in names.items():
            for part, value in [*layer.named_parameters(), *layer.named_buffers()]:
                if part != "num_batches_tracked":
                    value.copy_(torch.tensor(session.tensors[f"{name}.{part}"]))
        expected = module.eval()(torch.tensor(SEQUENCES)).numpy()
    np.testing.assert_allclose(found.tensors["linear1.out"], expected, rtol=0, atol=CLOSE)
    if options.get("track_running_stats", True):
        assert session.tensors["batch_norm1d1.running_var"].std() > 0
