"""Each detector on small experiments: what it must see, and what it must leave alone."""

import pytest

from engine.diagnostics.diagnosis import Severity
from engine.diagnostics.units import DeadReLU
from engine.run.phases import Phase
from engine.session.session import Session
from tests.engine.diagnostics.diagnosed import CLASSES, finding, found, linear
from tests.engine.small_experiments import program


def test_gradients_summed_up_on_purpose_are_no_mistake():
    """Without any update nothing is used twice; with one every iteration, it is."""
    assert not found("accumulated-gradients", training={"skip": ["zero_grad", "update"]})
    assert found("accumulated-gradients", training={"skip": ["zero_grad"]})
    order = ["forward", "loss", "backward", "update", "zero_grad"]
    assert not found("accumulated-gradients", training={"order": order})


def test_an_adaptive_rule_has_accumulated_gradients_too():
    tables = {"optimizer": {"type": "adam", "lr": 0.01}, "training": {"skip": ["zero_grad"]}}
    assert found("accumulated-gradients", **tables)


@pytest.mark.parametrize(
    ("tables", "cause"),
    [
        ({"optimizer": {"type": "sgd", "lr": 0.0}}, "the learning rate is 0"),
        ({"training": {"skip": ["update"]}}, "update is skipped"),
        ({"optimizer": {"type": "sgd", "lr": 1e-30}}, "smaller than the rounding"),
    ],
)
def test_why_a_parameter_never_moves(tables, cause):
    every = found("never-moves", **tables)
    assert {one.subject for one in every} == {
        "linear1.weight",
        "linear1.bias",
        "linear2.weight",
        "linear2.bias",
    }
    assert all(cause in one.cause for one in every)
    weights = {one.subject for one in every if one.serious}
    assert weights == {"linear1.weight", "linear2.weight"}


def test_parameters_that_move_are_left_alone():
    assert not found("never-moves")
    clip = {"norm": 1.0}
    assert not found("never-moves", clip=clip, schedule={"type": "exponential", "gamma": 0.9})


def test_a_frozen_front_is_a_note_and_a_frozen_end_is_serious():
    front = [linear(3, frozen=["weight", "bias"]), {"type": "tanh"}, linear(1)]
    end = [linear(3), {"type": "tanh"}, linear(1, frozen=["weight", "bias"])]
    part = [linear(3), {"type": "tanh"}, linear(1, frozen=["bias"])]
    severities = [
        {one.severity for one in found("frozen", layers=layers)} for layers in (front, end, part)
    ]
    assert severities == [{Severity.NOTE}, {Severity.SERIOUS}, {Severity.NOTE}]
    assert not found("frozen")


def test_zero_weights_are_symmetric():
    layers = [linear(3, init="zeros"), {"type": "tanh"}, linear(1, init="zeros")]
    (one,) = found("symmetric-units", layers=layers)
    assert one.serious
    assert "zero weights" in one.evidence


def test_units_with_different_ways_out_are_not_symmetric():
    layers = [linear(3, init="constant"), {"type": "tanh"}, linear(1)]
    assert not found("symmetric-units", layers=layers)
    assert not found("symmetric-units")


def test_two_twins_among_many_are_a_warning():
    weight = [[0.1, 0.2], [0.1, 0.2], [0.3, -0.4], [-0.5, 0.6], [0.7, 0.8]]
    last = [[0.5, 0.5, -0.4, 0.3, 0.2]]
    layers = [linear(5, weight=weight, bias=[0.0] * 5), {"type": "tanh"}, linear(1, weight=last)]
    (one,) = found("symmetric-units", layers=layers)
    assert one.severity == Severity.WARNING
    assert one.numbers["equal"] == 2


def test_a_linear_classifier_may_start_at_zero():
    """Its units have targets of their own that tell them apart."""
    zeros = {
        "data": CLASSES,
        "layers": [linear(3, init="zeros")],
        "loss": {"type": "cross_entropy"},
    }
    assert not found("symmetric-units", **zeros)


