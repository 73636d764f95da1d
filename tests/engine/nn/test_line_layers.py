"""Layers as lines: mixed with lines, shared, unfolded, with state; values and errors."""

import time

import numpy as np
import pytest

from engine.errors import ExperimentError
from engine.experiment.dataset import in_lines
from engine.experiment.reader import read_experiment
from engine.measure.gradcheck import check_gradients
from engine.program.compiler import compile_program
from engine.program.evaluation import evaluation
from engine.program.refold import foldable, refolded
from engine.recording.canonical import experiment_text, parse_experiment
from engine.run.drive import run_iteration
from engine.session.session import Session
from tests.engine.plain_run import plain_run, same_tensors, trained
from tests.engine.recording.recordings import opened, record_session, replayed, verdict

RNG = np.random.default_rng(2)
IMAGES = RNG.normal(size=(5, 1, 4, 4)).tolist()
SEQUENCES = RNG.normal(size=(5, 3, 2)).tolist()
ROWS = RNG.normal(size=(5, 2)).tolist()
CONV = {"type": "conv2d", "out": 2, "kernel": 3}
LINEAR = {"type": "linear", "out": 2}
MIXED = {
    "data": {"x": IMAGES, "y": ROWS, "batch_size": 2},
    "layers": [
        CONV,
        {"type": "batch_norm2d"},
        {"type": "relu"},
        {"type": "dropout", "p": 0.25},
        {"type": "flatten"},
        {**LINEAR, "inputs": ["z"], "name": "last"},
    ],
    "parameters": {"W": {"shape": [3, 8]}},
    "network": {"lines": "z = tanh(flatten1.out @ W.T)"},
    "training": {"epochs": 3},
}


def document(**tables):
    """An experiment of rows, mse and SGD, with these tables."""
    plain = {"data": {"x": ROWS, "y": ROWS}, "loss": {"type": "mse"}}
    return plain | {"optimizer": {"type": "sgd", "lr": 0.1}} | tables


def compiled(**tables):
    return compile_program(read_experiment(document(**tables), "file"))


def problems(**tables):
    with pytest.raises(ExperimentError) as caught:
        compiled(**tables)
    return {one.path: one.message for one in caught.value.problems}


def forward_names(program):
    return [op.name for op in program.ops if op.phase == "forward"]


def test_what_reads_what_decides_the_order():
    names = forward_names(compiled(**MIXED))
    buffers = ["batch_norm2d1.running_mean", "batch_norm2d1.running_var"]
    before = ["conv2d1.out", "batch_norm2d1.out", *buffers, "relu1.out", "dropout1.mask"]
    assert names == [*before, "dropout1.out", "flatten1.out", "z", "last.out"]


def test_a_mixed_network_agrees_with_differences():
    program = compiled(**MIXED)
    assert check_gradients(program, program.initial()).passed
    assert {info.layer for info in program.parameters} == {"conv2d1", "batch_norm2d1", "last", None}


def test_back_and_forth_gives_the_same_bits():
    program = compiled(**MIXED)
    states, session = plain_run(program), Session(program)
    session.goto(len(states) - 1)
    for event in (len(states) - 1, 40, 3, 77, 0, 25):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


def test_running_statistics_are_restored():
    session = Session(compiled(**MIXED))
    first = session.tensors["batch_norm2d1.running_mean"]
    assert not first.any()
    session.goto(session.timeline.end)
    assert session.tensors["batch_norm2d1.running_mean"].any()
    session.goto(0)
    assert session.tensors["batch_norm2d1.running_mean"].tobytes() == first.tobytes()
    info = session.program.tensors["batch_norm2d1.running_mean"]
    assert (info.role, info.layer, info.per_sample) == ("buffer", "batch_norm2d1", False)


def test_evaluation_uses_running_statistics_and_drops_nothing():
    program = compiled(**MIXED | {"training": {"epochs": 3, "mode": "eval"}})
    names = forward_names(program)
    assert not [name for name in names if "running" in name or "mask" in name]
    after = trained(program, 1)
    assert not after["batch_norm2d1.running_mean"].any()
    np.testing.assert_allclose(after["batch_norm2d1.out"], after["conv2d1.out"] / np.sqrt(1 + 1e-5))
    assert after["dropout1.out"].tobytes() == after["relu1.out"].tobytes()


