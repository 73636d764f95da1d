"""TOML whose nesting is bounded."""

import pytest

from engine.toml_text import MAX_PARTS, read_toml


@pytest.mark.parametrize(
    "text",
    [
        "a." * 200_000 + "a = 1",
        "x = {" + "a . " * 200_000 + "a = 1}",
        "[" + '"a b".' * 200_000 + "c]",
        "[[" + "'a'." * 200_000 + "c]]",
        "x = " + "[" * 100_000,
        "x = " + "{a = " * 100_000,
    ],
    ids=["dotted", "inline", "table", "array of tables", "lists", "inline tables"],
)
def test_what_nests_too_deep_is_refused(text):
    with pytest.raises(ValueError, match=r"more than 64 parts \(at line 1\)|nest too deep"):
        read_toml(text)


def test_the_line_of_a_deep_key():
    with pytest.raises(ValueError, match="at line 3"):
        read_toml("a = 1\n\n" + "b." * 100 + "c = 2")


def test_what_people_write_is_read():
    chain = ".".join("a" for _ in range(MAX_PARTS))
    assert read_toml(f"{chain} = 1")["a"]["a"]
    assert read_toml("x = [0.5, 1.5]\ny = 'a.b.c'\n[a.b]\nc = 1e3") == {
        "x": [0.5, 1.5],
        "y": "a.b.c",
        "a": {"b": {"c": 1000.0}},
    }
    with pytest.raises(ValueError, match="at end of document"):
        read_toml("a = ")
