"""The doctor's findings in lines: what is not finite first, subjects never cut before titles."""

import pytest

from engine.diagnostics.doctor import Doctor
from tests.engine.small_experiments import session_of
from tests.tui.lines import text_of
from tui.render.diagnostics import findings_text, urgent_first
from tui.render.text.line import Line, width_of


def observed(name: str, *events: int) -> list:
    session = session_of(name)
    doctor = Doctor(session.program)
    for event in events:
        session.goto(event)
        doctor.observe(session)
    return urgent_first(doctor.findings())


def texts(found: list, chosen: int = 0, width: int = 78) -> list[str]:
    return [text_of(line) for line in findings_text(found, chosen, width).lines]


def test_infinity_leads_and_names_what_it_follows_from():
    found = observed("bug-exploding", 177)
    lines = texts(found)
    assert lines[0].startswith(" ✗ effect  NaN or infinity  loss ")
    assert lines[0].endswith(" certain  #176 ")
    assert any(line.startswith("    from  The loss rises") for line in lines)
    assert sum(" ✗ serious The loss rises " in line for line in lines) == 1


def test_subjects_are_whole_where_titles_are_cut():
    lines = texts(observed("bug-exploding", 177))
    steps = [line for line in lines if "The updates are out" in line]
    assert [line.split("…  ")[1].split()[0] for line in steps] == [
        "linear1.weight",
        "linear2.weight",
    ]


@pytest.mark.parametrize("width", [1, 20, 38, 78, 118])
def test_every_line_has_the_width_of_the_room(width):
    found = observed("bug-exploding", 177)
    for chosen in range(len(found)):
        lines: list[Line] = findings_text(found, chosen, width).lines
        assert {width_of(line) for line in lines} == {width}


def test_a_missing_value_is_found_in_the_batch_before_any_op_has_read_it():
    found = observed("bug-missing-value", 0, 21)
    assert [one.name for one in found] == ["non-finite"]
    (one,) = found
    assert (one.subject, one.event, one.cursor) == ("x", 21, 21)
    assert one.evidence == "1 NaN of 8 elements in the batch, the first at x[1, 1]"
    assert " x " in texts(found)[0]
    assert observed("bug-missing-value", 0, 20) == []


def test_a_dead_layer_comes_before_the_parameters_that_never_move():
    found = observed("bug-dead-relu", 0, 28, 42)
    assert [one.name for one in found[:2]] == ["dead-relu", "never-moves"]
    assert (found[0].severity, found[0].certainty) == ("serious", "likely")
    lines = texts(found)
    assert lines[0].startswith(" ✗ serious ReLU units are off for every sample  relu1 ")
    assert any(s.startswith(" · effect  A parameter never moves  linear1.weight ") for s in lines)
