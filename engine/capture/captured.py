"""A captured script as a Run: what it did can be looked at, at every event, and not be changed."""

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from engine.arrays import Array
from engine.capture.definitions import NOTE
from engine.capture.listings import Listings, aliases_of, gradients_of, infos_of
from engine.capture.messages import Degree
from engine.capture.packed import Told
from engine.capture.places import Places
from engine.capture.stored import StoredCapture
from engine.capture.trace import Trace
from engine.recording.reader import Damaged
from engine.run.kept import Degree as KeptDegree
from engine.run.kept import Kept
from engine.run.op import Op, TensorInfo, Tensors
from engine.run.phases import DEFAULT_ORDER, Phase
from engine.run.source import Ability, Keyframe
from engine.run.timeline import Which

WHY_NOT: Final = (
    "this is what a script did: it can be looked at; to change something, change the script and "
    "capture it again"
)
RECORDED: Final = "captured"
MOST_NAME: Final = 60  # characters of the name of an exception
PIECES: Final = 4  # in which a line may have come


class CapturedRun:
    """A captured process as a Run. It grows with :meth:`refresh` while the script is running."""

    def __init__(self, stored: StoredCapture) -> None:
        self.stored = stored
        self.name = stored.run.name
        self.order: tuple[Phase, ...] = DEFAULT_ORDER
        self.timeline = Trace()
        self.listings = Listings(stored.ops, stored.tensors)
        self.places = Places(stored, self.timeline)
        self.source = Captured(self)
        self.tensors: Mapping[str, TensorInfo] = {}
        self.gradients: Mapping[str, str] = {}
        self.aliases: Mapping[str, str] = {}
        self.entering: tuple[str, ...] = ()
        self.live_in: frozenset[str] = frozenset()
        self.losses: array[float] = array("d")
        self.failed: tuple[int, str] | None = None
        self.loss: str | None = None
        self.loss_op: str | None = None
        self.take(0)

    def __repr__(self) -> str:
        return f"<CapturedRun {self.name!r}, {self.timeline.end} events>"

    def take(self, first: int) -> None:
        """Take over what was read, from an iteration on."""
        stored = self.stored
        listings = [self.listings.listing(shape) for shape in stored.shapes]
        self.timeline.extend(first, listings, [row.shape for row in stored.index[first:]])
        self.timeline.over = stored.run.status != "recording"
        self.tensors = infos_of(stored.tensors)
        self.gradients = gradients_of(self.tensors)
        self.places.index()
        given = [name for name in self.places.given if name in self.tensors]
        batch = ("input", "target")
        self.entering = tuple(name for name in given if self.tensors[name].role in batch)
        # The phases in the order in which most iterations have them.
        phases = dict.fromkeys((*self.timeline.listings[0].phases(), *DEFAULT_ORDER))
        self.order = tuple(phases)
        self.live_in = frozenset(self.tensors) - frozenset(self.entering)
        self.failed = self.find_failure()
        if self.loss_op is None:  # it stays what it is: what counts losses has it by name
            self.find_loss()
        if self.loss_op is not None:
            self.count_losses()
        self.aliases = aliases_of(self.tensors)
        if self.loss is not None and "loss" not in self.tensors:
            self.aliases = {"loss": self.loss, **self.aliases}  # whatever the script calls it

    def refresh(self) -> bool:
        """Take in what has been recorded since; whether there was anything. Raises Damaged."""
        before = self.timeline.end, self.timeline.over
        self.take(self.stored.reread())
        return before != (self.timeline.end, self.timeline.over)

    def find_failure(self) -> tuple[int, str] | None:
        """The last event, where it raised, and the name of the exception."""
        event = self.timeline.end - 1
        if event < 0 or self.timeline.op(event).writes:
            return None
        iteration = self.timeline.iteration(event)
        try:
            facts = self.stored.facts(iteration)
        except Damaged as problem:
            self.places.trouble = str(problem)
            return None
        raised = facts.get(event - self.timeline.begin(iteration), {}).get("raised")
        return None if raised is None else (event, str(raised)[:MOST_NAME])

    def find_loss(self) -> None:
        """The loss that backward begins with in the most iterations, and the op that makes it."""
        stored = self.stored
        found: Counter[tuple[str, str]] = Counter()
        shapes = Counter(row.shape for row in stored.index)
        for number, times in shapes.items():
            shape = stored.shapes[number]
            if shape.loss is None:
                continue
            name = stored.tensors[shape.loss].name
            ops = self.listings.listing(shape).ops
            made = [op for op in ops if op.phase == Phase.LOSS and name in op.writes]
            if made:
                found[name, made[-1].name] += times
        if found:
            (self.loss, self.loss_op), _ = found.most_common(1)[0]

    def count_losses(self) -> None:
        """The loss of every iteration that has the op that makes it; NaN where it is not known."""
        where = Which(f"{Phase.LOSS}:{self.loss_op}")
        stored = self.stored
        counts = [len(listing.places(where)) for listing in self.timeline.shapes]
        self.losses = array("d")
        for row in stored.index:
            value = np.nan if row.loss is None else row.loss
            self.losses.extend([value] * counts[row.shape])

    def resolve(self, name: str) -> str:
        """A tensor's own name for an alias, any other name as it is."""
        return self.aliases.get(name, name)

    def nbytes(self, op: Op) -> int:
        """Bytes that an event of an op leaves behind: of what was kept whole, at most."""
        total = 0
        for name in op.writes:
            size = self.tensors[name].nbytes
            total += size if size <= self.stored.reader.size else 0
        return total


