"""The flow pane: what it shows, that it moves with the cursor, and that nobody measures unseen."""

import pytest

from engine.diagnostics import layer_stats as flow
from engine.diagnostics.layer_stats import LayerStats
from tests.tui.screen import Opened, debugger
from tests.tui.typist import run_line
from tui.panes.flow import FlowDetail, FlowPane, FlowTable

SIZES = [(80, 24), (120, 40), (200, 60)]


@pytest.fixture
def measured(monkeypatch) -> list[int]:
    """The events that have been measured."""
    events: list[int] = []
    fill = LayerStats.fill

    def counted(self, past, tensors, event):
        for number in fill(self, past, tensors, event):
            events.append(number)
            yield number

    monkeypatch.setattr(LayerStats, "fill", counted)
    return events


async def opened(shown: Opened) -> None:
    shown.main.parts.panes.go_to("flow")
    await shown.settled()
    await shown.idle()


@pytest.mark.parametrize("size", SIZES)
async def test_the_words_stand_beside_the_layers(size):
    async with debugger("bug-vanishing", size) as shown:
        await shown.press("f", "f", "f")
        await opened(shown)
        rows = shown.rows()
        assert any("linear1" in row and "vanishing" in row and "⇊" in row for row in rows)
        assert any("× that of linear8 (< 0.001)" in row for row in rows)
        head = next(row for row in rows if "‖ΔW‖/‖W‖" in row)
        limits = rows[rows.index(head) + 1]
        assert "× that of linear8:" in limits
        assert 0 <= limits.index("↓0.01") - head.index("‖∂ℓ/∂z‖") < 8
        assert len(rows) == size[1]


@pytest.mark.parametrize(("name", "lines"), [("deep-sigmoid", 3), ("regression", 7)])
async def test_the_detail_is_short_where_the_layers_need_the_room(name, lines):
    async with debugger(name, (120, 40)) as shown:
        await shown.press("f")
        await opened(shown)
        pane, table = shown.main.query_one(FlowPane), shown.main.query_one(FlowTable)
        assert shown.main.query_one(FlowDetail).size.height == lines
        assert table.size.height == pane.content_size.height - 2 - lines
        assert any("the last iteration " in row for row in shown.rows())


async def test_nothing_is_measured_before_somebody_looks(measured):
    async with debugger("regression") as shown:
        await shown.press("f", "n", "s", "s")
        assert measured == []
        await opened(shown)
        made = len(measured)
        assert made > 0
        await shown.press("f")
        assert len(measured) > made
        made = len(measured)
        shown.main.parts.panes.go_to("tensor")
        await shown.press("f", "f", "s")
        assert len(measured) == made
        await opened(shown)
        assert len(measured) > made


async def test_a_step_measures_what_it_wrote_and_nothing_twice(measured):
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f", "f")
        await opened(shown)
        measured.clear()
        event = shown.session.event
        await shown.press("n", "s")  # zero_grad, then z₁
        assert measured == [event + 4]
        await shown.press("S", "s")
        assert measured == [event + 4]


async def test_what_takes_long_goes_on_in_between(measured, monkeypatch):
    monkeypatch.setattr("tui.panes.flow.AT_ONCE", 0.0)
    monkeypatch.setattr("tui.panes.flow.LEAST", 0)
    async with debugger("regression", (80, 24)) as shown:
        await run_line(shown, "99f")
        await opened(shown)
        expected = (flow.SPAN if shown.session.position.iteration > flow.SPAN else 30) * 12
        assert len(measured) == expected
        assert "the last 30 iterations" in shown.text()


async def test_the_numbers_are_those_at_the_cursor():
    async with debugger("xor", (120, 40)) as shown:
        await shown.press("f", "n", "s", "s")
        await opened(shown)
        out = shown.session.tensors["tanh1.out"]
        row = next(row for row in shown.rows() if "│ tanh1" in row)
        assert f"{out.mean():.4f}" in row.replace("-0.0", "-0.0")
        before = shown.text()
        await shown.press("f", "f")
        assert shown.text() != before
        await shown.press("F", "F")
        shown.session.goto(len(shown.session.program.ops) + 6)
        shown.main.show_now()
        await shown.settled()
        assert f"{out.mean():.4f}" in next(row for row in shown.rows() if "│ tanh1" in row)


async def test_an_edit_in_the_past_is_measured_anew():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f", "f")
        await opened(shown)
        shown.session.goto(len(shown.session.program.ops))
        shown.session.set("linear1.weight", 0.0)
        shown.session.goto(2 * len(shown.session.program.ops))
        shown.main.show_now()
        await shown.settled()
        assert shown.main.query_one(FlowPane).meter.flow is not None
        mean = float(shown.session.tensors["relu1.out"].mean())
        found = shown.main.query_one(FlowPane).meter.flow.values["relu1"]["mean"]
        assert found == pytest.approx(mean)


async def test_the_cursor_chooses_the_layer_in_full():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("f")
        await opened(shown)
        await shown.press("down", "down")
        assert shown.main.query_one(FlowTable).row == 2
        assert any("linear2  z₃  (4, 4) → (4, 2)" in row for row in shown.rows())


async def test_costs_and_back():
    async with debugger("regression", (80, 24)) as shown:
        await shown.press("L")
        assert shown.main.parts.panes.pane == "flow"
        whole = shown.text()
        await shown.press("L")
        text = shown.text()
        assert "mult-adds" in text
        assert "what the layers cost" in text
        assert "block-diagonal" in text
        await shown.press("end")
        await shown.press("L", "escape")
        assert shown.rows()[4:20] == whole.splitlines()[4:20]
