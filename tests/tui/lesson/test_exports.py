"""Lessons as pages, terminal recordings and Markdown: what is in them is the real screen."""

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.errors import GradstepError
from engine.lesson.opened import opened
from engine.lesson.reader import load_lesson
from tests.tui.screen import screen_rows, steered
from tui.lesson import walk as walking
from tui.lesson.app import LessonApp
from tui.lesson.cast import cast_lines
from tui.lesson.html import page
from tui.lesson.pictures import rows_of, text_of
from tui.lesson.walk import Picture, walk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SIZE = (80, 24)
HOSTILE = '<script>alert("x")</script>&amp;<img src=x onerror=alert(1)>'
LESSON = (
    f"# {HOSTILE}",
    "open regression",
    'chapter "One"',
    'say "**bold** and <i>not italic</i>"',
    "hold",
    "play 3 at 2/s",
    'chapter "Two"',
    'ask "1 + 1?" = 2',
    "view tensor W1 zoom",
    "hold",
)


def lesson_in(folder: Path, *lines: str) -> Path:
    file = folder / "a.lesson"
    file.write_text("\n".join(lines or LESSON), encoding="utf-8")
    return file


def pictures(file: Path, theme: str = "gradstep-dark") -> list[Picture]:
    found: list[Picture] = []
    walk(load_lesson(str(file)), SIZE, theme, found.append)
    return found


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Picture], list[Picture]]:
    """The pictures of the lesson in the dark and in the light."""
    file = lesson_in(tmp_path_factory.mktemp("lesson"))
    return pictures(file), pictures(file, "gradstep-light")


Both = tuple[list[Picture], list[Picture]]


async def test_a_picture_is_the_screen(tmp_path: Path) -> None:
    lesson = load_lesson(str(lesson_in(tmp_path)))
    with opened(lesson) as debugger:
        async with steered(LessonApp(lesson, debugger), (120, 40)) as shown:
            assert text_of(rows_of(shown.app)).split("\n") == screen_rows(shown.app)


def test_there_is_a_picture_of_each_place_and_of_each_op_that_plays(both: Both) -> None:
    dark, light = both
    places = [(one.chapter, one.event, one.caption[-1:], one.asks) for one in dark]
    bold = "**bold** and <i>not italic</i>"
    assert places == [
        ("1/2 One", 0, (bold,), False),
        ("1/2 One", 1, (bold,), False),
        ("1/2 One", 2, (bold,), False),
        ("1/2 One", 3, (bold,), False),  # the chapter waits
        ("2/2 Two", 3, ("**1 + 1?**",), True),
        ("2/2 Two", 3, ("✓ 2  right",), False),
        ("2/2 Two", 3, ("✓ 2  right",), False),
        ("Score", 3, ("1 of 1 right, 1 of them at the first try",), False),
    ]
    assert [one.rows for one in dark] != [one.rows for one in light]
    assert [text_of(one.rows) for one in dark] == [text_of(one.rows) for one in light]


def test_a_walk_is_the_same_each_time_and_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = lesson_in(tmp_path, "open xor", "hold", "n", "hold")
    assert [one.rows for one in pictures(file)] == [one.rows for one in pictures(file)]
    monkeypatch.setattr(walking, "MOST", 2)
    with pytest.raises(GradstepError, match=r"a\.lesson: more than 2 pictures"):
        pictures(file)


