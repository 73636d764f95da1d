"""Chains between any two tensors, against autograd and against the engine's own backward pass."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.chain.chain import Chain, chain
from engine.chain.primals import Primals, primals_of
from engine.chain.query import query
from engine.errors import GradstepError
from engine.experiment.builtins import builtin_names
from engine.experiment.dataset import Dataset, in_lines
from engine.experiment.reader import load_experiment, read_experiment
from engine.jacobian.association import Association
from engine.jacobian.operator import DENSE_LIMIT
from engine.jacobian.product import product
from engine.program.compiler import compile_program
from engine.run.position_text import parse_position
from engine.session.session import Session
from tests.engine.memory import peak_of
from tests.engine.small_experiments import session_of

autograd = pytest.importorskip("autograd", reason="the oracle is HIPS autograd")
anp = autograd.numpy

SQUARE = {  # K = h: a forgotten W⁽²⁾ leaves every size as it was
    "name": "square",
    "data": {
        "x": [[0.5, -1.0, 2.0], [1.0, 0.5, -1.0], [-1.5, 1.0, 0.5]],
        "y": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
    },
    "layers": [
        {"type": "linear", "out": 2},
        {"type": "sigmoid"},
        {"type": "linear", "out": 2},
        {"type": "softmax"},
    ],
    "loss": {"type": "mse", "reduction": "sum"},
    "optimizer": {"type": "sgd", "lr": 0.1},
}


def session_at(experiment, position="i1:update"):
    session = Session(compile_program(experiment))
    session.goto(parse_position(position, session))
    return session


@pytest.fixture
def regression():
    return session_at(load_experiment("regression"))


@pytest.fixture
def square():
    return session_at(read_experiment(SQUARE, "square"))


def network(t):
    """The square network a second time; each tensor may be replaced by a given one."""

    def run(name, value):
        known = {**t, name: value}

        def keep(key, made):
            return value if key == name else made

        z1 = keep("linear1.out", known["x"] @ known["linear1.weight"].T + known["linear1.bias"])
        z2 = keep("sigmoid1.out", 1 / (1 + anp.exp(-z1)))
        z3 = keep("linear2.out", z2 @ known["linear2.weight"].T + known["linear2.bias"])
        e = anp.exp(z3)
        yhat = keep("softmax1.out", e / anp.sum(e, axis=1, keepdims=True))
        loss = anp.sum((yhat - known["y"]) ** 2)
        return {"linear1.out": z1, "sigmoid1.out": z2, "linear2.out": z3, "softmax1.out": yhat,
                "loss": loss}  # fmt: skip

    return run


OF = ["linear1.out", "sigmoid1.out", "linear2.out", "softmax1.out", "loss"]
WRT = ["x", "y", "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias", *OF[:-1]]


@pytest.mark.parametrize("sample", [None, 1])
@pytest.mark.parametrize(("of", "wrt"), list(itertools.product(OF, WRT)))
def test_every_pair_against_autograd(square, of, wrt, sample):
    values = {name: np.array(value) for name, value in square.tensors.items()}
    cut = slice(None) if sample is None else slice(sample, sample + 1)
    batched = {"x", "y", *OF[:-1]}
    values = {k: v[cut] if k in batched else v for k, v in values.items()}
    run, given = network(values), values[wrt]
    rows = int(np.size(run("x", values["x"])[of]))
    expected = autograd.jacobian(lambda v: run(wrt, v)[of] + 0 * anp.sum(v))(given).reshape(
        rows, given.size
    )

    found = chain(primals_of(square, sample), of, wrt)
    jacobian = found.jacobian()
    assert found.gaps() == []
    assert jacobian.dims == expected.shape
    assert_allclose(jacobian.to_dense(), expected, atol=1e-14)
    assert jacobian.nonzeros >= np.count_nonzero(expected)
    r, c = slice(rows // 2, None), slice(None, given.size // 2 + 1)
    for window in ((r, c), (r, slice(0, 1)), (slice(0, 1), c)):
        assert_allclose(jacobian.window(*window), expected[window], atol=1e-14)
    v, u = np.random.default_rng(0).normal(size=(2, max(expected.shape)))
    pulled, pushed = jacobian.vjp(v[:rows]), jacobian.jvp(u[: given.size])
    assert_allclose(pulled.reshape(-1), v[:rows] @ expected, atol=1e-13)
    assert_allclose(pushed.reshape(-1), expected @ u[: given.size], atol=1e-13)


def session_before_update(name):
    session = session_of(name)
    ops = session.program.ops
    updates = [op.index for op in ops if op.phase == "update"]
    session.goto(updates[0] if updates else len(ops))
    return session


@pytest.mark.parametrize("name", builtin_names())
def test_the_chain_is_the_gradient_of_every_builtin(name):
    session = session_before_update(name)
    for info in session.program.parameters:
        if in_lines(session.program.experiment):
            jacobian = query(session, "loss", info.name, None).jacobian
        else:
            found = chain(primals_of(session), "loss", info.name)
            assert found.gaps() == []
            jacobian = found.jacobian()
        gradient = session.tensor(f"{info.name}.grad")
        pulled = jacobian.vjp(np.ones((), gradient.dtype))
        # bug-float32 shows cancellation: its gradients are the rounding of sums of this size.
        atol = 1e-12 if gradient.dtype == np.float64 else 1e-5 if name == "bug-float32" else 1e-6
        assert_allclose(pulled, gradient, rtol=1e-5 if atol > 1e-12 else 1e-12, atol=atol)


def test_homework_chain_of_one_sample(regression):
    found = chain(primals_of(regression, 0), "loss", "linear1.weight")
    symbols = [factor.symbol for factor in found.factors]
    assert symbols == ["∂ℓ/∂ŷ", "∂ŷ/∂z₃", "∂z₃/∂z₂", "∂z₂/∂z₁", "∂z₁/∂W⁽¹⁾"]
    assert found.dims == ((1, 2), (2, 2), (2, 4), (4, 4), (4, 12))
    structures = [factor.structure for factor in found.factors]
    assert structures == ["dense", "identity", "dense", "diagonal", "kronecker"]
    assert found.conforms()
    assert found.order() == "cheapest order: (((∂ℓ/∂ŷ ∂ŷ/∂z₃) ∂z₃/∂z₂) ∂z₂/∂z₁) ∂z₁/∂W⁽¹⁾"
    partials = [found.partial(regression.program, i) for i in range(5)]
    assert [one.symbol for one in partials][1:4] == ["∂ℓ/∂z₃", "∂ℓ/∂z₂", "∂ℓ/∂z₁"]
    assert [one.dims for one in partials] == [(1, 2), (1, 2), (1, 4), (1, 4), (1, 12)]


def test_the_loss_of_one_sample_is_that_of_a_batch_of_it(regression):
    yhat, y = regression.tensor("yhat"), regression.tensor("y")
    found = chain(primals_of(regression, 2), "loss", "yhat").jacobian()
    assert_allclose(found.to_dense(), [2 * (yhat[2] - y[2])])
    bce = session_at(load_experiment("classification-bce"))
    yhat, y = bce.tensor("yhat"), bce.tensor("y")
    found = chain(primals_of(bce, 1), "loss", "linear2.out").jacobian()
    assert_allclose(found.to_dense(), [(yhat[1] - y[1]) / 2])  # (ŷ − y)ᵀ / K


def test_a_forgotten_factor_does_not_conform(regression):
    found = chain(primals_of(regression, 0), "loss", "linear1.weight").without(2)
    assert not found.conforms()
    assert [gap.kind for gap in found.gaps()] == ["dims", "names"]
    assert "∂ŷ/∂z₃ and ∂z₂/∂z₁ do not conform: (2×2)(4×4)" in found.gaps()[0].message
    with pytest.raises(GradstepError, match=r"do not conform: \(2×2\)\(4×4\)"):
        found.jacobian()


def test_a_forgotten_factor_shows_by_its_names_where_the_sizes_agree(square):
    found = chain(primals_of(square, 0), "loss", "linear1.weight").without(2)
    assert found.conforms()
    (gap,) = found.gaps()
    assert (gap.kind, gap.index) == ("names", 1)
    assert gap.message.startswith("∂ŷ/∂z₃ ends at linear2.out, but ∂z₂/∂z₁ begins at sigmoid1.out")
    wrong = found.jacobian().to_dense()  # it can be multiplied, and it is wrong
    right = chain(primals_of(square, 0), "loss", "linear1.weight").jacobian().to_dense()
    assert not np.allclose(wrong, right)


@pytest.mark.parametrize(("index", "end"), [(0, "begins with ∂ŷ/∂z₃"), (4, "ends with ∂z₂/∂z₁")])
def test_a_chain_without_an_end(regression, index, end):
    found = chain(primals_of(regression, 0), "loss", "linear1.weight").without(index)
    assert [gap.kind for gap in found.gaps()] == ["end"]
    assert found.gaps()[0].message.startswith(end)


def test_a_factor_counted_twice(regression):
    found = chain(primals_of(regression, 0), "loss", "linear1.weight").doubled(3)
    assert found.conforms()
    assert [gap.kind for gap in found.gaps()] == ["names", "twice"]
    assert found.gaps()[1].message == "∂z₂/∂z₁ is counted twice"


@pytest.mark.parametrize(
    ("of", "wrt", "reason"),
    [
        ("linear1.out", "relu1.out", "z₁ is computed before z₂ comes in"),
        ("linear1.out", "linear2.weight", "z₁ is computed before W⁽²⁾ comes in"),
        ("relu1.out", "loss", "z₂ is computed before ℓ comes in"),
        ("yhat", "y", "only the loss reads it"),
        ("x", "linear1.weight", "x is given, not computed"),
        ("linear1.weight", "linear1.bias", "W⁽¹⁾ is given"),
    ],
)
def test_zero_says_why(regression, of, wrt, reason):
    found = chain(primals_of(regression), of, wrt)
    assert (found.jacobian().structure, found.jacobian().nonzeros) == ("zero", 0)
    assert reason in found.reason
    assert found.gaps() == []


@pytest.mark.parametrize("name", ["x", "loss", "linear1.weight", "yhat"])
def test_a_tensor_by_itself(regression, name):
    jacobian = chain(primals_of(regression, 0), name, name).jacobian()
    assert jacobian.structure == "identity"
    assert_allclose(jacobian.to_dense(), np.eye(jacobian.dims[0]))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("linear1.wieght", "did you mean 'linear1.weight'"),
        ("linear1.weight.grad", "ask for --of loss --wrt linear1.weight"),
        ("optimizer.lr", "takes no part in forward"),
        ("", "no tensor ''"),
    ],
)
def test_unknown_tensors(regression, name, said):
    with pytest.raises(GradstepError, match=said):
        chain(primals_of(regression), "loss", name)


def test_class_indices_have_no_derivative():
    session = session_of("iris")
    with pytest.raises(GradstepError, match="class indices"):
        chain(primals_of(session), "loss", "y")


def test_dimensions_first_values_on_demand():
    session = session_of("regression")
    found = chain(primals_of(session), "loss", "linear1.weight")
    assert found.dims == ((1, 8), (8, 8), (8, 16), (16, 16), (16, 12))
    assert found.jacobian().cost_full > 0
    with pytest.raises(GradstepError, match=r"\(identity1.out\) is not computed yet at i1:.*i1:l"):
        found.jacobian().entry(0, 0)


def test_in_the_next_iteration_old_activations_do_not_count():
    session = session_of("regression")
    session.goto(len(session.program.ops))
    assert session.tensor("relu1.out") is not None
    with pytest.raises(GradstepError, match=r"not computed yet at i2:.*go to i2:loss"):
        chain(primals_of(session), "relu1.out", "linear1.out").jacobian().entry(0, 0)


def test_update_does_not_change_the_chain():
    """W⁽¹⁾'s gradient takes the W⁽²⁾ of the forward pass, also when W⁽²⁾ has moved."""
    session = session_at(load_experiment("regression"))
    before = chain(primals_of(session), "loss", "linear1.weight").jacobian().to_dense()
    session.goto(session.program.ops[-1].index)
    (moved,) = session.event_at(session.event - 1).after
    assert session.tensor("linear2.weight") is moved
    after = chain(primals_of(session), "loss", "linear1.weight").jacobian().to_dense()
    np.testing.assert_array_equal(after, before)
    alone = Primals(session.program, session.tensors, session.event)
    session_weight = chain(alone, "linear2.out", "relu1.out").jacobian()
    with pytest.raises(GradstepError, match=r"W⁽²⁾ \(linear2.weight\) has moved .* i1:update"):
        session_weight.entry(0, 0)


