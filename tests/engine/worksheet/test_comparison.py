"""What changes between two experiments: the homework's answers 1.3 (a), (b) and (c)."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine.measure.norms import gradient_norms
from engine.program.program import Program
from engine.session.session import Session
from engine.worksheet.comparison import Change, Comparison, compare
from engine.worksheet.comparison_json import comparison_json
from engine.worksheet.latex import comparison_latex
from engine.worksheet.markdown import comparison_markdown
from tests.engine.small_experiments import built_in
from tests.engine.small_experiments import program as small_program

SAME, MEANING, CHANGED = Change.SAME, Change.MEANING, Change.CHANGED


def between(left: str, right: str) -> Comparison:
    return compare(built_in(left), built_in(right))


def summaries(found: Comparison) -> list[str]:
    return [table.summary for table in found.tables]


def marks(found: Comparison, letter: str) -> dict[str, list[str]]:
    """The heads of the changed cells of every changed row of a table."""
    (table,) = (table for table in found.tables if table.letter == letter)
    return {
        row.name.text: [cell.head for cell in row.cells if cell.change]
        for row in table.rows
        if row.change
    }


def test_regression_to_classification() -> None:
    found = between("regression", "classification-mse")
    assert summaries(found) == [
        "(a) forward changes",
        "(b) the rows of relu1 → sigmoid1, linear2, identity1 → sigmoid2 and loss change",
        "(c) the products stay; z₂ in the row of W⁽²⁾ is σ(W⁽¹⁾x + b⁽¹⁾) "
        "instead of (W⁽¹⁾x + b⁽¹⁾)⁺",
        "(d) ∂ŷ/∂z₃ and ∂z₂/∂z₁ change; ∂ℓ/∂ŷ and ∂z₃/∂z₂ stay",
    ]
    assert marks(found, "b") == {
        "relu1 → sigmoid1": ["output"],
        "linear2": ["input", "output"],
        "identity1 → sigmoid2": ["input", "output"],
        "loss": ["input", "output"],
    }
    (gradients,) = (table for table in found.tables if table.letter == "c")
    assert [row.change for row in gradients.rows] == [SAME, SAME, MEANING, SAME]


def test_squared_error_to_cross_entropy() -> None:
    found = between("classification-mse", "classification-bce")
    assert summaries(found) == [
        "(a) loss changes",
        "(b) the loss row changes, nothing else",
        "(c) nothing changes",
        "(d) ∂ℓ/∂ŷ changes; ∂ŷ/∂z₃, ∂z₃/∂z₂ and ∂z₂/∂z₁ stay",
    ]
    assert marks(found, "a") == {"3 loss": ["mathematics"]}
    assert marks(found, "b") == {"loss": ["output"]}
    assert marks(found, "c") == {}
    assert marks(found, "d") == {"(∂ℓ/∂ŷ)ᵢ": ["rule"]}
    (cell,) = (
        c for t in found.tables for r in t.rows for c in r.cells if c.head == "rule" and c.change
    )
    assert (cell.left.text, cell.right.text) == ("2(ŷᵢ − yᵢ)", "(ŷᵢ − yᵢ) / (K ŷᵢ(1 − ŷᵢ))")
    (remark,) = found.remarks
    assert remark.text.startswith("classification-bce: ∂ℓ/∂z₃ = ∂ℓ/∂ŷ · ∂ŷ/∂z₃ = (ŷ − y)ᵀ / K")


def test_deep_sigmoid_to_deep_relu() -> None:
    found = between("deep-sigmoid", "deep-relu")
    assert found.tables[2].summary.startswith("(c) the products stay; z₂, z₄, z₆ and 6 more")
    assert {row.change for row in found.tables[2].rows} == {SAME, MEANING}
    changed = marks(found, "d")
    assert list(changed) == [f"∂z{s}/∂z{t}" for s, t in ACTIVATIONS]
    assert found.norms is not None
    assert len(found.norms.rows) == 10
    vanishing, healthy = found.norms.overall
    assert vanishing is not None
    assert healthy is not None
    assert vanishing < 1e-5
    assert healthy > 0.1


SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
ACTIVATIONS = [
    (str(k).translate(SUBSCRIPTS), str(k - 1).translate(SUBSCRIPTS)) for k in range(18, 0, -2)
]


def test_cells_written_the_same_may_mean_something_else() -> None:
    found = between("deep-sigmoid", "deep-relu")
    rows = {row.name.text: row for row in found.tables[1].rows}
    cells = {cell.head: cell for cell in rows["linear8"].cells}
    assert cells["output"].left.text == cells["output"].right.text == "z₁₅ = W⁽⁸⁾z₁₄ + b⁽⁸⁾"
    assert cells["output"].change == MEANING
    assert {cell.change for cell in rows["linear1"].cells} == {SAME}


@pytest.mark.parametrize("name", ["regression", "iris", "deep-relu", "bug-double-softmax"])
def test_nothing_changes_from_an_experiment_to_itself(name: str) -> None:
    found = between(name, name)
    assert summaries(found) == [f"({letter}) nothing changes" for letter in "abcd"]
    assert found.changes == {SAME}


def test_numbers_are_no_change() -> None:
    a = small_program()
    b = small_program(seed=7, optimizer={"type": "sgd", "lr": 0.9})
    assert compare(a, b).changes == {SAME}


def test_another_name_is_no_change() -> None:
    layers: list[dict[str, Any]] = [
        {"type": "linear", "out": 3, "name": "first"},
        {"type": "tanh", "name": "bend"},
        {"type": "linear", "out": 1, "name": "second"},
    ]
    assert compare(small_program(), small_program(layers=layers)).changes == {SAME}


@pytest.mark.parametrize("layer", ["leaky_relu", "elu"])
def test_a_setting_of_a_layer_is_a_change(layer: str) -> None:
    key = {"leaky_relu": "negative_slope", "elu": "alpha"}[layer]

    def with_setting(value: float) -> Program:
        linear = {"type": "linear", "out": 1}
        return small_program(layers=[linear, {"type": layer, key: value}, linear])

    found = compare(with_setting(0.1), with_setting(0.3))
    assert marks(found, "d") == {"∂z₂/∂z₁": ["rule"]}
    assert marks(found, "b")[f"{layer}1"] == ["output"]


def test_steps_in_another_order_and_skipped_steps() -> None:
    order = ["forward", "loss", "zero_grad", "backward", "update"]
    found = compare(small_program(), small_program(training={"order": order}))
    assert found.tables[0].summary == "(a) the order of the steps changes"
    found = compare(small_program(), small_program(training={"skip": ["zero_grad"]}))
    assert found.tables[0].summary == "(a) zero_grad changes"


def test_a_layer_that_is_in_one_network_only() -> None:
    linear = {"type": "linear", "out": 1}
    a = small_program(layers=[linear, {"type": "relu"}, linear])
    b = small_program(layers=[linear, {"type": "relu"}, {"type": "tanh"}, linear])
    found = compare(a, b)
    rows = {row.name.text: row for row in found.tables[1].rows}
    assert [cell.left.text for cell in rows["— → tanh1"].cells] == ["—"] * 4
    assert found.tables[2].summary.startswith("(c) the products for W⁽¹⁾, b⁽¹⁾")


def test_norms_are_those_of_the_session() -> None:
    program = built_in("deep-relu")
    norms = gradient_norms(program, program)
    assert norms is not None
    session = Session(program)
    while session.op is not None and session.op.phase != "update":
        session.step()
    values = [session.tensors[f"linear{k}.weight.grad"] for k in range(1, 11)]
    expected = [float(np.sqrt(np.sum(np.square(value)))) for value in values]
    assert [row.norms[0] for row in norms.rows] == pytest.approx(expected, rel=1e-12)
    factors = [a / b for a, b in pairwise(expected)]
    assert [row.factors[1] for row in norms.rows[:-1]] == pytest.approx(factors, rel=1e-12)
    assert norms.rows[-1].factors == (None, None)
    assert norms.overall[0] == pytest.approx(expected[0] / expected[-1], rel=1e-12)


def test_without_a_backward_pass_there_are_no_norms() -> None:
    skipping = small_program(training={"skip": ["backward"]})
    found = compare(skipping, small_program())
    assert found.norms is None
    assert comparison_json(found)["norms"] is None


def test_json() -> None:
    found = comparison_json(between("classification-mse", "classification-bce"))
    assert (found["left"], found["right"]) == ("classification-mse", "classification-bce")
    loss = found["tables"][1]["rows"][-1]
    assert (loss["row"], loss["change"]) == ("loss", "changed")
    assert [cell["change"] for cell in loss["cells"]] == ["same", "same", "changed", "same"]
    assert found["norms"]["rows"][0]["weight"] == "W⁽¹⁾"


def test_markdown_marks_the_changed_cells() -> None:
    text = comparison_markdown(between("classification-mse", "classification-bce"))
    marked = [line for line in text.splitlines() if line.startswith("| ≠")]
    assert len(marked) == 3
    assert "**2(ŷᵢ − yᵢ)** | **(ŷᵢ − yᵢ) / (K ŷᵢ(1 − ŷᵢ))** |" in marked[-1]
    assert "(c) nothing changes" in text


def test_latex_marks_the_changed_cells() -> None:
    text = comparison_latex(between("classification-mse", "classification-bce"))
    assert text.isascii()
    assert text.count(r"\cell{$\ne$}") == 3
    assert text.count("{") == text.count("}")
    assert r"\textbf{(c) nothing changes}" in text
