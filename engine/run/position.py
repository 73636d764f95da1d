"""Where a session stands: before which op of which iteration of which epoch."""

from dataclasses import dataclass
from enum import StrEnum


class Granularity(StrEnum):
    """The size of a step."""

    OP = "op"
    PHASE = "phase"
    ITERATION = "iteration"
    EPOCH = "epoch"


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two ops. Epoch and iteration count from 1, event, batch and op from 0.

    At the end of the run ``op`` is the number of ops of the last iteration.
    """

    event: int
    epoch: int
    iteration: int
    batch: int
    op: int
