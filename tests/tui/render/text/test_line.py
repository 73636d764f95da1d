"""Lines of spans: exact widths in cells, whatever the characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.lines import text_of
from tui.render.text.line import fit_parts, fitted, shortened, spread, width_of

TEXTS = st.text(st.sampled_from("abc ∂ℓŷ⁽¹⁾界語e\u0301▁█"), max_size=12)
LINES = st.lists(st.tuples(TEXTS, st.sampled_from(["", "dim", "name"])), max_size=5)


def test_widths_are_in_cells():
    assert width_of([("界", ""), ("a", "dim")]) == 3
    assert width_of([("ŷ", "")]) == 1
    assert width_of([]) == 0


def test_a_short_line_is_padded_and_a_long_one_cut_with_an_ellipsis():
    assert fitted([("ab", "name")], 4) == [("ab", "name"), ("  ", "")]
    assert text_of(fitted([("abcdef", "name"), ("gh", "dim")], 4)) == "abc…"
    assert text_of(fitted([("ab", ""), ("cdef", "dim")], 4)) == "abc…"
    assert text_of(fitted([("abcd", "")], 4)) == "abcd"
    assert text_of(fitted([("界界", "")], 3)) == "界…"
    assert text_of(fitted([("a界", "")], 2)) == "a…"
    assert fitted([("ab", "")], 0) == []


@given(LINES, st.integers(0, 30))
def test_a_fitted_line_has_exactly_the_width(line, width):
    made = fitted(line, width)
    assert width_of(made) == width
    assert cell_len(text_of(made)) == width


@given(LINES, LINES, st.integers(0, 30))
def test_spread_keeps_the_right_part_and_the_width(left, right, width):
    made = spread(left, right, width)
    assert width_of(made) == width
    if width_of(right) <= width:
        assert text_of(made).endswith(text_of(right))


def test_the_left_part_is_cut_where_they_meet():
    assert text_of(spread([("abcdef", "")], [("XY", "")], 6)) == "abc…XY"
    assert text_of(spread([("ab", "")], [("XY", "")], 6)) == "ab  XY"


def test_the_least_important_parts_go_first():
    parts = [(1, [("aa", "")]), (0, [("bb", "")]), (2, [("cc", "")]), (2, [("d", "")])]
    assert text_of(fit_parts(parts, 7)) == "aabbccd"
    assert text_of(fit_parts(parts, 6)) == "aabb"
    assert text_of(fit_parts(parts, 3)) == "bb"
    assert text_of(fit_parts(parts, 1)) == "bb"
    assert fit_parts([], 3) == []


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [
        ("linear1.weight", 14, "linear1.weight"),
        ("transformer.3.attention.weight", 16, "transfor….weight"),
        ("transformer.3.attention.bias", 16, "transforme….bias"),
        ("a_very_long_activation", 10, "a_very…ion"),
        ("a.very_long_activation_it_is", 10, "a.very…_is"),
        ("漢字漢字漢字.weight", 12, "漢字….weight"),
        ("linear1.weight", 4, "li…t"),
        ("linear1.weight", 2, "li"),
        ("linear1.weight", 0, ""),
    ],
)
def test_names_are_cut_in_the_middle_so_that_their_end_stays(name, width, shown):
    assert shortened(name, width) == shown
    assert width_of([(shown, "")]) <= width
