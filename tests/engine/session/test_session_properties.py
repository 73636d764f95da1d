"""Random walks over random small experiments, against a straight run by the pure ``advance``."""

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from engine.errors import ExperimentError
from engine.nn.table import LAYERS
from engine.run.drive import advance, initial_state
from engine.run.phases import Phase, order_problems
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.small_experiments import program

ORDERS = [
    order
    for place in range(5)
    for order in [[*list(Phase)[1 : 1 + place], Phase.ZERO_GRAD, *list(Phase)[1 + place :]]]
    if not order_problems(order)
]
SKIPS = [
    [],
    ["zero_grad"],
    ["update"],
    ["backward"],
    ["backward", "update"],
    ["zero_grad", "update"],
    ["loss", "backward"],
    ["forward", "loss", "backward", "update"],
    ["forward", "loss", "backward"],
    ["zero_grad", "backward"],
]
OPTIMIZERS = [
    {"type": "sgd"},
    {"type": "sgd", "lr": 0.3, "momentum": 0.9, "weight_decay": 0.01},
    {"type": "adam", "amsgrad": True},
    {"type": "adamw"},
    {"type": "adadelta"},
    {"type": "adagrad"},
    {"type": "rmsprop", "momentum": 0.5, "centered": True},
    {"lr": 0.3, "lines": "v = v/2 + g\ntheta = theta - lr*v/t", "slots": {"v": 0.1}},
]
LOSSES = [
    {"type": "mse", "reduction": "sum"},
    {"type": "cross_entropy"},
    {"type": "cross_entropy", "weight": [2.0], "label_smoothing": 0.1},
    {"type": "huber", "reduction": "batch_mean"},
    {"type": "bce_with_logits"},
    {"type": "bce_with_logits", "weight": [0.5], "pos_weight": [3.0]},
]
SCHEDULES = [
    None,
    {"type": "exponential", "gamma": 0.9},
    {"type": "step", "step_size": 2, "every": "iteration"},
    {"type": "linear_warmup", "iterations": 3},
]
CLIPS = [None, {"norm": 0.1}, {"norm": 0.1, "norm_type": "inf"}, {"value": 0.01}]
BUDGETS = [0, 1, 2_000, 8_000, 30_000, 120_000, 2**28]


@st.composite
def layer_tables(draw):
    kinds = st.sampled_from([kind for kind in LAYERS if kind != "linear"])
    tables = []
    for _ in range(draw(st.integers(0, 2))):
        frozen = draw(st.sampled_from([[], ["weight"], ["bias"], ["weight", "bias"]]))
        tables.append({"type": "linear", "out": draw(st.integers(1, 4)), "frozen": frozen})
        tables += [{"type": kind} for kind in draw(st.lists(kinds, max_size=2))]
    last = {"type": "linear", "out": 1, "bias": draw(st.booleans())}
    before = [{"type": kind} for kind in draw(st.lists(kinds, max_size=1))]
    after = [{"type": kind} for kind in draw(st.lists(kinds, max_size=1))]
    return [*before, *tables, last, *after]


@st.composite
def programs(draw):
    data = {"shuffle": draw(st.booleans()), "drop_last": draw(st.booleans())}
    if size := draw(st.sampled_from([None, 1, 2, 3, 7])):
        data["batch_size"] = size
    training = {
        "epochs": draw(st.integers(1, 4)),
        "order": draw(st.sampled_from(ORDERS)),
        "skip": draw(st.sampled_from(SKIPS)),
        "input_gradient": draw(st.booleans()),
        "mode": draw(st.sampled_from(["train", "train", "eval"])),
    }
    more = {"schedule": draw(st.sampled_from(SCHEDULES)), "clip": draw(st.sampled_from(CLIPS))}
    try:
        return program(
            **{name: table for name, table in more.items() if table is not None},
            data=data,
            layers=draw(layer_tables()),
            loss=draw(st.sampled_from(LOSSES)),
            optimizer=draw(st.sampled_from(OPTIMIZERS)),
            training=training,
            dtype=draw(st.sampled_from(["float32", "float64"])),
            seed=draw(st.integers(0, 9)),
        )
    except ExperimentError:
        assume(False)  # e.g. all that may run is skipped
        raise


