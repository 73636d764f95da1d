"""The prompt: what is typed goes into it, in order; it completes, remembers, and hides nothing."""

import pytest
from textual import events

from tests.tui.screen import Opened, debugger
from tests.tui.typist import answer, fill, note, run_line, said
from tui.widgets.prompt import Past, endings, rows, shared_beginning

NAMES = {":": "colon", " ": "space", "+": "plus", ".": "full_stop", "(": "left_parenthesis"}


def burst(shown: Opened, text: str) -> None:
    """What a terminal sends at once: nobody waits between the keys."""
    for letter in text:
        if letter == "\n":
            shown.app.post_message(events.Key("enter", "\r"))
        else:
            shown.app.post_message(events.Key(NAMES.get(letter, letter), letter))


async def test_what_is_typed_ahead_goes_to_the_prompt_it_opens():
    async with debugger("regression", (80, 24)) as shown:
        burst(shown, ":p 1 + 1\n:sns nSfe\nss:5")
        await shown.settled()
        await shown.idle()
        assert "1 + 1 = 2" in said(shown)
        assert "no command 'sns'" in said(shown)
        assert shown.session.event == 2, "the letters of a command were taken for step keys"
        assert shown.main.prompt.field.value == "5"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_prompt_takes_one_line_and_moves_nothing(size):
    async with debugger("regression", size) as shown:
        before = shown.rows()
        await shown.press("colon", "p", "space")
        asking = shown.rows()
        assert asking[:-2] == before[:-2]
        assert asking[-2].startswith(" : p")
        assert all(word in asking[-1] for word in ("Enter done", "Tab complete", "Esc leave"))
        await shown.press("escape")
        assert shown.rows() == before


async def test_tab_completes_and_shows_what_there_is():
    async with debugger("regression", (80, 24)) as shown:
        before = shown.rows()
        shown.main.parts.prompting.command()
        prompt = shown.main.prompt
        fill(shown, "p norm(linear2.w")
        await shown.press("tab")
        assert prompt.field.value == "p norm(linear2.weight"
        shown_rows = shown.rows()
        assert shown_rows[-3].split() == ["linear2.weight", "linear2.weight.grad"]
        assert shown_rows[:-3] == before[:-3], "candidates lie over the lines above"
        assert shown.main.parts.panes.pane == "program", "Tab goes to no other pane"
        fill(shown, "p norm(linear2.weight.g")
        await shown.press("tab")
        assert prompt.field.value == "p norm(linear2.weight.grad"
        assert shown.rows()[:-2] == before[:-2]
        fill(shown, "p nothing_like_this")
        await shown.press("tab")
        assert prompt.field.value == "p nothing_like_this"


async def test_tab_completes_in_the_middle_of_a_line():
    async with debugger("regression", (80, 24)) as shown:
        shown.main.parts.prompting.command()
        field = shown.main.prompt.field
        fill(shown, "b upd if loss > 1")
        field.cursor_position = len("b upd")
        await shown.press("tab")
        assert field.value == "b update if loss > 1"
        assert field.cursor_position == len("b update")


async def test_arrows_go_through_what_was_typed_before():
    async with debugger("regression", (80, 24)) as shown:
        shown.main.prompt_past.add("p loss")
        await run_line(shown, "where", "where", "list")
        await shown.press("colon")
        field, seen = shown.main.prompt.field, []
        for key in ("up", "up", "up", "up", "down", "down", "down"):
            await shown.press(key)
            seen.append(field.value)
        assert seen == ["list", "where", "p loss", "p loss", "where", "list", ""]
        assert shown.main.parts.panes.pane != "program" or shown.session.event == 0


async def test_a_prompt_has_a_past_of_its_own():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "where")
        await shown.press("w")
        await answer(shown, "loss")
        await shown.press("w", "up")
        assert shown.main.prompt.field.value == "loss"


async def test_esc_and_an_empty_answer_change_nothing():
    async with debugger("regression", (80, 24)) as shown:
        for key in ("colon", "slash", "at", "w"):
            await shown.press(key)
            await answer(shown, "   ")
            await shown.press(key, "escape")
            assert not shown.main.has_class("asking")
            assert note(shown) == ""
        assert shown.main.parts.panes.pane == "program"
        await shown.press("s")
        assert shown.session.event == 1


async def test_pasted_and_hostile_text_is_only_text():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "mark here [/b] \x1b[31m[@click=app.quit]x[/]")
        await shown.press("apostrophe")
        assert r"[/b] \x1b[31m[@click=app.quit]x[/]" in shown.text()
        await answer(shown, "he[/b]\x1b")
        assert shown.app.is_running
        assert "is no bookmark" in note(shown)


def test_a_past_keeps_a_line_once_and_no_blank():
    past = Past()
    for line in ("a", "a", "  ", "b"):
        past.add(line)
    assert past.lines == ["a", "b"]
    assert [past.move(-1), past.move(-1), past.move(-1), past.move(9)] == ["b", "a", "a", ""]


def test_candidates_show_the_words_that_differ():
    assert endings(["p norm(linear1.weight", "p norm(linear1.bias"]) == [
        "linear1.weight",
        "linear1.bias",
    ]
    assert endings(["reverse-continue", "rstep"]) == ["reverse-continue", "rstep"]
    assert endings([]) == []
    assert shared_beginning(["ab", "abc", "abd"]) == "ab"
    assert shared_beginning(["same"]) == "same"


def test_candidates_fill_three_lines_and_say_how_many_are_left():
    words = [f"word{number:02}" for number in range(40)]
    lines = rows(words, 40)
    assert len(lines) == 3
    assert max(map(len, lines)) <= 40
    shown = sum(line.count("word") for line in lines)
    assert lines[-1].endswith(f"… {40 - shown} more")
    assert rows(["界" * 40], 20) == ["界" * 10]
    assert rows(["one", "two"], 40) == ["one  two"]
