"""The tables of the four homework configurations, cell by cell, and of other networks."""

import math
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.chain.chain import chain
from engine.chain.primals import primals_of
from engine.errors import GradstepError
from engine.experiment.builtins import builtin_names
from engine.session.session import Session
from engine.worksheet.json import worksheet_json
from engine.worksheet.latex import worksheet_latex
from engine.worksheet.markdown import worksheet_markdown
from engine.worksheet.text import breaks_in_time, path_cells, size
from engine.worksheet.worksheet import LAYOUTS, Worksheet, worksheet
from tests.engine.small_experiments import built_in
from tests.engine.small_experiments import program as small_program

HOMEWORK = ["regression", "classification-mse", "classification-bce", "classification-relu"]

Z1 = "W⁽¹⁾x + b⁽¹⁾"
RELU, SIGMOID = f"({Z1})⁺", f"σ({Z1})"
HIDDEN = dict(zip(HOMEWORK, [RELU, SIGMOID, SIGMOID, RELU], strict=True))
Z3 = {name: f"W⁽²⁾{hidden} + b⁽²⁾" for name, hidden in HIDDEN.items()}
YHAT = {name: z3 if name == "regression" else f"σ({z3})" for name, z3 in Z3.items()}


def squared(yhat: str) -> str:
    return f"‖{yhat} − y‖²"


def entropy(yhat: str) -> str:
    return f"1/K Σᵢ −[yᵢ log {yhat}ᵢ + (1 − yᵢ) log(1 − {yhat}ᵢ)]"


LOSS = dict(zip(HOMEWORK, [squared, squared, entropy, entropy], strict=True))

TOP, LAST, FIRST = "∂ℓ/∂ŷ", "∂ŷ/∂z₃", "∂z₂/∂z₁"
SQUARED_SLOPE = "2(ŷᵢ − yᵢ)"
ENTROPY_SLOPE = "(ŷᵢ − yᵢ) / (K ŷᵢ(1 − ŷᵢ))"
STEP = "1 if i = j and z₁ᵢ > 0, else 0"
RULES = {
    "regression": {TOP: SQUARED_SLOPE, LAST: "I", FIRST: STEP},
    "classification-mse": {
        TOP: SQUARED_SLOPE,
        LAST: "diag(ŷ ⊙ (1 − ŷ))",
        FIRST: "diag(z₂ ⊙ (1 − z₂))",
    },
    "classification-bce": {
        TOP: ENTROPY_SLOPE,
        LAST: "diag(ŷ ⊙ (1 − ŷ))",
        FIRST: "diag(z₂ ⊙ (1 − z₂))",
    },
    "classification-relu": {TOP: ENTROPY_SLOPE, LAST: "diag(ŷ ⊙ (1 − ŷ))", FIRST: STEP},
}


def sheet_of(name: str, sample: int = 0) -> Worksheet:
    return worksheet(built_in(name), sample)


@pytest.fixture(params=HOMEWORK)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_steps(name: str) -> None:
    loss = LOSS[name]("ŷ")
    assert [(step.phase.value, step.text, step.code) for step in sheet_of(name).steps] == [
        ("zero_grad", "∇θ ← 0", "optimizer.zero_grad()"),
        ("forward", f"ŷ = {YHAT[name]}", "y_hat = model(x)"),
        ("loss", f"ℓ = {loss}", "loss = criterion(y_hat, y)"),
        ("backward", "∇θ ← ∇θ + (∂ℓ/∂θ)ᵀ", "loss.backward()"),
        ("update", "θ ← θ − η ∇θ", "optimizer.step()"),
    ]


def test_forward(name: str) -> None:
    sheet = sheet_of(name)
    yhat = YHAT[name]
    assert [
        (", ".join(f.text() for f in row.inputs), row.output.text(), size(row.dims).text)
        for row in sheet.forward
    ] == [
        ("x", Z1, "h×1"),
        (Z1, HIDDEN[name], "h×1"),
        (HIDDEN[name], Z3[name], "K×1"),
        (Z3[name], yhat, "K×1"),
        (f"{yhat}, y", LOSS[name](yhat), "1×1"),
    ]


def test_gradients_in_numerator_layout(name: str) -> None:
    rows = [
        (row.symbol.text(), row.formula("numerator").text(), size(row.dims("numerator")).text)
        for row in sheet_of(name).gradients
    ]
    back = "∂ℓ/∂ŷ · ∂ŷ/∂z₃ · W⁽²⁾ · ∂z₂/∂z₁"
    assert rows == [
        ("W⁽¹⁾", f"x · {back}", "n×h"),
        ("b⁽¹⁾", back, "1×h"),
        ("W⁽²⁾", f"{HIDDEN[name]} · ∂ℓ/∂ŷ · ∂ŷ/∂z₃", "h×K"),
        ("b⁽²⁾", "∂ℓ/∂ŷ · ∂ŷ/∂z₃", "1×K"),
    ]


