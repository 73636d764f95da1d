"""Whatever is written, an expression raises only its own error and stays within its bounds."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.expressions import values as expression_values
from engine.expressions.expression import ExpressionError, spelling
from engine.functions.language import FUNCTIONS, compile_expression


def check_error(problem, source):
    assert problem.message.isprintable()
    assert 0 <= problem.column <= len(source)


def check(source):
    """Only ExpressionError, and no result over the bound, whatever the source."""
    bounds = {"MAX_ELEMENTS": LIMIT, "MAX_WORK": 2**12}
    try:
        with mock.patch.multiple(expression_values, **bounds):
            result = compile_expression(source, FUZZED).evaluate(FUZZED.__getitem__)
    except ExpressionError as problem:
        return check_error(problem, source)
    assert type(result) in (float, int, bool, np.ndarray)
    assert not isinstance(result, int) or abs(result) < 2**63
    assert np.size(result) <= LIMIT
    return result


LIMIT = 2**9
FUZZED = {
    "x": np.linspace(-2, 2, 12).reshape(4, 3),
    "v": np.linspace(-1, 1, 64).astype(np.float32),
    "t": np.arange(48).reshape(4, 4, 3),
    "m": np.array([True, False]),
    "u": np.array([[200]], np.uint8),
    "h": np.array([1.5, 6e4, np.nan], np.float16),
    "empty": np.empty((3, 0)),
    "column": np.ones((60, 1)),
    "loss": np.float64(1.5),
    "n": 7,
    "b": True,
    "é.weight": np.ones(3),
    "my layer": np.ones(2),
}
SYMBOLS = ["+", "-", "*", "/", "//", "%", "**", "@", "<", "<=", ">", ">=", "==", "!="]
TOKENS = [
    *FUZZED,
    *SYMBOLS,
    *"()[],.:=~&|^@!#'\"\\{}; \t\n\0",
    *("and", "or", "not", "if", "else", "lambda", "for", "in", "is", ":=", "...", "None", "True"),
    *("0", "1", "-1", "2", "0.5", "1e308", "9" * 25, "nan", "inf", "axis=0", "axis=-1", "1j", "0x"),
    *("'x'", 'f"{x}"', 'tensor("my layer")', ".T", ".__class__", "[0]", "[:, 1]", "[..., ::2]"),
    *(
        "abs(",
        "norm(",
        "exp(",
        "where(",
        "clip(",
        "sum(",
        "diag(",
        "dot(",
        "shape(",
        "__",
        "\ud800",
    ),
]


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
def test_random_text(source):
    check(source)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=30), st.sampled_from(["", " "]))
def test_random_tokens(tokens, blank):
    check(blank.join(tokens))


def calls(inner):
    """A call of every function, with the right number of arguments and sometimes an axis."""
    for function in FUNCTIONS.values():
        axes = {"none": [""], "optional": ["", ", axis=0", ", -1"], "required": [", 0", ", 1"]}
        axis = st.sampled_from(axes[function.axis])
        arguments = st.lists(inner, min_size=(n := len(function.parameters)), max_size=n)
        yield st.builds(f"{function.name}({{}}{{}})".format, arguments.map(", ".join), axis)


def grow(inner):
    symbols = st.sampled_from([*SYMBOLS, "and", "or"])
    index = st.sampled_from(["0", "-1", "1:", "::2", "..., 0", "n", ":, None", "0, 0"])
    return st.one_of(
        st.builds("({} {} {})".format, inner, symbols, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}[{}]".format, inner, index),
        st.builds("(-{})".format, inner),
        st.builds("(not {})".format, inner),
        *calls(inner),
    )


NUMBERS = ["0", "1", "-3", "64", "0.5", "1e308", "nan", "-inf", "9223372036854775807"]
LEAVES = st.sampled_from([*map(spelling, FUZZED), *NUMBERS])


@settings(max_examples=600, deadline=None)
@given(st.recursive(LEAVES, grow, max_leaves=6))
def test_random_expressions(source):
    check(source)


def test_the_fuzzed_language_reaches_values_and_the_bound():
    assert check("norm(x) + sum(column)").__class__ is float
    with mock.patch.object(expression_values, "MAX_ELEMENTS", LIMIT):
        expression = compile_expression("column + transpose(column)", FUZZED)
        with pytest.raises(
            ExpressionError, match="needs 3,600 elements of memory; the limit is 512"
        ):
            expression.evaluate(FUZZED.__getitem__)
