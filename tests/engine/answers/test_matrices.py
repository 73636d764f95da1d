"""Answers that write a matrix out, element by element, or give a single element."""

import contextlib

import pytest

from engine.answers.expr import Expr, Unread
from engine.answers.grammar import Parser
from engine.answers.verdict import COLUMN
from tests.engine.answers.graded import grader, verdict

E1, E2 = "2(ŷ₁ − y₁)", "2(ŷ₂ − y₂)"
DELTA = r"2(\hat y_{%d} - y_{%d})"
W2_GRAD = [[f"{e} z₂{j}" for j in "₁₂₃₄"] for e in (E1, E2)]


def latex(rows: list[list[str]]) -> str:
    inside = r" \\ ".join(" & ".join(row) for row in rows)
    return rf"\begin{{pmatrix}} {inside} \end{{pmatrix}}"


def brackets(rows: list[list[str]]) -> str:
    return ", ".join(", ".join(row).join("[]") for row in rows).join("[]")


RIGHT = [
    ("dl/dyhat", f"[{E1}, {E2}]"),
    ("dl/dyhat", f"[[{E1}, {E2}]]"),
    ("∂ℓ/∂ŷ", latex([[DELTA % (1, 1), DELTA % (2, 2)]])),
    ("W2.grad", brackets(W2_GRAD)),
    ("W2.grad", "; ".join(", ".join(row) for row in W2_GRAD).join("[]")),
    ("W2.grad", latex([[f"{DELTA % (i, i)} z_{{2,{j}}}" for j in range(1, 5)] for i in (1, 2)])),
    ("dz3/dz2", latex([[f"w^{{(2)}}_{{{i}{j}}}" for j in range(1, 5)] for i in (1, 2)])),
    ("dz3/dz2", brackets([[f"W2_{{{i},{j}}}" for j in range(1, 5)] for i in (1, 2)])),
    ("dyhat/dz3", "[[1, 0], [0, 1]] [[1, 0], [0, 1]]"),
    ("loss", "(ŷ₁ − y₁)² + (ŷ₂ − y₂)²"),
    ("loss", r"(\hat{y}_1 - y_1)^2 + (\hat{y}_2 - y_2)^2"),
    ("∂ℓ/∂ŷ₁", E1),
    (r"\frac{\partial \ell}{\partial \hat y_2}", DELTA % (2, 2)),
    (r"\frac{\partial \ell}{\partial W^{(2)}_{12}}", f"{E1} z₂₂"),
    ("∂z_{3,1}/∂z_{2,2}", "W^{(2)}_{1,2}"),
    ("z_{1,3}", "W1_{31} x_1 + W1_{32} x_2 + W1_{33} x_3 + b1_3"),
]


@pytest.mark.parametrize(("of", "said"), RIGHT)
def test_right(of: str, said: str) -> None:
    found = verdict("regression", of, said)
    assert (found.verdict, found.message) == ("right", "; ".join(found.notes))


def test_a_matrix_in_a_product() -> None:
    diagonal = [[f"[z_{{1,{i}}} > 0]" if i == j else "0" for j in range(1, 5)] for i in range(1, 5)]
    said = f"dl/dyhat dyhat/dz3 W2 {brackets(diagonal)}"
    assert verdict("regression", "b1.grad", said).verdict == "right"


def test_the_element_that_is_wrong_is_named_in_whichever_layout() -> None:
    rows = [list(row) for row in W2_GRAD]
    rows[1][3] = f"{E1} z₂₄"
    found = verdict("regression", "W2.grad", brackets(rows))
    assert found.verdict == "wrong"
    assert found.mistakes[0].reason == "the first element that differs"
    assert found.mistakes[0].detail.startswith("[1, 3] is ")


def test_a_column_for_a_row() -> None:
    found = verdict("regression", "dl/dyhat", f"[{E1}; {E2}]", layout="numerator")
    assert (found.verdict, found.mistakes[0].reason) == ("nearly", COLUMN)


@pytest.mark.parametrize(
    ("of", "said", "problem"),
    [
        ("dl/dyhat", f"[{E1}]", "1×2"),
        ("dl/dyhat", f"[[{E1}, {E2}], [{E1}]]", "rows of a matrix are of one length"),
        ("∂ℓ/∂ŷ₃", "0", "∂ℓ/∂ŷ is 2×1, and has no element 3"),
        ("dl/dyhat", f"[{E1}, z₂]", "the cells of a matrix do not fit"),
        ("dl/dyhat", f"[{E1}, ŷ₃]", "has no element with the indices 3"),
        ("dl/dyhat", f"[{E1}, ŷ₀]", "has no element with the indices 0"),
        ("dl/dW2_{i1}", E1, "one index is a number and the other a letter"),
    ],
)
def test_what_is_wrong(of: str, said: str, problem: str) -> None:
    found = verdict("regression", of, said)
    assert found.verdict in ("wrong", "not understood")
    assert problem in found.message


def test_a_condition_in_brackets_is_no_matrix() -> None:
    assert verdict("regression", "dz2/dz1", "diag([z1 > 0, z1 < 9999])").verdict == "right"
    assert verdict("regression", "dl/dyhat", "2 [(yhat - y).T]").verdict == "right"


@pytest.mark.parametrize("inside", ["z1 > 0", "1", "1, 2", "("])
def test_brackets_in_brackets_cost_what_they_are_long(inside: str) -> None:
    parser = Parser("[" * 30 + inside + "]" * 30, grader("regression").bench.names)
    asked = 0
    cells = parser.sum

    def counted() -> Expr:
        nonlocal asked
        asked += 1
        return cells()

    parser.sum = counted  # type: ignore[method-assign]
    with contextlib.suppress(Unread):
        parser.whole()
    assert asked < 2500
