"""A claim at the command line: it is answered in the chain pane, in its own layout."""

import pytest

from engine.jacobian.operator import Layout
from tests.tui.screen import debugger
from tests.tui.typist import note, run_line
from tui.panes.chain import ChainPane
from tui.render.text.line import Line

SIZES = [(120, 40), (80, 24)]


def first_lines(pane: ChainPane, count: int) -> str:
    found: list[Line] = pane.text(pane.view).lines[:count]
    return "\n".join("".join(text for text, _ in line).rstrip() for line in found)


@pytest.mark.parametrize("size", SIZES)
async def test_a_claim_is_answered_above_the_chain_it_is_about(size):
    async with debugger("regression", size) as shown:
        await shown.press("n", "n", "n")
        await run_line(shown, "claim W1.grad = dl/dyhat dyhat/dz3 dz2/dz1 x")
        pane = shown.main.query_one(ChainPane)
        await shown.until(lambda: pane.has_focus and pane.view is shown.main.view)
        assert shown.main.view.pair == ("loss", "linear1.weight")
        assert "claimed   ✗  · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ ·  ✗   · ∂z₂/∂z₁ ✗  x" in first_lines(pane, 6)
        assert note(shown) == "W1.grad wrong: factor missing; order of factors"
        await shown.press("escape")
        assert shown.main.view.claimed is None
        assert "claimed" not in first_lines(pane, 9)


async def test_the_chain_takes_the_layout_of_the_claim_and_one_sample():
    async with debugger("regression") as shown:
        await shown.press("n", "n", "n", "v")
        assert shown.main.view.derivative.sample is None
        await run_line(shown, "claim W1.grad = (∂z₂/∂z₁)ᵀ (∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ xᵀ")
        await shown.until(lambda: shown.main.view.claimed is not None)
        assert shown.main.view.derivative.layout == Layout.GRADIENT
        assert shown.main.view.derivative.sample == 0


async def test_what_is_not_understood_stays_in_the_console():
    async with debugger("regression") as shown:
        await run_line(shown, "claim W1.grad = sideways")
        await shown.until(lambda: "does not know 'sideways'" in note(shown))
        assert shown.main.view.claimed is None