def test_the_layers_of_a_chain_are_the_same_in_lines():
    """Values, masks and all tensors, from the same seed: only the way is another."""
    layers = [
        {**LINEAR, "out": 6},
        {"type": "tanh"},
        {"type": "dropout"},
        {**LINEAR, "name": "last"},
    ]
    tables = {"data": {"x": ROWS, "y": ROWS, "batch_size": 2}, "training": {"epochs": 3}}
    chain = compiled(layers=layers, **tables)
    lines = compiled(layers=[{**layers[0], "inputs": ["x"]}, *layers[1:]], **tables)
    assert chain.network.nodes
    assert not lines.network.nodes
    left, right = trained(chain, 8), trained(lines, 8)
    for name in left:
        np.testing.assert_allclose(right[name], left[name], rtol=0, atol=1e-14, err_msg=name)


def test_a_residual_connection():
    layers = [LINEAR, {"type": "relu"}, {"type": "add", "inputs": ["relu1", "x"]}]
    program = compiled(layers=layers)
    after = run_iteration(program, program.initial(), 0)
    np.testing.assert_array_equal(after["add1.out"], after["relu1.out"] + np.array(ROWS))
    assert check_gradients(program, program.initial()).passed


def test_shared_parameters_collect_both_gradients():
    layers = [LINEAR, {"type": "tanh"}, {"type": "linear", "shared": "linear1"}]
    program = compiled(layers=layers)
    assert [info.name for info in program.parameters] == ["linear1.weight", "linear1.bias"]
    adds = [op.name for op in program.ops if op.writes == ("linear1.weight.grad",)]
    of = [f"linear1.weight.grad@{name}.out" for name in ("linear2", "linear1")]
    assert adds == ["linear1.weight.grad", *of]
    assert check_gradients(program, program.initial()).passed


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("unfold", ["recurrent", "all"])
def test_an_unfolded_layer_is_the_folded_one(kind, unfold):
    layers = [{"type": kind, "hidden": 4, "name": "recurrent"}]
    layers += [{"type": "expression", "formula": "z[:, -1]"}, LINEAR]
    data = {"x": SEQUENCES, "y": ROWS}
    folded = compiled(layers=layers, data=data)
    apart = compiled(layers=layers, data=data, network={"unfold": unfold})
    assert forward_names(folded) == ["recurrent.out", "expression1.out", "linear1.out"]
    assert {"recurrent.h[0]", "recurrent.h[1]", "recurrent.h[2]"} <= set(forward_names(apart))
    assert apart.tensors["recurrent.h[2]"].layer == "recurrent"
    left, right = trained(folded, 10), trained(apart, 10)
    assert (
        np.abs(left["recurrent.weight_hh_l0"] - folded.initial()["recurrent.weight_hh_l0"]).max()
        > 1e-3
    )
    for name in left:
        np.testing.assert_allclose(right[name], left[name], rtol=0, atol=1e-12, err_msg=name)
    np.testing.assert_array_equal(right["recurrent.h[2]"], right["recurrent.out"][:, 2])


def test_a_layer_of_one_line_unfolds_into_its_functions():
    program = compiled(layers=[{**LINEAR, "inputs": ["x"]}], network={"unfold": ["linear1"]})
    assert forward_names(program) == ["linear1.out.matmul1", "linear1.out"]


def test_lines_read_the_parameters_of_layers():
    lines = "loss = mean((linear1.out - y)**2) + 0.1*sum(linear1.weight**2)"
    tables = document(layers=[LINEAR], network={"lines": lines})
    del tables["loss"]
    program = compile_program(read_experiment(tables, "file"))
    assert check_gradients(program, program.initial()).passed
    assert "linear1.weight.grad@loss" in [op.name for op in program.ops]


def test_explicit_values_frozen_ones_and_groups():
    weight = RNG.normal(size=(2, 1, 3, 3)).tolist()
    conv = CONV | {"weight": weight, "bias": [1.0, 2.0], "frozen": ["bias"], "lr": 0.5}
    layers = [conv, {"type": "flatten"}, LINEAR]
    program = compiled(layers=layers, data={"x": IMAGES, "y": ROWS})
    first = program.initial()
    np.testing.assert_array_equal(first["conv2d1.weight"], weight)
    after = run_iteration(program, first, 0)
    assert after["conv2d1.bias"].tolist() == [1.0, 2.0]
    moved = first["conv2d1.weight"] - 0.5 * after["conv2d1.weight.grad"]
    np.testing.assert_array_equal(after["conv2d1.weight"], moved)


def test_nested_names_of_values():
    weight = RNG.normal(size=(2, 2)).tolist()
    layers = [{"type": "attention", "out_proj": {"weight": weight}}, {"type": "flatten"}, LINEAR]
    program = compiled(layers=layers, data={"x": SEQUENCES, "y": ROWS})
    np.testing.assert_array_equal(program.initial()["attention1.out_proj.weight"], weight)


