"""The flow in lines: exactly as wide as the room, with marks that need no colour."""

import pytest

from engine.diagnostics.layer_stats import LayerStats
from tests.engine.small_experiments import session_of
from tests.tui.lines import text_of
from tui.render.flow import (
    Columns,
    Flow,
    detail_height,
    detail_lines,
    flow_line,
    head_lines,
    magnitudes,
    number_text,
    share_spark,
    spark,
)
from tui.render.reports.layers import layer_lines
from tui.render.text.line import width_of


def flow_of(name: str, iterations: int) -> Flow:
    session = session_of(name, iterations=iterations)
    record = LayerStats(session.program)
    for _ in record.fill(session.event_at, session.tensors, session.event):
        pass
    return Flow.at(record, session.event)


@pytest.mark.parametrize("name", ["regression", "deep-sigmoid", "bug-exploding", "bug-large-init"])
@pytest.mark.parametrize("iterations", [0, 1, 20])
def test_every_line_has_the_width_of_the_room(name, iterations):
    flow = flow_of(name, iterations)
    for width in (1, 20, 77, 79, 117, 141, 197):
        lines = head_lines(flow.record, width)
        for node in flow.record.program.network.nodes:
            lines += [
                flow_line(flow, node.name, width, False),
                *detail_lines(flow, flow.record.program, node, width),
            ]
        lines += layer_lines(flow.record.program, width)
        assert {width_of(line) for line in lines} == {width}


def test_words_and_marks_where_a_number_is_past_a_limit():
    flow = flow_of("deep-sigmoid", 5)
    line = flow_line(flow, "linear1", 78, False)
    assert " linear1 " in text_of(line)
    assert "vanishing" in text_of(line)
    assert ("⇊", "bad") in line
    assert ("↓", "warn") in line
    (node, *_) = flow.record.program.network.nodes
    detail = [text_of(row) for row in detail_lines(flow, flow.record.program, node, 78)]
    assert "× that of linear10 (< 0.001)" in detail[1]
    assert "tiny steps" in detail[6]


def test_limits_are_named_where_nothing_is_past_them():
    flow = flow_of("digits", 5)
    (first, relu, _) = flow.record.program.network.nodes
    rows = [text_of(row) for row in detail_lines(flow, flow.record.program, first, 120)]
    assert "⇊0.001 ↓0.01 ↑100 ⇈1000 of linear2's" in rows[1]
    assert "↓1e-05 ↑0.1 ⇈1" in rows[6]
    assert "dead ↑50% ⇈100%" in text_of(detail_lines(flow, flow.record.program, relu, 120)[4])


@pytest.mark.parametrize("name", ["deep-sigmoid", "bug-dead-relu", "digits"])
@pytest.mark.parametrize("width", [78, 98, 118, 142, 198])
def test_limits_stand_under_their_own_columns(name, width):
    flow = flow_of(name, 2)
    titles, limits = (text_of(line) for line in head_lines(flow.record, width))
    columns = {
        "‖∂ℓ/∂z‖": "↓0.01 ↑100",
        "zero": "dead",
        "satur.": "↑50%",
        "‖ΔW‖/‖W‖": "↓1e-05 ↑0.1",
    }
    starts = [titles.index(title) for title in columns]
    ends = [*starts[1:], width + 1]
    mean = titles.index("mean")
    assert starts == sorted(starts)
    for (title, limit), start, end in zip(columns.items(), starts, ends, strict=True):
        under = limits[start - 2 : mean if title == "‖∂ℓ/∂z‖" else end]
        assert limit in under, title
    last = max(flow.record.gauges, key=lambda layer: (layer[:6] == "linear", len(layer), layer))
    assert limits.startswith(f" × that of {last}:")


def test_a_short_detail_has_what_is_past_a_limit():
    flow = flow_of("deep-sigmoid", 1)
    (node, *_) = flow.record.program.network.nodes
    rows = [text_of(row) for row in detail_lines(flow, flow.record.program, node, 78, 3)]
    assert "the last iteration " in rows[0]
    assert "vanishing:" in rows[1]
    assert "tiny steps:" in rows[2]
    assert len(rows) == 3


@pytest.mark.parametrize(
    ("layers", "height", "lines"), [(3, 30, 7), (3, 11, 6), (20, 16, 3), (20, 29, 7), (20, 26, 4)]
)
def test_the_detail_leaves_room_for_the_layers(layers, height, lines):
    assert detail_height(layers, height) == lines


def test_more_room_gives_more_sparks():
    names = ["linear1", "sigmoid10"]
    shown = [sum(Columns.fitting(names, width).sparks.values()) for width in (77, 117, 197)]
    assert shown == sorted(shown)
    assert shown[0] >= 4
    assert all(Columns.fitting(names, 197).sparks.values())


def test_the_selected_line_is_a_cursor():
    line = flow_line(flow_of("regression", 2), "relu1", 78, True)
    assert {role for _, role in line} == {"cursor"}


def test_numbers_and_shares():
    assert number_text(0.004, "zeros") == "<1%"
    assert number_text(0.5, "flat") == "50%"
    assert number_text(None, "mean") == "–"
    assert number_text(float("nan"), "gradient") == "nan"


def test_sparks():
    assert share_spark([0.0, 0.5, 1.0], 5) == "▁▅█  "
    assert spark([], "mean", 4) == "    "
    assert magnitudes([0.0, 10.0, 1000.0]) == pytest.approx([0.0, 1.0, 3.0])
    assert "!" in spark([1.0, float("nan")], "gradient", 4)
    assert "!" in spark([1.0, float("inf")], "mean", 4)
