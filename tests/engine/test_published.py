"""Worked examples of backpropagation from the literature, number by number.

The experiments are in ``published/``, each with its source. Here stand the numbers that the sources
print, as they print them: a string's digits are its precision, and the engine must agree within
half a unit of the last digit. Where a source went on calculating with rounded numbers, or is
wrong, that is said beside the number.

A name with a minus is printed with the other sign (textbooks' error terms δ are −∂E/∂z); a name
that begins with Δ is what the update added.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.experiment import load_experiment
from engine.position import Granularity
from engine.program import compile_program
from engine.session import Session

Numbers = Mapping[str, np.ndarray]
DIRECTORY = Path(__file__).parent / "published"

# Activations, loss and gradients of the first iteration; weights after its update.
PRINTED: dict[str, dict[str, Any]] = {
    "mazur_2015": {
        "linear1.out": [["0.3775", None]],
        "sigmoid1.out": [["0.593269992", "0.596884378"]],
        "linear2.out": [["1.105905967", None]],
        "sigmoid2.out": [["0.75136507", "0.772928465"]],
        "loss": "0.298371109",
        "sigmoid2.out.grad": [["0.74136507", None]],
        "linear2.out.grad": [["0.138498562", None]],
        "linear2.weight.grad": [["0.082167041", None], [None, None]],
        "sigmoid1.out.grad": [["0.036350306", None]],
        "linear1.weight.grad": [["0.000438568", None], [None, None]],
        "linear2.weight": [["0.35891648", "0.408666186"], ["0.511301270", "0.561370121"]],
        "linear1.weight": [["0.149780716", "0.19956143"], ["0.24975114", "0.29950229"]],
    },
    "han_kamber": {
        "linear1.out": [["-0.7", "0.1"]],
        "sigmoid1.out": [["0.332", "0.525"]],
        "linear2.out": [["-0.105"]],
        "sigmoid2.out": [["0.474"]],
        "-linear2.out.grad": [["0.1311"]],
        "-linear1.out.grad": [["-0.0087", "-0.0065"]],
        "linear2.weight": [["-0.261", "-0.138"]],
        "linear1.weight": [["0.192", "0.4", "-0.508"], ["-0.306", "0.1", "0.194"]],
        "linear2.bias": ["0.218"],
        "linear1.bias": ["-0.408", "0.194"],
    },
    "udacity_walkthrough": {
        "linear1.out": [["-0.02"]],
        "sigmoid1.out": [["0.495"]],
        "sigmoid2.out": [["0.512"]],
        "-linear2.out.grad": [["0.122"]],
        "-linear1.out.grad": [["0.003"]],
        "Δlinear2.weight": [["0.0302"]],
        "Δlinear1.weight": [["0.00015", "0.00045"]],
    },
    "udacity_exercise": {
        "Δlinear2.weight": [["0.00804047", "0.00555918"]],
        "Δlinear1.weight": [
            ["1.77005547e-04", "3.54011093e-05", "-7.08022187e-05"],
            ["-5.11178506e-04", "-1.02235701e-04", "2.04471402e-04"],
        ],
    },
    "udacity_bike_sharing": {
        "yhat": [["0.09998924"]],
        "linear2.weight": [["0.37275328", "-0.03172939"]],
        "linear1.weight": [
            ["0.10562014", "0.39775194", "-0.29887597"],
            ["-0.20185996", "0.50074398", "0.19962801"],
        ],
    },
    "cs231n_neuron": {
        "linear1.out": [["1.00"]],
        "sigmoid1.out": [["0.73"]],
        "sigmoid1.out.grad": [["1.00"]],
        "linear1.out.grad": [["0.20"]],
        "linear1.weight.grad": [["-0.20", "-0.39"]],
        "linear1.bias.grad": ["0.20"],
        "x.grad": [["0.39", "-0.59"]],
    },
    "micrograd_neuron": {
        "linear1.out": [["0.8814"]],
        "tanh1.out": [["0.7071"]],
        "tanh1.out.grad": [["1.0000"]],
        "linear1.out.grad": [["0.5000"]],
        "linear1.weight.grad": [["1.0000", "0.0000"]],
        "linear1.bias.grad": ["0.5000"],
        "x.grad": [["-1.5000", "0.5000"]],
    },
    "cs231n_two_layer": {
        "linear1.out": [["2.28", "-0.68"]],
        "relu1.out": [["2.28", "0"]],
        "linear2.out": [["0.4332", "-0.228", "0.228"]],
        "loss": "1.0513754685043635",
        "linear2.out.grad": [["0.429052723714", "0.221490524653", "-0.650543248367"]],
        "linear2.weight.grad": [
            ["0.978240210068", "0"],
            ["0.504998396209", "0"],
            ["-1.483238606277", "0"],
        ],
        "linear2.bias.grad": ["0.429052723714", "0.221490524653", "-0.650543248367"],
        "relu1.out.grad": [["-0.005683359796", "-0.036817689655"]],
        "linear1.out.grad": [["-0.005683359796", "0"]],
        "linear1.weight.grad": [["-0.09093376", "0.03410016"], ["0", "0"]],
        "linear1.bias.grad": ["-0.00568336", "0"],
    },
    "nn_timeline_bce": {
        "linear1.out": [["0.1", "0.3"]],
        "sigmoid1.out": [["0.525", "0.5744"]],
        "linear2.out": [["0.6072"]],
        "sigmoid2.out": [["0.6473"]],
        "loss": "0.4350",
        "linear2.out.grad": [["-0.3527"]],
        "linear2.weight.grad": [["-0.1852", "-0.2026"]],
    },
}

# Units of the last digit, where half a unit is too strict.
UNITS = {
    # 0.474 (1 − 0.474)² = 0.1311 with the rounded output; unrounded it is 0.13117.
    ("han_kamber", "-linear2.out.grad"): 1.0,
    # 0.5 · 0.003 · 0.3 = 0.00045 with the rounded error term; unrounded it is 0.000457.
    ("udacity_walkthrough", "Δlinear1.weight"): 1.0,
    # 2.28 times the twelve rounded digits of ∂ℓ/∂scores.
    ("cs231n_two_layer", "linear2.weight.grad"): 2.0,
    # A double in full: its last bit depends on the order of the sums in the softmax.
    ("cs231n_two_layer", "loss"): 10.0,
}


def session_of(name: str) -> Session:
    """A session on a published example, before its first op."""
    return Session(compile_program(load_experiment(str(DIRECTORY / f"{name}.toml"))))


@cache
def first_iteration(name: str) -> tuple[Numbers, Numbers]:
    """Every tensor before the first iteration, and after it."""
    session = session_of(name)
    before = dict(session.tensors)
    session.step(1, Granularity.ITERATION)
    return before, {"yhat": session.tensor("yhat"), **session.tensors}


def computed(name: str, tensor: str) -> np.ndarray:
    """The engine's numbers for a name of the table."""
    before, after = first_iteration(name)
    if tensor.startswith("Δ"):
        return after[tensor[1:]] - before[tensor[1:]]
    return -after[tensor[1:]] if tensor.startswith("-") else after[tensor]


