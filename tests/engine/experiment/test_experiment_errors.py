"""What a person reads when an experiment file is wrong: path, found, allowed, nearest, remedy."""

import tomllib

import pytest

from engine.errors import ExperimentError, GradstepError
from engine.experiment.reader import load_experiment, read_experiment
from engine.program.compiler import compile_program
from tests.engine.small_experiments import document

BASE = """
[data]
x = [[1.0, 2.0], [3.0, 4.0]]
y = [[1.0], [0.0]]
{data}

[[layers]]
type = "linear"
out = 1
{layer}

[loss]
type = "mse"
{loss}

[optimizer]
type = "sgd"
{optimizer}

[training]
{training}
"""


def problems(raw):
    """What reading and compiling a document complains of, path by path."""
    with pytest.raises(ExperimentError) as caught:
        compile_program(read_experiment(raw, "test.toml"))
    found = caught.value.problems
    assert str(caught.value).startswith(f"test.toml: {len(found)} problem")
    return [(problem.path, problem.message) for problem in found]


def toml(top="", **parts):
    named = {name: parts.get(name, "") for name in ("data", "layer", "loss", "optimizer")}
    return tomllib.loads(top + BASE.format(**named, training=parts.get("training", "")))


ONE_FIELD = [
    ({"top": "seed = true"}, "seed", "must be a whole number, not true"),
    ({"top": "seed = -1"}, "seed", "must be a whole number of at least 0, not -1"),
    ({"top": "seed = 1.5"}, "seed", "must be a whole number, not 1.5"),
    ({"top": "seed = 99999999999999999999"}, "seed", "of at most 4611686018427387904, not 999999"),
    ({"top": "seed = 1979-05-27"}, "seed", "must be a whole number, not 1979-05-27"),
    ({"top": "name = 3"}, "name", "must be text in quotes, not 3"),
    ({"top": "dtype = 'float16'"}, "dtype", "unknown value 'float16'; did you mean 'float64'?"),
    ({"top": "dtype = 'float16'"}, "dtype", "allowed: float32, float64"),
    ({"top": "sead = 3"}, "sead", "unknown field; did you mean 'seed'?"),
    ({"data": "batchsize = 2"}, "data.batchsize", "unknown field; did you mean 'batch_size'?"),
    ({"data": "batch_size = 0"}, "data.batch_size", "of at least 1, not 0"),
    ({"data": "batch_size = true"}, "data.batch_size", "must be a whole number, not true"),
    ({"data": "shuffle = 1"}, "data.shuffle", "must be true or false, not 1"),
    (
        {"data": "csv = 'a.csv'"},
        "data",
        "exactly one source of x/y, csv, npz, generate; found x/y and csv",
    ),
    ({"data": "inputs = ['a']"}, "data.inputs", "belongs to csv only"),
    ({"data": "one_hot = true"}, "data.one_hot", "belongs to csv and generate only"),
    (
        {"data": "batch_size = 3\ndrop_last = true"},
        "data.drop_last",
        "drop_last with 2 rows and batch_size 3 leaves no batch",
    ),
    ({"layer": "name = 'a b'"}, "layers[0].name", "letters, digits and _"),
    ({"layer": "name = '2nd'"}, "layers[0].name", "does not start with a digit"),
    ({"layer": "name = ''"}, "layers[0].name", "must not be empty"),
    ({"layer": f"name = '{'n' * 101}'"}, "layers[0].name", "must have at most 100 characters"),
    ({"layer": "name = 'loss'"}, "layers[0].name", "'loss' has a meaning of its own"),
    ({"layer": "name = 'backward'"}, "layers[0].name", "'backward' has a meaning of its own"),
    ({"layer": "bias = 1"}, "layers[0].bias", "must be true or false, or a list, not 1"),
    ({"layer": "bias = [1, 2]"}, "layers[0].bias", "has 2 values, but out = 1"),
    ({"layer": "weight = [1.0]"}, "layers[0].weight[0]", "must be a list, not 1.0"),
    ({"layer": "weight = [['a']]"}, "layers[0].weight[0][0]", "must be a number, not 'a'"),
    ({"layer": "weight = [[true]]"}, "layers[0].weight[0][0]", "must be a number, not true"),
    ({"layer": "weight = [[1,2],[3,4]]"}, "layers[0].weight", "has 2 rows, but out = 1"),
    (
        {"layer": "weight = [[1.0, 2.0, 3.0]]"},
        "layers[0].weight",
        "linear1 has weight (1, 3), which takes 3 inputs, but x has shape (N, 2)",
    ),
    ({"layer": "weight = [[nan, 1]]"}, "layers[0].weight", "nan is not finite"),
    ({"layer": "init_scale = inf"}, "layers[0].init_scale", "inf is not finite"),
    ({"layer": "init = 'kaiming'"}, "layers[0].init", "did you mean 'kaiming_normal'?"),
    ({"layer": "frozen = 'bias'"}, "layers[0].frozen", "a list, not 'bias'; allowed in it: weight"),
    ({"layer": "frozen = ['wait']"}, "layers[0].frozen[0]", "unknown value 'wait'"),
    ({"layer": "frozen = ['bias']\nbias = false"}, "layers[0].frozen", "no bias to freeze"),
    ({"loss": "reduction = 'avg'"}, "loss.reduction", "allowed: sum, mean, batch_mean"),
    ({"loss": "scale = nan"}, "loss.scale", "nan is not finite"),
    ({"loss": "scale = true"}, "loss.scale", "must be a number, not true"),
    ({"loss": "delta = 1.0"}, "loss.delta", "unknown field; allowed: type, reduction, scale"),
    ({"optimizer": "lr = -0.1"}, "optimizer.lr", "must be a number of at least 0, not -0.1"),
    ({"optimizer": "lr = '0.1'"}, "optimizer.lr", "must be a number, not '0.1'"),
    ({"optimizer": "lr = -inf"}, "optimizer.lr", "-inf is not finite"),
    (
        {"optimizer": "learning_rate = 1"},
        "optimizer.learning_rate",
        "unknown field; did you mean 'lr'? allowed: type",
    ),
    ({"optimizer": "nesterov = true"}, "optimizer.nesterov", "needs a momentum above 0"),
    ({"training": "epochs = 0"}, "training.epochs", "of at least 1, not 0"),
    ({"training": "epochs = 1.0"}, "training.epochs", "must be a whole number, not 1.0"),
    ({"training": "order = 'forward'"}, "training.order", "must be a list, not 'forward'"),
    ({"training": "order = [1]"}, "training.order[0]", "unknown value 1; allowed: zero_grad"),
    ({"training": "skip = 5"}, "training.skip", "must be a list, not 5"),
    ({"training": "skip = ['updates']"}, "training.skip[0]", "did you mean 'update'?"),
]


