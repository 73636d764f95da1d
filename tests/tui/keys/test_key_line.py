"""The line of keys: what the focused pane has comes first, and nothing that does nothing."""

import pytest

from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.keys.command import PANES, PLOTS, PROMPT
from tui.keys.line import BETWEEN, hints, key_line
from tui.keys.shown import Shown
from tui.keys.table import EVERY
from tui.render.text.line import width_of
from tui.widgets.key_line import KeyLine

OF_TWO = "l layout  v batch  < > sample  y ∂ of it  x by it"
OWN = {
    "program": "↑ ↓ op  b stop  B stops  t run to  o PyTorch",
    "jacobian": f"↑ ↓ ← → cell  # $ format  + - digits  {OF_TWO}",
    "chain": f"↑ ↓ ← → factor  {OF_TWO}",
    "variables": "Enter fold, explain  ↑ ↓ tensor  ← → group  ) ( change  i edit",
    "watches": "↑ ↓ choose  w watch",
    "console": "↑ ↓ scroll  : command  M said",
    "timeline": "← → iteration  PgUp PgDn tenth  m bookmark  p plots",
    "flow": "↑ ↓ layer  L costs",
    "diagnostics": "Enter go there  ↑ ↓ finding",
}


def line(place: str, shown: Shown | None = None, width: int = 400) -> str:
    return "".join(text for text, _ in key_line(hints(EVERY, place, shown), width)).strip()


@pytest.mark.parametrize("pane", OWN)
def test_the_keys_of_the_pane_come_first(pane):
    own, _, rest = line(pane).partition(f" {BETWEEN} ")
    assert own.startswith(OWN[pane])
    assert rest.startswith("s op  S ⇤ op  n phase")
    assert rest.endswith("? help  q quit")


def test_no_pane_is_without_a_key_of_its_own():
    for pane in PANES:
        assert not hints(EVERY, pane)[0].group, pane


def test_what_does_nothing_is_not_offered():
    assert "unfold" not in line("program")
    assert line("program", Shown(unfolds=True)).startswith("Enter unfold")
    assert "axes" not in line("tensor", Shown(axes=2))
    assert "\\ | axes" in line("tensor", Shown(axes=3))
    assert "explain" not in line("tensor", Shown(elements=0))
    assert "remove" in line("watches", Shown(watches=1))
    assert "remove" not in line("watches")
    unknown = line("jacobian", Shown(layers=False, derives=False))
    assert not {"layout", "batch", "sample", "plots"} & set(unknown.split())
    captured = line("jacobian", Shown(layers=False))
    assert {"layout", "batch", "sample"} <= set(captured.split())
    assert "worksheet" not in captured
    assert "zoom" not in line("program", Shown(alone=True))


def test_the_plots_screen_offers_what_the_regions_have():
    curves = line(PLOTS)
    assert curves.startswith("+ - zoom  ← → pan  = all  l log  a scales  x axis  b branches")
    assert "1 … 9 curve" in curves
    regions = line(PLOTS, Shown(regions=True)).split()
    assert regions == ["r", "regions", "│", "M", "said", "Esc", "close", "?", "help"]


def test_at_the_ends_step_keys_go_dim_and_stay_where_they_are():
    middle, first = (hints(EVERY, "program", Shown(start=at)) for at in (False, True))
    assert [h.words for h in middle] == [h.words for h in first]
    assert [h.words for h in first if h.off] == ["⇤ op"]
    assert {h.words for h in hints(EVERY, "program", Shown(end=True)) if h.off} == {
        *("op", "phase", "iteration", "epoch")
    }


@pytest.mark.parametrize("width", [10, 40, 80, 120, 200])
@pytest.mark.parametrize("place", [*PANES, PLOTS, PROMPT])
def test_the_line_fits(place, width):
    found = key_line(hints(EVERY, place), width)
    assert width_of(found) <= max(width, 24)


async def test_the_line_follows_the_focus_and_what_is_shown():
    async with debugger("regression", (160, 40)) as shown:
        await shown.press("3")
        assert shown.rows()[-1].strip().startswith(OWN["jacobian"])
        assert "y ∂ of it" in shown.rows()[-1]
        await shown.press("6")
        assert "remove" not in shown.rows()[-1]
        await run_line(shown, "display loss")
        await shown.press("6")
        assert shown.rows()[-1].strip().startswith("Delete remove")


async def test_a_click_presses_the_key_under_it():
    async with debugger("regression", (120, 40)) as shown:
        await shown.press("n", "3")
        for key in (">", "<"):
            sample = shown.main.parts.follow.selection.derivative.sample or 0
            await click(shown, key)
            now = shown.main.parts.follow.selection.derivative.sample
            assert now == sample + (1 if key == ">" else -1)


async def click(shown: Opened, key: str) -> None:
    place = shown.rows()[-1].index(f"{key} ")
    await shown.pilot.click(KeyLine, offset=(place, 0))
    await shown.settled()
