"""Keys of a person's own: every mistake is an error with its line; good ones hold everywhere."""

import re
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from tests.engine.small_experiments import session_of
from tests.tui.screen import screen_text, steered
from tui.app import GradstepApp
from tui.keys.command import Command
from tui.keys.help import help_rows, keys_text
from tui.keys.keymap import load_commands
from tui.keys.table import EVERY
from tui.screens.plots import PlotsScreen
from tui.settings.settings import Settings

HEAD = "# my keys\n\n[keys]\n"


def loaded(tmp_path: Path, text: str) -> tuple[Command, ...]:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return load_commands(path)


def problems(tmp_path: Path, text: str) -> str:
    with pytest.raises(GradstepError) as caught:
        loaded(tmp_path, text)
    return str(caught.value)


def test_without_a_file_the_keys_are_as_they_are(tmp_path):
    assert load_commands(tmp_path / "none.toml") is EVERY
    assert loaded(tmp_path, "theme = 'x'\n") == EVERY or loaded(tmp_path, "") == EVERY


def test_no_two_commands_of_the_table_share_a_key():
    owners: dict[tuple[str, str], str] = {}
    for command in EVERY:
        for key in (*command.keys, *command.aliases):
            assert (command.pane, key) not in owners, key
            owners[command.pane, key] = command.id


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('step-op = "n"', "line 4: step-op: 'n' is the key of step-phase too"),
        ('stepop = "w"', "line 4: stepop: no such command; "),
        (
            'step-op = "ctrl+i"',
            "line 4: step-op: 'ctrl+i' is unreachable: terminals send it as Tab",
        ),
        ('step-op = "shift+a"', "line 4: step-op: 'shift+a' is unreachable: write 'A'"),
        ('step-op = "ctrl+1"', "line 4: step-op: 'ctrl+1' is unreachable"),
        ('step-op = "5"', "line 4: step-op: '5' is the key of pane-variables and plot-curve-5 too"),
        ('step-op = "up"', "line 4: step-op: 'up' belongs to the focused pane"),
        ('step-op = "ctrl+p"', "line 4: step-op: 'ctrl+p' belongs to the palette"),
        ('step-op = "meta+x"', "line 4: step-op: 'meta+x' is no key"),
        ('step-op = "f25"', "line 4: step-op: 'f25' is no key"),
        ('step-op = "nonsense"', "line 4: step-op: 'nonsense' is no key"),
        ("step-op = 7", "line 4: step-op: a key such as"),
        ('step-op = ["a", 7]', "line 4: step-op: a key such as"),
    ],
)
def test_a_mistake_names_its_line(tmp_path, line, expected):
    assert expected in problems(tmp_path, HEAD + line + "\n")


def test_all_mistakes_are_named_at_once(tmp_path):
    text = problems(tmp_path, HEAD + 'quit = "n"\nnext-pane = "ctrl+m"\nnothing = "x"\n')
    assert re.findall(r"line (\d+): (\S+):", text) == [
        ("5", "next-pane"),
        ("6", "nothing"),
        ("4", "quit"),
    ]


@pytest.mark.parametrize("text", ["[keys", "keys = 3\n", "[keys]\nquit = 'a'\nquit = 'b'\n"])
def test_a_file_that_is_none_is_named(tmp_path, text):
    assert str(tmp_path / "config.toml") in problems(tmp_path, text)


def test_a_key_that_is_given_away_first_is_free(tmp_path):
    commands = {c.id: c for c in loaded(tmp_path, HEAD + 'step-op = "ctrl+t"\nwatch = "s"\n')}
    assert commands["step-op"].keys == ("ctrl+t",)
    assert commands["step-op"].aliases == ()
    assert commands["watch"].keys == ("s",)


