"""Hand-ins as people write them, in Markdown and LaTeX: all that is wrong is found, and no more."""

import sys

import pytest

from engine.answers.document import read_document
from engine.answers.expr import Unread
from engine.answers.handin import Answer, HandIn
from engine.answers.latex import flat_latex
from engine.answers.verdict import COLUMN, FLAT, ROW, TURNED, VECTOR_LOSS
from tests.engine.answers.graded import grader, of_file

pytest.importorskip("pylatexenc")

TURNED_ONLY = [TURNED]


def test_the_mistakes_of_a_published_solution_and_no_other() -> None:
    found = of_file("regression", "published_mistakes.md")
    reasons = {of: [one.reason for one in v.mistakes] for of, v in found.items()}
    assert reasons == {
        "steps": [],
        "Linear 1.input": [],
        "Linear 1.output": TURNED_ONLY,
        "f.input": TURNED_ONLY,
        "f.output": TURNED_ONLY,
        "Linear 2.input": [],
        "Linear 2.output": TURNED_ONLY,
        "g.input": TURNED_ONLY,
        "g.output": TURNED_ONLY,
        "Loss.input": TURNED_ONLY,
        "Loss.output": [TURNED, VECTOR_LOSS],
        "∂ℓ/∂W⁽²⁾": [],
        "∂ℓ/∂b⁽²⁾": [],
        "∂ℓ/∂W⁽¹⁾": ["factor missing", "factor twice"],
        "∂ℓ/∂b⁽¹⁾": ["factor missing", "factor twice"],
        "z₃": ["factor missing", "term missing"],
        "∂ℓ/∂ŷ": [TURNED, COLUMN],
        "∂z₂/∂z₁": [FLAT],
        "∂ŷ/∂z₃": [FLAT],
    }
    assert {v.verdict for v in found.values() if v.mistakes} == {"wrong"}
    assert {v.verdict for v in found.values() if not v.mistakes} == {"right"}


def test_what_is_right_with_good_will_has_a_note() -> None:
    found = of_file("regression", "published_mistakes.md")
    notes = ("a ∂ is missing: read as ∂ℓ/∂W⁽²⁾", "∂ŷ/∂W⁽²⁾ is not expanded")
    assert found["∂ℓ/∂W⁽²⁾"].notes == notes
    missing, twice = found["∂ℓ/∂W⁽¹⁾"].mistakes
    assert missing.text() == "factor missing: W⁽²⁾, between ∂ŷ/∂z₃ and ∂z₂/∂z₁"
    assert twice.text() == "factor twice: ∂z₂/∂z₁, once inside ∂z₂/∂W⁽¹⁾"


def test_a_hand_in_in_the_other_layout_is_right() -> None:
    found = of_file("regression", "gradient_layout.tex")
    assert len(found) == 18
    assert {one.verdict for one in found.values()} == {"right"}
    assert found["∂ℓ/∂W⁽¹⁾"].notes == ("in gradient layout",)


def test_columns_and_rows_mixed() -> None:
    found = of_file("regression", "column_row_mix.md")
    nearly = {of: one.reason for of, one in found.items() if one.verdict == "nearly"}
    assert nearly == {"∂ℓ/∂ŷ": COLUMN, "∂ℓ/∂z₂": COLUMN, "z₁": ROW}
    assert sum(one.right for one in found.values()) == len(found) - 3 == 6


def test_classification_with_bce() -> None:
    found = of_file("classification-bce", "bce.md")
    reasons = {of: v.reason for of, v in found.items() if not v.right}
    assert reasons == {
        "∂ℓ/∂z₃": "×K",
        "∂z₂/∂z₁": FLAT,
        "∂ℓ/∂b⁽¹⁾": "factor twice",
        "∂ℓ/∂b⁽²⁾": "factor missing",
    }
    assert found["Loss.output"].right


def test_prose_is_passed_over() -> None:
    text = r"""
Here $f(z) = z^2$ and, as everybody knows, $W = 3$ holds nowhere.

| a | b |
|---|---|
| 1 | 2 |

1. one
2. two
"""
    answers = tuple(read_document(text, ".md"))
    assert grader("regression").grade(HandIn("prose", answers)) == []


def test_an_equation_goes_on_in_the_next_line() -> None:
    text = "$$\n\\begin{aligned} z_1 &= W^{(1)} x \\\\ &\\quad + b^{(1)} \\end{aligned}\n$$"
    (found,) = read_document(text, ".md")
    assert (found.of, found.said, found.line) == ("z_1", "W^{(1)} x + b^{(1)}", 1)


def test_equalities_in_a_row_are_claims_each() -> None:
    found = read_document("z₁ = W⁽¹⁾x + b⁽¹⁾ = x", ".md")
    assert [(one.of, one.said) for one in found] == [("z₁", "W⁽¹⁾x + b⁽¹⁾"), ("z₁", "x")]


