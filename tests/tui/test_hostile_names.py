"""Names and texts of a file reach the screen as they are or as visible escapes, never as markup."""

import pytest
from textual.events import Paste

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from tests.engine.small_experiments import document
from tests.tui.screen import debugger

NAMES = [
    "[red]name[/red]",
    "a[/b]",
    "[@click=app.quit]press[/]",
    "\x1b[2J\x1b]0;owned\x07",
    "ab\u202edcba\u2066",
    "\x9b31m",
    "$(touch x)\r\n\tname",
    "\u200bzero\ufeffwidth",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "x" * 500,
    "界" * 60,
]
FORBIDDEN = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u202e\u2066\u200b\ufeff"}


def hostile(name: str) -> Program:
    tables = document(name=name, description=name)
    return compile_program(read_experiment(tables, "test.toml"))


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
async def test_an_experiment_of_any_name(name):
    try:
        program = hostile(name)
    except Exception as error:
        assert type(error).__name__ == "ExperimentError", repr(error)  # noqa: PT017
        return
    async with debugger(program, (120, 40)) as shown:
        text = shown.text()
        assert not FORBIDDEN & set(text.replace("\n", ""))
        assert len(text.splitlines()) == 40
        await shown.press("f", "question_mark", "escape", "z", "z")
        assert shown.app.is_running
        assert not FORBIDDEN & set(shown.text().replace("\n", ""))


async def test_markup_is_shown_letter_by_letter():
    async with debugger(hostile("[red]a[/b]"), (120, 40)) as shown:
        assert "[red]a[/b]" in shown.place()


async def test_control_characters_are_shown_as_escapes():
    async with debugger(hostile("a\x1bb\u202ec"), (120, 40)) as shown:
        assert r"a\x1bb\u202ec" in shown.place()


async def test_nothing_that_steers_a_terminal_comes_into_a_prompt():
    async with debugger(hostile("a\x1b[31m\u202e/b"), (120, 40)) as shown:
        await shown.press("R")
        assert shown.main.prompt.field.value == "a-31m-b.gradstep"
        await shown.press("escape", "colon")
        shown.app.post_message(Paste("p loss\x1b[2J\u202e"))
        await shown.settled()
        assert shown.main.prompt.field.value == r"p loss\x1b[2J\u202e"
        assert not FORBIDDEN & set(shown.text().replace("\n", ""))
