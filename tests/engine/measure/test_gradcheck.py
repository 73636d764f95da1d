"""The gradient check finds wrong gradients, says how they are wrong, and lets right ones pass."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from engine.errors import GradstepError
from engine.experiment.builtins import builtin_names
from engine.experiment.dataset import Dataset
from engine.experiment.reader import read_experiment
from engine.functions.elementwise.sigmoid import Sigmoid
from engine.measure.gradcheck import DIRECTIONS, EVERY, check_gradients
from engine.nn.table import LAYERS, LOSSES
from engine.program.compiler import compile_program
from engine.session.session import Session
from tests.engine.lines.networks import network
from tests.engine.small_experiments import built_in, session_of


def program_of(layers, loss="mse", dtype="float64", **data):
    raw = {
        "dtype": dtype,
        "data": {"x": [[0.5, -1.0], [1.5, 0.25], [-0.75, 2.0]], "y": [[1.0], [0.0], [1.0]], **data},
        "layers": layers,
        "loss": {"type": loss, "reduction": "sum"},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }
    return compile_program(read_experiment(raw, "test"))


def linear(out=1, **settings):
    return {"type": "linear", "out": out, **settings}


def gradients(program, tensors, factor=1.0):
    """The program's own gradients, multiplied, as if somebody else had computed them."""
    values = dict(tensors)
    for op in program.ops:
        if op.phase in ("forward", "loss", "backward"):
            values.update(zip(op.writes, op.run(values), strict=False))
    return {one.name: factor * values[f"{one.name}.grad"] for one in program.parameters}


@pytest.mark.parametrize("name", builtin_names())
def test_every_builtin_is_right(name):
    program = built_in(name)
    result = check_gradients(program, program.initial())
    assert result.passed, [one for one in result.parameters if not one.passed]
    data = [name for name in ("x", "y") if program.experiment.training.input_gradient]
    own = [one.name for one in program.parameters]
    assert [one.name for one in result.parameters] == [*own, *data]
    assert sum(one.checked for one in result.parameters) > 0
    assert max(one.relative_error for one in result.parameters) < 1e-5


ACTIVATIONS = [kind for kind in LAYERS if kind not in ("linear", "dropout")]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_every_layer(kind, dtype):
    program = program_of([linear(4), {"type": kind}, linear()], dtype=dtype)
    result = check_gradients(program, program.initial())
    assert result.passed
    assert result.dtype == dtype
    assert max(one.relative_error for one in result.parameters) < 1e-6  # float32 gives 1e-3 here


@pytest.mark.parametrize("kind", [kind for kind, loss in LOSSES.items() if not loss.takes_classes])
def test_every_loss_of_rows(kind):
    signs = {"y": [[1.0], [-1.0], [1.0]]} if LOSSES[kind].labels else {}
    last = {"bce": "sigmoid", "cosine": "identity"}.get(kind, "tanh")
    program = program_of([linear(2), linear(), {"type": last}], loss=kind, **signs)
    assert check_gradients(program, program.initial()).passed


@pytest.mark.parametrize("kind", [kind for kind, loss in LOSSES.items() if loss.takes_classes])
def test_every_loss_of_classes(kind):
    program = program_of([linear(2), {"type": "tanh"}, linear(3)], loss=kind, y=[0, 2, 1])
    assert check_gradients(program, program.initial()).passed


def test_what_stands_at_the_end_of_the_margin_is_left_out():
    """y ŷ = 1 for the last row, where the hinge bends; the bias moves all three."""
    bent = linear(1, weight=[[0.0, 0.5]], bias=[0.0])
    program = program_of([bent], loss="hinge", y=[[1.0], [-1.0], [1.0]])
    result = check_gradients(program, program.initial())
    assert result.passed
    assert "at a kink and left out" in result.parameters[1].note


@pytest.mark.parametrize(
    ("factor", "said"), [(2.0, "2"), (0.25, "1/4"), (-1.0, "−1"), (1 / 3, "1/3"), (1.7, "1.7")]
)
def test_a_constant_ratio_is_named(factor, said):
    program = program_of([linear(3), {"type": "sigmoid"}, linear()])
    tensors = program.initial()
    result = check_gradients(program, tensors, analytic=gradients(program, tensors, factor))
    assert not result.passed
    for one in result.parameters:
        assert one.ratio == pytest.approx(factor, rel=1e-4)
        assert one.note == f"analytic = {said} × numeric: a reduction?"
        assert one.analytic == pytest.approx(factor * one.numeric, rel=1e-4)