def test_a_unit_counts_as_dead_after_a_whole_epoch_only():
    bias = [-100.0, 0.0, 0.0]
    layers = [linear(3, bias=bias), {"type": "relu"}, linear(1)]
    tables = {"data": {"batch_size": 2}, "layers": layers}
    assert not found("dead-relu", iterations=3, **tables)
    (one,) = found("dead-relu", iterations=4, **tables)
    assert (one.numbers["dead"], one.severity) == (1, Severity.NOTE)


@pytest.mark.parametrize(("rows", "known"), [(3, False), (4, True)])
def test_a_layer_is_likely_dead_when_eight_samples_have_shown_it(rows, known):
    """Two batches of an epoch of five: six samples are too few, eight are enough."""
    data = {"x": [[1.0]] * 5 * rows, "y": [[1.0]] * 5 * rows, "batch_size": rows}
    tables = {"data": data, "layers": [linear(2, bias=[-99.0, -99.0]), {"type": "relu"}, linear(1)]}
    early = found("dead-relu", iterations=2, **tables)
    assert [(one.severity, one.certainty) for one in early] == [("serious", "likely")] * known
    assert finding("dead-relu", iterations=5, **tables).certainty == "certain"
    tables["layers"][0]["bias"] = [-99.0, 99.0]
    assert not found("dead-relu", iterations=4, **tables)


def test_what_was_off_in_the_known_part_of_an_epoch_is_not_dead_after_a_gap():
    data = {"x": [[-1.0], [1.0]], "y": [[0.0], [0.0]], "batch_size": 1}
    layers = [linear(1, weight=[[1.0]], bias=[0.0]), {"type": "relu"}, linear(1)]
    compiled = program(data=data, layers=layers, optimizer={"type": "sgd", "lr": 0.0})
    detector, ops = DeadReLU(compiled), len(compiled.ops)
    session = Session(compiled)
    for iteration in (0, 1, 2):
        session.goto((iteration + 1) * ops)
        if iteration == 1:
            detector.gap()
            continue
        for event in map(session.event_at, range(iteration * ops, (iteration + 1) * ops)):
            if event.op.phase == Phase.FORWARD:
                detector.see(event, session.tensors)
    assert not list(detector.found())


@pytest.mark.parametrize(("kind", "scale"), [("tanh", 100), ("sigmoid", 100)])
def test_saturated_hidden_units(kind, scale):
    hidden = linear(4, init="normal", init_scale=float(scale))
    (one,) = found("saturated", layers=[hidden, {"type": kind}, linear(1)], training={"epochs": 1})
    assert one.subject == f"{kind}1"
    assert not found("saturated", layers=[linear(4), {"type": kind}, linear(1)])


def test_a_sure_and_right_output_is_not_saturated():
    data = {"x": [[1.0], [-1.0]], "y": [[1.0], [0.0]]}
    layers = [linear(1, weight=[[20.0]], bias=[0.0]), {"type": "sigmoid"}]
    assert not found("saturated", data=data, layers=layers)
    wrong = [linear(1, weight=[[-20.0]], bias=[0.0]), {"type": "sigmoid"}]
    assert found("saturated", data=data, layers=wrong)[0].serious


def test_two_layers_are_no_trend():
    small = [linear(3, init="normal", init_scale=1e-9), {"type": "tanh"}, linear(1)]
    assert not found("vanishing-gradients", layers=small)


def deep(scale):
    hidden = [
        layer
        for _ in range(4)
        for layer in (linear(8, init="xavier_normal", init_scale=scale), {"type": "tanh"})
    ]
    return [*hidden, linear(1)]


@pytest.mark.parametrize(("scale", "severities"), [(1.0, []), (0.01, ["serious"])])
def test_vanishing_gradients(scale, severities):
    every = found("vanishing-gradients", layers=deep(scale))
    assert [one.severity for one in every] == severities


