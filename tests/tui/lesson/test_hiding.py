"""What a lesson hides is nowhere to be seen, found or copied until it is revealed."""

from pathlib import Path

import pytest

from engine.errors import GradstepError
from engine.lesson.hidden import NOTHING, Hidden
from engine.lesson.markdown import Notes
from engine.lesson.opened import opened
from engine.lesson.perform import Performance
from engine.lesson.reader import load_lesson, read_lesson
from engine.lesson.steps import Hide, Reveal
from tests.engine.small_experiments import built_in
from tests.tui.screen import Opened, steered
from tests.tui.typist import answer, note, run_line, said
from tui.keys.command import PANES
from tui.lesson.app import LessonApp
from tui.lesson.pictures import text_of
from tui.lesson.walk import Picture, walk
from tui.view.veil import VEILED

BACKWARD = "to backward"
CELLS = ("1.1500", "1.15", "0.0500", "0.6500")  # of z2 alone, and of z1
SIZES = [(80, 24), (120, 40)]


def lesson_in(folder: Path, *lines: str) -> Path:
    file = folder / "a.lesson"
    file.write_text("\n".join(("open regression", *lines)), encoding="utf-8")
    return file


async def everything(shown: Opened) -> str:
    """All that can be seen of the panes, whatever is asked of each, and what the console holds."""
    seen = [shown.text()]
    for pane in PANES.values():
        await shown.press(str(pane.number))
        seen += [shown.text(), note(shown)]
    await shown.press("2", "equals_sign", "h", "Y", "W", "ctrl+s", "escape")
    seen.append(shown.text())
    for key in ("enter", "H", "escape"):
        await shown.press(key)
        seen += [shown.text(), note(shown)]
    await run_line(shown, "p z2", "explain z2[0,0]", "worksheet", "list", "info tensors", "where")
    seen += [shown.text(), said(shown), note(shown)]
    return "\n".join(seen)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_hidden_cells_are_nowhere(tmp_path: Path, size: tuple[int, int]) -> None:
    lines = (BACKWARD, "view tensor z2", "hide z1 z2", "hold", "reveal z2", "hold")
    lesson = load_lesson(str(lesson_in(tmp_path, *lines)))
    with opened(lesson) as debugger:
        app = LessonApp(lesson, debugger)
        async with steered(app, size) as shown:
            await shown.press("2")
            assert "hidden until the lesson reveals it" in shown.text()
            text = await everything(shown)
            assert [cell for cell in CELLS if cell in text] == []
            assert app.clipboard == ""
            app.lecture.go_on()
            await shown.settled()
            shown.main.parts.panes.go_to("tensor")
            for tensor, hidden in (("relu1.out", False), ("linear1.out", True)):
                shown.main.parts.follow.tensor(tensor)
                await shown.settled()
                assert ("hidden until" in shown.text()) is hidden


async def test_a_hidden_size_is_nowhere(tmp_path: Path) -> None:
    lines = (BACKWARD, "view tensor W2.grad", "hide sizes W2.grad W2", "hold")
    lesson = load_lesson(str(lesson_in(tmp_path, *lines)))
    with opened(lesson) as debugger:
        async with steered(LessonApp(lesson, debugger), (120, 40)) as shown:
            assert "(?)" in shown.text()
            text = await everything(shown)
            assert "(2, 4)" not in text
            assert "2×4" not in text


async def test_hidden_formulas_are_nowhere(tmp_path: Path) -> None:
    lines = (BACKWARD, "hide formulas", "hold")
    lesson = load_lesson(str(lesson_in(tmp_path, *lines)))
    with opened(lesson) as debugger:
        async with steered(LessonApp(lesson, debugger), (120, 40)) as shown:
            assert "∂ℓ/∂ŷ = ?" in shown.text()
            text = await everything(shown)
            assert [one for one in ("2(ŷ − y)", "(∂ℓ/∂z₃)ᵀ", "W⁽¹⁾ᵀ", "η ∂ℓ") if one in text] == []
            await shown.press("slash")
            await answer(shown, "(∂ℓ/∂z₃)ᵀ")
            assert "nothing found" in note(shown)