@pytest.mark.parametrize("sample", [-1, 4])
def test_sample_out_of_range(regression, sample):
    with pytest.raises(GradstepError, match=f"no sample {sample}: this batch has 4, from 0 to 3"):
        primals_of(regression, sample)


@pytest.mark.parametrize("seed", range(3))
def test_association_against_every_bracketing(regression, seed):
    """The cheapest of all orders, found by trying all of them."""
    rng = np.random.default_rng(seed)
    links = [link.jacobian for link in chain(primals_of(regression), "loss", "x").factors]
    factors = [links[i] for i in sorted(rng.choice(len(links), 4, replace=False))]
    patterns = [factor.pattern for factor in factors]

    def cheapest(start, stop):
        if stop - start == 1:
            return 0, patterns[start]
        options = []
        for k in range(start + 1, stop):
            (a, left), (b, right) = cheapest(start, k), cheapest(k, stop)
            options.append((a + b + left.cost(right), left.times(right)))
        return min(options, key=lambda option: option[0])

    assert Association(patterns).costs[0, 4] == cheapest(0, 4)[0]


def test_the_cost_of_a_structured_product_counts_its_multiply_adds(regression):
    links = chain(primals_of(regression), "linear2.out", "linear1.out").factors
    weight, slope = (link.jacobian for link in links)
    a, b = (one.to_dense() for one in (weight, slope))
    pattern = (np.kron(np.eye(4), np.ones((2, 4))), np.eye(16))
    assert weight.pattern.cost(slope.pattern) == (pattern[0] @ pattern[1]).sum()
    assert_allclose(product([weight, slope]).to_dense(), a @ b)


