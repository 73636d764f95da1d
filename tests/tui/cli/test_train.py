"""``gradstep train``."""

import os
import pty
import re
import signal
import subprocess

import numpy as np
import pytest

from engine.diagnostics.doctor import Doctor
from engine.measure.metrics import evaluate
from engine.session.session import Session
from tests.engine.small_experiments import built_in, program, session_of
from tests.tui.cli.shell import (
    COMMAND,
    assert_refused,
    environment,
    invoke,
    read_until,
    shell,
    strict,
)
from tui.cli.train import looked_at
from tui.cli.train_summary import confusion_lines


def test_the_result_is_that_of_the_session():
    result = strict(invoke("train", "iris", "--json").stdout)
    session = session_of("iris")
    session.goto(session.program.timeline.end)
    assert result == {
        "experiment": "iris",
        "iterations": 200,
        "epochs": 20.0,
        "loss": float(session.tensors["loss"]),
        "metrics": evaluate(session.program, session.tensors),
        "confusion": [[50, 0, 0], [0, 50, 0], [0, 4, 46]],
        "diagnostics": result["diagnostics"],
        "non_finite": None,
        "stopped": None,
        "interrupted": False,
    }


def test_what_the_doctor_finds_stands_at_the_end():
    result = strict(invoke("train", "bug-no-zero-grad", "--json").stdout)
    doctor = Doctor(built_in("bug-no-zero-grad"))
    assert list(doctor.run(30))[-1] == 30
    told = [(one["name"], one["severity"], one["event"]) for one in result["diagnostics"]]
    assert told == [(one.name, one.severity, one.event) for one in doctor.findings()]
    assert told[0][:2] == ("accumulated-gradients", "serious")
    last = invoke("train", "bug-no-zero-grad").stdout.splitlines()[-1]
    assert re.split(r"\s{2,}", last)[:2] == [
        "serious",
        "Gradients pile up from iteration to iteration (linear2.weight.grad, #24",
    ]


def test_a_long_run_is_watched_at_its_beginning_only():
    short, long = (
        strict(invoke("train", "xor", "--json", "--iterations", n).stdout) for n in (299, 700)
    )
    assert long["iterations"] == 700
    assert long["loss"] < short["loss"]
    session = Session(built_in("xor").lasting(700))
    session.goto(session.program.timeline.end)
    assert long["loss"] == session.losses[-1]


@pytest.mark.parametrize(
    ("name", "least"), [("iris", 0.96), ("digits", 0.95), ("classification-relu", 0.9)]
)
def test_real_data_is_learnt(name, least):
    assert strict(invoke("train", name, "--json").stdout)["metrics"]["accuracy"] >= least


@pytest.mark.parametrize(
    ("args", "iterations"),
    [(["--iterations", 7], 7), (["--epochs", 2], 20), (["--epochs", 30], 300), ([], 200)],
)
def test_how_long(args, iterations):
    result = strict(invoke("train", "iris", "--json", *args).stdout)
    assert (result["iterations"], result["epochs"]) == (iterations, iterations / 10)


def test_a_summary_for_people():
    done = shell("train", "iris")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [re.split(r"\s{2,}", line) for line in done.stdout.splitlines()]
    assert rows[:2] == [["experiment", "iris"], ["iterations", "200 (20 epochs)"]]
    assert [row[0] for row in rows[2:5]] == [
        "loss of the last batch",
        "loss on all rows",
        "accuracy on all rows",
    ]
    assert rows[5:] == [
        ["confusion on all rows: a row for each class, a column for each answer"],
        ["", "setosa", "versicolor", "virginica"],
        ["setosa", "50", "0", "0"],
        ["versicolor", "0", "50", "0"],
        ["virginica", "0", "4", "46"],
    ]


SPIRAL = """
[data]
generate = "moons"
validation = 0.25
[[layers]]
type = "linear"
out = 2
[loss]
type = "cross_entropy"
"""


def test_rows_set_aside_are_told_apart(tmp_path):
    file = tmp_path / "moons.toml"
    file.write_text(SPIRAL)
    result = strict(invoke("train", file, "--json").stdout)
    program = built_in(str(file))
    session = Session(program)
    session.goto(program.timeline.end)
    aside = result["validation"]
    assert aside["rows"] == 50
    assert result["metrics"] == evaluate(program, session.tensors)
    assert aside["metrics"] == evaluate(program, session.tensors, data=program.data.validation)
    assert aside["metrics"] != result["metrics"]
    assert (np.sum(result["confusion"]), np.sum(aside["confusion"])) == (150, 50)
    text = invoke("train", file).stdout
    assert f"{'loss on training rows':29}{result['metrics']['loss']:.6g}\n" in text
    assert f"{'accuracy on validation rows':29}{aside['metrics']['accuracy']:.2%}\n" in text
    assert "confusion on validation rows" in text