def entries(printed: Any, index: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], str]]:
    """Every number of a table entry with its index."""
    if isinstance(printed, list):
        for i, item in enumerate(printed):
            yield from entries(item, (*index, i))
    elif printed is not None:
        yield index, printed


def shape_of(printed: Any) -> tuple[int, ...]:
    """The shape of a table entry."""
    return (len(printed), *shape_of(printed[0])) if isinstance(printed, list) else ()


def agrees(actual: float, text: str, units: float = 0.5) -> bool:
    """Whether a number is what a source prints, within units of its last digit; "0" is exact."""
    if text == "0":
        return actual == 0
    last = float(Decimal(1).scaleb(int(Decimal(text).as_tuple().exponent)))
    return abs(actual - float(text)) <= units * last + 1e-15


@pytest.mark.parametrize(
    ("name", "tensor"), [(name, tensor) for name, table in PRINTED.items() for tensor in table]
)
def test_engine_prints_what_the_source_prints(name, tensor):
    printed, actual = PRINTED[name][tensor], computed(name, tensor)
    assert actual.shape == shape_of(printed)
    units = UNITS.get((name, tensor), 0.5)
    wrong = {i: (text, float(actual[i])) for i, text in entries(printed) if
             not agrees(float(actual[i]), text, units)}  # fmt: skip
    assert wrong == {}


def test_every_experiment_has_its_numbers_and_its_source():
    files = {path.stem: path.read_text(encoding="utf-8") for path in DIRECTORY.glob("*.toml")}
    assert files.keys() == PRINTED.keys()
    assert all(text.startswith("# ") for text in files.values())


def test_mazur_leaves_the_biases_alone():
    before, after = first_iteration("mazur_2015")
    for name in ("linear1.bias", "linear2.bias"):
        assert np.array_equal(after[name], before[name])
        assert np.abs(after[f"{name}.grad"]).min() > 0.008  # there would be something to learn


def test_mazur_factors_of_the_chain():
    before, after = first_iteration("mazur_2015")
    sigma = after["linear2.out.grad"] / after["sigmoid2.out.grad"]
    assert agrees(sigma[0, 0], "0.186815602")  # ∂out_o1/∂net_o1
    sigma = after["linear1.out.grad"] / after["sigmoid1.out.grad"]
    assert agrees(sigma[0, 0], "0.241300709")  # ∂out_h1/∂net_h1
    through = after["linear2.out.grad"][0] * before["linear2.weight"][:, 0]
    assert agrees(through[0], "0.055399425")  # ∂E_o1/∂out_h1
    assert agrees(through[1], "-0.019049119", units=1)  # ∂E_o2/∂out_h1: exactly -0.0190491183
    errors = 0.5 * (after["sigmoid2.out"] - after["y"])[0] ** 2
    assert agrees(errors[0], "0.274811083")
    assert agrees(errors[1], "0.023560026")


def test_mazur_error_after_the_first_round():
    session = session_of("mazur_2015")
    session.step(2, Granularity.ITERATION)
    # Erratum: the article prints 0.291027924; with its own updated weights it is 0.291027774.
    assert agrees(session.losses[1], "0.291027774")
    assert not agrees(session.losses[1], "0.291027924")


def test_mazur_error_after_ten_thousand_rounds():
    session = session_of("mazur_2015")
    session.step(10_000, Granularity.ITERATION)
    assert agrees(session.losses[-1], "0.0000351085")
    # Erratum: the outputs that the article prints beside this error have another one,
    # ½Σ(out − target)² = 0.0000350848, which is reached three rounds later. Five digits agree.
    outputs = session.tensors["sigmoid2.out"][0]
    assert agrees(outputs[0], "0.015912196", units=2500)
    assert agrees(outputs[1], "0.984065734", units=2500)