def bound(values):
    return np.abs(values).max()


def test_initial_values_are_within_those_of_torch():
    layers = [
        {"type": "conv2d", "out": 40, "kernel": 3, "padding": 1},
        {"type": "conv2d", "out": 40, "kernel": 3, "groups": 4, "padding": 1},
        {"type": "conv_transpose2d", "out": 8, "kernel": 3, "padding": 1},
        {"type": "batch_norm2d"},
        {"type": "reshape", "shape": [4, -1]},
        {"type": "lstm", "hidden": 25},
        {"type": "attention", "heads": 5},
        {"type": "flatten"},
        LINEAR,
    ]
    first = compiled(layers=layers, data={"x": IMAGES, "y": ROWS}).initial()
    wanted = {
        "conv2d1.weight": 1 / 3,
        "conv2d1.bias": 1 / 3,
        "conv2d2.weight": 90**-0.5,
        "conv2d2.bias": 90**-0.5,
        "conv_transpose2d1.weight": 72**-0.5,
        "lstm1.weight_ih_l0": 0.2,
        "lstm1.bias_hh_l0": 0.2,
        "attention1.in_proj_weight": (6 / 100) ** 0.5,
        "attention1.out_proj.weight": 0.2,
    }
    for name, most in wanted.items():
        assert 0.9 * most < bound(first[name]) <= most, name
    assert bound(first["attention1.in_proj_bias"]) == 0
    assert (first["batch_norm2d1.weight"] == 1).all()


def test_an_initializer_of_ones_own():
    layers = [CONV | {"init": "constant", "init_scale": 0.5}, {"type": "flatten"}, LINEAR]
    first = compiled(layers=layers, data={"x": IMAGES, "y": ROWS}).initial()
    assert (first["conv2d1.weight"] == 0.5).all()
    assert (first["conv2d1.bias"] == 0).all()


def test_embeddings_take_integers_and_masks_depend_on_the_iteration():
    words = RNG.integers(0, 4, size=(5, 3)).tolist()
    layers = [{"type": "embedding", "num": 4, "out": 2}, {"type": "dropout"}, {"type": "flatten"}]
    program = compiled(layers=[*layers, LINEAR], data={"x": words, "y": ROWS})
    assert program.tensors["x"].dtype == "int64"
    first, second = trained(program, 1), trained(program, 2)
    assert first["dropout1.mask"].tobytes() != second["dropout1.mask"].tobytes()
    assert trained(program, 1)["dropout1.mask"].tobytes() == first["dropout1.mask"].tobytes()


def test_an_experiment_comes_back_from_its_text():
    weight = RNG.normal(size=(16, 2)).tolist()
    layers = [
        {"type": "lstm", "hidden": 4, "weight_ih_l0": weight, "frozen": ["weight_hh_l0"]},
        {"type": "attention", "heads": 2, "causal": True, "out_proj.bias": [0.0, 1.0, 2.0, 3.0]},
        {"type": "lstm", "shared": "lstm1", "inputs": ["x"], "name": "again"},
        {"type": "add", "inputs": ["attention1", "again"]},
        {"type": "flatten"},
        LINEAR,
    ]
    experiment = read_experiment(document(layers=layers, data={"x": SEQUENCES, "y": ROWS}), "f")
    again = parse_experiment(experiment_text(experiment))
    assert again.layers == experiment.layers
    assert in_lines(again)
    left, right = compile_program(experiment), compile_program(again)
    assert same_tensors(trained(left, 2), trained(right, 2))


