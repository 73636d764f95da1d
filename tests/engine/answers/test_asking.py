"""Claims in the debugger: both chains with their dimensions, and the gap marked."""

import pytest

from engine.answers.asking import asked
from engine.errors import GradstepError
from engine.session.session import Session
from tests.engine.answers.graded import bench
from tests.engine.words.line import commands


def session(event: int = 0) -> Session:
    made = Session(bench("regression").program)
    made.goto(event)
    return made


def test_in_gradient_layout_the_right_chain_is_too() -> None:
    claim = "W1.grad = (∂z₂/∂z₁)ᵀ (∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ xᵀ"
    assert asked(session(), claim).lines() == (
        "W1.grad wrong: factor missing: W⁽²⁾, between (∂z₂/∂z₁)ᵀ and (∂ŷ/∂z₃)ᵀ",
        "  claimed  (∂z₂/∂z₁)ᵀ ✗ (∂ŷ/∂z₃)ᵀ · (∂ℓ/∂ŷ)ᵀ ·  xᵀ",
        "              h×h          K×K        K×1      1×n",
        "  right    (∂z₂/∂z₁)ᵀ · W⁽²⁾ᵀ · (∂ŷ/∂z₃)ᵀ · (∂ℓ/∂ŷ)ᵀ ·  xᵀ",
        "              h×h        h×K       K×K        K×1      1×n",
    )


def test_the_numbers_are_those_of_the_place() -> None:
    later = session(len(bench("regression").program.ops))
    claim = "z1 = W1 x + b1"
    assert asked(later, claim).verdict.right
    assert asked(session(), claim).verdict.right


@pytest.mark.parametrize("claim", ["W1.grad", "= x", "z1 =", ""])
def test_what_is_no_equation(claim: str) -> None:
    with pytest.raises(GradstepError, match="a claim is an equation"):
        asked(session(), claim)


def test_a_claim_that_is_wrong_is_a_no() -> None:
    made = commands()
    assert not made.execute("claim dyhat/dz3 = 1").ok
    assert made.execute("claim dyhat/dz3 = I").ok


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        ("dl/dyhat dyhat/dz3 dz2/dz1 x", "factor missing: W⁽²⁾, between"),
        ("dl/dyhat dyhat/dz3 dz2/dz1 x", "order of factors: x, it belongs first"),
        ("dl/dyhat dyhat/dz3 W2 dz2/dz1 dz2/dz1 x", "order of factors: it is x · ∂ℓ/∂ŷ"),
        ("dl/dyhat dyhat/dz3 W2 dz2/dz1 dz2/dz1 x", "factor twice: ∂z₂/∂z₁"),
        ("dl/dyhat dyhat/dz3 W2 dz2/dz1 x", "order of factors: it is x · ∂ℓ/∂ŷ"),
    ],
)
def test_a_factor_in_the_wrong_place_is_said_to_be_that(claim: str, said: str) -> None:
    """Not one too many here and one missing there."""
    found = asked(session(), f"dl/dW1 = {claim}").verdict.message
    assert said in found
    assert "factor missing: x" not in found
