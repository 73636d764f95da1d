"""Plain and captured runs compared. Needs no PyTorch: what differs, differs by the environment."""

import os
import sys
from pathlib import Path

import pytest

from engine.capture.check import Comparison, compare
from engine.capture.plan import Plan
from engine.errors import GradstepError
from tests.engine.captured_scripts import SPEAK, environment

TRACED = "'GRADSTEP_SOCKET' in os.environ"


def compared(text: str, folder: Path, iterations: int | None = None) -> Comparison:
    """The comparison of a script's runs."""
    script = folder / "script.py"
    script.write_text(SPEAK + 'say("H", hello)\n' + text)
    command = [sys.executable, str(script)]
    work = folder / "work"
    work.mkdir()
    before = Path.cwd()
    try:
        os.chdir(work)
        return compare(command, Plan(quiet=True), iterations, environment(), work)
    finally:
        os.chdir(before)


def test_a_script_that_is_the_same(tmp_path: Path) -> None:
    found = compared("print('a'); print('b'); open('model.pt', 'wb').write(b'1')", tmp_path)
    assert found == Comparison(lines=2, files=1)


def test_lines_status_and_files_that_differ(tmp_path: Path) -> None:
    text = (
        f"print('a', {TRACED}); open('m', 'w').write(str({TRACED}))\n"
        f"if {TRACED}: open('more', 'w').close()\nsys.exit(3 * ({TRACED}))"
    )
    found = compared(text, tmp_path)
    assert found.differences == [
        "stdout, line 1: 'a True' captured, 'a False' plain",
        "exit status: 3 captured, 0 plain",
        "file m: differs",
        "file more: is written by one of them only",
    ]


def test_a_line_too_many(tmp_path: Path) -> None:
    found = compared(f"print('a')\nif {TRACED}: print('b')", tmp_path)
    assert found.differences == ["stdout: 2 lines captured, 1 plain"]


def test_what_two_plain_runs_do_not_agree_about_tells_nothing(tmp_path: Path) -> None:
    found = compared("print(os.getpid()); print('a')", tmp_path)
    assert (found.differences, found.unsteady, found.lines) == ([], 1, 1)


def test_a_run_that_is_ended_early(tmp_path: Path) -> None:
    text = "import itertools\nfor i in itertools.count(): print(i); say('I', b'')"
    found = compared(text, tmp_path, 5)
    assert found.differences == []
    assert found.iterations >= 5
    assert found.lines >= 4
    assert not found.whole


def test_a_difference_before_a_run_is_ended_early(tmp_path: Path) -> None:
    text = f"for i in range(10**9): print(i, i == 2 and {TRACED}); say('I', b'')"
    found = compared(text, tmp_path, 5)
    assert found.differences == ["stdout, line 3: '2 True' captured, '2 False' plain"]


def test_nothing_captured_is_no_comparison(tmp_path: Path) -> None:
    with pytest.raises(GradstepError, match="nothing was captured"):
        compare([sys.executable, "-c", "pass"], Plan(), None, environment(), tmp_path)
