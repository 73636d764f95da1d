"""``gradstep verify --rerun``: a recorded command run again, and held against its recording."""

import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from engine.capture.origin import chosen
from engine.capture.plan import Plan
from engine.capture.rerun import recorded_start
from engine.capture.rows import CapturedProcess
from engine.errors import GradstepError
from tests.engine.captured_scripts import SPEAK
from tests.tui.cli.shell import shell, strict

# Two iterations of one op, whose result is what stands in a file, or in a variable.
TEACH = (
    SPEAK
    + """
number = float(open("number.txt").read()) + float(os.environ.get("TZ", "0") or 0)
say("H", hello)
say("T", {"id": 0, "name": "y", "role": "activation", "dtype": "float32", "shape": [1]})
say("O", {"id": 0, "phase": "forward", "name": "net.linear", "kind": "linear", "reads": [],
          "writes": [0], "module": "net", "file": os.path.abspath("teach.py"), "line": 7})
for i in range(2):
    say("E", struct.pack("<IBf", 0, 1, number if i else 1.0))
    say("I", b"")
say("Z", {})
"""
)


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "number.txt").write_text("2")
    (tmp_path / "teach.py").write_text(TEACH)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TZ", raising=False)
    done = shell("capture", "-o", "r.gradstep", "--", sys.executable, "teach.py")
    assert done.returncode == 0, done.stderr
    return tmp_path / "r.gradstep"


def test_the_same_again(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    done = shell("verify", recorded, "--rerun", TZ="5")  # a variable that was not there is not
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ok          2 values in 2 iterations are the same\nverified\n" in done.stdout
    assert f"gradstep: runs {sys.executable} teach.py" in done.stderr


def test_the_first_op_that_differs_is_named(recorded: Path) -> None:
    Path("number.txt").write_text("3")
    done = shell("verify", recorded, "--rerun")
    assert done.returncode == 1
    for said in (
        "first op    #1 i2:forward:net.linear: y[0]",
        "A 2.0, B 3.0",
        "teach.py:7  in net",
    ):
        assert said in done.stdout
    found = strict(shell("verify", recorded, "--rerun", "--json").stdout)
    assert found["verified"] is False
    assert found["runs"][0]["first_op"]["module"] == "net"


def test_another_end_and_another_script_are_said(recorded: Path) -> None:
    script = Path("teach.py")
    script.write_text(script.read_text() + 'print("why", file=sys.stderr); sys.exit(3)\n')
    done = shell("verify", recorded, "--rerun")
    assert done.returncode == 1
    assert "ended       exit status 0 recorded, 3 now" in done.stdout
    assert "gradstep: its stderr: why" in done.stderr
    assert "teach.py differs from line" in done.stdout


def test_one_that_was_interrupted_is_compared_as_far_as_it_is_whole(recorded: Path) -> None:
    script = Path("teach.py")
    whole = script.read_text()
    script.write_text(whole.replace('say("Z", {})', "os.kill(os.getpid(), 9)"))
    done = shell("capture", "-o", "cut.gradstep", "--", sys.executable, "teach.py")
    assert done.returncode == 128 + 9
    script.write_text(whole)
    done = shell("verify", "cut.gradstep", "--rerun")
    assert "ok          1 values in 1 iterations are the same\nverified\n" in done.stdout


def process(**command: object) -> CapturedProcess:
    return CapturedProcess(1, "1", "t", 0, 1, dict(command), {}, b"", "closed", {}, "", 1)


FACTS = {"capture": asdict(Plan()), "environment": {"TZ": "UTC", "HOME": "/root"}}


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"arguments": None}, "its command was not written down"),
        ({"arguments": [1]}, "its command was not written down"),
        ({"facts": {"capture": {}}}, "did not write down how it was started"),
        ({"directory": "/nowhere"}, "there is no directory /nowhere"),
        ({"facts": FACTS | {"program": "/no/python"}}, "there is no /no/python"),
        ({"facts": FACTS | {"script": "gone.py"}}, "the script gone.py is gone from /"),
        ({"facts": FACTS | {"script": "-"}}, "its script came from standard input"),
        ({"facts": FACTS | {"capture": {"depth": "all"}}}, "the options of the capture"),
        ({"facts": FACTS | {"capture": {"every": "x"}}}, "the options of the capture"),
    ],
)
def test_what_cannot_be_run_again(changed: dict[str, object], why: str) -> None:
    command = {"arguments": [sys.executable], "directory": "/", "facts": FACTS}
    start = recorded_start(process(**command), Path("r"))
    assert start.environment({"HOME": "/me", "OMP_NUM_THREADS": "2"}) == {
        "HOME": "/me",
        "TZ": "UTC",
    }
    with pytest.raises(GradstepError, match=why):
        recorded_start(process(**command | changed), Path("r"))


def test_nothing_of_the_environment_but_a_list_is_written_down(tmp_path: Path) -> None:
    given = {"AWS_SECRET_ACCESS_KEY": "x", "OMP_NUM_THREADS": "2", "LANG": "y" * 5000}
    assert chosen(given) == {"OMP_NUM_THREADS": "2"}
