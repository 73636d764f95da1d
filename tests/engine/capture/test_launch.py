"""A command with the tracer in its environment: streams, status, signals, who is let in, and why
nothing was captured. Needs no PyTorch: processes here speak for themselves."""

import json
import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from engine.capture import launch as launching
from engine.capture.interpreter import check_torch, choose
from engine.capture.launch import INJECTED, launch
from engine.capture.listener import Listener
from engine.capture.outputs import output, outputs, same
from engine.capture.plan import Plan
from engine.capture.sink import Reason, Stream
from engine.errors import GradstepError
from tests.engine.captured_scripts import SPEAK, Gathered, captured, environment, plain


def speaking(text: str, folder: Path, sink: Gathered | None = None):
    """A run of a script that speaks."""
    script = folder / "script.py"
    script.write_text(SPEAK + text)
    return captured([sys.executable, str(script)], folder, sink=sink)


def test_streams_and_status_are_the_commands(tmp_path: Path) -> None:
    text = "import sys; print('out é'); sys.stderr.write('err\\n'); sys.exit(7)"
    command = [sys.executable, "-c", text]
    found, without = captured(command, tmp_path), plain(command, tmp_path)
    assert (found.out, found.err) == (without.stdout, without.stderr)
    assert found.outcome.status == found.sink.status == 7
    assert found.sink.printed == {Stream.STDOUT: "out é\n", Stream.STDERR: "err\n"}


def test_a_signal_is_a_status(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]
    assert captured(command, tmp_path).outcome.status == 128 + 9


def test_bytes_that_are_no_text_are_handed_on_as_they_are(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import os; os.write(1, b'\\xff\\xc3'); os.write(1, b'\\xa9')"]
    found = captured(command, tmp_path)
    assert found.out == b"\xff\xc3\xa9"
    assert found.sink.printed[Stream.STDOUT] == "\ufffdé"


def test_what_a_command_is_not(tmp_path: Path) -> None:
    with pytest.raises(GradstepError, match="nix-da: cannot be started: No such file"):
        captured(["nix-da"], tmp_path)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["-c", "pass"], "the script ended without importing torch"),
        (["-I", "-c", "pass"], "the tracer was never loaded"),
        (["-S", "-c", "pass"], "the tracer was never loaded"),
    ],
)
def test_why_nothing_was_captured(arguments: list[str], why: str, tmp_path: Path) -> None:
    found = captured([sys.executable, *arguments], tmp_path)
    assert found.outcome.why_nothing.startswith(why)
    assert (found.outcome.status, found.outcome.processes) == (0, 0)


def test_who_is_not_heard_of_in_time_is_told_while_the_command_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launching, "HANDSHAKE", -1.0)
    told: list[str] = []
    command = [sys.executable, "-I", "-c", "input()"]
    reads, writes = os.pipe()
    before = os.dup(0)
    os.dup2(reads, 0)
    try:
        given = (Plan(quiet=True), Gathered(), lambda stream, data: None, environment())
        launch(command, *given, lambda: bool(told), told.append)
    finally:
        os.dup2(before, 0)
        for descriptor in (before, reads, writes):
            os.close(descriptor)
    assert len(told) == 1
    assert "one started with -I, -E or -S" in told[0]


def test_the_path_and_the_environment_are_those_of_a_plain_run(tmp_path: Path) -> None:
    text = "import sys, json; print(json.dumps([sys.path, sorted(sys.modules), sys.argv]))"
    command = [sys.executable, "-c", text, "a b"]
    found, without = captured(command, tmp_path), plain(command, tmp_path)
    (path, modules, argv), expected = json.loads(found.out), json.loads(without.stdout)
    assert (path, argv) == (expected[0], expected[2])
    more = set(modules) - set(expected[1])
    assert "sitecustomize" not in more
    assert "torch" not in modules
    known = ("gradstep_tracer", "json", "importlib", "_json", "contextlib", "__future__")
    assert not {name for name in more if not name.startswith(known)} - STANDARD


STANDARD = set(sys.stdlib_module_names) | {"importlib._abc"}


