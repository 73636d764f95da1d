"""Update rules as lines: against the rules of the table, a course's numbers, and what is wrong."""

import itertools

import numpy as np
import pytest

from engine.optim.adaptive import Adagrad, RMSprop
from engine.optim.lines import Lines, read_lines, shape_problem
from engine.optim.optimizers import SGD, Adam, AdamW

NUMBERS = {"lr": 0.05, "mu": 0.9, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "wd": 0.1}
ADAM = """
m = beta1*m + (1 - beta1)*g       # the moving averages
v = beta2*v + (1 - beta2)*g**2
mhat = m / (1 - beta1**t)
vhat = v / (1 - beta2**t)
theta = theta - lr*mhat / (sqrt(vhat) + eps)
"""
PAIRS = {
    "sgd": ("theta = theta - lr*g", SGD(lr=0.05)),
    "momentum": ("v = mu*v + g\ntheta = theta - lr*v", SGD(lr=0.05, momentum=0.9)),
    "nesterov": (
        "g = g + wd*theta\nv = mu*v + g\ntheta = theta - lr*(g + mu*v)",
        SGD(lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.1),
    ),
    "adam": (ADAM, Adam(lr=0.05, betas=(0.9, 0.99))),
    "adamw": (
        "theta = theta*(1 - lr*wd)" + ADAM,
        AdamW(lr=0.05, betas=(0.9, 0.99), weight_decay=0.1),
    ),
    "adagrad": ("s = s + g**2\ntheta = theta - lr*g/(sqrt(s) + eps)", Adagrad(lr=0.05, eps=1e-8)),
    "rmsprop": (
        "s = beta2*s + (1 - beta2)*g**2\ntheta = theta - lr*g/(sqrt(s) + eps)",
        RMSprop(lr=0.05, alpha=0.99),
    ),
}


def rule(text, **numbers):
    statements, problems = read_lines(text, numbers)
    assert not problems
    return Lines(statements, numbers)


def steps(found, p, gradients):
    """The parameter after each of the gradients."""
    slots = (None,) * len(found.slots)
    for gradient in gradients:
        p, *slots = found.update(p, gradient, tuple(slots), found.hyper)
        yield p


@pytest.mark.parametrize("name", PAIRS)
def test_ten_steps_are_those_of_the_rule_of_the_table(name):
    text, known = PAIRS[name]
    rng = np.random.default_rng(5)
    start, gradients = rng.normal(size=(3, 2)), rng.normal(size=(10, 3, 2))
    ours = steps(rule(text, **NUMBERS), start, gradients)
    for mine, theirs in zip(ours, steps(known, start, gradients), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-12, atol=1e-12)
        assert not np.array_equal(mine, start)


# Ng, Deep Learning Specialization, course 2 week 2: the exercise "update_parameters_with_momentum".
NG = {
    "W1": (
        [
            [1.6243453636632417, -0.6117564136500754, -0.5281717522634557],
            [-1.0729686221561705, 0.8654076293246785, -2.3015386968802827],
        ],
        [
            [-1.1006191772129212, 1.1447237098396141, 0.9015907205927955],
            [0.5024943389018682, 0.9008559492644118, -0.6837278591743331],
        ],
        [
            [1.62544598, -0.61290114, -0.52907334],
            [-1.07347112, 0.86450677, -2.30085497],
        ],
    ),
    "b1": (
        [[1.74481176421648], [-0.7612069008951028]],
        [[-0.12289022551864817], [-0.9357694342590688]],
        [[1.74493465], [-0.76027113]],
    ),
}


@pytest.mark.parametrize("name", NG)
def test_momentum_as_a_moving_average_gives_the_published_numbers(name):
    start, gradient, published = (np.array(values) for values in NG[name])
    found = rule("v = 0.9*v + 0.1*g\ntheta = theta - lr*v", lr=0.01)
    moved, velocity = found.update(start, gradient, (None,), found.hyper)
    np.testing.assert_allclose(moved, published, rtol=0, atol=1e-8)
    np.testing.assert_allclose(velocity, 0.1 * gradient, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3)], ids=str)
def test_everything_stays_in_the_dtype_and_shape_of_the_parameter(shape, dtype):
    found = rule(ADAM, **NUMBERS)
    given = np.full(shape, 2, dtype)
    results = found.update(given, given, (None, None, None), found.hyper)
    assert [r.dtype for r in results] == [np.dtype(dtype)] * 4
    assert [r.shape for r in results] == [shape, (), shape, shape]
    assert given.tolist() == np.full(shape, 2, dtype).tolist()


def test_what_is_read_before_it_is_assigned_is_kept():
    found = rule("a = b + g\nb = a*2\nc = 3 + t\ntheta = theta - c*d*b\nd = g", lr=0.1)
    assert found.slots == ("t", "b", "d")
    assert found.hyper == {}  # no line reads lr
    one = np.ones(1)
    first = found.update(one, one, (None,) * 3, {})
    assert [float(np.sum(value)) for value in first] == [1.0, 1.0, 2.0, 1.0]
    second = found.update(first[0], one, first[1:], {})
    # a = 2 + 1, b = 6, c = 5, theta = 1 − 5·1·6
    assert [float(np.sum(value)) for value in second] == [-29.0, 2.0, 6.0, 1.0]