def test_gradients_in_gradient_layout(name: str) -> None:
    rows = [
        (row.symbol.text(), row.formula("gradient").text(), size(row.dims("gradient")).text)
        for row in sheet_of(name).gradients
    ]
    hidden = f"({HIDDEN[name]})ᵀ" if HIDDEN[name] == RELU else f"{HIDDEN[name]}ᵀ"
    back = "(∂z₂/∂z₁)ᵀ W⁽²⁾ᵀ (∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ"
    assert rows == [
        ("W⁽¹⁾", f"{back} xᵀ", "h×n"),
        ("b⁽¹⁾", back, "h×1"),
        ("W⁽²⁾", f"(∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ {hidden}", "K×h"),
        ("b⁽²⁾", "(∂ŷ/∂z₃)ᵀ (∂ℓ/∂ŷ)ᵀ", "K×1"),
    ]


def test_sizes_of_the_factors(name: str) -> None:
    sheet = sheet_of(name)
    first = sheet.gradients[0]
    assert path_cells(sheet.sample, first, "numerator")[0][1].text == "(n×1)(1×K)(K×K)(K×h)(h×h)"
    assert path_cells(sheet.sample, first, "numerator")[0][2].text == "(3×1)(1×2)(2×2)(2×4)(4×4)"
    assert path_cells(sheet.sample, first, "gradient")[0][1].text == "(h×h)(h×K)(K×K)(K×1)(1×n)"


def test_elements(name: str) -> None:
    rows = {row.symbol.text(): row for row in sheet_of(name).elements}
    sizes = {TOP: "1×K", LAST: "K×K", FIRST: "h×h", "∂z₃/∂z₂": "K×h"}
    rules = RULES[name] | {"∂z₃/∂z₂": "W⁽²⁾"}
    assert {symbol: row.rule.text() for symbol, row in rows.items()} == rules
    assert {symbol: size(row.dims).text for symbol, row in rows.items()} == sizes
    assert rows[TOP].left == "(∂ℓ/∂ŷ)ᵢ"


def test_bce_after_a_sigmoid_shows_what_cancels() -> None:
    sheet = sheet_of("classification-bce")
    (row,) = sheet.shortcuts
    assert (row.symbol.text(), row.right.text()) == ("∂ℓ/∂z₃", "(ŷ − y)ᵀ / K")
    yhat, y = sheet.sample.columns["ŷ"], sheet.sample.columns["y"]
    np.testing.assert_allclose(row.value, (yhat - y).T / 2, rtol=1e-14)
    assert sheet_of("classification-mse").shortcuts == ()


@pytest.mark.parametrize(
    ("loss", "value", "slope"),
    [
        ({"type": "mse", "scale": 0.5, "reduction": "sum"}, "½ ‖ŷ − y‖²", "ŷᵢ − yᵢ"),
        ({"type": "mse"}, "1/K ‖ŷ − y‖²", "2(ŷᵢ − yᵢ) / K"),
        ({"type": "mse", "reduction": "batch_mean"}, "‖ŷ − y‖²", "2(ŷᵢ − yᵢ)"),
        ({"type": "l1", "reduction": "sum"}, "Σᵢ |ŷᵢ − yᵢ|", "sign(ŷᵢ − yᵢ)"),
        (
            {"type": "huber", "delta": 0.3, "reduction": "sum"},
            "Σᵢ huber[0.3](ŷᵢ − yᵢ)",
            "ŷᵢ − yᵢ if |ŷᵢ − yᵢ| < 0.3, else 0.3 sign(ŷᵢ − yᵢ)",
        ),
        (
            {"type": "bce_with_logits", "reduction": "sum"},
            "Σᵢ −[yᵢ log σ(ŷ)ᵢ + (1 − yᵢ) log(1 − σ(ŷ)ᵢ)]",
            "σ(ŷ)ᵢ − yᵢ",
        ),
        (
            {"type": "cross_entropy"},
            "−Σᵢ yᵢ log softmax(ŷ)ᵢ",
            "softmax(ŷ)ᵢ Σⱼ yⱼ − yᵢ",
        ),
    ],
)
def test_losses(loss: dict[str, Any], value: str, slope: str) -> None:
    sheet = worksheet(small_program(loss=loss), spelled=0)
    assert sheet.forward[-1].output.text() == value
    assert sheet.elements[0].rule.text() == slope


