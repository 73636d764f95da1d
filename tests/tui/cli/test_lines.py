"""Every command on networks of lines: it is served, and its status is right."""

import pytest

from tests.engine.line_networks import text
from tests.tui.cli.shell import invoke, strict

NAMES = ("sample-unfolded", "recurrent", "embedding")


@pytest.fixture(params=NAMES)
def file(request, tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(text(request.param, batch=7, epochs=3), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("show", "--layers"),
        ("trace", "--iterations", "1"),
        ("trace", "--iterations", "2", "--granularity", "phase"),
        ("trace", "--iterations", "2", "--granularity", "iteration", "--values"),
        ("train", "--iterations", "5"),
        ("diagnose", "--iterations", "5"),
        ("check",),
        ("rates",),
    ],
)
def test_served(file, command):
    found = invoke(command[0], file, *command[1:])
    assert found.exit_code == 0, found.output


def test_recorded_and_exported(file, tmp_path):
    made = str(tmp_path / "run.gradstep")
    assert invoke("record", file, "-o", made, "--iterations", "5").exit_code == 0
    for command in (("info",), ("verify",)):
        assert invoke(command[0], made).exit_code == 0
    assert invoke("diff", file, made).exit_code == 0
    for form in ("jsonl", "npz", "markdown", "script", "toml"):
        out = str(tmp_path / f"out.{form}")
        assert invoke("export", made, "--to", form, "-o", out).exit_code == 0
    assert invoke("diff", str(tmp_path / "out.toml"), made).exit_code in (0, 1)


def test_ops_show_the_shapes_of_what_they_write(file):
    for op in strict(invoke("show", file, "--json").stdout)["ops"]:
        assert op["writes"][0]["shape"] is not None