def test_formulas_have_the_symbols_of_the_parameter():
    found = rule("g = g + wd*theta\nv = mu*v + g**2\ntheta = theta - lr*g/v", **NUMBERS)
    assert found.equations("W⁽¹⁾") == (
        "g ← ∂ℓ/∂W⁽¹⁾ + wd·W⁽¹⁾",
        "v ← mu·v + g²",
        "W⁽¹⁾ ← W⁽¹⁾ − η·g/v",
    )
    assert found.formula("W⁽¹⁾") == "W⁽¹⁾ − η·g/v"
    plain = rule("theta = theta - 1/g**2 - g/g**3")
    assert plain.equations("b") == ("b ← b − 1/(∂ℓ/∂b)² − ∂ℓ/∂b/(∂ℓ/∂b)^3",)


@pytest.mark.parametrize(
    ("text", "line", "column", "said"),
    [
        ("theta = theta - lr*gg", 1, 20, "unknown name 'gg': did you mean g?"),
        ("\n\n theta = foo(g)", 3, 10, "unknown function 'foo'"),
        ("theta = (g", 1, 9, "'(' was never closed"),
        ("theta = g.real", 1, 9, "unknown name 'g.real'"),
        ("theta = ().__class__", 1, 9, "attribute"),
        ("theta = theta - lr*g = 3", 1, 22, ""),
        ("theta -= lr*g", 1, 7, "-= is not allowed; write theta = theta - …"),
        ("theta == g", 1, 1, "a line is NAME = EXPRESSION"),
        ("theta", 1, 1, "a line is NAME = EXPRESSION"),
        ("import os\ntheta = g", 1, 1, "a line is NAME = EXPRESSION"),
        ("theta[0] = g", 1, 1, "a line is NAME = EXPRESSION"),
        ("lr = lr/2\ntheta = theta - lr*g", 1, 1, "lr is a field of [optimizer]"),
        ("t = t + 1\ntheta = g", 1, 1, "t is the number of the update"),
        ("e = e + g\ntheta = e", 1, 1, "e is a constant"),
        ("lambda = g\ntheta = g", 1, 1, "no word of Python"),
        ("grad = grad + g\ntheta = grad", 1, 1, "grad is the name of the gradient's tensor"),
        ("v = g", 1, 1, "theta is never assigned"),
        ("# theta = g", 1, 1, "theta is never assigned"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, line, column, said):
    problem = read_lines(text, ["lr"])[1][0]
    assert problem[:2] == (line, column)
    assert said in problem.message


def test_every_line_that_is_wrong_is_told():
    _, problems = read_lines("v = h\nw += g\ntheta = k", [])
    assert [problem.line for problem in problems] == [1, 2, 3]
    _, problems = read_lines("theta = g\n" * 101, [])
    assert problems[0].line == 101
    assert "more than the limit of 100" in problems[0].message


@pytest.mark.parametrize(
    ("text", "shape", "said"),
    [
        ("theta = sum(g)", (2, 3), "line 1, column 1: theta has shape (), but the parameter has"),
        ("\nv = mean(v) + 1\ntheta = g", (3,), "line 2, column 1: v has shape ()"),
        ("theta = theta - g@g", (2, 3), "line 1, column 18: shapes (2, 3) and (2, 3) do not conf"),
        ("theta = theta - g[5]", (3,), "line 1, column 18: index 5 is out of bounds"),
    ],
)
def test_shapes_that_do_not_fit_are_found_without_a_run(text, shape, said):
    assert said in str(shape_problem(rule(text), shape, "float64"))


def test_temporaries_may_have_any_shape():
    text = "n = norm(g)\nscale = 1 if n < 1 else 1/n\ntheta = theta - scale*g"
    assert shape_problem(rule(text), (2, 3), "float64") is None
    (moved,) = rule(text).update(np.zeros(2), np.array([3.0, 4.0]), (), {})
    np.testing.assert_allclose(moved, [-0.6, -0.8])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_is_carried_on(bad, dtype):
    found = rule(ADAM, **NUMBERS)
    value = np.array([bad, 1.0], dtype)
    moved = found.update(value, value, (None,) * 3, found.hyper)[0]
    assert np.isnan(moved).tolist() == [True, False]


def test_what_is_too_large_for_float32_is_infinite():
    (moved,) = rule("theta = big*10 + 0*g", big=3e38).update(
        np.zeros(2, "float32"), np.ones(2, "float32"), (), {"big": 3e38}
    )
    assert np.isposinf(moved).all()


def test_a_slow_machine_changes_nothing(monkeypatch):
    """A condition may take two seconds; a run must not depend on how long an update takes."""
    ticks = itertools.count(0, 1000)
    monkeypatch.setattr("engine.expressions.values.clock", lambda: float(next(ticks)))
    many = np.ones(2**17)
    (moved,) = rule("theta = theta - exp(g)*0 - g").update(many, many, (), {})
    assert not moved.any()
    assert next(ticks) > 1000  # the clock was looked at
