"""The messages of a traced script: what was defined, what ran, what is told of each value.

Everything counts from 0.
"""

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import Any, Final

from engine.arrays import Shape
from engine.run.phases import Phase

STATISTICS = struct.Struct("<5d")  # min, max, mean, root mean square, fraction of zeros
FINGERPRINT_BYTES = 8
SAMPLE = 1024  # elements of a strided sample
CORNER = 8  # rows and columns of the corner that goes with it
# Bytes of an element. Of any other dtype only shapes are told.
ITEM_BYTES: Final[Mapping[str, int]] = {
    "bool": 1,
    "uint8": 1,
    "int8": 1,
    "int16": 2,
    "int32": 4,
    "int64": 8,
    "float16": 2,
    "bfloat16": 2,
    "float32": 4,
    "float64": 8,
    "complex64": 8,
    "complex128": 16,
}
ROLES = frozenset(
    ("input", "target", "activation", "parameter", "buffer", "constant", "gradient", "loss", "slot")
)


class Degree(IntFlag):
    """How much of a value is told. Nothing at all: it was not recorded."""

    WHOLE = 1  # every byte, in C order, little-endian
    STATISTICS = 2
    FINGERPRINT = 4  # as engine.recording.digests.quick_digest makes it
    SAMPLE = 8  # each (ceil(elements / SAMPLE))th element, and the corner
    PASSING = 16  # with WHOLE: the bytes are told for statistics alone, and are not to be kept
    SAME = 64  # the bits that this tensor had before
    GONE = 128  # there is no tensor now: a gradient that is None


@dataclass(frozen=True, slots=True)
class Value:
    """What is told of a tensor at an event: the parts that its degree announces, else empty."""

    degree: Degree
    whole: bytes = b""
    statistics: tuple[float, ...] = ()
    fingerprint: bytes = b""
    sample: bytes = b""
    corner: bytes = b""


@dataclass(frozen=True, slots=True)
class Hello:
    """The process that speaks, once, first."""

    wire: int
    token: str
    pid: int
    python: str
    torch: str
    executable: str
    argv: tuple[str, ...]
    cwd: str
    depth: str  # module, op or aten
    rank: int = 0
    world: int = 1
    threads: int = 1
    facts: Mapping[str, Any] | None = None  # versions, devices, what the tracer cannot see here


@dataclass(frozen=True, slots=True)
class TensorDefinition:
    """A tensor of one name, shape and dtype. Another shape under the same name is another number.

    ``gradient_of`` is the name of the tensor whose gradient this is; ``slot_of`` the parameter that
    an optimizer keeps this for. ``leaf`` are parameters and whatever else the script made itself.
    """

    id: int
    name: str
    role: str
    dtype: str
    shape: Shape
    module: str | None = None
    gradient_of: str | None = None
    slot_of: str | None = None
    leaf: bool = False

    @property
    def elements(self) -> int:
        """How many elements it has."""
        return math.prod(self.shape)

    @property
    def itemsize(self) -> int:
        """Bytes of an element; 0 for a dtype of which only shapes are told."""
        return ITEM_BYTES.get(self.dtype, 0)


@dataclass(frozen=True, slots=True)
class OpDefinition:
    """An op: the same kind at the same line on the same tensors, in as many iterations as it likes.

    ``name`` is one that no other op of its phase has in an iteration. ``kind`` is PyTorch's word
    (linear, AddmmBackward0, SGD.step, zero_grad). ``reads`` and ``writes`` are numbers of tensors;
    ``views`` has for each read the views it was read through, ``view(4, 2)``, or an empty text.
    ``forward`` is the op of the forward pass that a backward op belongs to. ``attributes`` are
    the arguments that are no tensors. An op that ``adds`` puts its result on what was there.
    """

    id: int
    phase: Phase
    name: str
    kind: str
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    module: str | None = None
    file: str | None = None
    line: int = 0
    views: tuple[str, ...] = ()
    forward: int | None = None
    adds: bool = False
    attributes: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """An op has run: what it wrote, in the order of the op's writes, and what else is to be told.

    Facts: ``lr`` and the like of an update, ``raised`` where the op did not end.
    """

    op: int
    values: tuple[Value, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """A tensor that no op wrote, when it is read first."""

    tensor: int
    value: Value


@dataclass(frozen=True, slots=True)
class Later:
    """The whole value of something that an event, counted over the whole run, wrote before."""

    event: int
    write: int
    value: Value


@dataclass(frozen=True, slots=True)
class IterationEnds:
    """The pass of the script's own loop is over."""


@dataclass(frozen=True, slots=True)
class Phases:
    """Forward ops of the iteration under way, by place in it, that turn out to be of the loss.

    ``loss`` is the number of the tensor that backward started from; where GradScaler made it
    larger, of what that was made of. ``sure`` is false where the script's tail mixes, so that it
    is a guess.
    """

    places: tuple[int, ...]
    loss: int | None = None
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the tracer wants to be read: what it could not see, and why."""

    text: str


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception that the script did not catch; ``trace`` has file, line, function and text."""

    type: str
    text: str
    trace: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """The script is over in good order, or by this signal."""

    signal: int | None = None


Frame = (
    Hello
    | TensorDefinition
    | OpDefinition
    | Event
    | Given
    | Later
    | IterationEnds
    | Phases
    | Note
    | Raised
    | Ended
)


def corner_shape(shape: Shape) -> Shape:
    """The shape of the corner of the first matrix of a tensor."""
    return tuple(min(CORNER, size) for size in shape[-2:])


def sample_size(elements: int) -> int:
    """How many elements a strided sample of a tensor has, at most SAMPLE."""
    return -(-elements // stride(elements)) if elements else 0


def stride(elements: int) -> int:
    """From each element of a sample to the next."""
    return max(1, -(-elements // SAMPLE))
