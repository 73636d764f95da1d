"""A lesson on the screen: captions that stay, holds, playing, questions, reading again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual import events

from engine.lesson.opened import opened
from engine.lesson.perform import Performance
from engine.lesson.reader import load_lesson
from engine.lesson.steps import PANES
from tests.tui.clock import HandClock
from tests.tui.screen import Opened, debugger, steered
from tests.tui.typist import answer, note, run_line, said
from tui.keys.command import PANES as SCREEN_PANES
from tui.lesson.app import LessonApp
from tui.lesson.lecture import Lecture
from tui.screens.worksheet import VersusScreen


class Taught(Opened):
    """A lesson at work."""

    @property
    def lecture(self) -> Lecture:
        assert isinstance(self.app, LessonApp)
        return self.app.lecture

    def caption(self) -> list[str]:
        """The lines of the strip, the rule first."""
        assert isinstance(self.app, LessonApp)
        strip = self.app.strip()
        return [row.strip() for row in self.rows()[strip.region.y : strip.region.bottom]]


@asynccontextmanager
async def taught(
    folder: Path, *lines: str, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[Taught]:
    file = folder / "a.lesson"
    file.write_text("\n".join(("open regression", *lines)), encoding="utf-8")
    lesson = load_lesson(str(file))
    with opened(lesson) as debugger:
        app = LessonApp(lesson, debugger)
        async with steered(app, size) as shown:
            yield Taught(app, shown.pilot, shown.arrivals)


async def test_a_caption_stays_while_one_steps_and_space_goes_on(tmp_path: Path) -> None:
    async with taught(tmp_path, 'chapter "Start"', 'say "look"', "hold", "n", 'say "two"') as shown:
        assert shown.caption()[1:] == ["look"]
        assert "1/1 Start" in shown.caption()[0]
        await shown.press("s", "f", "S")
        assert shown.caption()[1:] == ["look"]
        await shown.press("g", "space")
        assert shown.session.event == 4
        assert shown.caption()[1:] == ["two"]
        assert shown.lecture.waits == "end"


async def test_captions_that_nobody_could_read_stay_above_the_next(tmp_path: Path) -> None:
    lines = ('say "one"', "s", 'say "two"', 'ask "three?" = 3', "hold", 'say "four"')
    async with taught(tmp_path, *lines) as shown:
        assert shown.caption()[1:] == ["one", "two", "three?"]
        await answer(shown, "3")
        await shown.press("space", "space")
        assert shown.caption()[1:] == ["four", "1 of 1 right, 1 of them at the first try"]


async def test_a_chapter_waits_for_what_ran_before_it(tmp_path: Path) -> None:
    lines = ("s", 'say "one"', 'chapter "B"', "s", "hold", 'chapter "C"', 'say "three"')
    async with taught(tmp_path, *lines) as shown:
        assert (shown.session.event, shown.caption()[1:]) == (1, ["one"])
        await shown.press("space")
        assert shown.session.event == 2
        assert "1/2 B" in shown.caption()[0]
        await shown.press("space")
        assert "2/2 C" in shown.caption()[0]
        assert shown.caption()[1:] == ["three"]


async def test_playing_takes_the_screens_own_time_and_space_ends_it(tmp_path: Path) -> None:
    async with taught(tmp_path, "hold", "play 3 at 4/s", "hold", "play n at 2/s", "hold") as shown:
        clock = HandClock(shown.main)
        await shown.press("space")
        assert (clock.seconds, shown.session.event) == ([0.25], 0)
        assert "▶ 4/s" in shown.caption()[0]
        for event in (1, 2, 3):
            clock.tick()
            await shown.settled()
            assert shown.session.event == event
        assert (clock.seconds, shown.lecture.waits) == ([], "hold")
        await shown.press("space")
        clock.tick()
        assert shown.session.event == 4  # the end of zero_grad is one op away
        await shown.press("space")
        assert shown.lecture.waits == "end"


async def test_space_goes_to_the_end_of_what_plays(tmp_path: Path) -> None:
    async with taught(tmp_path, "play 2n at 1/s", 'say "there"', "hold") as shown:
        await shown.press("space")
        assert (shown.session.event, shown.caption()[1:]) == (8, ["there"])


async def test_a_wrong_answer_is_told_why_tried_again_and_counted(tmp_path: Path) -> None:
    lines = ("f", 'ask "∂ℓ/∂W⁽¹⁾ ="', 'ask "size?" = shape(W1.grad)', 'ask "b?" = 2')
    async with taught(tmp_path, *lines) as shown:
        await answer(shown, "x dl/dyhat dyhat/dz3 dz2/dz1")
        assert "W⁽²⁾" in " ".join(shown.caption())
        await answer(shown, "x dl/dyhat dyhat/dz3 W2 dz2/dz1")
        assert "✓" in " ".join(shown.caption())
        await shown.press("space")
        await answer(shown, "4×3")
        await shown.press("space")
        await answer(shown, "?")
        assert "it is 2" in " ".join(shown.caption())
        await shown.press("space")
        assert shown.caption()[1:] == [
            "2 of 3 right, 1 of them at the first try", "✗ b?  (shown)",
        ]  # fmt: skip


async def test_who_leaves_the_prompt_can_look_around_and_come_back(tmp_path: Path) -> None:
    async with taught(tmp_path, 'ask "two words?" = "a b"', "hold") as shown:
        await shown.press("escape")
        assert "Space: answer" in shown.caption()[0]
        await shown.press("s", "s")
        assert shown.session.event == 2
        await shown.press("space")
        await answer(shown, "a b")
        assert shown.lecture.score.right == 1


async def test_the_letters_of_several_to_choose_from(tmp_path: Path) -> None:
    async with taught(tmp_path, 'ask "next?" = "loss" of "update", "loss"', "hold") as shown:
        assert shown.caption()[1:] == ["next?", "a) update", "b) loss"]
        await answer(shown, "b")
        assert shown.lecture.score.right == 1


async def test_captions_are_read_again(tmp_path: Path) -> None:
    async with taught(tmp_path, 'say "one"', "hold", 'say "two"', "hold", "s", "hold") as shown:
        await shown.press("backspace")
        assert shown.caption()[1:] == ["one"]  # there is none before it
        await shown.press("space")
        await shown.press("backspace")
        assert shown.caption()[1:] == ["one"]
        assert "again, 1 of 2" in shown.caption()[0]
        await shown.press("space")
        assert (shown.caption()[1:], shown.session.event) == (["two"], 0)
        await shown.press("space")
        assert shown.session.event == 1


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=str)
async def test_a_long_caption_has_a_third_and_pages(tmp_path: Path, size: tuple[int, int]) -> None:
    lines = ('say """', *(f"line {i}" for i in range(30)), '"""', "hold", "s")
    async with taught(tmp_path, *lines, size=size) as shown:
        seen = []
        while shown.session.event == 0:
            assert len(shown.caption()) <= size[1] // 3
            seen += shown.caption()[1:]
            await shown.press("space")
        assert [one for one in seen if one] == [f"line {i}" for i in range(30)]


async def test_the_strip_fits_a_terminal_of_another_size(tmp_path: Path) -> None:
    words = " ".join(f"word{i}" for i in range(60))
    async with taught(tmp_path, f'say "{words}"', "hold") as shown:
        for size in ((80, 24), (200, 60), (60, 15)):
            await shown.resize(*size)
            assert len(shown.caption()) <= max(3, size[1] // 3)
            assert shown.caption()[1].startswith("word0")


async def test_a_view_shows_its_pane_tensor_and_derivative(tmp_path: Path) -> None:
    lines = ("f", "view tensor z1 zoom", "hold", "view chain W1.grad sample 2", "hold",
             "view jacobian dz2/dz1 gradient", "hold", "view timeline")  # fmt: skip
    async with taught(tmp_path, *lines, size=(80, 24)) as shown:
        main, panes = shown.main, shown.main.parts.panes
        assert (panes.pane, panes.zoomed, main.view.tensor) == ("tensor", True, "linear1.out")
        await shown.press("space")
        assert (panes.pane, panes.zoomed, main.view.wrt) == ("chain", False, "linear1.weight")
        assert main.view.derivative.sample == 2
        await shown.press("space")
        assert (main.view.of, main.view.wrt) == ("relu1.out", "linear1.out")
        await shown.press("space")
        assert panes.pane == "timeline"


async def test_a_screen_that_a_word_opens_is_read_and_closed_by_space(tmp_path: Path) -> None:
    lines = ('say "see"', "versus classification-bce", "s", "hold")
    async with taught(tmp_path, *lines) as shown:
        assert isinstance(shown.app.screen, VersusScreen)
        assert shown.session.event == 0
        await shown.press("space")
        assert (shown.app.screen, shown.session.event) == (shown.main, 1)


async def test_an_error_says_its_line_and_the_lesson_goes_on(tmp_path: Path) -> None:
    async with taught(tmp_path, "until sum(z1) > 'a'", "view tensor zz", 'say "on"') as shown:
        assert "a.lesson:2:" in " ".join(shown.caption())
        await shown.press("space")
        assert "a.lesson:3: no tensor 'zz'" in " ".join(shown.caption())
        await shown.press("space")
        assert shown.caption()[1:] == ["on"]


async def test_another_screen_has_the_strip_too(tmp_path: Path) -> None:
    lines = ('say "before"', "f", "eval", 'say "within"', "hold", "leave", 'say "after"', "hold")
    async with taught(tmp_path, *lines) as shown:
        await shown.until(lambda: shown.lecture.waits == "hold")
        assert shown.debugger.outer is not None
        assert shown.caption()[1:] == ["before", "within"]
        await shown.press("space")
        assert shown.debugger.outer is None
        assert shown.caption()[1:] == ["after"]


async def test_an_edited_lesson_is_reloaded_at_the_same_place(tmp_path: Path) -> None:
    async with taught(tmp_path, 'say "one"', "hold", "s", 'say "too"', "hold", "n") as shown:
        await shown.press("space")
        (tmp_path / "a.lesson").write_text(
            'open regression\n# new\nsay "one"\nhold\ns\nsay "two"\nhold\n2s\n'
        )
        await shown.press("ctrl+r")
        assert shown.caption()[1:] == ["two"]
        assert "reloaded" in note(shown)
        await shown.press("space")
        assert shown.session.event == 3


async def test_a_lesson_that_cannot_be_read_again_is_kept(tmp_path: Path) -> None:
    async with taught(tmp_path, 'say "one"', "hold", "s") as shown:
        (tmp_path / "a.lesson").write_text("open regression\nhodl\n")
        await shown.press("ctrl+r")
        assert "a.lesson:2:1" in note(shown)
        await shown.press("space")
        assert shown.session.event == 1


async def test_space_is_a_letter_at_the_prompt(tmp_path: Path) -> None:
    async with taught(tmp_path, "hold", "s", "hold") as shown:
        await run_line(shown, "goto #5")
        assert shown.session.event == 5
        await shown.press("colon", "p")
        shown.app.post_message(events.Key("space", " "))
        await shown.press("x")
        assert shown.main.prompt.field.value == "p x"
        await shown.press("backspace", "escape")
        assert shown.lecture.place == 1


def test_the_panes_of_lessons_are_those_of_the_screen() -> None:
    assert tuple(SCREEN_PANES) == PANES


async def test_what_is_done_is_saved_as_a_lesson_that_leads_to_the_same_place(
    tmp_path: Path,
) -> None:
    async with debugger("regression") as shown:
        shown.main.parts.diary.thing = "regression"
        await shown.press("n", "s")
        shown.main.parts.panes.go_to("chain")
        shown.main.parts.follow.tensor("linear1.weight.grad")
        await run_line(shown, 'mark look at "this"', "set optimizer.lr = 0.5")
        shown.main.parts.panes.go_to("tensor")
        await shown.press("z", "f")
        file = tmp_path / "made.lesson"
        await run_line(shown, "save lesson", f"save lesson {file}", f"save lesson {file}")
        assert "a file is missing" in said(shown)
        assert "is not overwritten" in said(shown)
        assert file.read_text().splitlines()[1:] == [
            "open regression", "", "n", "hold", "s", "hold", "view chain sample 0 numerator",
            "view chain linear1.weight.grad sample 0 numerator", 'chapter "look"',
            'say """', 'at "this"', '"""',
            "hold", "set optimizer.lr = 0.5", "hold", "view tensor linear1.weight.grad",
            "view tensor linear1.weight.grad zoom", "f", "hold",
        ]  # fmt: skip
        event, rate = shown.session.event, shown.session.tensors["optimizer.lr"]
    lesson = load_lesson(str(file))
    with opened(lesson) as again:
        list(Performance(lesson, again).outcomes())
        assert (again.event, again.session.tensors["optimizer.lr"]) == (event, rate)


async def test_a_run_of_no_known_file_makes_no_lesson(tmp_path: Path) -> None:
    async with debugger("regression") as shown:
        await run_line(shown, f"save lesson {tmp_path / 'a.lesson'}")
        assert "is not known here" in note(shown)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=str)
async def test_large_is_one_idea_and_its_caption_alone(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    lines = ("to update", "view tensor W1.grad", 'say "look"', "hold", "view chain W1.grad", "hold",
             "view tensor W1 heat", "hold", "view timeline", "hold")  # fmt: skip
    async with taught(tmp_path, *lines, size=size) as shown:
        await shown.press("ctrl+l")
        text, rows = shown.text(), shown.rows()
        assert all(one in text for one in ("∂ℓ/∂W⁽¹⁾ +=", "4×3", "[-0.347 -0.109 -1.356]"))
        assert rows[-1] == " look"
        gone = ("q quit", "Program", "next  ", "LIVE", "zero_grad", "╭", "2 Tensor")
        assert not any(one in text for one in gone)
        margins = [len(row) - len(row.lstrip()) for row in rows[:-2] if row.strip()]
        assert min(margins) > 8  # in the middle
        await shown.press("space")
        assert "(1×K)   (K×K)     (K×h)     (h×h)" in shown.text()
        assert not any(one in shown.text() for one in (*gone, "v shows", "+="))
        await shown.press("space")
        heat = [row for row in shown.rows() if row.count("▀") > 36]
        assert len(heat) > 8
        await shown.press("space")
        assert "▮ done" in shown.text()
        assert not any(one in shown.text() for one in gone)
        await shown.press("1", "ctrl+l")
        assert "q quit" in shown.rows()[-1]
        assert shown.main.parts.panes.pane == "program"
        assert shown.app.focused is not None
        assert any("1 Program" in row for row in shown.rows())
        await shown.press("ctrl+l", "escape")
        assert "q quit" in shown.rows()[-1]


async def test_what_is_hidden_is_in_no_large_picture(tmp_path: Path) -> None:
    lines = ("to backward", "view tensor z2", "hide z2", "hide formulas", "hold")
    async with taught(tmp_path, *lines) as shown:
        await shown.press("ctrl+l")
        assert "hidden until the lesson reveals it" in shown.text()
        assert "z₂  = ?" in shown.text()
        assert "1.15" not in shown.text()
