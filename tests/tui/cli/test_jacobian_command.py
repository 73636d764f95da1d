"""``gradstep jacobian`` and ``gradstep check``."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose
from rich.cells import cell_len

from engine.experiment.builtins import builtin_names
from engine.functions.elementwise.sigmoid import Sigmoid
from tests.engine.small_experiments import built_in
from tests.tui.cli.shell import assert_refused, invoke, shell, strict


def jacobian(*args):
    result = invoke("jacobian", *args, "--json")
    assert result.exit_code == 0, result.output
    return strict(result.stdout)


def test_the_documented_object():
    found = jacobian("regression", "--of", "relu1.out", "--wrt", "linear1.out")
    # W⁽¹⁾x + b⁽¹⁾ of the first row of the file: 0.75, 0.05, -1.35, 0.3
    documented = {
        "of": "relu1.out", "wrt": "linear1.out", "row_shape": [4], "col_shape": [4],
        "dims": [4, 4], "structure": "diagonal", "nonzeros": 4, "dense_bytes": 128,
        "chain": [{"factor": "∂z₂/∂z₁", "dims": [4, 4], "structure": "diagonal"}],
        "window": {"rows": [0, 4], "cols": [0, 4], "values": np.diag([1.0, 1, 0, 1]).tolist()},
    }  # fmt: skip
    assert {key: found[key] for key in documented} == documented


def test_the_gradient_of_a_weight_is_one_row_over_its_rows():
    program = built_in("regression")
    t = program.initial()
    x, y = t["x"][1], t["y"][1]
    z1 = t["linear1.weight"] @ x + t["linear1.bias"]
    yhat = t["linear2.weight"] @ np.maximum(z1, 0) + t["linear2.bias"]
    row = 2 * (yhat - y) @ t["linear2.weight"] * (z1 > 0)
    args = ("regression", "--of", "loss", "--wrt", "linear1.weight", "--sample", 1)
    found = jacobian(*args)
    assert (found["dims"], found["row_shape"], found["col_shape"]) == ([1, 12], [], [4, 3])
    assert [one["dims"] for one in found["chain"]] == [[1, 2], [2, 2], [2, 4], [4, 4], [4, 12]]
    assert_allclose(found["window"]["values"], [np.outer(row, x).reshape(-1)])
    assert found["matrix"]["dims"] == [3, 4]
    assert_allclose(found["matrix"]["values"], np.outer(x, row))
    turned = jacobian(*args, "--layout", "gradient")
    assert (turned["dims"], turned["matrix"]["dims"]) == ([12, 1], [4, 3])
    assert_allclose(turned["matrix"]["values"], np.outer(row, x))
    assert turned["chain"][0]["factor"] == "(∂z₁/∂W⁽¹⁾)ᵀ"


def test_batch_and_window():
    args = ("regression", "--of", "linear1.out", "--wrt", "linear1.weight", "--batch")
    found = jacobian(*args, "--window", "4:8,3:6")
    x = built_in("regression").initial()["x"]
    assert (found["dims"], found["sample"], found["structure"]) == ([16, 12], None, "kronecker")
    assert (found["window"]["rows"], found["window"]["cols"]) == ([4, 8], [3, 6])
    assert_allclose(found["window"]["values"], np.outer([0, 1, 0, 0], x[1]))
    open_ended = jacobian(*args, "--window", "14:,:2")["window"]
    assert (open_ended["rows"], open_ended["cols"]) == ([14, 16], [0, 2])


def test_without_values_the_dimensions_are_there():
    result = invoke("jacobian", "iris", "--of", "loss", "--wrt", "linear1.weight", "--at", "i2",
                    "--json")  # fmt: skip
    found = strict(result.stdout)
    assert (result.exit_code, found["window"], found["dims"]) == (0, None, [1, 32])
    assert "go to i2:loss" in found["missing"]
    assert "no values: ŷ (linear2.out) is not computed yet" in result.stderr


def test_infinities_are_strings():
    args = ("bug-exploding", "--of", "loss", "--wrt", "linear1.weight", "--batch", "--at")
    found = jacobian(*args, "end")
    flat = found["window"]["values"][0]
    assert any(value in ("NaN", "Infinity", "-Infinity") for value in flat)


@pytest.mark.parametrize("layout", ["numerator", "gradient"])
@pytest.mark.parametrize("name", builtin_names())
def test_a_pipe_is_80_columns_wide(name, layout):
    parameter = built_in(name).parameters[0].name
    args = (name, "--of", "loss", "--wrt", parameter, "--layout", layout)
    result = invoke("jacobian", *args)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert max(cell_len(line) for line in lines) <= 80
    assert re.search(r"^structure  (dense|diagonal)", result.stdout, re.M)
    assert lines[-1].startswith("rows 0:")
    assert "\x1b" not in result.stdout


def test_what_people_read():
    text = shell("jacobian", "regression", "--of", "loss", "--wrt", "linear1.weight").stdout
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "∂ℓ/∂W⁽¹⁾  loss by linear1.weight"
    assert "dims       1×12, as a matrix 3×4" in lines
    assert "(1×2)    (2×2)      (2×4)     (4×4)      (4×12)" in lines
    assert "dense   identity    dense    diagonal   kronecker" in lines
    assert "rows 0:3 of 3, columns 0:4 of 4" in lines


def test_zero_says_why():
    text = invoke("jacobian", "regression", "--of", "linear1.out", "--wrt", "yhat").stdout
    assert "zero; 0 of 8 entries" in text
    assert "z₁ is computed before ŷ comes in" in text


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--of", "lss", "--wrt", "x"), ["no tensor 'lss'", "did you mean 'loss'"]),
        (("--of", "loss", "--wrt", "relu1.out.grad"), ["--of loss --wrt relu1.out"]),
        (("--of", "loss", "--wrt", "x", "--sample", 4), ["no sample 4", "from 0 to 3"]),
        (("--of", "loss", "--wrt", "x", "--sample", 1, "--batch"), ["exclude each other"]),
        (("--of", "loss", "--wrt", "x", "--window", "0:1"), ["0:4,0:20"]),
        (("--of", "loss", "--wrt", "x", "--window", "0:2,0:3"), ["has 1 rows, 0:1"]),
        (("--of", "loss", "--wrt", "x", "--at", "i1", "--window", "0:1,0:3"), ["go to i1:loss"]),
        (("--of", "loss", "--wrt", "x", "--at", "i99"), ["i99", "iterations"]),
        (("--of", "loss"), ["--wrt"]),
    ],
)
def test_wrong_requests_are_refused(args, words):
    assert_refused(invoke("jacobian", "regression", *args), *words)


def test_a_window_has_a_limit(monkeypatch):
    monkeypatch.setattr("engine.chain.query.MOST", 1000)
    args = ("digits", "--of", "linear1.out", "--wrt", "linear1.weight", "--batch")
    refused = invoke("jacobian", *args, "--window", "0:2048,0:2048")
    assert_refused(refused, "a window of 4,194,304 entries: look at 1,000 at most")
    assert len(jacobian(*args, "--window", "0:1000,7:8")["window"]["values"]) == 1000


def test_check_in_json():
    result = invoke("check", "iris", "--json")
    found = strict(result.stdout)
    assert (result.exit_code, found["passed"], found["mode"]) == (0, True, "every element")
    assert [one["name"] for one in found["parameters"]] == [
        "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias",
    ]  # fmt: skip
    first = found["parameters"][0]
    assert (first["shape"], first["checked"], len(first["worst"]["index"])) == ([8, 4], 32, 2)
    assert first["relative_error"] < first["tolerance"] == 1e-5
    assert first["worst"]["analytic"] == pytest.approx(first["worst"]["numeric"], rel=1e-5)


def test_check_at_a_position():
    here = strict(invoke("check", "regression", "--at", "e3", "--json").stdout)
    start = strict(invoke("check", "regression", "--json").stdout)
    assert (here["passed"], here["position"][:3]) == (True, "i7:")
    assert here["loss"] < start["loss"]


def test_check_says_no(monkeypatch):
    monkeypatch.setattr(Sigmoid, "pull", lambda _, grad, at: 2 * grad * at * (1 - at))
    result = invoke("check", "classification-relu")
    assert result.exit_code == 1
    assert "linear2.weight: analytic = 2 × numeric: a reduction?" in result.stdout
    assert "4 of 4 gradients are wrong" in result.stdout
    found = strict(invoke("check", "classification-relu", "--json").stdout)
    assert not found["passed"]
    assert [one["ratio"] for one in found["parameters"]] == pytest.approx([2.0] * 4)


@pytest.mark.parametrize("name", builtin_names())
def test_check_for_people_fits_a_pipe(name):
    result = invoke("check", name)
    assert (result.exit_code, "every gradient agrees" in result.stdout) == (0, True)
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 80


def test_check_of_a_wrong_position_is_refused():
    assert_refused(invoke("check", "regression", "--at", "nowhere"), "nowhere")
