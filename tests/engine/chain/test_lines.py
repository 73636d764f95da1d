"""Jacobians of networks of lines, against central differences, PyTorch and each other."""

import itertools
from functools import lru_cache
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from engine.chain.line_graph import Ways
from engine.chain.primals import Primals, primals_of
from engine.chain.query import query
from engine.chain.sums import MOST_PATHS
from engine.errors import GradstepError
from engine.jacobian.operator import Layout
from engine.session.session import Session
from tests.engine.chain.line_networks import (
    CASES,
    Case,
    dense,
    differences,
    real_tensors,
    session_of,
)
from tests.engine.chain.products import multiplied

NAMES = [case.name for case in CASES]
BY_NAME = {case.name: case for case in CASES}


@pytest.fixture(scope="module", params=CASES, ids=NAMES)
def session(request) -> Session:
    return session_of(request.param)


@lru_cache(maxsize=4)
def at(session: Session, sample: int | None = None) -> Primals:
    """The primals where a session stands: the same ones each time, so that edges are met once."""
    return primals_of(session, sample)


def pairs(session: Session):
    return itertools.product(real_tensors(session), real_tensors(session))


def test_every_pair_is_what_central_differences_give(session):
    for of, wrt in pairs(session):
        expected = differences(session, of, wrt)
        assert_allclose(
            dense(at(session), of, wrt), expected, atol=2e-5, rtol=1e-4, err_msg=f"{of} {wrt}"
        )


def test_vjp_and_jvp_are_transposes_of_each_other(session):
    rng = np.random.default_rng(1)
    for of, wrt in pairs(session):
        jacobian = query(at(session), of, wrt).jacobian
        v, u = rng.normal(size=jacobian.row_shape), rng.normal(size=jacobian.col_shape)
        assert_allclose((jacobian.vjp(v) * u).sum(), (v * jacobian.jvp(u)).sum(), atol=1e-9)


