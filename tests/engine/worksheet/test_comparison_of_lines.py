"""Comparing lines with layers and with other lines: names are no change, everything else is."""

import numpy as np
import pytest

from engine.program.program import Program
from engine.worksheet.comparison import Change, Comparison, compare
from engine.worksheet.comparison_json import comparison_json
from engine.worksheet.latex import comparison_latex
from engine.worksheet.markdown import comparison_markdown
from tests.engine.small_experiments import program as small_program
from tests.engine.worksheet.line_experiments import DATA, WEIGHTS, lines, network, program_of

X, Y = [[-1.02, -0.12, -1.42], [-0.4, -0.05, 1.49]], [[1.0, 0.57], [0.55, 0.3]]


def layers(f: str, g: str, loss: dict[str, object]) -> Program:
    found = [
        {"type": "linear", "out": 4},
        {"type": f},
        {"type": "linear", "out": 2},
        {"type": g},
    ]
    return small_program(layers=found, loss=loss, data={"x": X, "y": Y})


def summaries(found: Comparison) -> list[str]:
    return [table.summary for table in found.tables]


SAME = [
    "(a) nothing changes",
    "(b) nothing changes but names",
    "(c) nothing changes but names",
    "(d) nothing changes but names",
]


@pytest.mark.parametrize("name", ["relu", "relu of one"])
def test_layers_and_the_same_as_lines(name: str) -> None:
    mine = layers("relu", "identity", {"type": "mse", "reduction": "sum"})
    for pair in ((mine, lines(name)), (lines(name), mine)):
        found = compare(*pair)
        assert summaries(found) == SAME
        assert found.changes == {Change.SAME}


def test_a_loss_of_the_table_and_the_same_activation() -> None:
    found = compare(layers("sigmoid", "sigmoid", {"type": "bce"}), lines("sigmoid"))
    assert summaries(found) == SAME
    assert found.remarks


def test_a_mean_that_is_written_out_is_that_of_the_table() -> None:
    text = "z1 = x @ W1.T + b1\nz2 = tanh(z1)\nz3 = z2 @ W2.T + b2\nyhat = z3\n"
    mine = program_of(DATA + WEIGHTS + network(text + "loss = mean((yhat - y)**2)"))
    found = compare(layers("tanh", "identity", {"type": "mse"}), mine)
    forward = found.tables[1]
    assert forward.summary == "(b) nothing changes but names"


def test_lines_in_rows_and_in_columns_say_the_same() -> None:
    found = compare(lines("relu"), lines("relu of one"))
    assert summaries(found) == [f"({letter}) nothing changes" for letter in "abcd"]


def test_another_activation_is_a_change_whatever_the_names() -> None:
    mine = layers("relu", "identity", {"type": "mse", "reduction": "sum"})
    found = compare(mine, lines("sigmoid"))
    rows = {row.name.text: row.change for row in found.tables[1].rows}
    assert rows["linear1 → z1"] == Change.SAME
    assert rows["relu1 → z2"] == Change.CHANGED
    assert rows["loss"] == Change.CHANGED
    assert "the products stay" in found.tables[2].summary
    assert "change" in found.tables[3].summary


def test_a_factor_five_is_a_change() -> None:
    text = "z1 = x @ W1.T + b1\nz2 = {c}relu(z1)\nyhat = z2 @ W2.T + b2\nloss = sum((yhat - y)**2)"
    one, five = (program_of(DATA + WEIGHTS + network(text.format(c=c))) for c in ("", "5*"))
    found = compare(one, five)
    rows = {row.name.text: row.change for row in found.tables[1].rows}
    assert (rows["z1"], rows["z2"]) == (Change.SAME, Change.CHANGED)
    assert found.tables[3].summary == "(d) ∂z2/∂z1 changes; ∂ℓ/∂yhat and ∂yhat/∂z2 stay"


def test_every_form() -> None:
    mine = layers("relu", "identity", {"type": "mse", "reduction": "sum"})
    found = compare(mine, lines("relu"))
    document = comparison_latex(found)
    assert document.isascii()
    assert document.count("{") - document.count(r"\{") == document.count("}") - document.count(
        r"\}"
    )
    assert "nothing changes but names" in comparison_markdown(found)
    rows = comparison_json(found)["tables"][1]["rows"]
    assert {row["change"] for row in rows} == {"same"}
    assert found.norms is not None
    assert [row.symbol for row in found.norms.rows] == ["W⁽¹⁾ → W1", "W⁽²⁾ → W2"]
    assert all(np.isfinite(row.norms).all() for row in found.norms.rows)
