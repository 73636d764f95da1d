"""The sizes and costs of layers and Jacobians, against counting."""

import numpy as np
import pytest

from engine.chain.chain import chain
from engine.chain.primals import primals_of
from engine.measure.costs import jacobian_costs, layer_costs
from tests.engine.small_experiments import built_in, session_of


def test_the_layers_of_digits():
    program = built_in("digits")
    rows = program.batches.size
    first, relu, last = layer_costs(program)
    assert (first.before, first.after) == ((rows, 64), (rows, 32))
    assert first.parameters == 64 * 32 + 32
    assert first.forward == rows * 64 * 32
    assert first.backward == rows * 64 * 32, "x needs no gradient"
    assert (relu.parameters, relu.forward, relu.backward) == (0, 0, 0)
    assert last.backward == 2 * rows * 32 * 10
    width = np.dtype(program.experiment.dtype).itemsize
    assert last.parameter_bytes == (32 * 10 + 10) * width
    assert last.output_bytes == rows * 10 * width


@pytest.mark.parametrize("name", ["regression", "xor", "classification-bce"])
def test_no_value_outside_the_structure(name):
    session = session_of(name)
    session.goto(len(session.program.ops) - 4)
    primals = primals_of(session)
    costs = jacobian_costs(session.program)
    assert costs[0].of == "loss"
    assert {cost.wrt for cost in costs} >= {info.name for info in session.program.parameters}
    for cost in costs:
        dense = chain(primals, cost.of, cost.wrt).jacobian().to_dense()
        assert dense.shape == cost.dims
        assert dense.nbytes == cost.dense_bytes
        assert np.count_nonzero(dense) <= cost.nonzeros <= dense.size
