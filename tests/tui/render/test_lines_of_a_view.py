"""Position, steps, listing, tensor head and variables as text, of small networks by hand."""

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.program.program import Program
from engine.run.position import Granularity
from engine.session.session import Session
from engine.stops.stop import StopKind
from tests.engine.small_experiments import program
from tests.tui.lines import text_of
from tui.keys.bound import bound
from tui.keys.table import EVERY
from tui.render.listing import row_line, rows_of
from tui.render.op import next_line
from tui.render.status import phase_strip, position_line
from tui.render.tensor import Differences, tensor_head
from tui.render.tensor_tree import names_of
from tui.render.text.line import ROLES, Line, width_of
from tui.render.text.numbers import compact
from tui.render.timeline import timeline_lines
from tui.render.variables import Summaries, variable_line
from tui.view.display import TensorDisplay
from tui.view.snapshot import Selection, View, snapshot
from tui.view.versions import Version

WIDTHS = [0, 1, 5, 20, 38, 78, 120, 200]
OPS = 19  # zero 4, forward 3, loss 1, backward 7, update 4


@pytest.fixture(scope="module")
def small() -> Program:
    return program(optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.9})


def view(of: Program, event: int, **selected: object) -> View:
    session = Session(of)
    session.goto(event)
    return snapshot(Debugger(session), Selection(**selected), keys=bound(EVERY))


def pane(seen: View, width: int) -> list[Line]:
    summaries = Summaries()
    lines = [position_line(seen, width), next_line(seen, width)]
    lines += tensor_head(seen, width, summaries)
    lines += [row_line(seen, row, width, False) for row in rows_of(seen.run.order, seen.listing)]
    lines += [variable_line(seen, name, width, summaries, False) for name in names_of(seen.program)]
    return [*lines, *timeline_lines(seen, width, 5)]


@pytest.mark.parametrize("event", [0, 5, 8, 12, OPS, 2 * OPS + 7, 3 * OPS])
def test_every_line_has_its_width_and_known_roles(small, event):
    assert len(small.ops) == OPS
    for level in Granularity:
        seen = view(small, event, level=level)
        for width in WIDTHS:
            for line in pane(seen, width):
                assert width_of(line) == width, text_of(line)
                assert {role for _, role in line} <= {*ROLES, ""}


def test_the_position(small):
    at = text_of(position_line(view(small, 0), 120))
    assert "epoch 1/3 › iter 1/3 › zero_grad 1/4 › #0 " in at
    assert "loss —" in at
    assert at.endswith(" LIVE ")
    assert "› backward 2/7" in text_of(position_line(view(small, OPS + 9), 120))
    end = text_of(position_line(view(small, 3 * OPS), 120))
    assert "epoch 3/3 › iter 3/3 › end of run" in end
    assert f"#{3 * OPS}" in end


def test_the_position_keeps_its_columns(small):
    lines = [text_of(position_line(view(small, event), 120)) for event in range(3 * OPS + 1)]
    for mark in ("iter ", "#", " loss ", " LIVE"):
        assert len({line.rindex(mark) for line in lines}) == 1, mark


def test_what_matters_least_goes_first(small):
    seen = view(small, OPS + 2)
    assert "gradstep" in text_of(position_line(seen, 120))
    short = text_of(position_line(seen, 70))
    assert "gradstep" not in short
    assert "› #21" in short
    assert short.endswith(" LIVE ")


def test_a_run_under_way_takes_the_place_of_the_mode(small):
    busy = view(small, 0).with_status(busy="running 5%")
    assert text_of(position_line(busy, 100)).endswith(" running 5% ")


def test_the_selected_level_is_marked(small):
    for level, start in zip(Granularity, ("#", "zero_grad", "iter", "epoch"), strict=True):
        line = position_line(view(small, 0, level=level), 120)
        (marked,) = [text for text, role in line if role == "current"]
        assert marked.startswith(start)


def test_the_steps(small):
    parts = text_of(phase_strip(view(small, 9), 100)).split("→")
    assert [part.strip() for part in parts] == [
        "zero_grad ✓",
        "forward ✓",
        "loss ✓",
        "backward ● 2/7",
        "update",
    ]
    later = text_of(phase_strip(view(small, 3), 100)).split("→")
    assert [len(part) for part in later] == [len(part) for part in parts], "nothing moves"
    done = text_of(phase_strip(view(small, 3 * OPS), 100))
    assert done.count("✓") == 5
    assert "●" not in done
    skipping = program(training={"skip": ["zero_grad"]})
    assert " zero_grad skipped " in text_of(phase_strip(view(skipping, 0), 100))


