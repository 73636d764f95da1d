"""One process on its way into a recording: its definitions, and iteration by iteration its events.

Nothing here knows the file: rows wait until the next commit takes them. Iterations and events count
from 0. A tensor that no op wrote enters with its iteration, or, where the iteration has had it
already (the next small batch of several), as an event of its own.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from engine.capture.definitions import (
    ENTERS,
    Row,
    block_link,
    later_link,
    numbers,
    op_row,
    plain,
    shape_digest,
    tensor_row,
)
from engine.capture.elements import array_of, is_finite, statistics
from engine.capture.messages import (
    Degree,
    Event,
    Given,
    IterationEnds,
    Later,
    OpDefinition,
    Phases,
    TensorDefinition,
    Value,
)
from engine.capture.packed import Columns, Told
from engine.capture.wire import Untrustworthy
from engine.recording.canonical import canonical
from engine.recording.contents import NOWHERE, Contents
from engine.recording.digests import Digest, quick_digest, strong
from engine.run.kept import Statistics

SMALL: Final = 4096  # elements up to which a tensor is kept whole as a rule
LARGEST_SIZE: Final = 2**40  # of one axis
LARGEST_STORED: Final = 2**29  # bytes of one tensor: SQLite has no rows of a gibibyte
MOST_OPS: Final = 2**16  # of one iteration: what has more is cut into several
MOST_FACTS: Final = 2**22  # characters of the facts of one iteration
Frame = TensorDefinition | OpDefinition | Event | Given | Later | IterationEnds | Phases


@dataclass
class Iteration:
    """An iteration under way: ops by number, what each wrote, what entered before them.

    ``places`` has the place of each event that the process told; ``seen`` are the names met.
    """

    ops: list[int] = field(default_factory=list)
    values: list[tuple[int, Told]] = field(default_factory=list)
    given: dict[int, Told] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    facts: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    loss_ops: set[int] = field(default_factory=set)
    loss: int | None = None
    sure: bool = True
    odd: int | None = None
    seen: set[str] = field(default_factory=set)


@dataclass
class Waiting:
    """Rows that wait for the next commit, by table, without the number of the run."""

    tensors: list[Row] = field(default_factory=list)
    ops: list[Row] = field(default_factory=list)
    shapes: list[Row] = field(default_factory=list)
    blocks: list[Row] = field(default_factory=list)
    laters: list[Row] = field(default_factory=list)
    wholes: list[Row] = field(default_factory=list)


class Lane:
    """The frames of one process; raises Untrustworthy for what no tracer sends."""

    def __init__(self, root: Digest, contents: Contents) -> None:
        self.contents = contents
        self.tensors: list[TensorDefinition] = []
        self.ops: list[OpDefinition] = []
        self.shapes: dict[Row, tuple[int, Digest]] = {}
        self.listings: list[tuple[int, ...]] = []  # the ops of each shape
        self.waiting = Waiting()
        self.now = Iteration()
        self.begins: list[int] = []  # the event that each iteration begins with
        self.shape_of: list[int] = []
        self.events = 0
        self.link = self.later = root
        self.laters = 0
        self.notes: list[str] = []
        self.room: float = math.inf  # bytes that may still be stored
        self.left_out = self.left_out_bytes = 0
        self._last: dict[int, Told] = {}
        self._partial: set[int] = set()  # tensors that were told without all of their elements
        self._whole_at: dict[int, int] = {}  # the last event that told one whole
        self._told = 0  # events as the process counts them
        self._entered: list[int] = []  # before which of those a tensor entered

    @property
    def iterations(self) -> int:
        """The iterations that have had an event."""
        return len(self.shape_of) + bool(self.now.ops)

    def take(self, frame: Frame) -> None:
        """A frame, in its turn."""
        match frame:
            case TensorDefinition():
                if any(size >= LARGEST_SIZE for size in frame.shape):
                    raise Untrustworthy(f"a tensor of shape {frame.shape}")
                self.tensors.append(frame)
                self.waiting.tensors.append(tensor_row(frame))
            case OpDefinition():
                if not 0 <= frame.line < 2**31:
                    raise Untrustworthy(f"an op at line {frame.line}")
                self.ops.append(frame)
                self.waiting.ops.append(op_row(frame))
            case Event():
                self.happened(frame)
            case Given():
                self.given(frame)
            case Later():
                self.late(frame)
            case Phases():
                self.phases(frame)
            case IterationEnds():
                self.end_iteration()

    def happened(self, event: Event) -> None:
        """An op has run."""
        now, op = self.now, self.ops[event.op]
        if len(now.ops) >= MOST_OPS:
            self.note(f"an iteration of more than {MOST_OPS:,} ops is cut into several")
            self.end_iteration()
            now = self.now
        place = len(now.ops)
        now.places.append(place)
        now.ops.append(event.op)
        now.seen.update(self.tensors[number].name for number in (*op.reads, *op.writes))
        for number, value in zip(op.writes, event.values, strict=True):
            self.write(number, value, self.events)
        if event.facts:
            now.facts[place] = event.facts
        self.events += 1
        self._told += 1

    def given(self, given: Given) -> None:
        """A tensor that no op wrote: with the iteration, or as an event in its midst."""
        now, name = self.now, self.tensors[given.tensor].name
        if name not in now.seen:
            now.given[given.tensor] = self.told(given.tensor, given.value)
            # As if the event before the iteration had written it.
            self.whole(given.tensor, now.given[given.tensor], self.events - len(now.ops) - 1)
        else:
            self._entered.append(self._told)
            now.ops.append(ENTERS + given.tensor)
            self.write(given.tensor, given.value, self.events)
            self.events += 1
        now.seen.add(name)

    def write(self, number: int, value: Value, event: int) -> None:
        """What an event wrote into a tensor."""
        told = self.told(number, value)
        self.now.values.append((number, told))
        self.whole(number, told, event)
        odd = told.statistics is not None and not is_finite(told.statistics)
        if odd and self.now.odd is None:
            self.now.odd = len(self.now.ops) - 1

    def whole(self, number: int, told: Told, event: int) -> None:
        """Note where a tensor is whole that is not always so: what is small is, as a rule."""
        if told.reference == NOWHERE:
            if number not in self._partial and not told.degree & Degree.GONE:
                self._partial.add(number)
                if number in self._whole_at and self.tensors[number].elements <= SMALL:
                    self.waiting.wholes.append((number, self._whole_at[number]))
            return
        self._whole_at[number] = event
        if number in self._partial or self.tensors[number].elements > SMALL:
            self.waiting.wholes.append((number, event))

    def told(self, number: int, value: Value) -> Told:
        """A value with its bytes stored; of one that is the same as before, what was told then."""
        tensor, degree = self.tensors[number], value.degree
        last = self._last.get(number)
        if degree & Degree.SAME and last is not None and not degree & Degree.WHOLE:
            told = Told(
                last.degree | Degree.SAME,
                *(last.digest, last.reference, last.statistics, last.fingerprint),
                *(last.sample, last.sample_reference),
            )
        else:
            told = self.stored(tensor, value)
        self._last[number] = told
        return told

    def stored(self, tensor: TensorDefinition, value: Value) -> Told:
        """A value, its bytes on their way into the file."""
        found = Statistics(*value.statistics) if value.statistics else None
        degree, digest, reference = value.degree, b"", NOWHERE
        if degree & Degree.PASSING:
            return passed(tensor, value)
        if degree & Degree.WHOLE:
            if found is None:
                found = statistics(array_of(tensor.dtype, value.whole, tensor.shape))
            digest, reference = self.keep(tensor, value.whole)
            if reference == NOWHERE:
                degree &= ~Degree.WHOLE
                digest = b""
        sample, sample_reference = b"", NOWHERE
        if degree & Degree.SAMPLE:
            sample = strong(f"sample {tensor.dtype}", tensor.shape, value.sample + value.corner)
            sample_reference = self.add(sample, value.sample + value.corner)
            if sample_reference == NOWHERE:
                degree, sample = degree & ~Degree.SAMPLE, b""
        degree = degree & ~Degree.STATISTICS if found is None else degree | Degree.STATISTICS
        return Told(degree, digest, reference, found, value.fingerprint, sample, sample_reference)

    def keep(self, tensor: TensorDefinition, data: bytes) -> tuple[Digest, int]:
        """Store the bytes of a tensor; their digest and reference, NOWHERE where they are not."""
        if len(data) > LARGEST_STORED:
            self.note(f"tensors of more than {LARGEST_STORED:,} bytes are not kept in full")
            return b"", NOWHERE
        digest = strong(tensor.dtype, tensor.shape, data)
        return digest, self.add(digest, data)

    def add(self, digest: Digest, data: bytes) -> int:
        """Store bytes while there is room for them; their reference, NOWHERE where they are not."""
        contents = self.contents
        before, closes = contents.nbytes, contents.open and len(data) > self.room
        if closes:  # what is there already is found all the same
            contents.open = False
        reference = contents.add(digest, data)
        if closes:
            contents.open = True
        self.room -= contents.nbytes - before
        if reference == NOWHERE:
            self.left_out += 1
            self.left_out_bytes += len(data)
        return reference

    def late(self, later: Later) -> None:
        """The bytes of something that an event wrote before."""
        event = later.event + bisect_right(self._entered, later.event)
        tensor = self.written_by(event, later.write)
        if len(later.value.whole) != tensor.elements * tensor.itemsize or not tensor.itemsize:
            raise Untrustworthy(f"{len(later.value.whole)} bytes of {tensor.name}")
        digest, reference = self.keep(tensor, later.value.whole)
        if reference == NOWHERE:
            return
        self.later = later_link(self.later, event, later.write, digest)
        row = (self.laters, event, later.write, digest, reference, self.later)
        self.waiting.laters.append(row)
        self.waiting.wholes.append((tensor.id, event))
        self.laters += 1

    def written_by(self, event: int, write: int) -> TensorDefinition:
        """The tensor that one of the writes of an event was of."""
        iteration = bisect_right(self.begins, event) - 1
        started = self.events - len(self.now.ops)
        if event >= started:
            number = self.now.ops[event - started]
        else:
            listing = self.listings[self.shape_of[iteration]]
            number = listing[event - self.begins[iteration]]
        writes = (number - ENTERS,) if number >= ENTERS else self.ops[number].writes
        if write >= len(writes):
            raise Untrustworthy(f"write {write} of an op that has {len(writes)}")
        return self.tensors[writes[write]]

    def phases(self, found: Phases) -> None:
        """Ops of the loss among those of the iteration under way."""
        now = self.now
        for place in found.places:
            if not 0 <= place < len(now.places):
                raise Untrustworthy(f"op {place} of the loss, of {len(now.places)}")
            now.loss_ops.add(now.places[place])
        now.sure = now.sure and found.sure
        if found.loss is not None:
            now.loss = found.loss

    def end_iteration(self) -> None:
        """The iteration under way is over; one without an op was none."""
        now = self.now
        if not now.ops:
            return
        number, digest = self.shape(now)
        self.begins.append(self.events - len(now.ops))
        self.shape_of.append(number)
        row = self.block(len(self.shape_of) - 1, number, now)
        self.link = block_link(self.link, len(self.shape_of) - 1, digest, row)
        self.waiting.blocks.append((len(self.shape_of) - 1, *row, self.link))
        self.now = Iteration()

    def shape(self, now: Iteration) -> tuple[int, Digest]:
        """The number and the digest of the shape of an iteration; a new one waits to be written."""
        about = (numbers(now.ops), numbers(sorted(now.loss_ops)), now.loss, int(now.sure))
        if about not in self.shapes:
            digest = shape_digest(now.ops, about, self.ops, self.tensors)
            number = len(self.shapes)
            self.shapes[about] = number, digest
            self.listings.append(tuple(now.ops))
            self.waiting.shapes.append((number, *about, digest))
        return self.shapes[about]

    def block(self, iteration: int, shape: int, now: Iteration) -> Row:
        """The columns of an iteration, between its number and its link."""
        columns = Columns()
        for number, told in (*now.values, *now.given.items()):
            columns.add(told, self.tensors[number].dtype)
        facts = plain(canonical([[place, dict(one)] for place, one in now.facts.items()]))
        if len(facts) > MOST_FACTS:
            self.note(f"what iteration {iteration + 1} says besides of its ops is left out")
            facts = "[]"
        return (shape, numbers(now.given), *columns.parts(), facts, self.loss(now), now.odd)

    def loss(self, now: Iteration) -> float | None:
        """The loss that backward began with last; None where none did, and for NaN."""
        found = next((t for number, t in reversed(now.values) if number == now.loss), None)
        if now.loss is None or found is None or found.statistics is None:
            return None
        value = found.statistics.minimum
        return None if self.tensors[now.loss].elements != 1 or math.isnan(value) else value

    def rows(self) -> Waiting:
        """All that waits, the iteration under way last; it is written over at the next commit."""
        found, self.waiting, now = self.waiting, Waiting(), self.now
        if now.ops:
            about = (numbers(now.ops), numbers(sorted(now.loss_ops)), now.loss, int(now.sure))
            known = self.shapes.get(about)
            if known is None:
                known = len(self.shapes), shape_digest(now.ops, about, self.ops, self.tensors)
                found.shapes.append((known[0], *about, known[1]))
            row = self.block(self.iterations - 1, known[0], now)
            link = block_link(self.link, self.iterations - 1, known[1], row)
            found.blocks.append((self.iterations - 1, *row, link))
        return found

    def note(self, text: str) -> None:
        """Something to be told with the recording, once."""
        if text not in self.notes:
            self.notes.append(text)


def passed(tensor: TensorDefinition, value: Value) -> Told:
    """What is kept of a value whose bytes were told for that alone."""
    found = statistics(array_of(tensor.dtype, value.whole, tensor.shape))
    degree = value.degree & Degree.FINGERPRINT
    fingerprint = quick_digest(np.frombuffer(value.whole, np.uint8)) if degree else b""
    if found is not None:
        degree |= Degree.STATISTICS
    return Told(degree, b"", NOWHERE, found, fingerprint)
