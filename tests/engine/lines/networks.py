"""Networks of lines for tests: from tables to a program and its tensors after one iteration."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.session.session import Session


def network(lines: str, tables: Mapping[str, Any] | None = None, **arrays: Any) -> Program:
    """The program of lines; ``arrays`` are x, y and parameters, as nested lists or arrays."""
    given = {name: listed(value) for name, value in arrays.items()}
    data = {name: given.pop(name) for name in ("x", "y") if name in given}
    raw: dict[str, Any] = {
        "parameters": {name: {"value": value} for name, value in given.items()},
        "network": {"lines": lines},
        "training": {"epochs": 2, "input_gradient": True},
        "optimizer": {"type": "sgd", "lr": 0.1},
    }
    if data:
        raw["data"] = data
    for name, table in (tables or {}).items():
        raw[name] = {**raw.get(name, {}), **table} if isinstance(table, Mapping) else table
    return compile_program(read_experiment(raw, file="lines.toml", stem="lines"))


def listed(value: Any) -> Any:
    """An array as nested lists."""
    return value.tolist() if isinstance(value, np.ndarray) else value


def after_backward(program: Program) -> dict[str, Any]:
    """Every tensor after the first backward pass."""
    session = Session(program)
    last = max(op.index for op in program.ops if op.phase.value == "backward")
    session.goto(last + 1)
    return dict(session.tensors)
