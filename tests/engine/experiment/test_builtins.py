"""The built-in experiments: healthy ones learn, and each mistake shows what its file promises."""

import math
from functools import cache

import msgspec
import numpy as np
import pytest

from engine.experiment.builtins import BUILTINS, builtin_names
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from engine.run.phases import Phase
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.small_experiments import built_in, session_of

HEALTHY = [
    "regression",
    "classification-mse",
    "classification-bce",
    "classification-relu",
    "iris",
    "digits",
    "xor",
    "deep-relu",
    "homework-2024",
    "batch-norm",
    "rnn",
    "lstm",
    "attention",
    "residual",
    "embedding",
    "backprop-ninja",
    "char-gpt",
    "cnn-digits",
]
MISTAKES = [
    "bug-no-zero-grad",
    "bug-dead-relu",
    "bug-exploding",
    "bug-saturated",
    "bug-log-zero",
    "bug-symmetric-init",
    "bug-double-softmax",
    "bug-frozen",
    "bug-double-sigmoid",
    "bug-float32",
    "bug-imbalance",
    "bug-input-scales",
    "bug-large-init",
    "bug-missing-value",
    "bug-nll-scores",
    "bug-oscillating",
    "bug-summed-loss",
    "bug-tiny-rate",
    "bug-vanishing",
]
HOMEWORK = HEALTHY[:4]
GRAPHS = ["circuit", "micrograd"]  # of single numbers: there is nothing to be learnt


@cache
@cache
def finished(name: str) -> Session:
    session = session_of(name)
    session.goto(session.program.timeline.end)
    return session


def epoch_losses(name: str) -> np.ndarray:
    """The mean loss of every epoch."""
    losses = np.array(finished(name).losses)
    return losses.reshape(built_in(name).experiment.training.epochs, -1).mean(axis=1)


def accuracy(name: str) -> float:
    """The share of all rows that the finished Linear-ReLU-Linear network gets right."""
    tensors, data = finished(name).tensors, built_in(name).data
    hidden = data.x @ tensors["linear1.weight"].T + tensors["linear1.bias"]
    scores = np.maximum(hidden, 0) @ tensors["linear2.weight"].T + tensors["linear2.bias"]
    return float(np.mean(scores.argmax(axis=1) == data.y))


def test_the_list_of_builtins():
    assert sorted(builtin_names()) == sorted([*HEALTHY, *MISTAKES, "deep-sigmoid", *GRAPHS])
    assert builtin_names()[0] == "regression"


@pytest.mark.parametrize("name", builtin_names())
def test_builtin_compiles_and_describes_itself(name):
    program = built_in(name)
    assert program.experiment.name == name
    assert 20 <= len(program.experiment.description) <= 90
    assert (BUILTINS / f"{name}.toml").read_text(encoding="utf-8").startswith("# ")
    assert program.timeline.end > 0


@pytest.mark.parametrize("name", HEALTHY)
def test_loss_of_a_healthy_experiment_falls(name):
    losses = epoch_losses(name)
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    if name in HOMEWORK:
        assert (np.diff(losses) < 0).all()


def test_iris_accuracy():
    assert accuracy("iris") >= 0.96


def test_digits_accuracy():
    assert accuracy("digits") >= 0.95


def test_xor_is_solved():
    outputs = finished("xor").tensor("yhat")
    assert np.array_equal(outputs.round(), [[0.0], [1.0], [1.0], [0.0]])
    assert finished("xor").losses[-1] < 0.01


def test_iris_rows_are_fishers():
    data = built_in("iris").data
    names = np.array(data.classes)[data.y]
    table = np.genfromtxt(BUILTINS / "data/iris.csv", delimiter=",", skip_header=1)[:, :4]
    # Fisher 1936, table II: the means of the species. The UCI file has 3.418 and 0.244 for setosa.
    means = {
        "setosa": [5.006, 3.428, 1.462, 0.246],
        "versicolor": [5.936, 2.770, 4.260, 1.326],
        "virginica": [6.588, 2.974, 5.552, 2.026],
    }
    for species, mean in means.items():
        rows = table[names == species]
        assert len(rows) == 50
        assert rows.mean(axis=0).round(3).tolist() == mean
    assert np.allclose(data.x.mean(axis=0), 0, atol=1e-12)
    assert np.allclose(data.x.std(axis=0), 1)


