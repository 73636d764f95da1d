"""Badges of gradients that several ops of one backward pass add to."""

from engine.session.badges import badge
from engine.session.session import Session
from tests.engine.line_networks import compiled, text


def badges(session, *names):
    return [str(badge(session, name)) for name in names]


def test_one_pass_of_several_ops_is_fresh():
    session = Session(compiled(text("recurrent")))
    updates = next(op.index for op in session.run.ops if op.phase == "update")
    session.goto(updates)
    assert badges(session, "Wh", "h[1]") == ["fresh", "fresh"]
    session.goto(session.timeline.begin(2) + updates)
    assert badges(session, "Wh", "h[1]") == ["fresh", "fresh"]


def test_without_zero_grad_passes_are_counted():
    session = Session(compiled(text("recurrent") + 'skip = ["zero_grad"]\n'))
    updates = next(op.index for op in session.run.ops if op.phase == "update")
    session.goto(session.timeline.begin(2) + updates)
    assert badges(session, "Wh", "h[1]") == ["accumulated ×3", "fresh"]
