"""The tour inside the debugger: each step waits for its key, which does what it does."""

from pathlib import Path

import pytest

from tests.tui.screen import Opened, debugger
from tests.tui.typist import note, run_line, said
from tui.control.tour import STEPS, first_line
from tui.keys.table import BY_ID, EVERY
from tui.settings.saved import load_tour


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    return tmp_path


def shown_step(shown: Opened) -> str:
    rows = [row.strip() for row in shown.rows()]
    at = [i for i, row in enumerate(rows) if row.startswith("tour ")]
    return " ".join(rows[at[0] : at[0] + 2]) if at else ""


def test_the_offer_names_its_own_key() -> None:
    assert (
        first_line(EVERY, offer=True) == "first time here? F2 begins a tour · ? every key · q quits"
    )


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_step_waits_for_its_key_and_does_it(size: tuple[int, int]) -> None:
    async with debugger("regression", size) as shown:
        await shown.press("f2")
        for number, step in enumerate(STEPS, 1):
            assert shown_step(shown).startswith(f"tour {number}/{len(STEPS)} ")
            await shown.press("u")  # another key is no step of it
            assert shown.main.parts.tour.step == number - 1
            key = BY_ID[step.waits].keys[0] if step.waits in BY_ID else step.waits
            await shown.press(key)
            if shown.app.screen is not shown.main:
                assert step.waits in ("explain", "plots", "worksheet", "help")
                await shown.press("escape")
        assert shown.main.parts.tour.step is None
        assert shown_step(shown) == ""
        assert shown.session.known > 0
        assert len(shown.debugger.stops) == 1
        assert load_tour() == 0


async def test_it_can_be_left_and_taken_up_again() -> None:
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "tour")
        await shown.press("s", "S", "escape")
        assert shown_step(shown) == ""
        assert "the tour waits here" in note(shown)
        assert shown.session.event == 0
    async with debugger("xor", (80, 24)) as shown:
        await shown.press("f2")
        assert shown_step(shown).startswith("tour 3/")


async def test_keys_at_a_prompt_are_no_steps() -> None:
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f2", "colon", "s", "escape")
        assert shown.main.parts.tour.step == 0


async def test_it_goes_on_in_another_run() -> None:
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f2", "s")
        await run_line(shown, "open xor")
        assert shown.session.run.name == "xor"
        assert shown_step(shown).startswith("tour 2/")
        assert note(shown) == "opened: xor"
        assert "opened: xor" in said(shown)
