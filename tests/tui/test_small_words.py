"""What the debugger says: notes, counts, proposals, keys of a pane out of focus."""

import numpy as np
import pytest

from engine.debugger import Debugger
from tests.engine.small_experiments import built_in, session_of
from tests.tui.screen import debugger, steered
from tests.tui.typist import note
from tui.app import GradstepApp
from tui.theme import DARK, DARK_16, LIGHT, LIGHT_16, fitting


async def test_a_note_goes_with_the_pane_it_is_about():
    async with debugger("regression") as shown:
        await shown.press("2", "h")
        assert note(shown)
        await shown.press("tab")
        assert note(shown) == ""


async def test_a_proposal_is_replaced_by_typing_and_kept_by_an_arrow():
    async with debugger("regression") as shown:
        field = shown.main.prompt.field
        await shown.press("w")
        proposed = field.value
        assert proposed
        await shown.press("x")
        assert field.value == "x"
        await shown.press("escape", "w", "right", "x")
        assert field.value == f"{proposed}x"


async def test_tab_takes_the_candidates_in_turns():
    async with debugger("regression") as shown:
        for name in ("one", "two"):
            await shown.press("m", *name, "enter", "s")
        await shown.press("apostrophe", "tab")
        assert shown.main.prompt.field.value == "one"
        await shown.press("tab")
        assert shown.main.prompt.field.value == "two"
        await shown.press("tab", "enter")
        assert shown.session.event == 0


async def test_keys_of_the_tensor_pane_reach_it_from_beside():
    async with debugger("regression") as shown:
        await shown.press("1", "h")
        assert shown.main.parts.panes.pane == "program", "the focus stays"
        assert note(shown) == "heat map"
        await shown.press("j")
        assert shown.main.parts.panes.pane == "tensor", "what moves its cursor goes there"
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("5", "escape", "h")
        assert note(shown) == "h is a key of the Tensor pane: 2 goes there"


async def test_a_batch_that_brings_a_nan_is_shown_and_named():
    async with debugger("bug-missing-value") as shown:
        await shown.press("colon", *"until any non-finite", "enter")
        view = shown.main.view
        assert view.tensor == "x"
        index = tuple(shown.main.query_one("TensorGrid").index())
        assert np.isnan(view.array[index])
        assert "after the batch of iteration" in note(shown)
        assert "update" not in note(shown)


async def test_a_condition_says_that_it_is_met_and_its_name_once():
    async with debugger("regression") as shown:
        await shown.press("colon", *"until loss < 1", "enter")
        assert note(shown).startswith("loss < 1: has become true · after #")


@pytest.mark.parametrize("colours", ["standard", "windows"])
def test_sixteen_colours_have_themes_of_their_own(colours):
    assert fitting(DARK.name, colours) == DARK_16.name
    assert fitting(LIGHT.name, colours) == LIGHT_16.name


@pytest.mark.parametrize("colours", ["truecolor", "256", None])
def test_other_terminals_have_the_whole_themes(colours):
    assert fitting(DARK.name, colours) == DARK.name


async def test_the_loss_stays_in_a_narrow_terminal_while_recording(tmp_path):
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f")
        shown.main.parts.record_key.begin(str(tmp_path / "r.gradstep"))
        await shown.settled()
        assert "● REC" in shown.place()
        assert "loss 2" in shown.place()
        shown.main.moment()
        shown.main.say(note="a word that stays")
        shown.main.parts.recording.size = 12345
        shown.main.parts.record_key.feed()
        assert note(shown) == "a word that stays"
        shown.main.parts.recording.stop()


async def test_the_phases_do_not_move_while_one_steps():
    async with debugger("regression") as shown:
        places = set()
        for _ in range(len(built_in("regression").ops)):
            row = shown.rows()[1]
            places.add(tuple(row.index(phase) for phase in ("forward", "loss", "backward")))
            await shown.press("s")
        assert len(places) == 1


@pytest.mark.parametrize("event", [0, 4, 30, 50, 53])
async def test_a_value_can_be_edited_where_the_tensor_is_not_seen(event):
    async with debugger("regression", (80, 24)) as shown:
        shown.session.goto(event)
        shown.main.show_now()
        for name in ("x", "loss", "linear1.bias", "linear1.weight"):
            if name in shown.session.tensors:
                shown.main.parts.follow.tensor(name)
                await shown.press("i")
                assert shown.main.prompt.field.value.startswith(f"set {name}")
                await shown.press("escape")


async def test_a_stop_puts_the_hidden_cursor_on_its_element():
    async with debugger("bug-missing-value", (80, 24)) as shown:
        await shown.press("colon", *"until any non-finite", "enter", "2")
        view = shown.main.view
        index = tuple(shown.main.query_one("TensorGrid").index())
        assert view.tensor == "x"
        assert np.isnan(view.array[index])


@pytest.mark.parametrize("patience", [60.0, -1.0])
async def test_the_debugger_opens_where_it_was_asked_to(patience, monkeypatch):
    monkeypatch.setattr("tui.app.HEAD_START", patience)
    app = GradstepApp(Debugger(session_of("iris")))
    app.begin_at(2000)
    assert f"#{app.main.view.event}" == f"#{app.session.event}", "no View of another place"
    async with steered(app) as shown:
        await shown.idle()
        assert "#2000 " in shown.place()


async def test_tab_offers_what_is_not_there_yet():
    async with debugger("regression") as shown:
        await shown.press("colon", *"p linear1.weight", "tab")
        assert shown.main.prompt.field.value == "p linear1.weight.grad"


async def test_help_on_the_plots_screen_is_about_it():
    async with debugger("regression", (120, 60)) as shown:
        await shown.press("p", "question_mark")
        assert "Help · Plots" in shown.text()
        assert shown.text().index("Plots screen") < shown.text().index("Stepping")
