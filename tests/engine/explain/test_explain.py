"""What is said of a number, by hand: its terms, its equation, what makes it NaN."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from engine.errors import GradstepError
from engine.explain.asked import explained_at
from engine.explain.explain import explain
from engine.explain.explanation import Explanation
from engine.explain.text import explanation_lines
from engine.session.session import Session
from tests.engine import line_networks
from tests.engine.lines.networks import network
from tests.engine.small_experiments import built_in, program

# A homework by hand: z = x Wᵀ + b of one sample, ReLU, ŷ = z W₂ᵀ + b₂, ℓ = Σ (ŷ − y)².
HOMEWORK = """
z1 = x @ W1.T + b1
z2 = relu(z1)
yhat = z2 @ W2.T + b2
loss = sum((yhat - y)**2)
"""
GIVEN: Mapping[str, Any] = {
    "x": [[0.5, -1.0, 2.0]],
    "y": [[1.0, 0.0]],
    "W1": [[1.0, 0.5, -0.25], [0.1, 0.3, 0.2]],
    "b1": [0.0, 0.05],
    "W2": [[2.0, -1.0], [0.5, 4.0]],
    "b2": [0.5, 0.0],
}


def homework() -> Session:
    """The homework before its first update."""
    made = network(HOMEWORK, None, **GIVEN)
    session = Session(made)
    session.goto(explained_at(made, "z1"))
    return session


def said(found: Explanation) -> list[str]:
    return list(explanation_lines(found))


def test_a_forward_number_with_its_values_put_in() -> None:
    # 0.05 − 0.3 + 0.4 + 0.05 = 0.2
    assert said(explain(homework(), "z1[0,1]"))[:7] == [
        "z1[0,1] = x[0,0]·W1[1,0] + x[0,1]·W1[1,1] + x[0,2]·W1[1,2] + b1[1]",
        "        = 0.5·0.1 + (−1)·0.3 + 2·0.2 + 0.05",
        "        = 0.2",
        "  x[0,0]·W1[1,0]  0.05",
        "  x[0,1]·W1[1,1]  −0.3",
        "  x[0,2]·W1[1,2]  0.4",
        "  b1[1]           0.05",
    ]


def test_the_documented_object() -> None:
    session = homework()
    found = explain(session, "z1[0,1]").as_json()
    documented = {
        "of": "z1[0,1]",
        "value": session.tensors["z1"][0, 1],
        "formula": "z1 = x @ W1.T + b1",
        "index_form": "z1[n,k] = Σⱼ x[n,j] W1[k,j] + b1[k]",
        "rest": 0.0,
        "event": 4,
    }
    assert {key: found[key] for key in documented} == documented
    assert found["terms"][0] == {
        "text": "x[0,0]·W1[1,0]",
        "factors": [{"of": "x[0,0]", "value": 0.5}, {"of": "W1[1,0]", "value": 0.1}],
        "value": 0.05,
    }
    assert len(found["terms"]) == 4


def test_the_loss_and_what_flows_back() -> None:
    session = homework()
    # z1 = (−0.5, 0.2), z2 = (0, 0.2), ŷ = (0.3, 0.8), ŷ − y = (−0.7, 0.8)
    assert said(explain(session, "loss"))[:3] == [
        "loss = (yhat[0,0] − y[0,0])² + (yhat[0,1] − y[0,1])²",
        "     = (0.3 − 1)² + (0.8 − 0)²",
        "     = 1.13  (1.1300000000000001)",
    ]
    assert said(explain(session, "yhat.grad[0,0]"))[:3] == [
        "yhat.grad[0,0] = 2·(yhat[0,0] − y[0,0])",
        "               = 2·(0.3 − 1)",
        "               = −1.4",
    ]
    assert said(explain(session, "z2.grad[0,1]"))[:3] == [
        "z2.grad[0,1] = ∂ℓ/∂yhat[0,0]·W2[0,1] + ∂ℓ/∂yhat[0,1]·W2[1,1]",
        "             = (−1.4)·(−1) + 1.6·4",
        "             = 7.8  (7.800000000000001)",
    ]
    assert said(explain(session, "z1.grad[0,0]"))[:3] == [
        "z1.grad[0,0] = ∂ℓ/∂z2[0,0]·[z1[0,0] > 0]",
        "             = (−2)·[(−0.5) > 0]",
        "             = 0",
    ]


def test_where_the_transpose_comes_from() -> None:
    found = explain(homework(), "W2.grad")
    assert found.index_form == "∂ℓ/∂W2[k,j] = Σₙ ∂ℓ/∂yhat[n,k] z2[n,j]"
    assert found.why == (
        "A matrix product sums over the last index of its left factor and the first index of its "
        "right one. n is the first index of ∂ℓ/∂yhat, which therefore stands transposed, and the "
        "first index of z2, which stands as it is: (∂ℓ/∂yhat)ᵀ z2."
    )
    assert (found.value, found.terms) == (None, ())


def test_an_update_and_its_operands() -> None:
    session = homework()
    session.goto(len(session.program.ops))
    assert said(explain(session, "b1[1]"))[:3] == [
        "b1[1] = b1[1] − η·∂ℓ/∂b1[1]",
        "      = 0.05 − 0.1·7.8",
        "      = −0.73  (−0.7300000000000001)",
    ]
    operand = explain(session, "b1[1]").terms[0].factors[0]
    assert operand.event is not None
    session.goto(operand.event)
    assert explain(session, operand.of).notes == (
        "the initial value of a parameter: nothing has moved it yet",
    )


def test_adam_is_made_of_its_moments() -> None:
    made = program(optimizer={"type": "adam", "lr": 0.1})
    session = Session(made)
    session.goto(2 * len(made.ops))
    found = explain(session, "linear1.weight[0,1]")
    assert [term.signed for term in found.terms] == [
        "W⁽¹⁾[0,1]",
        "−η·m̂[0,1]/(√v̂[0,1] + ε)",
    ]
    mean, square = found.parts
    assert (mean.of, square.of) == ("m̂[0,1]", "v̂[0,1]")
    kept = session.tensors["linear1.weight.exp_avg"][0, 1]
    assert mean.terms[0].factors[0].value == kept
    assert mean.value == pytest.approx(kept / (1 - 0.9**2), rel=1e-12)
    assert square.terms[0].text == "v(W⁽¹⁾)[0,1]/(1 − β₂^t(W⁽¹⁾))"
    slot = explain(session, "W1.exp_avg[0,1]")
    assert [term.text for term in slot.terms] == [
        "β₁·m(W⁽¹⁾)[0,1]",
        "(1 − β₁)·∂ℓ/∂W⁽¹⁾[0,1]",
    ]


def test_many_terms_are_shown_largest_first_and_the_rest_is_summed() -> None:
    session = Session(built_in("digits"))
    session.goto(explained_at(session.program, "z1"))
    found = explain(session, "z1[0,3]")
    sizes = [abs(term.value) for term in found.terms]
    assert len(sizes) == 8
    assert sizes == sorted(sizes, reverse=True)
    t = session.tensors
    every = [*(t["x"][0] * t["linear1.weight"][3]), t["linear1.bias"][3]]
    largest = sorted(map(abs, every), reverse=True)
    assert sizes == pytest.approx(largest[:8], rel=1e-6)
    assert found.hidden == len(every) - 8
    assert found.rest == pytest.approx(sum(every) - sum(t.value for t in found.terms), abs=1e-5)
    assert f" + {found.hidden} smaller terms" in said(found)[0].replace("−", "+")


def test_rounding_is_said() -> None:
    # The op adds in pairs, one after the other it is another number.
    x = [[0.8, 0.6, 0.5, 0.3, 0.3, 0.1, 0.1, 0.1]]
    made = network("loss = sum(x*w)", None, x=x, w=[1.0])
    session = Session(made)
    session.goto(explained_at(made, "loss"))
    found = explain(session, "loss")
    one_by_one = 0.0
    for value in x[0]:
        one_by_one += value
    assert found.total == one_by_one != np.sum(x) == found.value
    assert found.notes == (
        f"the terms add up to {one_by_one!r}, the number is {found.value!r}: rounding, "
        f"{abs(one_by_one - np.sum(x)):.6g}".replace("-", "−"),
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("z = log(x - 1)*w", "log(x[0,0] − 1) makes it so: log(−1 − 1) is NaN"),
        ("z = x*w/0.0", "x[0,0]·w[0]/0 makes it so: (−1)·2/0 is −∞"),
        (
            "z = (x*1e308*10) @ w",
            "x[0,0]·1e+308·10 makes it so: (−1)·1e+308·10 is −∞",
        ),
    ],
)
def test_what_makes_nan_or_an_infinity(line: str, said: str) -> None:
    made = network(f"{line}\nloss = sum(z)", None, x=[[-1.0]], w=[2.0])
    session = Session(made)
    session.goto(explained_at(made, "z"))
    value = session.tensors["z"].reshape(-1)[0]
    assert not np.isfinite(value)
    name = "z[0]" if session.tensors["z"].ndim == 1 else "z[0,0]"
    notes = explain(session, name).notes
    assert notes[-1] == said
    loss = explain(session, "loss").notes[-1]
    assert loss == f"{name} is {'NaN' if np.isnan(value) else '−∞'} already"


def test_the_longest_name_wins() -> None:
    made = line_networks.compiled(line_networks.text("recurrent"))
    session = Session(made)
    session.goto(explained_at(made, "loss"))
    assert explain(session, "h[2]").value is None
    found = explain(session, "h[2][0,1]")
    assert found.value == session.tensors["h[2]"][0, 1]
    assert found.terms[0].text == "tanh((x[:, 2] Wxᵀ)[0,1] + (h[1] Whᵀ)[0,1] + b[1])"
    assert [part.of for part in found.parts] == ["(x[:, 2] Wxᵀ)[0,1]", "(h[1] Whᵀ)[0,1]"]
    assert [term.text for term in found.parts[0].terms] == [
        "x[0,2,0]·Wx[1,0]",
        "x[0,2,1]·Wx[1,1]",
    ]


def test_a_number_set_by_hand_is_said_to_be() -> None:
    session = Session(built_in("regression"))
    session.goto(6)
    session.set("linear1.out", 5.0, (0, 1))
    found = explain(session, "z1[0,1]")
    assert (found.value, found.terms) == (5.0, ())
    assert found.notes[-1] == "set by hand: the op wrote 0.05"


def test_the_cursor_stays_and_the_past_is_the_branch_s_own() -> None:
    session = Session(built_in("regression"))
    session.goto(3)
    session.set("linear1.bias", 9.0, (1,))
    session.goto(60)
    before = {name: value.copy() for name, value in session.tensors.items()}
    found = explain(session, "b1[1]")
    assert session.event == 60
    assert all((session.tensors[name] == value).all() for name, value in before.items())
    assert found.event is not None
    session.goto(found.event)
    assert found.terms[0].value == session.tensors["linear1.bias"][1] > 5


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("q[0,1]", ["there is no tensor 'q'"]),
        ("z1[0]", ["linear1.out has shape (4, 4)", "2 indices"]),
        ("z1[0,4]", ["there is no index 4"]),
        ("z1[0,a]", ["there is no tensor"]),
        ("z1[0,-]", ["an index is whole numbers"]),
        ("z2[0,1]", ["relu1.out is not computed yet at i1:forward"]),
    ],
)
def test_what_is_refused(text: str, words: list[str]) -> None:
    session = Session(built_in("regression"))
    session.goto(5)
    with pytest.raises(GradstepError) as problem:
        explain(session, text)
    assert all(word in str(problem.value) for word in words), str(problem.value)


INDEX_FORMS = {
    ("mlp", "loss"): "ℓ = 1/48 Σₙ Σₖ (yhat[n,k] − y[n,k])²",
    ("mlp", "b1.grad"): "∂ℓ/∂b1[k] = Σₙ ∂ℓ/∂z1[n,k]",
    ("mlp", "a1.grad"): "∂ℓ/∂a1[n,k] = Σⱼ ∂ℓ/∂yhat[n,j] W2[j,k]",
    ("mlp", "z1.grad"): "∂ℓ/∂z1[n,k] = ∂ℓ/∂a1[n,k] (1 − a1[n,k]²)",
    ("sample", "W2.grad"): "∂ℓ/∂W2[k,j] = Σₙ ∂ℓ/∂yhat[n,k,0] z2[n,j,0]",
    ("classes", "loss"): "ℓ = 1/24 Σₙ (−(yhat[n,y[n]] − log(Σₖ exp(yhat[n,k]))))",
    ("classes", "yhat.grad"): (
        "∂ℓ/∂yhat[n,k] = 1/24 (exp(yhat[n,k]) / Σⱼ exp(yhat[n,j]) − [k = y[n]])"
    ),
    ("embedding", "emb"): "emb[n,k,j] = C[x[n,k],j]",
    ("embedding", "C.grad"): "∂ℓ/∂C[k,j] = Σₙ Σᵢ [x[n,i] = k] ∂ℓ/∂emb[n,i,j]",
    ("attention", "q"): "q[n,j,i] = Σₗ x[n,j,l] Q[i,l]",
}


@pytest.mark.parametrize(("name", "of"), INDEX_FORMS)
def test_the_equation_with_indices(name: str, of: str) -> None:
    made = line_networks.compiled(line_networks.text(name))
    session = Session(made)
    session.goto(explained_at(made, of))
    assert explain(session, of).index_form == INDEX_FORMS[name, of]


def test_a_convolution_with_indices() -> None:
    lines = "z = conv2d(x, K, stride=2, padding=1)\nloss = sum(z**2)"
    rng = np.random.default_rng(0)
    x, filters = rng.normal(size=(2, 1, 5, 5)), rng.normal(size=(3, 1, 3, 3))
    made = network(lines, None, x=x, K=filters)
    session = Session(made)
    session.goto(explained_at(made, "z"))
    form = "z[n,k,j,i] = Σₗ Σₘ x[n,0,2j+l−1,2i+m−1] K[k,0,l,m]"
    assert explain(session, "z").index_form == form
    found = explain(session, "z[1,2,1,1]")
    window = (x[1, 0, 1:4, 1:4] * filters[2, 0]).reshape(-1)
    shown = sorted(np.abs([term.value for term in found.terms]), reverse=True)
    assert shown == pytest.approx(sorted(np.abs(window), reverse=True)[:8], rel=1e-12)


def test_what_overflows_is_explained_without_a_warning():
    lines = "z = x @ W.T\nloss = mean((z - y)**2)"
    arrays = {"x": np.array([[1e308, 2.0]]), "y": np.array([[1.0]])}
    made = network(lines, None, W=np.array([[1e10, 1.0]]), **arrays)
    session = Session(made)
    session.goto(explained_at(made, "z"))
    found = explain(session, "z[0,0]")
    assert found.value == np.inf
    assert found.notes == ("x[0,0]·W[0,0] makes it so: 1e+308·1e+10 is ∞",)