class Elements(HTMLParser):
    """The elements of a page, and the text in those with a screen."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inside: list[str] = []
        self.screens: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "br"):
            self.inside.append(tag)
        if tag == "pre":
            self.screens.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if "pre" in self.inside:
            self.screens[-1] += data


def test_a_page_has_every_screen_and_nothing_of_the_lesson_is_code(both: Both) -> None:
    dark, light = both
    text = page(HOSTILE, HOSTILE, dark, light)
    elements = Elements(text)
    assert elements.inside == []
    screens = [re.sub(r" +$", "", one, flags=re.MULTILINE) for one in elements.screens]
    assert screens == [text_of(one.rows) for one in dark]
    tags = [tag for tag, _ in elements.found]
    assert tags.count("script") == 1
    assert tags.count("section") == len(dark)
    assert "img" not in tags
    assert "<strong>bold</strong> and &lt;i&gt;not italic&lt;/i&gt;" in text
    for _, attributes in elements.found:
        assert not any(name.startswith("on") for name in attributes)
        assert str(attributes.get("href", "#")).startswith("#")
        assert "src" not in attributes
    assert "://" not in text
    assert len(text.encode()) < 20_000 * len(dark)


def test_a_page_has_links_labels_and_both_themes(both: Both) -> None:
    text = page("a", "regression", *both)
    elements = Elements(text)
    links = [a["href"] for tag, a in elements.found if tag == "a"]
    assert links == ["#step-1", "#step-5", "#step-8"]
    labels = [a["aria-label"] for tag, a in elements.found if tag == "section"]
    assert labels[4] == "Step 5 of 8"
    used = {str(a["class"]).split()[0] for tag, a in elements.found if tag == "i"}
    wide = {n for tag, a in elements.found if tag == "i" for n in str(a["class"]).split()[1:]}
    assert all(f".{name}{{display:inline-block;width:{name[1:]}ch}}" in text for name in wide)
    assert "w80" in wide or len(wide) > 3
    for name in used:
        for head in ("\n.", ":root:not([data-theme=dark]) .", ":root[data-theme=light] ."):
            assert f"{head}{name}{{" in text or f"}}{head.strip()}{name}{{" in text


TRIES = """
<script>
var seen = [], step = function () { return document.querySelector("section.now").id.slice(5); };
var key = function (name, more) {
  document.body.dispatchEvent(new KeyboardEvent("keydown",
    Object.assign({ key: name, bubbles: true }, more)));
  seen.push(step());
};
var swipe = function (from, to) {
  [["touchstart", from], ["touchend", to]].forEach(function (one) {
    var touch = new Touch({ identifier: 1, target: document.body, clientX: one[1], clientY: 9 });
    document.body.dispatchEvent(new TouchEvent(one[0], { bubbles: true,
      touches: one[0] === "touchstart" ? [touch] : [], changedTouches: [touch] }));
  });
  seen.push(step());
};
seen.push(step());
key("ArrowRight"); key(" "); key("ArrowLeft"); key("End"); key("n"); key("Home");
key("ArrowRight", { ctrlKey: true });
document.getElementById("on").click(); seen.push(step());
document.getElementById("back").click(); seen.push(step());
swipe(300, 100); swipe(100, 300); swipe(100, 120);
var dark = getComputedStyle(document.body).backgroundColor;
document.getElementById("theme").click();
seen.push(dark !== getComputedStyle(document.body).backgroundColor);
seen.push([].filter.call(document.querySelectorAll("section"), function (one) {
  return getComputedStyle(one).display !== "none"; }).length);
document.title = seen.join(" ");
</script>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_turns_the_page_by_keys_buttons_and_touch(tmp_path: Path, both: Both) -> None:
    file = tmp_path / "a.html"
    file.write_text(page("a", "regression", *both).replace("</body>", f"{TRIES}</body>"))
    done = subprocess.run(
        [
            *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--touch-events=enabled", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"),
            f"{file.as_uri()}#step-3",
        ],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    found = re.search("<title>(.*?)</title>", done.stdout)
    assert found is not None
    assert found[1] == "3 4 5 4 8 8 1 1 2 1 2 1 1 true 1"


def played(lines: list[str]) -> list[str]:
    """The rows that a terminal shows behind the lines of a cast."""
    rows = [""] * SIZE[1]
    for line in lines:
        written = re.sub(r"\x1b\[[\d;?]*[mhlJ]|\x1b\[H", "", json.loads(line)[2])
        for y, text in re.findall(r"\x1b\[(\d+);1H([^\x1b]*)", written):
            rows[int(y) - 1] = text
    return [row.rstrip() for row in rows]


def test_a_cast_draws_the_screens_in_their_time(both: Both) -> None:
    dark = both[0]
    header, *lines = cast_lines("a\x1b[2J", SIZE, dark)
    head = json.loads(header)
    assert (head["version"], head["width"], head["height"]) == (2, *SIZE)
    assert "\x1b" not in head["title"]
    times = [json.loads(line)[0] for line in lines]
    assert times == sorted(times)
    assert times[1] - times[0] == 2.0  # a caption has the time that it takes to read
    assert times[2] - times[1] == 0.5  # played at 2/s
    assert all(json.loads(line)[1] == "o" for line in lines)
    for number in range(1, len(dark) + 1):
        assert played(lines[:number]) == text_of(dark[number - 1].rows).split("\n")
