"""Formulas broken to a width: nothing is lost, and operators are preferred."""

import numpy as np
import pytest
from rich.cells import cell_len

from tui.render.formula import Value, broken

CHAIN = "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁"
SIZES = "(n×1)(1×K)(K×K)(K×h)(h×h)"
LOSS = "ℓ = 1/K Σᵢ −[yᵢ log σ(W⁽¹⁾x + b⁽¹⁾)ᵢ + (1 − yᵢ) log(1 − σ(W⁽¹⁾x + b⁽¹⁾)ᵢ)]"
TRANSPOSED = "(∂z₂/∂z₁)ᵀ W⁽²⁾ᵀ (∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ xᵀ"
CASES = "1 if i = j and z₁ᵢ > 0, 0.2 if i = j and z₁ᵢ ≤ 0, else 0"


@pytest.mark.parametrize("text", [CHAIN, SIZES, LOSS, TRANSPOSED, CASES, "a" * 40])
@pytest.mark.parametrize("width", [8, 15, 24, 40, 200])
def test_no_character_is_lost_and_every_line_fits(text: str, width: int) -> None:
    lines = list(broken(text, width))
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(map(cell_len, lines)) <= width
    if width == 200:
        assert lines == [text]


def test_lines_begin_with_the_operator_and_break_outside_parentheses() -> None:
    assert list(broken(CHAIN, 22)) == ["x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃", "  · W⁽²⁾ · ∂z₂/∂z₁"]
    assert list(broken(SIZES, 16)) == ["(n×1)(1×K)(K×K)", "  (K×h)(h×h)"]
    assert list(broken("ŷ = σ(W⁽¹⁾x + b⁽¹⁾) + b⁽²⁾", 22)) == ["ŷ = σ(W⁽¹⁾x + b⁽¹⁾)", "  + b⁽²⁾"]


def test_control_characters_are_shown() -> None:
    assert list(broken("a\x1b[31m", 40)) == ["a\\x1b[31m"]


def test_a_value_shows_as_many_columns_as_fit() -> None:
    value = Value(np.arange(32.0).reshape(2, 16))
    for width in (20, 30, 50, 100):
        lines = value.lines(width)
        assert max(map(cell_len, lines)) <= width
        assert lines[-1] == "… of 2×16 values"
    assert Value(np.array([[0.25]])).lines(10) == ("0.2500",)
    assert Value(np.array([[1.0], [0.5]]), turned=True).lines(30) == ("[1.000  0.5000]ᵀ",)
    assert Value(None).lines(60) == ("values: too many to be computed whole",)
