"""On which line a field of a TOML text stands."""

import tomllib

import pytest

from engine.errors import Problem
from engine.toml_lines import located

TEXT = '''# a comment with = and [brackets]
title = "a # b" # and one behind

[data]
x = [  # the first
  [1.0, 2.0],
  [3.0,

   4.0]]
"a.b" = 1
inner = { one = 1, two = [5, 6] }
text = """
first
second = "no key"
"""
literal = \'\'\'one
two\'\'\'
a.b.c = 3

[[layers]]
type = "linear"
[layers.sub]
deep = 1
[[layers]]
type = 'relu' # ]
when = 1979-05-27 07:32:00
'''


@pytest.mark.parametrize(
    ("path", "row", "line"),
    [
        ("title", 0, 2),
        ("data", 0, 4),
        ("data.x", 0, 5),
        ("data.x[0]", 0, 6),
        ("data.x[1][1]", 0, 9),
        ("data.'a.b'", 0, 10),
        ("data.inner.two[1]", 0, 11),
        ("data.text", 2, 14),
        ("data.literal", 2, 17),
        ("data.a.b.c", 0, 18),
        ("layers[0].type", 0, 21),
        ("layers[0].sub.deep", 0, 23),
        ("layers[1]", 0, 24),
        ("layers[1].type", 0, 25),
        ("layers[1].when", 0, 26),
        ("layers[1].missing", 0, 24),
        ("data.missing", 0, 4),
        ("layers", 0, 20),
        ("training", 0, 0),
        ("", 0, 0),
    ],
)
def test_every_kind_of_place(path, row, line):
    assert tomllib.loads(TEXT)
    (found,) = located([Problem(path, "wrong", row)], TEXT)
    assert found.line == line


def test_problems_come_in_the_order_of_the_file():
    problems = [Problem("layers[0].type", "b"), Problem("title", "a")]
    assert [problem.message for problem in located(problems, TEXT)] == ["a", "b"]


@pytest.mark.parametrize(
    "text", ["[", "[[a", "a = [", "a = {b", "=", 'a = """', "]]]", "a.b", "\\"]
)
def test_a_text_that_is_no_toml_ends_too(text):
    assert len(located([Problem("a.b[0]", "wrong")], text)) == 1