def test_digits_rows_are_the_test_set_of_uci():
    data = built_in("digits").data
    # The class distribution that UCI states for optdigits.tes.
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert np.bincount(data.y).tolist() == counts
    assert data.x.shape == (1797, 64)
    assert data.x.min() == 0
    assert data.x.max() == 1
    assert np.array_equal(data.x * 16, (data.x * 16).round())


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_data_are_those_of_scikit_learn(name):
    datasets = pytest.importorskip("sklearn.datasets", reason="needs scikit-learn to compare with")
    bunch = getattr(datasets, f"load_{name}")()
    data = built_in(name).data
    labels = np.array(data.classes)[data.y] if data.classes else data.y
    wanted = bunch.target_names[bunch.target]
    assert labels.tolist() == wanted.tolist()
    x = (
        bunch.data / 16
        if name == "digits"
        else (bunch.data - bunch.data.mean(0)) / bunch.data.std(0)
    )
    assert np.allclose(data.x, x, rtol=0, atol=1e-12)


def test_the_homework_networks_share_data_and_initial_values():
    starts = [session_of(name).tensors for name in HOMEWORK]
    names = ["x", "y", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]
    assert [starts[0][name].shape for name in names] == [(4, 3), (4, 2), (4, 3), (4,), (2, 4), (2,)]
    for name in names:
        assert all(np.array_equal(start[name], starts[0][name]) for start in starts)


def test_the_homework_has_active_and_inactive_units_and_no_kink():
    z = session_of("regression", iterations=1).tensors["linear1.out"]
    assert int((z > 0).sum()) == 8
    everything = built_in("regression").data.x
    start = session_of("regression").tensors
    z = everything @ start["linear1.weight"].T + start["linear1.bias"]
    assert np.abs(z).min() > 0.01


def gradient_norms(name: str) -> np.ndarray:
    """The norm of the gradient of each linear layer's weight in the first iteration."""
    tensors = session_of(name, iterations=1).tensors
    return np.array([np.linalg.norm(tensors[f"linear{i}.weight.grad"]) for i in range(1, 11)])


def test_deep_pair_shows_the_vanishing_gradient():
    sigmoid, relu = gradient_norms("deep-sigmoid"), gradient_norms("deep-relu")
    assert sigmoid[0] / sigmoid[-1] < 1e-4
    assert relu[0] / relu[-1] > 0.1
    assert abs(finished("deep-sigmoid").losses[-1] - math.log(2)) < 0.001
    assert finished("deep-relu").losses[-1] < 0.3


def test_deep_pair_differs_in_the_activation_only():
    starts = [session_of(name).tensors for name in ("deep-sigmoid", "deep-relu")]
    assert starts[0].keys() == starts[1].keys()
    assert all(np.array_equal(starts[0][name], starts[1][name]) for name in starts[0])


def test_bug_no_zero_grad_accumulates():
    program = built_in("bug-no-zero-grad")
    assert Phase.ZERO_GRAD not in program.timeline.listing(0).phases()
    healthy, broken = (
        session_of("regression", iterations=1),
        session_of("bug-no-zero-grad", iterations=1),
    )
    first = {info.name: broken.tensors[f"{info.name}.grad"] for info in program.parameters}
    for name, gradient in first.items():  # nothing was there to add to yet
        assert np.array_equal(gradient, healthy.tensors[f"{name}.grad"])
    healthy.step(1, Granularity.ITERATION)
    broken.step(1, Granularity.ITERATION)
    for name, gradient in first.items():
        total = gradient + healthy.tensors[f"{name}.grad"]
        assert np.allclose(broken.tensors[f"{name}.grad"], total, rtol=1e-12)
    assert finished("bug-no-zero-grad").losses[-1] > 10 * finished("regression").losses[-1]