@pytest.mark.parametrize(("parts", "path", "said"), ONE_FIELD, ids=lambda v: str(v)[:40])
def test_one_wrong_field_gives_one_problem(parts, path, said):
    top = parts.get("top", "") + "\n"
    ((where, message),) = problems(toml(top, **{k: v for k, v in parts.items() if k != "top"}))
    assert where == path
    assert said in message


def test_everything_wrong_with_a_file_is_said_at_once():
    raw = tomllib.loads("""
        seed = -1
        colour = "red"
        [data]
        csv = "a.csv"
        npz = "b.npz"
        batch_size = 2.5
        shufle = true
        [[layers]]
        type = "linear"
        name = "forward"
        out = 2
        weight = [[1.0, 2.0], [3.0]]
        bias = [1.0, 2.0, 3.0]
        init = "normale"
        [[layers]]
        type = "relue"
        [[layers]]
        type = "softplus"
        beta = 0
        [[layers]]
        type = "linear"
        [[layers]]
        type = "tanh"
        name = "softplus1"
        [loss]
        reduction = "sum"
        [optimizer]
        type = "sgd"
        lr = nan
        nesterov = true
        [training]
        epochs = 0
        order = ["forward", "backward", "loss", "update", "zero_grad"]
        skip = ["forwards", "up"]
    """)
    assert [path for path, _ in problems(raw)] == [
        "colour",
        "seed",
        "data.shufle",
        "data.batch_size",
        "data",
        "layers[0].init",
        "layers[0].weight",
        "layers[0].bias",
        "layers[1].type",
        "layers[2].beta",
        "layers[3].out",
        "layers[0].name",
        "layers[4].name",
        "loss.type",
        "optimizer.lr",
        "optimizer.nesterov",
        "training.epochs",
        "training.skip[0]",
        "training.skip[1]",
        "training.order",
    ]


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ({}, [("data", "[data]"), ("layers", "[[layers]]"), ("loss", "[loss]")]),
        (document(layers=[]), [("layers", "at least one table")]),
        (document(layers={"type": "relu"}), [("layers", "must be a list")]),
        (document(layers=["relu"]), [("layers[0]", "must be a table with a type, not 'relu'")]),
        (document(layers=[{}]), [("layers[0].type", "missing; allowed: linear, identity")]),
        (document(layers=[{"type": 5}]), [("layers[0].type", "unknown type 5; allowed: linear")]),
        (document(loss=3), [("loss", "must be a table with a type, not 3")]),
        (
            document(loss={"type": "MSE"}),
            [("loss.type", "unknown type 'MSE'; did you mean 'mse'?")],
        ),
        (document(optimizer={"lr": 1}), [("optimizer.type", "missing; allowed: sgd, adam")]),
        (document(optimizer=[]), [("optimizer", "not a list")]),
        (document() | {"data": 3}, [("data", "must be a table, [data], not 3")]),
        (document() | {"data": {}}, [("data", "found none")]),
        (document() | {"data": {"x": [[1.0]]}}, [("data.y", "missing: inline data has both")]),
        (
            document() | {"data": {"csv": ""}},
            [
                ("data.csv", "must not be empty"),
                ("data.inputs", "missing"),
                ("data.targets", "missing"),
            ],
        ),
        (document() | {"training": []}, [("training", "must be a table, [training]")]),
    ],
    ids=lambda v: str(v)[:30],
)
def test_missing_and_misshapen_tables(raw, found):
    actual = problems(raw)
    assert [path for path, _ in actual] == [path for path, _ in found]
    for (_, message), (_, said) in zip(actual, found, strict=True):
        assert said in message


