"""The expression language against plain NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions.expression import ExpressionError, NotAvailable, truth
from engine.functions.language import FUNCTIONS, compile_expression

RANDOM = np.random.default_rng(3)
x = RANDOM.normal(size=(4, 3))
y = RANDOM.normal(size=(4, 3))
v = RANDOM.normal(size=4)
k = np.array([[3, -1, 0], [7, 2, -5]])
odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5])
TENSORS = {
    "x": x,
    "y": y,
    "v": v,
    "k": k,
    "odd": odd,
    "loss": np.float64(1.25),
    "loss.grad": np.array(1.0),
    "linear1.weight": x.astype(np.float32),
    "linear1.weight.grad": y,
    "optimizer.lr": 0.1,
    "iteration": 7,
    "frozen": True,
    "my layer.weight": v,
    "lambda.weight": v,
    "pending": None,
}


def value(source):
    return compile_expression(source, TENSORS).evaluate(TENSORS.__getitem__)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


W = TENSORS["linear1.weight"]
AGAINST_NUMPY = {
    "x + y * 2 - 1": x + y * 2 - 1,
    "x / y": x / y,
    "x // y": x // y,
    "x % y": x % y,
    "x ** 2": x**2,
    "-x": -x,
    "+x": x,
    "transpose(x) @ y": x.T @ y,
    "v @ x": v @ x,
    "v @ v": float(v @ v),
    "x > y": x > y,
    "x == x": np.full((4, 3), True),
    "linear1.weight * 2": W * np.float32(2),
    "linear1.weight.grad[1, 2]": float(y[1, 2]),
    "x[1]": x[1],
    "x[-1, 0:2]": x[-1, 0:2],
    "x[::2, ...]": x[::2],
    "x[..., 1]": x[:, 1],
    "x[argmax(v), 0]": float(x[np.argmax(v), 0]),
    "x[iteration - 6:]": x[1:],
    "abs(x)": np.abs(x),
    "sqrt(abs(x))": np.sqrt(np.abs(x)),
    "exp(x)": np.exp(x),
    "log(abs(x))": np.log(np.abs(x)),
    "log10(abs(x))": np.log10(np.abs(x)),
    "log2(abs(x))": np.log2(np.abs(x)),
    "sin(x)": np.sin(x),
    "cos(x)": np.cos(x),
    "tanh(x)": np.tanh(x),
    "relu(x)": np.maximum(x, 0),
    "leaky_relu(x)": np.where(x > 0, x, x * 0.01),
    "softplus(x)": np.log1p(np.exp(x)),
    "elu(x)": np.where(x > 0, x, np.expm1(x)),
    "silu(x)": x * sigmoid(x),
    "gelu(x)": x * (0.5 * (1 + np.vectorize(math.erf)(x * math.sqrt(0.5)))),
    "hard_sigmoid(x)": np.clip(x + 3, 0, 6) / 6,
    "hard_tanh(x)": np.clip(x, -1, 1),
    "hard_swish(x)": x * np.clip(x + 3, 0, 6) / 6,
    "selu(x)": 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x)),
    "celu(x)": np.where(x > 0, x, np.expm1(x)),
    "softsign(x)": x / (1 + np.abs(x)),
    "thresholded_relu(x)": np.where(x > 1, x, 0),
    "mish(x)": x * np.tanh(np.log1p(np.exp(x))),
    "softmax(x)": np.exp(x - x.max(-1)[:, None]) / np.exp(x - x.max(-1)[:, None]).sum(-1)[:, None],
    "log_softmax(x)": x - np.log(np.exp(x).sum(axis=-1))[:, None],
    "sign(x)": np.sign(x),
    "floor(x)": np.floor(x),
    "ceil(x)": np.ceil(x),
    "round(x)": np.round(x),
    "minimum(x, y)": np.minimum(x, y),
    "maximum(x, 0.5)": np.maximum(x, 0.5),
    "where(x > 0, x, y)": np.where(x > 0, x, y),
    "clip(x, -0.5, 0.5)": np.clip(x, -0.5, 0.5),
    "isnan(odd)": np.isnan(odd),
    "isinf(odd)": np.isinf(odd),
    "isfinite(odd)": np.isfinite(odd),
    "any(x > 1)": bool(np.any(x > 1)),
    "all(x > -9)": True,
    "any(x > 0, axis=0)": np.any(x > 0, axis=0),
    "sum(x)": float(np.sum(x)),
    "sum(x, axis=1)": np.sum(x, axis=1),
    "sum(x, 0)": np.sum(x, axis=0),
    "mean(x)": float(np.mean(x)),
    "mean(linear1.weight)": float(np.mean(W)),
    "std(x)": float(np.std(x)),
    "std(x, axis=-1)": np.std(x, axis=-1),
    "var(x)": float(np.var(x)),
    "min(x)": float(np.min(x)),
    "max(x, axis=0)": np.max(x, axis=0),
    "argmin(x)": int(np.argmin(x)),
    "argmax(x, axis=1)": np.argmax(x, axis=1),
    "norm(x)": float(np.linalg.norm(x)),
    "norm(transpose(x)[::2])": float(np.linalg.norm(x.T[::2])),
    "norm(x, axis=0)": np.linalg.norm(x, axis=0),
    "dot(v, v)": float(np.dot(v, v)),
    "dot(v, x)": np.dot(v, x),
    "dot(2, x)": np.dot(2, x),
    "trace(x)": float(np.trace(x)),
    "transpose(x)": x.T,
    "diag(v)": np.diag(v),
    "diag(x)": np.diag(x),
    "size(x)": 12,
    "shape(x, 0)": 4,
    "shape(x, axis=-1)": 3,
    "rank(x)": 2,
    "rank(loss)": 0,
    "count_nonzero(k)": 5,
    "count_nonzero(k, axis=0)": np.array([2, 2, 1]),
    "zeros_fraction(k)": 1 / 6,
    "zeros_fraction(k, axis=1)": np.array([1 / 3, 0.0]),
    "cos_similarity(x, x * 3)": 1.0,
    "k // 2 + k % 2": k // 2 + k % 2,
    "k ** -1": np.array([[1 / 3, -1.0, np.inf], [1 / 7, 1 / 2, -1 / 5]]),
    "exp(k > 0)": np.where(k > 0, np.e, 1.0),
    "odd / 0": np.array([np.nan, np.inf, -np.inf, np.nan, np.nan, np.inf]),
}
SCALARS = {
    "loss > 1": True,
    "loss > 1 and iteration == 7": True,
    "loss < 1 or iteration != 7": False,
    "not loss > 1": False,
    "1 < loss < 1.5": True,
    "1 < loss < 1.2": False,
    "loss if frozen else pi": 1.25,
    "loss if not frozen else pi": math.pi,
    "nan == nan": False,
    "-inf < e": True,
    "True + True": 2,
    "7 // 2": 3,
    "-7 // 2": -4,
    "-7 % 3": 2,
    "7 / 2": 3.5,
    "2 ** -1": 0.5,
    "2 ** 62": 2**62,
    "2 ** 63": 2.0**63,
    "10 ** 400": math.inf,
    "(-10) ** 401": -math.inf,
    "2 ** 62 + 2 ** 62": 2.0**63,
    "9223372036854775807 * 9223372036854775807": float((2**63 - 1) ** 2),
    "1 / 0": math.inf,
    "-1 / 0": -math.inf,
    "0 / 0": math.nan,
    "1 // 0": math.inf,
    "1 % 0": math.nan,
    "1.0 // 0.0": math.inf,
    "(-8.0) ** 0.5": math.nan,
    "0 ** -1": math.inf,
    "1e308 * 10": math.inf,
    "1e200 ** 2": math.inf,
    "exp(1000)": math.inf,
    "log(0)": -math.inf,
    "log(-1)": math.nan,
    "abs(-3)": 3,
    "isnan(nan)": True,
    "isinf(loss)": False,
    "norm(-2)": 2.0,
    "sum(loss)": 1.25,
    "sigmoid(0)": 0.5,
    "sigmoid(-1000)": 0.0,
    "sigmoid(1000)": 1.0,
    "relu(-1)": 0,
    "sign(-2)": -1,
    "loss.grad": 1.0,
    "optimizer.lr * 10": 1.0,
    "\titeration  ": 7,
    "1if frozen else 2": 1,
}


@pytest.mark.parametrize("source", AGAINST_NUMPY)
def test_a_tensor_expression_equals_numpy(source):
    expected, actual = AGAINST_NUMPY[source], value(source)
    assert type(expected) is type(actual)
    np.testing.assert_allclose(actual, expected, rtol=1e-15, strict=True)


@pytest.mark.parametrize("source", SCALARS)
def test_a_number_is_python_s_with_ieee_results(source):
    expected, actual = SCALARS[source], value(source)
    assert type(expected) is type(actual)
    assert expected == actual or (math.isnan(expected) and math.isnan(actual))


def test_sigmoid_is_accurate_in_both_tails():
    z = np.array([-700.0, -30.0, -1.0, 0.0, 1.0, 30.0])
    actual = compile_expression("sigmoid(z)", ["z"]).evaluate(lambda name: z)
    np.testing.assert_allclose(actual, sigmoid(z), rtol=1e-12)


def test_every_function_is_compared_with_numpy():
    called = " ".join([*AGAINST_NUMPY, *SCALARS])
    assert [name for name in FUNCTIONS if f"{name}(" not in called] == []


def test_means_of_nothing_are_nan_and_extremes_are_refused():
    empty = {"none": np.empty((0, 2))}
    for name in ("mean", "std", "var", "zeros_fraction"):
        both = compile_expression(f"{name}(none, axis=0)", empty).evaluate(empty.get)
        np.testing.assert_array_equal([np.nan, np.nan], both)
        assert math.isnan(compile_expression(f"{name}(none)", empty).evaluate(empty.get))
    with pytest.raises(ExpressionError, match="zero-size"):
        compile_expression("max(none)", empty).evaluate(empty.get)


def test_only_the_names_of_the_expression_are_read_and_only_as_far_as_needed():
    expression = compile_expression("loss > 10 and norm(linear1.weight.grad) > 3", TENSORS)
    asked = []

    def lookup(name):
        asked.append(name)
        return TENSORS[name]

    assert expression.evaluate(lookup) is False
    assert asked == ["loss"]
    assert expression.names == {"loss", "linear1.weight.grad"}


def test_a_chain_reads_its_middle_once_and_stops_at_the_first_false():
    asked = []

    def lookup(name):
        asked.append(name)
        return {"a": 1, "b": 2, "c": 0}[name]

    assert compile_expression("a < b < c < a", "abc").evaluate(lookup) is False
    assert asked == ["a", "b", "c"]


def test_a_condition_on_what_is_not_computed_yet_is_unmet():
    condition = compile_expression("1 + pending > 0", TENSORS)
    assert condition.holds(TENSORS.get) is False
    with pytest.raises(NotAvailable) as caught:
        condition.evaluate(TENSORS.get)
    assert (caught.value.name, caught.value.column) == ("pending", 4)
    assert compile_expression("loss > 1 or pending", TENSORS).holds(TENSORS.get) is True


def test_the_truth_of_a_tensor_needs_one_element():
    assert truth(np.array([[2.0]])) is True
    assert truth(np.array([0])) is False
    assert truth(0.0) is False
    assert truth(math.nan) is True  # as in Python
    for several in (x, np.empty(0)):
        with pytest.raises(ExpressionError, match=r"any\(…\), all\(…\) or norm\(…\)"):
            truth(several)
    with pytest.raises(ExpressionError, match="use any"):
        compile_expression("x > 0", TENSORS).holds(TENSORS.get)


def test_a_result_is_a_number_or_an_array_of_real_numbers():
    for strange in (np.array(["a"]), np.array([None]), np.array([1j]), "text", [1.0], 1j):
        with pytest.raises(ExpressionError, match=r"real numbers|neither a number nor a tensor"):
            compile_expression("a", "a").evaluate(lambda name, strange=strange: strange)


def test_what_the_lookup_raises_passes_through():
    with pytest.raises(KeyError, match="a"):
        compile_expression("1 + a[a]", "a").evaluate({}.__getitem__)


class Pair:
    """A source in our language and its Python for NumPy."""

    def __init__(self, ours, python):
        self.ours, self.python = ours, python


def leaf(text):
    return Pair(text, text if text in "xyv" else f"f({text})")


LEAVES = st.sampled_from(["x", "y", "v[0]", "loss", "0.5", "2.0", "nan", "inf"]).map(leaf)


def join(form):
    return lambda parts: Pair(
        form.format(*(p.ours for p in parts)), form.format(*(p.python for p in parts))
    )


def grow(inner):
    pair = st.tuples(inner, inner)
    forms = ["({} + {})", "({} - {})", "({} * {})", "({} / {})", "minimum({}, {})"]
    forms += ["(1.0 * ({} < {}))"]
    unary = ["abs({})", "exp({})", "relu(1.0 * {})", "sum({})", "(1.0 * isnan({}))"]
    unary += ["max({})"]
    return st.one_of(
        *(pair.map(join(form)) for form in forms),
        *(st.tuples(inner).map(join(form)) for form in unary),
    )


@settings(max_examples=150, deadline=None)
@given(st.recursive(LEAVES, grow, max_leaves=8))
def test_random_expressions_equal_numpy(pair):
    space = {
        **{name: getattr(np, name) for name in ("minimum", "abs", "exp", "sum", "isnan", "max")},
        **{"x": x, "y": y, "v": v, "loss": np.float64(1.25), "f": np.float64},
        **{"nan": math.nan, "inf": math.inf, "relu": lambda z: np.maximum(z, 0)},
    }
    with np.errstate(all="ignore"):
        expected = eval(pair.python, {"__builtins__": {}}, space)
    np.testing.assert_allclose(value(pair.ours), expected, rtol=1e-14)