@pytest.mark.parametrize(
    ("layer", "output", "rule"),
    [
        (
            {"type": "leaky_relu", "negative_slope": 0.2},
            "LeakyReLU[0.2](z₁)",
            "1 if i = j and z₁ᵢ > 0, 0.2 if i = j and z₁ᵢ ≤ 0, else 0",
        ),
        ({"type": "tanh"}, "tanh(z₁)", "diag(1 − z₂²)"),
        (
            {"type": "softplus"},
            "softplus(z₁)",
            "1 if i = j and z₁ᵢ > 20, σ(z₁ᵢ) if i = j and z₁ᵢ ≤ 20, else 0",
        ),
        (
            {"type": "elu"},
            "ELU(z₁)",
            "1 if i = j and z₁ᵢ > 0, exp(z₁ᵢ) if i = j and z₁ᵢ ≤ 0, else 0",
        ),
        ({"type": "silu"}, "SiLU(z₁)", "diag(σ(z₁) ⊙ (1 + z₁ ⊙ (1 − σ(z₁))))"),
        ({"type": "gelu"}, "GELU(z₁)", "diag(Φ(z₁) + z₁ ⊙ φ(z₁))"),
        ({"type": "softmax"}, "softmax(z₁)", "diag(z₂) − z₂z₂ᵀ"),
        ({"type": "log_softmax"}, "log softmax(z₁)", "1 − exp(z₂ⱼ) if i = j, else −exp(z₂ⱼ)"),
        ({"type": "identity"}, "z₁", "I"),
        (
            {"type": "hard_tanh"},
            "hardtanh(z₁)",
            "1 if i = j and −1 < z₁ᵢ < 1, else 0",
        ),
        (
            {"type": "hard_swish"},
            "HardSwish(z₁)",
            "0 if i = j and z₁ᵢ ≤ −3, 1 if i = j and z₁ᵢ ≥ 3, z₁ᵢ/3 + ½ if i = j, else 0",
        ),
        (
            {"type": "prelu"},
            "[z₁ if z₁ > 0 else a⁽²⁾ ⊙ z₁]",
            "1 if i = j and z₁ᵢ > 0, a⁽²⁾ if i = j and z₁ᵢ ≤ 0, else 0",
        ),
    ],
)
def test_layers(layer: dict[str, Any], output: str, rule: str) -> None:
    linear = {"type": "linear", "out": 3}
    sheet = worksheet(small_program(layers=[linear, layer, linear | {"out": 1}]), spelled=0)
    assert sheet.forward[1].output.text() == output
    assert sheet.elements[-1].rule.text() == rule


@pytest.mark.parametrize("count", [1, 3])
def test_the_products_of_prelu_and_glu_are_the_gradients_of_backward(count: int) -> None:
    gated = {"type": "glu"}
    layers = [{"type": "linear", "out": 6}, gated, {"type": "prelu", "num_parameters": count}]
    layers += [{"type": "linear", "out": 4}, gated, {"type": "prelu"}]
    made = small_program(layers=layers, data={"x": [[1.5, -2.0]], "y": [[3.0, 1.0]]})
    sheet, session = worksheet(made), Session(made)
    session.goto(len(made.ops) - len(made.parameters))  # before the first parameter moves
    assert len(sheet.gradients) == len(made.parameters) == 6
    for row in sheet.gradients:
        assert row.value is not None
        found = session.tensors[f"{row.parameter}.grad"]
        np.testing.assert_allclose(row.value.T.reshape(found.shape), found, rtol=1e-12)
        by_chain = chain(primals_of(session), "loss", row.parameter).jacobian().to_dense()
        np.testing.assert_allclose(by_chain.reshape(found.shape), found, rtol=1e-12)
    sizes = [size.name for size in sheet.sample.sizes]
    assert sizes == ["n", "h₁", "h₂", "h₂", "h₃", "K", "K"]


def test_without_a_bias_there_is_no_row_for_it() -> None:
    linear = {"type": "linear", "out": 1, "bias": False}
    sheet = worksheet(small_program(layers=[linear]))
    assert [row.parameter for row in sheet.gradients] == ["linear1.weight"]
    assert sheet.forward[0].output.text() == "W⁽¹⁾x"
    assert sheet.gradients[0].formula("numerator").text() == "x · ∂ℓ/∂ŷ"


