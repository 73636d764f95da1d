"""The doctor on the built-in experiments, with the evidence computed again from the outside."""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from engine.diagnostics.diagnosis import Diagnosis, Severity
from engine.diagnostics.doctor import THOROUGH, WATCHING, diagnose
from engine.experiment.builtins import builtin_names
from engine.run.position import Granularity
from engine.session.session import Session
from tests.engine.diagnostics.right import HEALTHY, RIGHT
from tests.engine.small_experiments import built_in, session_of


@cache
@cache
def findings(name: str) -> tuple[Diagnosis, ...]:
    program = built_in(name)
    return tuple(diagnose(program, program.timeline.iterations))


def the(name: str, kind: str, subject: str | None = None) -> Diagnosis:
    """The one finding of a kind."""
    found = [one for one in findings(name) if one.name == kind and subject in (None, one.subject)]
    assert len(found) == 1
    return found[0]


def session_after(name: str, event: int) -> Session:
    """A session that has just executed an event."""
    return session_of(name, event + 1)


def op_of(name: str, one: Diagnosis) -> tuple[str, str]:
    program = built_in(name)
    op = program.ops[one.event % len(program.ops)]
    return str(op.phase), op.name


def test_every_mistake_has_its_finding():
    assert sorted(RIGHT) == [n for n in builtin_names() if n.startswith("bug-") or n in RIGHT]


@pytest.mark.parametrize(("name", "right"), RIGHT.items())
def test_the_right_diagnosis_and_no_other_serious_one(name, right):
    serious = {one.name for one in findings(name) if one.serious}
    assert serious == {right}


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_serious_in_a_healthy_experiment(name):
    assert not [one for one in findings(name) if one.serious]


@pytest.mark.parametrize("name", builtin_names())
def test_what_every_finding_says(name):
    for one in findings(name):
        program = built_in(name)
        assert 0 <= one.event < program.timeline.end
        position = program.timeline.position(one.event)
        op = program.ops[position.op]
        said = f"#{one.event}  iteration {position.iteration}, {op.phase}, {op.name}"
        assert one.place == said
        assert all((one.title, one.evidence, one.cause, one.remedy))
        assert not one.follows or one.severity == Severity.NOTE
        assert all(isinstance(v, int | float | str | None) for v in one.numbers.values())
    order = [list(Severity).index(one.severity) for one in findings(name)]
    assert order == sorted(order)


def test_effects_name_their_cause():
    follows = {one.name: one.follows for one in findings("bug-no-zero-grad") if one.follows}
    assert set(follows.values()) == {"accumulated-gradients"}
    assert "loss-rising" in follows
    assert the("bug-exploding", "non-finite").follows == "loss-rising"
    moves = [one for one in findings("bug-dead-relu") if one.name == "never-moves"]
    assert {one.follows for one in moves} == {"dead-relu"}


def test_examples_on_the_cards_show_what_they_say():
    for kind in (*WATCHING, *THOROUGH):
        for name in filter(None, kind.card.example.split(", ")):
            assert RIGHT[name] == kind.card.name


def test_accumulated_gradients_are_seen_at_the_second_backward():
    one = the("bug-no-zero-grad", "accumulated-gradients")
    session = session_after("bug-no-zero-grad", one.event)
    event = session.last_event()
    assert (event.position.iteration, event.op.name) == (2, "linear2.weight.grad")
    before = np.linalg.norm(event.before[0])
    added = np.linalg.norm(event.after[0] - event.before[0])
    assert one.numbers == {
        "before": pytest.approx(before),
        "added": pytest.approx(added),
        "additions": 29 * 4,
    }
    healthy = session_of("regression")
    healthy.step(2, Granularity.ITERATION)
    assert added == pytest.approx(np.linalg.norm(healthy.tensors["linear2.weight.grad"]))


def test_dead_units_are_counted():
    one = the("bug-dead-relu", "dead-relu")
    program = built_in("bug-dead-relu")
    start = program.initial()
    z = program.data.x @ start["linear1.weight"].T + start["linear1.bias"]
    assert one.numbers["dead"] == int((z <= 0).all(axis=0).sum()) == 4
    assert op_of("bug-dead-relu", one) == ("forward", "relu1.out")
    assert program.timeline.position(one.event).iteration == 1


def test_units_that_died_in_the_last_epoch_of_digits():
    one = the("digits", "dead-relu")
    program, session = built_in("digits"), session_of("digits")
    on = np.zeros(32, bool)
    for iteration in range(1, program.timeline.iterations + 1):
        session.goto(iteration * len(program.ops))
        if iteration > program.timeline.iterations - program.batches.count:
            on |= (session.tensors["relu1.out"] > 0).any(axis=0)
    assert one.numbers["dead"] == int((~on).sum()) > 0
    assert one.severity == Severity.NOTE


def test_layer_factors_are_ratios_of_norms():
    for name, kind, layers in (
        ("deep-sigmoid", "vanishing-gradients", 10),
        ("bug-vanishing", "vanishing-gradients", 8),
        ("bug-large-init", "exploding-gradients", 8),
    ):
        one = the(name, kind)
        tensors = session_after(name, one.event).tensors
        norms = [np.linalg.norm(tensors[f"linear{i + 1}.out.grad"]) for i in range(layers)]
        assert one.numbers["first_over_last"] == pytest.approx(norms[0] / norms[-1])
        steps = np.exp(np.mean(np.log(np.array(norms[:-1]) / norms[1:])))
        assert one.numbers["factor_per_layer"] == pytest.approx(steps)
        assert one.numbers["norm_linear2"] == pytest.approx(norms[1])