async def test_the_op_to_come_is_hidden_with_those_behind_it(tmp_path: Path) -> None:
    lines = ("to loss", "hide next", "hold")
    lesson = load_lesson(str(lesson_in(tmp_path, *lines)))
    with opened(lesson) as debugger:
        async with steered(LessonApp(lesson, debugger), (120, 40)) as shown:
            rows = shown.rows()
            assert not any("ŷ − y" in row or "mse" in row for row in rows)
            assert any("✓ ŷ = identity1(z₃)" in row for row in rows)


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_the_phases_to_come_are_named_nowhere(tmp_path: Path, size: tuple[int, int]) -> None:
    lines = ("b backward:relu1.out.grad", "to loss", "s", "hide next", "hold", "reveal", "hold")
    lesson = load_lesson(str(lesson_in(tmp_path, *lines)))
    with opened(lesson) as debugger:
        app = LessonApp(lesson, debugger)
        async with steered(app, size) as shown:
            assert [word for word in shown.rows()[1].split() if word not in ("→", "?")] == [
                "zero_grad",
                "forward",
                "loss",
            ]
            assert "› ?" in shown.rows()[0]
            text = [shown.text()]
            await shown.press("1", *["down"] * 12, "b")
            text += [shown.text(), note(shown)]
            await shown.press("o", "B")
            assert app.screen is shown.main
            await shown.press("p")
            assert app.screen is shown.main
            await run_line(shown, "goto i1:q", "list")
            text += [shown.text(), note(shown)]
            await shown.press("colon", "t", "o", "space", "b", "a")
            await shown.press("tab")
            text.append(shown.text())
            await shown.press("escape")
            for word in ("backward", "update", "relu1.out.grad", "∂ℓ/∂ŷ ="):
                assert not any(word in one for one in text), word
            await shown.press("s")  # a step tells which it was
            assert "backward" in shown.rows()[1]
            app.lecture.go_on()
            await shown.settled()
            assert "update" in shown.rows()[1]


def test_who_reads_the_exports_is_not_told_what_comes(tmp_path: Path) -> None:
    file = lesson_in(tmp_path, 'chapter "A"', "hide next", "to loss", 'say "What now?"', "hold")
    lesson, found = load_lesson(str(file)), list[Picture]()
    walk(lesson, (80, 24), "gradstep-dark", found.append)
    with opened(lesson) as debugger:
        notes = "\n".join(Notes(lesson, Performance(lesson, debugger)).lines())
    text = text_of(found[-1].rows) + notes
    assert [word for word in ("backward", "update", "mse(") if word in text] == []


async def test_one_may_move_while_something_is_hidden_and_asks_in_vain(tmp_path: Path) -> None:
    lesson = load_lesson(str(lesson_in(tmp_path, "hide z1", "hold", "reveal", "hold")))
    with opened(lesson) as debugger:
        app = LessonApp(lesson, debugger)
        async with steered(app, (120, 40)) as shown:
            await run_line(shown, "goto #9", "p z1")
            assert shown.session.event == 9
            assert "hides" in note(shown)
            for pane in VEILED:
                await shown.press(str(PANES[pane].number))
                assert shown.main.parts.panes.pane not in VEILED
            app.lecture.go_on()
            await shown.settled()
            await run_line(shown, "p z1")
            assert "1.15" in said(shown)


def test_what_is_hidden_is_in_no_export(tmp_path: Path) -> None:
    file = lesson_in(tmp_path, 'chapter "A"', "hide z1 z2", BACKWARD, "p z2", "view tensor z2")
    lesson, found = load_lesson(str(file)), list[Picture]()
    walk(lesson, (80, 24), "gradstep-dark", found.append)
    with opened(lesson) as debugger:
        notes = "\n".join(Notes(lesson, Performance(lesson, debugger)).lines())
    text = "\n".join(text_of(one.rows) for one in found) + notes
    assert [cell for cell in CELLS if cell in text] == []
    assert "linear2.out" in notes


def test_what_is_hidden_behind_each_step() -> None:
    run = built_in("regression")
    hidden = NOTHING.after(Hide(1, "cells", ("z1", "z2")), run)
    assert hidden == Hidden(cells=frozenset({"linear1.out", "relu1.out"}))
    hidden = hidden.after(Hide(2, "sizes"), run).after(Hide(3, "next"), run)
    assert hidden.hides_size("x")
    assert hidden.hides_cells("loss")
    assert hidden.after(Reveal(4, ("z1",)), run).cells == {"relu1.out"}
    assert not hidden.after(Reveal(5), run)
    with pytest.raises(GradstepError, match="no tensor 'q'"):
        hidden.after(Hide(6, "cells", ("q",)), run)


def test_a_check_knows_the_tensors_that_are_hidden() -> None:
    lesson = read_lesson("open xor\nhide z1\nreveal z9", "a.lesson")
    with opened(lesson) as debugger, pytest.raises(GradstepError, match=r"a\.lesson:3: no tensor"):
        list(Performance(lesson, debugger).outcomes())
