"""Keys and words: what a key does that is the debugger's, a line of the command language does."""

import pytest

from engine.debugger import Debugger
from engine.session.session import Session
from engine.words import table as words
from engine.words.language import CommandLine
from tests.engine.small_experiments import built_in
from tests.tui.screen import Opened, debugger
from tests.tui.typist import answer, note, said
from tui.keys.command import PANES, Command, to_pane
from tui.keys.table import BY_ID, COMMANDS, EVERY

MIDDLE = 50  # regression: in the backward step of the third iteration
PLAIN = [c for c in COMMANDS if c.word and "{" not in c.word]
# What is the screen's alone: where to look, how it is drawn, other screens, files.
OWN = {
    *("stops", "search", "play", "play-back", "slower", "faster", "record", "outer", "inner"),
    *("listing", "plots", "layers", "follow", "numerator", "denominator", "layout", "view"),
    *("sample-next", "sample-previous", "next-pane", "previous-pane", "wider", "narrower"),
    *("higher", "lower", "zoom", "help", "cancel", "quit", "worksheet", "tour", "open"),
    *("guide", "caption", "large"),
    *("jump", "notes"),
    *(to_pane(key) for key in PANES),
}


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that the command language is given."""
    given: list[str] = []
    run = CommandLine.run

    def noted(self, line):
        given.append(line)
        return run(self, line)

    monkeypatch.setattr(CommandLine, "run", noted)
    return given


def test_every_word_of_the_table_is_a_word_of_the_language():
    for command in EVERY:
        if command.word and command is not BY_ID["command"]:
            assert command.word.split()[0] in words.COMMANDS, command.id


async def test_every_command_of_the_screen_has_an_act_and_the_others_a_word():
    async with debugger("regression", (80, 24)) as shown:
        own = {c.id: c for c in COMMANDS if not c.pane and not c.action}
        assert set(shown.main.acts) == set(own)
        assert {name for name, c in own.items() if not c.word} == OWN
        # the toolkit does it: to the shell and back
        assert [c.id for c in COMMANDS if c.action and not c.pane] == ["suspend"]


@pytest.mark.parametrize("command", PLAIN, ids=lambda command: command.id)
async def test_a_key_leads_where_its_word_leads(command: Command, lines: list[str]):
    prepare = ("goto 9", "mark before", "goto 70", "mark after", "b loss", f"goto {MIDDLE}")
    prepare = (*prepare, "goto 40", f"goto {MIDDLE}", "back", "ahead", "back")
    if command.id == "undo":
        prepare = (*prepare, "set optimizer.lr = 0.5")
    headless = CommandLine(Debugger(Session(built_in("regression"))))
    for line in (*prepare, command.word):
        headless.execute(line)
    async with debugger("regression", (80, 24)) as shown:
        for line in prepare:
            shown.main.parts.words.line.execute(line)
        shown.main.show_now()
        del lines[:]
        await shown.press(command.keys[0])
        assert lines == [command.word]
        assert shown.session.event == headless.debugger.event
        assert shown.debugger.jumps == headless.debugger.jumps


async def at_middle(shown: Opened) -> None:
    shown.session.goto(MIDDLE)
    shown.main.show_now()
    await shown.settled()


async def test_keys_fill_the_holes_of_their_words(lines: list[str]):
    async with debugger("regression") as shown:
        await at_middle(shown)
        op, view = shown.session.op, shown.main.view
        assert op is not None
        assert view is not None
        await shown.press("b", "b", "right_parenthesis", "t")
        assert lines[:3] == [f"toggle {op.key}", f"toggle {op.key}", f"nc {view.tensor}"]
        assert lines[3].startswith("to ")
        del lines[:]
        await shown.press("m")
        await answer(shown, "here a text")
        await shown.press("apostrophe")
        await answer(shown, "here")
        await shown.press("w")
        await answer(shown, "loss")
        await shown.press("at")
        await answer(shown, "i2:forward")
        assert lines == ["mark here a text", "goto 'here", "display loss", "goto i2:forward"]
        await shown.press("6", "delete")
        assert lines[-1] == "undisplay loss"


async def test_the_list_of_stops_runs_words(lines: list[str]):
    async with debugger("regression") as shown:
        shown.main.parts.words.line.execute("b loss")
        del lines[:]
        await shown.press("B", "space", "space", "o", "i")
        await answer(shown, "loss > 1")
        await shown.press("B", "g")
        await answer(shown, "3")
        await shown.press("B", "l")
        await answer(shown, "at {event}")
        await shown.press("B", "d", "a")
        assert lines == [
            *("disable 1", "enable 1", "once 1", "condition 1 loss > 1", "ignore 1 3"),
            *("log 1 at {event}", "delete 1"),
        ]
        assert shown.main.prompt.field.value == "b "


async def test_what_a_key_runs_does_not_fill_the_console():
    async with debugger("regression", (80, 24)) as shown:
        before = said(shown)
        await shown.press("s", "n", "g", "b", "G", "alt+left")
        assert said(shown) == before
        await shown.press("alt+right", "alt+right")
        assert note(shown) == "no place further on"
        assert said(shown) == before
