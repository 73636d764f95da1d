"""Tensors whose names have indices, ``h[2]``: written as they are, and the longest wins."""

import numpy as np
import pytest

from engine.expressions.expression import ExpressionError, spelling
from engine.functions.language import compile_expression, complete

NAMES = ("h", "h[2]", "h[2].grad", "h[-1]", "grid[0, 1]", "x", "q[0]", "my layer[2]", "z2.relu1")
VALUES = {name: np.arange(6.0).reshape(2, 3) + 10 * i for i, name in enumerate(NAMES)}


def value(text: str):
    return compile_expression(text, NAMES).evaluate(VALUES.get)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("h[2]", "h[2]"),
        ("h[ 2 ]", "h[2]"),
        ("h[2].grad", "h[2].grad"),
        ("h[-1]", "h[-1]"),
        ("grid[0, 1]", "grid[0, 1]"),
        ("grid[0,1]", "grid[0, 1]"),
        ("z2.relu1", "z2.relu1"),
    ],
)
def test_a_name_with_an_index_is_the_tensor(text: str, read: str) -> None:
    assert compile_expression(text, NAMES).names == {read}
    np.testing.assert_array_equal(value(text), VALUES[read])


@pytest.mark.parametrize(
    ("text", "tensor", "index"),
    [
        ("h[2][0, 1]", "h[2]", (0, 1)),
        ("h[2].grad[1, -1]", "h[2].grad", (1, -1)),
        ("grid[0, 1][1, 2]", "grid[0, 1]", (1, 2)),
        ("h[1]", "h", (1,)),  # no tensor is called h[1]
        ('tensor("h")[0, 2]', "h", (0, 2)),
        ("h[1:2]", "h", (slice(1, 2),)),
    ],
)
def test_what_comes_behind_the_longest_name_is_an_index(text, tensor, index) -> None:
    assert compile_expression(text, NAMES).names == {tensor}
    np.testing.assert_array_equal(value(text), VALUES[tensor][index])


def test_names_with_indices_stand_in_larger_expressions() -> None:
    expected = np.linalg.norm(VALUES["h[2].grad"]) + VALUES["h[-1]"][0, 2]
    assert value("norm(h[2].grad) + h[-1][0, 2]") == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "my layer[2]"])
def test_such_a_name_is_spelled_as_it_is(name: str) -> None:
    assert spelling(name) == name


@pytest.mark.parametrize(
    "name", ["my layer[2]", "h[a]", "h[1:2]", "h[2]x", "h[]", "h[02]", "h[2.5]", "if[2]", "h[1](2)"]
)
def test_other_names_with_brackets_are_quoted(name: str) -> None:
    assert spelling(name) == f'tensor("{name}")'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("q[3]", "unknown name 'q[3]': did you mean q[0]?"),
        ("q[3].grad", "unknown name 'q[3].grad'"),
        ("h[2].T", "attributes cannot be reached: write transpose(h[2])"),
    ],
)
def test_an_unknown_one_is_told_with_its_index(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, NAMES)
    assert said in str(caught.value)


def test_a_bracket_is_completed_to_the_names_that_go_on_so() -> None:
    assert complete("norm(h[", NAMES) == ["norm(h[-1]", "norm(h[2]", "norm(h[2].grad"]
    assert complete("x + h[2].", NAMES) == ["x + h[2].grad"]
    assert "x[x" in complete("x[", NAMES)  # an index of x is an expression of its own
