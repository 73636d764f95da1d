"""The worksheet of a network of lines: its tables, its sums of chains, and the engine's numbers."""

import json
from functools import reduce
from itertools import pairwise

import numpy as np
import pytest

from engine.arrays import Array
from engine.errors import GradstepError
from engine.formulas.latex import prose_latex, symbol_latex
from engine.measure.norms import after_backward
from engine.program.program import Program
from engine.session.session import Session
from engine.worksheet.json import worksheet_json
from engine.worksheet.latex import worksheet_latex
from engine.worksheet.line_chains import Chains
from engine.worksheet.line_sample import line_sample
from engine.worksheet.markdown import worksheet_markdown
from engine.worksheet.text import gradient_lines, path_cells, size, sizes_line, subtitle
from engine.worksheet.worksheet import LAYOUTS, Worksheet, standing, worksheet
from tests.engine.small_experiments import built_in
from tests.engine.worksheet.line_experiments import TEXTS, lines

NAMES = list(TEXTS)
HOMEWORK = ["relu", "relu of one"]


def samples(program: Program) -> list[Worksheet]:
    """The worksheet of every sample; of the batch where the lines mix samples."""
    count = len(program.batch(0)["x"])
    found = [worksheet(program, i) for i in range(count)]
    return found if found[0].sample.index is not None else found[:1]


def share(program: Program, name: str, count: int) -> float:
    """What the loss of a sample is in that of the batch: 1/N where the batch takes a mean."""
    means = {"relu of one", "five relu", "sigmoid", "recurrent", "penalty"}
    return 1 / count if name in means and len(program.batch(0)["x"]) == count else 1.0