def wide(samples=64, width=1024):
    layer = {"type": "linear", "out": width, "init": "zeros"}
    raw = {**SQUARE, "layers": [layer, {"type": "relu"}, layer, {"type": "linear", "out": 2}]}
    rng = np.random.default_rng(0)
    data = Dataset(rng.normal(size=(samples, 3)), rng.normal(size=(samples, 2)))
    return compile_program(read_experiment(raw, "wide"), data)


def test_a_window_of_a_wide_chain_takes_little_memory():
    session = Session(wide())
    session.goto(20)

    def work():
        found = chain(primals_of(session), "linear2.out", "linear1.weight").jacobian()
        return found, found.window(slice(30_000, 30_040), slice(2_000, 2_020))

    (found, window), peak = peak_of(work)
    assert found.dims == (64 * 1024, 3 * 1024)
    assert window.shape == (40, 20)
    assert peak < 2**22 < DENSE_LIMIT < found.dense_bytes


def test_many_rows_and_one_column_are_computed_from_the_column():
    session = Session(wide())
    session.goto(20)
    found = chain(primals_of(session), "linear2.out", "linear1.weight").jacobian()
    column, peak = peak_of(lambda: found.window(slice(None), slice(5, 6)))
    assert column.shape == (64 * 1024, 1)
    assert peak < 64 * column.nbytes / 2  # from the rows: 64 numbers for each of them


