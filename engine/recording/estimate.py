"""The size of a recording before it is made, and which store fits."""

from dataclasses import dataclass

from engine.program.program import Program
from engine.recording.digests import QUICK, STRONG
from engine.run.phases import Phase

STORES = ("full", "keyframes")
FULL_LIMIT = 256 * 2**20  # `auto` keeps every tensor of runs up to this size
ROW = 64  # bytes of a row besides what is in it
REFERENCE = 17  # bytes of the text of a reference
MOST_SPACING = 64


@dataclass(frozen=True)
class Estimate:
    """Bytes of a recording; ``spacing`` is how many iterations lie between keyframes."""

    store: str
    spacing: int
    per_iteration: int
    fixed: int
    iterations: int

    @property
    def total(self) -> int:
        """Bytes of the whole run."""
        return self.fixed + self.per_iteration * self.iterations


def estimate(program: Program, store: str, iterations: int) -> Estimate:
    """What a store takes; ``auto`` is ``full`` up to FULL_LIMIT bytes, else ``keyframes``."""
    if store == "auto":
        full = estimate(program, "full", iterations)
        store = "full" if full.total <= FULL_LIMIT else "keyframes"
    spacing = keyframe_spacing(program, store)
    width = STRONG if store == "full" else QUICK
    slots = sum(len(op.writes) for op in program.ops)
    kept = full_bytes(program) + REFERENCE * (slots + len(program.tensors) // spacing)
    tensors = kept if store == "full" else keyframe_bytes(program) // spacing
    data = program.data.x.nbytes + program.data.y.nbytes
    return Estimate(store, spacing, tensors + width * slots + 2 * ROW, data + 2**15, iterations)


def full_bytes(program: Program) -> int:
    """Bytes that one iteration writes; zeros are the same every time and kept once."""
    ops = [op for op in program.ops if op.phase != Phase.ZERO_GRAD]
    names = [name for op in ops for name in op.writes]
    return sum(program.tensors[name].nbytes for name in names)


def keyframe_bytes(program: Program) -> int:
    """Bytes of a partial keyframe: what an iteration reads before it writes it."""
    names = [name for name in program.live_in if name in program.tensors]
    return sum(program.tensors[name].nbytes + STRONG + REFERENCE for name in names)


def keyframe_spacing(program: Program, store: str) -> int:
    """Iterations between keyframes, a power of 2.

    A keyframe of a full recording only refers to tensors that are there. Others shall not take
    much more room than the digests, and a seek shall not re-execute too much.
    """
    if store == "full":
        return 16
    allowed = max(256, full_bytes(program) // 64)
    spacing = 16
    while spacing < MOST_SPACING and keyframe_bytes(program) / spacing > allowed:
        spacing *= 2
    return spacing
