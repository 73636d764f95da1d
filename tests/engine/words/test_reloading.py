"""The words open and reload: whatever there is to open, and the file as it is now."""

from pathlib import Path

import pytest

from engine.debugger import Debugger
from engine.errors import GradstepError
from engine.recording.live import record
from engine.session.session import Session
from engine.words.command import CommandError
from engine.words.language import CommandLine
from engine.words.things import Kind, NeedsTargets, kind_of, open_thing
from tests.engine.small_experiments import built_in

TOML = """
[data]
x = [[1.0], [2.0]]
y = [[2.0], [4.0]]
[[layers]]
type = "linear"
out = 3
[[layers]]
type = "relu"
[[layers]]
type = "linear"
out = 1
[loss]
type = "mse"
"""
CSV = "size,rooms,price\n50,2,250.5\n70,3,320.25\n90,4,400.75\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "e.toml"
    path.write_text(TOML)
    return path


def lines_on(thing: object) -> CommandLine:
    return CommandLine(open_thing(str(thing)))


def test_reload_goes_on_at_the_same_place_with_edits_stops_and_marks(file: Path) -> None:
    line = lines_on(file)
    for word in ("goto i2:backward:relu1.out.grad", "set optimizer.lr = 0.5", "b backward"):
        line.execute(word)
    for word in ("mark here", "display loss", "goto i2:update:linear1.bias"):
        line.execute(word)
    file.write_text(TOML.replace('"relu"', '"tanh"').replace("out = 3", "out = 4"))
    result = line.execute("reload")
    assert result.lines[:-1] == (
        f"{file}: layer 1: out 3 → 4, and 1 more",
        "layer 1: out 3 → 4",
        "layer 2: type relu → tanh",
    )
    assert "i2:update:linear1.bias" in result.lines[-1]
    new = line.debugger
    assert new is result.reply.opened
    assert [(one.target, new.run.timeline.op(one.event).name) for one in new.session.journal] == [
        ("optimizer.lr", "tanh1.out.grad")
    ]
    assert (len(new.stops), list(new.watches), list(new.bookmarks)) == (1, ["loss"], ["here"])
    fresh = lines_on(file)
    fresh.execute(f"goto #{new.session.journal.entries[0].event}")
    fresh.execute("set optimizer.lr = 0.5")
    fresh.execute(f"goto #{new.event}")
    assert new.session.loss == fresh.debugger.session.loss


def test_reload_says_when_nothing_has_changed_and_what_is_left_behind(file: Path) -> None:
    line = lines_on(file)
    line.execute("20s")
    assert line.execute("reload").lines[0] == f"{file}: as it was"
    line.execute("set linear2.weight = [[1, 2, 3]]")
    file.write_text(TOML.replace("out = 3", "out = 4"))
    (left,) = line.execute("reload").data["left"]
    assert left.startswith("set linear2.weight = [[1, 2, 3]]: linear2.weight has shape (1, 4)")


def test_reload_of_a_shorter_run_ends_at_its_end(file: Path) -> None:
    line = lines_on(file)
    line.execute("goto i5")
    file.write_text(TOML + "[training]\nepochs = 2\n")
    result = line.execute("reload")
    assert result.data["changed"] == ["training: training.epochs none → 2"]
    assert line.debugger.event == line.debugger.run.timeline.end


def test_a_file_that_is_wrong_now_changes_nothing(file: Path) -> None:
    line = lines_on(file)
    line.execute("5s")
    before = line.debugger
    file.write_text(TOML.replace('"relu"', '"rellu"'))
    with pytest.raises(CommandError, match=r"e\.toml:9: layers\[1\]\.type .* did you mean 'relu'"):
        line.execute("reload")
    assert line.debugger is before
    assert before.event == 5


def test_what_has_no_file_is_not_reloaded() -> None:
    line = CommandLine(Debugger(Session(built_in("regression"))))
    with pytest.raises(CommandError, match="no experiment file here"):
        line.execute("reload")
    line.execute("eval")
    with pytest.raises(CommandError, match="evaluation"):
        line.execute("reload")


def test_open_says_what_would_be_lost() -> None:
    line = CommandLine(Debugger(Session(built_in("regression"))))
    for word in ("5s", "set optimizer.lr = 1", "2rs", "set optimizer.lr = 2"):
        line.execute(word)
    with pytest.raises(CommandError, match="1 edit and 1 more branch here would be lost"):
        line.execute("open xor")
    line.execute("open anyway xor")
    assert line.debugger.run.name == "xor"


def test_every_kind_of_thing(file: Path, tmp_path: Path) -> None:
    table, script = tmp_path / "my prices.csv", tmp_path / "train.py"
    table.write_text(CSV)
    script.write_text("import torch\n")
    recording = tmp_path / "no.name"
    record(built_in("xor"), recording, 2)
    kinds = [kind_of(str(one)) for one in ("xor", file, table, recording, script)]
    assert kinds == list(Kind)
    line = lines_on(file)
    line.execute(f"open '{table}' price")
    assert line.debugger.run.name == "my prices"
    line.execute(f"open {recording}")
    assert line.debugger.session.source.recorded
    with pytest.raises(CommandError, match="is run and recorded before it is opened"):
        line.execute(f"open {script}")


def test_a_table_without_targets_names_its_columns(tmp_path: Path) -> None:
    table = tmp_path / "prices.csv"
    table.write_text(CSV)
    with pytest.raises(NeedsTargets, match="size, rooms, price") as caught:
        open_thing(str(table))
    assert caught.value.columns == ("size", "rooms", "price")
    with pytest.raises(GradstepError, match="no column 'cost'"):
        open_thing(str(table), ["cost"])
    with pytest.raises(GradstepError, match="only a table has columns"):
        open_thing("xor", ["price"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("regresion", "did you mean 'regression'"),
        ("absent.csv", "No such file"),
        ("absent.gradstep", "No such file"),
        (".", "a directory"),
        ("notes.txt", "none of them"),
        ("a\0b", "no such thing"),
    ],
)
def test_what_cannot_be_opened(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text("hello")
    with pytest.raises(GradstepError, match=said):
        kind_of(name)
