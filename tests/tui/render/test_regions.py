"""Decision regions as cells: colours, the data on them, and characters without colour."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from engine.measure.regions import Regions
from tests.tui.lines import text_of
from tui.render.charts import palette
from tui.render.regions import cells_text, region_cells, region_legend, x_labels, y_labels

DATA = np.array([[0.0, 0.0], [1.0, 1.0]])
LABELS = np.array([0, 1])


def plane(answers: object, classes: int = 0, threshold: float | None = 0.5) -> Regions:
    values = np.asarray(answers, np.float64)
    return Regions((-0.5, 1.5), (-0.5, 1.5), values, classes, threshold, 1.0)


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        elements=st.floats(allow_nan=True, allow_infinity=True),
    ),
    st.integers(0, 40),
    st.integers(0, 20),
    st.booleans(),
    st.sampled_from([None, 0.0, 0.5]),
)
def test_any_answers_fill_exactly_the_room(answers, width, height, colour, threshold):
    cells = region_cells(plane(answers, 0, threshold), DATA, LABELS, width, height, colour)
    assert [len(row) for row in cells] == [width] * height
    if not colour:
        assert all(cell.foreground is None is cell.background for row in cells for cell in row)


def test_the_two_sides_of_the_threshold_and_the_data_on_them():
    cells = region_cells(plane([[0.0, 1.0]]), DATA, LABELS, 8, 4, True)
    assert cells[0][0].foreground == palette.DIVERGING[0]
    assert cells[0][-1].background == palette.DIVERGING[-1]
    rows = cells_text(cells)
    assert rows[0][6] == "▲", "the second input grows upwards"
    assert rows[2][2] == "●"
    assert cells[2][2].background == palette.DIVERGING[0], "a symbol keeps its ground"


def test_without_colour_each_side_has_its_characters_and_there_is_a_line_between():
    found = plane([[0.0, 0.2, 0.45, 0.55, 0.8, 1.0]])
    assert cells_text(region_cells(found, DATA[:0], None, 6, 2, False)) == [" .▒+%#"] * 2
    found = plane([[0.55, 0.6], [0.4, 0.45]])
    assert cells_text(region_cells(found, DATA[:0], None, 4, 4, False)) == [
        "++++",
        "▒▒▒▒",
        "----",
        "----",
    ]


def test_without_colour_and_decision_a_ramp():
    found = plane([[-3.0, 0.0, 3.0]], 0, None)
    assert cells_text(region_cells(found, DATA[:0], None, 3, 1, False)) == [" =#"]
    assert "-3.0  .:-=+*%# 3.0" in text_of(region_legend(found, None, False))


def test_without_colour_classes_have_a_line_between_them_too():
    found = plane([[0.0, 0.0, 1.0, 1.0, 2.0, 2.0]], 3, None)
    assert cells_text(region_cells(found, DATA[:0], None, 6, 1, False)) == [".▒+▒::"]
    assert "● 0 on .  ▲ 1 on + " in text_of(region_legend(found, LABELS, False))


def test_what_is_no_number_is_on_no_side():
    found = plane([[np.nan, 0.2, 0.2]])
    assert cells_text(region_cells(found, DATA[:0], None, 3, 1, False)) == ["▒.."]
    found = plane([[np.nan, np.nan]])
    assert cells_text(region_cells(found, DATA[:0], None, 2, 1, False)) == ["NN"]


def test_classes_have_their_own_colours_and_characters():
    found = plane([[0.0, 1.0, 2.0]], 3, None)
    cells = region_cells(found, DATA[:0], LABELS[:0], 6, 1, True)
    assert [cells[0][x].foreground for x in (0, 2, 4)] == list(palette.CLASSES[:3])
    assert (
        len(
            {
                row[x]
                for row in cells_text(region_cells(found, DATA[:0], None, 6, 1, False))
                for x in (0, 2, 4)
            }
        )
        == 3
    )


def test_the_classes_differ_in_lightness_or_hue_for_all_eyes():
    luminances = [palette.luminance(colour) for colour in palette.CLASSES[:4]]
    gaps = np.diff(sorted(luminances))
    assert gaps.min() > 0.05


def test_legend_and_labels():
    legend = text_of(region_legend(plane([[0.25, 0.75]]), LABELS))
    assert "● 0" in legend
    assert "▲ 1" in legend
    assert "0.25 to 0.75" in legend
    assert "0.5" in legend
    assert "accuracy 100%" in legend
    assert "(white)" in legend
    plain = text_of(region_legend(plane([[0.25, 0.75]]), LABELS, False))
    assert "0.25 to 0.75: .:- ▒ at 0.5 +*%#" in plain
    assert y_labels(plane([[0.0]]), 3) == ["1.5", "", "-0.5"]
    assert x_labels(plane([[0.0]]), 40).startswith("-0.5")
    assert x_labels(plane([[0.0]]), 40).endswith("1.5")
