"""The weight gradient of large linear layers takes another product of NumPy, with the same bits."""

import numpy as np
import pytest

from engine.functions.linear import LARGE, Linear


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("rows", "inputs", "outputs"), [(64, 784, 256), (1, 512, 300), (33, 7, 5)])
def test_the_size_of_a_layer_does_not_change_the_bits(
    rows: int, inputs: int, outputs: int, dtype: str
) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, inputs)).astype(dtype)
    grad = rng.normal(size=(rows, outputs)).astype(dtype)
    assert Linear().pull_weight(grad, x).tobytes() == np.dot(grad.T, x).tobytes()
    assert (inputs * outputs >= LARGE) == (rows != 33)
