"""Hostile hand-ins: bounded in length, depth and work, and answered in a sentence."""

import time
from pathlib import Path

import numpy as np
import pytest

from engine.answers.document import read_document
from engine.answers.grading import Grader
from engine.answers.handin import Answer, HandIn
from engine.answers.sources import read_handin
from engine.errors import GradstepError
from engine.experiment.reader import load_experiment
from engine.program.compiler import compile_program
from tests.engine.answers.graded import verdict

TEXTS = [
    "(" * 900 + "x" + ")" * 900,
    "x" * 5000,
    "-" * 1900 + "x",
    "x ⊙ " * 400 + "x",
    "log " * 400 + "x",
    "Σ " * 600 + "x",
    "{" * 200,
    "‖" * 50,
    r"\frac{" * 50,
    r"\frac{1}{" * 25 + "}" * 25,
    r"\hat" * 300 + "y",
    r"\left(" * 60,
    r"\begin{cases}" * 9,
    "\x00\x1b[31m",
    "𝟙[",
    "∂" * 40,
    "x**99",
    "max(" * 38 + "x" + ")" * 38,
    "[" * 38 + "x" + "> 0]" * 38,
    "(" * 38 + "x" + ")" * 38 + "+",
    "1 if " * 30 + "x > 0",
    "{" * 30 + "1 if x > 0" + "}" * 30,
    "__import__('os').system('true')",
    "W1.__class__",
]


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("side", ["left", "right"])
def test_texts_are_refused(text: str, side: str) -> None:
    of, said = ("z1", text) if side == "right" else (text, "z1")
    found = verdict("regression", of, said)
    assert found.verdict in ("not understood", "wrong")
    assert found.message


COSTLY = ["Σᵢ Σⱼ Σₖ (W2ᵢⱼ z1ₖ)", "dz2/dz1 " * 240, "δ_{ij}" * 250, "((((x^9)^9)^9)^9)^9"]


@pytest.mark.parametrize("text", COSTLY)
def test_work_is_bounded(text: str) -> None:
    begun = time.process_time()
    assert not verdict("digits", "∂z₂/∂z₁", text).right
    assert time.process_time() - begun < 30  # a tenth of it on a machine of today


def test_the_work_for_a_whole_hand_in_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.answers.marking.FILE_BUDGET", 2000)
    grader = Grader(compile_program(load_experiment("regression")))
    answers = tuple(Answer("z1", "W1.T x + b1") for _ in range(50))
    words = [one.verdict for one in grader.grade(HandIn("many", answers))]
    assert words[0] == "wrong"
    assert words[-1] == "not understood"


FILES = [
    ("a.toml", b"= 1", "a.toml"),
    ("a.toml", b"", "has no answer"),
    ("a.toml", b"x = 1\n" + b'"\xff" = 2', "UTF-8"),
    ("a.json", b"[" * 100_000, "JSON"),
    ("a.json", b"[1]", "table of answers"),
    ("a.json", b'{"sample": -1.5, "z1": 1}', "sample"),
    ("a.json", b'{"batch": 1, "z1": 1}', "batch"),
    ("a.json", b'{"layout": "diagonal", "z1": 1}', "layout"),
    ("a.npz", b"PK", "NPZ"),
    ("a.pdf", b"", "answers are"),
    ("a.toml", b"".join(b"a%d = 1\n" % i for i in range(600)), "more than 500"),
    ("a.md", b"x = 1\n" * 600, "more than 500"),
]


@pytest.mark.parametrize(("name", "content", "message"), FILES)
def test_files_that_cannot_be_read(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(GradstepError, match=message):
        read_handin(path)


DOCUMENTS = [
    "\\[" * 100_000,
    "$$" + "\\[" * 100_000,
    "$" * 200_001,
    "[" * 200_000 + "= if",
    "x = " + "[" * 200_000,
    "| a | input | output |\n|---|\n" + "|" * 200_000,
    "1. loss\n" * 30_000,
    "**" * 100_000 + "=",
    "\\begin{equation}" * 900,
    "\\begin{tabular}" * 900,
]


@pytest.mark.parametrize("text", DOCUMENTS)
def test_documents_are_read_in_their_time(text: str) -> None:
    begun = time.process_time()
    for kind in (".md", ".tex"):
        try:
            answers = read_document(text, kind)
        except GradstepError:
            continue
        assert len(answers) < 500
    assert time.process_time() - begun < 20  # a tenth of it on a machine of today


def test_no_pickles(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", **{"W1.grad": np.array([{}], dtype=object)})
    with pytest.raises(GradstepError, match="NPZ"):
        read_handin(tmp_path / "a.npz")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(GradstepError, match=r"none\.toml"):
        read_handin(tmp_path / "none.toml")


@pytest.mark.parametrize("text", ["", "Only words here.\n", "x = " + "(" * 20_000])
@pytest.mark.parametrize("suffix", ["md", "tex"])
def test_a_document_without_an_answer_is_not_all_right(text, suffix, tmp_path):
    path = tmp_path / f"empty.{suffix}"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(GradstepError, match=rf"empty\.{suffix}: has no answer: an equation"):
        read_handin(path)


def test_a_document_that_is_too_long_is_named(tmp_path):
    path = tmp_path / "long.md"
    path.write_text("word\n" * 60_000, encoding="utf-8")
    with pytest.raises(GradstepError, match=r"long\.md: more than"):
        read_handin(path)
