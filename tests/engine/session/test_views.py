"""Views and captions by event, and the lines that they are in a recording."""

import pytest

from engine.session.views import MOST, MOST_TEXT, Told, Views, told_of


def read_again(views: Views) -> Views:
    """The views of a recording of these."""
    found = Views()
    for event, line in views.rows():
        found.read(event, line)
    return found


def test_all_that_is_kept_comes_back_from_its_lines() -> None:
    views = Views()
    views.place = '{"place": 3}'
    views.take(3, "view tensor z1", "heat width 44")
    views.tell(3, Told("1/2 A", 'a "quoted" \\ text\nof two lines'))
    views.tell(8, Told("", "later"))
    views.take(9, "view chain")
    again = read_again(views)
    assert again.rows() == views.rows()
    assert again.place == views.place
    assert again.at(4) == "view tensor z1 heat width 44"
    assert again.captions.at(7) == Told("1/2 A", 'a "quoted" \\ text\nof two lines')
    assert again.captions.at(2) is None
    assert (again.at(8), again.at(9)) == ("view tensor z1 heat width 44", "view chain")


def test_the_last_line_of_an_event_is_the_view_that_older_versions_know() -> None:
    views = Views()
    views.take(3, "view tensor z1", "heat")
    views.tell(5, Told("A", "text"))
    last = dict(views.rows())
    assert last == {3: "view tensor z1", 5: "view tensor z1"}


def test_lines_are_bounded() -> None:
    views = Views()
    for event in range(2 * MOST):
        views.take(event, "view chain", "factor 1")
        views.tell(event, Told("A" * 2 * MOST_TEXT, "B" * 2 * MOST_TEXT))
    assert len(views.rows()) == MOST
    assert max(len(line) for _, line in views.rows()) < 3 * MOST_TEXT


@pytest.mark.parametrize(
    "line",
    ["chapter ", 'chapter "a', 'chapter "a" say', 'chapter "a" say "b', 'chapter "a" say "b" c',
     'chapter "a" hold', "chapter a say b", 'chapter "\\', 'chapter "a"say "b"'],
)  # fmt: skip
def test_a_caption_that_is_none_is_left_out(line: str) -> None:
    assert told_of(line) is None
    views = Views()
    views.read(0, line)
    assert views.rows() == []
