"""The worksheet on the screen: every row of the homework, its events, and what it is saved as."""

import re
from pathlib import Path

import pytest
from textual.widgets import OptionList

from engine.worksheet.places import op_of
from engine.worksheet.worksheet import worksheet
from tests.tui.screen import Opened, debugger
from tests.tui.typist import note, run_line
from tui.screens.worksheet import VersusScreen, WorksheetScreen

ROOT = Path(__file__).parents[3]
SIZES = [(120, 40), (80, 24)]


async def opened(shown: Opened, *keys: str) -> WorksheetScreen:
    """The worksheet that H opens, when its tables are there; then more keys."""
    await shown.press("H")
    screen = shown.app.screen
    assert isinstance(screen, WorksheetScreen)
    await shown.until(lambda: screen.sheet is not None)
    for key in keys:
        before = screen.sheet
        await shown.press(key)
        if key in ("l", "v"):
            await shown.until(lambda before=before: screen.sheet is not before)
    await shown.settled()
    return screen


def answers() -> dict[tuple[str, str], list[str]]:
    """What docs/homework.md says is on the screen, by experiment and keys."""
    found: dict[tuple[str, str], list[str]] = {}
    name = ""
    for line in (ROOT / "docs/homework.md").read_text(encoding="utf-8").splitlines():
        if heading := re.search(r"^## .*`gradstep run ([\w-]+)`", line):
            name = heading[1]
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| (") and name:
            found.setdefault((name, cells[1]), []).append(cells[2])
    return found


ANSWERS = answers()


def test_the_page_has_every_row_of_the_homework():
    assert sum(map(len, ANSWERS.values())) == 32
    assert max(len(keys.split()) for _, keys in ANSWERS) <= 5


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("asked", ANSWERS, ids=" ".join)
async def test_every_row_of_the_homework_is_there_in_five_keys(asked, size):
    name, keys = asked
    async with debugger(name, size) as shown:
        first, *more = re.findall(r"`(.)`", keys)
        assert first == "H"
        await opened(shown, *(key.replace("]", "right_square_bracket") for key in more))
        text = " ".join("\n".join(shown.rows()).split())
        for answer in ANSWERS[asked]:
            assert " ".join(answer.split()) in text


@pytest.mark.parametrize("name", ["regression", "homework-2024", "lstm", "cnn-digits"])
def test_every_row_happens_at_an_op_that_writes_it(name):
    import engine

    program = engine.compile(engine.load(name))
    sheet = worksheet(program, 0)
    for row in sheet.steps:
        index = op_of(program, row)
        assert index is not None
        assert program.ops[index].phase == row.phase
    for row in sheet.forward:
        index = op_of(program, row)
        assert index is not None
        assert program.ops[index].writes[0] in (program.loss, row.symbol.text(), f"{row.layer}.out")
    for row in sheet.gradients:
        index = op_of(program, row)
        assert index is not None
        assert program.ops[index].writes == (f"{row.parameter}.grad",)
        later = program.ops[index + 1 :]
        assert not any(op.phase == "backward" and row.parameter + ".grad" in op.writes
                       for op in later)  # fmt: skip


async def test_the_row_of_the_op_at_the_cursor_is_marked_and_enter_goes_to_a_row():
    async with debugger("regression", (120, 40)) as shown:
        await run_line(shown, "5s")
        await opened(shown)
        marked = [row for row in shown.rows() if "▶" in row]
        assert [row.split()[2] for row in marked] == ["forward", "relu1"]
        await shown.press("down", "enter")
        assert shown.app.screen is shown.main
        assert shown.session.op.name == "linear2.out"
        await opened(shown, "right_square_bracket")
        await shown.press("enter")
        assert shown.session.op.name == "linear1.weight.grad"
        assert shown.session.op.phase == "backward"


async def test_enter_stays_in_the_iteration():
    async with debugger("regression", (120, 40)) as shown:
        await run_line(shown, "2f")
        await run_line(shown, "3s")
        await opened(shown)
        await shown.press("enter")
        position = shown.session.position
        assert (position.iteration, position.op) == (3, 0)


async def test_the_chain_has_the_sample_and_the_layout_of_the_worksheet():
    async with debugger("regression", (120, 40)) as shown:
        screen = await opened(shown, "l")
        assert "gradient layout" in shown.rows()[0]
        before = screen.sheet
        await shown.press("greater_than_sign")
        await shown.until(lambda: screen.sheet is not before)
        assert "sample 1" in shown.rows()[0]
        await shown.press("escape")
        derivative = shown.main.parts.follow.selection.derivative
        assert (derivative.sample, str(derivative.layout)) == (1, "gradient")
        await opened(shown, "v")
        assert "batch" in shown.rows()[0]


async def test_the_factor_between_the_sample_and_the_batch_is_named():
    async with debugger("classification-bce", (120, 40)) as shown:
        await opened(shown)
        assert "∂ℓ/∂ŷ of the batch: 1/N of this, N = 4 (v shows it)" in shown.text()
        await shown.press("escape")
        await opened(shown, "v")
        assert "∂ℓ/∂ŷ of one sample alone: N times this, N = 4 (v shows it)" in shown.text()


async def test_the_numbers_are_those_of_the_cursor():
    async with debugger("regression", (120, 40)) as shown:
        screen = await opened(shown)
        start = screen.sheet.forward[0].value
        await shown.press("escape")
        await run_line(shown, "3f")
        screen = await opened(shown)
        assert (screen.sheet.forward[0].value != start).any()


async def test_copy_and_save(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copied = []
    async with debugger("regression", (120, 40)) as shown:
        monkeypatch.setattr(shown.app, "copy_to_clipboard", copied.append)
        await opened(shown, "y")
        assert copied[0].startswith("# regression")
        await shown.press("ctrl+s")
        assert shown.app.screen is shown.main
        await shown.press("enter")
        assert "# regression" in (tmp_path / "worksheet.md").read_text(encoding="utf-8")
        await opened(shown)
        await shown.press("ctrl+s", "enter")
        assert "exists already" in note(shown)


async def test_the_sample_on_display_is_saved(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    async with debugger("regression", (120, 40)) as shown:
        await opened(shown, "v")
        await shown.press("ctrl+s", "enter")
        assert "the whole batch" in (tmp_path / "worksheet.md").read_text(encoding="utf-8")
        shown.main.parts.words.typed("worksheet two.json 2")
        await shown.until(lambda: "two.json" in note(shown))
        shown.main.parts.words.typed("worksheet nine.md 99")
        await shown.until(lambda: "99" in note(shown))
        shown.main.parts.words.typed("worksheet what.txt")
        await shown.until(lambda: ".tex" in note(shown))


async def test_words_open_the_screens():
    async with debugger("deep-sigmoid", (120, 40)) as shown:
        await shown.press("colon", *"worksheet", "enter")
        await shown.until(lambda: isinstance(shown.app.screen, WorksheetScreen))
        await shown.press("escape")
        shown.main.parts.words.typed("versus deep-relu")
        await shown.until(lambda: isinstance(shown.app.screen, VersusScreen))
        assert any("deep-relu" in row for row in shown.rows())
        await shown.press("escape")
        assert shown.app.screen is shown.main


async def test_headings_are_passed_by_the_cursor():
    async with debugger("regression", (80, 24)) as shown:
        screen = await opened(shown)
        options = screen.query_one(OptionList)
        for _ in range(30):
            await shown.press("down")
            assert screen.items[options.highlighted].row is not None


async def test_a_typed_worksheet_shows_the_sample_that_was_asked_for():
    async with debugger("regression", (120, 40)) as shown:
        for asked, title in (("2", "sample 2"), ("batch", "batch")):
            shown.main.parts.words.typed(f"worksheet {asked}")
            await shown.until(lambda: isinstance(shown.app.screen, WorksheetScreen))
            await shown.settled()
            assert title in shown.rows()[0]
            await shown.press("escape")


async def test_formulas_that_are_too_long_are_told(monkeypatch):
    def endless(*given):
        raise RecursionError

    monkeypatch.setattr("tui.screens.worksheet.worksheet_items", endless)
    async with debugger("regression") as shown:
        await shown.press("H")
        assert "too long to be written out" in shown.text()
        await shown.press("escape")
        assert shown.app.screen is shown.main
