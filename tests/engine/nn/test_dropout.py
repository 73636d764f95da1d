"""Dropout: a mask that depends on (seed, layer, iteration) alone, seen as a tensor of its own."""

import numpy as np
import pytest

from engine.chain.chain import chain
from engine.chain.primals import primals_of
from engine.errors import ExperimentError, GradstepError
from engine.functions.elementwise.dropout import Dropout
from engine.measure.gradcheck import check_gradients
from engine.measure.metrics import evaluate
from engine.run.op import CLOCK
from engine.session.session import Session
from engine.worksheet.text import sizes_line
from engine.worksheet.worksheet import worksheet
from tests.engine.plain_run import plain_run, same_tensors
from tests.engine.small_experiments import program


def network(p=0.5, *, epochs=5, mode="train", **more):
    """Linear, tanh, dropout, linear, dropout on seven rows in batches of three."""
    layers = [
        {"type": "linear", "out": 6},
        {"type": "tanh"},
        {"type": "dropout", "p": p},
        {"type": "linear", "out": 2},
        {"type": "dropout", "p": p},
    ]
    rng = np.random.default_rng(3)
    data = {"y": rng.normal(size=(7, 2)).tolist(), "batch_size": 3}
    training = {"epochs": epochs, "mode": mode}
    return program(layers=layers, data=data, training=training, **more)


@pytest.mark.parametrize("p", [0.0, 0.25, 0.5, 0.9, 1.0])
def test_the_mask_has_the_values_and_the_share_of_torch(p):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    layer = Dropout(p=p)
    mask = layer.mask(0, 1, 1, (100, 100), "float64")
    x = np.random.default_rng(0).normal(size=(100, 100))
    torch.manual_seed(0)
    theirs = torch.nn.functional.dropout(torch.tensor(x), p, training=True).numpy()
    ours = x * mask
    assert set(np.unique(mask)) <= {0.0, layer.scale}
    assert np.mean(mask == 0) == pytest.approx(p, abs=0.02)
    assert np.mean(theirs == 0) == pytest.approx(p, abs=0.02)
    both = (ours != 0) & (theirs != 0)
    np.testing.assert_allclose(ours[both], theirs[both], rtol=1e-12)
    assert both.any() == (p < 1)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("p", [0.0, 0.3, 1.0])
