"""Make the pages of docs/lessons and their picture: python docs/lessons.py, or make pictures."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

from pictures import self_contained

from engine.lesson.opened import opened
from engine.lesson.reader import load_lesson
from tui.lesson.app import LessonApp
from tui.lesson.html import page
from tui.lesson.walk import Picture, Walk, colourful, walk

DOCS = Path(__file__).parent
NAMES = ("homework-1.2", "homework-1.3")
SIZE = (80, 24)
SHOWN = "must meet"  # the words in the caption whose picture is kept


def made(name: str) -> str:
    """The page of a lesson."""
    lesson = load_lesson(name)
    dark, light = list[Picture](), list[Picture]()
    walk(lesson, SIZE, "gradstep-dark", dark.append)
    walk(lesson, SIZE, "gradstep-light", light.append)
    return page(lesson.title, lesson.thing, dark, light)


async def shot() -> str:
    """A place of the first lesson, as SVG."""
    lesson, kept = load_lesson(NAMES[0]), list[str]()
    with opened(lesson) as debugger, colourful():
        app = LessonApp(lesson, debugger, timed=False)
        seen = Walk(app, lambda one: kept.extend(pictured(app, one)))
        async with app.run_test(size=SIZE) as pilot:
            await seen.through(pilot)
    return kept[0]


def pictured(app: LessonApp, place: Picture) -> Iterator[str]:
    """The picture of a place that is shown."""
    if any(SHOWN in line for line in place.caption):
        yield app.export_screenshot(title="gradstep")


def main() -> None:
    """Write all of them."""
    (DOCS / "lessons").mkdir(exist_ok=True)
    for name in NAMES:
        file = DOCS / "lessons" / f"{name}.html"
        file.write_text(made(name), encoding="utf-8")
        print(f"wrote {file}")
    picture = DOCS / "pictures" / "lesson.svg"
    picture.write_text(self_contained(asyncio.run(shot())), encoding="utf-8")
    print(f"wrote {picture}")


if __name__ == "__main__":
    main()