def test_nothing_outside_the_structure_is_ever_non_zero(session):
    rng = np.random.default_rng(2)
    for of, wrt in pairs(session):
        jacobian = query(at(session), of, wrt).jacobian
        rows, cols = jacobian.dims
        plain = np.array([jacobian.vjp(row).reshape(-1) for row in np.eye(rows)])
        assert_allclose(jacobian.to_dense(), plain, atol=1e-12, err_msg=f"{of} {wrt}")
        assert np.count_nonzero(plain) <= jacobian.nonzeros <= rows * cols
        some = rng.permutation(rows)[: max(1, rows // 2)]
        outside = np.setdiff1d(np.arange(cols), jacobian.touched_cols(some))
        assert not plain[np.ix_(some, outside)].any()
        some = rng.permutation(cols)[: max(1, cols // 2)]
        outside = np.setdiff1d(np.arange(rows), jacobian.touched_rows(some))
        assert not plain[np.ix_(outside, some)].any()


def test_windows_and_products_of_submatrices_are_parts_of_the_whole(session):
    rng = np.random.default_rng(3)
    for of, wrt in pairs(session):
        jacobian = query(at(session), of, wrt).jacobian
        whole = jacobian.to_dense()
        rows, cols = (np.sort(rng.permutation(n)[: n // 2 + 1]) for n in jacobian.dims)
        part = whole[np.ix_(rows, cols)]
        assert_allclose(jacobian.gather(rows, cols), part, atol=1e-12)
        v, u = rng.normal(size=(2, len(rows))), rng.normal(size=(2, len(cols)))
        assert_allclose(jacobian.left(v, rows, cols), v @ part, atol=1e-12)
        assert_allclose(jacobian.right(u, rows, cols), u @ part.T, atol=1e-12)


@pytest.mark.parametrize("sample", [None, 1])
def test_the_sum_over_the_paths_is_what_is_accumulated(session, sample):
    for of, wrt in pairs(session):
        found = query(at(session, sample), of, wrt)
        assert found.chain.gaps() == []
        assert_allclose(multiplied(found.chain), found.jacobian.to_dense(), atol=1e-9)


def test_one_sample_is_its_rows_and_columns(session):
    tensors = session.program.tensors
    for of, wrt in pairs(session):
        found = query(at(session, 1), of, wrt)
        if found.primals.sample is None or of == "loss":
            continue  # of the loss a parameter has the share of this sample alone
        shapes = [session.state.tensors[name].shape for name in (of, wrt)]
        places = []
        for name, shape in zip((of, wrt), shapes, strict=True):
            grid = np.arange(np.prod(shape, dtype=int)).reshape(shape)
            places.append((grid[1] if tensors[name].per_sample else grid).reshape(-1))
        expected = dense(at(session), of, wrt)[np.ix_(*places)]
        assert_allclose(found.jacobian.to_dense(), expected, atol=1e-12, err_msg=f"{of} {wrt}")


def test_the_shares_of_the_samples_add_up_to_the_gradient():
    session = session_of(BY_NAME["homework, columns"])
    for wrt in ("W1", "b2"):
        shares = [query(session, "loss", wrt, i).jacobian.to_dense() for i in range(3)]
        assert_allclose(sum(shares), session.state.tensors[f"{wrt}.grad"].reshape(1, -1))


def test_every_gradient_of_backward_is_the_jacobian_of_the_loss(session):
    for name in real_tensors(session):
        known = session.state.tensors.get(f"{name}.grad")
        if known is not None:
            assert_allclose(dense(at(session), "loss", name), known.reshape(1, -1), atol=1e-10)


# -- PyTorch


def torch_words(torch):
    """The words of the lines as PyTorch has them."""

    def where_axis(function):
        def run(z, axis=None, keepdims=False):
            if axis is None:
                return function(z)
            return function(z, dim=axis, keepdim=keepdims)

        return run

    return {
        "sigmoid": torch.sigmoid, "tanh": torch.tanh, "sqrt": lambda a: a**0.5,
        "mean": where_axis(torch.mean), "sum": where_axis(torch.sum),
        "softmax": lambda z, axis=-1: torch.softmax(z, dim=axis),
        "log_softmax": lambda z: torch.log_softmax(z, dim=-1),
        "zeros": lambda *s: torch.zeros(*s, dtype=torch.float64),
        "reshape": lambda z, *s: z.reshape(s),
    }  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["gated rnn", "rnn", "batch norm", "attention", "residual", "shared weights", "embedding"],
)
def test_jacobians_are_those_of_pytorch(name):
    torch = pytest.importorskip("torch")
    case, session = BY_NAME[name], session_of(BY_NAME[name])
    given = {
        key: torch.tensor(np.array(session.state.tensors[key]))
        for key in (*case.parameters, "x", "y")
    }
    held = {"N": len(given["x"]), **case.extra.get("constants", {})}
    last = {"gated rnn": "h[2]", "embedding": "logp"}.get(name, "yhat")
    for of, wrt in itertools.product(("loss", last), case.parameters):

        def computed(value, of=of, wrt=wrt):
            space = {**torch_words(torch), **given, **held, "h": {}, "c": {}}
            space[wrt] = value
            # The lines are Python: PyTorch runs them as they are.
            exec(case.lines, space)
            return eval(of, space)

        expected = torch.autograd.functional.jacobian(computed, given[wrt])
        rows = expected.reshape(-1, given[wrt].numel()).numpy()
        assert_allclose(dense(session, of, wrt), rows, atol=1e-10, err_msg=f"{of} {wrt}")


# -- structures

LINE = """
z = x @ W.T + b
a = tanh(z)
t = transpose(x)
q = reshape(x, 4, 3)
i = x[:, 1:3]
s = softmax(a)
m = mean(x, axis=0)
f = transpose(tanh(x))
u = concat(x, x, axis=1)
w = x + transpose(q)
e = C[ix]
k = 2*x
yhat = s @ V.T
moved = sum(t*t) + sum(q*q) + sum(i) + sum(m) + sum(f) + sum(u) + sum(w) + sum(e) + sum(k)
loss = mean((yhat - y)**2) + moved
"""
STRUCTURES = [
    ("x", "x", "identity", 12),
    ("z", "x", "block-diagonal", 60),
    ("z", "W", "kronecker", 60),
    ("z", "b", "kronecker", 15),
    ("a", "z", "diagonal", 15),
    ("a", "x", "block-diagonal", 60),
    ("t", "x", "permutation", 12),
    ("f", "x", "permutation", 12),
    ("q", "x", "identity", 12),
    ("k", "x", "diagonal", 12),
    ("i", "x", "selection", 6),
    ("u", "x", "block-diagonal", 24),
    ("s", "a", "block-diagonal", 75),
    ("s", "W", "dense", 300),
    ("m", "x", "kronecker", 12),
    ("w", "x", "dense", 12 + 12 - 2),
    ("e", "C", "selection", 8),
    ("yhat", "s", "block-diagonal", 30),
    ("yhat", "x", "block-diagonal", 24),
    ("W", "x", "zero", 0),
    ("loss", "yhat", "dense", 6),
]


@pytest.fixture(scope="module")
def structured() -> Session:
    case = Case(
        "structures",
        LINE,
        {"W": (5, 4), "b": (5,), "V": (2, 5), "C": (6, 2)},
        extra={"constants": {"ix": [[1, 4], [0, 5]]}},
    )
    return session_of(case)


@pytest.mark.parametrize(("of", "wrt", "structure", "count"), STRUCTURES)
def test_structures_are_recognized_and_their_non_zeros_counted(
    structured, of, wrt, structure, count
):
    jacobian = query(structured, of, wrt, None).jacobian
    assert (jacobian.structure, jacobian.nonzeros) == (structure, count)
    assert np.count_nonzero(jacobian.to_dense()) == count


def test_sizes_and_structure_need_no_values(structured):
    start = Session(structured.program)
    found = query(start, "s", "W")
    assert (found.dims, found.jacobian.structure) == ((5, 20), "dense")
    with pytest.raises(GradstepError, match=r"is not computed yet"):
        found.corner()


# -- paths


def test_three_uses_of_a_weight_are_three_paths():
    found = query(session_of(BY_NAME["rnn"]), "loss", "Wh")
    named = [[factor.symbol for factor in path.factors] for path in found.chain.paths]
    head = ["∂ℓ/∂yhat", "∂yhat/∂h[2]"]
    assert sorted(named, key=len) == [
        [*head, "∂h[2]/∂Wh"],
        [*head, "∂h[2]/∂h[1]", "∂h[1]/∂Wh"],
        [*head, "∂h[2]/∂h[1]", "∂h[1]/∂h[0]", "∂h[0]/∂Wh"],
    ]


def test_a_skip_connection_is_a_product_plus_an_identity():
    session = session_of(BY_NAME["residual"])
    found = query(session, "r", "x")
    assert [path.dims for path in found.chain.paths] == [((4, 4), (4, 4)), ((4, 4),)]
    (skip,) = found.chain.paths[1].factors
    assert skip.structure == "identity"


def doubling(depth: int) -> Session:
    """Each line adds a branch to the one before: 2ⁿ paths."""
    lines = ["h[0] = x @ W.T"]
    lines += [f"h[{k}] = h[{k - 1}] + tanh(h[{k - 1}])" for k in range(1, depth + 1)]
    lines += [f"a[{k}] = h[{k - 1}]*sigmoid(h[{k}])" for k in range(1, depth + 1)]
    lines += [f"loss = mean((h[{depth}] - y)**2) + sum(a[{depth}])"]
    return session_of(Case("doubling", "\n".join(lines), {"W": (2, 4)}))


def braid(depth: int) -> Session:
    """Two strands that cross at every line: 2ⁿ paths that never meet before the end."""
    lines = ["a[0] = x @ W.T", "b[0] = x @ V.T"]
    for k in range(1, depth + 1):
        lines += [f"a[{k}] = tanh(a[{k - 1}] + b[{k - 1}])", f"b[{k}] = a[{k - 1}]*b[{k - 1}]"]
    lines += [f"yhat = a[{depth}] + b[{depth}]", "loss = mean((yhat - y)**2)"]
    return session_of(Case("braid", "\n".join(lines), {"W": (2, 4), "V": (2, 4)}))


def test_many_paths_are_folded_where_they_meet():
    lines = ["h[0] = x @ W.T"]
    for k in range(1, 6):
        lines += [f"t[{k}] = tanh(h[{k - 1}])", f"h[{k}] = h[{k - 1}] + t[{k}]"]
    lines += ["loss = mean((h[5] - y)**2)"]
    session = session_of(Case("folded", "\n".join(lines), {"W": (2, 4)}))
    found = query(session, "loss", "x")
    assert found.chain.paths == ()
    assert [factor.symbol for factor in found.chain.factors] == [
        "∂ℓ/∂h[5]", "dh[5]/dh[4]", "dh[4]/dh[3]", "dh[3]/dh[2]", "dh[2]/dh[1]", "dh[1]/dh[0]",
        "∂h[0]/∂x",
    ]  # fmt: skip
    assert [len(factor.terms) for factor in found.chain.factors] == [0, 2, 2, 2, 2, 2, 0]
    assert_allclose(multiplied(found.chain), found.jacobian.to_dense())


def test_paths_are_counted_and_never_enumerated(monkeypatch):
    session = braid(60)

    def refused(self):
        raise AssertionError("enumerated")

    monkeypatch.setattr(Ways, "paths", refused)
    found = query(session, "loss", "x")
    (bracket,) = (factor for factor in found.chain.factors if factor.count > 1)
    assert bracket.count == 2**61
    assert_allclose(found.jacobian.vjp(np.ones(())), share(session, 0), atol=1e-12)


def share(session: Session, sample: int):
    """The gradient of the loss by one row of x, by central differences."""
    return differences(session, "loss", "x").reshape(3, 4)[sample]


def test_too_many_paths_are_a_sum_over_the_uses():
    session = doubling(1)
    assert len(query(session, "loss", "W").chain.paths) <= MOST_PATHS
    case = BY_NAME["rnn"]
    lines = case.lines.replace("+ b)", "+ b)*sigmoid(h[t-1]) + h[t-1]").replace(
        "range(3)", "range(4)"
    )
    lines = lines.replace("h[2] @", "(h[1]*h[2]*h[3]) @")
    deep = session_of(Case("uses", lines, case.parameters, (3, 4, 2), case.y))
    found = query(deep, "yhat", "Wh")
    (factor,) = found.chain.factors
    assert factor.count > MOST_PATHS
    assert [path.factors[-1].symbol for path in factor.terms] == [
        "∂h[3]/∂Wh", "∂h[2]/∂Wh", "∂h[1]/∂Wh", "∂h[0]/∂Wh"
    ]  # fmt: skip
    assert_allclose(multiplied(found.chain), found.jacobian.to_dense(), atol=1e-10)


# -- samples


def test_a_line_that_mixes_the_samples_shows_the_whole_batch():
    session = session_of(BY_NAME["batch norm"])
    found = query(session, "yhat", "W")
    assert found.primals.sample is None
    assert found.note == "the whole batch is shown: mu mixes the samples"
    assert found.dims == (6, 8)
    alone = query(session, "yhat", "n")
    assert (alone.note, alone.dims, alone.jacobian.structure) == ("", (2, 2), "diagonal")


def test_samples_of_lines_of_one_sample_are_columns():
    session = session_of(BY_NAME["homework, columns"])
    found = query(session, "z2", "z1", 2)
    assert (found.row_shape, found.col_shape) == ((3, 1), (3, 1))
    assert query(session, "z1", "W1").jacobian.structure == "kronecker"
    gradient = query(session, "loss", "W1", layout=Layout.GRADIENT)
    assert (gradient.dims, gradient.matrix_dims) == ((12, 1), (3, 4))
    assert query(session, "loss", "W1").matrix_dims == (4, 3)


# -- words


def test_json_has_a_list_of_chains_for_a_sum():
    found = query(session_of(BY_NAME["rnn"]), "h[1]", "b")
    result = found.as_json(found.corner())
    assert result["dims"] == [3, 3]
    assert result["chain"] == [
        {"factor": "∂h[1]/∂b", "dims": [3, 3], "structure": "dense", "count": 2}
    ]
    identity = {"dims": [3, 3], "structure": "diagonal"}
    assert result["paths"] == [
        [
            {"factor": "∂h[1]/∂h[0]", "dims": [3, 3], "structure": "dense"},
            {"factor": "∂h[0]/∂b", **identity},
        ],
        [{"factor": "∂h[1]/∂b", **identity}],
    ]


def test_what_cannot_be_asked_says_what_can():
    session = session_of(BY_NAME["embedding"])
    for of, wrt, message in (
        ("loss", "x", "x holds whole numbers, and nothing has a derivative by these"),
        ("loss", "y", "y holds class indices, and nothing has a derivative by these"),
        ("W.grad", "x", "W.grad is a gradient, ∂ℓ/∂W: ask for --of loss --wrt W"),
        ("hh", "W", r"no tensor 'hh'; did you mean 'h'\?"),
    ):
        with pytest.raises(GradstepError, match=message):
            query(session, of, wrt)
    assert query(session, "W", "h").chain.reason == (
        "W is given, not computed: it depends on no other tensor"
    )
    assert query(session, "emb", "h").chain.reason == (
        "emb is computed before h comes in: the other way round?"
    )
    assert query(session, "h", "V").chain.reason == (
        "h does not depend on V: no line on the way reads it"
    )


def test_the_batch_may_be_shorter_than_a_full_one():
    case = BY_NAME["residual"]
    raw = case.experiment()
    raw["data"]["batch_size"] = 2
    found = SimpleNamespace(case=case, raw=raw)
    from engine.experiment.reader import read_experiment
    from engine.program.compiler import compile_program

    session = Session(compile_program(read_experiment(found.raw, "short")))
    session.goto(2 * len(session.program.ops) - len(case.parameters))
    assert len(session.state.tensors["x"]) == 1
    assert_allclose(dense(session, "yhat", "W1"), differences(session, "yhat", "W1"), atol=1e-6)
