"""Ops and tensors as everybody sees them: names, shapes, formulas, what is read and written."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePath
from typing import Any

import numpy as np

from engine.arrays import Array, Shape
from engine.errors import GradstepError
from engine.run.phases import Phase

# The number of the iteration, where an op needs to know it. A tensor of shape (), so that an op
# stays a function of tensors and can be run anywhere: in a recording, a shadow in float64.
CLOCK = "training.iteration"
# The number of rows of the batch, where the ops of a short one differ from those of a full one.
ROWS = "batch.rows"
# The roles whose tensors have a row for each sample of the batch: fewer in the last, short one.
PER_SAMPLE = ("input", "target", "activation", "mask")
Tensors = Mapping[str, Array]
Compute = Callable[[Tensors], tuple[Array, ...]]


def not_executable(tensors: Tensors) -> tuple[Array, ...]:
    """The ``run`` of an op of a captured run: raises GradstepError."""
    raise GradstepError("this op was recorded: it cannot be executed again")


Domain = tuple[tuple[str, float], ...]
"""Limits of a number, each a sign (>, >=, <, <=) and what it is compared with."""


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """What is known of a tensor before anything runs.

    ``domain`` has the limits that an edit of a number is held to.

    ``role`` is one of input, target, activation, mask, parameter, constant, buffer, gradient, loss,
    slot, hyper; a buffer is what a layer keeps from one iteration to the next.
    ``gradient_of`` is the tensor whose gradient of the loss this is, and ``classes`` the number of
    classes where the elements are class indices; ``slot_of`` is the parameter that the optimizer
    keeps this for. ``rowless`` tensors have no row for each sample, though their role has.
    """

    name: str
    symbol: str
    shape: Shape
    dtype: str
    role: str
    layer: str | None = None
    gradient_of: str | None = None
    classes: int | None = None
    slot_of: str | None = None
    domain: Domain = ()
    rowless: bool = False

    @property
    def per_sample(self) -> bool:
        """Whether its first axis is that of the samples: it has fewer rows in a short batch."""
        return self.role in PER_SAMPLE and not self.rowless

    @property
    def nbytes(self) -> int:
        """Bytes of the whole tensor; 0 where NumPy has no such elements."""
        return math.prod(self.shape) * itemsize(self.dtype)


@lru_cache(maxsize=64)
def itemsize(dtype: str) -> int:
    """Bytes of an element as it is held; 0 where NumPy has none: then its shape alone is known."""
    try:
        return np.dtype("float32" if dtype == "bfloat16" else dtype).itemsize
    except TypeError:
        return 0


def held_dtype(dtype: str) -> np.dtype[Any]:
    """The dtype that elements are held in: a captured bfloat16 is a float32 here."""
    return np.dtype(dtype if dtype != "bfloat16" and itemsize(dtype) else "float32")


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """The smallest thing executed: at the place ``index`` of its iteration.

    ``name`` is the tensor it is about, the first it writes; ``key`` is phase and name, as in
    ``backward:linear2.weight.grad``, which no other op of an iteration has. Reads and writes are
    tensors by name. One that ``adds`` puts its result on top of what is there.
    An op of a captured run has no ``run``: calling it raises GradstepError. It has the ``kind``
    that PyTorch calls it by, and the ``file`` and ``line`` of the script that it comes from.
    """

    index: int
    phase: Phase
    name: str
    layer: str | None
    label: str
    formula: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    run: Compute = field(default=not_executable, repr=False)
    adds: bool = False
    kind: str = ""
    file: str | None = None
    line: int = 0
    key: str = field(init=False, repr=False)

    @property
    def source(self) -> str:
        """The script's line that it comes from, as ``train.py:41``; empty where none is known."""
        return f"{PurePath(self.file).name}:{self.line}" if self.file else ""

    def __post_init__(self) -> None:
        # Asked for more often than there are ops: by stops, badges, and wherever an op is counted.
        object.__setattr__(self, "key", f"{self.phase}:{self.name}")
