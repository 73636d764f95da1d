"""What the tracer tells of a script: names, values, views, writes, gradients. Needs PyTorch."""

import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from engine.capture.messages import Degree, Event, Given, Later, OpDefinition, Phases
from engine.capture.plan import Plan
from engine.recording.digests import quick_digest
from tests.engine.captured_scripts import Ran, Told, captured, python

torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")


@cache
def run(name: str, plan: Plan = Plan(quiet=True)) -> Ran:  # noqa: B008
    """A captured script; once, for all tests of this module."""
    with TemporaryDirectory() as folder:
        return captured(python(name), Path(folder), plan)


def told(name: str, plan: Plan = Plan(quiet=True)) -> Told:  # noqa: B008
    """What its process told."""
    return run(name, plan).told


def ops(found: Told, iteration: int, phase: str | None = None) -> Iterator[OpDefinition]:
    """The ops of an iteration."""
    for event in found.iterations[iteration]:
        op = found.op(event)
        if phase is None or op.phase == phase:
            yield op


def named(found: Told, iteration: int, phase: str, name: str) -> OpDefinition:
    """An op of an iteration by its name."""
    (op,) = (one for one in ops(found, iteration, phase) if one.name == name)
    return op


def rows(found: Told, iteration: int, phase: str) -> list[tuple[str, str, str]]:
    """Reads, kind and writes of ops, as text."""
    return [
        (" ".join(found.names(op.reads)), op.kind, " ".join(found.names(op.writes)))
        for op in ops(found, iteration, phase)
    ]


def test_forward_and_backward_of_two_layers():
    found = told("mlp.py")
    assert rows(found, 1, "forward") == [
        ("x 0.weight 0.bias", "linear", "0.linear"),
        ("0.linear", "tanh", "1.tanh"),
        ("1.tanh 2.weight 2.bias", "linear", "2.linear"),
        ("2.linear y", "sub", "sub"),
        ("sub", "pow", "pow"),
        ("pow", "mean", "mean"),
    ]
    assert rows(found, 1, "backward") == [
        ("mean", "backward", "mean.grad"),
        ("mean.grad", "MeanBackward0", "pow.grad"),
        ("pow.grad", "PowBackward0", "sub.grad"),
        ("sub.grad", "SubBackward0", "2.linear.grad"),
        ("2.linear.grad", "AddmmBackward0", "1.tanh.grad"),
        ("2.linear.grad", "AccumulateGrad", "2.bias.grad"),
        ("2.linear.grad", "AccumulateGrad", "2.weight.grad"),
        ("1.tanh.grad", "TanhBackward0", "0.linear.grad"),
        ("0.linear.grad", "AccumulateGrad", "0.bias.grad"),
        ("0.linear.grad", "AccumulateGrad", "0.weight.grad"),
    ]
    lines = [op.line for op in ops(found, 1, "forward")]
    assert lines == [13, 13, 13, 14, 14, 14]
    back = named(found, 1, "backward", "1.tanh")
    assert found.ops[back.forward].name == "1.tanh"
    assert named(found, 1, "forward", "pow").attributes == {"exponent": 2}