def test_the_rising_loss_is_that_of_the_event():
    one = the("bug-exploding", "loss-rising")
    losses = session_after("bug-exploding", built_in("bug-exploding").timeline.end - 1).losses
    start = np.mean(losses[:3])
    iteration = built_in("bug-exploding").timeline.position(one.event).iteration
    assert one.numbers["loss"] == losses[iteration - 1] > 10 * start
    assert (losses[: iteration - 1] <= 10 * start).all()
    assert one.numbers["first"] == pytest.approx(start)
    assert one.numbers["largest_stable"] < one.numbers["lr"] == 0.25


def test_the_first_number_that_is_none():
    one = the("bug-exploding", "non-finite")
    at, before = (session_after("bug-exploding", one.event - back).tensors for back in (0, 1))
    assert np.isinf(at["loss"])
    finite = [np.isfinite(value).all() for value in before.values()]
    assert all(finite)
    missing = the("bug-missing-value", "non-finite")
    assert missing.subject == "linear1.out"
    assert missing.cause == "x is not finite itself"
    assert missing.numbers == {"nan": 4, "infinite": 0, "elements": 16}


def test_clamped_logarithms_are_counted():
    one = the("bug-log-zero", "log-of-zero")
    session = session_after("bug-log-zero", one.event)
    yhat, y = session.tensor("yhat"), session.tensors["y"]
    assert one.numbers["clamped"] == int(((yhat == 1) & (y == 0)).sum()) == 2


def test_saturation_is_a_share_of_flat_outputs():
    one = the("bug-saturated", "saturated")
    out = session_after("bug-saturated", one.event).tensor("yhat")
    assert one.numbers["share"] == np.mean(out * (1 - out) < 0.01 / 4) == 1


def test_symmetric_units_are_counted():
    assert the("bug-symmetric-init", "symmetric-units").numbers == {
        "equal": 4,
        "groups": 1,
        "units": 4,
    }


def test_floors_of_doubled_functions():
    one = the("bug-double-softmax", "double-softmax")
    right = np.array([1.0, 0.0, 0.0])  # the surest that a softmax can be
    assert one.numbers["floor"] == pytest.approx(-np.log(np.exp(1) / np.exp(right).sum()))
    twice = the("bug-double-sigmoid", "double-softmax").numbers
    sigmoid = 1 / (1 + np.exp(-np.array([0.0, 1.0])))
    assert twice["floor_0"] == pytest.approx(-np.log(1 - sigmoid[0]))
    assert twice["floor_1"] == pytest.approx(-np.log(sigmoid[1]))


def test_scales_of_the_inputs():
    one = the("bug-input-scales", "input-scales")
    sizes = np.abs(built_in("bug-input-scales").data.x).max(axis=0)
    assert one.numbers["ratio"] == pytest.approx(sizes[0] / sizes[1])


def test_imbalance_and_the_first_loss():
    one = the("bug-imbalance", "class-imbalance").numbers
    assert one["share"] == 38 / 40
    assert one["entropy"] == pytest.approx(-(0.95 * math.log(0.95) + 0.05 * math.log(0.05)))
    assert one["log_classes"] == pytest.approx(math.log(2))
    assert one["first_loss"] == session_after("bug-imbalance", 20).losses[0]
    assert one["never_named"] == 1


def test_the_first_loss_against_guessing():
    one = the("bug-large-init", "initial-loss")
    assert one.numbers["guessing"] == pytest.approx(math.log(2))
    assert one.numbers["first"] == session_after("bug-large-init", one.event).losses[0]


def test_update_ratios_are_medians():
    one = the("bug-tiny-rate", "update-ratio", "linear1.weight")
    program, session = built_in("bug-tiny-rate"), session_of("bug-tiny-rate")
    weights = [session.tensors["linear1.weight"]]
    for _ in range(program.timeline.iterations):
        session.step(1, Granularity.ITERATION)
        weights.append(session.tensors["linear1.weight"])
    ratios = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in pairwise(weights)]
    assert one.numbers["median"] == pytest.approx(np.median(ratios))
    assert one.numbers["updates"] == 100


def test_float32_against_the_numbers_on_paper():
    one = the("bug-float32", "float32-cancellation")
    session = session_after("bug-float32", one.event)
    exact = np.mean((10000 * np.linspace(-1, 1, 9) - 10200 * np.linspace(-1, 1, 9)) ** 2)
    assert one.subject == "loss"
    assert one.numbers["error"] == pytest.approx(abs(session.losses[0] - exact) / exact, rel=1e-6)
    assert not [found for found in findings("digits") if found.name == "float32-cancellation"]


def test_the_summed_loss_names_its_rows():
    one = the("bug-summed-loss", "summed-loss")
    assert one.numbers["rows"] == 30
    assert the("regression", "summed-loss").severity == Severity.NOTE
    assert the("regression", "summed-loss").numbers["rows"] == 4


def test_frozen_parameters_have_a_gradient():
    one = the("bug-frozen", "frozen", "linear2.weight")
    session = session_after("bug-frozen", one.event)
    norm = np.linalg.norm(session.tensors["linear2.weight.grad"])
    assert one.numbers["gradient_norm"] == pytest.approx(norm)


def test_swings_of_the_loss():
    one = the("bug-oscillating", "loss-oscillating")
    losses = session_after("bug-oscillating", built_in("bug-oscillating").timeline.end - 1).losses
    late = losses[30:]
    changes = np.diff(late)
    assert one.numbers["swing"] == pytest.approx(np.abs(changes).mean() / losses[0])
    assert one.numbers["turns"] == pytest.approx(np.mean(changes[1:] * changes[:-1] < 0))
