"""What the debugger's keys and words do on the screen: answers, places, edits, branches, skips."""

import numpy as np
import pytest

from tests.tui.screen import Opened, debugger
from tests.tui.typist import answer, note, run_line, said


def curve(shown: Opened) -> list[str]:
    """The rows of the timeline that hold the losses."""
    rows = shown.rows()
    top = next(y for y, row in enumerate(rows) if "8 Timeline" in row)
    return [row[10:-1] for row in rows[top + 1 : top + 4]]


def dots(rows: list[str]) -> int:
    """How many dots of braille there are."""
    return sum((ord(c) - 0x2800).bit_count() for row in rows for c in row if "⠀" <= c <= "⣿")


async def test_an_error_points_at_its_column():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "p norm(linear1.wieght)")
        assert "did you mean linear1.weight" in note(shown)
        await shown.press("7")
        rows = shown.rows()
        at = next(
            y for y, row in enumerate(rows) if "p norm(linear1.wieght)" in row and ">" not in row
        )
        assert rows[at + 1].index("^") == rows[at].index("linear1.wieght")


async def test_an_answer_to_read_opens_the_console_at_its_beginning():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "where", "help")
        assert shown.main.parts.panes.pane == "console"
        assert shown.rows()[5].startswith("│ > help")
        assert shown.rows()[6].startswith("│ Step:")
        await shown.press("end")
        assert "unskip" in shown.text()
        await shown.press("1")
        await run_line(shown, "goto i3")
        assert shown.main.parts.panes.pane == "program", "a movement is seen where one is"


async def test_what_a_stop_prints_is_said_once():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "log loss passing {iteration}", "c")
        assert said(shown).count("passing 7\n") == 1


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("#41", 41),
        ("41", 41),
        ("i3", 42),
        ("i2:backward", 30),
        ("e2", 63),
        ("50%", 315),
        ("end", 630),
    ],
)
async def test_every_form_of_a_position(text, event):
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("at")
        await answer(shown, text)
        assert shown.session.event == event
        await run_line(shown, "goto start", f"goto {text}")
        assert shown.session.event == event


async def test_an_index_of_the_tensor_and_what_is_none():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("2", "at")
        await answer(shown, "[3, 1]")
        assert shown.main.parts.pointing.value() == "x[3, 1]"
        for text in ("²", "9" * 30, "9" * 5000, "1,2,3,4,5", "\x1b[31m", "[/b]", "-1"):
            await shown.press("at")
            await answer(shown, text)
            assert shown.app.is_running
            assert note(shown) != ""
        assert shown.session.event == 0


async def test_run_to_the_selected_op_and_back_to_where_one_was():
    async with debugger("regression", (120, 40)) as shown:
        await shown.press("down", "down", "t")
        assert shown.session.event == 2
        await shown.press("up", "t")
        assert shown.session.event == 22, "it has run in this iteration: the next one"
        await shown.press("G", "g", "alt+left")
        assert shown.session.event == 22
        await shown.press("alt+left")
        assert shown.session.event == 2
        await shown.press("alt+left", "alt+left")
        assert shown.session.event == 0
        assert note(shown) == "no place before"
        await shown.press("alt+right")
        assert shown.session.event == 2


async def test_changes_of_a_tensor_and_of_an_element():
    async with debugger("regression", (120, 40)) as shown:
        ops = shown.session.program.ops
        writes = [op.index + 1 for op in ops if "linear2.bias" in op.writes]
        shown.main.parts.follow.tensor("linear2.bias")
        await shown.press("right_parenthesis")
        assert shown.session.event == writes[0]
        assert "linear2.bias[0]: 0.1 → " in note(shown)
        await shown.press("right_parenthesis", "left_parenthesis")
        assert shown.session.event == writes[0]
        await shown.press("left_parenthesis")
        assert shown.session.event == 0
        assert "no stop up to the beginning of the run" in note(shown)


