"""Watches: values at the cursor, before the last op, and their past."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GradstepError
from engine.session.session import Session
from engine.stops.watches import Watches
from tests.engine.plain_run import plain_run
from tests.engine.small_experiments import program

PROGRAM = program(data={"batch_size": 3})
STATES = plain_run(PROGRAM)
OPS = len(PROGRAM.ops)
UPDATE = next(op.index for op in PROGRAM.ops if op.phase == "update")


def watching(*sources: str, budget: int = 2**24) -> tuple[Session, Watches]:
    session, watches = Session(PROGRAM, budget), Watches(PROGRAM)
    for source in sources:
        watches.add(source)
    return session, watches


def test_a_value_and_the_value_before_the_last_op() -> None:
    session, watches = watching("linear1.weight[0, 1]", "loss", "iteration")
    session.goto(OPS + UPDATE)
    kept = watches.value(session, "linear1.weight[0, 1]")
    assert (kept.changed, kept.value) == (False, kept.before)
    session.step()
    moved = watches.value(session, "linear1.weight[0, 1]")
    assert moved.changed
    assert moved.before == STATES[OPS + UPDATE]["linear1.weight"][0, 1]
    assert moved.value == STATES[OPS + UPDATE + 1]["linear1.weight"][0, 1]
    session.goto(2 * OPS)
    counter = watches.value(session, "iteration")
    assert (counter.before, counter.value, counter.changed) == (2, 3, True)


def test_what_is_not_computed_yet_has_no_value() -> None:
    session, watches = watching("loss", "linear1.weight[event + 9] + loss")
    loss = watches.value(session, "loss")
    assert (loss.value, loss.before, loss.changed, loss.error) == (None, None, False, None)
    broken = watches.value(session, "linear1.weight[event + 9] + loss")
    assert broken.error is not None
    assert "out of bounds" in broken.error
    with pytest.raises(GradstepError, match="index 9 is out of bounds"):
        watches.add("linear1.weight[9]")


def test_the_list() -> None:
    session, watches = watching("loss", "norm(x)")
    assert watches.add(" loss ") == "loss"
    assert list(watches) == ["loss", "norm(x)"]
    with pytest.raises(GradstepError, match=r"unknown name 'lss'"):
        watches.add("lss")
    with pytest.raises(GradstepError, match=r"not watched: y; watched are: loss, norm\(x\)"):
        watches.remove("y")
    watches.remove("loss")
    assert [value.text for value in watches.values(session)] == ["norm(x)"]
    assert watches.load(["mean(y)", "1 +"])[0].startswith("1 +")
    assert [value.text for value in watches.values(session, 1)] == ["mean(y)"]


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["loss", "linear2.bias[0]", "norm(linear1.weight.grad)", "sum(x)", "event"]),
    st.integers(0, PROGRAM.timeline.end),
    st.sampled_from([2**24, 40_000]),
    st.sampled_from([None, "x", "linear2.bias"]),
)
def test_the_spark_has_the_values_of_the_past(
    source: str, event: int, budget: int, edit: str | None
) -> None:
    session, watches = watching(source, budget=budget)
    session.goto(event)
    if edit:
        session.set(edit, f"{edit} + 1")
        session.goto(event + 9)
    spark = watches.spark(session, source, points=8)
    expected = []
    for past in range(session.event, session.history.first - 1, -1):
        session.goto(past)
        value = watches.value(session, source).value
        if value is None:
            break
        here = watches.value(session, source)
        if past == session.history.first or here.changed or here.before is None:
            expected.append(value)
    kept = [value for i, value in enumerate(spark) if i == 0 or value != spark[i - 1]]
    assert kept[-4:] == expected[::-1][-len(kept[-4:]) :]


def test_a_tensor_has_no_spark() -> None:
    session, watches = watching("linear1.weight")
    session.goto(OPS)
    assert watches.spark(session, "linear1.weight") == []
