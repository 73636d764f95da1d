"""Layers as lines beside PyTorch's modules: ten steps of training from the same values."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.drive import run_iteration

torch = pytest.importorskip("torch")

STEPS, RATE = 10, 0.003
Forward = Callable[[Mapping[str, Any], Any], Any]


def compiled(layers: list[dict[str, Any]], x: Any, y: Any, **more: Any) -> Program:
    """The program of these layers under ½Σ(ŷ − y)², with momentum."""
    raw = {
        "name": "layers",
        "data": {"x": x.tolist(), "y": y.tolist()},
        "layers": layers,
        "loss": {"type": "mse", "reduction": "sum", "scale": 0.5},
        "optimizer": {"type": "sgd", "lr": RATE, "momentum": 0.9},
        "training": {"epochs": STEPS},
    }
    return compile_program(read_experiment(raw | more, "layers"))


def trained(program: Program) -> dict[str, Any]:
    """Every tensor after ten iterations."""
    tensors = program.initial()
    for iteration in range(STEPS):
        tensors = run_iteration(program, tensors, iteration)
    return tensors


def beside_torch(
    program: Program, modules: Mapping[str, Any], forward: Forward
) -> dict[str, float]:
    """How far each parameter, each buffer and the loss are from PyTorch's after ten steps.

    ``modules`` has PyTorch's modules by the names of the layers.
    """
    whole = torch.nn.ModuleDict(dict(modules)).double()
    first, after = program.initial(), trained(program)
    own = {info.name for info in program.parameters}
    with torch.no_grad():
        for name, parameter in whole.named_parameters():
            parameter.copy_(torch.tensor(first[name]))
            own.remove(name)
    assert not own, f"PyTorch has no {own}"
    optimizer = torch.optim.SGD(whole.parameters(), lr=RATE, momentum=0.9)
    x, y = torch.tensor(program.data.x), torch.tensor(program.data.y)
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = ((forward(whole, x) - y) ** 2).sum() / 2
        loss.backward()
        optimizer.step()
    known = {name: value for name, value in whole.state_dict().items() if name in after}
    found = {name: distance(after[name], value.numpy()) for name, value in known.items()}
    moved = [np.abs(after[info.name] - first[info.name]).max() for info in program.parameters]
    assert max(moved) > 1e-3, "nothing was learned"
    assert np.isfinite(after["loss"]), "it diverged"
    return found | {"loss": distance(after["loss"], loss.detach().numpy())}


def distance(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest element where that is above 1."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / max(1.0, np.abs(expected).max()))