def test_only_what_links_rows_to_columns_is_looked_at():
    """Rows of sample 2, columns of unit 3: between them, z₁[2, 3] and z₂[2, 3] alone."""
    session = Session(wide())
    found = chain(primals_of(session), "linear2.out", "linear1.weight").jacobian()
    rows, cols = np.arange(2 * 1024, 2 * 1024 + 9), np.arange(9, 12)
    inner = found.between(rows, cols)[1:-1]
    assert [list(places) for places in inner] == [[2 * 1024 + 3], [2 * 1024 + 3]]


@pytest.mark.parametrize(
    ("of", "wrt", "structure", "nonzeros"),
    [
        ("linear2.out", "x", "block-diagonal", 4 * 2 * 3),
        ("yhat", "linear1.out", "block-diagonal", 4 * 2 * 4),
        ("relu1.out", "linear1.weight", "kronecker", 16 * 3),
        ("relu1.out", "linear1.bias", "kronecker", 16),
        ("linear2.out", "linear1.weight", "dense", 8 * 12),
        ("loss", "x", "dense", 12),
    ],
)
def test_structure_and_nonzeros_of_products(regression, of, wrt, structure, nonzeros):
    jacobian = chain(primals_of(regression), of, wrt).jacobian()
    assert (jacobian.structure, jacobian.nonzeros) == (structure, nonzeros)


def test_a_smaller_last_batch_has_its_own_sizes():
    raw = {**SQUARE, "data": {**SQUARE["data"], "batch_size": 2}}
    session = session_at(read_experiment(raw, "square"), "i2:update")
    found = chain(primals_of(session), "loss", "linear1.weight")
    assert found.dims == ((1, 2), (2, 2), (2, 2), (2, 2), (2, 6))
    pulled = found.jacobian().vjp(np.ones(()))
    assert_allclose(pulled, session.tensor("linear1.weight.grad"), atol=1e-15)
    with pytest.raises(GradstepError, match="no sample 1: this batch has 1, from 0 to 0"):
        primals_of(session, 1)


def test_an_empty_chain_has_no_ends():
    assert [gap.kind for gap in Chain("loss", "x", ()).gaps()] == ["end"]