VARIANTS = r"""
$$\nabla_{W^{(1)}} \ell = x \frac{\partial \ell}{\partial z_1}$$

**∂ℓ/∂b⁽¹⁾** = ∂ℓ/∂ŷ ∂ŷ/∂z₃ W⁽²⁾ ∂z₂/∂z₁

- `dl/dW2 = z2 * dl/dyhat * dyhat/dz3`  (h×K)

$$\frac{d\ell}{d\hat{y}} = 2(\hat{y}-y)^T \in \mathbb{R}^{1 \times K}$$
$$\frac{\partial \hat{y}}{\partial z_3} = I_K$$
$$\left[\frac{\partial z_2}{\partial z_1}\right]_{ij} = \mathbb{1}\{i=j\}\,\mathbb{1}\{z_{1,i}>0\}$$
$$\frac{\partial z_{2,i}}{\partial z_{1,j}} =
\begin{cases}1 & i=j, z_{1,i}>0\\0 & \text{else}\end{cases}$$
"""


def test_ways_of_writing_the_same() -> None:
    found = grader("regression").grade(HandIn("many", tuple(read_document(VARIANTS, ".md"))))
    assert [(one.of, one.verdict) for one in found] == [
        ("∂ℓ/∂W⁽¹⁾", "right"),
        ("∂ℓ/∂b⁽¹⁾", "right"),
        ("∂ℓ/∂W⁽²⁾", "right"),
        ("shape(∂ℓ/∂W⁽²⁾)", "right"),
        ("∂ℓ/∂ŷ", "right"),
        ("shape(∂ℓ/∂ŷ)", "right"),
        ("∂ŷ/∂z₃", "right"),
        ("∂z₂/∂z₁", "right"),
        ("∂z₂/∂z₁", "right"),
    ]


TABLE = r"""
| Layer | Input | Output |
|---|---|---|
| Linear1 | x | W1 x + b1 |
| ReLU | z1 | max(0, z1) |
| Identity | z3 | z3 |
| MSE Loss | yhat, y | \|\|yhat - y\|\|^2 |

1. `optimizer.zero_grad()`
2. `y_hat = model(x)`
3. `loss = criterion(y_hat, y)`
4. `loss.backward()`
5. `optimizer.step()`
"""


def test_a_table_in_plain_text_and_steps_as_code() -> None:
    found = grader("regression").grade(HandIn("plain", tuple(read_document(TABLE, ".md"))))
    assert [one.verdict for one in found] == ["right"] * 9
    assert found[-2].question == "loss.output"


def test_matrices_of_numbers() -> None:
    text = r"""
$$\frac{\partial \hat y}{\partial z_3} = \begin{pmatrix} 1 & 0 \\ 0 & 1 \end{pmatrix}$$
∂ℓ/∂ŷ = [−1.0, −0.36]
∂z₂/∂z₁ = [[1, 0], [0, 1]]
"""
    found = grader("regression").grade(HandIn("numbers", tuple(read_document(text, ".md"))))
    assert [one.verdict for one in found] == ["right", "right", "wrong"]
    assert found[2].mistakes[0].text() == "dimensions: 2×2, where it is 4×4"


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylatexenc.latexwalker", None)
    found = grader("regression").grade(HandIn("a", (Answer("z1", r"W^{(1)} x"),)))[0]
    assert found.verdict == "not understood"
    assert "gradstep[latex]" in found.message


LATEX = [
    (r"\frac{\partial \ell}{\partial \hat y}", "{∂ ℓ}⁄{∂ yhat }"),
    (r"W^{(1)\top} x", "W^{(1)}^{ᵀ} x"),
    (r"\left(z\right)^+", " (z )^+"),
    (r"\mathrm{diag}(z \odot z)", " diag (z ⊙ z)"),
    (
        r"\begin{cases} 1 & z > 0 \\ 0 & \text{otherwise} \end{cases}",
        "{ 1 if  z > 0 ;  0  otherwise}",
    ),
    (r"a \hspace{1em} b % nothing", "a   b  "),
]


@pytest.mark.parametrize(("source", "text"), LATEX)
def test_latex_becomes_text(source: str, text: str) -> None:
    assert "".join(flat_latex(source).text.split()) == "".join(text.split())


def test_every_character_knows_its_place() -> None:
    source = r"\frac{a}{\sigma}"
    flat = flat_latex(source)
    assert source[flat.places[flat.text.index("σ")] :].startswith(r"\sigma")


@pytest.mark.parametrize(
    ("source", "message"),
    [(r"x + \foo{y}", r"does not know \foo"), (r"\frac{1}{", "is no LaTeX"), ("{" * 40, "groups")],
)
def test_latex_that_means_nothing(source: str, message: str) -> None:
    with pytest.raises(Unread, match=message.replace("\\", r"\\")):
        flat_latex(source)
