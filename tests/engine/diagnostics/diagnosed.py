"""Findings of the doctor in small experiments."""

import numpy as np

from engine.diagnostics.doctor import Doctor, diagnose
from tests.engine.small_experiments import program

CLASSES = {"x": np.random.default_rng(3).normal(size=(12, 2)).tolist(), "y": [0, 1, 2] * 4}


def found(kind, iterations=None, **tables):
    """The findings of a kind in a small experiment."""
    compiled = program(**tables)
    every = diagnose(compiled, iterations or compiled.timeline.iterations)
    return [one for one in every if one.name == kind]


def finding(kind, iterations=None, **tables):
    """The only finding of a kind."""
    (one,) = found(kind, iterations, **tables)
    return one


def linear(out, **options):
    return {"type": "linear", "out": out, **options}


def classified(loss, *last):
    return {"data": CLASSES, "layers": [linear(3), *last], "loss": {"type": loss}}


def binary(loss, *last):
    y = [[0.0], [1.0]] * 3
    x = np.random.default_rng(4).normal(size=(6, 2)).tolist()
    return {
        "data": {"x": x, "y": y},
        "layers": [linear(1, init_scale=0.1), *last],
        "loss": {"type": loss},
    }


XOR = {
    "data": {
        "x": [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
        "y": [[0.0], [1.0], [1.0], [0.0]],
    },
    "loss": {"type": "bce_with_logits"},
    "optimizer": {"type": "sgd", "lr": 0.5},
    "training": {"epochs": 300},
}


def every(iterations=None, **tables):
    compiled = program(**tables)
    doctor = Doctor(compiled)
    for _ in doctor.run(iterations or compiled.timeline.iterations):
        pass
    return doctor.findings()