MOVES = st.one_of(
    st.tuples(st.just("step"), st.sampled_from(Granularity), st.integers(-9, 9)),
    st.tuples(st.just("goto"), st.just(Granularity.OP), st.floats(0, 1)),
    st.tuples(st.just("goto"), st.just(Granularity.OP), st.sampled_from([0.0, 1.0])),
)


def bits(tensors):
    """Every tensor by name, down to the bit."""
    return {
        name: (value.shape, value.dtype.str, value.tobytes()) for name, value in tensors.items()
    }


def straight_run(compiled):
    """All tensors before every event, and the events, by the pure transition."""
    state = initial_state(compiled)
    states, events = [bits(state.tensors)], []
    while state.event < compiled.timeline.end:
        before = state
        state, done = advance(compiled, state)
        assert bits(before.tensors) == states[-1], "advance changed the State it was given"
        assert all(not array.flags.writeable for array in state.tensors.values())
        states.append(bits(state.tensors))
        events.append(done)
    return states, events


def move(session, kind, granularity, amount):
    if kind == "step":
        target = session.program.timeline.boundary(session.event, granularity, amount)
        session.step(amount, granularity)
    else:
        target = round(amount * session.program.timeline.end)
        session.goto(target)
    assert session.event == target


def losses_of(compiled, states, upto):
    """The loss after each loss op before an event."""
    ops = compiled.ops
    return [
        float(np.frombuffer(states[i + 1]["loss"][2], states[i + 1]["loss"][1])[0])
        for i in range(upto)
        if ops[i % len(ops)].name == "loss"
    ]


@settings(max_examples=250, deadline=None)
@given(programs(), st.sampled_from(BUDGETS), st.lists(MOVES, min_size=1, max_size=14))
def test_any_walk_shows_the_bits_of_the_straight_run(compiled, budget, moves):
    states, events = straight_run(compiled)
    session = Session(compiled, budget=budget)
    view, furthest = session.tensors, 0
    for step in moves:
        move(session, *step)
        here = session.event
        furthest = max(furthest, here)
        assert bits(session.tensors) == states[here]
        assert bits(view) == states[here]
        assert session.known == furthest
        assert session.position == compiled.timeline.position(here)
        np.testing.assert_array_equal(session.losses, losses_of(compiled, states, here))
        assert all(not array.flags.writeable for array in session.tensors.values())
        if (last := session.last_event()) is not None:
            same_event(last, events[here - 1])
    event(f"keyframes beyond the first: {len(session.history.keyframes) > 1}")
    event(f"window lost events: {session.history.first > 0}")


def same_event(ours, theirs):
    assert (ours.position, ours.op) == (theirs.position, theirs.op)
    for mine, other in ((ours.before, theirs.before), (ours.after, theirs.after)):
        assert [None if a is None else a.tobytes() for a in mine] == [
            None if a is None else a.tobytes() for a in other
        ]


@settings(max_examples=40, deadline=None)
@given(programs(), st.sampled_from(BUDGETS), st.integers(1, 40))
def test_forward_back_and_forward_again_is_bit_identical_at_each_op(compiled, budget, n):
    states, _ = straight_run(compiled)
    session = Session(compiled, budget=budget)
    n = min(n, compiled.timeline.end)
    path = [*range(1, n + 1), *range(n - 1, -1, -1), *range(1, n + 1)]
    for here in path:
        session.step(1 if here > session.event else -1)
        assert session.event == here
        assert bits(session.tensors) == states[here]


@settings(max_examples=25, deadline=None)
@given(programs(), st.floats(0, 1), st.floats(0, 1))
def test_a_journey_may_be_left_at_any_piece(compiled, stop, target):
    states, _ = straight_run(compiled)
    session = Session(compiled, budget=4_000)
    session._chunk = 3
    for goal in (
        compiled.timeline.end,
        round(target * compiled.timeline.end),
        compiled.timeline.end,
    ):
        for pieces, here in enumerate(session.travel(goal)):
            assert bits(session.tensors) == states[here]
            if pieces > stop * 10:
                break
        assert bits(session.tensors) == states[session.event]


