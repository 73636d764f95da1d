"""Large weights are drawn block by block: the same numbers as at once, and somebody is told."""

import numpy as np
import pytest

from engine.arrays import Shape
from engine.nn import initializers
from engine.nn.initializers import INITIALIZERS, told, weight

SHAPE = (70, 31)


@pytest.mark.parametrize("kind", INITIALIZERS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_blocks_are_the_numbers_that_are_drawn_at_once(
    kind: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weight(kind, SHAPE, np.random.default_rng(3), 0.7, dtype)
    monkeypatch.setattr(initializers, "BLOCK", 97)
    rng = np.random.default_rng(3)
    blocks = weight(kind, SHAPE, rng, 0.7, dtype)
    assert blocks.dtype == dtype
    np.testing.assert_array_equal(blocks, whole)


def test_large_weights_are_told_up_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(initializers, "BLOCK", 1000)
    rng, heard = np.random.default_rng(0), list[tuple[Shape, int]]()
    with told(lambda shape, done: heard.append((shape, done))):
        weight("normal", (10, 100), rng, 1.0, "float64")
        weight("normal", SHAPE, rng, 1.0, "float64")
    weight("normal", SHAPE, rng, 1.0, "float64")
    assert heard == [(SHAPE, 1000), (SHAPE, 2000), (SHAPE, 2170)]