def test_bug_dead_relu_learns_in_the_last_bias_only():
    program = built_in("bug-dead-relu")
    start = session_of("bug-dead-relu").tensors
    z = program.data.x @ start["linear1.weight"].T + start["linear1.bias"]
    assert (z <= 0).all()
    end = finished("bug-dead-relu").tensors
    assert (end["relu1.out"] == 0).all()
    for name in ("linear1.weight", "linear1.bias", "linear2.weight"):
        assert (end[f"{name}.grad"] == 0).all()
        assert np.array_equal(end[name], start[name])
    assert not np.array_equal(end["linear2.bias"], start["linear2.bias"])
    assert np.ptp(finished("bug-dead-relu").tensor("yhat"), axis=0).tolist() == [0, 0]


def test_bug_exploding_leaves_the_numbers():
    losses = np.array(finished("bug-exploding").losses)
    assert np.isfinite(losses[:4]).all()
    assert not np.isfinite(losses[-1])
    assert np.nanmax(losses[np.isfinite(losses)]) > 1e6
    assert np.isnan(finished("bug-exploding").tensors["linear1.weight"]).any()


def test_bug_saturated_is_wrong_and_does_not_move():
    session = finished("bug-saturated")
    start, end = session_of("bug-saturated").tensors, session.tensors
    assert np.abs(session.tensor("yhat") - end["y"]).min() > 0.999
    assert np.abs(end["sigmoid1.out.grad"]).min() > 0.4
    assert np.abs(end["linear1.out.grad"]).max() < 1e-6
    assert np.abs(end["linear1.weight"] - start["linear1.weight"]).max() < 1e-4


def test_bug_log_zero_reaches_the_clamp():
    session = session_of("bug-log-zero", iterations=1)
    outputs, targets = session.tensor("yhat")[:, 0], session.tensors["y"][:, 0]
    stuck = (outputs == 1) & (targets == 0)
    assert stuck.tolist() == [True, True, False, False]
    # Two samples at the clamp of 100, two with −log σ(½), and the mean of the four.
    assert session.losses[0] == pytest.approx((200 + 2 * math.log1p(math.exp(-0.5))) / 4)
    assert (session.tensors["linear1.out.grad"][stuck] == 0).all()
    assert (session.tensors["linear1.out.grad"][~stuck] != 0).all()
    assert finished("bug-log-zero").losses[-1] > 50


def test_bug_symmetric_init_keeps_the_units_equal():
    end = finished("bug-symmetric-init").tensors
    for name in ("linear1.weight", "tanh1.out"):
        units = end[name] if name.endswith("weight") else end[name].T
        assert (units == units[0]).all()
    start = session_of("bug-symmetric-init").tensors
    assert not np.array_equal(end["linear1.weight"], start["linear1.weight"])
    # One unit separates one sample; of the other three one is of the other class.
    floor = 0.75 * (math.log(3) - 2 / 3 * math.log(2))
    assert floor < finished("bug-symmetric-init").losses[-1] < 0.5


def test_bug_double_softmax_has_a_floor():
    layers = built_in("bug-double-softmax").experiment.layer_names
    assert layers == ("linear1", "relu1", "linear2", "softmax1")
    assert accuracy("bug-double-softmax") > 0.9
    assert min(finished("bug-double-softmax").losses) > math.log(1 + 2 / math.e)
    assert epoch_losses("iris")[-1] < 0.2


def test_bug_frozen_has_gradients_and_no_update():
    start, end = session_of("bug-frozen").tensors, finished("bug-frozen").tensors
    for name in ("linear2.weight", "linear2.bias"):
        assert np.abs(end[f"{name}.grad"]).max() > 0
        assert np.array_equal(end[name], start[name])
    assert not np.array_equal(end["linear1.weight"], start["linear1.weight"])
    assert epoch_losses("bug-frozen")[-1] > 1.5 * epoch_losses("regression")[-1]


def losses(name: str, **optimizer: float) -> np.ndarray:
    """The losses of a built-in, with other settings of its optimizer where given."""
    experiment = load_experiment(name)
    settings = msgspec.structs.replace(experiment.optimizer, **optimizer)
    program = compile_program(msgspec.structs.replace(experiment, optimizer=settings))
    session = Session(program)
    session.goto(program.timeline.end)
    return np.array(session.losses)


