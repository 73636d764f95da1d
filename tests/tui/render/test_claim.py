"""A claim in the chain pane: both chains, place by place, and what is wrong marked."""

import pytest

from engine.answers.asking import asked
from engine.chain.query import complete_at
from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tests.tui.lines import text_of
from tui.render.chain import chain_text
from tui.render.chain_numbers import Room
from tui.render.claim import claim_lines
from tui.render.text.line import Line, width_of
from tui.view.derivative import Derivative
from tui.view.snapshot import Selection, View, snapshot

MISSING = "W1.grad = dl/dyhat dyhat/dz3 dz2/dz1 x"


def view(claim: str, **derivative: str) -> View:
    """What is shown of regression after its first backward, with a claim about it."""
    program = built_in("regression")
    session = Session(program)
    session.goto(complete_at(program))
    chosen = Derivative(**{"of": "loss", "wrt": "linear1.weight"} | derivative)
    return snapshot(Debugger(session), Selection(derivative=chosen, claimed=asked(session, claim)))


def lines(claim: str, width: int = 76, **derivative: str) -> list[str]:
    return [text_of(line).rstrip() for line in claim_lines(view(claim, **derivative), width)]


def roles(found: list[Line], role: str) -> list[str]:
    return [text.strip() for line in found for text, given in line if given == role]


def test_a_missing_factor_is_a_gap_above_the_one_that_belongs_there() -> None:
    assert lines(MISSING) == [
        " claimed: W1.grad = dl/dyhat dyhat/dz3 dz2/dz1 x",
        " wrong: factor missing: W⁽²⁾, between ∂ŷ/∂z₃ and ∂z₂/∂z₁; order of factors:",
        "     x, it belongs first",
        " claimed   ✗  · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ ·  ✗   · ∂z₂/∂z₁ ✗  x",
        "                 1×K     K×K              h×h     n×1",
        " right     x  · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁",
        "          n×1    1×K     K×K     K×h      h×h",
        "",
    ]
    marked = claim_lines(view(MISSING), 76)
    assert roles(marked, "bad")[2:] == ["✗", "✗", "✗", "x"]
    assert roles(marked, "good") == ["x", "W⁽²⁾", ""]


def test_a_right_claim_has_its_dimensions_and_nothing_beside() -> None:
    assert lines("dl/dW1 = x dl/dyhat dyhat/dz3 W2 dz2/dz1")[1:4] == [
        " right",
        " claimed   x  · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁",
        "          n×1    1×K     K×K     K×h      h×h",
    ]


def test_of_what_is_no_chain_there_is_what_was_expected() -> None:
    assert lines("dyhat/dz3 = 1", of="identity1.out", wrt="linear2.out") == [
        " claimed: dyhat/dz3 = 1",
        " wrong: a scalar where a matrix is meant: ∂ŷ/∂z₃, it is K×K, with these on",
        "     its diagonal",
        " claimed  1",
        " right    I",
        "",
    ]
    assert lines("z1 = W1.T x + b1")[-2:] == [" right    W⁽¹⁾x + b⁽¹⁾", ""]


def test_it_stands_over_its_own_derivative_only() -> None:
    assert lines(MISSING, wrt="linear2.weight") == []
    assert lines(MISSING)


@pytest.mark.parametrize("width", range(24, 100, 4))
def test_at_every_width_each_factor_is_there(width: int) -> None:
    found = chain_text(view(MISSING), Room(width, 30, (117, 34))).lines
    assert {width_of(line) for line in found} == {width}
    shown = " ".join(lines(MISSING, width))
    for factor in ("∂ℓ/∂ŷ", "∂ŷ/∂z₃", "W⁽²⁾", "∂z₂/∂z₁", "n×1"):
        assert factor in shown