async def test_bookmarks_have_a_text_and_are_offered_with_it():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f", "m")
        await answer(shown, "knee here it bends")
        await shown.press("f", "m")
        await answer(shown, "")
        await shown.press("apostrophe")
        assert "['knee #21 i2:zero_grad:linear1.weight.grad  here it bends]" in shown.text()
        assert "['m1 #42" in shown.text()
        await answer(shown, "knee")
        assert shown.session.event == 21


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_an_edit_in_the_past_starts_a_branch_that_is_named_listed_and_deleted(size):
    async with debugger("regression", size) as shown:
        session = shown.session
        await shown.press("f", "f")
        whole = {name: array.copy() for name, array in session.tensors.items()}
        await shown.press("F", "2")
        shown.main.parts.follow.tensor("linear1.weight")
        await shown.press("down", "right", "i")
        before = shown.main.prompt.field.value
        value = float(session.tensors["linear1.weight"][1, 1])
        assert before == f"set linear1.weight[1, 1] = {value!r}"
        await shown.press("end", "backspace")
        assert shown.main.prompt.field.value == before[:-1], "the text is there to be changed"
        await answer(shown, "set linear1.weight[1, 1] = 7")
        assert session.tensors["linear1.weight"][1, 1] == 7
        assert shown.place().endswith("⎇ main-1")
        assert "started from main, which stays as it is" in said(shown).replace("\n", " ")
        await shown.press("f")
        await run_line(shown, "branch")
        assert "* main-1 from main at #21, known up to #42, edits: 1" in said(shown)
        await run_line(shown, "switch main")
        assert shown.place().endswith("LIVE")
        assert session.event == 42
        for name, array in whole.items():
            np.testing.assert_array_equal(session.tensors[name], array)
        await run_line(shown, "branch delete main-1", "branch")
        assert [branch.name for branch in session.branches] == ["main"]


async def test_a_whole_tensor_and_a_hyper_parameter_are_edited():
    async with debugger("regression", (120, 40)) as shown:
        shown.main.parts.follow.tensor("linear2.bias")
        await shown.press("5", "i")
        values = shown.session.tensors["linear2.bias"].tolist()
        assert shown.main.prompt.field.value == f"set linear2.bias = {values}"
        await answer(shown, "set linear2.bias = [1, 2]")
        assert shown.session.tensors["linear2.bias"].tolist() == [1, 2]
        shown.main.parts.follow.tensor("optimizer.lr")
        await shown.press("i")
        assert shown.main.prompt.field.value == "set optimizer.lr = 0.05"
        await answer(shown, "set optimizer.lr = 0.01")
        assert float(shown.session.tensors["optimizer.lr"]) == 0.01
        await run_line(shown, "set optimizer.lr = nan")
        assert "must be a finite number" in note(shown)
        assert shown.place().endswith("LIVE"), "nothing was known of the future"


async def test_the_losses_of_two_branches_are_drawn_together_until_esc():
    async with debugger("regression", (120, 40)) as shown:
        await run_line(shown, "goto i12", "goto i2", "set optimizer.lr = 0.2", "goto i12")
        alone = dots(curve(shown))
        await run_line(shown, "compare main")
        assert note(shown).startswith("main and main-1 differ first at #21 ")
        assert shown.main.view is not None
        assert shown.main.view.other is not None
        assert shown.main.view.other[0] == "main"
        np.testing.assert_array_equal(
            shown.main.view.other[1], shown.session.branches.find("main").losses
        )
        both = dots(curve(shown))
        assert both > alone
        assert any("┈main" in row for row in shown.rows())
        await shown.press("escape")
        assert dots(curve(shown)) == alone
        assert any("✎" in row for row in shown.rows()), "the edit is marked over its iteration"


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_a_skipped_step_is_shown_as_skipped_and_can_be_stepped_over(size):
    async with debugger("regression", size) as shown:
        await shown.press("f")
        grad = shown.session.tensors["linear1.weight.grad"]
        await run_line(shown, "skip zero_grad")
        assert "zero_grad skipped 1/4" in shown.rows()[1]
        assert sum("⊘" in row for row in shown.rows()) == (3 if size[0] == 120 else 2)
        await shown.press("s", "s", "S", "n")
        assert shown.session.tensors["linear1.weight.grad"] is grad
        assert "zero_grad skipped " in shown.rows()[1]
        await shown.press("f", "s")
        assert shown.session.tensors["linear1.weight.grad"].any() == np.False_, "the next is whole"
        assert not any("⊘" in row for row in shown.rows())
        await run_line(shown, "skip update:linear1.bias always")
        await shown.press("f", "f")
        assert sum("⊘" in row for row in shown.rows()) == (1 if size[0] == 120 else 0)


async def test_search_finds_tensors_by_name_and_symbol():
    async with debugger("regression", (80, 24)) as shown:
        for text, name in [
            ("linear2.w", "linear2.weight"),
            ("ŷ", "identity1.out"),
            ("LOSS", "loss"),
        ]:
            await shown.press("slash")
            await answer(shown, text)
            assert shown.main.parts.follow.selection.tensor == name
        await shown.press("slash")
        await answer(shown, "[/nothing]")
        assert note(shown) == "nothing found for '[/nothing]'"


async def test_quit_is_a_word_too():
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "q")
        assert not shown.app.is_running
