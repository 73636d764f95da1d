"""Ops and tensors as everybody sees them: names, shapes, formulas, what is read and written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from engine.arrays import Array, Shape
from engine.run.phases import Phase

CLOCK = "training.iteration"  # the number of the iteration, where an op needs to know it
Tensors = Mapping[str, Array]
Run = Callable[[Tensors], tuple[Array, ...]]


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What is known of a tensor before anything runs.

    ``role`` is one of input, target, activation, mask, parameter, gradient, loss, slot, hyper.
    """

    name: str
    symbol: str
    shape: Shape
    dtype: str
    role: str
    layer: str | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the whole tensor."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """The smallest thing executed. ``name`` is the tensor it is about, the first it writes."""

    index: int
    phase: Phase
    name: str
    layer: str | None
    label: str
    formula: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Run = field(repr=False)
