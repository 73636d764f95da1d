"""The rows of a captured run, each checked before it is believed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from engine.capture.definitions import ENTERS, Row, read_numbers
from engine.capture.lane import LARGEST_SIZE
from engine.capture.messages import ROLES, OpDefinition, TensorDefinition
from engine.capture.wire import MAX_DEFINITIONS, MAX_LINKS, MAX_RANK
from engine.errors import GradstepError
from engine.recording.canonical import parse
from engine.recording.digests import Digest
from engine.recording.reader import Damaged, Reader
from engine.run.phases import Phase

MOST_RUNS: Final = 4096
MOST_EVENTS: Final = 2**50
MOST_ITERATIONS: Final = 2**25
RUNS = (
    "SELECT id, gradstep, name, rank, world, command, process, root, status, ending, note, events"
    " FROM capture_run ORDER BY id"
)
TENSORS = (
    "SELECT number, name, role, dtype, shape, module, gradient_of, slot_of, leaf"
    " FROM capture_tensor WHERE run = ? AND number >= ? ORDER BY number"
)
OPS = (
    "SELECT number, phase, name, kind, reads, writes, module, file, line, views, forward, adds,"
    " attributes FROM capture_op WHERE run = ? AND number >= ? ORDER BY number"
)
SHAPES = (
    "SELECT number, ops, loss_ops, loss, sure, digest FROM capture_shape WHERE run = ?"
    " ORDER BY number"
)
INDEX = (
    "SELECT iteration, shape, given, loss, odd FROM capture_block"
    " WHERE run = ? AND iteration >= ? ORDER BY iteration"
)
Text = dict[str, Any]


@dataclass(frozen=True)
class CapturedProcess:
    """A process of a captured command, as its row says; ``ending`` is how it ended."""

    id: int
    gradstep: str
    name: str
    rank: int
    world: int
    command: Text
    process: Text
    root: Digest
    status: str
    ending: Text
    note: str
    events: int


@dataclass(frozen=True)
class Shape:
    """The ops of an iteration, by number, and which of them, by place, are of the loss."""

    ops: tuple[int, ...]
    loss_ops: frozenset[int]
    loss: int | None
    sure: bool
    digest: Digest


@dataclass(frozen=True)
class IndexRow:
    """An iteration: its shape, the tensors that enter with it, its loss, the first odd op."""

    shape: int
    given: tuple[int, ...]
    loss: float | None
    odd: int | None


class Rows:
    """Typed rows of one run of a file; each method raises Damaged for what no writer wrote."""

    def __init__(self, reader: Reader, run: int = 0) -> None:
        self.reader = reader
        self.run = run

    def damaged(self, what: str) -> Damaged:
        """The Damaged that names the file and what is damaged in it; it is not raised."""
        return Damaged(f"{self.reader.path}: damaged: {what}")

    def table(self, text: str, what: str) -> Text:
        """A JSON text that is an object."""
        found = self.value(text, what)
        if not isinstance(found, dict):
            raise self.damaged(f"{what} is no table")
        return found

    def value(self, text: str, what: str) -> Any:
        """The value of a JSON text."""
        try:
            return parse(text, what)
        except GradstepError as problem:
            raise self.damaged(str(problem)) from None

    def numbers(self, data: bytes, end: int, what: str) -> tuple[int, ...]:
        """Packed numbers below ``end``."""
        try:
            found = read_numbers(data)
        except ValueError as problem:
            raise self.damaged(f"{what}: {problem}") from None
        if found and max(found) >= end:
            raise self.damaged(f"{what}: number {max(found)} of {end}")
        return found

    def processes(self) -> list[CapturedProcess]:
        """The processes of the command, in the order of their first events."""
        found = []
        for row in self.reader.rows(RUNS, (), "issiissbsssi", MOST_RUNS):
            columns = list(row)
            for place, what in ((5, "its command"), (6, "its process"), (9, "its end")):
                columns[place] = self.table(columns[place], what)
            if not 0 <= columns[11] <= MOST_EVENTS:
                raise self.damaged(f"run {row[0]} has {row[11]} events")
            found.append(CapturedProcess(*columns))
        return found

    def tensors(self, known: int) -> list[TensorDefinition]:
        """The tensors from number ``known`` on."""
        rows = self.reader.rows(TENSORS, (self.run, known), "issssSSSi", MAX_DEFINITIONS)
        return [self.tensor(row, known + i) for i, row in enumerate(rows)]

    def tensor(self, row: Row, number: int) -> TensorDefinition:
        """The tensor of a row."""
        found, name, role, dtype, text, module, gradient_of, slot_of, leaf = row
        shape = self.value(text, f"the shape of tensor {number}")
        sizes = isinstance(shape, list) and all(
            type(size) is int and 0 <= size < LARGEST_SIZE for size in shape
        )
        if found != number or role not in ROLES or not sizes or len(shape) > MAX_RANK:
            raise self.damaged(f"tensor {number}: {name[:60]!r}, {role[:20]!r}, {text[:60]}")
        links = (module, gradient_of, slot_of, bool(leaf))
        return TensorDefinition(number, name, role, dtype, tuple(shape), *links)

    def ops(self, known: int, tensors: int) -> list[OpDefinition]:
        """The ops from number ``known`` on, of so many tensors."""
        rows = self.reader.rows(OPS, (self.run, known), "isssbbSSisIis", MAX_DEFINITIONS)
        return [self.op(row, known + i, tensors) for i, row in enumerate(rows)]

    def op(self, row: Row, number: int, tensors: int) -> OpDefinition:
        """The op of a row."""
        found, phase, name, kind, reads, writes, module, file, line, *rest = row
        views, forward, adds, more = rest
        what = f"op {number}"
        if found != number or phase not in list(Phase) or not 0 <= line < 2**31:
            raise self.damaged(f"{what}: {name[:60]!r} of {phase[:20]!r}")
        if max(len(reads), len(writes)) > 4 * MAX_LINKS:
            raise self.damaged(f"{what} has more tensors than there can be")
        if forward is not None and not 0 <= forward < number:
            raise self.damaged(f"{what} belongs to op {forward}")
        read, written = (self.numbers(data, tensors, what) for data in (reads, writes))
        through = self.value(views, what)
        if not isinstance(through, list) or not all(isinstance(one, str) for one in through):
            raise self.damaged(f"{what}: its views")
        attributes: Mapping[str, Any] = self.table(more, what)
        links = (module, file, line, tuple(through), forward, bool(adds), attributes)
        return OpDefinition(number, Phase(phase), name, kind, read, written, *links)

    def shapes(self, ops: int, tensors: int) -> list[Shape]:
        """The shapes of iterations, of so many ops and tensors."""
        found = []
        for i, row in enumerate(self.reader.rows(SHAPES, (self.run,), "ibbIib", MAX_DEFINITIONS)):
            number, data, places, loss, sure, digest = row
            what = f"shape {i} of iterations"
            listed = self.numbers(data, ENTERS + tensors, what)
            if any(ops <= one < ENTERS for one in listed):
                raise self.damaged(f"{what}: an op that is not there")
            of_loss = frozenset(self.numbers(places, max(1, len(listed)), what))
            if number != i or not listed or (loss is not None and not 0 <= loss < tensors):
                raise self.damaged(what)
            found.append(Shape(listed, of_loss, loss, bool(sure), bytes(digest)))
        return found

    def index(self, first: int, shapes: int, tensors: int) -> list[IndexRow]:
        """The iterations from ``first`` on."""
        rows = self.reader.rows(INDEX, (self.run, first), "iibFI", MOST_ITERATIONS)
        seen: dict[bytes, tuple[int, ...]] = {}
        found = []
        for i, (iteration, shape, given, loss, odd) in enumerate(rows, first):
            if iteration != i or not 0 <= shape < shapes:
                raise self.damaged(f"iteration {i + 1}: it is missing, or has shape {shape}")
            if given not in seen:
                seen[given] = self.numbers(given, tensors, f"iteration {i + 1}")
            found.append(IndexRow(shape, seen[given], loss, odd))
        return found
