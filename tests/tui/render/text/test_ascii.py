"""The drawing in ASCII: a sign for each, as many cells, and whatever there is nothing for."""

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from tui.render.text.ascii import HANDLER, draws, sign

ROOT = Path(__file__).parents[4]
DRAWN = sorted({
    character
    for folder in ("tui", "engine/formulas", "engine/run", "engine/explain", "engine/functions")
    for path in (ROOT / folder).rglob("*.py")
    for character in re.findall(r"[^\x00-\x7f]", path.read_text("utf-8"))
})  # fmt: skip


def test_everything_that_is_drawn_has_a_sign_of_its_width():
    assert len(DRAWN) > 100
    for character in DRAWN:
        found = sign(character)
        assert found.isascii(), character
        assert len(found) == cell_len(character), character
    assert {c for c in DRAWN if "?" in sign(c)} == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("╭─ 1 Program ─╮", "+- 1 Program -+"),
        ("│ ▶ ∂ℓ/∂W⁽¹⁾ += (∂ℓ/∂z₁)ᵀ x", "| > dl/dW(1) += (dl/dz1)T x"),
        ("ŷ = σ(z₃) ✓ 4×2 … μ", "Y = s(z3) v 4x2 . m"),
        ("▁▂▃▄▅▆▇█ ⠀⠁⣿", "_--==### \x20.#"),
        ("漢字 \u0301", "???? "),
        ("💥", "??"),
    ],
)
def test_what_it_looks_like(text, expected):
    assert text.encode("ascii", HANDLER).decode() == expected


def test_what_an_encoding_has_stays():
    assert "é × │".encode("latin-1", HANDLER).decode("latin-1") == "é × |"
    assert draws("utf-8")
    assert not draws("latin-1")
    assert not draws("ascii")
    assert not draws("no such encoding")
