"""Lessons read from text: the words that they have besides those of the command line."""

from pathlib import Path

import pytest

from engine.errors import GradstepError
from engine.lesson.reader import MAX_BYTES, LessonError, is_lesson, load_lesson, read_lesson
from engine.lesson.steps import (
    AnyStep,
    Ask,
    Chapter,
    Hide,
    Hold,
    Note,
    Play,
    Reveal,
    Say,
    Show,
    Typed,
)


def steps(*lines: str) -> tuple[AnyStep, ...]:
    return read_lesson("\n".join(["open regression", *lines]), "a.lesson").steps


def problems(*lines: str) -> list[str]:
    with pytest.raises(LessonError) as raised:
        read_lesson("\n".join(lines), "a.lesson")
    return str(raised.value).splitlines()


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("hold", Hold(2)),
        ('say "one **line**"', Say(2, "one **line**")),
        (r'say "a \"quote\" and \frac"', Say(2, r'a "quote" and \frac')),
        ('note "ask for it"', Note(2, "ask for it")),
        ("view tensor z1 heat", Show(2, "tensor", "z1", face="heat")),
        (
            "view chain z1 factor 2 width 44 height 9",
            Show(2, "chain", "z1", factor=2, width=44, height=9),
        ),
        ('chapter "Backward"', Chapter(2, "Backward")),
        ("chapter", Typed(2, "chapter", "chapter")),
        ("  next", Typed(2, "next", "n")),
        ("b backward if norm(W1.grad) > 1", Typed(2, "b backward if norm(W1.grad) > 1", "b")),
        ("versus classification-bce", Typed(2, "versus classification-bce", "versus")),
        ("view chain W1.grad", Show(2, "chain", "W1.grad")),
        ("view tensor z1 zoom", Show(2, "tensor", "z1", zoom=True)),
        ("view jacobian dz2/dz1 batch", Show(2, "jacobian", "z2", "z1", sample=-1)),
        ("view chain z1 sample 3 gradient", Show(2, "chain", "z1", "", False, 3, "gradient")),
        ("play 6 at 2/s", Play(2, "6s", 2.0)),
        ("play n at 0.5/s", Play(2, "n", 0.5)),
        ("play to backward at 4 / s", Play(2, "to backward", 4.0)),
        ("hide z2", Hide(2, "cells", ("z2",))),
        ("hide sizes W1.grad z1", Hide(2, "sizes", ("W1.grad", "z1"))),
        ("hide formulas", Hide(2, "formulas")),
        ("hide next", Hide(2, "next")),
        ("reveal", Reveal(2)),
        ('ask "Size?" = shape(W1.grad)', Ask(2, "Size?", "expression", "shape(W1.grad)")),
        ('ask "∂ℓ/∂W⁽¹⁾ ="', Ask(2, "∂ℓ/∂W⁽¹⁾ =", "formula")),
        ('ask "dz2/dz1 =" = "diag(z1 > 0)"', Ask(2, "dz2/dz1 =", "formula", "diag(z1 > 0)")),
        ('ask "Loss?" = loss within 5%', Ask(2, "Loss?", "expression", "loss", (), 0.05, True)),
        ('ask "Loss?" = loss within 0.1', Ask(2, "Loss?", "expression", "loss", (), 0.1)),
        ('ask "Who?" = "Adam"', Ask(2, "Who?", "text", "Adam")),
        ('ask "Next?" = "b" of "a", "b"', Ask(2, "Next?", "choice", "b", ("a", "b"))),
    ],
)  # fmt: skip
def test_a_line_is_a_step(line: str, step: AnyStep) -> None:
    assert steps(line) == (step,)


def test_a_long_caption_goes_on_to_its_quotes_over_comments_and_keeps_its_lines() -> None:
    found = steps('say """', "  first", "  # no comment", "", "    further in", '  """', "hold")
    assert found == (Say(2, "first\n# no comment\n\n  further in"), Hold(8))


def test_a_long_caption_may_stand_in_one_line() -> None:
    assert steps('say """text, "quoted" **bold**"""') == (Say(2, 'text, "quoted" **bold**'),)


def test_comments_and_blank_lines_are_no_steps() -> None:
    found = read_lesson("# a lesson\n\nopen regression\n# more\n\nhold\n", "a.lesson")
    assert (found.thing, found.steps) == ("regression", (Hold(6),))


def test_every_wrong_line_is_named_at_once_with_its_number_and_column() -> None:
    found = problems(
        "open regression", "view chian W1", 'say "x', "foo", "play p at 2/s", "play n at 0/s",
        'ask "a"', 'ask "b" = "x" of "y"', "hide", "worksheet a.md", "open xor",
        "view tensor dz2/dz1", "view tensor a b", "view chain sample x", "hold on",
    )  # fmt: skip
    places = [line.split(" ", 1)[0] for line in found]
    assert places == [
        f"a.lesson:{place}:"
        for place in ("2:6", "3:5", "4:1", "5:6", "6:11", "7:8", "8:12", "9:5", "10:11", "11:1",
                      "12:13", "13:15", "14:19", "15:6")
    ]  # fmt: skip
    assert "did you mean chain?" in found[0]


@pytest.mark.parametrize("text", ["", "# nothing", "hold", "open", 'open "regression'])
def test_a_lesson_begins_with_what_it_opens(text: str) -> None:
    assert "a lesson begins with `open THING`" in problems(text)[0]


def test_a_note_has_several_lines_too() -> None:
    found = steps('note """', "  first", "  # second", '"""', "hold")
    assert found == (Note(2, "first\n# second"), Hold(6))
    assert problems("open xor", 'note """', "text") == [
        'a.lesson:2: the text of note has no end: """ is missing'
    ]


def test_a_caption_without_an_end_says_where_it_begins() -> None:
    assert problems("open xor", "hold", 'say """', "text") == [
        'a.lesson:3: the text of say has no end: """ is missing'
    ]


def test_a_path_in_quotes_may_have_blanks() -> None:
    assert read_lesson('open "my net.toml"', "a.lesson").thing == "my net.toml"


def test_a_lesson_has_as_many_steps_as_it_may() -> None:
    assert "more than 5,000 steps" in problems("open xor", *["hold"] * 5002)[-1]


def test_files_that_are_no_lessons(tmp_path: Path) -> None:
    file = tmp_path / "a.lesson"
    with pytest.raises(GradstepError, match=r"a\.lesson"):
        load_lesson(str(file))
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(GradstepError, match="not UTF-8 text"):
        load_lesson(str(file))
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(GradstepError, match="more than"):
        load_lesson(str(file))


def test_what_looks_like_a_lesson() -> None:
    assert is_lesson("# x\n\n  open regression\n")
    assert not is_lesson("b backward\nopen regression\n")