def test_a_sitecustomize_of_ones_own_runs_as_ever(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys; sys.stdout.write('mine\\n')")
    text = "import sitecustomize; print(sitecustomize.__file__)"
    command = [sys.executable, "-c", text]
    path = str(tmp_path / "site")
    found = captured(command, tmp_path, PYTHONPATH=path)
    assert found.out == plain(command, tmp_path, PYTHONPATH=path).stdout
    assert found.out.startswith(b"mine\n")


def test_torch_is_found_where_it_is_and_not_imported_early(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("import os\nprint('torch', os.environ['SET'])")
    script = tmp_path / "script.py"
    script.write_text(
        "import importlib.util, os\n"
        "assert importlib.util.find_spec('torch').origin.endswith('torch.py')\n"
        "os.environ['SET'] = 'by the script'\nimport torch\nprint(torch.__loader__)\n"
    )
    found = captured([sys.executable, str(script)], tmp_path, Plan())
    assert found.out.startswith(b"torch by the script\n<")
    assert found.err.startswith(b"gradstep: nothing is traced: ")  # that is no torch
    assert found.err.count(b"\n") == 1
    quiet = captured([sys.executable, str(script)], tmp_path, Plan(quiet=True))
    assert quiet.err == b""
    assert "torch was imported" in quiet.outcome.why_nothing


def test_frames_and_an_end_are_handed_on(tmp_path: Path) -> None:
    found = speaking('say("H", hello); say("N", {"text": "so"}); say("Z", {})', tmp_path)
    assert [type(frame).__name__ for frame in found.told.frames] == ["Hello", "Note", "Ended"]
    assert found.told.end is not None
    assert found.told.end.reason is Reason.ENDED
    assert found.outcome.processes == 1
    assert found.sink.ticks > 0


def test_a_process_that_is_killed_keeps_what_it_sent(tmp_path: Path) -> None:
    text = 'say("H", hello); say("N", {"text": "so"}); os.kill(os.getpid(), 9)'
    found = speaking(text, tmp_path)
    assert len(found.told.frames) == 2
    assert found.told.end is not None
    assert found.told.end.reason is Reason.CUT
    assert found.outcome.status == 137


@pytest.mark.parametrize(
    ("said", "processes"),
    [
        ('say("H", dict(hello, token="guessed"))', 0),
        ('say("H", hello); say("Q", b"")', 1),
        ('say("N", {"text": "first"})', 0),
        ('say("H", b"[" * 2_000_000)', 0),
    ],
)
def test_who_says_what_no_tracer_says_is_not_listened_to(
    said: str, processes: int, tmp_path: Path
) -> None:
    text = f"try:\n    {said}\n    speaker.recv(1)\nexcept OSError:\n    pass\nprint('on')"
    found = speaking(text, tmp_path)
    assert found.out == b"on\n"
    assert found.outcome.processes == processes
    ends = [told.end for told in found.sink.processes.values()]
    assert [end.reason for end in ends if end] == [Reason.UNTRUSTWORTHY] * processes


def test_a_recording_that_fails_leaves_the_command_alone(tmp_path: Path) -> None:
    class Full(Gathered):
        def frame(self, process, frame):
            if len(self.processes.get(process, self).__dict__.get("frames", ())) >= 1:
                raise GradstepError("the disk is full")
            super().frame(process, frame)

    text = (
        'say("H", hello)\ntry:\n    while True: say("N", {"text": "x"})\n'
        "except OSError: print('alone, and on')"
    )
    found = speaking(text, tmp_path, Full())
    assert found.out == b"alone, and on\n"
    assert (found.outcome.status, found.outcome.failed) == (0, "the disk is full")


def test_nobody_else_can_reach_the_socket() -> None:
    listener = Listener()
    try:
        assert listener.folder.stat().st_mode & 0o777 == 0o700
        assert len(listener.token) == 32
        assert listener.socket.family is socket.AF_UNIX
    finally:
        listener.close()
    assert not listener.folder.exists()


def test_a_terminal_stays_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        both = {stream: output(Stream.STDOUT, theirs) for stream in [Stream.STDOUT]}
        both[Stream.STDERR] = both[Stream.STDOUT]
        monkeypatch.setattr(launching, "outputs", lambda: both)
        written = bytearray()
        text = "import sys; print(sys.stdout.isatty(), sys.stderr.isatty())"
        launch(
            [sys.executable, "-c", text],
            Plan(),
            Gathered(),
            lambda stream, data: written.extend(data),
            environment(),
        )
        assert bytes(written) == b"True True\n"
    finally:
        os.close(ours)
        os.close(theirs)


def test_two_streams_that_are_one_stay_one(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    with (tmp_path / "file").open("wb") as file:
        assert same(writes, writes)
        assert not same(writes, file.fileno())
    os.close(reads)
    os.close(writes)
    assert set(outputs()) == set(Stream)


def test_a_signal_to_gradstep_is_handed_on(tmp_path: Path) -> None:
    text = (
        'import signal\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\nsay("H", hello)\n'
        "os.kill(os.getppid(), signal.SIGTERM)\nsignal.pause()"
    )
    before = signal.getsignal(signal.SIGTERM)
    assert speaking(text, tmp_path).outcome.status == 5
    assert signal.getsignal(signal.SIGTERM) is before


def executable(path: Path, text: str = "exit 0") -> Path:
    """A program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_whose_python_runs_a_script(tmp_path: Path) -> None:
    script = tmp_path / "work" / "train.py"
    on_path = executable(tmp_path / "bin" / "python3")
    given = {"PATH": str(on_path.parent)}
    script.parent.mkdir()
    assert choose(script, None, given) == str(on_path)
    beside = executable(script.parent / ".venv" / "bin" / "python")
    assert choose(script, None, given) == str(beside)
    active = executable(tmp_path / "active" / "bin" / "python")
    given["VIRTUAL_ENV"] = str(tmp_path / "active")
    assert choose(script, None, given) == str(active)
    assert choose(script, str(on_path), given) == str(on_path)
    with pytest.raises(GradstepError, match="--python nix: there is no such interpreter"):
        choose(script, "nix", given)
    own = {"PATH": str(Path(sys.executable).parent), "VIRTUAL_ENV": sys.prefix}
    with pytest.raises(GradstepError, match="there is no python3 on the PATH"):
        choose(None, None, own)


@pytest.mark.parametrize(
    ("says", "why"),
    [
        ("echo 3 8 True", "is Python 3.8; capturing needs 3.9 or newer"),
        ("echo 3 12 False", "has no torch; name the Python that runs your script"),
        ("exit 3", "does not run as a Python interpreter"),
        ("echo what is this", "does not run as a Python interpreter"),
    ],
)
def test_an_interpreter_that_will_not_do(says: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(GradstepError, match=why):
        check_torch(str(executable(tmp_path / "python", says)), environment())


def test_an_interpreter_that_will_do(tmp_path: Path) -> None:
    check_torch(str(executable(tmp_path / "python", "echo 3 9 True")), environment())


def test_what_is_injected_is_there() -> None:
    assert (INJECTED / "sitecustomize.py").is_file()
