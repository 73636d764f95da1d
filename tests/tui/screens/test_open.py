"""The dialog that opens something else."""

from pathlib import Path

import pytest
from textual.widgets import Input, OptionList

from engine.recording.live import record
from tests.engine.small_experiments import built_in
from tests.tui.screen import Opened, debugger
from tests.tui.typist import note, run_line
from tui.screens.open import OpenScreen
from tui.settings.recent import MOST, recent, remember

CSV = "size,rooms,price\n50,2,250.5\n70,3,320.25\n90,4,400.75\n"
TOML = (
    "[data]\nx = [[1.0]]\ny = [[1.0]]\n[[layers]]\ntype = 'linear'\nout = 1\n[loss]\ntype = 'mse'\n"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with something of each kind."""
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path / "home"))
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "prices.csv").write_text(CSV)
    (folder / "mine.toml").write_text(TOML)
    (folder / "bad.toml").write_text(TOML.replace("mse", "msee"))
    (folder / "train.py").write_text("import torch\n")
    record(built_in("xor"), folder / "run.gradstep", 2)
    return folder


async def typed(shown: Opened, text: str) -> None:
    """Type into the field; it is filled at once, for dots are keys of other names."""
    shown.app.screen.query_one(Input).value = text
    await shown.settled()
    await shown.idle()


def listed(shown: Opened) -> list[str]:
    assert isinstance(shown.app.screen, OpenScreen)
    return [str(one.prompt) for one in shown.app.screen.query_one(OptionList).options]


async def test_the_list_has_a_line_about_each_thing() -> None:
    async with debugger("regression", (100, 40)) as shown:
        await shown.press("ctrl+o")
        await shown.idle()
        text = [" ".join(line.split()) for line in listed(shown)]
        assert text[:6] == [
            "files here",
            "bad.toml 1 layer · msee · x 1×1",
            "mine.toml 1 layer · mse · x 1×1",
            f"prices.csv table of size, rooms, price · {len(CSV)} bytes",
            text[4],
            "train.py a Python script, which has to be captured first",
        ]
        assert text[4].startswith("run.gradstep recording of xor · ")
        assert text[6] == "built-in experiments"
        assert text[7].startswith("regression Two-layer regression by hand")


@pytest.mark.parametrize("size", [(80, 24), (30, 10)])
async def test_typing_filters_and_enter_opens(size: tuple[int, int]) -> None:
    async with debugger("regression", size) as shown:
        await shown.press("s", "ctrl+o")
        await typed(shown, "mine")
        assert len(listed(shown)) == 2
        await shown.press("enter")
        await shown.idle()
        assert shown.session.run.name == "mine"
        assert note(shown) == "opened: mine.toml"
        assert recent()[0] == str(Path("mine.toml").absolute())
        await shown.press("s", "ctrl+o")
        assert shown.session.event == 1
        assert listed(shown)[0] == "recent"
        await shown.press("escape")
        assert shown.app.screen is shown.main


async def test_what_is_wrong_is_said_in_the_dialog() -> None:
    async with debugger("regression", (100, 30)) as shown:
        await shown.press("ctrl+o")
        await typed(shown, "bad")
        await shown.press("enter")
        await shown.idle()
        assert "bad.toml:8: loss.type: unknown type 'msee'; did you mean 'mse'?" in shown.text()
        assert isinstance(shown.app.screen, OpenScreen)
        await typed(shown, "train")
        assert "msee" not in shown.text()
        await shown.press("enter")
        await shown.idle()
        assert "a PyTorch script is run and recorded before it is opened" in shown.text()
        await typed(shown, "absent.toml")
        await shown.press("enter")
        await shown.idle()
        assert "No such file" in shown.text()
        assert shown.session.run.name == "regression"


async def test_a_table_asks_for_its_columns() -> None:
    async with debugger("regression", (100, 30)) as shown:
        await shown.press("ctrl+o")
        await typed(shown, "prices")
        await shown.press("enter")
        await shown.idle()
        columns = [line.split()[0] for line in listed(shown)[1:]]
        assert columns == ["size", "rooms", "price"]
        await shown.press("escape")
        assert listed(shown)[0] == "files here"
        await typed(shown, "prices")
        await shown.press("enter")
        await shown.idle()
        await shown.press("down", "tab", "down", "tab", "enter")
        await shown.idle()
        assert shown.session.run.name == "prices"
        assert shown.session.program.experiment.data.targets == ["rooms", "price"]


async def test_a_recording_opens_and_leaves_the_stops_of_its_experiment_alone() -> None:
    async with debugger("regression", (100, 30)) as shown:
        await run_line(shown, "open xor", "b backward")
        await run_line(shown, "open run.gradstep", "b update")
        assert shown.session.source.recorded
        await run_line(shown, "open xor")
        assert [str(stop) for stop in shown.debugger.stops] == ["break backward"]


async def test_edits_are_not_lost_by_one_key() -> None:
    async with debugger("regression", (100, 30)) as shown:
        await run_line(shown, "set optimizer.lr = 1")
        await shown.press("ctrl+o")
        await typed(shown, "iris")
        await shown.press("enter")
        assert "1 edit here would be lost: Enter again opens it all the same" in shown.text()
        await shown.press("enter")
        await shown.idle()
        assert shown.session.run.name == "iris"


async def test_an_evaluation_and_a_recording_under_way_are_in_the_way() -> None:
    async with debugger("regression", (100, 30)) as shown:
        await run_line(shown, "eval")
        await shown.press("ctrl+o")
        assert note(shown) == "this is an evaluation: `leave` it first"


def test_recent_things_are_bounded_and_newest_first(here: Path) -> None:
    for number in range(MOST + 5):
        remember(f"{number}.toml")
    remember("7.toml")
    remember("xor")
    found = recent()
    assert found[:2] == ["xor", str(here / "7.toml")]
    assert len(found) == MOST
    path = here.parent / "home" / "state" / "recent.json"
    for wrong in ("{}", "[1, null]", "no json", '[""]'):
        path.write_text(wrong)
        assert recent() == []


async def test_names_with_escapes_are_shown_harmless(here: Path) -> None:
    (here / "a\x1b[31m[red].toml").write_text(TOML)
    remember("/gone/\x1b]0;x\x07.toml")
    async with debugger("regression", (100, 30)) as shown:
        await shown.press("ctrl+o")
        await shown.idle()
        text = "\n".join(listed(shown))
        assert "\x1b" not in text
        assert "\x07" not in text
        assert "[red].toml" in text
        assert "No such file or directory" in text
