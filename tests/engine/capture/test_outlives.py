"""A script outlives the gradstep that captures it: nothing that it prints is lost."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.engine.captured_scripts import SCRIPTS, environment

pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")

PATIENCE = 120.0


def wait_for(path: Path) -> None:
    end = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < end, f"{path.name}: it never came so far"
        time.sleep(0.02)


@pytest.mark.parametrize("together", [False, True], ids=["two streams", "one stream"])
def test_the_script_goes_on_where_gradstep_is_killed(together: bool, tmp_path: Path) -> None:
    script = [str(SCRIPTS / "outlives.py"), str(tmp_path)]
    capture = [
        "-m",
        "tui",
        "capture",
        "--python",
        sys.executable,
        "-o",
        str(tmp_path / "r.gradstep"),
    ]
    root = Path(__file__).parents[3]
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, *capture, *script],
            stdout=out,
            stderr=subprocess.STDOUT if together else err,
            env=environment(PYTHONPATH=str(root)),
        )
    wait_for(tmp_path / "waits")
    process.kill()
    process.wait()
    (tmp_path / "goes on").touch()
    wait_for(tmp_path / "over")
    told = (tmp_path / "out").read_text() + (tmp_path / "err").read_text()
    lines = [line for line in told.splitlines() if not line.startswith("gradstep: ")]
    assert "gradstep: nobody listens any more; the script goes on" in told
    steps = [f"step {i}" for i in range(8)]
    assert lines[:9] == [*steps[:4], "alone", *steps[4:]]
    assert lines[9].startswith("PARAMS ")
