"""Windows of large Jacobians: how many VJPs and JVPs they take, and what convolutions look like."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.chain.flow import Flow
from engine.chain.query import query
from engine.session.session import Session
from tests.engine.chain.line_networks import Case, dense, differences, session_of


def convolved(size: int, words: str = "") -> Session:
    """A session of a convolution of images of this size with these options."""
    lines = f"z = conv2d(x, K{words})\na = tanh(z)\nloss = mean(a**2)"
    return session_of(Case("conv", lines, {"K": (3, 2, 3, 3)}, (2, 2, size, size), (2, 1)))


@pytest.fixture
def products(monkeypatch):
    """How many VJPs and JVPs are made."""
    made: list[str] = []
    for name in ("pull", "push"):
        plain = getattr(Flow, name)

        def counted(self, ways, vector, plain=plain, name=name):
            made.append(name)
            return plain(self, ways, vector)

        monkeypatch.setattr(Flow, name, counted)
    return made


@pytest.mark.parametrize(
    ("words", "structure"),
    [("", "toeplitz"), (", padding=1", "toeplitz"), (", stride=2", "toeplitz")],
)
def test_a_convolution_by_its_input_is_toeplitz(words, structure):
    session = convolved(5, words)
    by_x = query(session, "z", "x", None).jacobian
    assert by_x.structure == structure
    expected = differences(session, "z", "x")
    assert_allclose(dense(session, "z", "x"), expected, atol=1e-6)
    assert by_x.nonzeros == np.count_nonzero(np.abs(expected) > 1e-8)
    by_k = query(session, "z", "K", None).jacobian
    expected = differences(session, "z", "K")
    assert_allclose(dense(session, "z", "K"), expected, atol=1e-6)
    assert by_k.nonzeros == np.count_nonzero(np.abs(expected) > 1e-8)
    assert by_k.structure == ("toeplitz" if "padding" in words else "kronecker")


def test_one_sample_of_a_convolution():
    session = convolved(4, ", padding=1")
    for of, wrt in (("z", "x"), ("a", "K")):
        whole = dense(session, of, wrt)
        found = query(session, of, wrt, 1).jacobian
        rows = whole[whole.shape[0] // 2 :]
        part = rows[:, rows.shape[1] // 2 :] if wrt == "x" else rows
        assert_allclose(found.to_dense(), part)
        assert found.nonzeros == np.count_nonzero(part)


def test_a_window_of_a_convolution_takes_no_more_products_than_it_has_rows(products):
    session = convolved(8)
    for wrt in ("K", "x"):
        found = query(session, "z", wrt)
        products.clear()
        assert found.corner(12, 12).values.shape == (12, 12)
        assert 0 < len(products) <= 12


def test_a_window_of_an_embedding_takes_no_more_products_than_it_has_rows(products):
    lines = "emb = C[x]\nh = tanh(reshape(emb, N, 256))\nloss = mean(h**2)"
    case = Case("embedding", lines, {"C": (1000, 64)}, (3, 4), (3, 1), index=1000)
    session = session_of(case)
    found = query(session, "emb", "C")
    assert (found.jacobian.structure, found.jacobian.nonzeros) == ("selection", 256)
    assert found.dims == (256, 64_000)
    products.clear()
    assert not found.corner(12, 12).values.any()
    assert products == []  # no row of the window meets a column of it
    first = int(session.state.tensors["x"][0, 0]) * 64
    values = found.part((0, 12), (first, first + 12)).values
    assert_allclose(values, np.eye(12))
    assert 0 < len(products) <= 12


def test_rows_that_share_no_column_share_a_product(products):
    lines = "z = tanh(x)\nloss = mean(z**2)"
    session = session_of(Case("wide", lines, {"W": (1,)}, (20, 50), (20, 1)))
    jacobian = query(session, "z", "x", None).jacobian
    products.clear()
    values = jacobian.to_dense()
    assert len(products) == 1
    assert_allclose(values, np.diag(1 - np.tanh(session.state.tensors["x"]).reshape(-1) ** 2))