def reachable(arrays: Iterable[np.ndarray | None]) -> int:
    """Bytes of the distinct buffers behind arrays."""
    owners = [owner(array) for array in arrays if array is not None]
    return sum({id(array): array.nbytes for array in owners}.values())


def owner(array: np.ndarray) -> np.ndarray:
    return owner(array.base) if isinstance(array.base, np.ndarray) else array


def wide_program():
    """Tensors so large that the arrays outweigh the objects around them."""
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(32, 64)).tolist() for _ in "xy")
    wide = {"type": "linear", "out": 64}
    return program(
        data={"x": x, "y": y, "batch_size": 16, "shuffle": True},
        layers=[wide, {"type": "identity"}, {"type": "relu"}, wide],
        optimizer={"type": "sgd", "momentum": 0.9},
        training={"epochs": 20},
    )


@pytest.mark.parametrize("budget", [0, 1_000_000, 4_000_000, 2**31])
def test_the_history_stays_within_its_budget(budget):
    compiled = wide_program()
    session = Session(compiled, budget=budget)
    present = sum(info.nbytes for info in compiled.tensors.values())
    end = compiled.timeline.end
    for target in (end // 2, end // 2 - 30, end // 3, 5, end, end - 1, 0, end):
        session.goto(target)
        history = session.history
        window = [array for pair in history.events.values() for side in pair for array in side]
        kept = [array for frame in history.keyframes.values() for array in frame.values()]
        # What was there before the window belongs to the present, not to the window.
        assert reachable(window) <= budget / 2 + present
        assert reachable(kept) <= max(history.keyframe_budget, history.keyframe_bytes)
        costs = [history.cost(op) for op in compiled.ops]
        spent = (costs[event % len(costs)] for event in history.events)
        assert history.window_bytes == sum(spent)
        assert history.window_bytes <= max(history.window_budget, *costs)
        assert history.first + len(history.events) >= session.event >= history.first
    assert history.window_budget + history.keyframe_budget == budget
    # A budget is there to be used: at least half of it is.
    if budget == 1_000_000:
        assert reachable(window) > history.window_budget / 2
        assert reachable(kept) > history.keyframe_budget / 2
    if budget == 2**31:
        kept_ones = range(0, compiled.timeline.iterations, history.spacing)
        assert (history.first, sorted(history.keyframes)) == (0, list(kept_ones))


@pytest.mark.parametrize("size", ["op", "iteration"])
def test_the_window_drops_no_more_than_it_has_to(size):
    """However the steps are cut, and also where an iteration does not fit as a whole."""
    compiled = wide_program()
    for budget in (200_000, 1_000_000):
        session = Session(compiled, budget=budget)
        while session.event < 5 * len(compiled.ops):
            session.step(1, Granularity(size))
            history = session.history
            before = history.cost(compiled.ops[(history.first - 1) % len(compiled.ops)])
            assert history.first == 0 or history.window_bytes + before > history.window_budget
            assert history.window_bytes <= history.window_budget


def test_a_large_run_keeps_keyframes_apart_and_still_returns_exactly():
    compiled = program(training={"epochs": 200}, data={"batch_size": 2})
    states, _ = straight_run(compiled)
    session = Session(compiled, budget=40_000)
    session.goto(compiled.timeline.end)
    assert session.history.first > 0
    assert len(session.history.keyframes) > 3
    for here in (
        compiled.timeline.end - 1,
        7777,
        7776,
        4001,
        4000,
        20,
        19,
        0,
        9000,
        compiled.timeline.end,
    ):
        session.goto(here)
        assert bits(session.tensors) == states[here]


def test_a_state_and_the_losses_stay_when_the_cursor_moves_on():
    session = Session(program())
    session.goto(17)
    state, losses = session.state, session.losses
    kept, said = bits(state.tensors), list(losses)
    session.goto(session.program.timeline.end)
    session.goto(0)
    assert (bits(state.tensors), list(losses), state.event) == (kept, said, 17)
    assert len(said) == 1
