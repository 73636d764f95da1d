"""The past of a session within a memory budget: a window of events, and keyframes beyond it.

The window holds what each recent op wrote, before and after, so that going back is a matter of
putting arrays back. A keyframe holds what an iteration needs and does not make itself (parameters,
optimizer slots, accumulated gradients); re-executing from one gives the same bits again. Each gets
half the budget. When the keyframes outgrow their half every second one is dropped.
"""

from dataclasses import dataclass, field

from engine.arrays import Array
from engine.program import Program

Written = tuple[tuple[Array | None, ...], tuple[Array, ...]]
DEFAULT_BUDGET = 256 * 2**20
EVENT_OVERHEAD = 256  # bytes of the tuples around the arrays of one event
TENSOR_OVERHEAD = 160  # bytes of one array object


@dataclass(eq=False)
class History:
    """What is kept of the past."""

    program: Program
    budget: int = DEFAULT_BUDGET
    events: dict[int, Written] = field(default_factory=dict)
    first: int = 0
    window_bytes: int = 0
    keyframes: dict[int, dict[str, Array]] = field(default_factory=dict)
    spacing: int = 1

    def __post_init__(self) -> None:
        self.costs = tuple(
            self.program.nbytes(op) + EVENT_OVERHEAD + TENSOR_OVERHEAD * len(op.writes)
            for op in self.program.ops
        )
        infos = self.program.tensors
        self.keyframe_bytes = EVENT_OVERHEAD + sum(
            infos[name].nbytes + TENSOR_OVERHEAD for name in self.program.live_in if name in infos
        )

    def restart(self, event: int) -> None:
        """Forget the window; it begins again, empty, at ``event``."""
        self.events.clear()
        self.first = event
        self.window_bytes = 0

    def add(self, event: int, written: Written) -> None:
        """Keep what the op at ``event`` wrote, and let go of the oldest beyond the budget."""
        self.events[event] = written
        costs, ops = self.costs, len(self.costs)
        self.window_bytes += costs[event % ops]
        while self.window_bytes > self.budget // 2 and self.first < event:
            del self.events[self.first]
            self.window_bytes -= costs[self.first % ops]
            self.first += 1

    def forget_after(self, event: int) -> None:
        """Drop everything that comes at or after ``event``."""
        for later in range(event, self.first + len(self.events)):
            del self.events[later]
            self.window_bytes -= self.costs[later % len(self.costs)]
        here = event // len(self.program.ops)
        for iteration in [i for i in self.keyframes if i > here]:
            del self.keyframes[iteration]

    def keyframe(self, iteration: int, tensors: dict[str, Array]) -> None:
        """Keep what ``iteration`` needs, if it is one of those to keep."""
        if iteration % self.spacing or iteration in self.keyframes:
            return
        live = self.program.live_in
        self.keyframes[iteration] = {n: array for n, array in tensors.items() if n in live}
        while len(self.keyframes) > 1 and self.keyframe_bytes * len(self.keyframes) > (
            self.budget // 2
        ):
            self.thin()

    def thin(self) -> None:
        """Double the distance between keyframes."""
        self.spacing *= 2
        for iteration in [i for i in self.keyframes if i % self.spacing]:
            del self.keyframes[iteration]

    def before(self, iteration: int) -> int:
        """The last keyframe at or before an iteration; the first iteration always has one."""
        nearest = iteration - iteration % self.spacing
        while nearest not in self.keyframes:
            nearest -= self.spacing
        return nearest
