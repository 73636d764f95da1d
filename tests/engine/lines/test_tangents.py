"""Forward mode against reverse mode: ⟨v, J u⟩ = ⟨Jᵀ v, u⟩ for every function of lines."""

from typing import Any

import numpy as np
import pytest

from engine.lines.derive import gradients, tangent
from engine.lines.node import Node, Tensor, tensor, tensors
from engine.lines.tape import Tape
from tests.engine.lines.every_function import CASES, IDS
from tests.engine.lines.networks import network


@pytest.mark.parametrize(("name", "line", "arrays"), CASES, ids=IDS)
def test_along_a_tangent_and_back(name: str, line: str, arrays: dict[str, Any]) -> None:
    program = network(f"{line}\nloss = sum(z)", None, **arrays)
    root = program.network.graph.lines[0].root
    rng = np.random.default_rng(3)
    read = [node for node in tensors(root) if node.kind == "real"]
    given: dict[str, Any] = {name: np.asarray(value) for name, value in arrays.items()}
    seeds: dict[Tensor, Node] = {}
    for node in read:
        seeds[node] = tensor(f"{node.name}.tangent", node.shape)
        given[f"{node.name}.tangent"] = rng.normal(size=node.shape)
    grad = tensor("cotangent", root.shape)
    given["cotangent"] = rng.normal(size=root.shape)
    back = gradients(root, grad, read, None)
    along = tangent(root, seeds)
    assert along is not None or not back
    outputs = [*([along] if along is not None else []), *back.values()]
    tape = Tape(outputs, "float64")
    found = {node: tape.compute(node)(given)[0] for node in outputs}
    left = 0.0 if along is None else float(np.sum(given["cotangent"] * found[along]))
    right = sum(
        float(np.sum(found[node] * given[f"{of.name}.tangent"])) for of, node in back.items()
    )
    assert left == pytest.approx(right, rel=1e-11, abs=1e-11)
    if along is not None:
        assert found[along].shape == root.shape
