"""Where two captured runs differ first, and why: aligned by what ops are, not by their number.

Iterations are compared with those of the same number. Within one, ops are the same where phase,
module and kind are, and it is the same time that these come.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

import numpy as np

from engine.arrays import Array
from engine.capture.captured import CapturedRun
from engine.capture.lines import nested
from engine.capture.messages import Degree, TensorDefinition
from engine.capture.packed import Told
from engine.capture.reasons import reasons
from engine.capture.stored import Block
from engine.run.kept import Statistics
from engine.run.op import Op
from engine.run.position_text import format_position
from engine.run.timeline import Listing

Key = tuple[str, str | None, str, int]
MOST_DRIFT: Final = 20  # changes of shape and dtype that are named
MOST_LOSSES: Final = 12  # losses that are told side by side
INPUT: Final = "input"
ALL_REDUCE: Final = "all_reduce"


@dataclass(frozen=True)
class Difference:
    """The first difference: the event in each run, the tensor, and what differs of it.

    An event is None for what an iteration began with, and for an op that one run has not.
    """

    what: str
    position: str
    events: tuple[int | None, int | None]
    tensor: str | None = None
    op: str | None = None
    module: str | None = None
    place: str | None = None
    index: tuple[int, ...] = ()
    values: tuple[Any, Any] | None = None


@dataclass
class Outcome:
    """How two runs differ over ``compared`` iterations.

    ``values`` counts what was compared. ``unknown`` are values of which neither bytes nor
    fingerprints were kept in both: of these only statistics were compared, or nothing. ``first_op``
    is the first op that wrote something else, where ``first`` is what an iteration began with.
    ``beside`` has for each phase, and for all_reduce, of
    the iteration of the first difference how many values are the same, and how many are not.
    """

    compared: int = 0
    first: Difference | None = None
    first_op: Difference | None = None
    missing: Difference | None = None
    drift: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    values: int = 0
    unknown: int = 0
    beside: dict[str, tuple[int, int]] = field(default_factory=dict)
    losses: list[tuple[int, float | None, float | None]] = field(default_factory=list)

    @property
    def same(self) -> bool:
        """Whether nothing was found that differs."""
        return self.first is None and self.missing is None and not self.drift


class Comparison:
    """Two captured runs, compared over their first iterations within a tolerance.

    |a − b| ≤ ``tolerance`` · max(1, |a|, |b|) counts as the same; with 0 every bit does.
    """

    def __init__(
        self, a: CapturedRun, b: CapturedRun, iterations: int, tolerance: float = 0.0
    ) -> None:
        self.a = a
        self.b = b
        self.iterations = iterations
        self.tolerance = tolerance
        self.outcome = Outcome()

    def run(self) -> Iterator[int]:
        """Compare iteration by iteration up to the first difference; yields how many are done."""
        outcome = self.outcome
        for iteration in range(self.iterations):
            outcome.beside.clear()
            self.compare(iteration)
            outcome.compared = iteration + 1
            yield iteration + 1
            if outcome.first is not None:
                break
        counts = self.a.timeline.iterations, self.b.timeline.iterations
        if outcome.same and counts[0] != counts[1] and self.iterations == min(counts):
            position = f"i{min(counts) + 1}"
            said = f"A has {counts[0]:,} iterations, B {counts[1]:,}"
            outcome.missing = Difference(said, position, (None, None))
        if not outcome.same:
            outcome.reasons = reasons(self.a, self.b)
            outcome.losses = self.losses()

    def compare(self, iteration: int) -> None:
        """Compare what an iteration of both began with, and what its ops wrote."""
        blocks = self.a.stored.block(iteration), self.b.stored.block(iteration)
        listings = tuple(run.timeline.listing(iteration) for run in (self.a, self.b))
        if alike(*blocks) and keys_of(listings[0]) == keys_of(listings[1]):
            self.outcome.values += len(blocks[0].values)
            return
        self.compare_given(iteration)
        places = aligned(listings[0], listings[1])
        for place, other in places:
            if other is None or place is None:
                self.note_missing(iteration, listings, place, other)
                continue
            self.compare_op(iteration, place, other)

    def compare_given(self, iteration: int) -> None:
        """Compare the tensors that entered with an iteration, by name."""
        found = []
        for run in (self.a, self.b):
            numbers = run.stored.index[iteration].given
            slots = run.places.given_slots(iteration)
            names = [run.stored.tensors[number].name for number in numbers]
            found.append(dict(zip(names, slots, strict=True)))
        for name, slot in found[0].items():
            if name in found[1]:
                position = f"i{iteration + 1}"
                what = (name, iteration, slot, found[1][name], (None, None))
                self.compare_values(what, position, None)

    def compare_op(self, iteration: int, place: int, other: int) -> None:
        """Compare what two ops wrote."""
        begins = [run.timeline.begin(iteration) for run in (self.a, self.b)]
        events = begins[0] + place, begins[1] + other
        starts = [run.places.layout_starts(iteration) for run in (self.a, self.b)]
        op = self.a.timeline.op(events[0])
        pairs = zip(
            range(starts[0][place], starts[0][place + 1]),
            range(starts[1][other], starts[1][other + 1]),
            op.writes,
            strict=False,
        )
        for slot, twin, name in pairs:
            what = (name, iteration, slot, twin, events)
            self.compare_values(what, format_position(self.a, events[0]), op)

    def compare_values(
        self,
        what: tuple[str, int, int, int, tuple[int | None, int | None]],
        position: str,
        op: Op | None,
    ) -> None:
        """Compare two values, and note the first difference or that shape or dtype drifted."""
        name, iteration, slot, twin, events = what
        self.outcome.values += 1
        sides = []
        for run, at, event in zip((self.a, self.b), (slot, twin), events, strict=True):
            number = run.stored.block(iteration).numbers[at]
            sides.append((run.stored.tensors[number], run.stored.told(iteration, at, event)))
        (left, a), (right, b) = sides
        if (left.shape, left.dtype) != (right.shape, right.dtype):
            self.note_drift(f"{position}: {name} is {kind(left)} in A and {kind(right)} in B")
            return
        found: Found | None = SAME
        if not a.digest or a.digest != b.digest:
            x = self.a.places.value(iteration, slot, events[0])
            y = self.b.places.value(iteration, twin, events[1])
            found = differs(left, a, b, x, y, self.tolerance)
        if found is None:
            self.outcome.unknown += 1
            return
        part = INPUT if op is None else ALL_REDUCE if op.kind == ALL_REDUCE else str(op.phase)
        same, other = self.outcome.beside.get(part, (0, 0))
        self.outcome.beside[part] = same + (not found.differ), other + found.differ
        known = self.outcome.first if op is None else self.outcome.first_op
        if found.differ and known is None:
            about = None if op is None else op.formula
            module = None if op is None else op.layer
            place = None if op is None or not op.file else f"{op.file}:{op.line}"
            difference = Difference(
                found.what if op is not None else f"{INPUT}: {found.what}",
                *(position, events, name, about, module, place, found.index, found.values),
            )
            self.outcome.first = self.outcome.first or difference
            if op is not None:
                self.outcome.first_op = difference

    def note_missing(
        self, iteration: int, listings: Sequence[Listing], place: int | None, other: int | None
    ) -> None:
        """Note the first op that one run has and the other has not."""
        if self.outcome.missing is not None:
            return
        run = self.a if place is not None else self.b
        at = place if place is not None else other
        assert at is not None
        event = run.timeline.begin(iteration) + at
        op = listings[0 if place is not None else 1].ops[at]
        said = f"only {'A' if place is not None else 'B'} has this op"
        events = (event, None) if place is not None else (None, event)
        where = f"{op.file}:{op.line}" if op.file else None
        self.outcome.missing = Difference(
            said, format_position(run, event), events, op=op.formula, module=op.layer, place=where
        )

    def note_drift(self, text: str) -> None:
        """Note that a tensor has another shape or dtype."""
        if len(self.outcome.drift) < MOST_DRIFT:
            self.outcome.drift.append(text)

    def losses(self) -> list[tuple[int, float | None, float | None]]:
        """The losses side by side: the first ones, and some on the way to the last."""
        both = min(self.a.timeline.iterations, self.b.timeline.iterations)
        step = max(1, -(-both // MOST_LOSSES))
        wanted = sorted({*range(0, both, step), both - 1}) if both else []
        pairs = [(i, self.a.stored.index[i].loss, self.b.stored.index[i].loss) for i in wanted]
        return [(i + 1, x, y) for i, x, y in pairs]


@dataclass(frozen=True)
class Found:
    """Whether two values differ, in what, and where first."""

    differ: bool
    what: str = ""
    index: tuple[int, ...] = ()
    values: tuple[Any, Any] | None = None


SAME = Found(False)


def differs(
    tensor: TensorDefinition, a: Told, b: Told, x: Array | None, y: Array | None, tolerance: float
) -> Found | None:
    """Whether two values of one shape and dtype differ; None where that is not known."""
    if a.degree & b.degree & Degree.GONE:
        return SAME
    if (a.degree ^ b.degree) & Degree.GONE:
        return Found(True, f"it is there in {'B' if a.degree & Degree.GONE else 'A'} alone")
    if x is not None and y is not None:
        return SAME if a.digest == b.digest else element(x, y, tolerance)
    if a.fingerprint and b.fingerprint and a.fingerprint == b.fingerprint:
        return SAME
    if a.sample and a.sample == b.sample and a.statistics == b.statistics:
        return None
    if a.statistics is None or b.statistics is None:
        return Found(True, "its fingerprint") if a.fingerprint and b.fingerprint else None
    if close(a.statistics, b.statistics, tolerance):
        told = bool(a.fingerprint and b.fingerprint) and not tolerance
        return Found(True, "its fingerprint, not its statistics") if told else None
    pair = (a.statistics.mean, b.statistics.mean)
    return Found(True, "its statistics (the values are means)", (), pair)


def close(a: Statistics, b: Statistics, tolerance: float) -> bool:
    """Whether statistics are the same within a tolerance."""
    left = np.array([a.minimum, a.maximum, a.mean, a.rms, a.zeros])
    right = np.array([b.minimum, b.maximum, b.mean, b.rms, b.zeros])
    return not unlike(left, right, tolerance).any()


def unlike(x: Array, y: Array, tolerance: float) -> Array:
    """The elements that differ by more than a tolerance; a NaN is the same as another."""
    with np.errstate(all="ignore"):
        limit = tolerance * np.maximum(1.0, np.maximum(np.abs(x), np.abs(y)))
        apart = ~((np.abs(x - y) <= limit) | (x == y))
    found: Array = apart & ~(np.isnan(x) & np.isnan(y))
    return found


def element(x: Array, y: Array, tolerance: float) -> Found:
    """The first element that differs by more than a tolerance, else that none does."""
    wide = [v if v.dtype.kind in "cf" else v.astype(np.float64) for v in (x, y)]
    apart = unlike(wide[0], wide[1], tolerance).reshape(-1)
    if not apart.any():
        return SAME if tolerance else Found(True, "its bits alone: the sign of a zero, or a NaN")
    at = int(np.argmax(apart))
    index = tuple(int(i) for i in np.unravel_index(at, x.shape))
    what = "a NaN in one alone" if bool(np.isnan(wide[0][index]) ^ np.isnan(wide[1][index])) else ""
    return Found(True, what or "its value", index, (nested(x[index]), nested(y[index])))


def kind(tensor: TensorDefinition) -> str:
    """A tensor's shape and dtype in words."""
    return f"{'×'.join(map(str, tensor.shape)) or 'a number'} {tensor.dtype}"


