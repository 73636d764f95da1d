"""The doctor on networks of lines: nothing false of healthy ones, and their mistakes found."""

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.doctor import Doctor, diagnose
from engine.diagnostics.line_facts import depths, hidden_units, never_negative
from engine.diagnostics.one_batch import Attempt
from engine.diagnostics.range_test import RangeTester
from engine.measure.metrics import evaluate
from tests.engine.line_networks import KINDS, compiled, text


def experiment(x, y, parameters, lines, more="", head="", loss=""):
    return compiled(
        f"[data]\nx = {x}\ny = {y}\n[parameters]\n{parameters}\n"
        f'[network]\n{head}\nlines = """\n{lines}\n"""\n{loss}\n'
        f'[optimizer]\ntype = "sgd"\nlr = 0.1\n{more}'
    )


def names(program, iterations=12):
    return {one.name: one for one in diagnose(program, iterations)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", KINDS)
def test_nothing_serious_in_healthy_networks(name, seed):
    program = compiled(text(name, seed, batch=8))
    doctor = Doctor(program)
    before = evaluate(program, doctor.tensors)["loss"]
    for _ in doctor.run(program.timeline.iterations):
        pass
    assert evaluate(program, doctor.tensors)["loss"] < 0.95 * before  # it is healthy: it learns
    assert [one for one in doctor.findings() if one.serious] == []


X = np.random.default_rng(0).normal(size=(6, 2)).tolist()


@pytest.mark.parametrize(
    ("y", "lines", "severity"),
    [
        ([0.5, 1, 2, -1, 0, 1], "yhat = x @ w.T\nloss = mean((yhat - y)**2)", Severity.SERIOUS),
        ([[0.5]] * 6, "yhat = (x @ w.T)[:, 0]\nloss = mean((yhat - y)**2)", Severity.SERIOUS),
        ([[0.5]] * 6, "s = sum(x, axis=1)*(x @ w.T)\nloss = mean(s)", Severity.WARNING),
    ],
)
def test_samples_paired_with_each_other(y, lines, severity):
    found = names(experiment(X, y, "w = { shape = [1, 2] }", lines))["paired-samples"]
    assert found.severity == severity
    for shape in ("(6,)", "(6, 1)", "(6, 6)"):
        assert shape in found.evidence


@pytest.mark.parametrize(
    "lines",
    [
        "yhat = x @ w.T\nloss = mean((yhat - y[:, None])**2)",
        "a = x @ w.T\nd = a - a.T\nloss = mean(d**2)",  # (N, 1) − (1, N): meant
        "m = mean(x @ Q, axis=0)\nz = (x @ w.T)*m\nloss = mean(z**2)",  # six features, six rows
    ],
)
def test_samples_not_paired(lines):
    parameters = "w = { shape = [1, 2] }\nQ = { shape = [2, 6] }"
    assert "paired-samples" not in names(experiment(X, [1.0] * 6, parameters, lines))


def test_dead_relu_within_a_line():
    x = np.random.default_rng(1).normal(size=(12, 2)).tolist()
    parameters = "W1 = { shape = [4, 2] }\nb1 = { value = [-50.0, -50.0, -50.0, -50.0] }\n"
    parameters += "W2 = { shape = [1, 4] }"
    lines = "z = 5*relu(x @ W1.T + b1)\nyhat = z @ W2.T\nloss = mean((yhat - y)**2)"
    found = names(experiment(x, [[1.0]] * 12, parameters, lines))["dead-relu"]
    assert (found.severity, found.subject, found.numbers["dead"]) == (Severity.SERIOUS, "z", 4)


def test_a_hinge_that_is_off_is_no_dead_unit():
    program = compiled(text("hinge"))
    assert list(hidden_units(program, ("relu",))) == []
    program = compiled(text("mlp-relu"))
    assert [one.line for one in hidden_units(program, ("relu",))] == ["a1"]


def test_saturated_gates():
    x = np.random.default_rng(1).normal(size=(12, 2)).tolist()
    lines = "h = tanh(x @ W1.T)\nyhat = h @ W2.T\nloss = mean((yhat - y)**2)"
    parameters = (
        'W1 = { shape = [4, 2], init = "normal", init_scale = 100 }\nW2 = { shape = [1, 4] }'
    )
    found = names(experiment(x, [[1.0]] * 12, parameters, lines))["saturated"]
    assert (found.subject, found.severity) == ("h", Severity.SERIOUS)


def test_the_gradient_vanishes_along_a_loop():
    x = np.random.default_rng(1).normal(size=(12, 2)).tolist()
    parameters = 'W = { shape = [3, 3], init = "normal", init_scale = 0.02 }\n'
    parameters += "Wx = { shape = [3, 2] }"
    lines = "h[0] = x @ Wx.T\nfor t in range(1, 6):\n    h[t] = tanh(h[t-1] @ W.T)\n"
    program = experiment(x, [[1.0]] * 12, parameters, lines + "loss = mean((h[5] - y)**2)")
    assert depths(program) == [[f"h[{t}]"] for t in range(6)]
    found = names(program)["vanishing-gradients"]
    assert found.subject == "h[0]"
    assert found.numbers["first_over_last"] < 1e-3


def test_depths_of_what_stands_side_by_side():
    assert depths(compiled(text("attention"))) == [["q", "k", "v"], ["yhat"]]


def test_gradients_of_two_uses_are_no_accumulation():
    assert "accumulated-gradients" not in names(compiled(text("recurrent")))
    skipped = compiled(text("recurrent") + 'skip = ["zero_grad"]\n')
    assert names(skipped)["accumulated-gradients"].serious


def test_not_finite_names_the_op_and_the_operand():
    lines = "s = x @ w.T\nl = log(s)\nloss = mean(l)"
    x = [[-1.0, -2.0], [3.0, 1.0]]
    found = names(experiment(x, [[0.0]] * 2, "w = { value = [[1.0, 1.0]] }", lines))["non-finite"]
    assert found.subject == "l"
    assert "s in -3" in found.evidence


def test_a_parameter_that_no_loss_reads():
    lines = "yhat = x @ w.T\nextra = x @ u.T\nloss = mean((yhat - y)**2)"
    parameters = "w = { shape = [1, 2] }\nu = { shape = [1, 2] }"
    found = names(experiment(X, [[1.0]] * 6, parameters, lines))["never-moves"]
    assert (found.subject, found.severity) == ("u", Severity.WARNING)


def test_a_learning_rate_that_is_too_large():
    program = compiled(text("linear", lr=20.0))
    assert names(program, 40)["loss-rising"].serious


@pytest.mark.parametrize("name", ["mlp", "sample", "classes", "recurrent"])
def test_one_batch_is_learnt(name):
    attempt = Attempt(compiled(text(name, lr=0.2)), 4000)
    for _ in attempt.run():
        pass
    result = attempt.result()
    assert result.floor == 0
    assert result.lowest < 0.4 * result.first


@pytest.mark.parametrize("name", KINDS)
def test_rates_and_one_batch_of_every_kind(name):
    program = compiled(text(name, batch=7))
    tester = RangeTester(program, steps=20)
    assert len(list(tester.run())) > 5
    attempt = Attempt(program, 5)
    assert list(attempt.run())[-1] <= 5


@pytest.mark.parametrize(
    ("name", "never"),
    [
        ("mlp", True),
        ("classes", True),
        ("ridge", True),
        ("lasso", True),
        ("hinge", True),
        ("yes-no", False),
        ("softmax-by-hand", False),
    ],
)
def test_losses_that_are_never_negative(name, never):
    assert never_negative(compiled(text(name)).network) is never


def test_truth_among_numbers():
    """A comparison times a number is cast in between, by a function without a name in lines."""
    lines = "on = x > 0\nyhat = (x*on) @ w.T\nloss = mean((yhat - y)**2)"
    program = experiment(X, [[1.0]] * 6, "w = { shape = [1, 2] }", lines)
    assert not any(one.serious for one in diagnose(program, 6))
    assert never_negative(program.network)