def test_the_steps_stand_in_the_order_of_the_experiment() -> None:
    order = ["forward", "loss", "zero_grad", "backward", "update"]
    sheet = worksheet(small_program(training={"order": order}))
    assert [step.phase.value for step in sheet.steps] == order
    sheet = worksheet(small_program(training={"skip": ["zero_grad"]}))
    assert [step.phase.value for step in sheet.steps if step.skipped] == ["zero_grad"]
    assert "skipped" in worksheet_markdown(sheet, LAYOUTS)


def test_a_long_formula_goes_on_with_the_symbol_of_its_input() -> None:
    rows = sheet_of("deep-relu").forward
    assert rows[6].output.text() == "W⁽⁴⁾(W⁽³⁾(W⁽²⁾(W⁽¹⁾x + b⁽¹⁾)⁺ + b⁽²⁾)⁺ + b⁽³⁾)⁺ + b⁽⁴⁾"
    assert (rows[8].inputs[0].text(), rows[8].output.text()) == ("z₈", "W⁽⁵⁾z₈ + b⁽⁵⁾")
    assert max(len(row.output.text()) for row in rows) <= 64


def test_a_sample_that_is_not_in_the_first_batch() -> None:
    assert sheet_of("regression", 3).sample.columns["x"][:, 0].tolist() == [-0.5, -2.0, -1.0]
    with pytest.raises(GradstepError, match=r"regression: sample 4 is not .* are 0 to 3"):
        sheet_of("regression", 4)


def test_a_jacobian_too_large_to_be_computed_is_left_out() -> None:
    wide = {"type": "linear", "out": 1100, "init": "normal"}
    layers = [wide, {"type": "sigmoid"}, {"type": "linear", "out": 1}]
    sheet = worksheet(small_program(layers=layers))
    assert [row.value is None for row in sheet.elements] == [False, False, True]
    assert [row.value is None for row in sheet.gradients] == [True, True, False, False]
    assert worksheet_json(sheet)["gradients"][0]["values"] is None
    assert "too large" in worksheet_markdown(sheet, LAYOUTS)


def test_json_has_the_keys_of_the_contract() -> None:
    found = worksheet_json(sheet_of("regression"))
    step = {"step": "zero_grad", "code": "optimizer.zero_grad()", "math": "∇θ ← 0"}
    assert step.items() <= found["steps"][0].items()
    row = {"layer": "linear1", "input": "x", "output": "W⁽¹⁾x + b⁽¹⁾", "shape": [4]}
    assert row.items() <= found["forward"][0].items()
    assert found["forward"][-1]["shape"] == []
    first = found["gradients"][0]
    assert (first["parameter"], first["dims"]) == ("linear1.weight", [3, 4])
    assert np.shape(first["values"]) == (3, 4)
    assert [(f["symbol"], f["dims"]) for f in first["factors"]] == [
        ("x", [3, 1]),
        ("∂ℓ/∂ŷ", [1, 2]),
        ("∂ŷ/∂z₃", [2, 2]),
        ("W⁽²⁾", [2, 4]),
        ("∂z₂/∂z₁", [4, 4]),
    ]
    last = {"symbol": "∂z₂/∂z₁", "rule": STEP, "dims": [4, 4]}
    assert last.items() <= found["elements"][-1].items()
    assert worksheet_json(sheet_of("regression"), "gradient")["gradients"][0]["dims"] == [4, 3]


def test_every_factor_of_the_chain_starts_where_the_one_before_it_ends() -> None:
    for name in builtin_names():
        for row in sheet_of(name).gradients:
            chain = [factor for factor in row.numerator if factor.wrt != row.symbol.text()]
            assert chain[0].of == "ℓ"
            for before, after in pairwise(chain):
                assert before.wrt == after.of
            for layout in LAYOUTS:
                dims = [factor.dims for factor in row.factors(layout)]
                assert all(a[1] == b[0] for a, b in pairwise(dims))


NAMES = ["plain", 'a_b & 50% #1 {x} \\^~ <|>" $', "名前 \u202e \x1b[31m"]


def documents() -> dict[str, str]:
    found = {name: worksheet_latex(sheet_of(name), LAYOUTS) for name in builtin_names()}
    linear = {"type": "linear", "out": 1}
    for i, name in enumerate(NAMES):
        program = small_program(layers=[linear | {"name": "層_1"}], name=name)
        found[f"name {i}"] = worksheet_latex(worksheet(program), LAYOUTS)
    return found