def test_the_order_of_the_homework():
    order = ["forward", "loss", "zero_grad", "backward", "update"]
    seen = view(program(training={"order": order}), 0)
    assert [part.split()[0] for part in text_of(phase_strip(seen, 100)).split("→")] == order
    assert [
        str(row.phase) for row in rows_of(seen.run.order, seen.listing) if row.op is None
    ] == order


def test_the_equation_of_the_op_about_to_run(small):
    seen = text_of(next_line(view(small, 4), 100))
    assert seen.startswith(" ▶ next  z₁ = ")
    assert seen.rstrip().endswith("(7, 3) from (7, 2), (3, 2), (3,)")
    over = text_of(next_line(view(small, 3 * OPS), 100))
    assert over.strip() == "■ the run is over: every step has been taken"


def test_the_listing_marks_what_is_done_and_what_comes(small):
    seen = view(small, 5)
    lines = [
        text_of(row_line(seen, row, 60, False)) for row in rows_of(seen.run.order, seen.listing)
    ]
    assert len(lines) == OPS + 5
    assert [line[1] for line in lines if line[2] == " "][:6] == ["✓", "✓", "✓", "✓", "✓", "▶"]
    assert sum("▶" in line for line in lines) == 1
    assert lines[5].strip() == "forward"
    assert lines[6].startswith(" ✓ z₁ = linear1(x)")
    assert lines[6].rstrip().endswith("(7, 2)→(7, 3)")


def test_a_breakpoint_in_the_gutter(small):
    debugger = Debugger(Session(small))
    debugger.stops.add(StopKind.OP, small.ops[7].key)
    seen = snapshot(debugger, Selection())
    lines = [
        text_of(row_line(seen, row, 60, False)) for row in rows_of(seen.run.order, seen.listing)
    ]
    (line,) = [line for line in lines if line.startswith("●")]
    assert "ℓ = mse" in line


def test_a_selected_row_is_all_cursor(small):
    seen = view(small, 5)
    roles = {role for _, role in row_line(seen, rows_of(seen.run.order, seen.listing)[1], 60, True)}
    assert roles == {"cursor"}


def head(seen: View, width: int = 100) -> list[str]:
    return [text_of(line).strip() for line in tensor_head(seen, width, Summaries())]


def test_the_head_of_a_tensor(small):
    assert head(view(small, 0))[2] == "as it is at the start"
    first, stats, change = head(view(small, 5))
    assert first == "linear1.out  z₁  (7, 3) float64  done at #4  following"
    assert stats.startswith("min ")
    assert change == "▸ written for the first time"
    assert head(view(small, 5, tensor="linear2.out"))[1] == "not computed yet"
    assert "pinned" in head(view(small, 5, tensor="linear2.out"))[0]
    assert head(view(small, 5, tensor="linear1.weight"))[2] == "not written by the last op"


def test_the_head_leaves_out_what_is_said_twice_and_says_what_is_missing(small):
    assert head(view(small, 0))[0] == "x  (7, 2) float64  following"
    slot = head(view(small, 5, tensor="linear1.weight.momentum"))
    assert slot[1] == "no step yet"
    assert slot[0].endswith("pinned · . follows")
    short = head(view(small, 5, tensor="linear1.weight.momentum"), 64)[0]
    assert short == "linear1.weight.momentum  (3, 2) float64  pinned · . follows"


def test_the_statistics_are_those_of_the_version_that_is_shown(small):
    seen = view(small, OPS, tensor="linear1.weight", level=Granularity.ITERATION)
    delta = seen.array - seen.before
    differences = Differences()

    def stats(version: Version) -> str:
        lines = tensor_head(
            seen, 100, Summaries(), TensorDisplay(version=version), ("",), differences
        )
        return text_of(lines[1]).strip()

    assert stats(Version.DIFFERENCE).startswith(f"Δ min {compact(delta.min())} ")
    assert f"max {compact(delta.max())} " in stats(Version.DIFFERENCE)
    assert stats(Version.BEFORE).startswith(f"min {compact(seen.before.min())} ")
    assert stats(Version.AFTER).startswith(f"min {compact(seen.array.min())} ")
    first = view(small, 5)
    lines = tensor_head(first, 100, Summaries(), TensorDisplay(version=Version.DIFFERENCE))
    assert "has written it for the first time" in text_of(lines[1])