def alike(a: Block, b: Block) -> bool:
    """Whether all that was told of two iterations are the same bytes, and it was everything."""
    x, y = a.values, b.values
    whole = bool((x.degrees & (Degree.WHOLE | Degree.GONE | Degree.FINGERPRINT)).all())
    return (
        whole
        and np.array_equal(x.degrees, y.degrees)
        and x.digests == y.digests
        and x.fingerprints == y.fingerprints
        and list(x.dtypes) == list(y.dtypes)
    )


@lru_cache(maxsize=64)
def keys_of(listing: Listing) -> tuple[Key, ...]:
    """What each op of an iteration is: phase, module, kind, and which time these come."""
    times: dict[tuple[str, str | None, str], int] = {}
    found = []
    for op in listing.ops:
        what = (op.phase.value, op.layer, op.kind)
        times[what] = times.get(what, 0) + 1
        found.append((*what, times[what]))
    return tuple(found)


@lru_cache(maxsize=64)
def aligned(a: Listing, b: Listing) -> tuple[tuple[int | None, int | None], ...]:
    """The places of the same ops in two iterations, in A's order; None where there is none."""
    places = {key: place for place, key in enumerate(keys_of(b))}
    pairs: list[tuple[int | None, int | None]] = []
    met = set()
    for place, key in enumerate(keys_of(a)):
        other = places.get(key)
        pairs.append((place, other))
        met.add(other)
    pairs += [(None, place) for place in range(len(b)) if place not in met]
    return tuple(sorted(pairs, key=lambda pair: pair[0] if pair[0] is not None else pair[1] or 0))