def test_a_loss_below_zero_may_rise_too():
    """nll of scores begins where one likes, and has no lower bound."""
    data = {"x": [[1.0], [2.0], [1.5]], "y": [0, 1, 0]}
    tables = {
        "data": data,
        "layers": [linear(2, weight=[[3.0], [3.0]], bias=[2.0, 2.0])],
        "loss": {"type": "nll"},
        "training": {"epochs": 60},
    }
    up = {"type": "sgd", "lr": 0.5, "maximize": True}
    one = finding("loss-rising", optimizer=up, **tables)
    assert one.numbers["first"] < 0
    assert one.follows == "ascent"
    assert not found("loss-rising", **tables)


def test_a_leap_that_is_made_good_is_a_warning():
    """At rate 2.5 the slope of 2w − ½ throws w from 3 to −10.75, at 0.5 to ¼, where it is flat."""
    tables = {
        "data": {"x": [[1.0], [-1.0]], "y": [[1.0], [0.5]]},
        "layers": [linear(1, weight=[[3.0]], bias=False)],
        "optimizer": {"type": "sgd", "lr": 2.5},
    }
    falling = {"type": "step", "step_size": 1, "gamma": 0.2}
    one = finding("loss-rising", schedule=falling, training={"epochs": 4}, **tables)
    assert (one.severity, one.numbers["last"]) == (Severity.WARNING, pytest.approx(0.5625))
    assert finding("loss-rising", training={"epochs": 4}, **tables).serious


def test_what_is_too_fast_has_its_own_words_for_each_rule():
    wide = {"x": [[4.0], [-4.0]], "y": [[1.0], [-1.0]]}
    tables = {"data": wide, "layers": [linear(1)], "training": {"epochs": 40}}
    plain = {"type": "sgd", "lr": 0.2}
    heavy = {"type": "sgd", "lr": 0.2, "momentum": 0.95}
    assert "overshoot" in finding("loss-rising", optimizer=plain, **tables).cause
    assert "momentum" in finding("loss-rising", optimizer=heavy, **tables).cause


def test_a_loss_that_falls_is_left_alone_and_a_maximized_one_rises_on_purpose():
    assert not found("loss-rising")
    up = {"type": "sgd", "lr": 1.0, "maximize": True}
    assert finding("loss-rising", optimizer=up, training={"epochs": 20}).follows == "ascent"
    assert found("loss-rising", optimizer={"type": "sgd", "lr": 5.0}, training={"epochs": 20})


def test_the_learning_rate_is_noted_above_the_limit_only():
    (one,) = found("learning-rate", optimizer={"type": "sgd", "lr": 3.0}, iterations=1)
    assert one.severity == Severity.NOTE
    assert one.numbers["lr"] > one.numbers["largest_stable"] > 0
    assert not found("learning-rate", optimizer={"type": "sgd", "lr": 0.01})


def test_float32_is_compared_and_float64_is_not():
    offset = 1e6
    y = [[offset + i / 7] for i in range(7)]
    layers = [linear(1, init="zeros", bias=[offset])]
    tables = {"data": {"y": y}, "layers": layers}
    assert found("float32-cancellation", dtype="float32", **tables)[0].numbers["error"] > 1e-3
    assert not found("float32-cancellation", dtype="float64", **tables)
    assert not found("float32-cancellation", dtype="float32")


def test_adding_to_zeros_is_no_accumulation():
    """The gradient is zero at first: nothing is left over from the update before."""
    flat = {"x": [[0.0, 0.0]] * 7, "y": [[1.0]] * 7}
    layers = [linear(1, init="zeros")]
    every = found(
        "accumulated-gradients", data=flat, layers=layers, training={"skip": ["zero_grad"]}
    )
    assert [one.subject for one in every] == ["linear1.bias.grad"]


def test_a_single_iteration_says_nothing_about_moving():
    rate = {"type": "sgd", "lr": 0.0}
    assert not found("never-moves", iterations=1, optimizer=rate)
    assert found("never-moves", iterations=2, optimizer=rate)


def test_a_frozen_parameter_without_gradient_is_left_alone():
    dead = [linear(2, bias=[-99.0, -99.0], frozen=["weight"]), {"type": "relu"}, linear(1)]
    assert not found("frozen", layers=dead)


