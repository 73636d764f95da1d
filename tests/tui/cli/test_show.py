"""``gradstep show``."""

import pytest
from rich.cells import cell_len

from engine.experiment.builtins import builtin_names
from tests.tui.cli.shell import invoke, shell, strict


def test_iris_in_numbers():
    shown = strict(invoke("show", "iris", "--json").stdout)
    # A 4 → 8 → 3 network in float64, momentum for each parameter; batches of 15 of 150 rows.
    assert [(p["name"], p["shape"], p["count"]) for p in shown["parameters"]] == [
        ("linear1.weight", [8, 4], 32),
        ("linear1.bias", [8], 8),
        ("linear2.weight", [3, 8], 24),
        ("linear2.bias", [3], 3),
    ]
    assert shown["memory"]["parameters"] == 67 * 8
    outputs = 15 * (8 + 8 + 3)
    # outputs and their gradients, loss, gradients of parameters, parameters and momentum
    assert shown["memory"]["iteration"] == 8 * (2 * outputs + 1 + 3 * 67)
    assert (shown["rows"], shown["batch_size"], shown["batches"]) == (150, 15, 10)
    assert shown["iterations"] == 10 * shown["epochs"]
    assert shown["events"] == shown["iterations"] * len(shown["ops"])
    optimizer = {key: shown["optimizer"][key] for key in ("type", "lr", "momentum", "nesterov")}
    assert optimizer == {"type": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": False}
    plain = {"weight": [], "ignore_index": None, "label_smoothing": 0.0}
    named = {"type": "cross_entropy", "reduction": "mean", "scale": 1.0}
    assert shown["loss"] == named | plain


def test_ops_have_the_shapes_of_what_they_read_and_write():
    ops = strict(invoke("show", "regression", "--json").stdout)["ops"]
    assert [op["index"] for op in ops] == list(range(len(ops)))
    (first,) = [op for op in ops if op["phase"] == "forward" and op["layer"] == "linear1"]
    assert [(t["name"], t["shape"]) for t in first["reads"]] == [
        ("x", [4, 3]),
        ("linear1.weight", [4, 3]),
        ("linear1.bias", [4]),
    ]
    assert [(t["name"], t["shape"]) for t in first["writes"]] == [("linear1.out", [4, 4])]


def test_frozen_parameters_are_marked():
    shown = strict(invoke("show", "bug-frozen", "--json").stdout)
    updated = {op["op"] for op in shown["ops"] if op["phase"] == "update"}
    frozen = {p["name"] for p in shown["parameters"] if p["frozen"]}
    assert frozen == {p["name"] for p in shown["parameters"]} - updated != set()
    assert invoke("show", "bug-frozen").stdout.count(" frozen") >= len(frozen)


@pytest.mark.parametrize("name", builtin_names())
def test_a_pipe_is_80_columns_wide(name):
    text = invoke("show", name).stdout
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "\x1b" not in text
    for phase in ("forward", "loss", "backward", "update"):
        assert f" {phase}  " in text


def test_the_listing_of_the_homework():
    text = shell("show", "regression").stdout
    rows = [line.split(maxsplit=2) for line in text.splitlines()]
    assert ["4", "linear1.out", "z₁ = x W⁽¹⁾ᵀ + b⁽¹⁾         (4, 3) → (4, 4)"] in rows
    assert ["backward", "loss.backward()"] in rows
    assert ["linear1.weight", "W⁽¹⁾", "(4, 3)     12"] in [[c.strip() for c in r] for r in rows]
    assert ["all", "26"] in rows


def test_the_name_and_description_of_a_file_are_only_text(tmp_path):
    file = tmp_path / "x.toml"
    assert invoke("new", file).exit_code == 0
    hostile = '"[red]a[/b]\\u001b[2J\\u202e"'
    file.write_text(f"name = {hostile}\n" + file.read_text("utf-8"), "utf-8")
    text = invoke("show", file).stdout
    assert text.startswith("[red]a[/b]\\x1b[2J\\u202e\n")
    raw = invoke("show", file, "--json").stdout
    assert not {"\x1b", "\u202e"} & set(raw)
    assert strict(raw)["experiment"] == "[red]a[/b]\x1b[2J\u202e"


def test_what_the_layers_cost():
    shown = strict(invoke("show", "iris", "--layers", "--json").stdout)
    first, relu, last = shown["layers"]
    assert (first["parameters"], first["forward"], first["backward"]) == (40, 15 * 32, 15 * 32)
    assert (relu["parameters"], relu["forward"]) == (0, 0)
    assert (last["backward"], last["output_bytes"]) == (2 * 15 * 24, 15 * 3 * 8)
    (weight,) = [cost for cost in shown["jacobians"] if cost["wrt"] == "linear1.weight"]
    assert (weight["dims"], weight["structure"]) == ([15 * 8, 32], "kronecker")
    assert (weight["nonzeros"], weight["dense_bytes"]) == (15 * 32, 15 * 8 * 32 * 8)
    text = shell("show", "iris", "--layers").stdout
    assert "∂z₁/∂W⁽¹⁾" in text
    assert all(cell_len(line) <= 80 for line in text.splitlines())