def test_one_wrong_element_is_found():
    program = program_of([linear(3), {"type": "sigmoid"}, linear()])
    tensors = program.initial()
    wrong = gradients(program, tensors)
    wrong["linear1.weight"][2, 1] += 0.01
    result = check_gradients(program, tensors, analytic=wrong)
    first = result.parameters[0]
    assert [one.passed for one in result.parameters] == [False, True, True, True]
    assert (first.index, first.ratio, first.note) == ((2, 1), None, "1 of 6 differ")
    assert first.analytic - first.numeric == pytest.approx(0.01, rel=1e-5)


def test_a_wrong_derivative_in_a_layer_is_found(monkeypatch):
    monkeypatch.setattr(Sigmoid, "pull", lambda _, grad, at: grad * at)
    program = program_of([linear(3), {"type": "sigmoid"}, linear()])
    result = check_gradients(program, program.initial())
    assert [one.passed for one in result.parameters] == [False, False, True, True]


@pytest.mark.parametrize(
    "bent", [{"type": "relu"}, {"type": "leaky_relu"}, {"type": "elu", "alpha": 2.0}], ids=str
)
def test_at_a_kink_it_says_so(bent):
    """z₁ = 0 for the second unit whatever x is: its bias stands exactly at the kink."""
    weight, bias = [[0.5, 0.25], [0.0, 0.0]], [0.1, 0.0]
    second = linear(weight=[[1.0, 1.0]], bias=[0.3])
    program = program_of([linear(2, weight=weight, bias=bias), bent, second])
    result = check_gradients(program, program.initial())
    bias_check = result.parameters[1]
    assert (bias_check.name, bias_check.kinks, bias_check.checked) == ("linear1.bias", 1, 1)
    assert bias_check.note == "1 at a kink and left out: the loss bends there"
    assert result.passed


def test_next_to_a_kink_a_smaller_step_is_taken():
    weight, bias = [[0.0, 0.0]], [1e-6]
    program = program_of([linear(weight=weight, bias=bias), {"type": "relu"}, linear()])
    check = check_gradients(program, program.initial()).parameters[1]
    assert (check.kinks, check.passed) == (0, True)
    assert check.step < 1e-6


def test_a_loss_on_its_targets():
    """Two of three targets are met exactly: sign(0) = 0 is the symmetric difference there."""
    program = program_of([linear(weight=[[0.0, 0.0]], bias=[1.0])], loss="l1")
    bias = check_gradients(program, program.initial()).parameters[1]
    assert (bias.analytic, bias.kinks, bias.passed) == (1.0, 0, True)
    assert bias.numeric == pytest.approx(1.0)


def test_next_to_a_kink_of_the_loss_a_smaller_step_is_taken():
    program = program_of([linear(weight=[[0.0, 0.0]], bias=[1.000001])], loss="l1")
    bias = check_gradients(program, program.initial()).parameters[1]
    assert (bias.analytic, bias.kinks, bias.passed) == (3.0, 0, True)
    assert bias.step < 1e-6


def test_where_bce_is_cut_off_it_says_so():
    """At ŷ = σ(−40) the loss falls with slope 1, and PyTorch's gradient is nearly 0."""
    saturated = linear(weight=[[0.0, 0.0]], bias=[-40.0])
    program = program_of([saturated, {"type": "sigmoid"}], loss="bce")
    bias = check_gradients(program, program.initial()).parameters[1]
    assert not bias.passed
    assert bias.numeric == pytest.approx(-2)
    assert bias.note.endswith("bce's gradient is cut off where ŷ(1 − ŷ) < 1e-12, as PyTorch's is")


def wide():
    raw = {
        "dtype": "float32",
        "data": {"x": [[0.0]], "y": [[0.0]]},
        "layers": [linear(300), {"type": "relu"}, linear(300), {"type": "relu"}, linear(2)],
        "loss": {"type": "mse"},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }
    rng = np.random.default_rng(0)
    data = Dataset(
        rng.normal(size=(16, 20)).astype("float32"), rng.normal(size=(16, 2)).astype("float32")
    )
    return compile_program(read_experiment(raw, "wide"), data)