ERRORS = [
    ([CONV], {"layers[0]": "x has shape (5, 2); conv2d takes (N, C, H, W)"}),
    (
        [{"type": "flatten", "inputs": ["lineer1"]}, LINEAR],
        {"layers[0].inputs": "flatten1 reads lineer1, which nothing makes: did you mean linear1?"},
    ),
    (
        [{"type": "add", "inputs": ["linear1", "x"]}, LINEAR],
        {"layers[0].inputs": "a cycle: add1 → linear1 → add1"},
    ),
    (
        [{"type": "add", "inputs": ["x"]}],
        {"layers[0].inputs": "add1: add takes 2 or more inputs, not 1"},
    ),
    (
        [{**LINEAR, "inputs": ["x", "x"]}],
        {"layers[0].inputs": "linear1: linear takes 1 inputs, not 2"},
    ),
    (
        [{"type": "embedding", "num": 3, "out": 2}],
        {"layers[0]": "x has shape (5, 2) and holds real numbers; embedding takes whole ones"},
    ),
    (
        [{"type": "reshape", "shape": [3]}],
        {"layers[0].shape": "a sample has 2 elements, which are not (3,)"},
    ),
    (
        [{"type": "group_norm", "groups": 3}, {"type": "layer_norm", "frozen": ["gamma"]}],
        {
            "layers[0].groups": "2 channels make no 3 groups",
        },
    ),
    (
        [{"type": "layer_norm", "frozen": ["gamma"], "weight": [[1.0]]}],
        {
            "layers[0].frozen": "has no parameter gamma: it has weight, bias",
            "layers[0].weight": "has shape (1, 1), but it takes (2,)",
        },
    ),
    (
        [{"type": "layer_norm", "weight": [1.0]}, {"type": "group_norm", "groups": 3}],
        {
            "layers[0].weight": "layer_norm1.weight has shape (1,), but it takes (2,)",
            "layers[1].groups": "2 channels make no 3 groups",
        },
    ),
    (
        [{"type": "layer_norm", "elementwise_affine": False, "weight": [1.0, 2.0]}],
        {"layers[0].weight": "has no parameter weight: it has none of its own"},
    ),
    (
        [{"type": "expression", "formula": "relu(w)"}],
        {"layers[0].formula": "unknown name w: known are z, N"},
    ),
    (
        [LINEAR, {"type": "linear", "out": 3, "shared": "linear1"}],
        {"layers[1].shared": "linear1.weight has shape (2, 2), and here it would take (3, 2)"},
    ),
    ([LINEAR, {"type": "relu", "shared": "linear1"}], {"layers[1].shared": "unknown field"}),
    (
        [{"type": "batch_norm1d"}, {"type": "batch_norm1d", "shared": "batch_norm1d1"}],
        {"layers[1].shared": "keeps running statistics"},
    ),
    (
        [{"type": "batch_norm1d", "weight": "one"}, {"type": "conv2d"}],
        {
            "layers[0].weight": "must be lists of numbers",
            "layers[1].out": "missing",
            "layers[1].kernel": "missing",
        },
    ),
]


@pytest.mark.parametrize(("layers", "said"), ERRORS, ids=[str(list(s)) for _, s in ERRORS])
def test_errors_name_the_field_and_the_shapes(layers, said):
    found = problems(layers=layers)
    for path, message in said.items():
        assert message in found[path]


def test_a_cycle_through_a_line_is_named():
    layers = [{**LINEAR, "inputs": ["z"]}]
    found = problems(layers=layers, network={"lines": "z = tanh(linear1.out)"})
    assert found["layers[0].inputs"] == "a cycle: z → linear1 → z"
    later = "a = tanh(linear1.out)\nz = 2*x"
    found = problems(layers=layers, network={"lines": later})
    assert "the line of z has to stand before that of a" in found["layers[0].inputs"]


def test_names_that_are_taken_and_lines_of_one_sample():
    lines = {"lines": "linear1 = 2*x", "per": "batch"}
    assert "layers[0].name" in problems(layers=[LINEAR], network=lines)
    parameters = {"linear1": {"shape": [2]}}
    assert "layers[0].name" in problems(layers=[LINEAR], parameters=parameters)
    lines = {"lines": "z = 2*x", "per": "sample"}
    assert "network.per" in problems(layers=[LINEAR], network=lines)


@pytest.mark.parametrize(("words", "worst"), [([[0, 4]], 4), ([[-1, 3]], -1)])
def test_indices_that_an_embedding_has_no_row_for(words, worst):
    layers = [{"type": "embedding", "num": 4, "out": 2}, {"type": "flatten"}, LINEAR]
    found = problems(layers=layers, data={"x": words, "y": ROWS[:1]})
    assert found["data.x"] == f"has {worst}, but embedding1 has 4 rows, 0 to 3"


def test_a_batch_of_one_row_has_no_variance():
    data = {"x": ROWS, "y": ROWS, "batch_size": 4}
    found = problems(layers=[{"type": "batch_norm1d"}], data=data)
    assert "(1, 2): a batch of one value a channel has no variance" in found["layers[0]"]


def test_a_recorded_session_is_verified_and_replayed(tmp_path):
    session = Session(compiled(**MIXED))
    session.goto(session.timeline.end)
    record_session(tmp_path / "r.gradstep", session, "full").writer.close()
    assert verdict(tmp_path / "r.gradstep").good
    with opened(tmp_path / "r.gradstep") as recording:
        replay, _ = replayed(recording)
        for event in (0, 50, session.timeline.end):
            replay.goto(event)
            session.goto(event)
            assert same_tensors(replay.tensors, session.tensors)