def test_bug_double_sigmoid_has_a_floor():
    floor = (math.log(2) + math.log1p(math.exp(-1))) / 2
    session = finished("bug-double-sigmoid")
    assert floor < min(session.losses) == pytest.approx(0.6, abs=0.01)
    assert session.tensor("yhat").max() < 1
    assert losses("xor").min() < 0.01


def test_bug_float32_rounds_the_differences_to_multiples_of_128():
    session = session_of("bug-float32", iterations=1)
    difference = session.tensor("yhat").astype(float) - session.tensors["y"].astype(float)
    assert set(np.abs(difference).ravel() % 128) == {0}
    exact = np.mean((200 * np.linspace(-1, 1, 9)) ** 2)
    assert session.losses[0] / exact == pytest.approx(1.31, abs=0.01)
    assert 10_000 < finished("bug-float32").tensors["linear1.weight"].item() < 10_190


def test_bug_imbalance_never_names_the_rare_class():
    program, session = built_in("bug-imbalance"), finished("bug-imbalance")
    assert np.bincount(program.data.y).tolist() == [38, 2]
    assert set(session.tensor("yhat").argmax(axis=1)) == {0}
    assert session.losses[-1] < 0.21


def test_bug_input_scales_has_no_learning_rate():
    large, small = np.abs(
        session_of("bug-input-scales", iterations=1).tensors["linear1.weight.grad"][0]
    )
    assert large > 50_000 * small
    assert finished("bug-input-scales").tensors["linear1.weight"][0, 1] == pytest.approx(0.1)
    assert losses("bug-input-scales", lr=1e-9)[-1] > 1e6


def test_bug_large_init_explodes_backwards():
    tensors = session_of("bug-large-init", iterations=1).tensors
    norms = [np.linalg.norm(tensors[f"linear{i}.out.grad"]) for i in range(1, 9)]
    assert norms[0] > 1000 * norms[-1]
    assert int(tensors["loss"]) == 637


def test_bug_missing_value_spreads():
    data = built_in("bug-missing-value").data
    assert np.argwhere(np.isnan(data.x)).tolist() == [[5, 1]]
    weights = [
        session_of("bug-missing-value", iterations=n).tensors["linear1.weight"] for n in (1, 2)
    ]
    assert [bool(np.isnan(weight).any()) for weight in weights] == [False, True]
    assert np.isnan(finished("bug-missing-value").tensors["linear1.weight"]).all()


def test_bug_nll_scores_falls_without_end():
    falling = epoch_losses("bug-nll-scores")
    assert (np.diff(falling) < 0).all()
    assert falling[-1] < 0


def test_bug_oscillating_settles_with_a_smaller_rate():
    late = losses("bug-oscillating")[30:]
    turns = np.diff(late)[1:] * np.diff(late)[:-1] < 0
    assert turns.mean() > 0.6
    assert late.mean() > 3
    smooth = losses("bug-oscillating", lr=0.02)
    assert (np.diff(smooth) < 0).all()
    assert smooth[-1] < 1


def test_bug_summed_loss_rises_and_its_mean_falls():
    assert max(finished("bug-summed-loss").losses) > 1e6
    assert losses("bug-summed-loss", lr=0.5 / 30)[-5:].max() < 30 * 0.2


def test_bug_tiny_rate_does_next_to_nothing():
    start, end = session_of("bug-tiny-rate").tensors, finished("bug-tiny-rate")
    assert abs(end.losses[-1] - end.losses[0]) < 1e-5
    moved = np.linalg.norm(end.tensors["linear1.weight"] - start["linear1.weight"])
    assert 0 < moved < 1e-5


def test_bug_vanishing_leaves_the_front_where_it_was():
    start, end = session_of("bug-vanishing").tensors, finished("bug-vanishing").tensors
    change = {name: np.abs(end[name] - start[name]).max() for name in start if "linear" in name}
    assert change["linear1.weight"] < 1e-4
    assert change["linear8.bias"] > 0.03
    assert finished("bug-vanishing").losses[-1] == pytest.approx(math.log(2), abs=1e-4)
