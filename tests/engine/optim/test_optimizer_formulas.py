"""The formulas of the update ops: what they say, computed line by line, is what the op does."""

import itertools
import re

import numpy as np
import pytest

from engine.optim.table import OPTIMIZERS
from engine.program.update import HYPER_SYMBOLS
from engine.session.session import Session
from tests.engine.small_experiments import program

OPTIONS = {
    "sgd": [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3},
        {"momentum": 0.9, "nesterov": True},
    ],
    "adam": [{}, {"amsgrad": True}],
    "adamw": [{}, {"amsgrad": True}],
    "adagrad": [{}, {"lr_decay": 0.1}],
    "adadelta": [{}, {"rho": 0.5, "eps": 1e-3}],
    "rmsprop": [{}, {"centered": True}, {"momentum": 0.7}, {"momentum": 0.7, "centered": True}],
}  # fmt: skip
CASES = [
    (kind, option | {"weight_decay": decay, "maximize": maximize})
    for kind, options in OPTIONS.items()
    for option, decay, maximize in itertools.product(options, [0.0, 0.1], [False, True])
]
PLAIN = {
    "∂ℓ/∂W⁽¹⁾": "G", "W⁽¹⁾": "W", "m̂": "mhat", "v̂": "vhat", "β₁ᵗ": "β1**t", "β₂ᵗ": "β2**t",
    "β₁": "β1", "β₂": "β2", "²": "**2", "ηλ": "η * λ", "−": "-", "·": "*",
}  # fmt: skip


def python_of(formula):
    """A formula as Python: products written out, roots as a function."""
    for written, plain in PLAIN.items():
        formula = formula.replace(written, plain)
    formula = re.sub(r"√(\w+|\([^)]*\))", r"root(\1)", formula)
    formula = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula)
    return re.sub(r"(?<=\))(?=[\w])", " * ", formula)


def evaluated(formula, values):
    """The values after all that a formula says: the definitions first, then the parameter."""
    move, *details = re.split(r", (?=\S+ [←=] )", formula)
    known = dict(values)
    for line in [*details, move]:
        name, right = re.split(" [←=] ", python_of(line))
        if "max(" in right:  # the first time there is nothing to compare with
            right = right.replace("max(", "largest(")
        known[name.strip()] = eval(right, {"root": np.sqrt, "largest": np.maximum}, known)
    return known["W"]


@pytest.mark.parametrize(("kind", "options"), CASES, ids=str)
def test_the_formula_computed_is_what_the_op_does(kind, options):
    found = program(optimizer={"type": kind, "lr": 0.05, **options}, training={"epochs": 5})
    (op,) = [op for op in found.ops if op.phase == "update" and op.name == "linear1.weight"]
    session = Session(found)
    letters = found.optimizer.letters
    for iteration in range(5):
        session.goto(iteration * len(found.ops) + op.index)
        tensors = session.tensors
        values = {"W": tensors["linear1.weight"], "G": tensors["linear1.weight.grad"]}
        for slot in found.optimizer.slots:
            before = tensors.get(f"linear1.weight.{slot}")
            values[letters[slot]] = 0.0 if before is None else before
        for name in found.optimizer.hyper:
            symbol = python_of(HYPER_SYMBOLS[name])
            values[symbol] = float(tensors[f"optimizer.{name}"])
        if "t" in values:
            values["t"] = values["t"] + 1  # t counts this update
        first = iteration == 0 and kind == "sgd" and options.get("dampening")
        expected = evaluated(op.formula, values | ({"τ": 0.0} if first else {}))
        session.step()
        np.testing.assert_allclose(session.tensors["linear1.weight"], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_no_two_slots_share_a_letter(kind):
    letters = OPTIMIZERS[kind].letters
    assert len(set(letters.values())) == len(letters)
    for options in OPTIONS[kind]:
        assert set(OPTIMIZERS[kind](**options).slots) <= set(letters)


@pytest.mark.parametrize(
    ("kind", "options", "formula"),
    [
        ("sgd", {"weight_decay": 0.1}, "W − η (∂ℓ/∂W + λ W)"),
        ("sgd", {"maximize": True}, "W − η (−∂ℓ/∂W)"),
        ("adam", {"weight_decay": 0.1}, "W − η m̂ / (√v̂ + ε), g = ∂ℓ/∂W + λ W"),
        ("adamw", {}, "(1 − ηλ)W − η m̂ / (√v̂ + ε), g = ∂ℓ/∂W"),
        ("adagrad", {"weight_decay": 0.1}, "W − η g / (√s + ε), g = ∂ℓ/∂W + λ W, s ← s + g²"),
        ("rmsprop", {"maximize": True}, "W − η g / (√v + ε), g = −∂ℓ/∂W, v ← α v + (1 − α) g²"),
    ],
)
def test_weight_decay_is_the_term_it_adds(kind, options, formula):
    rule = OPTIMIZERS[kind](**options)
    assert ", ".join((rule.formula("W"), *rule.details("W"))).startswith(formula)
