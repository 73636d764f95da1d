"""A captured run as it is in its file: definitions, iterations, and the values that were kept."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from threading import RLock
from typing import Final

import numpy as np

from engine.arrays import Array
from engine.capture.definitions import ENTERS, block_link, later_link
from engine.capture.elements import array_of
from engine.capture.messages import (
    Degree,
    OpDefinition,
    TensorDefinition,
    corner_shape,
    sample_size,
)
from engine.capture.packed import Misfit, Told, Unpacked
from engine.capture.rows import CapturedProcess, IndexRow, Rows, Shape
from engine.errors import GradstepError
from engine.recording.contents import NOWHERE
from engine.recording.digests import Digest, strong
from engine.recording.reader import Damaged, Reader
from engine.recording.stored import StoredContents

BLOCK: Final = (
    "SELECT shape, given, degrees, digests, refs, statistics, fingerprints, facts, loss, odd, link"
    " FROM capture_block WHERE run = ? AND iteration = ?"
)
LINK: Final = "SELECT link FROM capture_block WHERE run = ? AND iteration = ?"
LATERS: Final = (
    "SELECT number, event, write, digest, reference, link FROM capture_later WHERE run = ?"
    " ORDER BY number"
)
CACHED_BLOCKS: Final = 64
MOST_LATERS: Final = 2**22


@dataclass(frozen=True)
class Block:
    """What was told of the values of an iteration: of the tensors ``numbers``, slot by slot.

    ``starts`` has the first slot of each op, and the first of what entered.
    """

    iteration: int
    numbers: tuple[int, ...]
    starts: tuple[int, ...]
    values: Unpacked
    facts: str


@dataclass(frozen=True)
class Layout:
    """The slots of a shape: the tensor of each, and where those of each op begin."""

    numbers: tuple[int, ...]
    starts: tuple[int, ...]


class StoredCapture:
    """One process of a captured command: that of a number or of a rank, else the first.

    Whatever is asked of it raises Damaged where the file is not as it was written. GradstepError:
    there is no such process.
    """

    def __init__(self, reader: Reader, number: int | None = None) -> None:
        self.reader = reader
        self.runs = Rows(reader).processes()
        self.run = self.chosen(number)
        self.rows = Rows(reader, self.run.id)
        self.contents = StoredContents(reader)
        self.tensors: list[TensorDefinition] = []
        self.ops: list[OpDefinition] = []
        self.shapes: list[Shape] = []
        self.layouts: list[Layout] = []
        self.index: list[IndexRow] = []
        self._blocks: OrderedDict[int, Block] = OrderedDict()
        self.lock = RLock()  # a thread moves the session while the screen looks things up
        with reader.snapshot():
            self.read()

    def chosen(self, number: int | None) -> CapturedProcess:
        """The process of a number, or the first one."""
        if not self.runs:
            raise Rows(self.reader).damaged("nothing was captured in it")
        found = [run for run in self.runs if run.id == number] if number else self.runs
        if not found:
            known = ", ".join(f"{run.id} (rank {run.rank})" for run in self.runs)
            raise GradstepError(f"{self.reader.path}: no run {number}; there are: {known}")
        return found[0]

    def read(self) -> int:
        """Read what is new in the file; the first iteration that is not as it was."""
        rows = self.rows
        self.tensors += rows.tensors(len(self.tensors))
        self.ops += rows.ops(len(self.ops), len(self.tensors))
        self.shapes = rows.shapes(len(self.ops), len(self.tensors))
        self.layouts = [self.layout(shape) for shape in self.shapes]
        first = max(0, len(self.index) - 1)  # the last one may have grown
        self.index[first:] = rows.index(first, len(self.shapes), len(self.tensors))
        self._blocks.pop(first, None)
        self.__dict__.pop("laters", None)
        return first

    def reread(self) -> int:
        """The same while somebody writes; Damaged where the file is no longer what it was."""
        self.reader.check_still_there()
        self.reader.measure()
        with self.reader.snapshot():
            runs = Rows(self.reader).processes()
            self.run = next((run for run in runs if run.id == self.run.id), self.run)
            return self.read()

    def layout(self, shape: Shape) -> Layout:
        """The slots of a shape."""
        numbers: list[int] = []
        starts = [0]
        for op in shape.ops:
            numbers += (op - ENTERS,) if op >= ENTERS else self.ops[op].writes
            starts.append(len(numbers))
        return Layout(tuple(numbers), tuple(starts))

    def damaged(self, what: str) -> Damaged:
        """The Damaged that names the file and what is damaged in it; it is not raised."""
        return self.rows.damaged(what)

    # -- iterations

    def block(self, iteration: int) -> Block:
        """What was told of the values of an iteration; a Damaged if it was changed."""
        with self.lock:
            found = self._blocks.get(iteration)
            if found is None:
                found = self._blocks[iteration] = self.read_block(iteration)
                if len(self._blocks) > CACHED_BLOCKS:
                    self._blocks.popitem(last=False)
            self._blocks.move_to_end(iteration)
            return found

    def read_block(self, iteration: int) -> Block:
        """A block from the file, checked against its link."""
        what = f"iteration {iteration + 1}"
        row = self.reader.one(BLOCK, (self.run.id, iteration), "ibbbbbbsFIb")
        if row is None:
            raise self.damaged(f"{what} is missing")
        number, given, *columns, facts, _, _, link = row
        if not 0 <= number < len(self.shapes):
            raise self.damaged(f"{what}: it has shape {number}")
        digest = self.shapes[number].digest
        if block_link(self.link_before(iteration), iteration, digest, row[:-1]) != link:
            raise self.damaged(f"{what}: it is not what was recorded")
        layout, entered = self.layouts[number], self.rows.numbers(given, len(self.tensors), what)
        numbers = (*layout.numbers, *entered)
        try:
            dtypes = [self.tensors[one].dtype for one in numbers]
            values = Unpacked(dtypes, *columns)
        except Misfit as problem:
            raise self.damaged(f"{what}: {problem}") from None
        return Block(iteration, numbers, layout.starts, values, facts)

    def link_before(self, iteration: int) -> Digest:
        """The link that an iteration follows on: the root for the first."""
        if iteration == 0:
            return self.run.root
        row = self.reader.one(LINK, (self.run.id, iteration - 1), "b")
        if row is None:
            raise self.damaged(f"iteration {iteration} is missing")
        return bytes(row[0])

    @cached_property
    def laters(self) -> dict[tuple[int, int], tuple[Digest, int]]:
        """The values that came after their events: digest and reference by event and write."""
        found: dict[tuple[int, int], tuple[Digest, int]] = {}
        link = self.run.root
        rows = self.reader.rows(LATERS, (self.run.id,), "iiibib", MOST_LATERS)
        for i, (number, event, write, digest, reference, linked) in enumerate(rows):
            link = later_link(link, event, write, digest)
            if number != i or link != linked:
                raise self.damaged(f"value {i + 1} of those that came later")
            found[event, write] = bytes(digest), reference
        return found

    def facts(self, iteration: int) -> dict[int, dict[str, object]]:
        """What else was told of ops of an iteration, by place: learning rates, what was raised."""
        found = self.rows.value(self.block(iteration).facts, f"facts of iteration {iteration + 1}")
        if not isinstance(found, list):
            raise self.damaged(f"facts of iteration {iteration + 1}")
        pairs = [one for one in found if isinstance(one, list) and len(one) == 2]
        return {
            place: about
            for place, about in pairs
            if isinstance(place, int) and isinstance(about, dict)
        }

    # -- values

    def told(self, iteration: int, slot: int, event: int | None) -> Told:
        """What is told of the value in a slot, and which event of the iteration wrote it."""
        block = self.block(iteration)
        told = block.values.told(slot)
        if event is None or told.reference != NOWHERE or not self.laters:
            return told
        place = self.place_of(block, slot)
        later = None
        if place is not None:
            later = self.laters.get((event, slot - block.starts[place]))
        if later is None:
            return told
        digest, reference = later
        return replace(told, degree=told.degree | Degree.WHOLE, digest=digest, reference=reference)

    def place_of(self, block: Block, slot: int) -> int | None:
        """The place of the op that wrote what is in a slot; None for what entered."""
        if slot >= block.starts[-1]:
            return None
        return bisect_right(block.starts, slot) - 1

    def whole(self, number: int, told: Told, what: str) -> Array | None:
        """The elements of a value; None where they were not kept."""
        if told.reference == NOWHERE or not told.degree & Degree.WHOLE:
            return None
        tensor = self.tensors[number]
        size = tensor.elements * tensor.itemsize
        if not tensor.itemsize or size > self.reader.size:
            raise self.damaged(f"{what}: {size:,} bytes of {tensor.dtype[:20]}")
        with self.lock:
            data = self.contents.content(told.reference, size, what)
        if strong(tensor.dtype, tensor.shape, data) != told.digest:
            raise self.damaged(f"{what}: its bytes are not the ones that were recorded")
        return self.array(tensor.dtype, data, tensor.shape, what)

    def sample(self, number: int, told: Told, what: str) -> tuple[Array, Array] | None:
        """The strided sample and the corner of a value; None where they were not kept."""
        if told.sample_reference == NOWHERE or not told.degree & Degree.SAMPLE:
            return None
        tensor = self.tensors[number]
        count, corner = sample_size(tensor.elements), corner_shape(tensor.shape)
        cut = count * tensor.itemsize
        size = cut + int(np.prod(corner, dtype=np.int64)) * tensor.itemsize
        with self.lock:
            data = self.contents.content(told.sample_reference, size, what)
        if strong(f"sample {tensor.dtype}", tensor.shape, data) != told.sample:
            raise self.damaged(f"{what}: its sample is not the one that was recorded")
        first = self.array(tensor.dtype, data[:cut], (count,), what)
        return first, self.array(tensor.dtype, data[cut:], corner, what)

    def array(self, dtype: str, data: bytes, shape: Sequence[int], what: str) -> Array:
        """Bytes as an array; Damaged where they are none of that shape."""
        try:
            return array_of(dtype, data, tuple(shape))
        except (ValueError, KeyError) as problem:
            raise self.damaged(f"{what}: {problem}") from None

    def wholes(self, number: int, event: int) -> list[int]:
        """The events before and after another one that wrote a tensor, by number, whole."""
        query = "SELECT {}(event) FROM capture_whole WHERE run = ? AND tensor = ? AND event {} ?"
        values = (self.run.id, number, event)
        pairs = (("max", "<="), ("min", ">"))
        rows = [self.reader.one(query.format(*pair), values, "I") for pair in pairs]
        return [row[0] for row in rows if row is not None and row[0] is not None]

    # -- what stands beside

    @cached_property
    def sources(self) -> dict[str, str]:
        """The files of the script by path."""
        query = "SELECT path, text FROM capture_source ORDER BY number LIMIT 1001"
        return dict(self.reader.rows(query, (), "ss", 1001))

    def log(self, end: int, most: int) -> list[tuple[int, str, str]]:
        """The last texts printed before an event, at most so many: event, stream, text."""
        query = (
            "SELECT event, stream, text FROM capture_log WHERE event <= ?"
            " ORDER BY number DESC LIMIT ?"
        )
        rows = self.reader.rows(query, (end, most), "iss", most)
        return [(event, stream, text) for event, stream, text in reversed(rows)]