DOCUMENTS = documents()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_latex_is_balanced_ascii(name: str) -> None:
    document = DOCUMENTS[name]
    assert document.isascii()
    assert document.startswith("\\documentclass")
    assert document.endswith("\\end{document}\n")
    bare = re.sub(r"\\[\\{}$%&#_]", "", document)
    depth = 0
    for c in bare:
        depth += (c == "{") - (c == "}")
        assert depth >= 0
    assert depth == 0
    assert bare.count("$") % 2 == 0
    open_environments: list[str] = []
    for kind, environment in re.findall(r"\\(begin|end)\{(\w+)\}", document):
        if kind == "begin":
            open_environments.append(environment)
        else:
            assert open_environments.pop() == environment
    assert open_environments == []
    for tabular in re.findall(r"\\begin\{tabular\}\{(.*)\}\n(.*)\\tabularnewline", document):
        cells = re.sub(r"\\begin\{(bmatrix|cases)\}.*?\\end\{\1\}", "", tabular[1])
        assert len(re.findall(r"(?<!\\)&", cells)) + 1 == tabular[0].count("p{")
    for formula in re.findall(r"\$([^$]*)\$", bare):
        assert re.search(r"\^(\{[^{}]*\})?\^", formula) is None  # a double superscript


ENGINE = next(filter(shutil.which, ("pdflatex", "xelatex", "lualatex", "tectonic")), None)


@pytest.mark.skipif(ENGINE is None, reason="no LaTeX engine is installed")
@pytest.mark.parametrize("name", DOCUMENTS)
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    assert ENGINE is not None
    file = tmp_path / "worksheet.tex"
    file.write_text(DOCUMENTS[name], encoding="ascii")
    mode = [] if ENGINE == "tectonic" else ["-interaction=nonstopmode", "-halt-on-error"]
    done = subprocess.run(
        [ENGINE, *mode, file.name], cwd=tmp_path, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout[-2000:].decode(errors="replace")
    assert (tmp_path / "worksheet.pdf").stat().st_size > 0
    assert "Overfull" not in done.stdout.decode(errors="replace")


def test_a_matrix_never_stands_within_a_conditional() -> None:
    (fit,) = re.findall(r"newcommand\{\\fit\}.*", DOCUMENTS["iris"])
    assert "#1" not in fit.partition("\\ifdim")[2]  # an & there ends the cell of the table


def test_tables_are_no_wider_than_the_page() -> None:
    document = DOCUMENTS["iris"]
    (page,) = re.findall(r"textwidth\}\{(\d+)cm", document)
    (gap,) = re.findall(r"tabcolsep\}\{(\d+)pt", document)
    for columns in set(re.findall(r"begin\{tabular\}\{(p.*?)\}(?: |$)", document, re.M)):
        widths = [float(width) for width in re.findall(r"p\{([\d.]+)cm", columns)]
        assert sum(widths) + 2 * len(widths) * int(gap) * 2.54 / 72.27 <= float(page)


@pytest.mark.parametrize(
    ("latex", "breaks"),
    [
        (r"a + b", True),
        (r"\operatorname{mean}(x\,\allowbreak {W}^{\top})", True),
        (
            r"{(x\,\allowbreak W - \operatorname{mean}(x\,W + b, \text{axis=(0, 1)}))}^{2} + 1",
            False,
        ),
        (r"\left(a + b\right)", False),
    ],
)
def test_a_long_run_without_a_break_is_told(latex: str, breaks: bool) -> None:
    assert breaks_in_time(latex) is breaks


def test_markdown_tables_have_one_width_each() -> None:
    for name in builtin_names():
        text = worksheet_markdown(sheet_of(name), LAYOUTS)
        tables = [block for block in text.split("\n\n") if block.startswith("|")]
        assert len(tables) == 5
        for block in tables:
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1


def test_markdown_shows_names_as_they_are() -> None:
    linear = {"type": "linear", "out": 1, "name": "a_b"}
    program = small_program(layers=[linear], name="n\n# x|b<i>*x*\x1b")
    text = worksheet_markdown(worksheet(program), LAYOUTS)
    assert text.splitlines()[0] == "# nU+000A\\# x\\|b\\<i\\>\\*x\\*U+001B"
    assert "| a\\_b | x |" in text


def test_numbers_that_are_not_finite_are_named() -> None:
    layers = [{"type": "linear", "out": 1, "weight": [[math.pi, 1e308]], "bias": [1e308]}]
    sheet = worksheet(small_program(layers=layers, data={"x": [[1.0, 10.0]], "y": [[0.0]]}))
    assert "\\infty" in worksheet_latex(sheet, LAYOUTS)
    assert "inf" in worksheet_markdown(sheet, LAYOUTS)
