"""The op that is looked at, and what it read, wherever the cursor has gone since."""

import numpy as np
import pytest

from engine.debugger import Debugger
from engine.session.session import Session
from tests.engine.small_experiments import built_in
from tui.view.shown_op import ShownOp, Standing
from tui.view.snapshot import Selection, snapshot


def shown(session: Session, **selection: object) -> ShownOp:
    found = snapshot(Debugger(session), Selection(**selection)).shown
    assert found is not None
    return found


def test_the_last_op_is_shown_with_what_it_read():
    session = Session(built_in("regression"))
    for event in range(len(session.listing)):
        before = dict(session.tensors)
        session.step()
        found = shown(session)
        assert (found.event, found.standing, found.earlier) == (event, Standing.DONE, False)
        for name in found.op.reads:
            assert np.array_equal(found.operands[name], before[name])


@pytest.mark.parametrize("name", ["regression", "iris"])
def test_a_pinned_tensor_shows_what_its_op_read_however_long_ago(name):
    session = Session(built_in(name))
    session.step()
    output = session.program.network.nodes[0].output
    event = session.timeline.next(-1, writes=output)
    assert event is not None
    session.goto(event)
    before = dict(session.tensors)
    for further in (1, 5, len(session.listing) - 2):
        session.goto(event + further)
        found = shown(session, tensor=output)
        assert found.event == event
        assert found.earlier == (session.position.iteration > 1)
        for read in found.op.reads:
            assert np.array_equal(found.operands[read], before[read]), (read, further)


def test_an_operand_that_was_set_by_hand_since_is_not_shown():
    session = Session(built_in("regression"))
    session.goto(5)
    session.set("linear1.bias", 7.0)
    found = shown(session, tensor="linear1.out")
    assert "linear1.bias" not in found.operands
    assert "linear1.weight" in found.operands


def test_a_chosen_op_is_done_next_or_to_come():
    session = Session(built_in("regression"))
    session.goto(5)
    ops = session.listing.ops
    stands = [shown(session, tensor=ops[row].writes[0], row=row).standing for row in (0, 4, 5, 6)]
    assert stands == [Standing.DONE, Standing.DONE, Standing.NEXT, Standing.COMING]
    assert not shown(session, tensor=ops[6].writes[0], row=6).operands


def test_a_skipped_op_has_read_nothing():
    session = Session(built_in("regression"))
    session.skip("zero_grad:linear1.weight.grad")
    session.goto(1)
    found = shown(session, tensor="linear1.weight.grad", row=0)
    assert (found.standing, dict(found.operands)) == (Standing.SKIPPED, {})