def test_adam_and_the_like_have_pytorchs_ranges():
    adam = {"type": "adam", "betas": [0.9]}
    assert problems(document(optimizer=adam)) == [
        ("optimizer.betas", "must be a list of 2 values, not 1")
    ]
    adam = {"type": "adam", "betas": [0.9, 1.0]}
    assert problems(document(optimizer=adam)) == [
        ("optimizer.betas[1]", "must be a number below 1, not 1.0")
    ]


def layers(*widths):
    return [{"type": "linear", "out": width} for width in widths]


SHAPES = [
    (
        {"layers": [*layers(3), {"type": "linear", "out": 1, "weight": [[1.0, 2.0]]}]},
        "layers[1].weight",
        "linear2 has weight (1, 2), which takes 2 inputs, but linear1.out has shape (N, 3)",
    ),
    (
        {"layers": [{"type": "linear", "out": 1, "weight": [[1.0]]}]},
        "layers[0].weight",
        "linear1 has weight (1, 1), which takes 1 inputs, but x has shape (N, 2)",
    ),
    (
        {"layers": layers(2)},
        "data.y",
        "y has shape (7, 1), but linear1.out has shape (N, 2): the columns must agree",
    ),
    (
        {"data": {"y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}},
        "data.y",
        "y has shape (7,), but linear2.out has shape (N, 1); "
        "(7,) against (7, 1) would broadcast to (7, 7): write each target as a row, [[…], […]]",
    ),
    (
        {"data": {"y": [0, 1, 2, 3, 0, 1, 2]}, "layers": layers(3), "loss": {"type": "nll"}},
        "data.y",
        "class 3 needs 4 outputs, but linear1.out has shape (N, 3)",
    ),
    (
        {"layers": layers(1), "loss": {"type": "nll"}},
        "data.y",
        "nll takes class indices (N,), but y has shape (7, 1)",
    ),
    (
        {"data": {"y": [0, 1, 0.5, 0, 0, 0, 0]}, "loss": {"type": "cross_entropy"}},
        "data.y",
        "flat targets are class indices, whole numbers from 0, but y[2] is 0.5",
    ),
    (
        {"data": {"y": [0, -1, 0, 0, 0, 0, 0]}, "loss": {"type": "cross_entropy"}},
        "data.y",
        "but y[1] is -1",
    ),
    ({"data": {"y": [[1.0], 2.0]}}, "data.y", "mixes rows and single values"),
    ({"data": {"y": [[1.0], [2.0]]}}, "data.y", "has 2 rows, but x has 7"),
    ({"data": {"x": [[1.0], [2.0, 3.0]]}}, "data.x", "ragged: row 1 has 2 values, row 0 has 1"),
    ({"data": {"x": [], "y": []}}, "data.x", "is empty"),
    ({"data": {"x": [[]], "y": [[1.0]]}}, "data.x", "is empty, shape (1, 0)"),
    (
        {"data": {"x": [[1e300, 1.0]], "y": [[1.0]]}, "dtype": "float32"},
        "data.x",
        "1e+300 at [0, 0] is too large for float32",
    ),
    (
        {"layers": [{"type": "linear", "out": 1, "bias": [-1e39]}], "dtype": "float32"},
        "layers[0].bias",
        "-1e+39 is too large for float32, whose largest is 3.4e+38",
    ),
    (
        {"optimizer": {"type": "sgd", "lr": 1e39}, "dtype": "float32"},
        "optimizer.lr",
        "1e+39 is too large for float32",
    ),
]


@pytest.mark.parametrize(("tables", "path", "said"), SHAPES, ids=lambda v: str(v)[:40])
def test_shapes_and_values_that_do_not_fit(tables, path, said):
    ((where, message),) = problems(document(**tables))
    assert where == path
    assert said in message


def test_a_weight_the_wrong_way_round_is_recognised():
    columns = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]  # (2, 3), but x has 2 columns and out = 3
    raw = document(layers=[{"type": "linear", "out": 3, "weight": columns}, *layers(1)])
    ((_, message),) = problems(raw)
    assert message == "has 2 rows, but out = 3; is it transposed? weights are (out, in)"


def test_absurd_sizes_are_refused_with_their_bytes_before_memory_is_taken():
    found = dict(problems(document(layers=[*layers(10**12), *layers(1)])))
    assert list(found) == ["layers"]
    both = [message for _, message in problems(document(layers=[*layers(10**12), *layers(1)]))]
    assert both[0].startswith("the parameters and their gradients take 64,000,000,000,016 bytes")
    assert both[1].startswith(
        "the outputs of the layers and their gradients take 112,000,000,000,112 bytes "
        "for a batch of 7, more than the limit of 8,589,934,592"
    )


def test_wide_activations_of_a_large_batch_are_refused_too():
    rows = {"x": [[1.0]] * 3000, "y": [[1.0]] * 3000}
    raw = document(data=rows, layers=[*layers(10**6), *layers(1)])
    ((path, message),) = problems(raw)
    assert path == "layers"
    assert "take 48,000,048,000 bytes for a batch of 3000" in message
    small = document(data=rows | {"batch_size": 10}, layers=[*layers(10**6), *layers(1)])
    assert compile_program(read_experiment(small, "test.toml")).batches.size == 10


def test_names_of_layers_are_distinct_also_from_numbered_ones():
    named = [{"type": "relu"}, {"type": "linear", "out": 1, "name": "relu1"}]
    assert problems(document(layers=named)) == [
        ("layers[1].name", "'relu1' is already the name of layer 1")
    ]


def test_long_and_strange_words_are_shortened_and_made_visible():
    long = "\x1b[31m" + "x" * 5000
    ((path, message),) = problems(document(loss={"type": long}))
    assert path == "loss.type"
    assert len(message) < 250
    assert "\x1b" not in message
    ((path, _),) = problems(document() | {"a\n\x1bb": 1})
    assert path == repr("a\n\x1bb")


def test_a_thousand_problems_are_counted_and_the_first_listed():
    raw = document(layers=[{"type": "no"}] * 1000)
    with pytest.raises(ExperimentError) as caught:
        read_experiment(raw, "test.toml")
    lines = str(caught.value).splitlines()
    assert lines[0] == "test.toml: 1000 problems"
    assert (len(lines), lines[-1]) == (52, "  … and 950 more")


FILES = [
    (b"[data\n", "not valid TOML: .*at line 1"),
    (b"seed = 1\nx = = 2\n", "not valid TOML: .*at line 2"),
    (b"seed = 1\nseed = 2\n", "not valid TOML: Cannot overwrite a value .*line 2"),
    (b"\xff\xfe\x00\x01", r"not UTF-8 text \(byte 0\)"),
    (b"name = '\x00'", "not valid TOML"),
    (b"a = " + b"[" * 5000, "not valid TOML"),
    (b"a = " + b"9" * 5000, "not valid TOML"),
    (b"seed = 0x" + b"f" * 5000, "seed: must be .*, not a number of 20000 bits"),
    (b"", "3 problems"),
]


@pytest.mark.parametrize(("content", "said"), FILES, ids=lambda v: str(v[:20]))
def test_files_that_are_no_experiment(tmp_path, content, said):
    path = tmp_path / "some.toml"
    path.write_bytes(content)
    with pytest.raises(GradstepError, match=said) as caught:
        load_experiment(str(path))
    assert str(path) in str(caught.value)


def test_paths_that_are_no_file(tmp_path):
    (tmp_path / "directory.toml").mkdir()
    for name, said in (
        (str(tmp_path / "directory.toml"), "a directory, not a file"),
        (str(tmp_path), "a directory, not a file"),
        (str(tmp_path / "absent.toml"), "No such file"),
        ("irsi", "neither a built-in experiment nor a .toml file; did you mean 'iris'?"),
        ("a\0b", "neither a built-in experiment"),
        ("n" * 5000, "neither a built-in experiment"),
        ("n" * 5000 + ".toml", "File name too long"),
        ("a\0b.toml", "not a path"),
    ):
        with pytest.raises(GradstepError, match=said):
            load_experiment(name)


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path):
    path = tmp_path / "windows.toml"
    text = BASE.format(data="", layer="", loss="", optimizer="", training="")
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    assert load_experiment(str(path)).name == "windows"
