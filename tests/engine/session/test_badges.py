"""Badges of gradients, against a plain replay of every event."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import GradstepError
from engine.experiment.reader import load_experiment
from engine.experiment.spec import Experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.phases import Phase
from engine.session.badges import Badge, BadgeKind, badge, badge_at
from engine.session.journal import Edit, Journal, Skip
from engine.session.session import Session

ORDERS = (
    tuple(Phase),
    (Phase.FORWARD, Phase.LOSS, Phase.ZERO_GRAD, Phase.BACKWARD, Phase.UPDATE),
    (Phase.FORWARD, Phase.LOSS, Phase.BACKWARD, Phase.UPDATE, Phase.ZERO_GRAD),
)


def program(order: tuple[Phase, ...] = ORDERS[0], name: str = "regression") -> Program:
    experiment: Experiment = load_experiment(name)
    training = replace_struct(experiment.training, order=list(order))
    return compile_program(replace_struct(experiment, training=training))


def replace_struct(struct, **changes):
    return msgspec.structs.replace(struct, **changes)


def replayed(program: Program, journal: Journal, event: int, name: str) -> Badge:
    """The badge by walking through all events one by one, as a person would."""
    gradient, kind, count = f"{name}.grad", BadgeKind.NONE, 0
    for now in range(event + 1):
        for edit in journal.edits.get(now, ()):
            if edit.target == gradient and not edit.index:
                kind, count = (BadgeKind.FRESH, 1) if edit.value else (BadgeKind.ZEROED, 0)
            elif edit.target == name and count:
                kind = BadgeKind.STALE
        if now == event:
            break
        op = program.ops[now % len(program.ops)]
        if journal.skipped(op.phase, op.name, now):
            continue
        if op.name == gradient and op.phase == Phase.ZERO_GRAD:
            kind, count = BadgeKind.ZEROED, 0
        elif op.name == gradient:
            count += 1
            kind = BadgeKind.FRESH if count == 1 else BadgeKind.ACCUMULATED
        elif name in op.writes and count:
            kind = BadgeKind.STALE
    return Badge(kind, count)


def test_one_iteration_tells_the_story() -> None:
    session = Session(program())
    story = []
    while session.event <= len(session.program.ops) + 1:
        said = str(badge(session, "linear1.weight"))
        if not story or story[-1] != said:
            story.append(said)
        session.step()
    assert story == ["none", "zeroed", "fresh", "stale", "zeroed"]


def test_forgetting_zero_grad_accumulates() -> None:
    session = Session(program(name="bug-no-zero-grad"))
    update = next(i for i, op in enumerate(session.program.ops) if op.phase == Phase.UPDATE)
    ops = len(session.program.ops)
    session.goto(update)
    assert str(badge(session, "linear2.bias")) == "fresh"
    session.goto(ops + update)
    assert str(badge(session, "linear2.bias")) == "accumulated ×2"
    session.goto(4 * ops + update)
    assert str(badge(session, "linear2.bias")) == "accumulated ×5"
    session.goto(5 * ops)
    assert badge(session, "linear2.bias") == Badge(BadgeKind.STALE, 5)


def test_a_frozen_parameter_never_becomes_stale() -> None:
    session = Session(program(name="bug-frozen"))
    frozen = [p.name for p in session.program.parameters]
    moving = {op.name for op in session.program.ops if op.phase == Phase.UPDATE}
    session.goto(3 * len(session.program.ops))
    kinds = {name: badge(session, name).kind for name in frozen}
    assert {n for n, kind in kinds.items() if kind == BadgeKind.STALE} == moving
    assert set(kinds) - moving


def test_an_activation_has_a_badge_too_and_data_has_none() -> None:
    session = Session(program())
    session.goto(len(session.program.ops))
    assert str(badge(session, "relu1.out")) == "fresh"
    assert str(badge(session, "yhat")) == "fresh"
    with pytest.raises(GradstepError, match="x has no gradient"):
        badge(session, "x")
    session.goto(len(session.program.ops) + 12)
    assert str(badge(session, "relu1.out")) == "stale"


@st.composite
def journals(draw: st.DrawFn) -> Journal:
    targets = st.sampled_from(["linear2.weight", "linear2.weight.grad", "linear1.bias"])
    edits = st.builds(Edit, st.integers(0, 80), targets, st.sampled_from([0.0, 1.0]))
    ops = ["zero_grad", "backward", "update", "zero_grad:linear2.weight.grad"]
    ends = st.one_of(st.none(), st.integers(0, 100))
    skips = st.builds(Skip, st.integers(0, 80), st.sampled_from(ops), ends)
    return Journal(tuple(draw(st.lists(st.one_of(edits, skips), max_size=5))))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ORDERS), journals(), st.integers(0, 110))
def test_arithmetic_equals_replay(order: tuple[Phase, ...], journal: Journal, event: int) -> None:
    made = program_of(order)
    for name in ("linear2.weight", "linear1.bias"):
        assert badge_at(made, journal, event, name) == replayed(made, journal, event, name)


PROGRAMS: dict[tuple[Phase, ...], Program] = {}


def program_of(order: tuple[Phase, ...]) -> Program:
    return PROGRAMS.setdefault(order, PROGRAMS.get(order) or program(order))


def test_an_element_of_a_zeroed_gradient_makes_it_fresh() -> None:
    journal = Journal((Edit(8, "linear1.weight.grad", 2.0, (0, 1)),))
    assert str(badge_at(program(), journal, 7, "linear1.weight")) == "zeroed"
    assert str(badge_at(program(), journal, 8, "linear1.weight")) == "fresh"


def test_the_kind_of_a_badge_is_its_word() -> None:
    assert str(Badge(BadgeKind.ACCUMULATED, 3)) == "accumulated ×3"
    assert replace(Badge(BadgeKind.STALE, 2), count=1).kind == "stale"
