"""How much is measured: the smallest run that works, the usual one, and a long one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """``seconds`` and ``rounds`` bound a comparison, ``sample`` is the length of one timing:
    so long that what the rival before has left in the caches hardly counts.

    ``presses`` are those of a key in one program, ``starts`` those of a program, ``journey`` the
    iterations of the run that goto leads through, ``events`` those whose memory is measured,
    ``recorded`` those of the recording that is opened.
    ``scale`` divides the sizes of networks; ``long`` is for what takes minutes.
    """

    name: str
    seconds: float
    rounds: int
    sample: float
    presses: int
    starts: int
    gotos: int
    journey: int
    events: int
    recorded: int
    scale: int = 1
    long: bool = False


TINY = Effort("tiny", 0.0, 2, 1e-4, 2, 1, 3, 200, 2_000, 2_000, scale=16)
QUICK = Effort("quick", 2.0, 15, 2e-2, 30, 9, 25, 100_000, 1_000_000, 1_000_000)
FULL = Effort("full", 8.0, 41, 2e-2, 60, 10, 101, 100_000, 1_000_000, 10_000_000, long=True)
EFFORTS = {effort.name: effort for effort in (TINY, QUICK, FULL)}
