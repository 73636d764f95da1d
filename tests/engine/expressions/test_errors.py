"""What the errors of expressions say, and how names are written and completed."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.expressions.expression import ExpressionError, spelling
from engine.functions.language import compile_expression, complete

TENSORS = {
    "x": np.ones((4, 3)),
    "y": np.ones((4, 3)),
    "v": np.ones(4),
    "loss": np.float64(1.25),
    "loss.grad": np.array(1.0),
    "linear1.weight": np.ones((4, 3), np.float32),
    "linear1.weight.grad": np.ones((4, 3)),
    "my layer.weight": np.ones(4),
    "lambda.weight": np.ones(4),
}


def value(source):
    return compile_expression(source, TENSORS).evaluate(TENSORS.__getitem__)


def error(source):
    with pytest.raises(ExpressionError) as caught:
        value(source)
    return caught.value


ERRORS = {
    "lnear1.weight > 3": (0, "unknown name 'lnear1.weight': did you mean linear1.weight?"),
    "norm(linear1.wieght)": (5, "did you mean linear1.weight?"),
    "2 * nrm(x)": (4, "unknown function 'nrm': did you mean norm?"),
    "x.T": (0, "write transpose(x)"),
    "1 + x.shape[0]": (4, "write shape(x, 0)"),
    "norm > 3": (0, "norm is a function: write norm(x, axis=…)"),
    "my layer.weight > 3": (3, 'write tensor("my layer.weight")'),
    "lambda.weight": (6, 'write tensor("lambda.weight")'),
    'tensor("my layer.wieght")': (7, 'did you mean tensor("my layer.weight")?'),
    "tensor(x)": (0, "one name in quotes"),
    "loss = 3": (5, "to compare, write =="),
    "loss +": (6, "allowed are numbers"),
    "  (loss": (2, "was never closed"),
    "": (0, "an expression is missing"),
    "loss & 1": (0, "write 'and'"),
    "loss is 1": (0, "write =="),
    "max(x, y)": (7, "maximum(x, y)"),
    "clip(x)": (0, "write clip(x, low, high)"),
    "shape(x)": (0, "write shape(x, axis)"),
    "sum(x, axis=loss)": (12, "an axis is a whole number"),
    "sum(x, axis=5)": (0, "axis 5 is beyond the 2 axes of shape (4, 3)"),
    "sum(loss, axis=0)": (0, "axis 0 is beyond the 0 axes"),
    "x + (v) * x": (8, "shapes (4,) and (4, 3) do not broadcast together"),
    "x @ y": (2, "shapes (4, 3) and (4, 3) do not conform"),
    "3 @ 4": (2, "for numbers write *"),
    "1 + x[7, 0]": (5, "out of bounds"),
    "x[0, 0, 0]": (1, "too many indices"),
    "x[1.5]": (2, "a whole number, a slice"),
    "x[True]": (2, "a whole number, a slice"),
    "x[::0]": (1, "slice step cannot be zero"),
    "loss[0]": (4, "a number has no elements"),
    "loss and x": (9, "use any(…)"),
    "0 < x < 1": (2, "use any(…)"),
    "trace(v)": (0, "a matrix, not shape (4,)"),
    "cos_similarity(x, v)": (0, "equal shapes"),
    "99999999999999999999": (0, "64 bits"),
}


@pytest.mark.parametrize("source", ERRORS)
def test_an_error_names_the_column_and_the_remedy(source):
    column, message = ERRORS[source]
    problem = error(source)
    assert (problem.column, problem.text) == (column, source)
    assert message in problem.message


def test_an_error_prints_its_source_with_a_caret_below():
    assert str(error("3 * lnear1.weight")) == (
        "3 * lnear1.weight\n    ^ unknown name 'lnear1.weight': did you mean linear1.weight?"
    )


def test_the_caret_counts_characters_and_wide_ones_twice():
    names = ["é", "重", "x"]
    for source, column, indent in (("é + q", 4, 4), ("重 + q", 4, 5), ("\té+q", 3, 4)):
        with pytest.raises(ExpressionError) as caught:
            compile_expression(source, names)
        assert caught.value.column == column
        assert str(caught.value).split("\n")[1].index("^") == indent


def test_a_long_source_is_shown_around_the_place():
    lines = str(error("loss and " * 20 + "q" + " and loss" * 20)).split("\n")
    assert len(lines[0]) < 80
    assert lines[0].startswith("…")
    assert lines[0].endswith("…")
    assert lines[0][lines[1].index("^")] == "q"


def test_hostile_text_is_shown_as_escapes():
    name = "a\x1b[31m\u202eb.weight"
    with pytest.raises(ExpressionError) as caught:
        compile_expression("a + 1", [name])
    assert r'tensor("a\x1b[31m\u202eb.weight")' in str(caught.value)
    assert str(caught.value).replace("\n", "").isprintable()


def test_an_unknown_quoted_name_is_shown_as_escapes():
    problem = error(r'tensor("\x1b[31m\u202e")')
    assert r"unknown name '\x1b[31m\u202e'" in problem.message


@settings(max_examples=100, deadline=None)
@example(r"back\slash\n.weight", [])
@example("quotes\"'.weight", [])
@example("line\nbreak\\", [])
@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3))
def test_every_name_can_be_written_as_its_spelling(name, others):
    if len(spelling(name)) <= 1000:
        assert compile_expression(spelling(name), {name, *others}).names == {name}


def test_names_that_normalise_alike_are_told_apart_by_quotes():
    names = {"a.ﬁ": 1, "a.fi": 2, "b.ﬁ": 3}
    with pytest.raises(ExpressionError, match="may be several tensors"):
        compile_expression("a.fi", names)
    assert compile_expression('tensor("a.ﬁ")', names).evaluate(names.get) == 1
    assert compile_expression("b.fi + b.ﬁ", names).evaluate(names.get) == 6


def test_a_tensor_hides_a_constant_and_stands_beside_a_function():
    names = {"e": 5, "norm": np.array([3.0, 4.0]), "tensor.weight": 7}
    expression = compile_expression("norm(norm) + e + tensor.weight", names)
    assert expression.evaluate(names.get) == 17.0


def test_completion():
    assert complete("linear1.w", TENSORS) == ["linear1.weight", "linear1.weight.grad"]
    assert complete("2*nor", TENSORS) == ["2*norm("]
    assert complete("lo", TENSORS) == [
        *("loss", "loss.grad", "log(", "log10(", "log2(", "log_softmax("),
    ]
    assert complete("norm(my", TENSORS) == ['norm(tensor("my layer.weight")']
    assert complete("x + tensor('my l", TENSORS) == ['x + tensor("my layer.weight")']
    assert complete("x.__class", TENSORS) == []
    assert complete("in", []) == ["inf"]
