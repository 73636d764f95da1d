"""Programs and sessions for tests.

Of small experiments, written as TOML documents are after parsing, and of those that are built in.
"""

import copy
from typing import Any

import numpy as np

from engine.experiment.reader import load_experiment, read_experiment
from engine.experiment.spec import Experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.session.history import DEFAULT_BUDGET
from engine.session.session import Session


def document(**tables: Any) -> dict[str, Any]:
    """A two-layer regression on seven rows, with tables replaced or, for dicts, updated."""
    rng = np.random.default_rng(0)
    raw: dict[str, Any] = {
        "data": {"x": rng.normal(size=(7, 2)).tolist(), "y": rng.normal(size=(7, 1)).tolist()},
        "layers": [
            {"type": "linear", "out": 3},
            {"type": "tanh"},
            {"type": "linear", "out": 1},
        ],
        "loss": {"type": "mse"},
        "optimizer": {"type": "sgd", "lr": 0.1},
        "training": {"epochs": 3},
    }
    for name, value in copy.deepcopy(tables).items():
        merge = isinstance(value, dict) and name in ("data", "training")
        raw[name] = raw[name] | value if merge else value
    return raw


def experiment(**tables: Any) -> Experiment:
    return read_experiment(document(**tables), "test.toml")


def program(**tables: Any) -> Program:
    return compile_program(experiment(**tables))


def built_in(name: str) -> Program:
    """The program of an experiment that is built in, or in a file."""
    return compile_program(load_experiment(name))


def session_of(
    name: str, event: int = 0, *, iterations: float = 0, budget: int = DEFAULT_BUDGET
) -> Session:
    """A session on such an experiment, at an event or after so many iterations."""
    session = Session(built_in(name), budget)
    session.goto(event + int(iterations * len(session.program.ops)))
    return session
