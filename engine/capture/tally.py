"""A sink that counts on the way: how far the script is, its loss, what an iteration takes."""

import struct
from dataclasses import dataclass, field

from engine.capture.messages import (
    Degree,
    Event,
    Frame,
    Given,
    Hello,
    IterationEnds,
    Later,
    Note,
    OpDefinition,
    Phases,
    Raised,
    TensorDefinition,
    Value,
)
from engine.capture.sink import End, Sink, Stream

NUMBERS = {"float32": "<f", "float64": "<d"}


@dataclass
class Process:
    """What one process has told so far."""

    hello: Hello | None = None
    tensors: list[TensorDefinition] = field(default_factory=list)
    ops: list[OpDefinition] = field(default_factory=list)
    iterations: int = 0
    events: int = 0
    shapes: set[tuple[int, ...]] = field(default_factory=set)
    under_way: list[int] = field(default_factory=list)
    loss_tensor: int | None = None
    loss: float | None = None
    in_full: int = 0  # bytes of everything that the first iteration wrote
    kept: int = 0  # bytes of what was told by its end
    told: int = 0  # bytes of all values
    notes: list[str] = field(default_factory=list)
    raised: Raised | None = None
    end: End | None = None
    scalars: dict[int, float] = field(default_factory=dict)

    def take(self, frame: Frame) -> None:
        """Count a frame."""
        match frame:
            case Hello():
                self.hello = frame
            case TensorDefinition():
                self.tensors.append(frame)
            case OpDefinition():
                self.ops.append(frame)
            case Event():
                self.event(frame)
            case Given(value=value) | Later(value=value):
                self.told += size(value)
            case Phases(loss=loss):
                self.loss_tensor = loss
                self.loss = None if loss is None else self.scalars.get(loss)
            case IterationEnds():
                self.shapes.add(tuple(self.under_way))
                self.under_way = []
                self.kept = self.kept or self.told
                self.iterations += 1
            case Note(text=text):
                self.notes.append(text)
            case Raised():
                self.raised = frame

    def event(self, event: Event) -> None:
        """Count an event."""
        self.events += 1
        self.under_way.append(event.op)
        for number, value in zip(self.ops[event.op].writes, event.values, strict=True):
            tensor = self.tensors[number]
            self.told += size(value)
            if self.iterations == 0:
                self.in_full += tensor.elements * tensor.itemsize
            layout = NUMBERS.get(tensor.dtype)
            if tensor.elements == 1 and layout and value.degree & Degree.WHOLE:
                self.scalars[number] = struct.unpack(layout, value.whole)[0]


class Tally:
    """Counts what goes through it to another sink, or to none."""

    def __init__(self, further: Sink | None = None) -> None:
        self.further = further
        self.processes: dict[int, Process] = {}

    @property
    def iterations(self) -> int:
        """Iterations of the first process."""
        return self.processes[0].iterations if self.processes else 0

    @property
    def events(self) -> int:
        """Events of all processes."""
        return sum(one.events for one in self.processes.values())

    def frame(self, process: int, frame: Frame) -> None:
        """Count a frame and hand it on."""
        self.processes.setdefault(process, Process()).take(frame)
        if self.further is not None:
            self.further.frame(process, frame)

    def text(self, stream: Stream, text: str) -> None:
        """Hand text on."""
        if self.further is not None:
            self.further.text(stream, text)

    def ended(self, process: int, end: End) -> None:
        """A process has ended."""
        self.processes.setdefault(process, Process()).end = end
        if self.further is not None:
            self.further.ended(process, end)

    def tick(self, now: float) -> None:
        """Hand the time on."""
        if self.further is not None:
            self.further.tick(now)

    def close(self, status: int) -> None:
        """The command is over."""
        if self.further is not None:
            self.further.close(status)


def size(value: Value) -> int:
    """Bytes of what is told of a value."""
    told = len(value.whole) + len(value.sample) + len(value.corner) + len(value.fingerprint)
    return told + 8 * len(value.statistics)