def test_differences_are_worked_out_once_for_two_arrays():
    known, after, before = Differences(), np.arange(6.0), np.zeros(6)
    assert known.summary(after, before) is known.summary(after, before)
    assert known.change(after, before) is known.change(after, before)
    assert known.summary(after, after.copy()).maximum == 0.0
    assert known.change(after, before).changed == 5


def test_what_a_level_changed(small):
    weight = "linear1.weight"
    done = head(view(small, OPS, tensor=weight, level=Granularity.ITERATION))
    assert done[2].startswith("▸ changed by this iteration: 6 of 6 cells, max |Δ| ")
    here = head(view(small, 2 * OPS - 1, tensor=weight, level=Granularity.PHASE))
    assert here[2].startswith("▸ changed by this phase: 6 of 6 cells")


def variable(seen: View, name: str, width: int = 90) -> str:
    return text_of(variable_line(seen, name, width, Summaries(), False)).rstrip()


def test_variables_are_parameters_first_with_their_slots(small):
    names = names_of(small)
    assert names[:4] == [
        "linear1.weight",
        "linear1.weight.momentum",
        "linear1.bias",
        "linear1.bias.momentum",
    ]
    assert not [name for name in names if name.endswith(".grad")]
    assert {"x", "y", "loss", "optimizer.lr"} <= set(names)


def test_a_gradient_stands_beside_its_parameter(small):
    assert variable(view(small, 0), "linear1.weight").endswith("│ ∇ none")
    assert variable(view(small, 1), "linear1.weight").endswith("│▸∇ zeroed")
    assert "∇ fresh " in variable(view(small, 14), "linear1.weight")
    assert "∇ stale " in variable(view(small, OPS), "linear1.weight")
    twice = program(training={"skip": ["zero_grad"]})
    assert "∇ acc×2 " in variable(view(twice, 2 * len(twice.ops) - 4), "linear1.weight")


def test_marks_of_what_the_last_op_wrote(small):
    seen = view(small, 5)
    marked = [name for name in names_of(small) if variable(seen, name).startswith("▸")]
    assert marked == ["linear1.out"]
    assert "not computed" in variable(seen, "linear2.out")


def test_columns_stay_in_place_over_a_run(small):
    rows = [
        variable_line(view(small, event), "linear1.weight", 90, Summaries(), False)
        for event in range(0, 3 * OPS + 1, 4)
    ]
    assert len({text_of(row).index("│") for row in rows}) == 1
    assert len({text_of(row).index("(3, 2)") for row in rows}) == 1


def test_nan_and_infinities_are_counted_in_words(small):
    seen = view(small, OPS)
    array = np.array([[np.nan, np.inf], [1.0, -np.inf], [np.nan, 2.0]])
    seen.tensors["linear1.weight"] = array  # type: ignore[index]
    assert "2 NaN" in variable(seen, "linear1.weight", 120)
    seen.tensors["linear1.weight.grad"] = array  # type: ignore[index]
    assert " NaN" in variable(seen, "linear1.weight", 120).rpartition("∇")[2]


def test_summaries_are_made_once_for_each_array():
    summaries, array = Summaries(), np.arange(6.0)
    assert summaries.of(array) is summaries.of(array)
    other = array.copy()
    assert summaries.of(other) is not summaries.of(array)


def test_the_head_says_what_the_value_is_of(small):
    later = 2 * OPS + 1
    assert "done at #" in head(view(small, later, tensor="linear1.out"))[0]
    assert "of iteration 2" in head(view(small, later, tensor="linear1.out"))[0]
    debugger = Debugger(Session(small))
    debugger.session.goto(OPS + 1)
    row = next(op.index for op in small.ops if op.key == "forward:linear1.out")
    chosen = snapshot(debugger, Selection(tensor="linear1.out", row=row))
    assert "not done yet: of iteration 1" in head(chosen)[0]
    gradient = next(op for op in small.ops if op.key == "zero_grad:linear1.weight.grad")
    debugger.session.goto(2 * OPS - 1)
    again = snapshot(
        debugger, Selection(tensor=gradient.name, row=gradient.index), keys=bound(EVERY)
    )
    assert "written again by #" in head(again)[0]
    assert "pinned · . follows" in head(again, 78)[0]