def test_ten_steps_are_those_of_torch_with_the_same_masks(p, dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    found = network(p, dtype=dtype, optimizer={"type": "adam", "lr": 0.05})
    session = Session(found)
    names = [info.name for info in found.parameters]
    theirs = {n: torch.tensor(np.array(session.tensors[n]), requires_grad=True) for n in names}
    rule = torch.optim.Adam(theirs.values(), lr=0.05)
    linear = torch.nn.functional.linear
    for i in range(10):
        x, y = (torch.tensor(np.array(found.batch(i)[name])) for name in ("x", "y"))
        session.goto((i + 1) * len(found.ops) - 1)
        first, second = (torch.tensor(session.tensors[f"dropout{k}.mask"]) for k in (1, 2))
        assert first.numpy().dtype == dtype
        rule.zero_grad()
        hidden = torch.tanh(linear(x, *(theirs[n] for n in names[:2]))) * first
        yhat = linear(hidden, *(theirs[n] for n in names[2:])) * second
        torch.nn.functional.mse_loss(yhat, y).backward()
        rule.step()
        session.step()
        limit = 1e-12 if dtype == "float64" else 2e-5
        for name in names:
            expected = theirs[name].detach().numpy()
            np.testing.assert_allclose(session.tensors[name], expected, rtol=limit, atol=limit)
        if 0 < p < 1:
            assert set(np.unique(first)) == {0.0, np.dtype(dtype).type(1 / 0.7)}


def test_every_iteration_and_layer_and_seed_has_a_mask_of_its_own():
    layer = Dropout(p=0.5)
    places = [(seed, place, i) for seed in (0, 1) for place in (2, 4) for i in (1, 2, 3, 4)]
    masks = [layer.mask(*place, (3, 6), "float64").tobytes() for place in places]
    assert len(set(masks)) == len(masks)
    session = Session(network(seed=1))
    for i in (3, 1, 2):
        session.goto((i - 1) * len(session.program.ops) + 10)
        rows = len(session.tensors["x"])
        expected = layer.mask(1, 2, i, (rows, 6), "float64")
        np.testing.assert_array_equal(session.tensors["dropout1.mask"], expected)


def test_float32_drops_the_same_elements():
    wide, narrow = (Session(network(dtype=dtype)) for dtype in ("float64", "float32"))
    for session in (wide, narrow):
        session.goto(9)
    a, b = (session.tensors["dropout1.mask"] != 0 for session in (wide, narrow))
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("budget", [0, 3_000, 2**28])
def test_going_back_is_exact(budget):
    found = network()
    states = plain_run(found)
    session = Session(found, budget)
    for event in (found.timeline.end, 60, 61, 9, 8, 7, 100, 0, found.timeline.end):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


def test_an_edited_mask_lasts_to_the_next_forward_pass():
    found = network()
    session = Session(found)
    forward = next(op.index for op in found.ops if op.name == "dropout2.out")
    session.goto(forward + 1)
    session.set("dropout2.mask", 0)
    session.goto(len(found.ops))
    assert not session.tensors["linear2.weight.grad"].any()
    session.goto(2 * len(found.ops))
    assert session.tensors["linear2.weight.grad"].any()
    states = plain_run(found, session.journal)
    for event in (len(found.ops), forward + 1, forward, 0):
        session.goto(event)
        assert same_tensors(session.tensors, states[event])


def test_the_op():
    (op,) = [op for op in network(0.25).ops if op.name == "dropout1.out"]
    assert op.formula == "z₃ = z₂ ⊙ m₃, m₃ = [u ≥ 0.25] / 0.75, u random"
    assert op.writes == ("dropout1.out", "dropout1.mask")
    assert op.reads == ("tanh1.out", CLOCK)
    (pull,) = [op for op in network().ops if op.name == "tanh1.out.grad"]
    assert pull.formula == "∂ℓ/∂z₂ = ∂ℓ/∂z₃ ⊙ m₃"
    assert pull.reads == ("dropout1.out.grad", "dropout1.mask")


def test_evaluation_drops_nothing():
    trained, evaluated = network(), network(mode="eval")
    assert "dropout1.mask" not in evaluated.tensors
    assert CLOCK not in evaluated.tensors
    session = Session(evaluated)
    session.goto(10)
    kept = session.tensors
    np.testing.assert_array_equal(kept["dropout1.out"], kept["tanh1.out"])
    found = [evaluate(one, one.initial()) for one in (trained, evaluated)]
    assert found[0] == found[1]


@pytest.mark.parametrize("sample", [None, 1])
def test_the_jacobian_is_the_mask_on_a_diagonal(sample):
    session = Session(network())
    session.goto(10)
    product = chain(primals_of(session, sample), "dropout1.out", "tanh1.out").jacobian()
    mask = session.tensors["dropout1.mask"]
    assert product.structure == "diagonal"
    expected = mask if sample is None else mask[sample]
    np.testing.assert_array_equal(product.to_dense(), np.diag(expected.ravel()))


def test_the_chain_is_the_gradient_and_central_differences_agree():
    session = Session(network())
    session.goto(len(session.program.ops) - 4)
    for name in ("linear1.weight", "linear2.bias"):
        product = chain(primals_of(session), "loss", name).jacobian()
        expected = session.tensors[f"{name}.grad"].ravel()
        np.testing.assert_allclose(product.to_dense()[0], expected, rtol=1e-12, atol=1e-16)
    checked = check_gradients(session.program, session.tensors)
    assert checked.passed
    assert all(one.checked for one in checked.parameters)


def test_a_mask_is_no_side_of_a_jacobian():
    session = Session(network())
    with pytest.raises(GradstepError, match=r"dropout1\.mask is drawn at random"):
        chain(primals_of(session), "loss", "dropout1.mask")
    with pytest.raises(GradstepError, match="the forward phase computes it"):
        chain(primals_of(session), "dropout1.out", "tanh1.out").jacobian().to_dense()


@pytest.mark.parametrize("sample", [0, 2])
def test_the_worksheet_multiplies_with_the_mask(sample):
    found = network()
    sheet = worksheet(found, sample, 0)
    session = Session(found)
    session.goto(10)
    rows = {row.layer: row for row in sheet.forward}
    assert rows["dropout1"].output.text() == "z₂ ⊙ m₃"
    assert rows["dropout1"].output.latex() == r"z_{2} \odot m_{3}"
    for name in ("dropout1", "dropout2", "linear2"):
        expected = session.tensors[f"{name}.out"][sample]
        np.testing.assert_allclose(rows[name].value[:, 0], expected, rtol=1e-12)
    rules = {row.symbol.text(): row for row in sheet.elements}
    assert rules["∂z₃/∂z₂"].rule.text() == "diag(m₃)"
    expected = np.diag(session.tensors["dropout1.mask"][sample])
    np.testing.assert_array_equal(rules["∂z₃/∂z₂"].value, expected)
    assert "m₃, z₃ h×1" in sizes_line(sheet)
    assert worksheet(found, 0, 4).sample.written(4).text().startswith("W⁽²⁾(tanh(")
    assert sheet.definitions[-1] == "m₅ = 2 where dropout2 keeps one, else 0"


@pytest.mark.parametrize(
    ("p", "said"),
    [(-0.1, "of at least 0"), (1.5, "of at most 1"), (float("nan"), "not finite"), ("½", "number")],
)
def test_what_is_refused(p, said):
    with pytest.raises(ExperimentError) as caught:
        network(p)
    assert {problem.path for problem in caught.value.problems} == {"layers[2].p", "layers[4].p"}
    assert said in caught.value.problems[0].message


def test_the_mode_is_one_of_two():
    with pytest.raises(ExperimentError, match="did you mean 'eval'"):
        network(mode="evaluate")
