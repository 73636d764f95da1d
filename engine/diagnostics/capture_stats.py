"""Statistics of the tensors of a captured run, iteration by iteration, from what was told of them.

Activations in the order of forward, then parameters. What was kept decides what is known: the
statistics of every write are; how far an update moved a parameter is told from its elements, of
large ones from the sample that was taken at the same places before and after.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.arrays import Array
from engine.capture.captured import CapturedRun
from engine.capture.places import Place
from engine.diagnostics.layer_stats import KEPT, SPAN
from engine.recording.reader import Damaged
from engine.run.kept import Statistics
from engine.run.phases import Phase
from engine.run.timeline import Listing

ACTIVITY = ("mean", "spread", "zeros")
MOST_NAMES = 1000  # tensors that have a line
MOST_ELEMENTS = 2**16  # of a parameter whose elements are compared

Numbers = Mapping[str, float]


@dataclass(frozen=True)
class Measured:
    """A write of an op of a listing that numbers of a tensor come from."""

    place: int
    write: int
    name: str
    quantities: tuple[str, ...]


class CaptureStats:
    """The numbers of tensors of a captured run, by the event that wrote them, read when asked for.

    ``gauges`` has the names that have a line.
    """

    nodes = ()  # it has no layers one behind the other

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.gradients = {gradient: name for name, gradient in run.gradients.items()}
        self.plans: dict[Listing, dict[tuple[str, str], Measured]] = {}
        self.cells: dict[tuple[int, str], dict[str, float]] = {}
        self.shapes = 0
        self.gauges: dict[str, tuple[str, ...]] = {}
        self.follow(None)

    def follow(self, lineage: object) -> None:
        """Take in shapes of iterations that came since; nothing that was written changes."""
        listings = self.run.timeline.listings
        if len(listings) == self.shapes:
            return
        self.shapes = len(listings)
        found: dict[str, dict[str, None]] = {}
        for listing in listings:
            for name, quantity in self.plan(listing):
                found.setdefault(name, {})[quantity] = None
        tensors = self.run.tensors
        ordered = sorted(found, key=lambda name: tensors[name].role == "parameter")
        self.gauges = {name: tuple(found[name]) for name in ordered[:MOST_NAMES]}

    def plan(self, listing: Listing) -> dict[tuple[str, str], Measured]:
        """The last write of an iteration that makes each number, by tensor and quantity."""
        known = self.plans.get(listing)
        if known is not None:
            return known
        tensors = self.run.tensors
        plan: dict[tuple[str, str], Measured] = {}
        for op in listing.ops:
            for i, name in enumerate(op.writes):
                role, of = tensors[name].role, self.gradients.get(name)
                if op.phase in (Phase.FORWARD, Phase.LOSS) and role == "activation":
                    one = Measured(op.index, i, name, ACTIVITY)
                elif op.phase == Phase.BACKWARD and of is not None and of in tensors:
                    one = Measured(op.index, i, of, ("gradient",))
                elif op.phase == Phase.UPDATE and role == "parameter":
                    one = Measured(op.index, i, name, ("update",))
                else:
                    continue
                plan.update(((one.name, quantity), one) for quantity in one.quantities)
        self.plans[listing] = plan
        return plan

    def fill(self, event: int) -> Iterator[int]:
        """Read what is told of the last SPAN iterations and not read yet, newest first.

        Yields each event that was read.
        """
        timeline = self.run.timeline
        if not timeline.end:
            return
        last = timeline.iteration(max(0, min(event, timeline.end) - 1))
        for iteration in range(last, max(-1, last - SPAN), -1):
            begin = timeline.begin(iteration)
            for one in dict.fromkeys(self.plan(timeline.listing(iteration)).values()):
                at = begin + one.place
                if at < event and (at, one.name) not in self.cells and one.name in self.gauges:
                    self.cells[at, one.name] = self.read(iteration, one)
                    yield at
        self.thin(event)

    def read(self, iteration: int, one: Measured) -> dict[str, float]:
        """The numbers of a write; what cannot be read has none."""
        run = self.run
        event = run.timeline.begin(iteration) + one.place
        slot = run.places.layout_starts(iteration)[one.place] + one.write
        try:
            if one.quantities == ("update",):
                ratio = update_ratio(run, (iteration, slot, event), one.name)
                return {} if ratio is None else {"update": ratio}
            told = run.stored.told(iteration, slot, event)
            number = run.stored.block(iteration).numbers[slot]
        except Damaged as problem:
            run.places.trouble = str(problem)
            return {}
        if told.statistics is None:
            return {}
        if one.quantities == ("gradient",):
            size = run.stored.tensors[number].elements
            return {"gradient": told.statistics.rms * math.sqrt(size)}
        return activity(told.statistics)

    def thin(self, event: int) -> None:
        """Keep the numbers of KEPT iterations at most, those nearest to an event."""
        most = KEPT * max(1, 2 * len(self.gauges))
        if len(self.cells) > most:
            nearest = sorted(self.cells, key=lambda cell: abs(cell[0] - event))
            self.cells = {cell: self.cells[cell] for cell in nearest[: most // 2]}

    def back(self, name: str, quantity: str, event: int) -> Iterator[float | None]:
        """A number in each of the last SPAN iterations, from the newest back."""
        timeline = self.run.timeline
        if not timeline.end:
            return
        last = timeline.iteration(max(0, min(event, timeline.end) - 1))
        for iteration in range(last, max(-1, last - SPAN), -1):
            one = self.plan(timeline.listing(iteration)).get((name, quantity))
            if one is None:
                continue
            at = timeline.begin(iteration) + one.place
            if at < event:
                numbers = self.cells.get((at, name))
                yield None if numbers is None else numbers.get(quantity)

    def series(self, name: str, quantity: str, event: int) -> list[float | None]:
        """A number in each of the last SPAN iterations up to an event; None where unknown."""
        found = list(self.back(name, quantity, event))
        while found and found[-1] is None:
            found.pop()
        return found[::-1]

    def values(self, event: int) -> dict[str, dict[str, float]]:
        """The last known numbers of every tensor, by name."""
        return {
            name: {
                quantity: value
                for quantity in quantities
                if (value := next(self.known(name, quantity, event), None)) is not None
            }
            for name, quantities in self.gauges.items()
        }

    def known(self, name: str, quantity: str, event: int) -> Iterator[float]:
        """The known numbers, from the newest back."""
        return (value for value in self.back(name, quantity, event) if value is not None)

    def heading(self, name: str) -> str:
        """What makes a tensor: its op as it stands in forward."""
        for listing in self.run.timeline.listings:
            for op in listing.ops:
                if op.phase in (Phase.FORWARD, Phase.LOSS) and name in op.writes:
                    return op.label
        return name


def activity(found: Statistics) -> dict[str, float]:
    """Mean, standard deviation and share of zeros of what was written."""
    square = found.rms**2 - found.mean**2
    spread = math.sqrt(square) if square > 0 else 0.0
    return {"mean": found.mean, "spread": spread, "zeros": found.zeros}


def update_ratio(run: CapturedRun, place: Place, name: str) -> float | None:
    """‖ΔW‖ / ‖W‖ of an update at a place; None where it cannot be told. Raises Damaged."""
    event = place[2]
    assert event is not None
    before = run.places.locate(event, name)
    if before is None:
        return None
    old, new = taken(run, before), taken(run, place)
    if old is None or new is None or old.shape != new.shape:
        return None
    with np.errstate(all="ignore"):
        old, new = old.astype(np.float64), new.astype(np.float64)
        size = float(np.linalg.norm(old))
        return float(np.linalg.norm(new - old)) / size if size else None


def taken(run: CapturedRun, place: Place) -> Array | None:
    """The elements of a value, flat, or a sample of them; None where there is neither."""
    iteration, slot, event = place
    stored = run.stored
    told = stored.told(iteration, slot, event)
    number = stored.block(iteration).numbers[slot]
    name = stored.tensors[number].name
    sampled = stored.sample(number, told, name)
    if sampled is not None:
        return sampled[0]
    if stored.tensors[number].elements > MOST_ELEMENTS:
        return None
    whole = stored.whole(number, told, name)
    return None if whole is None else whole.reshape(-1)
