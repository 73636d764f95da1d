"""The teacher's own terminal: it waits, follows who plays, and outlives them."""

from dataclasses import replace
from pathlib import Path

import pytest

from engine.lesson.opened import opened
from engine.lesson.progress import Progress, ProgressFile
from engine.lesson.reader import load_lesson
from engine.lesson.score import Score, collect
from tests.tui.screen import screen_rows, steered
from tests.tui.typist import answer, note
from tui.lesson.app import LessonApp, telling
from tui.lesson.notes import NotesApp, Source, TeachersScreen, work_out
from tui.render.teaching import Teaching, body_lines, elapsed, head_lines
from tui.settings.folders import lesson_file

LESSON = """# A lesson of two
open regression
chapter "One"
say "Look at **this**."
note \"\"\"
Ask who knows it.
[bold]no markup[/bold]
\"\"\"
hold
chapter "Two"
ask "1 + 1?" = 2
say "after"
hold
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A lesson; what is saved lies beside it."""
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path / "home"))
    found = tmp_path / "a.lesson"
    found.write_text(LESSON, encoding="utf-8")
    return found


def text_of(found: Teaching, width: int = 80) -> str:
    lines = [*head_lines(found, width), *body_lines(found, width)]
    assert {sum(map(len, (text for text, _ in line))) for line in lines} == {width}
    return "\n".join("".join(text for text, _ in line) for line in lines)


@pytest.mark.parametrize("width", [20, 40, 80, 120])
def test_the_parts_of_a_place(file: Path, width: int) -> None:
    lesson = load_lesson(str(file))
    progress = Progress(3, "hold", len(lesson.steps), 1000.0, 4, total=1)
    waiting = text_of(Teaching(lesson), width)
    assert "Nobody" in waiting
    found = text_of(Teaching(lesson, progress, True, {9: "2"}, now=1065.0), width)
    assert "1:05" in found
    assert "Ask who knows" in found
    assert "Look at" in found
    assert "**" not in found
    if width >= 80:
        assert "waits for Space" in found
        assert "0 of 1 answered" in found
        assert "ask  1 + 1?  → 2" in found
        assert "[bold]no markup[/bold]" in found


def test_the_answer_of_the_question_that_waits(file: Path) -> None:
    lesson = load_lesson(str(file))
    at = Teaching(lesson, Progress(6, "ask", len(lesson.steps), 0.0, 0, 1, 0, 0, 1), True)
    assert "The right answer" in text_of(at)
    assert " 2 " in text_of(replace(at, answers={11: "2"})).split("The right answer")[1]
    over = replace(at, progress=Progress(8, "end", 5, 0.0, 0, 1, 1, 1, 1), playing=False)
    assert "stopped" in text_of(over)
    assert "other steps than what is played" in text_of(over)


def test_times() -> None:
    assert [elapsed(s) for s in (-3, 0, 59.9, 61, 3661)] == [
        "0:00",
        "0:00",
        "0:59",
        "1:01",
        "1:01:01",
    ]


def test_answers_are_worked_out(file: Path) -> None:
    found: dict[int, str] = {}
    work_out(load_lesson(str(file)), found.__setitem__)
    assert found == {11: "2"}


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (30, 8)], ids=str)
async def test_it_follows_who_plays(file: Path, size: tuple[int, int]) -> None:
    lesson = load_lesson(str(file))
    app = NotesApp(Source(lesson))
    async with app.run_test(size=size) as pilot:
        teacher = app.screen
        assert isinstance(teacher, TeachersScreen)

        async def seen() -> str:
            teacher.look()
            await pilot.pause()
            return "\n".join(screen_rows(app))

        assert "not begun" in await seen()
        progress, said = telling(lesson)
        assert progress is not None
        assert "--notes" in said[0]
        with opened(lesson) as debugger:
            taught = LessonApp(lesson, debugger, progress=progress)
            async with steered(taught, (80, 24)) as shown:
                assert "Ask who knows it." in await seen()
                await shown.press("space")
                if size[1] > 20:
                    assert "The right answer" in await seen()
                await answer(shown, "3")
                await answer(shown, "2")
                if size[0] >= 80:
                    assert "1 of 1 answered, 1 right" in await seen()
        progress.close()
        if size[0] >= 80:
            assert "stopped" in await seen()
        again, _ = telling(lesson)  # who plays has been started anew
        assert again is not None
        again.write(Progress(3, "hold", len(lesson.steps), 0.0, 0, total=1))
        assert "Ask who knows it." in await seen()
        await pilot.press("down", "pagedown", "up", "pageup")
        again.close()
        await pilot.press("q")
    assert app.return_code == 0


async def test_an_edited_lesson_is_read_again_and_a_broken_one_told(file: Path) -> None:
    source = Source(load_lesson(str(file)))
    before = source.look(Teaching(source.lesson))
    file.write_text(LESSON.replace("Ask who knows it.", "Wait."), encoding="utf-8")
    assert "Wait." in str(source.look(before).lesson.steps)
    file.write_text("open regression\nhodl\n", encoding="utf-8")
    found = source.look(before)
    assert "a.lesson:2" in found.trouble
    assert "Wait." in str(found.lesson.steps)


def test_a_class_that_hands_in_is_counted(file: Path, tmp_path: Path) -> None:
    answers = tmp_path / "class.json"
    source = Source(load_lesson(str(file)), None, answers)
    assert source.look(Teaching(source.lesson)).handed == "0 handed in"
    collect(answers, "a", "ada", Score(1))
    collect(answers, "other", "bob", Score(1))
    assert source.look(Teaching(source.lesson)).handed == "1 handed in"
    answers.write_text("[]")
    assert "not a file of answers" in source.look(Teaching(source.lesson)).handed


def test_a_recording_that_is_damaged_is_told(file: Path, tmp_path: Path) -> None:
    recording = tmp_path / "r.gradstep"
    source = Source(load_lesson(str(file)), recording)
    assert source.look(Teaching(source.lesson)).trouble == ""
    recording.write_bytes(b"SQLite format 3\0" + b"\xa5" * 4096)
    assert "r.gradstep" in source.look(Teaching(source.lesson)).trouble


def test_files_of_lessons_of_one_name_are_told_apart(file: Path, tmp_path: Path) -> None:
    one, other = lesson_file(file), lesson_file(tmp_path / "b" / "a.lesson")
    assert one.parent == other.parent == tmp_path / "home" / "state" / "lessons"
    assert one != other
    assert one.name.startswith("a-")


async def test_the_class_sees_nothing_of_a_note(file: Path) -> None:
    lesson = load_lesson(str(file))
    with opened(lesson) as debugger:
        async with steered(LessonApp(lesson, debugger), (120, 40)) as shown:
            while shown.app.lecture.waits not in ("ask", "end"):  # type: ignore[attr-defined]
                assert "Ask who" not in shown.text() + note(shown)
                await shown.press("space")


def test_who_plays_beside_another_is_told(file: Path) -> None:
    lesson = load_lesson(str(file))
    first = ProgressFile(lesson_file(file))
    assert telling(lesson) == (
        None, ["this lesson is played in another terminal too, which the notes follow"],
    )  # fmt: skip
    first.close()
