"""Every command on a captured script: it is served, or says in one sentence why not."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from engine.capture.opened import opened_capture
from engine.capture.sink import End, Reason, Stream
from engine.toml_text import read_toml
from engine.words.about import about
from engine.words.things import open_thing
from tests.engine.capture.told import HELLO, Net, Teller, trained, writer_at
from tests.tui.cli.shell import assert_refused, invoke, lines, strict


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("net") / "net.gradstep"
    trained(made, 4, rows=(5, 2), limit=15)
    return made


def test_info(path: Path) -> None:
    text = invoke("info", path).stdout
    for line in (
        "captured      train.py",
        "command       python train.py",
        "closed: exit status 0",
        "68 in 4 iterations of 3 kinds",
        "python        3.13, torch 2.13",
    ):
        assert line in text
    found = strict(invoke("info", path, "--json").stdout)
    assert (found["iterations"], found["events"], found["shapes"]) == (4, 68, 3)
    assert (found["loss"], found["status"], found["damage"]) == ("loss", "closed", [])


def test_info_of_a_script_that_was_killed(tmp_path: Path) -> None:
    teller = Teller(writer_at(tmp_path / "r.gradstep"))
    net = Net(teller)
    net.iterate()
    net.iterate()
    teller.writer.ended(0, End(Reason.CUT, 9))
    teller.writer.close(137)
    text = invoke("info", tmp_path / "r.gradstep").stdout
    assert "interrupted: ended by signal 9 in iteration 2, at event #32" in text


@pytest.mark.parametrize(
    ("status", "said"),
    [(139, "the command was ended by signal 11, SIGSEGV"), (7, "the exit status is 7")],
)
def test_info_of_a_script_that_went_without_a_word(status: int, said: str, tmp_path: Path) -> None:
    teller = Teller(writer_at(tmp_path / "r.gradstep"))
    Net(teller).iterate()
    teller.writer.ended(0, End(Reason.CUT))
    teller.writer.close(status)
    text = invoke("info", tmp_path / "r.gradstep").stdout
    assert f"it went without a word in iteration 1, at event #14; {said}" in text


def test_trace(path: Path) -> None:
    text = invoke("trace", path, "--iterations", "2").stdout
    assert " 0  train.py:11        h = linear(x, fc1.weight, fc1.bias)  (5, 4) ≈" in text
    assert "fc1.weight = SGD.step(fc1.weight.grad)" in text
    assert "lr 0.1" in text
    for size in ("phase", "iteration"):
        assert "ops" in invoke("trace", path, "--granularity", size).stdout
    assert "-" in invoke("trace", path, "--values").stdout


def test_trace_as_json(path: Path) -> None:
    head, first, *rest = lines(invoke("trace", path, "--json", "--values").stdout)
    assert head["captured"] == "train.py"
    assert (first["event"], first["line"], first["kind"]) == (0, 11, "linear")
    (write,) = first["writes"]
    assert (write["name"], write["shape"], write["kept"]) == ("h", [5, 4], "sample")
    assert write["after"] is None  # twenty elements, of which fifteen were asked for
    assert write["statistics"]["zeros"] == 0
    loss = rest[2]
    assert loss["loss"] == loss["writes"][0]["after"]
    gone = next(
        one
        for one in lines(invoke("trace", path, "--json", "--iterations", "2").stdout)[1:]
        if one["phase"] == "zero_grad"
    )
    assert gone["writes"][0]["kept"] is None


def test_script(path: Path, tmp_path: Path) -> None:
    script = tmp_path / "s.txt"
    script.write_text("goto train.py:13\nassert iteration == 2\nwhere\n", encoding="utf-8")
    found = invoke("script", script, path)
    assert found.exit_code == 1
    assert "#2 i1:forward:z" in found.stdout


def test_diff(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.gradstep"
    trained(other, 4, rows=(5, 2), limit=15, lr=0.2)
    found = invoke("diff", path, other)
    assert found.exit_code == 1
    assert "first difference  #10 i1:update:fc1.weight: fc1.weight[1, 0]" in found.stdout
    assert "why               lr: 0.1 and 0.2" in found.stdout
    assert strict(invoke("diff", path, other, "--json").stdout)["first"]["events"] == [10, 10]
    assert invoke("diff", path, path).exit_code == 0
    assert_refused(invoke("diff", path, "regression"), "captured script", "nothing to compare")


def test_diagnose(path: Path, tmp_path: Path) -> None:
    sound = invoke("diagnose", path)
    assert sound.exit_code == 0
    assert "cannot tell from a capture:" in sound.stdout
    trained(tmp_path / "r.gradstep", 4, forgets=True)
    found = invoke("diagnose", tmp_path / "r.gradstep", "--json")
    assert found.exit_code == 1
    assert strict(found.stdout)["findings"][0]["name"] == "accumulated-gradients"


def test_jacobian(path: Path) -> None:
    found = invoke("jacobian", path, "--of", "loss", "--wrt", "fc1.weight")
    assert "dimensions  1 × 12" in found.stdout
    assert "∂h/∂fc1.weight  20×12  Kronecker: x ⊗ I" in found.stdout
    data = strict(
        invoke("jacobian", path, "--of", "z", "--wrt", "x", "--at", "i2", "--json").stdout
    )
    assert (data["iteration"], data["dims"], data["sample_dims"]) == (2, [4, 6], [2, 3])
    assert "no values" in invoke("jacobian", path, "--of", "z", "--wrt", "x").stderr
    refused = invoke("jacobian", path, "--of", "x", "--wrt", "loss")
    assert_refused(refused, "nothing leads from loss to x")
    window = invoke("jacobian", path, "--of", "z", "--wrt", "x", "--window", "0:1,0:1")
    assert_refused(window, "--window")


def test_verify(path: Path, tmp_path: Path) -> None:
    assert invoke("verify", path).stdout.endswith("verified\n")
    broken = tmp_path / "broken.gradstep"
    broken.write_bytes(path.read_bytes())
    connection = sqlite3.connect(broken)
    connection.execute("UPDATE capture_block SET loss = 1 WHERE iteration = 0")
    connection.commit()
    connection.close()
    found = invoke("verify", broken)
    assert found.exit_code == 1
    assert "damaged     iteration 1: it is not what was recorded" in found.stdout
    assert strict(invoke("verify", broken, "--json").stdout)["verified"] is False


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("train",),
        ("check",),
        ("explain", "h[0,0]"),
        ("worksheet",),
        ("overfit",),
        ("rates",),
        ("record", "-o", "other.gradstep"),
    ],
)
def test_commands_about_experiments_say_why_not(command, path: Path) -> None:
    assert_refused(invoke(command[0], path, *command[1:]), "captured")


def test_nothing_of_a_file_reaches_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    teller = Teller(writer_at(path, name="\x1b[31mtrain.py"))
    teller.writer.text(Stream.STDOUT, "\x1b]0;title\x07\n")
    Net(teller).iterate()
    teller.end()
    script = tmp_path / "s.txt"
    script.write_text("goto end\ninfo output\n", encoding="utf-8")
    for command in (
        ("info", path),
        ("trace", path),
        ("diagnose", path),
        ("verify", path),
        ("script", script, path),
        ("jacobian", path, "--of", "loss", "--wrt", "fc1.weight"),
        ("diff", path, path),
    ):
        found = invoke(*command)
        assert found.exit_code == 0, found.output
        assert "\x1b" not in found.output


def test_export_of_lines_report_and_script(path: Path, tmp_path: Path) -> None:
    head, *events = lines(invoke("export", path, "--to", "jsonl").stdout)
    assert (head["ops"], len(events)) == (18, 68)
    text = invoke("export", path, "--to", "markdown").stdout
    assert "# train.py" in text
    assert "| forward | train.py:11 | h = linear(x, fc1.weight, fc1.bias) |" in text
    refused = invoke("export", path, "--to", "script")
    assert_refused(refused, "the text of train.py is not in the recording")
    with_source = tmp_path / "with.gradstep"
    (tmp_path / "train.py").write_text("loss = 1\n", encoding="utf-8")
    fields = {name: getattr(HELLO, name) for name in HELLO.__slots__} | {"cwd": str(tmp_path)}
    teller = Teller(writer_at(with_source), HELLO.__class__(**fields))
    Net(teller).iterate()
    teller.end()
    assert invoke("export", with_source, "--to", "script").stdout == "loss = 1\n"


def test_export_of_arrays(path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.npz"
    assert invoke("export", path, "--to", "npz", "-o", out).exit_code == 0
    with np.load(out) as found:
        assert found["fc1.weight"].shape == (5, 4, 3)
        assert found["iterations"].tolist() == [0, 1, 2, 3, 4]
        assert found["loss"].shape == (4,)
    trained(tmp_path / "none.gradstep", 2, limit=1)
    refused = invoke("export", tmp_path / "none.gradstep", "--to", "npz", "-o", out)
    assert_refused(refused, "no iteration has all parameters in full")


@pytest.mark.parametrize("options", [{}, {"forgets": True}, {"lr": 0.03}])
def test_a_perceptron_is_exported_as_an_experiment_that_trains_the_same(
    options, tmp_path: Path
) -> None:
    path, out = tmp_path / "r.gradstep", tmp_path / "r.toml"
    trained(path, 6, rows=(5, 5, 2), again=3, **options)
    assert invoke("export", path, "--to", "toml", "-o", out).exit_code == 0
    found = lines(invoke("trace", out, "--json", "--iterations", "6").stdout)
    losses = [one["loss"] for one in found if one.get("phase") == "loss"]
    with opened_capture(str(path)) as run:
        expected = [row.loss for row in run.stored.index]
    assert losses == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"step_every": 2, "again": 3}, "has other phases than most"),
        ({"limit": 3, "again": 3}, "was not kept in full"),
    ],
)
def test_what_is_no_experiment_says_why(options, said: str, tmp_path: Path) -> None:
    path = tmp_path / "r.gradstep"
    trained(path, 6, rows=(5, 5, 2), **options)
    refused = invoke("export", path, "--to", "toml")
    assert_refused(refused, "no experiment can be made of this script", said)


def test_an_experiment_ends_where_its_batches_are_no_epochs(tmp_path: Path) -> None:
    path, out = tmp_path / "r.gradstep", tmp_path / "r.toml"
    trained(path, 6, rows=(5, 5, 2))
    done = invoke("export", path, "--to", "toml", "-o", out)
    assert done.exit_code == 0
    said = "the first 3 of 6 iterations: the batch of iteration 4 has another size"
    assert said in done.stderr
    assert len(read_toml(out.read_text(encoding="utf-8"))["data"]["x"]) == 12


def test_scalars_as_csv(path: Path) -> None:
    head, first, *_ = invoke("export", path, "--to", "csv").stdout.splitlines()
    assert head == "run,branch,iteration,epoch,loss,lr"
    cells = first.split(",")
    assert cells[1:4] == ["main", "1", "1"]
    assert float(cells[5]) == 0.1


def test_it_is_opened_like_any_other_thing(path: Path, tmp_path: Path) -> None:
    assert about(str(path)) == "captured script train.py · 68 events · closed"
    debugger = open_thing(str(path))
    debugger.session.goto(20)
    assert debugger.session.loss is not None
    script = tmp_path / "s.txt"
    script.write_text(f"open {path}\ngoto module:fc2\nwhere\n", encoding="utf-8")
    assert "#2 i1:forward:z" in invoke("script", script).stdout


def test_a_walk_through_it(tmp_path: Path) -> None:
    path, out = tmp_path / "r.gradstep", tmp_path / "r.lesson"
    trained(path, 1)
    assert invoke("export", path, "--to", "lesson", "-o", out).exit_code == 0
    text = out.read_text(encoding="utf-8")
    assert "open r.gradstep" in text
    assert 'say "i1:loss:loss"' in text
    done = invoke("export", path, "--to", "cast", "--size", "80x24", "-o", tmp_path / "r.cast")
    assert done.exit_code == 0
    head, *frames = (tmp_path / "r.cast").read_text(encoding="utf-8").splitlines()
    assert strict(head)["version"] == 2
    assert any("REPLAY" in frame for frame in frames)
