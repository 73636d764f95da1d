"""The past of a session within a memory budget: a window of events, and keyframes beyond it.

The window holds what each recent op wrote, before and after, so that going back is a matter of
putting arrays back. A keyframe holds what an iteration needs and does not make itself (parameters,
optimizer slots, accumulated gradients); re-executing from one gives the same bits again. Once a
run has been edited, what an iteration needs is no longer known beforehand, and keyframes are whole.

The window has room for one iteration, or for 1/64 of the budget where several small ones fit into
that, and at most half of it: what is written into memory that has left the processor's caches takes
longer, so that a large window slows down every step of a middling network. The keyframes have the
rest, because their distance is what a far journey costs. When they outgrow it, every second one is
dropped, one by one from the beginning on, as new ones come.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import accumulate
from weakref import WeakKeyDictionary

from engine.arrays import Array
from engine.run.op import Op
from engine.run.run import Run
from engine.run.timeline import Listing
from engine.session.journal import Journal
from engine.session.recent import RecentEvents

Edited = tuple[str, Array | None, Array]
DEFAULT_BUDGET = 256 * 2**20
EVENT_OVERHEAD = 256  # bytes of the objects around the arrays of one event
TENSOR_OVERHEAD = 160  # bytes of one array object
WINDOW_SHARE = 64  # of the budget is the window where some small iterations fit into it
SMALL_ITERATIONS = 4  # so many at least; of larger ones it holds one alone
ROOM_SHARE = 8  # of the window is made free at once where an iteration takes no more than that
NEAR = 8192  # events between two keyframes of a run that has just begun, at most
NEAR_SHARE = 2  # of the budget, written between two of them at most: some tens of milliseconds


@dataclass(frozen=True, eq=False)
class Window:
    """The window of a history as it was once: its events, the first of them, and their bytes."""

    events: RecentEvents
    first: int
    nbytes: int


@dataclass(eq=False)
class History:
    """The past of one branch, within ``budget`` bytes.

    ``events`` is the window: what each event from ``first`` on wrote, before and after.

    A keyframe has the tensors at the beginning of an iteration, before its edits and without its
    batch; those in ``whole`` lack nothing else. ``edited`` has the tensors edited at an event,
    before and after; ``inputs`` has the batch that an iteration with an edited batch ended with, by
    the event that begins the next one. Keyframes are ``spacing`` iterations apart, and before the
    iteration ``swept`` twice as many.
    """

    run: Run
    budget: int = DEFAULT_BUDGET
    events: RecentEvents = field(init=False)
    first: int = 0
    window_bytes: int = 0
    keyframes: dict[int, dict[str, Array]] = field(default_factory=dict)
    whole: set[int] = field(default_factory=set)
    spacing: int = 0
    swept: int = 0
    edited: dict[int, tuple[Edited, ...]] = field(default_factory=dict)
    inputs: dict[int, dict[str, Array | None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        timeline = self.run.timeline
        self.timeline = timeline
        self.events = RecentEvents(timeline, self.run.entering)
        # Weak: while an iteration is under way its listing is another one with every op.
        self.sums: WeakKeyDictionary[Listing, tuple[int, ...]] = WeakKeyDictionary()
        infos = self.run.tensors
        sizes = {name: infos[name].nbytes + TENSOR_OVERHEAD for name in infos}
        live = sum(size for name, size in sizes.items() if name in self.run.live_in)
        self.keyframe_bytes = EVENT_OVERHEAD + live
        self.whole_bytes = EVENT_OVERHEAD + sum(sizes.values())
        # Iterations of a captured run may differ; the first one stands for all of them here.
        listing = timeline.listing(0)
        written = self.costs(listing)[-1]
        share = self.budget // WINDOW_SHARE
        wanted = share if SMALL_ITERATIONS * written <= share else written
        self.window_budget = min(wanted, self.budget // 2)
        self.keyframe_budget = self.budget - self.window_budget
        self.mean_cost = written // max(1, len(listing)) + 1
        self.spacing = self.spacing or self._spacing_at_first(max(1, len(listing)), written)

    def cost(self, op: Op) -> int:
        """Bytes of one event of an op in the window, the objects around its arrays included."""
        return self.run.nbytes(op) + EVENT_OVERHEAD + TENSOR_OVERHEAD * len(op.writes)

    def costs(self, listing: Listing) -> tuple[int, ...]:
        """The bytes of the events of an iteration before each place, and of all: len + 1 sums."""
        sums = self.sums.get(listing)
        if sums is None:
            sums = self.sums[listing] = (0, *accumulate(self.cost(op) for op in listing.ops))
        return sums

    @property
    def end(self) -> int:
        """The event after the last one of the window; ``first`` where it is empty."""
        return self.first + len(self.events)

    @property
    def kept_bytes(self) -> int:
        """Bytes of all keyframes, each counted as if it shared no array with another."""
        partial = len(self.keyframes) - len(self.whole)
        return len(self.whole) * self.whole_bytes + partial * self.keyframe_bytes

    def make_room(self, event: int, stop: int, begin: int, sums: tuple[int, ...]) -> int:
        """Drop the oldest events until those from ``event`` on fit into the window.

        Their iteration begins at ``begin`` and has the costs ``sums``. Returns up to which event
        they fit: at most ``stop``, an event of the same iteration or its end, and at least the
        next one.
        """
        index, end, budget = event - begin, stop - begin, self.window_budget
        needed = sums[end] - sums[index]
        if needed > budget:
            end = max(index + 1, bisect_right(sums, sums[index] + budget) - 1)
            needed = sums[end] - sums[index]
        if self.window_bytes > budget - needed and self.first < event:
            if sums[-1] * ROOM_SHARE <= budget:
                self._drop_iterations(budget - budget // ROOM_SHARE - needed, event)
            self._drop_oldest(budget - needed, event)
        return begin + end

    def _drop_iterations(self, most: int, event: int) -> None:
        """Drop whole iterations before the cursor, so many that at most so many bytes are left.

        Where many fit, that is done for the next ones as well: done for each it costs as much as
        some of their ops.
        """
        timeline = self.timeline
        here = timeline.iteration(event)
        iteration = timeline.iteration(self.first)
        while self.window_bytes > most and iteration < here:
            begin = timeline.begin(iteration)
            sums = self.costs(timeline.listing(iteration))
            self.window_bytes -= sums[-1] - sums[self.first - begin]
            iteration += 1
            self.first = timeline.begin(iteration)
        self.events.drop_before(self.first)

    def _drop_oldest(self, most: int, event: int) -> None:
        """Drop events before the cursor, as few as leave at most so many bytes."""
        timeline = self.timeline
        if self.window_bytes <= most:
            return
        while self.window_bytes > most and self.first < event:
            first, iteration = self.first, timeline.iteration(self.first)
            begin = timeline.begin(iteration)
            sums = self.costs(timeline.listing(iteration))
            gone = sums[first - begin]
            stop = begin + bisect_left(sums, gone + self.window_bytes - most)
            stop = min(stop, event, timeline.begin(iteration + 1))
            self.first = stop
            self.window_bytes -= sums[stop - begin] - gone
        self.events.drop_before(self.first)

    def window(self) -> Window:
        """The window as it is now; its arrays stay in memory for as long as it is kept."""
        return Window(self.events.copy(), self.first, self.window_bytes)

    def put_back(self, window: Window) -> None:
        """The window as it was once, on this branch."""
        self.events = window.events.copy()
        self.first, self.window_bytes = window.first, window.nbytes

    def restart(self, event: int) -> None:
        """Forget the window; it begins again, empty, at ``event``."""
        self.events = RecentEvents(self.timeline, self.run.entering)
        self.first = event
        self.window_bytes = 0

    def taken(self, event: int) -> "History":
        """A history that shares everything up to ``event``; the window moves over to it."""
        new = History(self.run, self.budget, self.first, self.window_bytes)
        new.events = self.events
        new.keyframes, new.whole = dict(self.keyframes), set(self.whole)
        new.spacing, new.swept = self.spacing, self.swept
        new.edited, new.inputs = dict(self.edited), dict(self.inputs)
        self.restart(0)
        new.forget_after(event)
        return new

    def unedit(self, event: int) -> None:
        """Drop everything after the cursor at ``event``, and what was edited there too."""
        self.forget_after(event)
        self.edited.pop(event, None)

    def forget_after(self, event: int) -> None:
        """Drop everything that comes after the cursor at ``event``, and what was edited later."""
        for later in range(max(event, self.first), self.end):
            self.window_bytes -= self.cost(self.timeline.op(later))
        self.events.drop_from(event)
        # The keyframe of this iteration stays: it was made before the edits at its beginning.
        here = self.timeline.iteration(event)
        self._drop([iteration for iteration in self.keyframes if iteration > here])
        for kept in (self.edited, self.inputs):
            for later in [later for later in kept if later > event]:
                del kept[later]

    def keyframe(self, iteration: int, tensors: dict[str, Array], whole: bool = False) -> None:
        """Keep what ``iteration`` needs, or all if ``whole``, where it is one of those to keep."""
        spacing = 2 * self.spacing if iteration < self.swept else self.spacing
        if iteration % spacing or iteration in self.keyframes:
            return
        live = self.run.live_in
        self.keyframes[iteration] = {
            name: array
            for name, array in tensors.items()
            if name in live or (whole and name not in self.run.entering)
        }
        if whole:
            self.whole.add(iteration)
        while len(self.keyframes) > 1 and self.kept_bytes > self.keyframe_budget:
            self.thin()

    def thin(self) -> None:
        """Drop the first keyframe between two of the coarser grid; there have to be two."""
        # One at a time and not all at once, so that the memory stays in use while the distance
        # doubles.
        last = -1
        while (between := self.swept + self.spacing) not in self.keyframes:
            last = max(self.keyframes) if last < 0 else last
            if between <= last:
                self.swept += 2 * self.spacing
                continue
            self.spacing, self.swept = 2 * self.spacing, 0
            strays = [iteration for iteration in self.keyframes if iteration % self.spacing]
            if strays:
                return self._drop(strays)
        self.swept += 2 * self.spacing
        self._drop([between])

    def _drop(self, iterations: list[int]) -> None:
        for iteration in iterations:
            del self.keyframes[iteration]
        self.whole.difference_update(iterations)

    def nearest(self, event: int, journal: Journal) -> int:
        """The last iteration whose keyframe restores every tensor at ``event``.

        A partial keyframe lacks what its own iteration writes, so that this iteration must be
        executed in between, and must write all of it. The first iteration always serves.
        """
        timeline = self.timeline
        iteration = timeline.iteration(event) // self.spacing * self.spacing
        while iteration > 0:
            start, end = timeline.begin(iteration), timeline.begin(iteration + 1)
            if iteration in self.whole:
                return iteration
            if iteration in self.keyframes and end <= event and not journal.touches(start, end):
                return iteration
            iteration -= self.spacing
        return 0

    def _spacing_at_first(self, ops: int, written: int) -> int:
        """Iterations between two keyframes, a power of two, so that coming from one takes a moment.

        At most NEAR events, which write at most half the budget, lie in between. A keyframe costs
        memory that no op has used before, which takes longer than most ops.
        """
        spacing, most = 1, self.budget // NEAR_SHARE
        while 2 * spacing * ops <= NEAR and 2 * spacing * written <= most:
            spacing *= 2
        return spacing
