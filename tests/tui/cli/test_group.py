"""The table of commands: lazy, described, and helpful about typing mistakes."""

import subprocess
import sys

import click
import pytest

from engine import __version__
from tests.tui.cli.shell import assert_refused, environment, invoke, shell
from tui.cli import COMMANDS

HEAVY = ("numpy", "rich", "textual", "torch")
LIGHT = [(), ("--help",), ("--version",), ("list",), ("list", "--json"), ("lits",)]
COMPUTING = [
    ("show", "regression"),
    ("show", "regression", "--json"),
    ("trace", "xor"),
    ("trace", "xor", "--json", "--values"),
    ("train", "xor", "--iterations", "1"),
    ("run", "xor"),
]


def modules_after(args: tuple[str, ...]) -> set[str]:
    """The top-level modules that a fresh process holds after a command line."""
    code = (
        "import sys, io\n"
        "from tui.cli import gradstep\n"
        "out, sys.stdout = sys.stdout, io.StringIO()\n"
        f"try: gradstep.main({list(args)!r})\n"
        "except SystemExit: pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=out)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=environment(),
        stdin=subprocess.DEVNULL,
        check=True,
    )
    found = set(done.stdout.split())
    assert {"click", "tui"} <= found
    return found


@pytest.mark.parametrize("args", LIGHT, ids=" ".join)
def test_help_and_list_load_nothing_heavy(args):
    assert modules_after(args).isdisjoint(HEAVY)


@pytest.mark.parametrize("args", COMPUTING, ids=" ".join)
def test_headless_commands_load_no_textual(args):
    assert "textual" not in modules_after(args)


def test_new_loads_no_textual(tmp_path):
    assert "textual" not in modules_after(("new", str(tmp_path / "a.toml")))
    assert (tmp_path / "a.toml").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_loads_under_its_name_and_explains_itself(name):
    command = COMMANDS[name].load()
    assert isinstance(command, click.Command)
    assert command.name == name
    result = invoke(name, "--help")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: gradstep {name} ")
    first = command.help.split("\n\n")[0].split()
    assert " ".join(first) in " ".join(result.stdout.split())


def test_help_lists_every_command_with_its_summary():
    listed = invoke("--help").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split(maxsplit=1) for line in listed] == [
        [name, lazy.summary] for name, lazy in COMMANDS.items()
    ]


def test_version():
    assert invoke("--version").stdout == f"gradstep {__version__}\n"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["trase"], ("no command 'trase'", "did you mean 'trace'?", "gradstep --help")),
        (["iris"], ("needs a terminal", "gradstep trace iris")),
        (["my.toml"], ("needs a terminal", "gradstep trace my.toml")),
        (["absent.csv"], ("absent.csv: No such file",)),
        (["absent.gradstep"], ("absent.gradstep: No such file",)),
        (["iris", "--target", "a"], ("--target names columns of a table",)),
        (["irsi"], ("no command 'irsi'", "did you mean 'iris'?")),
        (["."], (".: a directory, not a file",)),
        (["qqqqq"], ("no command 'qqqqq'",)),
        (["trace", "xor", "--jsn"], ("--jsn", "--json", "gradstep trace --help")),
        (["trace"], ("EXPERIMENT", "gradstep trace --help")),
        (["trace", "xor", "more"], ("(more)",)),
        (["trace", "xor", "--iterations", "0"], ("--iterations", "0")),
        (["trace", "xor", "--iterations", "1.5"], ("--iterations", "1.5")),
        (["trace", "xor", "--granularity", "epoch"], ("'op', 'phase', 'iteration'",)),
        (["show", "iris2"], ("iris2", "did you mean 'iris'?")),
        (["show", "missing.toml"], ("missing.toml", "No such file")),
        (["train", "xor", "--iterations", "3", "--epochs", "2"], ("--iterations", "--epochs")),
    ],
)
def test_what_is_wrong_is_said_with_a_remedy(args, words):
    assert_refused(invoke(*args), *words)


def test_all_problems_of_a_file_are_one_message(tmp_path):
    file = tmp_path / "bad.toml"
    file.write_text('[data]\nx = [[1]]\ny = [[1]]\n[[layers]]\ntype = "linaer"\n[loss]\ntype = 3\n')
    result = invoke("show", file)
    assert_refused(result, "bad.toml: 2 problems", "layers[0].type", "'linear'", "loss.type")
    assert result.stderr.count("gradstep:") == 1


def test_escape_sequences_of_a_file_are_shown_not_sent(tmp_path):
    file = tmp_path / "x.toml"
    file.write_text('[data]\n"\\u001b[31m\\u009b\\u202e" = 1\n')
    result = invoke("show", file)
    assert_refused(result, r"\x1b[31m", r"\u202e")
    assert not {"\x1b", "\x9b", "\u202e"} & set(result.stderr)


def test_a_process_of_its_own_gives_the_same_status_and_message():
    done = shell("show", "iris2")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == invoke("show", "iris2").stderr
