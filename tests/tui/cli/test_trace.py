"""``gradstep trace``: a table for people, strict JSON lines for programs."""

import os
import subprocess

import pytest
from rich.cells import cell_len

from engine import __version__
from engine.experiment.builtins import builtin_names
from tests.tui.cli.shell import COMMAND, assert_refused, environment, invoke, lines, shell, strict

PHASES = ["zero_grad", "forward", "loss", "backward", "update"]


def test_the_header_comes_first():
    header, *events = lines(invoke("trace", "regression", "--json").stdout)
    assert header == {
        "gradstep": __version__,
        "experiment": "regression",
        "parameters": [
            {"name": "linear1.weight", "shape": [4, 3]},
            {"name": "linear1.bias", "shape": [4]},
            {"name": "linear2.weight", "shape": [2, 4]},
            {"name": "linear2.bias", "shape": [2]},
        ],
        "ops": len(events),
    }
    assert [event["event"] for event in events] == list(range(len(events)))


def test_epochs_and_iterations_count_from_one_and_iterations_run_on():
    lines_ = lines(
        invoke(
            "trace", "regression", "--json", "--iterations", 7, "--granularity", "iteration"
        ).stdout
    )[1:]
    places = [(line["epoch"], line["iteration"]) for line in lines_]
    assert places == [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5), (2, 6), (3, 7)]


def test_an_event_as_the_contract_shows_it():
    events = lines(invoke("trace", "regression", "--json", "--values").stdout)[1:]
    (event,) = [e for e in events if e["phase"] == "backward" and e["op"] == "linear2.weight.grad"]
    (write,) = event.pop("writes")
    assert event == {
        "event": 11,
        "epoch": 1,
        "iteration": 1,
        "phase": "backward",
        "op": "linear2.weight.grad",
        "layer": "linear2",
        "formula": "∂ℓ/∂W⁽²⁾ += (∂ℓ/∂z₃)ᵀ z₂",
        "reads": ["linear2.out.grad", "relu1.out"],
        "loss": events[8]["loss"],
    }
    assert (write["name"], write["shape"], write["dtype"]) == event_write("linear2.weight.grad")
    assert write["before"] == [[0.0] * 4] * 2
    assert [len(row) for row in write["after"]] == [4, 4]


def event_write(name):
    return name, [2, 4], "float64"


def test_the_first_loss_by_hand():
    # ŷ − y of the first batch is (−.5, −.18), (−.53, −1.155), (−.405, −.345), (.19, −.145).
    residuals = [-0.5, -0.18, -0.53, -1.155, -0.405, -0.345, 0.19, -0.145]
    (_, line) = lines(invoke("trace", "regression", "--json", "--granularity", "iteration").stdout)
    assert line["loss"] == pytest.approx(sum(r * r for r in residuals), rel=1e-14)


@pytest.mark.parametrize("name", builtin_names())
def test_json_is_strict_for_every_experiment(name):
    found = lines(invoke("trace", name, "--json", "--values").stdout)
    assert found[0]["ops"] == len(found) - 1
    phases = list(dict.fromkeys(event["phase"] for event in found[1:]))
    assert phases == [phase for phase in PHASES if phase in phases]


def test_a_loss_that_explodes_is_a_string():
    last = lines(invoke("trace", "bug-exploding", "--json", "--iterations", 500).stdout)[-1]
    assert last["loss"] == "NaN"


def test_more_iterations_than_the_file_has_epochs_for():
    run = ("trace", "regression", "--json", "--granularity", "iteration", "--iterations", 40)
    assert len(lines(invoke(*run).stdout)) == 41


@pytest.mark.parametrize("name", builtin_names())
@pytest.mark.parametrize("values", [[], ["--values"]])
def test_a_pipe_is_80_columns_wide(name, values):
    text = invoke("trace", name, *values).stdout
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "…" not in text
    assert "\x1b" not in text


def test_a_row_for_people():
    rows = [line.rstrip() for line in shell("trace", "regression").stdout.splitlines()]
    assert (
        " 8  loss                 ℓ = Σ (ŷ − y)²              ()                   2.2375" in rows
    )
    assert "    iteration 1, epoch 1" in rows
    assert "    backward  loss.backward()" in rows


def test_values_of_small_tensors_for_people():
    rows = [row.strip() for row in shell("trace", "regression", "--values").stdout.splitlines()]
    at = rows.index("x (4, 3)")
    assert [float(cell) for cell in rows[at + 1].split()] == [0.5, -1.0, 2.0]
    assert "0.7500   0.0500  -1.3500   0.3000" in rows  # z₁ of the first sample


@pytest.mark.parametrize(("size", "rows"), [("phase", 10), ("iteration", 2)])
def test_a_row_for_each_larger_step(size, rows):
    text = shell("trace", "regression", "--iterations", 2, "--granularity", size).stdout
    assert len(text.splitlines()) == 2 + rows


def test_a_wide_terminal_shows_more():
    narrow = shell("trace", "deep-sigmoid").stdout
    wide = shell("trace", "deep-sigmoid", COLUMNS="160").stdout
    assert "(16, 16) → (16, 16)" in wide
    assert "→" not in narrow


def test_a_reader_that_goes_away_is_no_error():
    with subprocess.Popen(
        [*COMMAND, "trace", "digits", "--json", "--iterations", "200"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
    ) as process:
        assert strict(process.stdout.readline())["experiment"] == "digits"
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize("size", ["op", "phase", "iteration"])
def test_nor_for_people(size):
    with subprocess.Popen(
        [*COMMAND, "trace", "xor", "--iterations", "2000", "--granularity", size],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
    ) as process:
        assert process.stdout.readline() == "xor\n"
        process.stdout.close()
        errors = process.stderr.read()
    assert (process.returncode, errors) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_is_one_message():
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "trace", "regression", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "gradstep: output: No space left on device\n"


def test_json_is_utf8_whatever_the_terminal_says():
    plain = shell("trace", "regression", "--json")
    ascii_only = shell("trace", "regression", "--json", PYTHONIOENCODING="ascii")
    assert ascii_only.stdout == plain.stdout
    assert "∂ℓ/∂ŷ" in plain.stdout


def test_a_terminal_without_these_characters_gets_escapes():
    done = shell("trace", "regression", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert r"\u2202\u2113" in done.stdout


def test_the_option_for_steps_has_three_values():
    assert_refused(invoke("trace", "xor", "--granularity", "ops"), "'op', 'phase', 'iteration'")
