"""What is kept between runs: by experiment, whole or not at all, and never in the way."""

import json
from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.stops.stop import StopKind
from tests.engine.small_experiments import session_of
from tests.tui.screen import debugger
from tests.tui.typist import answer, run_line
from tui.app import GradstepApp, run_debugger
from tui.settings.saved import load_lines, restore, save, save_lines, session_file


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADSTEP_HOME", str(tmp_path))
    return tmp_path


def fresh(name: str = "regression") -> Debugger:
    return Debugger(session_of(name))


def test_everything_comes_back():
    first = fresh()
    first.stops.add(StopKind.OP, "backward", condition="loss > 1", ignore=2, enabled=False)
    first.stops.add(StopKind.CROSS, "loss", bound=0.5, once=True, log="at {iteration} [/b]\x1b")
    first.watches.add("norm(x)")
    first.bookmarks.mark("here", 41, "a text ü [/b]")
    save(first)
    second = fresh()
    assert restore(second) == []
    assert list(second.stops) == list(first.stops)
    assert list(second.watches) == ["norm(x)"]
    assert dict(second.bookmarks) == dict(first.bookmarks)
    assert second.stops.add(StopKind.OP, "loss").number == 3


def test_experiments_do_not_share():
    first = fresh()
    first.watches.add("norm(x)")
    save(first)
    other = fresh("xor")
    assert restore(other) == []
    assert len(other.watches) == 0


def test_what_no_longer_fits_is_named_and_the_rest_comes_back():
    first = fresh()
    first.stops.add(StopKind.OP, "linear1")
    first.watches.add("loss")
    save(first)
    path = session_file(first.session)
    data = json.loads(path.read_text())
    data["stops"].append({"number": 9, "kind": "op", "target": "gone"})
    data["stops"].append({"number": 10, "kind": "nonsense"})
    data["watches"] += ["norm(gone)", 7]
    data["bookmarks"] = [["far", 10**9, "x"], ["bad name!", 1, ""], 3, ["a"]]
    path.write_text(json.dumps(data))
    second = fresh()
    problems = restore(second)
    assert [stop.target for stop in second.stops] == ["linear1"]
    assert list(second.watches) == ["loss"]
    assert second.bookmarks["far"].event == second.run.timeline.end
    assert any("gone" in problem for problem in problems)
    assert any("nonsense" in problem for problem in problems)


@pytest.mark.parametrize("text", ["", "{", "[]", "7", '{"stops": 3, "watches": {}}', "[" * 100_000])
def test_a_damaged_file_is_as_none(text):
    path = session_file(fresh().session)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    (path.parent.parent / "history.json").write_text(text)
    third = fresh()
    assert restore(third) == []
    assert len(third.stops) == 0
    assert load_lines() == []


def test_a_folder_that_cannot_be_written_costs_only_the_memory(home: Path):
    (home / "state").write_text("a file in the way")
    full = fresh()
    full.watches.add("loss")
    save(full)
    save_lines(["p loss"])
    assert restore(fresh()) == []
    assert load_lines() == []


def test_nothing_is_kept_of_nothing():
    one = fresh()
    one.watches.add("loss")
    save(one)
    assert session_file(one.session).exists()
    one.watches.remove("loss")
    save(one)
    assert not session_file(one.session).exists()


def test_the_newest_lines_are_kept():
    save_lines([f"p {number}" for number in range(1500)])
    assert load_lines() == [f"p {number}" for number in range(500, 1500)]


async def test_every_change_is_saved_as_it_happens():
    async with debugger("regression", (80, 24)) as shown:
        seen: list[tuple[int, int, int]] = []
        live = shown.debugger
        shown.main.parts.words.keep = lambda: seen.append(
            (len(live.stops), len(live.watches), len(live.bookmarks))
        )
        await shown.press("b")
        assert seen[-1] == (1, 0, 0)
        await run_line(shown, "b loss", "mark here")
        assert seen[-1] == (2, 0, 1)
        await shown.press("w")
        await answer(shown, "loss")
        assert seen[-1] == (2, 1, 1)
        await shown.press("6", "D")
        assert seen[-1] == (2, 0, 1)
        await shown.press("B", "d", "escape")
        assert seen[-1] == (1, 0, 1)


def test_a_process_that_is_killed_has_lost_no_stop(monkeypatch):
    class Killed(BaseException):
        pass

    def killed(app: GradstepApp) -> None:
        app.main.debugger.stops.add(StopKind.OP, "loss")
        app.main.parts.words.keep()
        raise Killed  # nothing that comes after the screen is reached

    monkeypatch.setattr(GradstepApp, "run", killed)
    with pytest.raises(Killed):
        run_debugger("regression", None, None, None)
    again = fresh()
    assert restore(again) == []
    assert [str(stop) for stop in again.stops] == ["break loss"]
