"""Numbers as answers, held against the run itself."""

from typing import Any

import numpy as np
import pytest

from engine.answers.numbers import agrees
from engine.answers.verdict import COLUMN, FLAT
from engine.arrays import Array
from engine.chain.query import complete_at
from engine.session.session import Session
from tests.engine.answers.graded import bench, verdict


@pytest.fixture(scope="module")
def run() -> tuple[dict[str, Array], dict[str, Array]]:
    """The tensors before and after the first update of the homework's network."""
    session = Session(bench("regression").program)
    session.goto(complete_at(session.program))
    before = dict(session.tensors)
    session.goto(len(session.program.ops))
    return before, dict(session.tensors)


Run = tuple[dict[str, Array], dict[str, Array]]


def gradient(tensors: dict[str, Array], weight: Array, masked: bool = True) -> Array:
    """∂ℓ/∂W⁽¹⁾ of the batch by hand, with any W⁽²⁾ and with or without the slope of ReLU."""
    back = 2 * (tensors["identity1.out"] - tensors["y"]) @ weight
    slope = tensors["linear1.out"] > 0 if masked else 1.0
    result: Array = (back * slope).T @ tensors["x"]
    return result


def test_the_gradient_by_hand_is_that_of_the_run(run: Run) -> None:
    before, _ = run
    mine = gradient(before, before["linear2.weight"])
    assert np.allclose(mine, before["linear1.weight.grad"])


@pytest.mark.parametrize("layout", ["as it is", "transposed"])
def test_right_in_both_layouts(run: Run, layout: str) -> None:
    mine = gradient(run[0], run[0]["linear2.weight"])
    given = mine if layout == "as it is" else mine.T
    found = verdict("regression", "W1.grad", given.tolist())
    notes = ("of the batch",) if layout == "as it is" else ("of the batch", "in numerator layout")
    assert (found.verdict, found.notes) == ("right", notes)


def test_of_a_sample_or_of_the_batch(run: Run) -> None:
    z = run[0]["linear1.out"]
    assert verdict("regression", "z1", z[0].tolist()).notes == ("of sample 0",)
    assert verdict("regression", "z1", z.tolist()).notes == ("of the batch",)
    assert verdict("regression", "z1", z[2].tolist(), sample=2).right
    assert not verdict("regression", "z1", z[2].tolist(), sample=1).right
    assert not verdict("regression", "z1", z[0].tolist(), batch=True).right


def test_rounded_numbers_are_right_with_a_note(run: Run) -> None:
    mine = gradient(run[0], run[0]["linear2.weight"])
    found = verdict("regression", "W1.grad", np.round(mine + 0.0004, 2).tolist())
    assert (found.verdict, found.notes) == ("right", ("of the batch", "rounded to 2 decimals"))
    assert not verdict("regression", "W1.grad", np.round(mine + 0.02, 2).tolist()).right


def test_a_rough_number_is_not_rounded() -> None:
    assert verdict("regression", "loss", 2.2375, batch=True).right
    assert verdict("regression", "loss", 2.24, batch=True).notes == ("rounded to 2 decimals",)
    assert not verdict("regression", "loss", 2, batch=True).right


MISTAKES = [
    ("twice", "nearly", "×2", ""),
    ("half", "nearly", "×½", ""),
    ("mean", "nearly", "×1/N", ""),
    ("sign", "nearly", "sign", ""),
    ("updated", "wrong", "computed with the updated parameter", "W⁽²⁾"),
    ("no slope", "wrong", "factor missing", "∂z₂/∂z₁"),
    ("one element", "wrong", "the first element that differs", ""),
    ("shape", "wrong", "dimensions", ""),
]


@pytest.mark.parametrize(("mistake", "word", "reason", "factor"), MISTAKES)
def test_mistakes(run: Run, mistake: str, word: str, reason: str, factor: str) -> None:
    before, after = run
    right = gradient(before, before["linear2.weight"])
    one = right.copy()
    one[1, 2] += 1
    made: dict[str, Array] = {
        "twice": 2 * right,
        "half": right / 2,
        "mean": right / len(before["x"]),
        "sign": -right,
        "updated": gradient(before, after["linear2.weight"]),
        "no slope": gradient(before, before["linear2.weight"], masked=False),
        "one element": one,
        "shape": right[:, :2],
    }
    found = verdict("regression", "W1.grad", made[mistake].tolist())
    assert (found.verdict, found.reason) == (word, reason)
    assert found.mistakes[0].factor == factor


def test_the_first_element_that_differs_is_named(run: Run) -> None:
    given = run[0]["linear2.bias.grad"].copy()
    given[1] += 0.5
    found = verdict("regression", "b2.grad", given.tolist())
    right, wrong = float(run[0]["linear2.bias.grad"][1]), float(given[1])
    assert found.mistakes[0].detail == f"[1] is {right:.6g}, not {wrong:.6g}"


def test_the_form_of_jacobians(run: Run) -> None:
    slope = (run[0]["linear1.out"][0] > 0).astype(float)
    assert verdict("regression", "dz2/dz1", np.diag(slope).tolist()).right
    assert verdict("regression", "dz2/dz1", slope.tolist()).reason == FLAT
    assert verdict("regression", "dyhat/dz3", 1).reason == FLAT
    row = 2 * (run[0]["identity1.out"] - run[0]["y"])[:1]
    assert verdict("regression", "dl/dyhat", row.tolist()).right
    assert verdict("regression", "dl/dyhat", row.T.tolist()).reason == COLUMN
    assert verdict("regression", "dl/dyhat", row[0].tolist()).right


def test_a_position_says_which_parameters(run: Run) -> None:
    weight = run[1]["linear1.weight"].tolist()
    assert not verdict("regression", "W1", weight).right
    assert verdict("regression", "W1", weight, at="i2").right


@pytest.mark.parametrize(
    "said", [[[1, 2], [3]], [], [["a"]], None, True, {"a": 1}, 10**400, [10**400]]
)
def test_what_is_no_array_is_not_understood(said: Any) -> None:
    assert verdict("regression", "W1.grad", said).verdict == "not understood"


@pytest.mark.parametrize("said", [float("nan"), float("inf"), [[float("nan")] * 3] * 4])
def test_what_is_not_finite_is_wrong(said: Any) -> None:
    assert verdict("regression", "W1.grad", said).verdict == "wrong"


def test_numbers_beside_an_infinity_are_not_right_whatever_they_are():
    truth = np.array([[np.inf, 2.0, np.nan]])
    assert agrees(truth.copy(), truth) == ""
    assert agrees(np.array([[1e300, 2.0, np.nan]]), truth) is None
    assert agrees(np.array([[np.inf, 3.0, np.nan]]), truth) is None
    assert agrees(np.array([[np.inf, np.inf, np.nan]]), truth) is None
    assert agrees(np.array([[-np.inf, 2.0, np.nan]]), truth) is None