@pytest.mark.parametrize("name", NAMES)
def test_the_chains_give_the_gradients_of_the_engine(name: str) -> None:
    program = lines(name)
    engine, sheets = after_backward(program), samples(program)
    rows = list(zip(*(sheet.gradients for sheet in sheets), strict=True))
    assert len(rows) >= len(program.parameters)
    factor = share(program, name, len(sheets))
    for same in rows:
        one = same[0]
        assert one.numerator or one.array is not None
        values = [row.array for row in same]
        if one.parameter in ("x", "y") and sheets[0].sample.index is not None:
            total = np.stack([value for value in values if value is not None])
            total = total.reshape(engine[one.parameter].shape)
        elif one.parameter in program.network.initial(program.experiment):
            total = factor * reduce(np.add, values)
        else:
            continue  # the gradient of a line has a row for each sample
        known = engine[f"{one.parameter}.grad"]
        np.testing.assert_allclose(total.reshape(known.shape), known, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_the_gradient_of_every_line_is_the_engine_s(name: str) -> None:
    program = lines(name)
    engine = after_backward(program)
    at = line_sample(program, 0)
    found = Chains(at).grads
    rows = len(program.batch(0)["x"])
    factor = share(program, name, rows)
    checked = 0
    for line in at.lines[:-1]:
        known = engine.get(f"{line.name}.grad")
        if known is None or (line.name not in at.apart and at.index is not None):
            continue
        one = known if at.index is None else known[at.index].reshape(line.root.shape)
        np.testing.assert_allclose(factor * found[line.name], one, rtol=1e-12, atol=1e-12)
        checked += 1
    assert checked or name == "attention"


@pytest.mark.parametrize("name", NAMES)
def test_the_lines_of_a_sample_have_its_part_of_the_values(name: str) -> None:
    program = lines(name)
    engine = after_backward(program)
    for index in range(len(program.batch(0)["x"])):
        at = line_sample(program, index)
        for line in at.lines[:-1]:
            if at.index is not None and line.name in at.apart:
                known = engine[line.name][index].reshape(line.root.shape)
                np.testing.assert_allclose(at.values[line.name], known, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", NAMES)
def test_the_worksheet_of_a_batch_has_the_engine_s_own_gradients(name: str) -> None:
    program = lines(name)
    engine = after_backward(program)
    sheet = worksheet(program, None)
    assert sheet.whole
    assert sheet.sample.index is None
    for row in sheet.gradients:
        assert row.own
        known = engine[f"{row.parameter}.grad"]
        np.testing.assert_array_equal(np.asarray(row.array), known)


@pytest.mark.parametrize("name", NAMES)
def test_the_factors_of_every_chain_conform(name: str) -> None:
    sheet = worksheet(lines(name), 0)
    for row in sheet.gradients:
        for layout in LAYOUTS:
            for path in row.paths(layout):
                assert all(a.dims[1] == b.dims[0] for a, b in pairwise(path)), row.parameter


@pytest.mark.parametrize("name", HOMEWORK)
def test_the_tables_of_the_homework_in_the_names_of_the_lines(name: str) -> None:
    sheet = worksheet(lines(name), 0)
    hidden, last = "(W1 x + b1)⁺", "W2 (W1 x + b1)⁺ + b2"
    assert [
        (row.layer, ", ".join(f.text() for f in row.inputs), row.output.text(), size(row.dims).text)
        for row in sheet.forward
    ] == [
        ("z1", "x", "W1 x + b1", "h×1"),
        ("z2", "W1 x + b1", hidden, "h×1"),
        ("z3", hidden, last, "K×1"),
        ("yhat", last, last, "K×1"),
        ("loss", f"{last}, y", f"‖{last} − y‖²", "1×1"),
    ]
    back = "∂ℓ/∂yhat · ∂yhat/∂z3 · W2 · ∂z2/∂z1"
    assert [
        (row.symbol.text(), row.formula("numerator").text(), size(row.dims("numerator")).text)
        for row in sheet.gradients
    ] == [
        ("W1", f"x · {back}", "n×h"),
        ("b1", back, "1×h"),
        ("W2", f"{hidden} · ∂ℓ/∂yhat · ∂yhat/∂z3", "h×K"),
        ("b2", "∂ℓ/∂yhat · ∂yhat/∂z3", "1×K"),
    ]
    first = sheet.gradients[0]
    assert first.formula("gradient").text() == ("(∂z2/∂z1)ᵀ W2ᵀ (∂yhat/∂z3)ᵀ (∂ℓ/∂yhat)ᵀ xᵀ")
    assert path_cells(sheet.sample, first, "numerator")[0][1].text == "(n×1)(1×K)(K×K)(K×h)(h×h)"
    assert [(row.left, row.rule.text(), size(row.dims).text) for row in sheet.elements] == [
        ("(∂ℓ/∂yhat)ᵢ", "2(yhatᵢ − yᵢ)", "1×K"),
        ("∂yhat/∂z3", "I", "K×K"),
        ("∂z3/∂z2", "W2", "K×h"),
        ("∂z2/∂z1", "1 if i = j and z1ᵢ > 0, else 0", "h×h"),
    ]
    assert sheet.steps[1].text == f"yhat = {last}"
    assert sheet.steps[2].text == "ℓ = ‖yhat − y‖²"
    assert subtitle(sheet) == "sample 0 of the batch, vectors as columns · n = 3 · K = 2 · h = 4"
    assert "z1, z2 h×1 · z3, yhat K×1 · ℓ scalar" in sizes_line(sheet)


def test_backward_is_told_in_the_convention_of_the_lines() -> None:
    own = {
        name: [one.text() for row in worksheet(lines(name), 0).gradients for one in row.own]
        for name in HOMEWORK
    }
    assert own["relu"][:3] == ["(∂ℓ/∂z1)ᵀ x", "Σₙ (∂ℓ/∂z1)ₙ", "(∂ℓ/∂z3)ᵀ z2"]
    assert own["relu of one"][0] == "Σₙ (∂ℓ/∂z1 xᵀ)ₙ"


def test_an_unfolded_line_has_a_factor_for_each_function() -> None:
    sheet = worksheet(lines("five relu"), 0)
    assert sheet.gradients[0].formula("numerator").text() == (
        "x · ∂ℓ/∂yhat · W2 · ∂z2/∂z2.relu1 · ∂z2.relu1/∂z1"
    )
    assert {row.symbol.text(): row.rule.text() for row in sheet.elements}["∂z2/∂z2.relu1"] == "5I"


def test_a_line_with_both_has_the_slope_as_a_factor() -> None:
    sheet = worksheet(lines("penalty"), 0)
    terms = sheet.gradients[0].formula("gradient").text()
    assert terms.startswith("(reg W1) + x ")
    assert terms.endswith("diag([W1ᵀ x + b1 > 0])")
    rules = {row.symbol.text(): row.rule.text() for row in sheet.elements}
    assert rules["∂scores/∂h"] == "W2ᵀ"
    assert rules["∂data/∂scores"] == "softmax(scores)ᵢ − [i = y]"


def test_sigmoid_and_bce_cancel_in_lines_too() -> None:
    sheet = worksheet(lines("sigmoid"), 0)
    (row,) = sheet.shortcuts
    assert (row.symbol.text(), row.right.text()) == ("∂ℓ/∂z3", "(yhat − y)ᵀ / K")
    at = line_sample(lines("sigmoid"), 0)
    expected = (at.values["yhat"] - at.values["y"]).T / 2
    np.testing.assert_allclose(row.value, expected, rtol=1e-12)
    rules = {one.symbol.text(): one.rule.text() for one in sheet.elements}
    assert rules["∂z2/∂z1"] == "diag(z2 ⊙ (1 − z2))"


def test_shared_weights_and_skips_are_sums_over_the_ways() -> None:
    sheet = worksheet(lines("skip"), 0)
    row = sheet.gradients[0]
    assert [path[0].symbol.text() for path in row.paths("numerator")] == ["b", "x"]
    shown = [line.text for line in gradient_lines(sheet.sample, row, "numerator")]
    assert sum(line.startswith("+ ") for line in shown) == 1
    products = [path[1:] for path in row.paths("numerator")]
    assert [factor.symbol.text() for factor in products[1]][:4] == [
        "∂ℓ/∂yhat", "V", "∂c/∂b", "∂b/∂a",
    ]  # fmt: skip


def test_steps_of_time_are_added() -> None:
    sheet = worksheet(lines("recurrent"), 0)
    rows = {row.parameter: row for row in sheet.gradients}
    assert list(rows) == ["Wc", "Wh", "Wx"]
    first = [path[0].symbol.text() for path in rows["Wh"].paths("numerator")]
    assert sorted(set(first)) == ["h[-1]", "h[0]", "h[1]"]
    rules = {row.symbol.text(): row.rule.text() for row in sheet.elements}
    assert rules["∂c[2]/∂h[1]"] == "diag(c[2] ⊙ (1 − c[2])) Wh"


def test_many_ways_are_folded_into_the_gradients_of_lines() -> None:
    sheet = worksheet(lines("lstm"), 0)
    rows = {row.parameter: row for row in sheet.gradients}
    assert max(len(row.paths("numerator")) for row in rows.values()) <= 8
    assert "∂ℓ/∂a[2]" in rows["Wa"].formula("numerator").text()
    assert "a[0]" in rows
    assert list(rows)[:4] == ["Wa", "Wi", "U", "b"]


def test_lines_that_mix_samples_are_shown_as_the_batch_and_it_is_said() -> None:
    sheet = worksheet(lines("normed"), 1)
    assert sheet.sample.index is None
    assert "the whole batch: mean takes the samples of a batch together" in subtitle(sheet)
    assert not sheet.whole
    rules = {row.symbol.text(): row.rule.text() for row in sheet.elements}
    assert rules["∂h/∂n"] == "v ↦ v ⊙ (1 − h²)"


@pytest.mark.parametrize("name", NAMES)
def test_a_rule_for_any_vector_and_the_jacobian_agree(name: str) -> None:
    at = line_sample(lines(name), 0)
    rng = np.random.default_rng(1)
    for edges in Chains(at).edges.values():
        for edge in edges:
            if edge.of_loss or edge.value is None:
                continue
            v = rng.normal(size=edge.line.root.shape)
            expected = edge.back(v).reshape(-1)
            np.testing.assert_allclose(v.reshape(-1) @ edge.value, expected, rtol=1e-9, atol=1e-12)
            numeric = differences(at.values, edge)
            np.testing.assert_allclose(edge.value, numeric, rtol=1e-4, atol=1e-5)


def differences(values: dict[str, Array], edge: object) -> Array:
    """The Jacobian of a line by finite differences."""
    from engine.worksheet.line_jacobians import Edge
    from engine.worksheet.line_sample import evaluated

    assert isinstance(edge, Edge)
    start, h = values[edge.wrt.name], 1e-6
    columns = []
    for i in range(start.size):
        step = np.zeros(start.size)
        step[i] = h
        moved = [start + sign * step.reshape(start.shape) for sign in (1, -1)]
        up, down = (evaluated(edge.line.root, {**values, edge.wrt.name: one}) for one in moved)
        columns.append(((up - down) / (2 * h)).reshape(-1))
    return np.stack(columns, axis=1)


def test_at_a_place_the_parameters_are_those_there() -> None:
    program = lines("relu")
    session = Session(program)
    session.goto(3 * len(program.ops))
    now = standing(program, session.state.tensors)
    sheet, before = worksheet(program, 0, tensors=now), worksheet(program, 0)
    assert not np.array_equal(sheet.forward[0].value, before.forward[0].value)  # type: ignore[arg-type]
    expected = now["W1"] @ now["x"][0] + now["b1"]
    np.testing.assert_allclose(sheet.forward[0].value[:, 0], expected, rtol=1e-14)  # type: ignore[index]


def test_a_sample_that_the_batch_has_not() -> None:
    with pytest.raises(GradstepError, match="sample 2 is not in the batch, whose samples are 0"):
        worksheet(lines("relu"), 2)


@pytest.mark.parametrize("index", [0, None])
@pytest.mark.parametrize("name", NAMES)
def test_every_form(name: str, index: int | None) -> None:
    sheet = worksheet(lines(name), index)
    found = json.loads(json.dumps(worksheet_json(sheet), allow_nan=False))
    assert [row["layer"] for row in found["forward"]] == [row.layer for row in sheet.forward]
    for row in found["forward"]:
        assert list(np.shape(row["values"])) == row["shape"]
    for row in found["gradients"]:
        if row["values"] is not None:
            assert np.size(row["values"]) == np.prod(row["dims"])
        assert row["backward"]
    balanced(worksheet_latex(sheet, LAYOUTS))
    tables = [t for t in worksheet_markdown(sheet, LAYOUTS).split("\n\n") if t.startswith("|")]
    assert len(tables) == (4 if sheet.whole else 5)


def balanced(document: str) -> None:
    assert document.isascii()
    bare = document.replace("\\{", "").replace("\\}", "").replace("\\$", "")
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    for kind in ("bmatrix", "cases", "tabular"):
        assert document.count(rf"\begin{{{kind}}}") == document.count(rf"\end{{{kind}}}")


def test_the_batch_of_layers_is_what_backward_computes() -> None:
    program = built_in("regression")
    sheet, engine = worksheet(program, None), after_backward(program)
    assert [row.output.text() for row in sheet.forward] == [
        "x W⁽¹⁾ᵀ + b⁽¹⁾", "(z₁)⁺", "z₂ W⁽²⁾ᵀ + b⁽²⁾", "z₃", "Σ (ŷ − y)²",
    ]  # fmt: skip
    assert [row.formula("gradient").text() for row in sheet.gradients] == [
        "(∂ℓ/∂z₁)ᵀ x", "Σₙ (∂ℓ/∂z₁)ₙ", "(∂ℓ/∂z₃)ᵀ z₂", "Σₙ (∂ℓ/∂z₃)ₙ",
    ]  # fmt: skip
    for row in sheet.gradients:
        known = engine[f"{row.parameter}.grad"]
        np.testing.assert_array_equal(np.asarray(row.array), known)
    assert sheet.elements[-1].rule.text() == "∂ℓ/∂z₂ ⊙ [z₁ > 0]"
    assert worksheet_json(sheet)["forward"][0]["shape"] == [4, 4]


def test_a_name_of_any_script_is_ascii_in_latex() -> None:
    assert prose_latex("größe é") == r"gr\"{o}\ss{}e \'{e}"
    assert symbol_latex("größe") == r"\text{gr\"{o}\ss{}e}"
    assert symbol_latex("層") == r"\text{[U+5C64]}"
    assert symbol_latex("z1") == "z_{1}"
    assert symbol_latex("yhat") == r"\mathit{yhat}"


def test_what_may_not_fit_its_column_is_made_to() -> None:
    document = worksheet_latex(worksheet(built_in("deep-relu")), LAYOUTS)
    assert r"\newcommand{\fit}[1]" in document
    rows = [line for line in document.splitlines() if r"\begin{bmatrix}" in line]
    assert rows
    assert all(
        line.count(r"\begin{bmatrix}") == line.count(r"\fit{$\begin{bmatrix}") for line in rows
    )
