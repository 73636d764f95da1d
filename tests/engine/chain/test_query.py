"""What the command and the screen show of a Jacobian: layouts, views, windows, labels, JSON."""

import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.chain.query import SHOWN, complete_at, query
from engine.errors import GradstepError
from engine.jacobian.operator import Layout
from engine.strict_json import strict_json
from tests.engine.small_experiments import session_of


def complete(name):
    session = session_of(name)
    session.goto(complete_at(session.program))
    return session


@pytest.fixture
def regression():
    return complete("regression")


def test_the_documented_example(regression):
    view = query(regression, "relu1.out", "linear1.out")
    shown = json.loads(strict_json(view.as_json(view.corner())))
    active = (regression.tensor("linear1.out")[0] > 0).astype(float)
    documented = {
        "of": "relu1.out", "wrt": "linear1.out", "row_shape": [4], "col_shape": [4],
        "dims": [4, 4], "structure": "diagonal", "nonzeros": 4, "dense_bytes": 128,
        "chain": [{"factor": "∂z₂/∂z₁", "dims": [4, 4], "structure": "diagonal"}],
        "window": {"rows": [0, 4], "cols": [0, 4], "values": np.diag(active).tolist()},
    }  # fmt: skip
    assert {key: shown[key] for key in documented} == documented
    assert (shown["layout"], shown["sample"]) == ("numerator", 0)


@pytest.mark.parametrize(
    ("of", "wrt", "sample", "numerator", "structure"),
    [
        ("loss", "yhat", 0, (1, 2), "dense"),
        ("loss", "yhat", None, (1, 8), "dense"),
        ("loss", "linear1.weight", 0, (1, 12), "dense"),
        ("linear2.out", "relu1.out", 1, (2, 4), "dense"),
        ("linear2.out", "relu1.out", None, (8, 16), "block-diagonal"),
        ("linear1.out", "linear1.weight", 0, (4, 12), "kronecker"),
        ("linear1.out", "linear1.weight", None, (16, 12), "kronecker"),
        ("relu1.out", "x", None, (16, 12), "block-diagonal"),
        ("relu1.out", "linear1.weight", None, (16, 12), "kronecker"),
        ("yhat", "linear2.bias", 0, (2, 2), "identity"),
    ],
)
def test_dims_in_both_views_and_layouts(regression, of, wrt, sample, numerator, structure):
    plain = query(regression, of, wrt, sample)
    turned = query(regression, of, wrt, sample, Layout.GRADIENT)
    assert (plain.dims, plain.jacobian.structure) == (numerator, structure)
    assert (turned.dims, turned.row_shape) == (numerator[::-1], plain.col_shape)
    assert_allclose(turned.window(), plain.window().T)
    assert_allclose(turned.window(slice(1), slice(1)), plain.window(slice(1), slice(1)))
    assert [one.dims for one in turned.terms()] == [
        one.dims[::-1] for one in reversed(plain.terms())
    ]


def test_gradient_layout_turns_the_chain_around(regression):
    view = query(regression, "loss", "linear1.out", 0, Layout.GRADIENT)
    symbols = [one.symbol for one in view.terms()]
    assert symbols == ["(∂z₂/∂z₁)ᵀ", "(∂z₃/∂z₂)ᵀ", "(∂ŷ/∂z₃)ᵀ", "(∂ℓ/∂ŷ)ᵀ"]
    assert [one.dims for one in view.terms()] == [(4, 4), (4, 2), (2, 2), (2, 1)]
    assert view.symbol == "(∂ℓ/∂z₁)ᵀ"


def test_the_gradient_of_a_matrix_in_both_layouts(regression):
    own = query(regression, "loss", "linear1.weight", None, Layout.GRADIENT)
    turned = query(regression, "loss", "linear1.weight", None)
    gradient = regression.tensor("linear1.weight.grad")
    assert (own.matrix_dims, turned.matrix_dims) == ((4, 3), (3, 4))
    assert_allclose(own.matrix(), gradient)
    assert_allclose(turned.matrix(), gradient.T)
    assert_allclose(turned.matrix(slice(1, 3), slice(2, 4)), gradient.T[1:3, 2:4])
    assert_allclose(turned.window()[0], gradient.reshape(-1))
    document = turned.as_json(turned.corner())
    assert document["matrix"] == {"dims": [3, 4], "values": turned.matrix().tolist()}
    for wrt in ("linear1.bias", "linear1.out"):
        other = query(regression, "loss", wrt, None)
        assert other.matrix_dims is None
        with pytest.raises(GradstepError, match="no derivative of the loss by a parameter matrix"):
            other.matrix()


@pytest.mark.parametrize("name", ["regression", "classification-bce"])
def test_samples_add_up_to_the_batch(name):
    """Summed for mse/sum, averaged for bce/mean: what the reduction does with the samples."""
    session = complete(name)
    rows = len(session.tensor("x"))
    alone = [query(session, "loss", "linear1.weight", i).window() for i in range(rows)]
    whole = query(session, "loss", "linear1.weight", None).window()
    combined = np.sum(alone, axis=0) if name == "regression" else np.mean(alone, axis=0)
    assert_allclose(combined, whole, atol=1e-15)


def test_labels(regression):
    view = query(regression, "linear1.out", "linear1.weight", None)
    assert (view.row_label(6), view.col_label(7)) == ("z₁[1, 2]", "W⁽¹⁾[2, 1]")
    turned = query(regression, "loss", "linear1.out", 2, Layout.GRADIENT)
    assert (turned.row_label(3), turned.col_label(0)) == ("z₁[3]", "ℓ")


def test_windows_are_bounded_and_checked(regression):
    big = query(complete("digits"), "linear1.out", "linear1.weight", None)
    corner = big.corner()
    assert corner.values.shape == (SHOWN, SHOWN)
    assert (corner.rows, corner.cols) == ((0, SHOWN), (0, SHOWN))
    view = query(regression, "relu1.out", "linear1.out")
    assert view.part((1, 3), (0, 4)).values.shape == (2, 4)
    with pytest.raises(GradstepError, match="window columns 0:5: ∂z₂/∂z₁ has 4 columns, 0:4"):
        view.part((0, 4), (0, 5))
    with pytest.raises(GradstepError, match="window rows 2:2"):
        view.part((2, 2), (0, 4))


def test_without_values_everything_but_the_window_is_there():
    session = session_of("regression")
    view = query(session, "loss", "linear1.weight")
    document = view.as_json(None, "not yet")
    assert (document["dims"], document["window"], document["missing"]) == ([1, 12], None, "not yet")
    assert [one["dims"] for one in document["chain"]][-1] == [4, 12]
    with pytest.raises(GradstepError, match="the forward phase computes it; go to i1:loss"):
        view.corner()


def test_zero_has_its_reason_in_the_json(regression):
    view = query(regression, "linear1.out", "yhat")
    document = view.as_json(view.corner())
    assert (document["structure"], document["nonzeros"]) == ("zero", 0)
    assert "z₁ is computed before ŷ" in document["reason"]
    assert not np.any(document["window"]["values"])


def test_a_run_ends_with_the_values_of_its_last_iteration(regression):
    regression.goto(regression.program.timeline.end)
    gradient = regression.tensor("linear1.weight.grad")
    view = query(regression, "loss", "linear1.weight", None, Layout.GRADIENT)
    assert_allclose(view.matrix(), gradient)
