"""``gradstep capture`` itself: its options, whose Python runs, what it says, its exit status.

What it makes of scripts is tested where the engine's part is; nothing here needs PyTorch.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from engine.capture.messages import (
    Degree,
    Event,
    Hello,
    IterationEnds,
    OpDefinition,
    Phases,
    TensorDefinition,
    Value,
)
from engine.capture.plan import Plan
from engine.capture.tally import Tally
from engine.errors import GradstepError
from engine.run.phases import Phase
from tests.engine.captured_scripts import SPEAK
from tests.tui.cli.shell import COMMAND, assert_refused, environment, invoke, shell
from tui.cli.capture import Progress, plan_of, target_of


def write(path: Path, text: str) -> Path:
    """A script."""
    path.write_text(SPEAK + text)
    return path


def test_the_words_of_a_script_are_its_own(tmp_path: Path) -> None:
    script = write(tmp_path / "s.py", "print(sys.argv[1:])")
    done = shell("capture", "--quiet", "--", sys.executable, script, "--quiet", "-o", "x", "--")
    assert done.stdout == "['--quiet', '-o', 'x', '--']\n"
    assert (done.returncode, done.stderr) == (1, "")  # nothing was captured


def test_nothing_captured_is_said_with_its_reason(tmp_path: Path) -> None:
    done = shell("capture", "--", sys.executable, write(tmp_path / "s.py", "print('out')"))
    assert done.stdout == "out\n"
    assert done.stderr == (
        "gradstep: nothing was captured: the script ended without importing torch\n"
    )
    assert done.returncode == 1


def test_the_status_is_the_commands(tmp_path: Path) -> None:
    script = write(tmp_path / "s.py", 'say("H", hello); sys.exit(3)')
    done = shell("capture", "--", sys.executable, script)
    assert done.returncode == 3
    assert done.stderr == "gradstep: 0 iterations, 0 events\n"
    dead = write(tmp_path / "dead.py", 'say("H", hello); os.kill(os.getpid(), 15)')
    assert shell("capture", "--", sys.executable, dead).returncode == 128 + 15


def test_check_answers_with_its_status(tmp_path: Path) -> None:
    same = write(tmp_path / "same.py", 'say("H", hello); print("a")')
    done = shell("capture", "--check", "all", "--", sys.executable, same)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ("0 iterations, to the end\nthe same: 1 lines, 0 files\nno difference\n")
    other = write(tmp_path / "other.py", 'say("H", hello); print("GRADSTEP_PLAN" in os.environ)')
    done = shell("capture", "--check", "3", "--", sys.executable, other)
    assert done.returncode == 1
    assert done.stdout.endswith("DIFFERENT\n")
    assert done.stderr == "gradstep: stdout, line 1: 'True' captured, 'False' plain\n"


def test_streams_that_are_one_are_compared_apart(tmp_path: Path) -> None:
    script = write(tmp_path / "s.py", 'say("H", hello); print("a", file=sys.stderr); print("b")')
    command = [*COMMAND, "capture", "--check", "all", "--", sys.executable, str(script)]
    out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, env=environment(), check=False, **out)
    assert done.stdout.endswith("the same: 2 lines, 0 files\nno difference\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "what is to be captured?"),
        (["--"], "what is to be captured?"),
        (["-m"], "what is to be captured?"),
        (["nix.py"], "nix.py: No such file"),
        (["--window", "5:5", "x.py"], "'5:5' is no A:B"),
        (["--window", "5", "x.py"], "'5' is no A:B"),
        (["--iteration", "train.py", "x.py"], "'train.py' is no FILE:LINE"),
        (["--check", "0", "x.py"], "no number of iterations"),
        (["--values", "some", "x.py"], "'some' is not one of"),
        (["--python", "/bin/sh", "--", "ls"], "not of a command after --"),
        (["--", "no-such-command"], "no-such-command: cannot be started"),
    ],
)
def test_what_cannot_be_served(arguments: list[str], words: str) -> None:
    assert_refused(invoke("capture", *arguments), words)


def test_a_python_without_torch_runs_nothing(tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3 12 False\n")
    python.chmod(0o755)
    script = write(tmp_path / "s.py", "print('ran')")
    result = invoke("capture", "--python", python, script)
    assert_refused(result, f"{python} has no torch", "--python")


def test_a_recording_is_never_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert target_of(None, "train") == Path("train.gradstep")
    Path("train.gradstep").touch()
    Path("train-2.gradstep").symlink_to("nowhere")
    assert target_of(None, "train") == Path("train-3.gradstep")
    with pytest.raises(GradstepError, match="exists already"):
        target_of("train.gradstep", "other")
    assert target_of("new.gradstep", "other") == Path("new.gradstep")


def test_options_are_a_plan() -> None:
    wishes = dict.fromkeys(("budget", "window", "every", "iteration"))
    wishes |= dict.fromkeys(("light", "digests", "quiet", "no_inputs", "no_source", "eager"), False)
    wishes |= {"depth": "op", "values": "auto"}
    assert plan_of(wishes) == Plan()
    others = {"light": True, "no_inputs": True, "no_source": True, "every": 5, "window": (1, 3)}
    expected = Plan(values="light", inputs=False, source=False, every=5, window=(1, 3))
    assert plan_of(wishes | others) == expected


def test_progress_tells_iterations_loss_and_bytes() -> None:
    tally = Tally()
    for frame in (
        Hello(1, "t", 1, "3", "2", "p", (), "/", "op"),
        TensorDefinition(0, "mse", "activation", "float32", ()),
        TensorDefinition(1, "h", "activation", "float32", (1024, 256)),
        OpDefinition(0, Phase.FORWARD, "mse", "mse_loss", (), (0, 1)),
        Event(0, (Value(Degree.WHOLE, b"\0\0\0\x3f"), Value(Degree(0))), {}),
        Phases((0,), 0),
        IterationEnds(),
    ):
        tally.frame(0, frame)
    progress = Progress(tally, quiet=True)
    progress.began = 10.0
    line = progress.line(10.5)
    assert line == "gradstep: 1 iterations  loss 0.5  2 events/s  4 B"
    assert progress.estimate() == (
        "gradstep: an iteration is 1.0 MiB in full; 4 B of the first are kept"
    )
