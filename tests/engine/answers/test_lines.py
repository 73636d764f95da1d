"""Answers about networks of lines: in the names of the lines, with sizes that are letters."""

import functools

import pytest

from engine.answers.grading import Grader
from engine.answers.handin import Answer, HandIn
from engine.answers.verdict import TERM, Verdict
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.toml_text import read_toml
from tests.engine.answers.letters import LETTERS

PENALTY = """
[data]
x = [[0.5, -1.0, 2.0], [1.0, 0.5, -1.0]]
y = [[1.0, 0.0], [0.0, 1.0]]

[parameters]
W = { shape = ["n", "K"] }

[constants]
lam = 0.25

[network]
lines = '''
yhat = x @ W
loss = sum((yhat - y)**2) + lam*sum(W**2)
'''

[optimizer]
type = "sgd"
lr = 0.1
"""


@functools.cache
def grader(text: str) -> Grader:
    return Grader(compile_program(read_experiment(read_toml(text), "lines")))


def verdict(text: str, of: str, said: object, batch: bool = False) -> Verdict:
    return grader(text).grade(HandIn("lines", (Answer(of, said),), batch=batch))[0]


@pytest.mark.parametrize(
    ("of", "said"),
    [
        ("W1.grad", "x * dl/dyhat * W2 * dz2/dz1"),
        ("W2.grad", "z2 * dl/dyhat"),
        ("dz2/dz1", "1 if i = j and z1_i > 0, else 0"),
        ("dyhat/dz2", "W2"),
        ("z1.output", "W1 x + b1"),
        ("linear2.output", "W2 relu(W1 x + b1)"),
        ("loss", "‖yhat − y‖²"),
        ("shape(W1.grad)", "n×h"),
    ],
)
def test_right(of: str, said: str) -> None:
    assert verdict(LETTERS, of, said).verdict == "right"


def test_nothing_conforms_because_all_sizes_of_the_file_are_the_same() -> None:
    missing = verdict(LETTERS, "W1.grad", "x * dl/dyhat * dz2/dz1")
    assert (missing.reason, missing.mistakes[0].factor) == ("factor missing", "W2")
    turned = verdict(LETTERS, "z1", "W1.T x + b1")
    assert turned.mistakes[0].text() == "transposed factor: W1ᵀ where W1 is meant"


def test_of_a_batch() -> None:
    right = verdict(PENALTY, "W.grad", "2 x.T (x W - y) + 0.5 W", batch=True)
    assert right.verdict == "right"
    found = verdict(PENALTY, "W.grad", "2 x.T (x W - y)", batch=True)
    assert (found.reason, found.mistakes[0].factor) == (TERM, "0.5 · W")
