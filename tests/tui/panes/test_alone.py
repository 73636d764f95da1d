"""Every pane can be tried alone: python -m tui.panes.NAME."""

import runpy
from pathlib import Path

import pytest
from textual.app import App

from tests.tui.screen import screen_rows
from tui.panes import alone

PANES = Path(alone.__file__).parent
NO_PANES = ("__init__", "alone", "first_look")
MODULES = sorted(path.stem for path in PANES.glob("*.py") if path.stem not in NO_PANES)
# A text that the pane shows of the sample.
SHOWN = {
    "chain": "∂",
    "console": "loss = 1.7",
    "diagnostics": "· note",
    "flow": "linear1",
    "jacobian": "∂",
    "program": "backward",
    "status": "regression",
    "tensor": "linear2.weight",
    "tensor_grid": "0",
    "timeline": "│",
    "variables": "linear2.weight",
    "watches": "norm(linear1.weight)",
}


def test_every_pane_is_tried():
    assert sorted(SHOWN) == MODULES


@pytest.mark.parametrize("name", MODULES)
async def test_a_pane_alone_shows_the_sample_steps_and_ends(name, monkeypatch):
    made: list[App[None]] = []
    monkeypatch.setattr(alone, "show", lambda pane: made.append(alone.SampleApp(pane)))
    runpy.run_path(str(PANES / f"{name}.py"), run_name="__main__")
    (app,) = made
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.pause()
        assert SHOWN[name] in "\n".join(screen_rows(app))
        await pilot.press("s", "S")
        assert app.sample.debugger.session.event == alone.EVENT
        await pilot.press("q")
    assert app.return_code == 0