def test_values_are_those_that_were_there():
    """The last update of each parameter is what the script has at its end; and its gradient is
    that of the loss, added to what nobody cleared."""
    found = told("mlp.py")
    torch.manual_seed(0)
    x = torch.randn(64, 3)
    y = x @ torch.tensor([[1.0], [2.0], [3.0]]) + 0.5
    model = torch.nn.Sequential(torch.nn.Linear(3, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    expected: dict[str, list[bytes]] = {}
    for _ in range(5):
        ((model(x) - y) ** 2).mean().backward()
        optimizer.step()
        for name, parameter in model.named_parameters():
            expected.setdefault(name, []).append(parameter.detach().numpy().tobytes())
            expected.setdefault(name + ".grad", []).append(parameter.grad.numpy().tobytes())
            average = optimizer.state[parameter]["exp_avg"]
            expected.setdefault(name + ".exp_avg", []).append(average.numpy().tobytes())
    for name, values in expected.items():
        seen = list(found.values(name))
        assert seen[-5:] == values
    assert list(found.values("x")) == [x.numpy().tobytes()]  # it does not change: given once


def test_a_gradient_that_nobody_cleared_is_added_to():
    found = told("mlp.py")
    assert [op.adds for op in ops(found, 0) if op.kind == "AccumulateGrad"] == [False] * 4
    assert [op.adds for op in ops(found, 1) if op.kind == "AccumulateGrad"] == [True] * 4


def test_cleared_gradients_are_gone():
    found = told("convolution.py")
    first = found.iterations[1][0]
    assert (found.op(first).phase, found.op(first).kind) == ("zero_grad", "zero_grad")
    assert {value.degree for value in first.values} == {Degree.GONE}
    assert found.op(first).attributes == {"set_to_none": True}


def test_an_update_has_its_rate_and_its_slots():
    found = told("convolution.py")
    updates = [e for events in found.iterations for e in events if found.op(e).phase == "update"]
    rates = [event.facts["lr"] for event in updates if found.op(event).name == "fc.bias"]
    assert rates == [1.0, 1.0, 1.0, 0.7, 0.7, 0.7]
    op = named(found, 1, "update", "fc.bias")
    assert found.names(op.writes) == [
        "fc.bias",
        "fc.bias.step",
        "fc.bias.square_avg",
        "fc.bias.acc_delta",
    ]
    slot = found.tensors[op.writes[2]]
    assert (slot.role, slot.slot_of) == ("slot", "fc.bias")


def test_buffers_views_and_what_is_overwritten():
    found = told("convolution.py")
    norm = named(found, 1, "forward", "norm.batch_norm")
    assert found.names(norm.writes) == ["norm.batch_norm", "norm.running_mean", "norm.running_var"]
    counted = named(found, 1, "forward", "norm.num_batches_tracked.add")
    assert found.tensors[counted.writes[0]].role == "buffer"
    relu = named(found, 1, "forward", "act.relu")  # in place: before and after are two tensors
    assert found.names(relu.reads + relu.writes) == ["norm.batch_norm", "act.relu"]
    linear = named(found, 1, "forward", "fc.linear")
    assert found.names(linear.reads)[0] == "dropout.dropout"
    assert linear.views == ("flatten(1)", "", "")
    loss = named(found, 1, "forward", "nll_loss")
    assert [found.tensors[number].role for number in loss.reads] == ["activation", "target"]


def test_a_sum_of_gradients_is_an_op():
    found = told("residual.py")
    total = named(found, 1, "backward", "stem.conv2d.sum")
    parts = ["stem.conv2d.grad@layer1.add", "stem.conv2d.grad@layer1.conv.conv2d"]
    assert found.names(total.reads) == parts
    assert found.names(total.writes) == ["stem.conv2d.grad"]
    event = next(e for e in found.iterations[1] if found.op(e) is total)
    summed = np.frombuffer(event.values[0].whole, "f4")
    shares = [np.frombuffer(list(found.values(name))[1], "f4") for name in parts]
    np.testing.assert_array_equal(summed, shares[0] + shares[1])


def test_a_checkpoint_is_counted_once():
    found = told("residual.py")
    names = [op.name for op in ops(found, 1, "forward")]
    assert names.count("layer2.conv.conv2d") == 1
    assert not [name for name in names if name.endswith("#2")]
    gradients = [op.name for op in ops(found, 1, "backward") if op.kind == "AccumulateGrad"]
    assert "layer3.conv.weight.grad" in gradients  # of the reentrant one, in an engine of its own
    assert len(gradients) == len(set(gradients))


def test_micro_steps_and_clipping():
    found = told("accumulation.py")
    adds = [op.adds for op in ops(found, 1) if op.kind == "AccumulateGrad"]
    assert adds == [False] * 6 + [True] * 18
    (clip,) = (e for e in found.iterations[1] if found.op(e).kind == "clip_grad_norm_")
    assert clip.facts["limit"] == 0.1
    assert clip.facts["norm"] > 0.1
    names = found.names(found.op(clip).writes)
    assert names == [f"{layer}.{kind}.grad" for layer in (0, 2, 4) for kind in ("weight", "bias")]


def test_two_models_have_names_of_their_own():
    found = told("gan.py")
    updated = [op.name for op in ops(found, 1, "update")]
    assert updated == [
        *[f"netD.{layer}.{kind}" for layer in (0, 2) for kind in ("weight", "bias")],
        *[f"netG.{layer}.{kind}" for layer in (0, 1, 3) for kind in ("weight", "bias")],
    ]
    assert [op.name for op in ops(found, 1, "zero_grad")] == ["netD.zero_grad", "netG.zero_grad"]


def test_gradients_of_gradients():
    found = told("weird.py")
    (grad,) = (op for op in ops(found, 2) if op.kind == "autograd.grad")
    assert found.names(grad.reads) == ["mixed"]
    norm = named(found, 2, "forward", "linalg_vector_norm")
    assert found.names(norm.reads) == found.names(grad.writes) == ["grad(mixed)"]
    assert [op.kind for op in ops(found, 2)].count("backward") == 3
    sine = named(found, 2, "forward", "Sine")
    assert found.names(sine.reads) == ["critic.a.linear"]
    weight = "critic.a.parametrizations.weight.original1"
    assert f"{weight}.grad" in [op.name for op in ops(found, 2, "backward")]
    assert weight in [op.name for op in ops(found, 2, "update")]
    assert "average.c.bias.mul" in {op.name for op in ops(found, 1, "update")} | {
        op.name for op in ops(found, 2, "update")
    }


def test_updates_by_hand():
    found = told("by_hand.py")
    assert rows(found, 1, "update") == [(name, "sub", name) for name in ("W1", "b1", "W2")]
    assert [op.name for op in ops(found, 1, "zero_grad")] == ["W1.grad", "b1.grad", "W2.grad"]
    assert {found.tensors[number].name for number in range(len(found.tensors))} >= {"X", "y"}


def test_data_is_the_parameter():
    found = told("recurrent.py")
    added = named(found, 1, "update", "lstm.weight_hh_l0.add")
    assert found.names(added.reads) == ["lstm.weight_hh_l0", "lstm.weight_hh_l0.grad"]
    assert found.names(added.writes) == ["lstm.weight_hh_l0"]


def test_a_scaler_that_leaves_out_a_step():
    found = told("scaled.py")
    kinds = [[op.kind for op in ops(found, i, "update")] for i in range(4)]
    step = ["unscale", "SGD.step"]
    assert kinds == [step, ["unscale", "step skipped"], step, step]
    (skipped,) = (e for e in found.iterations[1] if found.op(e).kind == "step skipped")
    assert skipped.facts == {"reason": "infinite gradients", "scale": 1024.0}
    losses = found.names([one.loss for one in found.of(Phases)])
    assert losses == ["sum"] * 4  # not what GradScaler made of it


def test_large_tensors_are_told_in_part_and_the_last_ones_whole():
    found = told("convolution.py")
    kept = [tensor for tensor in found.tensors if tensor.name == "conv.conv2d"]
    assert [tensor.elements for tensor in kept] == [32 * 4 * 26 * 26]
    first = next(e for e in found.iterations[1] if found.op(e).name == "conv.conv2d")
    assert first.values[0].degree == Degree.STATISTICS | Degree.SAMPLE
    late = found.late()
    events = found.of(Event)
    assert {tensor.name for tensor, _, _ in late} >= {"conv.conv2d", "fc.weight.grad", "fc.weight"}
    begin = sum(map(len, found.iterations[:4]))
    assert min(event for _, event, _ in late) >= begin  # of the last two iterations
    for tensor, event, frame in late:
        op = found.op(events[event])
        part = events[event].values[frame.write]
        whole = np.frombuffer(frame.value.whole, "f4")
        assert whole.size == tensor.elements
        assert part.statistics[:2] == (whole.min(), whole.max())
        stride = -(-whole.size // 1024)
        assert part.sample == whole[::stride].tobytes()
        some = whole[::stride].astype("f8")
        expected = (some.mean(), np.sqrt((some**2).mean()), (some == 0).mean())
        np.testing.assert_allclose(part.statistics[2:], expected, rtol=1e-12)
        corner = whole.reshape(tensor.shape)
        while corner.ndim > 2:
            corner = corner[0]
        assert part.corner == corner[:8, :8].tobytes(), op.name
        if part.degree & Degree.FINGERPRINT:
            assert part.fingerprint == quick_digest(whole)
    printed = {
        found.tensors[number].name
        for event in found.iterations[1]
        for number, value in zip(found.op(event).writes, event.values, strict=True)
        if value.degree & Degree.FINGERPRINT
    }
    assert printed == {"fc.weight", "fc.weight.grad"}


def degrees(found: Told, iteration: int) -> set[int]:
    """The degrees of what the large tensors of an iteration wrote."""
    return {
        int(value.degree)
        for event in found.iterations[iteration]
        for number, value in zip(found.op(event).writes, event.values, strict=True)
        if found.tensors[number].elements > 4096 and value.degree != Degree.GONE
    }


def test_a_window_and_every_so_many_iterations_are_in_full():
    found = told("convolution.py", Plan(quiet=True, window=(1, 2), every=4))
    whole = [degrees(found, i) == {int(Degree.WHOLE)} for i in range(6)]
    assert whole == [True, True, False, False, True, False]


def test_light_tells_rates_losses_and_fingerprints():
    found = told("convolution.py", Plan(quiet=True, values="light"))
    assert len(found.iterations) == 6
    assert [op.kind for op in ops(found, 1)] == [
        "zero_grad",
        "NllLoss",
        "backward",
        *["Adadelta.step"] * 6,
    ]
    loss, _, *updates = found.iterations[1][1:]
    assert loss.values[0].degree == Degree.WHOLE
    assert [found.op(event).name for event in updates][-2:] == ["fc.weight", "fc.bias"]
    assert {int(event.values[0].degree) for event in updates} == {int(Degree.FINGERPRINT)}
    assert all(event.facts["gradient_norm"] > 0 and event.facts["lr"] == 1 for event in updates)
    full = told("convolution.py")
    assert list(found.values("NllLoss")) == list(full.values("nll_loss"))
    assert run("convolution.py", Plan(quiet=True, values="light")).out == run("convolution.py").out


def test_inputs_can_be_kept_back():
    found = told("convolution.py", Plan(quiet=True, inputs=False))
    given = [frame for frame in found.of(Given) if found.tensors[frame.tensor].name == "data"]
    assert given
    assert {int(frame.value.degree) for frame in given} == {0}
    assert not [frame for frame in found.of(Later) if frame.value.whole == b""]


def test_leaf_modules_as_ops():
    found = told("convolution.py", Plan(quiet=True, depth="module"))
    kinds = [op.kind for op in ops(found, 1, "forward")]
    assert kinds == ["Conv2d", "BatchNorm2d", "ReLU", "max_pool2d", "Dropout", "Linear",
                     "log_softmax", "nll_loss"]  # fmt: skip
    assert run("convolution.py", Plan(quiet=True, depth="module")).out == run("convolution.py").out


def test_a_line_can_be_named_where_iterations_begin():
    plain_loop = told("accumulation.py")
    line = next(op.line for op in plain_loop.ops if op.name == "0.linear")
    found = told("accumulation.py", Plan(quiet=True, iteration=("accumulation.py", line)))
    assert len(found.iterations) == 24


def test_the_loss_is_where_the_script_has_it():
    found = told("mlp.py")
    (loss,) = struct.unpack("<f", list(found.values("mean"))[-1])
    assert f"loss {loss}".encode()[:12] == run("mlp.py").out.splitlines()[0][:12]


@pytest.mark.parametrize(("when", "expected"), [("first", 1), ("last", 0), ("warm", 0)])
def test_a_scheduler_that_is_stepped_first_is_told_of(when: str, expected: int) -> None:
    with TemporaryDirectory() as folder:
        found = captured(python("schedules.py", when), Path(folder)).told
    facts = [event.facts for event in found.of(Event) if "lr" in event.facts]
    assert len(facts) == 6
    assert [one.get("scheduler_first") for one in facts[:expected]] == [True] * expected
    assert not any("scheduler_first" in one for one in facts[expected:])
