"""``gradstep diagnose``."""

import json
import re

import pytest

from engine.diagnostics.doctor import diagnose
from engine.experiment.builtins import BUILTINS
from tests.engine.small_experiments import built_in
from tests.tui.cli.shell import assert_refused, invoke, shell, strict

KEYS = [
    "name",
    "title",
    "severity",
    "certainty",
    "subject",
    "event",
    "place",
    "evidence",
    "numbers",
    "cause",
    "remedy",
    "follows",
]


def edited(tmp_path, *changes, name="regression"):
    """A built-in with some of its text replaced, as a file."""
    text = (BUILTINS / f"{name}.toml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "edited.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(("name", "status"), [("xor", 0), ("regression", 0), ("bug-frozen", 1)])
def test_the_exit_status_is_1_when_anything_serious_is_found(name, status):
    assert invoke("diagnose", name).exit_code == status
    assert invoke("diagnose", name, "--json").exit_code == status


def test_json_is_what_the_engine_finds():
    result = strict(invoke("diagnose", "bug-exploding", "--json").stdout)
    found = diagnose(built_in("bug-exploding"), 30)
    assert {key: result[key] for key in ("experiment", "iterations", "serious", "refused")} == {
        "experiment": "bug-exploding",
        "iterations": 30,
        "serious": 1,
        "refused": False,
    }
    assert [list(one) for one in result["findings"]] == [KEYS] * len(found)
    for told, one in zip(result["findings"], found, strict=True):
        assert (told["name"], told["event"], told["place"]) == (one.name, one.event, one.place)
        assert told["follows"] == (one.follows or None)
    rising = result["findings"][0]
    assert rising["numbers"]["last"] == "NaN"
    assert rising["numbers"]["largest_stable"] < rising["numbers"]["lr"] == 0.25


@pytest.mark.parametrize("columns", [None, "200", "60"])
def test_text_fits_and_has_every_part(columns):
    done = shell("diagnose", "bug-no-zero-grad", **({"COLUMNS": columns} if columns else {}))
    assert (done.returncode, done.stderr) == (1, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= min(100, int(columns or 80))
    assert lines[0] == "serious: Gradients pile up from iteration to iteration"
    labels = re.findall(r"^  (\w+)", done.stdout[: done.stdout.index("\n\n")], re.MULTILINE)
    assert labels == ["name", "evidence", "event", "cause", "remedy"]
    assert "#24  iteration 2, backward," in done.stdout
    assert lines[-1] == "bug-no-zero-grad: 1 serious, 7 notes (30 iterations)"


def test_nothing_wrong_says_so():
    assert invoke("diagnose", "xor").stdout == "xor: nothing is wrong (100 iterations)\n"


def test_findings_of_one_kind_are_told_together():
    told = invoke("diagnose", "deep-sigmoid").stdout
    assert told.count("The updates are out of proportion") == 1
    assert told.count("linear3.weight: ‖ΔW‖") == 1


def test_iterations_beyond_the_file_and_below():
    few = strict(invoke("diagnose", "bug-no-zero-grad", "--iterations", 1, "--json").stdout)
    assert (few["iterations"], few["serious"]) == (1, 0)
    more = strict(invoke("diagnose", "xor", "--iterations", 130, "--json").stdout)
    assert more["iterations"] == 130


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        (
            [("epochs = 10", 'order = ["forward", "loss", "backward", "zero_grad", "update"]')],
            "zero-grad-before-update",
        ),
        (
            [("epochs = 10", 'order = ["update", "zero_grad", "forward", "loss", "backward"]')],
            "update-before-backward",
        ),
        ([("epochs = 10", 'skip = ["forward", "loss"]')], "backward-without-forward"),
        ([('reduction = "sum"', 'reduction = "none"')], "loss-not-scalar"),
    ],
)
def test_a_refused_file_is_diagnosed(tmp_path, changes, name):
    path = edited(tmp_path, *changes)
    assert_refused(invoke("show", path))
    result = invoke("diagnose", path, "--json")
    assert result.exit_code == 1
    told = strict(result.stdout)
    assert told["refused"] is True
    assert told["iterations"] == 0
    assert name in [one["name"] for one in told["findings"]]
    assert all(one["event"] is None and one["severity"] == "serious" for one in told["findings"])
    text = invoke("diagnose", path)
    assert text.exit_code == 1
    assert "refused before anything runs" in text.stdout


def test_a_target_that_would_broadcast(tmp_path):
    path = tmp_path / "broadcast.toml"
    path.write_text(
        "[data]\nx = [[1.0], [2.0]]\ny = [1.0, 2.0]\n"
        '[[layers]]\ntype = "linear"\nout = 1\n[loss]\ntype = "mse"\n'
    )
    told = strict(invoke("diagnose", path, "--json").stdout)
    assert [one["name"] for one in told["findings"]] == ["broadcasting-target"]
    assert "(2,) against (2, 1) would broadcast to (2, 2)" in told["findings"][0]["evidence"]


def test_other_problems_of_a_refused_file_are_told_too(tmp_path):
    changes = [('reduction = "sum"', 'reduction = "none"'), ("lr = 0.05", "lr = -1")]
    result = invoke("diagnose", edited(tmp_path, *changes))
    assert result.exit_code == 1
    assert "also refused: optimizer.lr: " in result.stdout


def test_what_is_no_mistake_of_the_loop_is_refused_as_ever(tmp_path):
    assert_refused(invoke("diagnose", edited(tmp_path, ("lr = 0.05", "lr = -1"))), "optimizer.lr")
    assert_refused(invoke("diagnose", "no-such"), "no-such")
    assert_refused(invoke("diagnose", "xor", "--iterations", 0), "--iterations")


def test_names_from_files_are_shown_with_escapes(tmp_path):
    hostile = r"evil\u001b[31m\u202e[/b]"
    path = edited(tmp_path, ('name = "bug-frozen"', f'name = "{hostile}"'), name="bug-frozen")
    told = invoke("diagnose", path).stdout
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert r"evil\x1b[31m\u202e[/b]: 2 serious" in told
    assert json.loads(invoke("diagnose", path, "--json").stdout)["experiment"] == (
        "evil\x1b[31m\u202e[/b]"
    )
