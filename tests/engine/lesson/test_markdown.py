"""Lessons as Markdown."""

from engine.lesson.markdown import Notes
from engine.lesson.opened import opened
from engine.lesson.perform import Performance
from engine.lesson.reader import read_lesson


def written(*lines: str) -> list[str]:
    lesson = read_lesson("\n".join(lines), "a.lesson")
    with opened(lesson) as debugger:
        return list(Notes(lesson, Performance(lesson, debugger)).lines())


def test_captions_questions_and_words() -> None:
    found = written(
        "# About <b>", "open regression", 'chapter "For_ward"', 'say "**bold** and *not*, a_b"',
        "hold", "s", 'ask "1 < 2?" = 1 < 2', 'ask "next?" = "b" of "a", "b"',
    )  # fmt: skip
    assert found[0] == r"# About \<b\>"
    assert r"## For\_ward" in found
    assert r"**bold** and *not*, a\_b  " in found
    assert "    > s" in found
    assert r"**1 \< 2?**" in found
    assert "<details><summary>Answer</summary>yes</details>" in found
    assert [line for line in found if line.startswith("- ")] == ["- a", "- b"]


def test_each_chapter_has_the_tensors_that_it_wrote() -> None:
    found = written(
        "open regression", "n", 'chapter "A"', "s", 'chapter "B"', "hold", 'chapter "C"', "s",
    )  # fmt: skip
    tables = [line.split(" ")[1] for line in found if line.startswith(("| linear1.out", "| relu"))]
    assert tables == ["linear1.out", "relu1.out"]
    row = next(line for line in found if line.startswith("| linear1.out"))
    assert row.startswith("| linear1.out z₁ | 4×4 | ")
    assert r"\[ 0.75, 0.05, -1.35, 0.3 \]" in row


def test_a_large_tensor_has_its_range() -> None:
    found = written("open digits", "f")
    row = next(line for line in found if line.startswith("| linear1.weight.grad"))
    assert "…" in row
