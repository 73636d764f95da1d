"""The lessons that come with gradstep, played to their end by somebody who answers rightly."""

import pytest

from engine.lesson.opened import opened
from engine.lesson.reader import load_lesson
from engine.lesson.shipped import shipped_names
from tests.tui.screen import Opened, steered
from tests.tui.typist import answer
from tui.lesson.app import LessonApp
from tui.render.caption import room_for

MOST = 400  # keys that a lesson takes


async def go_on(shown: Opened, app: LessonApp) -> None:
    """Space, or the right answer."""
    lecture = app.lecture
    if lecture.waits == "ask" and lecture.question is not None and lecture.again is None:
        if not shown.main.has_class("asking"):
            await shown.press("space")
        if shown.main.has_class("asking"):
            await answer(shown, lecture.question.right)
            assert lecture.question is None, lecture.text
    else:
        await shown.press("space")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
@pytest.mark.parametrize("name", shipped_names())
async def test_a_lesson_is_played_to_its_end(name: str, size: tuple[int, int]) -> None:
    lesson = load_lesson(name)
    with opened(lesson) as debugger:
        app = LessonApp(lesson, debugger)
        async with steered(app, size) as shown:
            for _ in range(MOST):
                strip = app.strip()
                assert strip.size.height <= room_for(size[1])
                assert "bad" not in {role for _, role in app.lecture.text}, app.lecture.text
                rows = shown.rows() if app.screen is app.main else [""] * size[1]
                assert len(rows) == size[1]
                if app.screen is app.main and app.lecture.text:
                    first = strip.made()[1]
                    assert any("".join(t for t, _ in first).strip() in row for row in rows)
                if app.lecture.waits == "end":
                    break
                await go_on(shown, app)
    score = app.lecture.score
    assert (app.lecture.waits, score.first, score.total) == ("end", score.total, score.total)
