"""Formulas as answers: each verdict and mistake from an answer that earns it."""

import pytest

from engine.answers.grading import Grader
from engine.answers.handin import Answer, HandIn
from engine.answers.verdict import COLUMN, FLAT, ROW, TERM, TURNED, VECTOR_LOSS
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.toml_text import read_toml
from tests.engine.answers.graded import verdict, verdicts

CHAIN = "x * dl/dyhat * dyhat/dz3 * W2 * dz2/dz1"

RIGHT = [
    ("W1.grad", CHAIN),
    ("∂ℓ/∂W⁽¹⁾", "x · ∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁"),
    ("∂ℓ/∂W⁽¹⁾", r"x \frac{\partial \ell}{\partial \hat y} W^{(2)} \frac{\delta z_2}{\delta z_1}"),
    (r"\frac{\partial \ell}{\partial b^{(1)}}", "dl/dz2 dz2/dz1"),
    ("dL/dW1", "(∂z₂/∂z₁)ᵀ W⁽²⁾ᵀ (∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ xᵀ"),
    ("b2.grad", "dl/dyhat @ dyhat/dz3"),
    ("W2.grad", "relu(W1 x + b1) dl/dz3"),
    ("dl/dyhat", "2*(yhat - y).T"),
    ("∂ℓ/∂ŷ", "2(ŷᵢ − yᵢ)"),
    ("dz2/dz1", "1 if i = j and z1_i > 0, else 0"),
    ("dz2/dz1", "diag(𝟙[z₁ > 0])"),
    ("∂z₂/∂z₁", r"\begin{cases} 1 & i = j, z_{1,i} > 0 \\ 0 & \text{otherwise} \end{cases}"),
    ("∂z₂/∂z₁", "diag(f'(z1))"),
    ("dz2/dz1", "diag([z1 > 0])"),
    ("dz2/dz1", "[i = j] [z1_i > 0]"),
    ("dW2", "dz3 z2.T"),
    ("db1", "diag(f'(z1)) W2.T dyhat"),
    (r"\frac{\partial L}{\partial W^{[2]}}", r"z_2 \frac{\partial L}{\partial \mathbf{\hat{y}}}"),
    ("∂ℓ/∂W⁽²⁾ᵢⱼ", "2(ŷᵢ − yᵢ) z₂ⱼ"),
    ("dyhat/dz3", "I"),
    ("dyhat/dz3", "1 if i = j else 0"),
    ("dz3/dz2", "W_2"),
    ("z1", "W1 x + b1"),
    ("linear1.output", "W⁽¹⁾x + b⁽¹⁾"),
    ("relu1.input", "W1@x + b1"),
    ("relu1.output", "(W^{(1)}x + b^{(1)})^+"),
    ("loss.output", "‖W⁽²⁾(W⁽¹⁾x + b⁽¹⁾)⁺ + b⁽²⁾ − y‖²"),
    ("loss", "Σᵢ (ŷᵢ − yᵢ)²"),
    ("loss", "(yhat - y).T (yhat - y)"),
    ("loss.input", "y, ŷ"),
    ("shape(dz2/dz1)", "h×h"),
    ("shape(W1.grad)", "(n, h)"),
    ("shape(dl/dyhat)", "1 x K"),
    ("shape(b1)", [4]),
    ("steps", ["forward", "loss", "zero_grad", "backward", "update"]),
    ("steps", "zero_grad, forward, loss, backward, update"),
]


@pytest.mark.parametrize(("of", "said"), RIGHT)
def test_right(of: str, said: object) -> None:
    found = verdict("regression", of, said)
    assert (found.verdict, found.message) == ("right", "; ".join(found.notes))


