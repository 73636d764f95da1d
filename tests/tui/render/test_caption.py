"""Captions: wrapped, in pages, with what is bold."""

import pytest

from tests.tui.lines import text_of
from tui.render.caption import Caption, caption_lines, room_for
from tui.render.text.line import width_of

WORDS = "one two three four five six seven eight nine ten eleven twelve"


def texts(caption: Caption, width: int, height: int) -> list[str]:
    return [text_of(line).rstrip() for line in caption_lines(caption, width, height)]


def test_a_caption_wraps_under_a_rule_with_chapter_and_key() -> None:
    assert texts(Caption("1/2 Forward", ((WORDS, ""),), "Space goes on"), 40, 8) == [
        "── 1/2 Forward ──────── Space goes on ──",
        " one two three four five six seven",
        " eight nine ten eleven twelve",
    ]


@pytest.mark.parametrize("width", [1, 5, 12, 40, 80, 200])
def test_no_line_is_wider_than_the_strip(width: int) -> None:
    caption = Caption("1/2 A long title of a chapter", ((WORDS, "bad"),), "Space goes on")
    rule, *_ = caption_lines(caption, width, 9)
    assert width_of(rule) == width
    if width > 8:
        assert all(width_of(line) <= width for line in caption_lines(caption, width, 9))


def test_a_long_caption_is_read_in_pages_and_says_so() -> None:
    caption = Caption("", tuple((f"line {i}", "") for i in range(5)), "Space goes on")
    assert caption.pages(40, 3) == 3
    assert texts(caption, 40, 3)[1:] == [" line 0", " line 1"]
    assert "Space: more, 1 of 3" in texts(caption, 40, 3)[0]
    last = Caption("", caption.text, caption.hint, page=9)
    assert texts(last, 40, 3)[1:] == [" line 4"]
    assert "Space goes on" in texts(last, 40, 3)[0]


def test_bold_is_a_role_and_its_asterisks_are_gone() -> None:
    _, line = caption_lines(Caption("", (("a **bold word** b * c", "dim"),)), 60, 3)
    assert line == [(" ", ""), ("a ", "dim"), ("bold word", "name"), (" b * c", "dim")]


def test_bold_goes_on_over_the_end_of_a_line() -> None:
    lines = caption_lines(Caption("", (("aaaa **bbbb cccc dddd** eeee", ""),)), 14, 9)
    assert [(text, role) for line in lines[1:] for text, role in line if role] == [
        ("bbbb", "name"), ("cccc dddd", "name"),
    ]  # fmt: skip


def test_breaks_that_were_meant_stay_and_those_of_full_lines_do_not() -> None:
    prose = f"{WORDS} thirteen\nfourteen fifteen\n  an = equation\n\nshort\nlines"
    assert texts(Caption("", ((prose, ""),)), 200, 20)[1:] == [
        f" {WORDS} thirteen fourteen fifteen",
        "   an = equation",
        "",
        " short",
        " lines",
    ]


def test_nothing_of_a_caption_moves_the_cursor() -> None:
    shown = "".join(texts(Caption("\x1b[2J", (("a\x1b[31mb\t**\x07**", ""),), "\x9b"), 60, 5))
    assert shown.isprintable()
    assert "\\x1b[31m" in shown


@pytest.mark.parametrize(("rows", "most"), [(24, 8), (40, 13), (60, 20), (6, 3)])
def test_a_caption_has_a_third_of_the_screen(rows: int, most: int) -> None:
    assert room_for(rows) == most
