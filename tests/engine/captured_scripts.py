"""Runs scripts plain and captured: what they print, and every frame that their tracer sends."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.capture import launch as launching
from engine.capture.launch import Outcome, launch
from engine.capture.messages import (
    Event,
    Frame,
    Given,
    IterationEnds,
    Later,
    OpDefinition,
    Phases,
    TensorDefinition,
)
from engine.capture.outputs import output
from engine.capture.plan import Plan
from engine.capture.sink import End, Stream

SCRIPTS = Path(__file__).parent / "capture" / "scripts"


@dataclass
class Told:
    """A process: its frames, what they define, its events by iteration."""

    frames: list[Frame] = field(default_factory=list)
    tensors: list[TensorDefinition] = field(default_factory=list)
    ops: list[OpDefinition] = field(default_factory=list)
    iterations: list[list[Event]] = field(default_factory=list)
    under_way: list[Event] = field(default_factory=list)
    losses: list[set[int]] = field(default_factory=list)
    loss: set[int] = field(default_factory=set)
    end: End | None = None

    def take(self, frame: Frame) -> None:
        """A frame."""
        self.frames.append(frame)
        match frame:
            case TensorDefinition():
                self.tensors.append(frame)
            case OpDefinition():
                self.ops.append(frame)
            case Event():
                self.under_way.append(frame)
            case Phases(places=places):
                self.loss |= set(places)
            case IterationEnds():
                self.iterations.append(self.under_way)
                self.losses.append(self.loss)
                self.under_way, self.loss = [], set()

    def of(self, kind: type[Frame]) -> list[Frame]:
        """The frames of a kind."""
        return [frame for frame in self.frames if isinstance(frame, kind)]

    def op(self, event: Event) -> OpDefinition:
        """The op of an event."""
        return self.ops[event.op]

    def names(self, numbers: Sequence[int]) -> list[str]:
        """The names of tensors."""
        return [self.tensors[number].name for number in numbers]

    def phases(self, iteration: int) -> list[str]:
        """The phases of an iteration, each as often as it begins."""
        found: list[str] = []
        for place, event in enumerate(self.iterations[iteration]):
            phase = "loss" if place in self.losses[iteration] else str(self.op(event).phase)
            if not found or found[-1] != phase:
                found.append(phase)
        return found

    def shapes(self) -> set[tuple[int, ...]]:
        """The different iterations, as ops."""
        return {tuple(event.op for event in events) for events in self.iterations}

    def values(self, name: str) -> Iterator[bytes]:
        """What was told whole of a tensor, in its order."""
        for frame in self.frames:
            match frame:
                case Given(tensor=number, value=value) if self.tensors[number].name == name:
                    yield value.whole
                case Event(op=op, values=values):
                    for number, value in zip(self.ops[op].writes, values, strict=True):
                        if self.tensors[number].name == name:
                            yield value.whole

    def late(self) -> list[tuple[TensorDefinition, int, Later]]:
        """What came of the ring: the tensor, its event and the value."""
        events = self.of(Event)
        found = []
        for frame in self.of(Later):
            event = events[frame.event]
            number = self.ops[event.op].writes[frame.write]
            found.append((self.tensors[number], frame.event, frame))
        return found


@dataclass
class Gathered:
    """A sink that keeps everything; ``fails`` after so many frames."""

    processes: dict[int, Told] = field(default_factory=dict)
    printed: dict[Stream, str] = field(default_factory=lambda: dict.fromkeys(Stream, ""))
    status: int | None = None
    ticks: int = 0

    def frame(self, process: int, frame: Frame) -> None:
        """Keep it."""
        self.processes.setdefault(process, Told()).take(frame)

    def text(self, stream: Stream, text: str) -> None:
        """Keep it."""
        self.printed[stream] += text

    def ended(self, process: int, end: End) -> None:
        """Keep it."""
        self.processes[process].end = end

    def tick(self, now: float) -> None:
        """Count it."""
        self.ticks += 1

    def close(self, status: int) -> None:
        """Keep it."""
        assert self.status is None
        self.status = status


@dataclass
class Ran:
    """A run: what it printed, how it ended, its processes."""

    out: bytes
    err: bytes
    outcome: Outcome
    sink: Gathered

    @property
    def told(self) -> Told:
        """The only process."""
        (found,) = self.sink.processes.values()
        return found


def environment(**more: str) -> dict[str, str]:
    """An environment in which runs are alike."""
    kept = {"PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH"}
    given = {name: value for name, value in os.environ.items() if name in kept}
    return given | {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"} | more


def plain(command: Sequence[str], folder: Path, **more: str) -> subprocess.CompletedProcess[bytes]:
    """A run without gradstep."""
    return subprocess.run(
        list(command), cwd=folder, env=environment(**more), capture_output=True, check=False
    )


def captured(
    command: Sequence[str],
    folder: Path,
    plan: Plan | None = None,
    sink: Gathered | None = None,
    **more: str,
) -> Ran:
    """A run with its tracer."""
    written = {stream: bytearray() for stream in Stream}
    kept = sink or Gathered()
    here, streams = Path.cwd(), launching.outputs
    null = os.open(os.devnull, os.O_RDWR)
    os.chdir(folder)
    launching.outputs = lambda: {stream: output(stream, null) for stream in Stream}
    try:
        outcome = launch(
            command,
            plan or Plan(quiet=True),
            kept,
            lambda stream, data: written[stream].extend(data),
            environment(**more),
        )
    finally:
        launching.outputs = streams
        os.chdir(here)
        os.close(null)
    return Ran(bytes(written[Stream.STDOUT]), bytes(written[Stream.STDERR]), outcome, kept)


def python(name: str, *arguments: str) -> list[str]:
    """The command of a script of ours."""
    return [sys.executable, str(SCRIPTS / name), *arguments]


def files(folder: Path) -> Mapping[str, bytes]:
    """The files that a run left."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


# What a tracer would say, from a process that has none.
SPEAK = """
import json, os, socket, struct, sys
if "GRADSTEP_SOCKET" in os.environ:
    plan = json.loads(os.environ["GRADSTEP_PLAN"])
    speaker = socket.socket(socket.AF_UNIX)
    speaker.connect(os.environ["GRADSTEP_SOCKET"])
def say(kind, said):
    if "GRADSTEP_SOCKET" in os.environ:
        data = said if isinstance(said, bytes) else json.dumps(said).encode()
        speaker.sendall(struct.pack("<BI", ord(kind), len(data)) + data)
hello = {"wire": 1, "token": plan["token"] if "GRADSTEP_SOCKET" in os.environ else "",
         "pid": os.getpid(), "python": "3", "torch": "2", "executable": "p", "argv": [],
         "cwd": "/", "depth": "op"}
"""