def test_losses_of_sequences_are_those_of_their_places():
    targets = RNG.normal(size=(5, 3, 2))
    program = compiled(layers=[LINEAR], data={"x": SEQUENCES, "y": targets.tolist()})
    after = run_iteration(program, program.initial(), 0)
    np.testing.assert_allclose(after["loss"], np.mean((after["linear1.out"] - targets) ** 2))
    assert check_gradients(program, program.initial()).passed
    classes = RNG.integers(0, 2, size=(5, 3))
    data = {"x": SEQUENCES, "y": classes.tolist()}
    program = compiled(layers=[LINEAR], data=data, loss={"type": "cross_entropy"})
    after = run_iteration(program, program.initial(), 0)
    logits = after["linear1.out"] - np.log(np.exp(after["linear1.out"]).sum(-1, keepdims=True))
    chosen = np.take_along_axis(logits, classes[..., None], -1)
    np.testing.assert_allclose(after["loss"], -chosen.mean())
    assert check_gradients(program, program.initial()).passed


def test_unfolding_by_word_and_folding_again():
    layers = [{"type": "lstm", "hidden": 2}, {"type": "flatten"}, LINEAR]
    program = compiled(layers=layers, data={"x": SEQUENCES, "y": ROWS})
    names = [foldable(program, "lstm1.out")]
    apart = refolded(program, names)
    assert "lstm1.c[1]" in forward_names(apart)
    assert foldable(apart, "lstm1.c[1]") == "lstm1.out"
    assert forward_names(refolded(apart, [])) == forward_names(program)


def test_an_evaluation_pass_keeps_running_statistics():
    program = compiled(**MIXED)
    tensors = trained(program, 4)
    again = evaluation(program, tensors)
    after = run_iteration(again, again.initial(), 0)
    name = "batch_norm2d1.running_var"
    np.testing.assert_array_equal(after[name], tensors[name])
    deep = compiled(layers=[LINEAR], data={"x": SEQUENCES, "y": SEQUENCES})
    assert evaluation(deep, deep.initial()).tensors["x"].shape == (5, 3, 2)


def test_a_hundred_steps_compile_soon():
    x = RNG.normal(size=(2, 100, 3)).tolist()
    layers = [{"type": "lstm", "hidden": 4}, {"type": "expression", "formula": "z[:, -1]"}, LINEAR]
    start = time.process_time()
    program = compiled(layers=layers, data={"x": x, "y": ROWS[:2]})
    assert time.process_time() - start < 5  # it takes 0.5 s; a walk along each path would not end
    assert all(len(op.formula) < 2000 for op in program.ops)


def test_many_layers_that_a_line_asks_for_at_once():
    layers = [{"type": "tanh"} for _ in range(700)]
    program = compiled(layers=layers, network={"lines": "z = 2*tanh700.out"})
    assert forward_names(program)[-2:] == ["tanh700.out", "z"]


def test_longer_cycles_are_named():
    layers = [{"type": "add", "inputs": ["tanh1", "x"]}, LINEAR, {"type": "tanh"}]
    found = problems(layers=layers, network={"lines": "z = 2*linear1.out"})
    assert found["layers[1].inputs"] == "a cycle: linear1 → add1 → tanh1 → linear1"
    layers = [{**LINEAR, "inputs": ["z"]}, {"type": "tanh"}, {"type": "relu"}]
    found = problems(layers=layers, network={"lines": "z = 2*relu1.out"})
    assert found["layers[0].inputs"] == "a cycle: z → relu1 → tanh1 → linear1 → z"


def test_float32_stays_float32():
    tables = MIXED | {"data": MIXED["data"] | {"batch_size": 5}}
    program = compiled(**tables, dtype="float32")
    after = trained(program, 2)
    odd = {name for name, value in after.items() if value.dtype != np.float32}
    assert odd <= {"training.iteration", "optimizer.lr"}
    for name in after.keys() & program.tensors.keys():
        info = program.tensors[name]
        assert (info.shape, info.dtype) == (after[name].shape, str(after[name].dtype)), name


def test_gradients_of_inputs_of_any_rank():
    training = {"input_gradient": True}
    program = compiled(**MIXED | {"training": training})
    after = run_iteration(program, program.initial(), 0)
    assert after["x.grad"].shape == after["x"].shape
    assert after["x.grad"].any()
