"""Who prints formulas alone computes nothing: values are made where they are looked at."""

from itertools import pairwise

import numpy as np
import pytest

from engine.formulas.product import multiplied
from engine.worksheet.sample import Sample
from engine.worksheet.worksheet import element_rows, forward_rows, gradient_rows
from tests.engine.small_experiments import program


@pytest.fixture
def sample() -> Sample:
    return Sample(program(), 0, 0)


def computed(sample: Sample) -> set[str]:
    """What a sample has computed so far: its columns, and the values of its Jacobians."""
    return {"columns", "values"} & vars(sample).keys()


def test_formulas_need_no_value(sample: Sample) -> None:
    rows = [
        *(row.output.text() for row in forward_rows(sample)),
        *(row.formula("gradient").text() for row in gradient_rows(sample)),
        *(row.rule.text() for row in element_rows(sample)),
    ]
    assert len(rows) == 4 + 4 + 3
    assert computed(sample) == set()


def test_a_value_is_made_once_where_it_is_looked_at(sample: Sample) -> None:
    (row, *_) = gradient_rows(sample)
    first = row.values("numerator")
    assert first is not None
    assert first.shape == (2, 3)
    assert row.values("numerator") is first
    assert computed(sample) == {"columns", "values"}


@pytest.mark.parametrize("sides", [(1, 4, 3, 2), (3, 1, 4, 2), (3, 4, 2, 1), (5, 3, 2, 4), (2, 3)])
def test_a_product_does_not_depend_on_the_order(sides: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    matrices = [rng.normal(size=pair) for pair in pairwise(sides)]
    expected = matrices[0]
    for matrix in matrices[1:]:
        expected = expected @ matrix
    np.testing.assert_allclose(multiplied(matrices), expected, rtol=1e-12)


def test_a_product_with_a_side_of_one_never_makes_a_square() -> None:
    """Otherwise a chain of a hundred layers costs a product of matrices for each of them."""
    made: list[tuple[int, ...]] = []

    class Seen(np.ndarray):
        def __matmul__(self, other):  # type: ignore[no-untyped-def]
            found = np.matmul(np.asarray(self), np.asarray(other)).view(Seen)
            made.append(found.shape)
            return found

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):  # type: ignore[no-untyped-def]
            found = getattr(ufunc, method)(*map(np.asarray, inputs), **kwargs).view(Seen)
            made.append(found.shape)
            return found

    wide = [np.ones((1, 6)), *[np.ones((6, 6))] * 5]
    multiplied([np.ones((4, 1)).view(Seen), *(matrix.view(Seen) for matrix in wide)])
    assert made[-1] == (4, 6)
    assert set(made[:-1]) == {(1, 6)}
