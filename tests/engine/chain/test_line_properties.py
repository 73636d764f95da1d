"""Random graphs of lines: every derivative against its paths, its products and differences."""

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from engine.chain.query import query
from tests.engine.chain.line_networks import Case, differences, session_of
from tests.engine.chain.products import multiplied

# What a line may do to tensors (3, 3), all smooth: a square one, so that any may meet any.
FORMS = (
    "tanh({a})",
    "{a} + {b}",
    "{a}*{b}",
    "{a} @ {b}",
    "{a} @ W.T + b",
    "transpose({a})*{b}",
    "softmax({a})",
    "{a} - mean({b}, axis=0)",
    "concat({a}[:, 1:], {b}[:, :1], axis=1)",
    "reshape(stack({a}, {b}, axis=1)[:, 1], 3, 3)",
    "pad({a}[:2, :2], ((1, 0), (0, 1)))",
    "sigmoid({a})*b",
)


@st.composite
def networks(draw) -> Case:
    """A few lines, each of tensors that are there before it."""
    names, lines = ["x", "W"], []
    for k in range(draw(st.integers(1, 5))):
        form = draw(st.sampled_from(FORMS))
        a, b = draw(st.sampled_from(names)), draw(st.sampled_from(names))
        lines.append(f"t{k} = {form.format(a=a, b=b)}")
        names.append(f"t{k}")
    lines.append(f"loss = mean(({names[-1]} - y)**2) + sum({draw(st.sampled_from(names))})")
    return Case("drawn", "\n".join(lines), {"W": (3, 3), "b": (3,)}, (3, 3), (3, 3))


@settings(max_examples=40, deadline=None)
@given(case=networks(), seed=st.integers(0, 2**16))
def test_every_derivative_of_a_random_graph(case, seed):
    session = session_of(case)
    rng = np.random.default_rng(seed)
    made = [line.split(" = ")[0] for line in case.lines.split("\n")]
    for of, wrt in itertools.product(made, ("x", "W", "b", *made)):
        found = query(session, of, wrt, None)
        jacobian = found.jacobian
        matrix = jacobian.to_dense()
        assert_allclose(matrix, differences(session, of, wrt), atol=1e-4, rtol=1e-3)
        assert_allclose(multiplied(found.chain), matrix, atol=1e-9)
        assert np.count_nonzero(matrix) <= jacobian.nonzeros
        v, u = rng.normal(size=jacobian.row_shape), rng.normal(size=jacobian.col_shape)
        assert_allclose(jacobian.vjp(v).reshape(-1), v.reshape(-1) @ matrix, atol=1e-9)
        assert_allclose(jacobian.jvp(u).reshape(-1), matrix @ u.reshape(-1), atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(case=networks(), sample=st.integers(0, 2))
def test_one_sample_of_a_random_graph_is_a_part_of_the_whole(case, sample):
    session = session_of(case)
    made = [line.split(" = ")[0] for line in case.lines.split("\n")][:-1]
    for of, wrt in itertools.product(made, ("x", "W", *made)):
        found = query(session, of, wrt, sample)
        whole = query(session, of, wrt, None).jacobian.to_dense()
        if found.primals.sample is not None:
            for axis, name in enumerate((of, wrt)):
                if session.program.tensors[name].per_sample:
                    size = whole.shape[axis] // 3
                    whole = whole.take(range(sample * size, (sample + 1) * size), axis)
        assert_allclose(found.jacobian.to_dense(), whole, atol=1e-12)
        assert_allclose(multiplied(found.chain), whole, atol=1e-9)