def test_a_confusion_matrix_too_wide_for_a_line_is_in_the_json_only():
    assert (
        len(strict(invoke("train", "digits", "--json", "--iterations", 1).stdout)["confusion"])
        == 10
    )
    wide = [[10**7] * 10] * 10
    assert not list(confusion_lines(wide, (), "all"))
    assert len(list(confusion_lines([[1] * 10] * 10, (), "all"))) == 12


def test_regression_has_no_accuracy():
    result = strict(invoke("train", "regression", "--json").stdout)
    assert list(result["metrics"]) == ["loss", "r2", "mae"]
    assert "confusion" not in result
    assert "accuracy" not in invoke("train", "regression").stdout


def test_a_loss_that_explodes_is_a_string():
    result = strict(invoke("train", "bug-exploding", "--json", "--iterations", 500).stdout)
    assert result["loss"] == result["metrics"]["loss"] == "NaN"


def test_a_run_to_nan_says_so_and_where_the_first_one_was_made():
    done = invoke("train", "bug-exploding", "--json", "--iterations", 500)
    result = strict(done.stdout)
    assert (done.exit_code, result["stopped"]) == (0, None)
    session = session_of("bug-exploding", result["non_finite"]["event"])
    assert all(np.isfinite(value).all() for value in session.tensors.values())
    session.step()
    event = session.last_event()
    assert not np.isfinite(event.after[0]).all()
    assert result["non_finite"]["tensor"] == event.op.writes[0]
    assert "NaN or infinity" in invoke("train", "bug-exploding", "--iterations", 500).stdout


LATE = """
[data]
x = [[1.0], [1.5]]
y = [[0.0], [0.0]]
[[layers]]
type = "linear"
out = 1
[loss]
type = "mse"
[optimizer]
type = "sgd"
lr = 0.75
[training]
epochs = 2000
"""


def test_a_nan_that_comes_after_the_doctor_has_gone(tmp_path):
    file = tmp_path / "late.toml"
    file.write_text(LATE)
    result = strict(invoke("train", file, "--json").stdout)
    iteration = int(re.search(r"iteration (\d+)", result["non_finite"]["place"])[1])
    assert iteration > 300
    assert "non-finite" not in {one["name"] for one in result["diagnostics"]}
    stopped = strict(invoke("train", file, "--json", "--fail-on", "nan").stdout)
    assert stopped["iterations"] in (iteration, iteration - 1)
    assert stopped["stopped"] == "nan"


@pytest.mark.parametrize(
    ("name", "on", "status"),
    [
        ("bug-exploding", "nan", 1),
        ("bug-exploding", "serious", 1),
        ("bug-missing-value", "nan", 1),
        ("bug-dead-relu", "nan", 0),
        ("bug-dead-relu", "serious", 1),
        ("iris", "nan", 0),
        ("iris", "serious", 0),
        ("digits", "serious", 0),
    ],
)
def test_fail_on_stops_with_status_one(name, on, status):
    done = invoke("train", name, "--fail-on", on, "--json")
    result = strict(done.stdout)
    program = built_in(name)
    assert (done.exit_code, result["stopped"]) == (status, on if status else None)
    assert (result["iterations"] < program.timeline.iterations) == bool(status)
    if status:
        assert "stopped" in invoke("train", name, "--fail-on", on).stdout


def test_fail_on_takes_two_words():
    assert_refused(invoke("train", "iris", "--fail-on", "warning"), "--fail-on", "nan", "serious")


def start(*args, stderr):
    return subprocess.Popen(
        [*COMMAND, *args],
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment(TERM="xterm", COLUMNS="100"),
        encoding="utf-8",
        # A shell starts its background jobs, and so their tests, with Ctrl-C ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def test_ctrl_c_leaves_a_summary():
    ours, theirs = pty.openpty()
    with start("train", "regression", "--iterations", "100000000", "--json", stderr=theirs) as run:
        os.close(theirs)
        assert b"loss" in read_until(ours, b"loss")
        run.send_signal(signal.SIGINT)
        drain(ours)
        result = strict(run.stdout.read())
    assert run.returncode == 130
    assert result["interrupted"] is True
    assert 0 < result["iterations"] < 100_000_000
    assert result["loss"] >= 0


def drain(terminal):
    """Read until the other side is closed."""
    text = b""
    try:
        while part := os.read(terminal, 65536):
            text += part
    except OSError:  # what Linux answers when nobody holds the other side any more
        pass
    os.close(terminal)
    return text.decode()


def test_the_bar_is_on_stderr_where_that_is_a_terminal():
    ours, theirs = pty.openpty()
    with start("train", "iris", "--json", stderr=theirs) as run:
        os.close(theirs)
        shown = drain(ours)
        result = strict(run.stdout.read())
    assert run.returncode == 0
    assert "200/200" in shown
    assert "accuracy 100.0%" in shown or "accuracy 9" in shown
    assert f"loss {result['loss']:.4g}" in shown


def test_of_a_large_network_the_doctor_sees_less():
    """Else it costs half as much again as the training it watches."""
    assert looked_at(built_in("xor")) > 300
    wide = program(layers=[{"type": "linear", "out": 2**17}, {"type": "linear", "out": 1}])
    assert looked_at(wide) == 8