class Captured:
    """The source of a captured run: what was written down, and nothing else."""

    can: frozenset[Ability] = frozenset()
    why_not = WHY_NOT
    recorded = True

    def __init__(self, run: CapturedRun) -> None:
        self.run = run
        self.stored = run.stored
        self.places = run.places

    # -- what a session asks

    def initial(self) -> dict[str, Array]:
        """Every tensor that was there before the first op."""
        return {name: array for name, array in self.enters(0).items() if array is not None}

    def enters(self, iteration: int) -> dict[str, Array | None]:
        """The tensors that entered with an iteration."""
        if not 0 <= iteration < len(self.stored.index):
            return {}
        numbers = self.stored.index[iteration].given
        slots = self.places.given_slots(iteration)
        return {
            self.stored.tensors[number].name: self.places.value(iteration, slot)
            for number, slot in zip(numbers, slots, strict=True)
        }

    def leaves(self, iteration: int) -> dict[str, Array | None]:
        """What stood under the names that enter with the next iteration before they did."""
        following = iteration + 1
        if not 0 < following < len(self.stored.index):
            return {}
        names = [self.stored.tensors[i].name for i in self.stored.index[following].given]
        event = self.run.timeline.begin(following)
        return {name: self.places.at(self.places.locate(event, name, following)) for name in names}

    def produce(
        self, branch: Any, event: int, op: Op, tensors: Tensors
    ) -> tuple[Array | None, ...]:
        """What an op wrote; None for each tensor whose elements were not kept."""
        timeline = self.run.timeline
        iteration = timeline.iteration(event)
        starts = self.places.layout_starts(iteration)
        place = event - timeline.begin(iteration)
        return tuple(
            self.places.value(iteration, slot, event)
            for slot in range(starts[place], starts[place + 1])
        )

    def keyframe(self, branch: Any, event: int, after: int) -> Keyframe | None:
        """The tensors at the beginning of the iteration of an event: looked up, not executed."""
        iteration = self.run.timeline.iteration(event)
        if iteration <= after and event < self.run.timeline.end:
            return None
        return Keyframe(iteration, self.places.state(iteration), whole=True)

    def status(self, branch: Any, event: int) -> str:
        """That it was captured; beside the op that ended the script, what it raised."""
        failed = self.run.failed
        if failed is not None and event >= failed[0] - 1:
            return f"{failed[1]} {'here' if event >= failed[0] else 'next'}"
        return RECORDED

    def kept(self, event: int, name: str) -> Kept | None:
        """What is known of a tensor at an event whose elements were not kept."""
        place = self.places.locate(event, name)
        if place is None:
            return None
        iteration, slot, written = place
        try:
            told = self.stored.told(iteration, slot, written)
            number = self.stored.block(iteration).numbers[slot]
            if told.degree & Degree.GONE or self.stored.whole(number, told, name) is not None:
                return None
            sampled = self.stored.sample(number, told, name)
        except Damaged as problem:
            self.places.trouble = str(problem)
            return None
        tensor = self.stored.tensors[number]
        sample, corner = (None, None) if sampled is None else sampled
        at = self.run.timeline.begin(iteration) - 1 if written is None else written
        return Kept(
            degree_of(told),
            *(tensor.shape, tensor.dtype, told.statistics, sample, corner, written),
            nearest=self.places.nearest(name, at),
        )

    @property
    def scripts(self) -> Mapping[str, str]:
        """The files of the script by path, where they were kept."""
        try:
            return self.stored.sources
        except Damaged as problem:
            self.places.trouble = str(problem)
            return {}

    def printed(self, event: int, most: int) -> list[str]:
        """The last lines that the command had printed before an event, at most so many."""
        try:
            pieces = self.stored.log(event, most * PIECES)
        except Damaged as problem:
            self.places.trouble = str(problem)
            return []
        text = "".join(text for _, stream, text in pieces if stream != NOTE)
        return text.splitlines()[-most:]

    def suspect(self, event: int) -> int:
        """The first event from this one on that wrote something not finite, or the end."""
        found = self.places.first_odd(event, self.run.timeline.end)
        return self.run.timeline.end if found is None else found


def degree_of(told: Told) -> KeptDegree:
    """How much was kept of a value that is not whole."""
    if told.degree & Degree.SAMPLE and told.statistics is not None:
        return KeptDegree.SAMPLE
    return KeptDegree.NOTHING if told.statistics is None else KeptDegree.STATISTICS
