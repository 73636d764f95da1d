"""``gradstep overfit`` and ``gradstep rates``."""

import os
import pty
import signal
import subprocess

import pytest

from engine.diagnostics.one_batch import Attempt
from engine.diagnostics.range_test import RangeTester
from tests.engine.small_experiments import built_in
from tests.tui.cli.shell import COMMAND, assert_refused, environment, invoke, read_until, strict

SLOW = """
[data]
generate = "moons"
samples = 5000
[[layers]]
type = "linear"
out = 400
[[layers]]
type = "linear"
out = 400
[[layers]]
type = "linear"
out = 2
[loss]
type = "cross_entropy"
[optimizer]
type = "sgd"
lr = 1e-9
"""


def test_yes_and_no_are_the_exit_status():
    yes, no = invoke("overfit", "xor"), invoke("overfit", "bug-dead-relu", "--iterations", 50)
    assert (yes.exit_code, no.exit_code) == (0, 1)
    assert yes.stdout.splitlines()[-1].startswith("xor: yes, it learns 4 rows by heart in")
    assert "bug-dead-relu: no, not in 50 iterations" in no.stdout
    assert "serious: ReLU units are off for every sample" in no.stdout


def test_overfit_as_json():
    attempt = Attempt(built_in("iris"))
    for _ in attempt.run():
        pass
    expected = attempt.result()
    result = strict(invoke("overfit", "iris", "--json").stdout)
    assert result == {
        "experiment": "iris",
        "learnt": True,
        "rows": 15,
        "iterations": expected.iterations,
        "loss": {
            "first": expected.first,
            "lowest": expected.lowest,
            "possible": expected.floor,
            "constant": expected.constant,
        },
        "left": expected.share,
        "findings": [
            {"name": one.name, "severity": one.severity, "evidence": one.evidence}
            for one in expected.findings
        ],
        "interrupted": False,
    }


def test_a_loss_without_a_lowest_value_says_so():
    done = invoke("overfit", "bug-nll-scores", "--iterations", 5)
    assert done.exit_code == 1
    assert "no lowest value" in done.stdout
    missing = strict(invoke("overfit", "bug-missing-value", "--json").stdout)
    assert (missing["learnt"], missing["loss"]["first"]) == (False, None)


def test_rates_as_json():
    tester = RangeTester(built_in("digits"))
    for _ in tester.run():
        pass
    expected = tester.result()
    done = invoke("rates", "digits", "--json")
    result = strict(done.stdout)
    assert done.exit_code == 0
    assert (result["rate"], result["lowest"]) == (expected.rate, expected.lowest)
    assert result["losses"] == expected.losses.tolist()
    assert len(result["losses"]) == len(result["rates"]) + 1
    assert result["lr"] == 0.1


def test_rates_for_people():
    done = invoke("rates", "iris")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[-1] == "iris: begin with a learning rate of 0.053"
    assert lines[10].split()[0] == "rate"
    assert any("⠒" in line for line in lines[:10])
    still = invoke("rates", "iris", "--to", "0.05", "--steps", "40").stdout
    assert "a larger --to shows more" in still


def test_no_rate_is_the_answer_no():
    assert invoke("rates", "bug-dead-relu").exit_code in (0, 1)
    done = invoke("rates", "bug-missing-value")
    assert done.exit_code == 1
    assert "no rate lowers the loss" in done.stdout
    blown = strict(invoke("rates", "bug-missing-value", "--json").stdout)
    assert blown["rate"] is None
    assert blown["losses"][0] == "NaN"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["rates", "iris", "--from", "1", "--to", "0.1"], ["--from 1", "--to 0.1"]),
        (["rates", "iris", "--from", "0"], ["--from"]),
        (["rates", "iris", "--from", "nan"], ["--from"]),
        (["rates", "iris", "--steps", "1"], ["--steps"]),
        (["overfit", "iris", "--iterations", "0"], ["--iterations"]),
        (["overfit", "nothing-there"], ["nothing-there"]),
        (["rates", "nothing-there"], ["nothing-there"]),
    ],
)
def test_what_cannot_be_served(args, words):
    assert_refused(invoke(*args), *words)


@pytest.mark.parametrize(
    "words", [["overfit", "--iterations", "100000"], ["rates", "--steps", "10000"]]
)
def test_a_bar_after_a_second_and_ctrl_c_leaves_a_result(words, tmp_path):
    file = tmp_path / "slow.toml"
    file.write_text(SLOW)
    ours, theirs = pty.openpty()
    run = subprocess.Popen(
        [*COMMAND, words[0], str(file), *words[1:], "--json"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment(TERM="xterm", COLUMNS="100"),
        encoding="utf-8",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with run:
        os.close(theirs)
        read_until(ours, "━".encode())
        run.send_signal(signal.SIGINT)
        said = read_until(ours, b"iterations")
        result = strict(run.stdout.read())
    os.close(ours)
    assert run.returncode == 130
    assert b"interrupted after" in said
    assert result["interrupted"] is True