def test_big_networks_are_checked_along_random_directions():
    program = wide()
    tensors = program.initial()
    result = check_gradients(program, tensors)
    assert (result.mode, result.passed) == (DIRECTIONS, True)
    assert all(one.mode == DIRECTIONS and one.checked > 0 for one in result.parameters)
    wrong = gradients(program, {k: v.astype("float64") for k, v in tensors.items()})
    wrong["linear2.weight"][0, 0] += 1
    found = check_gradients(program, tensors, analytic=wrong)
    failed = [one.name for one in found.parameters if not one.passed]
    assert failed == ["linear2.weight"]
    doubled = gradients(program, {k: v.astype("float64") for k, v in tensors.items()}, 2.0)
    ratios = [one.ratio for one in check_gradients(program, tensors, analytic=doubled).parameters]
    assert ratios == pytest.approx([2.0] * 6, rel=1e-3)


def test_the_mode_can_be_chosen():
    program = program_of([linear(3), {"type": "tanh"}, linear()])
    both = [check_gradients(program, program.initial(), mode=mode) for mode in (EVERY, DIRECTIONS)]
    assert [one.parameters[0].checked for one in both] == [6, 8]
    assert all(one.passed for one in both)
    with pytest.raises(GradstepError, match="mode 'all'; allowed"):
        check_gradients(program, program.initial(), mode="all")


def test_nothing_is_changed():
    session = session_of("regression")
    session.goto(len(session.program.ops) + 3)
    before = {name: (value, value.copy()) for name, value in session.tensors.items()}
    check_gradients(session.program, session.tensors)
    assert session.event == session.known == len(session.program.ops) + 3
    assert session.tensors.keys() == before.keys()
    for name, (array, copy) in before.items():
        assert session.tensors[name] is array
        assert_array_equal(array, copy)


def test_what_is_not_finite_fails():
    program = program_of([linear(), {"type": "identity"}])
    tensors = program.initial()
    tensors["linear1.weight"] = np.full((1, 2), np.nan)
    result = check_gradients(program, tensors)
    assert not result.passed
    assert result.parameters[0].note.startswith("not finite")


def test_gradients_too_small_to_tell_are_named():
    saturated = linear(weight=[[0.0, 0.0]], bias=[-60.0])
    program = program_of([saturated, {"type": "sigmoid"}, linear(init="xavier_normal")])
    result = check_gradients(program, program.initial())
    assert result.passed
    assert result.parameters[0].note == "all too small to tell from the rounding of the loss"


def test_a_skipped_phase_leaves_nothing_to_check():
    raw = {
        "data": {"x": [[1.0]], "y": [[1.0]]},
        "layers": [linear()],
        "loss": {"type": "mse"},
        "optimizer": {"type": "sgd", "lr": 0.1},
        "training": {"skip": ["backward"]},
    }
    program = compile_program(read_experiment(raw, "test"))
    with pytest.raises(GradstepError, match="nothing to check: this experiment skips backward"):
        check_gradients(program, program.initial())


def test_gradients_from_outside_must_fit():
    program = program_of([linear()])
    with pytest.raises(GradstepError, match=r"gradient of linear1.bias: there is none"):
        check_gradients(program, program.initial(), analytic={"linear1.weight": np.ones((1, 2))})
    with pytest.raises(GradstepError, match=r"it has shape \(2,\), but .* shape \(1, 2\)"):
        check_gradients(program, program.initial(), analytic={"linear1.weight": np.ones(2)})


def test_the_gradients_of_the_data_are_checked_where_they_are_asked_for() -> None:
    lines = "z = x @ W.T\nloss = mean((z - y)**2)"
    arrays = {"x": np.array([[1.0, 2.0], [0.5, -1.0]]), "y": np.array([[0.5], [1.0]])}
    program = network(lines, None, W=np.array([[0.1, 0.2]]), **arrays)
    found = check_gradients(program, Session(program).tensors)
    assert [one.name for one in found.parameters] == ["W", "x", "y"]
    assert found.passed
    doubled = {name: 2 * np.ones(one.shape) for name, one in program.tensors.items()}
    wrong = check_gradients(program, Session(program).tensors, analytic=doubled)
    assert not any(one.passed for one in wrong.parameters)


def test_a_network_without_parameters() -> None:
    lines = "z = sum(x**2, axis=1)\nloss = mean((z - y)**2)"
    arrays = {"x": np.array([[1e6, 2.0], [0.5, -1.0]]), "y": np.array([0.5, 1.0])}
    program = network(lines, None, **arrays)
    found = check_gradients(program, Session(program).tensors)
    assert [one.name for one in found.parameters] == ["x", "y"]
    assert found.passed
    program = network(lines, {"training": {"input_gradient": False}}, **arrays)
    with pytest.raises(GradstepError, match=r"no parameters.*input_gradient"):
        check_gradients(program, Session(program).tensors)
