"""Gradient clipping against torch.nn.utils, and as ops of the update phase."""

import tomllib

import numpy as np
import pytest

from engine.errors import ExperimentError, GradstepError
from engine.measure.gradcheck import check_gradients
from engine.session.badges import badge
from engine.session.session import Session
from engine.worksheet.worksheet import worksheet
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program

CASES = [
    {"norm": 0.05},
    {"norm": 1e6},
    {"norm": 0.05, "norm_type": 1},
    {"norm": 0.05, "norm_type": 3.5},
    {"norm": 0.05, "norm_type": "inf"},
    {"value": 0.02},
    {"value": 1e6},
]
TABLES = {"data": {"batch_size": 2}, "training": {"epochs": 3}}
FROZEN = [
    {"type": "linear", "out": 3, "frozen": ["bias"]},
    {"type": "tanh"},
    {"type": "linear", "out": 1, "frozen": ["weight"]},
]


def clip_by_torch(torch, parameters, options):
    if "value" in options:
        torch.nn.utils.clip_grad_value_(parameters, options["value"])
        return None
    order = float(options.get("norm_type", 2))
    return torch.nn.utils.clip_grad_norm_(parameters, options["norm"], norm_type=order)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("skip", [[], ["zero_grad"]], ids=str)
@pytest.mark.parametrize("options", CASES, ids=str)
def test_ten_steps_are_those_of_torch(options, skip, frozen):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    more = {"layers": FROZEN} if frozen else {}
    found = program(clip=options, **(TABLES | {"training": {"epochs": 3, "skip": skip}}), **more)
    session = Session(found)
    names = [info.name for info in found.parameters]
    still = {"linear1.bias", "linear2.weight"} if frozen else set()
    theirs = {
        n: torch.tensor(np.array(session.tensors[n]), requires_grad=n not in still) for n in names
    }
    moving = [parameter for parameter in theirs.values() if parameter.requires_grad]
    rule = torch.optim.SGD(moving, lr=0.1)
    linear, mse = torch.nn.functional.linear, torch.nn.functional.mse_loss
    for i in range(10):
        x, y = (torch.tensor(np.array(found.batch(i)[name])) for name in ("x", "y"))
        if not skip:
            rule.zero_grad()
        hidden = torch.tanh(linear(x, *(theirs[n] for n in names[:2])))
        mse(linear(hidden, *(theirs[n] for n in names[2:])), y).backward()
        total = clip_by_torch(torch, moving, options)
        rule.step()
        session.goto((i + 1) * len(found.ops))
        if total is not None:
            assert float(session.tensors["clip.norm"]) == pytest.approx(float(total), rel=1e-12)
        for name in set(names) - still:
            pairs = (
                (session.tensors[name], theirs[name].detach()),
                (
                    session.tensors[f"{name}.grad"],
                    theirs[name].grad,
                ),
            )
            for ours, expected in pairs:
                np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-12, atol=1e-14)
    assert not np.array_equal(session.tensors["linear1.weight"], found.initial()["linear1.weight"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("options", CASES, ids=str)
def test_unusual_gradients(options, bad, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    found = program(clip=options, dtype=dtype)
    session = Session(found)
    first = next(op for op in found.ops if op.phase == "update")
    session.goto(first.index)
    session.set("linear1.weight.grad", bad)
    names = [info.name for info in found.parameters]
    theirs = [torch.zeros(found.tensors[n].shape, dtype=getattr(torch, dtype)) for n in names]
    for parameter, name in zip(theirs, names, strict=True):
        parameter.grad = torch.tensor(np.array(session.tensors[f"{name}.grad"]))
    clip_by_torch(torch, theirs, options)
    session.goto(len(found.ops))
    limit = 1e-12 if dtype == "float64" else 1e-6
    for parameter, name in zip(theirs, names, strict=True):
        ours = session.tensors[f"{name}.grad"]
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, parameter.grad.numpy(), rtol=limit, atol=1e-30)


def test_the_ops():
    found = program(clip={"norm": 0.5, "norm_type": "inf"})
    ops = [op for op in found.ops if op.phase == "update"]
    assert [op.name for op in ops] == [
        "clip.norm",
        "linear1.weight.grad",
        "linear1.bias.grad",
        "linear2.weight.grad",
        "linear2.bias.grad",
        "linear1.weight",
        "linear1.bias",
        "linear2.weight",
        "linear2.bias",
    ]
    assert [op.formula for op in ops[:2]] == ["c = min(1, 0.5 / ‖∇θ‖∞)", "∂ℓ/∂W⁽¹⁾ ← c ∂ℓ/∂W⁽¹⁾"]
    assert ops[0].writes == ("clip.norm", "clip.factor")
    by_value = program(clip={"value": 0.5})
    ops = [op for op in by_value.ops if op.phase == "update"]
    assert (ops[0].name, ops[0].formula) == (
        "linear1.weight.grad",
        "∂ℓ/∂W⁽¹⁾ ← clip(∂ℓ/∂W⁽¹⁾, ±0.5)",
    )
    assert "clip.norm" not in by_value.tensors
    assert worksheet(by_value).steps[-1].text == "∇θ ← clip(∇θ, ±0.5); θ ← θ − η ∇θ"


@pytest.mark.parametrize("budget", [0, 5_000, 2**28])
@pytest.mark.parametrize("skip", [[], ["zero_grad"], ["backward"]], ids=str)
@pytest.mark.parametrize("options", [CASES[0], CASES[5]], ids=str)
def test_going_back_is_exact(options, skip, budget):
    tables = TABLES | {"training": {"epochs": 3, "skip": skip}}
    found = program(clip=options, schedule={"type": "exponential", "gamma": 0.9}, **tables)
    states = plain_run(found)
    session = Session(found, budget)
    for event in (found.timeline.end, 60, 61, 5, 100, 0, found.timeline.end):
        session.goto(event)
        assert same_tensors(session.tensors, states[min(event, found.timeline.end)])


def test_the_gradient_check_and_the_badges_are_about_the_gradient_before_it_is_clipped():
    found = program(clip={"norm": 1e-3})
    session = Session(found)
    assert check_gradients(found, session.tensors).passed
    session.goto(len(found.ops) - 4)
    assert str(badge(session, "linear1.weight")) == "fresh"
    norm = np.linalg.norm(np.concatenate([
        session.tensors[f"{info.name}.grad"].ravel() for info in found.parameters
    ]))  # fmt: skip
    assert norm == pytest.approx(1e-3, rel=1e-2)


def test_one_gradient_can_be_left_as_it_is_but_its_norm_is_needed():
    session = Session(program(clip={"norm": 1e-3}))
    session.skip("update:linear1.weight.grad")
    with pytest.raises(GradstepError, match=r"clip\.norm is needed by the next op of update"):
        session.skip("update:clip.norm")
    session.goto(len(session.program.ops))
    assert np.abs(session.tensors["linear1.weight.grad"]).max() > 1e-2
    assert np.abs(session.tensors["linear2.weight.grad"]).max() < 1e-2


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("", "clip", "needs exactly one of norm, value; found none"),
        ("norm = 1\nvalue = 1", "clip", "found norm and value"),
        ("norm = 0", "clip.norm", "above 0, not 0"),
        ("norm = inf", "clip.norm", "inf is not finite"),
        ("value = -1.0", "clip.value", "above 0, not -1.0"),
        ("norm = 1\nnorm_type = 'max'", "clip.norm_type", "max"),
        ("norm = 1\nnorm_type = 0", "clip.norm_type", "0"),
        ("value = 1\nnorm_type = 1", "clip.norm_type", "belongs to norm only"),
        ("max_norm = 1\nnorm = 1", "clip.max_norm", "did you mean 'norm'?"),
    ],
)
def test_what_is_refused(text, path, said):
    with pytest.raises(ExperimentError) as caught:
        program(clip=tomllib.loads(text))
    (problem,) = caught.value.problems
    assert problem.path == path
    assert said in problem.message


def test_a_clip_that_is_no_table():
    with pytest.raises(ExperimentError, match=r"must be a table, \[clip\], not 1"):
        program(clip=1)