WRONG = [
    ("W1.grad", "x * dl/dyhat * dyhat/dz3 * dz2/dz1", "wrong", "factor missing", "W⁽²⁾"),
    ("b1.grad", "dl/dyhat * dyhat/dz3 * dz2/dz1", "wrong", "factor missing", "W⁽²⁾"),
    ("W1.grad", "dl/dyhat * dyhat/dz3 * W2 * dz2/dz1", "wrong", "factor missing", "x"),
    ("W1.grad", f"{CHAIN} * dz2/dz1", "wrong", "factor twice", "∂z₂/∂z₁"),
    ("b1.grad", "dl/dyhat * W2 * W2.T * W2 * dz2/dz1", "wrong", None, None),
    ("W1.grad", "x * dl/dyhat * dyhat/dz3 * W2.T * dz2/dz1", "nearly", TURNED, "W⁽²⁾"),
    ("W2.grad", "dl/dyhat * dyhat/dz3 * z2", "wrong", "order of factors", None),
    ("W1.grad", f"2 * {CHAIN}", "nearly", "×2", None),
    ("W1.grad", f"0.5 * {CHAIN}", "nearly", "×½", None),
    ("W1.grad", f"-{CHAIN}", "nearly", "sign", None),
    ("W1.grad", f"1/K {CHAIN}", "nearly", "×1/K", None),
    ("dl/dyhat", "2*(yhat - y)", "nearly", COLUMN, None),
    ("dl/dyhat", "2*(y - yhat).T", "nearly", "sign", None),
    ("dyhat/dz3", "1", "wrong", FLAT, "∂ŷ/∂z₃"),
    ("dz2/dz1", "1 if z1 > 0 else 0", "wrong", FLAT, "∂z₂/∂z₁"),
    ("dz2/dz1", "1 if i = j and z1_i >= 0, else 0", "nearly", "at the kink", None),
    ("linear1.output", "W1.T x + b1", "wrong", TURNED, "W⁽¹⁾"),
    ("z1", "(W1 x + b1).T", "nearly", ROW, None),
    ("z3", "W2 z2", "wrong", TERM, "b⁽²⁾"),
    ("z3", "W2 z1 + b2", "wrong", "another tensor is meant", "z₂"),
    ("loss", "ŷ − y", "wrong", VECTOR_LOSS, None),
    ("loss", "1/K ‖ŷ − y‖²", "nearly", "×1/K", None),
    ("loss.input", "ŷ", "wrong", "inputs", None),
    ("shape(dl/dyhat)", "K×1", "nearly", COLUMN, None),
    ("shape(dz2/dz1)", "h×1", "wrong", "dimensions", None),
    ("shape(W1.grad)", "n×n", "wrong", "dimensions", None),
    ("W1.grad", "W1.grad", "wrong", "it says only what is asked for", None),
    ("W1.grad", "I * dl/dW1", "wrong", "it says only what is asked for", None),
    ("steps", "forward, zero_grad, loss, update, backward", "wrong", "the steps", None),
    ("steps", "forward, loss, backward, zero_grad, update", "wrong", "the steps", None),
    ("steps", "forward, loss, backward, update", "wrong", "the steps", None),
]


@pytest.mark.parametrize(("of", "said", "word", "reason", "factor"), WRONG)
def test_a_mistake_has_its_name(
    of: str, said: object, word: str, reason: str | None, factor: str | None
) -> None:
    found = verdict("regression", of, said)
    assert found.verdict == word
    if reason is not None:
        assert found.reason == reason
    assert factor is None or found.mistakes[0].factor == factor


UNREAD = [
    ("W1.grad", "x * foo", "does not know 'foo'", 4),
    ("foo.grad", "x", "'foo.grad': does not know 'foo'", 0),
    ("z1", "W1 (x", "( is never closed", 3),
    ("z1", "W1 x +", "ends where something is missing", 6),
    ("z1", r"W^{(1)} x + \mystery", r"does not know \mystery", 12),
    ("z1", "", "ends where something is missing", 0),
    ("steps", "forward, dance", "'dance' is none of the five steps", 0),
    ("shape(z1)", "very large", "'very large' is no size", 0),
    ("linear9.output", "x", "no layer and no line 'linear9'", 0),
]


@pytest.mark.parametrize(("of", "said", "message", "place"), UNREAD)
def test_what_cannot_be_read_says_where(of: str, said: str, message: str, place: int) -> None:
    found = verdict("regression", of, said)
    assert (found.verdict, found.message) == ("not understood", message)
    assert found.place == place


