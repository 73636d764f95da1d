"""``gradstep`` and ``gradstep run`` up to the point where the screen takes over."""

import sys
from types import ModuleType

import pytest

from tests.tui.cli.shell import assert_refused, invoke, shell
from tui.cli import capture, gradstep, opening
from tui.settings.sizes import byte_size

MIB = 2**20


class Terminal:
    encoding = "utf-8"

    def isatty(self):
        return True

    def write(self, text):
        return len(text)

    def flush(self):
        pass


@pytest.fixture
def opened(monkeypatch):
    """A screen that only notes what it is asked to open."""
    calls = []
    screen = ModuleType("tui.app")
    screen.run_debugger = lambda *asked, **more: calls.append(asked) or 0
    monkeypatch.setitem(sys.modules, "tui.app", screen)
    return calls


@pytest.mark.parametrize(
    ("args", "asked"),
    [
        ([], ("regression", None, None, None)),
        (["run", "iris"], ("iris", None, None, None)),
        (["iris"], ("iris", None, None, None)),
        (["my.toml", "--at", "e2"], ("my.toml", "e2", None, None)),
        (["run", "iris", "--at", "i3:backward"], ("iris", "i3:backward", None, None)),
        (["run", "my.toml", "--history", "1GiB"], ("my.toml", None, 1024 * MIB, None)),
        (["run", "iris", "--record", "f.gradstep"], ("iris", None, None, "f.gradstep")),
    ],
)
def test_what_the_screen_is_asked_to_open(opened, args, asked, monkeypatch):
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(sys, name, Terminal())
    with pytest.raises(SystemExit) as end:
        gradstep.main(args)
    assert end.value.code == 0
    assert opened == [asked]


def test_the_screen_opens_with_lines_unfolded_or_an_evaluation(opened, monkeypatch):
    for name in ("stdin", "stdout"):
        monkeypatch.setattr(sys, name, Terminal())
    for args in (["run", "homework-2024", "--unfold", "z2"], ["run", "iris", "--eval"]):
        with pytest.raises(SystemExit) as end:
            gradstep.main(args)
        assert end.value.code == 0
    (first, second) = [asked[4](asked[0]) for asked in opened]
    assert "z2.relu1" in [op.name for op in first.ops]
    assert {op.phase.value for op in second.ops} == {"forward", "loss"}


@pytest.mark.parametrize(("args", "name"), [([], "regression"), (["run", "iris"], "iris")])
def test_without_a_terminal_trace_is_the_remedy(args, name):
    done = shell(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "gradstep: the debugger needs a terminal on stdin and stdout; "
        f"without one: gradstep trace {name}\n"
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("1B", 1),
        ("2kB", 2000),
        ("2KiB", 2048),
        ("256MiB", 256 * MIB),
        ("1.5 gib", 1536 * MIB),
        ("3TB", 3 * 10**12),
    ],
)
def test_sizes(text, size):
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "-1", "12XB", "MiB", "1e9", "nan", "9" * 400, "0.1"])
def test_what_is_no_size(text):
    assert_refused(invoke("run", "iris", f"--history={text}"), "--history", "256MiB")


@pytest.mark.parametrize(
    ("extra", "typed", "targets"),
    [(["--target", "price"], [], ("price",)), ([], ["cost", "price, size"], ("price", "size"))],
)
def test_a_table_asks_for_its_targets(
    extra, typed, targets, opened, monkeypatch, tmp_path, capsys
) -> None:
    table = tmp_path / "p.csv"
    table.write_text("size,rooms,price\n50,2,250.5\n70,3,320.25\n")
    monkeypatch.setattr("tui.cli.opening.need_terminal", lambda instead: None)
    monkeypatch.setattr("click.prompt", lambda *asked, **more: typed.pop(0))
    fitted = []
    monkeypatch.setattr("engine.words.things.fitted", lambda name, chosen: fitted.append(chosen))
    sys.modules["tui.app"].run_debugger = lambda name, at, budget, program: program(name) or 0
    with pytest.raises(SystemExit) as end:
        gradstep.main([str(table), *extra])
    assert end.value.code == 0
    assert (fitted, typed) == ([targets], [])
    asked = capsys.readouterr().err
    assert ("no column 'cost'" in asked) == (not extra)
    assert ("size, rooms, price" in asked) == (not extra)


def test_a_script_that_would_be_opened_needs_a_terminal_and_capturing_needs_none(tmp_path) -> None:
    script = tmp_path / "train.py"
    script.write_text("import torch\n")
    assert_refused(invoke(script), "needs a terminal", f"gradstep capture {script}")
    assert list(tmp_path.iterdir()) == [script]


def test_a_script_is_captured_and_its_recording_opened(tmp_path, monkeypatch) -> None:
    """Also where it failed: at the end of the recording stands what it failed in."""
    monkeypatch.chdir(tmp_path)
    opened: list[str] = []
    monkeypatch.setattr(opening, "need_terminal", lambda instead: None)
    monkeypatch.setattr(opening, "replayed", lambda file, at, budget: opened.append(file) or 0)
    for status, written in ((0, True), (3, True), (3, False)):
        made = tmp_path / "train.gradstep"

        def capture_script(script, status=status, written=written, made=made):
            if written:
                made.write_bytes(b"")
            return status, made

        monkeypatch.setattr(capture, "capture_script", capture_script)
        made.unlink(missing_ok=True)
        assert opening.run_first("train.py", None, None) == (0 if written else status)
    assert opened == [str(tmp_path / "train.gradstep")] * 2
