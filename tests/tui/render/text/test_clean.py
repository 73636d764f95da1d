import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.render.text.clean import clean

HOSTILE = {
    "\x1b[31m": r"\x1b[31m",
    "\x00\x07\x7f": r"\x00\x07\x7f",
    "\x9b2J": r"\x9b2J",
    "a\r\nb\tc": r"a\x0d\x0ab\x09c",
    "\u202eevil\u202c": r"\u202eevil\u202c",
    "\u2066\u2069\u200e\u200f\u061c": r"\u2066\u2069\u200e\u200f\u061c",
    "zero\u200bwidth\ufeff\u00ad": r"zero\u200bwidth\ufeff\xad",
    "\u2028\u2029": r"\u2028\u2029",
    "\ud800": r"\ud800",
    "\U000e0041": r"\U000e0041",
    "\u3164\u034f\ufe0f": r"\u3164\u034f\ufe0f",
}


@pytest.mark.parametrize(("text", "shown"), HOSTILE.items(), ids=ascii)
def test_what_is_invisible_or_moves_the_cursor_is_shown(text, shown):
    assert clean(text) == shown


@pytest.mark.parametrize(
    "text", ["σ(z₁)", "∂ℓ/∂W⁽¹⁾", "ŷ", "e\u0301", "重み", "a[/b] [@click=x]", "€😀"]
)
def test_ordinary_text_stays(text):
    assert clean(text) == text


def test_newlines_can_be_kept_and_nothing_else():
    assert clean("a\n\tb\r\n", keep_newlines=True) == "a\n\\x09b\\x0d\n"


@given(st.text(st.characters(codec=None)))
def test_no_character_that_acts_or_hides_remains(text):
    shown = clean(text)
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}
    assert clean(shown) == shown


@given(st.text(st.characters(codec=None)))
def test_only_newlines_remain_when_kept(text):
    shown = clean(text, keep_newlines=True)
    assert shown.count("\n") == text.count("\n")
    assert clean(shown.replace("\n", "")) == shown.replace("\n", "")
