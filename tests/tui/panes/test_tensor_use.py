"""The tensor pane: copying and saving, keys, mouse, sizes."""

import numpy as np
from textual import events

from tests.tui.tensors import COMMON, grid, numbered, pane, table, tensor_pane, typed
from tests.tui.typist import note
from tui.app import Runner
from tui.keys.help import help_rows
from tui.keys.table import COMMANDS
from tui.panes.tensor_grid import TensorGrid
from tui.render.tensor import range_text
from tui.screens.help import HelpScreen
from tui.view.display import Face

# -- taking along


async def test_copying_a_cell_and_the_window():
    async with tensor_pane(np.array([[0.1, np.nan], [np.inf, 4.0]], dtype=np.float32)) as shown:
        await shown.press("Y")
        assert shown.app.clipboard == "0.1"
        await shown.press("W")
        assert shown.app.clipboard == "0.1\tnan\ninf\t4.0"
        assert note(shown).startswith("copied 2 × 2 cells")


async def test_only_the_window_is_copied():
    async with tensor_pane(np.broadcast_to(np.float64(1.0), (10**6, 10**6))) as shown:
        await shown.press("W")
        rows = shown.app.clipboard.split("\n")
        assert len(rows) == grid(shown).room.height - 1
        assert len(rows[0].split("\t")) == len(table(shown)[0])


async def test_saving_and_refusing_to_overwrite(tmp_path):
    tensor = numbered(3, 4, 5)
    async with tensor_pane(tensor) as shown:
        for name in ("t.npy", "t.csv"):
            await shown.press("ctrl+s")
            assert shown.app.focused.value == "x.npy"
            await typed(shown, str(tmp_path / name))
            assert str(tmp_path / name) in note(shown)
        np.testing.assert_array_equal(np.load(tmp_path / "t.npy"), tensor)
        np.testing.assert_array_equal(np.loadtxt(tmp_path / "t.csv", delimiter=","), tensor[0])
        before = (tmp_path / "t.npy").read_bytes()
        await shown.press("ctrl+s")
        await typed(shown, str(tmp_path / "t.npy"))
        assert "nothing is overwritten" in note(shown)
        assert (tmp_path / "t.npy").read_bytes() == before
        await shown.press("ctrl+s")
        await typed(shown, str(tmp_path / "t.bin"))
        assert "must end in .npy or .csv" in note(shown)


async def test_what_is_shown_is_what_is_saved(tmp_path):
    async with tensor_pane(np.array([[1.0, 5.0]]), np.array([[0.0, 7.0]])) as shown:
        await shown.press("equals_sign", "equals_sign", "ctrl+s")
        await typed(shown, str(tmp_path / "d.npy"))
        assert np.load(tmp_path / "d.npy").tolist() == [[1.0, -2.0]]


# -- keys, mouse, sizes


async def test_the_keys_are_in_the_footer_the_help_and_the_palette():
    mine = [command for command in COMMANDS if command.pane == "tensor"]
    others = {key for c in COMMANDS if not c.pane for key in (*c.keys, *c.aliases)}
    assert not others & {key for command in mine for key in command.keys}
    assert help_rows(place="tensor")[0][0] == "Tensor pane"
    async with tensor_pane(size=COMMON) as shown:
        assert " h heat map" in shown.text().splitlines()[-1]
        titles = {entry.title for entry in shown.app.offered()}
        assert {command.title for command in mine} <= titles
        shown.main.parts.panes.go_to("program")
        await shown.settled()
        assert "heat map" not in shown.text().splitlines()[-1]
        await shown.press("question_mark")
        assert isinstance(shown.app.screen, HelpScreen)


async def test_the_palette_runs_a_command_of_the_pane_from_anywhere():
    async with tensor_pane() as shown:
        shown.main.parts.panes.go_to("program")
        await shown.settled()
        command = next(command for command in COMMANDS if command.id == "heat")
        await Runner(shown.app, command)()
        await shown.settled()
        assert shown.main.parts.panes.pane == "tensor"
        assert pane(shown).form.face == Face.HEAT


async def test_the_mouse_selects_and_scrolls():
    async with tensor_pane(numbered(100, 100)) as shown:
        labels = grid(shown).label
        await shown.pilot.click(TensorGrid, offset=(labels + 2 * grid(shown).cell + 3, 4))
        await shown.settled()
        assert grid(shown).index() == (3, 2)
        for _ in range(3):
            await shown.pilot.hover(TensorGrid, offset=(20, 3))
            grid(shown).scroll_down(animate=False)
        await shown.settled()
        assert table(shown)[1][0] == "3"
        await shown.press("h")
        await shown.pilot.click(TensorGrid, offset=(0, 1))
        await shown.settled()
        assert grid(shown).index() == (0, 0)


async def test_any_size_at_any_moment_keeps_the_cursor_in_view():
    async with tensor_pane(numbered(300, 300)) as shown:
        pane(shown).go_to((250, 250))
        for face in ("numbers", "heat"):
            for size in [(200, 60), (20, 5), (80, 24)]:
                await shown.resize(*size)
                assert shown.app.is_running
                assert grid(shown).index() == (250, 250)
            if face == "numbers":
                assert "250" in table(shown)[0]
                assert "250" in [row[0] for row in table(shown)]
            await shown.press("h")


async def test_keys_typed_ahead_reach_the_prompt():
    async with tensor_pane(numbered(3, 4)) as shown:
        for key, letter in (("r", "r"), ("greater_than_sign", ">"), ("5", "5"), ("enter", "\r")):
            shown.app.post_message(events.Key(key, letter))
        await shown.until(lambda: pane(shown).form.bounds is not None)
        assert range_text(pane(shown).form.bounds) == ">5.0"


async def test_few_colours_are_no_shades(monkeypatch):
    monkeypatch.delenv("COLORTERM")
    monkeypatch.setenv("TERM", "xterm")
    async with tensor_pane(np.array([[-1.0, 0.0, 1.0]])) as shown:
        await shown.press("h")
        assert "≡≡≡" in shown.text()