async def test_own_keys_work_and_are_shown_everywhere(tmp_path):
    commands = loaded(tmp_path, HEAD + 'step-op = ["ctrl+t", "f12"]\nwatch = "s"\nhelp = "%"\n')
    app = GradstepApp(Debugger(session_of("regression")), Settings(hint=False, commands=commands))
    async with steered(app, (120, 60)) as shown:
        await shown.press("ctrl+t", "f12")
        assert app.session.event == 2
        await shown.press("f11")
        assert app.session.event == 2, "the old keys are gone"
        await shown.press("s")
        assert shown.main.has_class("asking"), "s is another command now"
        await shown.press("escape")
        footer = shown.rows()[-1]
        assert "% help" in footer
        assert "Ctrl+T op" in footer
        await shown.press("percent_sign")
        text = screen_text(app)
        assert re.search(r"Ctrl\+T, F12 +step one op", text)
        titles = {c.title: c.right for c in app.offered()}
        assert titles["Stepping: step one op"] == "Ctrl+T, F12"


def test_the_help_has_every_key_of_every_command():
    rows = {words: keys for _, group in help_rows() for keys, words in group}
    for command in EVERY:
        curve = command.id.startswith("plot-curve-")
        assert curve or keys_text(command) in rows[command.help]
    assert rows["show this curve, or no longer"] == "1 … 9"


async def test_digits_are_given_to_others_like_all_keys(tmp_path):
    commands = loaded(
        tmp_path, HEAD + 'pane-chain = "ctrl+k"\nplot-curve-4 = "ctrl+k"\nstep-op = "4"\n'
    )
    app = GradstepApp(Debugger(session_of("regression")), Settings(hint=False, commands=commands))
    async with steered(app) as shown:
        await shown.press("4")
        assert app.session.event == 1
        await shown.press("ctrl+k")
        assert shown.main.parts.panes.pane == "chain"


async def test_own_keys_work_on_the_plots_screen_too(tmp_path):
    commands = loaded(tmp_path, HEAD + 'plot-log = "L"\nstep-op = "ctrl+t"\nplots = "Z"\n')
    app = GradstepApp(Debugger(session_of("regression")), Settings(hint=False, commands=commands))
    async with steered(app) as shown:
        await shown.press("Z", "ctrl+t")
        assert app.session.event == 1
        screen = app.screen
        assert isinstance(screen, PlotsScreen)
        await shown.press("l")
        assert not screen.sheet.plots.log
        await shown.press("L")
        assert screen.sheet.plots.log
        assert "L log" in shown.rows()[-1]


def test_a_key_of_the_plots_screen_may_mean_something_else_elsewhere(tmp_path):
    assert loaded(tmp_path, HEAD + 'plot-log = "w"\n')
    with pytest.raises(GradstepError, match=r"line 4: plot-log: 's' is the key of step-op too"):
        loaded(tmp_path, HEAD + 'plot-log = "s"\n')


@pytest.mark.parametrize("name", ["timeline-move-1", "program-move-2"])
def test_the_keys_with_which_a_pane_moves_its_cursor_stay(tmp_path, name):
    said = problems(tmp_path, f'{HEAD}{name} = "ctrl+k"\n')
    assert f"line 4: {name}: a pane moves its cursor with these keys" in said


# What has AltGr on some European layout: German, French, Spanish, Italian, Nordic.
ALT_GR = {
    *("at", "left_square_bracket", "right_square_bracket", "left_curly_bracket", "tilde"),
    *("right_curly_bracket", "backslash", "vertical_line", "number_sign", "dollar_sign"),
    *("circumflex_accent", "grave_accent"),
}


def test_keys_that_need_alt_gr_have_a_second_one():
    for command in EVERY:
        keys = {*command.keys, *command.aliases}
        assert not keys <= ALT_GR, command.id


def test_no_key_is_written_as_a_control_character():
    for _, rows in help_rows():
        for keys, words in rows:
            assert (keys + words).isprintable(), repr(keys)
    assert keys_text(next(c for c in EVERY if c.id == "unwatch")) == "Delete, D"


def test_a_command_keeps_a_key(tmp_path):
    with pytest.raises(GradstepError, match="line 4: heat: a command has at least one key"):
        loaded(tmp_path, HEAD + "heat = []\n")