def test_the_layout_of_a_hand_in_is_that_of_its_products() -> None:
    column = {"dl/dyhat": "2*(yhat - y)"}
    turned = {"W1.grad": "(∂z₂/∂z₁)ᵀ W⁽²⁾ᵀ (∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ xᵀ"}
    assert verdicts("regression", {"W1.grad": CHAIN} | column)[1].reason == COLUMN
    assert [one.verdict for one in verdicts("regression", turned | column)] == ["right", "right"]
    found = verdicts("regression", {"W1.grad": CHAIN}, layout="gradient")
    assert (found[0].verdict, found[0].reason) == ("wrong", "another layout")


def test_a_derivative_counted_twice_shows_where_it_is_its_own_square() -> None:
    # The derivatives of ReLU and of the identity are their own squares: no number tells.
    found = verdict("regression", "b2.grad", "dl/dyhat * dyhat/dz3 * dyhat/dz3")
    assert (found.reason, found.mistakes[0].factor) == ("factor twice", "∂ŷ/∂z₃")
    inside = verdict("regression", "b1.grad", "dl/dyhat * W2 * dz2/dz1 * dz2/db1")
    assert inside.mistakes[0].detail == "once inside ∂z₂/∂b⁽¹⁾"


def test_two_mistakes_are_both_named() -> None:
    said = "dl/dyhat * dyhat/dz3 * dz2/dz1 * dz2/dW1"
    found = verdict("regression", "W1.grad", said)
    assert [(one.reason, one.factor) for one in found.mistakes] == [
        ("factor missing", "W⁽²⁾"),
        ("factor twice", "∂z₂/∂z₁"),
    ]
    assert found.dims == ((1, 2), (2, 2), (4, 4), (4, 12))


def test_formulas_of_the_batch_are_known_by_themselves() -> None:
    found = verdict("regression", "W2.grad", "(dl/dz3).T @ z2")
    assert (found.verdict, found.notes) == ("right", ("of the batch",))
    assert verdict("regression", "W2.grad", "dl/dz3.T @ z2", sample=0).verdict != "right"
    halved = verdict("regression", "W2.grad", "1/N dl/dz3.T @ z2", batch=True)
    assert (halved.verdict, halved.reason) == ("nearly", "×1/N")


SQUARE = """
[data]
x = [[0.5, -1.0]]
y = [[1.0, 0.0]]

[[layers]]
type = "linear"
out = 2

[[layers]]
type = "relu"

[[layers]]
type = "linear"
out = 2

[[layers]]
type = "identity"

[loss]
type = "mse"
reduction = "sum"

[optimizer]
type = "sgd"
lr = 0.1
"""


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("x * dl/dyhat * dyhat/dz3 * dz2/dz1", "factor missing"),
        ("x * dl/dyhat * dyhat/dz3 * W2.T * dz2/dz1", TURNED),
    ],
)
def test_where_all_sizes_are_the_same_every_product_conforms(said: str, reason: str) -> None:
    program = compile_program(read_experiment(read_toml(SQUARE), "square"))
    (found,) = Grader(program).grade(HandIn("square", (Answer("W1.grad", said),)))
    assert {size for one in found.dims for size in one} <= {1, 2}
    assert (found.reason, found.mistakes[0].factor) == (reason, "W⁽²⁾")


def test_sigma_and_bce() -> None:
    answers = {
        "dz2/dz1": "diag(z2 ⊙ (1 − z2))",
        "dyhat/dz3": "σ(z₃ᵢ)(1 − σ(z₃ᵢ)) if i = j else 0",
        "dl/dyhat": "(ŷᵢ − yᵢ) / (K ŷᵢ(1 − ŷᵢ))",
        "dl/dz3": "1/K (yhat - y).T",
        "loss": "1/K Σᵢ −[yᵢ log ŷᵢ + (1 − yᵢ) log(1 − ŷᵢ)]",
    }
    assert {one.verdict for one in verdicts("classification-bce", answers)} == {"right"}
    summed = verdict("classification-bce", "dl/dz3", "(yhat - y).T")
    assert (summed.verdict, summed.reason) == ("nearly", "×K")
    without = verdict("classification-bce", "b2.grad", "dl/dyhat")
    assert (without.reason, without.mistakes[0].factor) == ("factor missing", "∂ŷ/∂z₃")
