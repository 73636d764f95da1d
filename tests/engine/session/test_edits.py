"""Edits and skips: what they change, that going back undoes them, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ExperimentError, GradstepError
from engine.run.position import Granularity
from engine.session.edits import parse_index
from engine.session.journal import Edit, Journal, Skip, from_dict, to_dict
from engine.session.session import Session
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program

PROGRAM = program(data={"batch_size": 3}, optimizer={"type": "sgd", "lr": 0.1, "momentum": 0.9})
OPS = len(PROGRAM.ops)


def at(event: int, budget: int = 2**24) -> Session:
    session = Session(PROGRAM, budget)
    session.goto(event)
    return session


def test_an_element_is_set_and_everything_else_stays() -> None:
    session = at(OPS)
    before = dict(session.tensors)
    session.set("linear1.weight", 0.5, (0, 1))
    changed = session.tensors["linear1.weight"] != before["linear1.weight"]
    assert np.argwhere(changed).tolist() == [[0, 1]]
    assert session.tensors["linear1.weight"][0, 1] == 0.5
    assert not session.tensors["linear1.weight"].flags.writeable
    assert all(session.tensors[n] is before[n] for n in before if n != "linear1.weight")


@pytest.mark.parametrize(
    ("target", "value", "index", "expected"),
    [
        ("linear2.bias", 2.5, (), [2.5]),
        ("linear2.weight", [[1, 2, 3]], (), [[1, 2, 3]]),
        ("linear2.weight", "linear2.weight * 0 + 4", (), [[4, 4, 4]]),
        ("linear2.weight", [7, 8], (0, "1:"), [[None, 7, 8]]),
        ("linear2.weight", 0, (0,), [[0, 0, 0]]),
        ("optimizer.lr", 0.01, (), 0.01),
        ("linear2.bias.grad", 3, (), [3]),
    ],
)
def test_values_of_every_form(target: str, value, index, expected) -> None:
    session = at(0)
    old = session.tensors.get(target)
    session.set(target, value, index)
    new = session.tensors[target]
    wanted = np.array(expected, dtype=float)
    kept = np.isnan(wanted)
    assert new.tolist() == np.where(kept, old if old is not None else 0, wanted).tolist()


def test_the_learning_rate_acts_from_there_on() -> None:
    session = at(3 * OPS)
    weight = session.tensors["linear1.weight"]
    session.set("optimizer.lr", 0.0)
    session.goto(5 * OPS)
    assert session.tensors["linear1.weight"].tolist() == weight.tolist()


@pytest.mark.parametrize(
    ("target", "value", "index", "said"),
    [
        ("linaer1.weight", 1, (), r"no tensor 'linaer1.weight' \(did you mean linear1.weight\?\)"),
        ("linear1.weight", 1, (9, 0), r"linear1.weight has shape \(3, 2\)"),
        ("linear1.weight", 1, (0, 0, 0), r"has shape \(3, 2\)"),
        ("linear1.weight", [1, 2], (), r"has shape \(3, 2\), the value has \(2,\)"),
        ("linear1.weight", [[1], [1, 2]], (), "different lengths"),
        ("linear1.weight", ["a"], (), "must be numbers"),
        ("linear1.weight", "nope + 1", (), "unknown name 'nope'"),
        ("linear1.weight", 1, ("x",), "whole numbers and slices"),
        ("linear1.weight", 1, ("::0",), "whole numbers and slices"),
        ("linear1.out", 1, (0, 0), "not computed yet"),
        ("optimizer.lr", float("nan"), (), "must be a finite number"),
        ("optimizer.lr", "inf", (), "must be a finite number"),
    ],
)
def test_refusals_change_nothing(target: str, value, index, said: str) -> None:
    session = at(0)
    before = dict(session.tensors)
    with pytest.raises(GradstepError, match=said):
        session.set(target, value, index)
    assert same_tensors(session.tensors, before)
    assert not session.journal
    assert len(session.branches) == 1


def test_class_indices_stay_class_indices() -> None:
    session = Session(
        program(
            data={"x": [[1.0, 2.0], [3.0, 4.0]], "y": [0, 1]},
            layers=[{"type": "linear", "out": 2}],
            loss={"type": "cross_entropy"},
        )
    )
    for value in (2, -1, 0.5, float("nan")):
        with pytest.raises(GradstepError, match="class indices: whole numbers below 2"):
            session.set("y", value, (0,))
    session.set("y", 1, (0,))
    assert session.tensors["y"].tolist() == [1, 1]
    session.goto(session.program.timeline.end)
    assert np.isfinite(session.losses).all()


def test_going_back_across_an_edit_restores_what_was_there() -> None:
    session = at(OPS + 4)
    before = dict(session.tensors)
    session.step(-1)
    session.step()
    session.set("linear1.weight", 9)
    session.set("linear1.weight", 8, (0, 0))
    edited = dict(session.tensors)
    session.step(-1)
    assert same_tensors(session.tensors, plain_run(PROGRAM)[OPS + 3])
    session.step()
    assert same_tensors(session.tensors, edited)
    assert not same_tensors(session.tensors, before)


def test_an_edited_batch_lasts_for_its_iteration() -> None:
    session = at(OPS + 2)
    x = session.tensors["x"]
    session.set("x", 0)
    session.goto(3 * OPS)
    session.goto(2 * OPS - 1)
    assert not session.tensors["x"].any()
    session.goto(OPS + 2)
    assert not session.tensors["x"].any()
    session.goto(OPS + 1)
    assert session.tensors["x"].tolist() == x.tolist()


def test_a_skipped_phase_writes_nothing_and_events_keep_their_numbers() -> None:
    session = at(OPS)
    gradient = session.tensors["linear1.weight.grad"]
    (skip,) = session.skip("zero_grad")
    assert (skip.event, skip.end) == (OPS, 2 * OPS)
    session.step(1, Granularity.PHASE)
    assert session.event == OPS + 4
    assert session.tensors["linear1.weight.grad"] is gradient
    event = session.last_event()
    assert event is not None
    assert event.before[0] is session.tensors[event.op.name]
    assert event.after == ()
    session.goto(2 * OPS + 4)
    assert not session.tensors["linear1.weight.grad"].any()


def test_skip_always_and_unskip() -> None:
    session = at(OPS)
    session.skip("update", always=True)
    weight = session.tensors["linear1.weight"]
    session.goto(4 * OPS)
    assert session.tensors["linear1.weight"] is weight
    session.unskip("update")
    session.goto(5 * OPS)
    assert session.tensors["linear1.weight"].tolist() != weight.tolist()
    with pytest.raises(GradstepError, match="update is not skipped here; skipped are: none"):
        session.unskip("update")


def test_a_skipped_loss_is_nan_among_the_losses() -> None:
    session = at(OPS)
    session.skip("loss", "backward")
    session.goto(3 * OPS)
    assert np.isnan(session.losses).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["forward"], "loss needs forward: skip loss too, `skip forward loss`"),
        (["forward", "loss"], "backward needs loss: skip backward too"),
        (["zero_gard"], r"did you mean zero_grad\?"),
        (["backward:tanh1.out.grad"], "needed by the next op of backward"),
        (["update:tanh1"], "nothing to skip called"),
    ],
)
def test_skips_that_would_break_the_iteration_are_refused(targets: list[str], said: str) -> None:
    session = at(0)
    with pytest.raises(GradstepError, match=said):
        session.skip(*targets)
    session.skip("backward:linear1.bias.grad", "update:linear2.bias")
    session.goto(OPS)
    assert "linear1.bias.grad" in session.tensors
    assert not session.tensors["linear1.bias.grad"].any()


def test_skipping_what_has_run_is_refused() -> None:
    session = at(OPS + 6)
    with pytest.raises(GradstepError, match="zero_grad has already run in this iteration"):
        session.skip("zero_grad")
    session.skip("zero_grad", always=True)
    assert len(session.journal) == 1


def test_an_op_that_cannot_run_leaves_the_cursor_at_a_whole_event() -> None:
    session = Session(program(optimizer={"type": "adam"}))
    session.goto(OPS)
    session.set("linear1.weight.step", -1)
    with pytest.raises(GradstepError, match=r"#\d+ update linear1.weight cannot run"):
        session.goto(2 * OPS)
    op = session.op
    assert op is not None
    assert (op.phase, op.name) == ("update", "linear1.weight")
    session.step(-3)
    session.step(3)
    assert session.op is op


@st.composite
def entries(draw: st.DrawFn) -> tuple[str, tuple]:
    kind = draw(st.sampled_from(["set", "set", "skip"]))
    if kind == "skip":
        phases = [("zero_grad",), ("update",), ("backward",), ("loss", "backward")]
        phases += [("forward", "loss", "backward"), ("update:linear1.weight",)]
        return kind, (draw(st.sampled_from(phases)), draw(st.booleans()))
    name = draw(st.sampled_from(["linear1.weight", "linear2.bias.grad", "tanh1.out", "x", "y"]))
    value = draw(st.sampled_from([0.0, 1.5, f"{name} * 2", "mean(x)"]))
    return kind, (name, value)


MOVES = st.integers(0, PROGRAM.timeline.end)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(MOVES, entries(), st.lists(MOVES, max_size=3)), min_size=1, max_size=5),
    st.sampled_from([2**24, 30_000, 1]),
)
def test_any_walk_equals_a_plain_run(walk, budget: int) -> None:
    """A bug in undoing, keyframes or re-execution of edits makes some state differ."""
    session = Session(PROGRAM, budget)
    for start, (kind, details), moves in walk:
        session.goto(start)
        try:
            if kind == "set":
                session.set(*details)
            else:
                session.skip(*details[0], always=details[1])
        except GradstepError:
            pass  # refused: nothing has changed, which the comparison below shows
        states = plain_run(PROGRAM, session.journal)
        assert same_tensors(session.tensors, states[session.event])
        for event in moves:
            session.goto(event)
            assert same_tensors(session.tensors, states[event])


@pytest.mark.parametrize("budget", [15_000, 25_000, 40_000, 60_000, 100_000, 2**24])
def test_keyframes_before_a_skip_lack_nothing_after_it(budget: int) -> None:
    """A keyframe made before the skip has no activations, which the skipped forward keeps."""
    session = at(PROGRAM.timeline.end, budget)
    session.goto(4 * OPS + 1)
    session.skip("forward", "loss", "backward")
    states = plain_run(PROGRAM, session.journal)
    for event in (
        PROGRAM.timeline.end,
        5 * OPS + 1,
        PROGRAM.timeline.end,
        4 * OPS + 1,
        7 * OPS,
        5 * OPS,
    ):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


def test_a_later_edit_does_not_come_back_in_a_branch_from_before_it() -> None:
    session = at(30)
    session.set("linear1.weight", 5)
    session.goto(60)
    session.goto(10)
    session.set("optimizer.lr", 0.2)
    assert [entry.event for entry in session.journal] == [10]
    states = plain_run(PROGRAM, session.journal)
    for event in (31, 29, 28, 40):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


@settings(max_examples=30, deadline=None)
@given(st.integers(1, PROGRAM.timeline.end), st.lists(MOVES, max_size=6))
def test_undoing_by_going_back_equals_never_having_gone(start: int, moves: list[int]) -> None:
    never, gone = at(start), at(start)
    for event in (start + 1, *moves, start):
        gone.goto(event)
    assert same_tensors(gone.tensors, never.tensors)
    gone.goto(start - 1)
    never.goto(start - 1)
    assert same_tensors(gone.tensors, never.tensors)


def test_the_same_edit_twice_counts_twice() -> None:
    session = at(OPS)
    session.goto(2 * OPS)
    session.goto(OPS)
    bias = session.tensors["linear1.bias"]
    for _ in range(2):
        session.set("linear1.bias", "linear1.bias * 2")
    session.goto(0)
    session.goto(OPS)
    assert session.tensors["linear1.bias"].tolist() == (bias * 4).tolist()


def test_entries_survive_being_plain_data() -> None:
    journal = Journal((Edit(3, "x", [[1.0]], (0, ":")), Skip(4, "update"), Skip(4, "loss", 9)))
    assert Journal(tuple(from_dict(to_dict(entry)) for entry in journal)) == journal


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"event": 1},
        {"event": -1, "skip": "loss"},
        {"event": "1", "set": "x"},
        {"event": True, "skip": "loss"},
        {"event": 0, "skip": "forward", "end": "x"},
        {"event": 0, "skip": "forward", "end": False},
        {"event": 0, "set": "x", "value": {"a": 1}},
        {"event": 0, "set": "x", "value": None},
        {"event": 0, "set": "x", "value": [1.0, "loss"]},
        {"event": 0, "set": "x", "value": 1.0, "index": [0, None]},
        {"event": 0, "set": "x", "value": 1.0, "index": [[0]]},
        {"event": 0, "set": "x", "value": 1.0, "index": [True]},
    ],
)
def test_data_that_are_no_entry_are_refused(bad: dict[str, object]) -> None:
    with pytest.raises(GradstepError, match="journal"):
        from_dict(bad)


def test_an_index_as_text() -> None:
    assert parse_index("0, 2") == (0, 2)
    assert parse_index("-1,:") == (-1, ":")
    assert parse_index("1:3") == ("1:3",)
    for bad in ("", "a", "0,", "1.5", "::0", "::-0", "1::+00"):
        with pytest.raises(GradstepError, match="whole numbers and slices"):
            parse_index(bad)


@pytest.mark.parametrize(
    ("optimizer", "name", "wrong", "right"),
    [
        ({"type": "sgd"}, "lr", -1, 0),
        ({"type": "sgd", "momentum": 0.5}, "momentum", -3, 2),
        ({"type": "adam"}, "beta1", 1, 0),
        ({"type": "adam"}, "beta2", -0.1, 0.5),
        ({"type": "adam", "weight_decay": 0.1}, "weight_decay", -1e-9, 0),
        ({"type": "rmsprop"}, "alpha", -0.5, 2),
    ],
)
def test_a_number_has_the_limits_of_a_file(
    optimizer: dict[str, object], name: str, wrong: float, right: float
) -> None:
    """What set refuses a file refuses in the same words, and what it takes a file takes."""
    session = Session(program(optimizer=optimizer))
    with pytest.raises(GradstepError) as refused:
        session.set(f"optimizer.{name}", wrong)
    session.set(f"optimizer.{name}", right)
    field, _, number = name.partition("beta")
    given = {"betas": [0.9, 0.999]} if number else {}
    if number:
        given["betas"][int(number) - 1] = wrong
    else:
        given = {field: wrong}
    with pytest.raises(ExperimentError) as also:
        program(optimizer={**optimizer, **given})
    words = str(refused.value).partition("must be ")[2]
    assert words
    assert words.partition(", not")[0] in str(also.value)


def test_the_rate_that_a_schedule_begins_with_has_limits_too() -> None:
    schedule = {"type": "exponential", "gamma": 0.9}
    session = Session(program(schedule=schedule))
    with pytest.raises(GradstepError, match=r"initial_lr: must be a number of at least 0, not -2"):
        session.set("optimizer.initial_lr", -2)


@pytest.mark.parametrize("index", ["0 1:2", "1:0 2", "1: 2 3", "0 1"])
def test_a_missing_comma_is_no_other_slice(index: str) -> None:
    with pytest.raises(GradstepError, match="an index has whole numbers and slices"):
        parse_index(index)


def test_blanks_around_colons_and_commas_are_nothing() -> None:
    session = Session(program())
    session.set("linear1.weight", 7.0, parse_index(" 0 : 2 , 1 "))
    assert session.tensor("linear1.weight")[:2, 1].tolist() == [7.0, 7.0]


def test_an_index_that_selects_nothing_is_refused() -> None:
    session = Session(program())
    with pytest.raises(GradstepError, match="selects nothing"):
        session.set("linear1.weight", 7.0, parse_index("5:9"))
    assert len(session.journal) == 0
