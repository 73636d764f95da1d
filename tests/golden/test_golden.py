"""The golden corpus: its portable part is as it was, it leaves no command out, it sees changes."""

import json
import sys
from pathlib import Path

import pytest

from tests.golden import compare, corpus, portable, product, running, walks
from tests.golden.items import COMMANDS, command_items, commands_of
from tests.golden.masks import masked

ANEW = "if that is meant: python -m tests.golden.portable writes the digests anew"


def commands(folder: Path) -> list[str]:
    """The commands that the help lists."""
    running.furnish(folder)
    with running.surroundings(folder):
        said = running.in_process(["--help"], "").decode()
    rows = said.partition("Commands:\n")[2].splitlines()
    return [row.split()[0] for row in rows if row.startswith("  ")]


def test_the_portable_answers_are_as_they_were():
    known = json.loads(portable.FILE.read_text(encoding="utf-8"))
    if known["versions"] != portable.versions():
        pytest.skip(f"made with {known['versions']}, here is {portable.versions()}")
    then, now = known["digests"], portable.digests()
    changed = sorted(name for name in then | now if then.get(name) != now.get(name))
    assert not changed, ANEW


def test_every_command_is_asked(tmp_path):
    listed = commands(tmp_path / "golden")
    assert sorted(listed) == sorted(COMMANDS)
    assert set(listed) <= commands_of(command_items())


def test_every_file_that_items_read_is_read():
    lines = " ".join(line for item in command_items().values() for line in item)
    assert [file.name for file in running.INPUTS.iterdir() if file.name not in lines] == []


def test_names_are_different_files(tmp_path):
    files = [corpus.file_of(name, tmp_path) for name in corpus.names()]
    assert len(set(files)) == len(files)


def test_every_chapter_of_the_screen_is_walked_at_every_size():
    walked = {(size, chapter) for _, size, chapter in walks.screen_items().values()}
    assert walked >= {(size, chapter) for size in walks.SIZES for chapter in walks.CHAPTERS}
    assert walks.strokes("tape")[:3] == ["f", "R", "> a.gradstep"]


def test_an_answer_has_status_and_both_streams(tmp_path):
    said = running.transcript(("keys", "show nothing"), tmp_path / "golden").decode()
    assert said.startswith("$ keys\n[status 0]\n[stdout]\nStepping\n")
    assert "$ show nothing\n[status 2]\n[stderr]\ngradstep: " in said


def test_what_a_command_reads(tmp_path):
    said = running.transcript(("echo where | script - xor",), tmp_path / "golden").decode()
    assert "[stdout]\n> where\n#0 i1:" in said


def test_folders_of_this_run_have_names(tmp_path):
    said = f"{tmp_path}/a and {product.root()}/engine".encode()
    assert masked(said, product.root(), tmp_path) == b"HERE/a and TREE/engine"


def test_another_tree_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PYTHONPATH", "")
    with pytest.raises(ImportError, match="not from"):
        product.use(tmp_path)


def test_a_difference_is_found_and_shown(tmp_path):
    for folder, word in (("a", "three"), ("b", "tree")):
        file = corpus.file_of("text/list", tmp_path / folder)
        file.parent.mkdir(parents=True)
        file.write_text(f"$ list\n[status 0]\none\ntwo\n{word}\n", encoding="utf-8")
    assert list(compare.differences(["text/list"], tmp_path / "a", tmp_path / "a")) == []
    ((name, lines),) = compare.differences(["text/list"], tmp_path / "a", tmp_path / "b")
    assert name == "text/list"
    assert lines[0] == "@ line 5, below '$ list'"
    assert lines[-3:-1] == ["-three", "+tree"]


def test_items_by_pattern():
    assert corpus.chosen("text/list") == ["text/list"]
    assert set(corpus.chosen("screen/*")) == set(walks.screen_items())