def test_equal_outputs_with_equal_targets_are_left_alone():
    """The units of the last layer may be equal where their targets are."""
    data = {"x": [[1.0], [2.0]], "y": [[1.0, 1.0], [2.0, 2.0]]}
    assert not found("symmetric-units", data=data, layers=[linear(2, init="constant")])


def test_a_unit_that_was_off_in_the_last_epoch_only():
    """The step of the first epoch turns it off; one epoch later that is known."""
    data = {"x": [[1.0], [1.0]], "y": [[-1.0], [-1.0]], "batch_size": 1}
    layers = [
        linear(1, weight=[[1.0]], bias=[0.0]),
        {"type": "relu"},
        linear(1, weight=[[1.0]], bias=[0.0], frozen=["weight", "bias"]),
    ]
    tables = {"data": data, "layers": layers, "optimizer": {"type": "sgd", "lr": 1.0}}
    assert not found("dead-relu", iterations=2, **tables)
    one = finding("dead-relu", iterations=3, **tables)
    assert one.numbers == {"dead": 1, "units": 1, "from_the_start": 0}
    assert "iteration 2, forward" in one.place


def test_half_of_the_units_is_many():
    half = [linear(4, bias=[-99.0, -99.0, 99.0, 99.0]), {"type": "relu"}, linear(1)]
    assert finding("dead-relu", iterations=1, layers=half).severity == Severity.WARNING


def test_where_a_sigmoid_counts_as_flat():
    """4 σ(z) σ(−z) falls below 1 % at |z| = 5.99."""
    data = {"x": [[1.0]], "y": [[1.0]]}

    def at(z):
        hidden = linear(1, weight=[[z]], bias=[0.0])
        return found("saturated", 1, data=data, layers=[hidden, {"type": "sigmoid"}, linear(1)])

    assert not at(5.9)
    assert at(6.1)[0].serious


def test_a_wrong_output_under_bce_learns_all_the_same():
    data = {"x": [[1.0], [-1.0]], "y": [[1.0], [0.0]]}
    layers = [linear(1, weight=[[-20.0]], bias=[0.0]), {"type": "sigmoid"}]
    assert not found("saturated", data=data, layers=layers, loss={"type": "bce"})


def test_a_short_network_with_a_tiny_end_has_no_layer_factor():
    layers = [linear(3), {"type": "tanh"}, linear(1, init="normal", init_scale=1e-6)]
    assert not found("vanishing-gradients", layers=layers, training={"epochs": 1})
    assert found("vanishing-gradients", layers=[linear(3), *layers], training={"epochs": 1})


def test_a_gradient_that_vanishes_at_first_only_is_left_alone():
    """Tiny weights in the middle that grow: most iterations are fine."""
    layers = [linear(3), linear(1, init="zeros"), linear(1, weight=[[1.0]])]
    tables = {"layers": layers, "optimizer": {"type": "sgd", "lr": 0.3}}
    assert found("vanishing-gradients", iterations=1, **tables)
    assert not found("vanishing-gradients", iterations=30, training={"epochs": 30}, **tables)


def test_the_ratio_of_an_update_is_by_the_weight_before():
    data = {"x": [[1.0]], "y": [[3.0]]}
    layers = [linear(1, weight=[[1.0]], bias=False)]
    tables = {"data": data, "layers": layers, "optimizer": {"type": "sgd", "lr": 0.25}}
    # The steps are 1 on a weight of 1, ½ on 2, and ¼ on 2½.
    one = finding("update-ratio", iterations=3, training={"epochs": 3}, **tables)
    assert one.numbers == {"median": pytest.approx(0.25), "updates": 3}
    assert "iteration 1, update" in one.place
    assert not found("update-ratio", iterations=2, training={"epochs": 3}, **tables)


def test_operands_are_those_before_the_op():
    """The weight of an update that overflows is told as it was."""
    data = {"x": [[1.0]], "y": [[0.0]]}
    layers = [linear(1, weight=[[3.0]], bias=False)]
    rate = {"type": "sgd", "lr": 1e308}
    one = finding("non-finite", data=data, layers=layers, optimizer=rate)
    assert one.subject == "linear1.weight"
    assert "linear1.weight in 3 … 3;" in one.evidence
