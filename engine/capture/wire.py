"""How a traced script tells it: frames, each bounded and typed before it is believed.

A frame is a little-endian header ``<BI`` (kind, bytes of the payload) and the payload. Payloads are
JSON objects in UTF-8 (their fields are those of the classes here) or, for what comes at every op,
packed numbers. Tensors and ops are defined once, by number, and referred to from then on:

- ``H`` Hello, the first frame; ``T`` TensorDefinition; ``O`` OpDefinition: JSON.
- ``E`` Event: ``<I`` op, one value for each tensor that the op writes, and then, to the end of the
  payload, a JSON object of facts, or nothing: the learning rate, what the op raised.
- ``G`` Given: ``<I`` tensor and its value: a parameter or buffer before anything wrote it, or what
  an iteration begins with, its inputs. It holds from here on.
- ``L`` Later: ``<QI`` event counted from 0 and which of its writes, and the value, in full now.
- ``I`` the iteration under way is over: no payload. ``P`` Phases, ``N`` Note, ``X`` Raised,
  ``Z`` Ended: JSON.

A value is a byte of ``Degree`` flags and the parts that it announces, in their order; how long each
is follows from the tensor's definition. Everything counts from 0.
"""

import json
import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, Final, TypeVar, get_args, get_type_hints

from engine.capture.messages import (
    FINGERPRINT_BYTES,
    ROLES,
    STATISTICS,
    Degree,
    Ended,
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
    corner_shape,
    sample_size,
)
from engine.errors import GradstepError
from engine.run.phases import Phase

VERSION: Final = 1
HEADER = struct.Struct("<BI")
MAX_JSON = 2**20
MAX_PAYLOAD = 2**31
MAX_TEXT = 10_000  # characters of a name, a path, a note
MAX_DEFINITIONS = 2**20  # tensors, ops
MAX_RANK = 32
MAX_LINKS = 65_536  # tensors that one op reads or writes
T = TypeVar("T")
KNOWN = Degree(sum(Degree))


class Untrustworthy(GradstepError):
    """A message that no tracer sends; the rest of what comes from there is not read."""


class Unpacker:
    """Packed numbers and parts out of a payload; Untrustworthy beyond its end."""

    def __init__(self, payload: bytes) -> None:
        self.payload = payload
        self.at = 0

    def take(self, size: int) -> bytes:
        """So many bytes."""
        if size > len(self.payload) - self.at:
            raise Untrustworthy("a message that ends too early")
        self.at += size
        return self.payload[self.at - size : self.at]

    def numbers(self, layout: str) -> tuple[Any, ...]:
        """Numbers of a layout of ``struct``."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def value(self, tensor: TensorDefinition) -> Value:
        """The value of a tensor."""
        degree = Degree(self.take(1)[0])
        if degree not in KNOWN:
            raise Untrustworthy(f"a value of degree {degree}")
        if tensor.itemsize == 0 and degree & (Degree.WHOLE | Degree.SAMPLE):
            raise Untrustworthy(f"{tensor.name}: values of dtype {tensor.dtype}")
        size = tensor.itemsize
        whole = self.take(tensor.elements * size) if degree & Degree.WHOLE else b""
        statistics: tuple[float, ...] = ()
        if degree & Degree.STATISTICS:
            statistics = STATISTICS.unpack(self.take(STATISTICS.size))
        passing = bool(degree & Degree.PASSING)
        if passing and not (degree & Degree.WHOLE and not degree & Degree.STATISTICS):
            raise Untrustworthy(f"a value of degree {degree}")
        given = degree & Degree.FINGERPRINT and not passing
        fingerprint = self.take(FINGERPRINT_BYTES) if given else b""
        sample = corner = b""
        if degree & Degree.SAMPLE:
            sample = self.take(sample_size(tensor.elements) * size)
            corner = self.take(math.prod(corner_shape(tensor.shape)) * size)
        return Value(degree, whole, statistics, fingerprint, sample, corner)

    def rest(self) -> bytes:
        """What has not been taken."""
        return self.take(len(self.payload) - self.at)

    def end(self) -> None:
        """Nothing may be left."""
        if self.at != len(self.payload):
            raise Untrustworthy("a message that is longer than it says")


class Decoder:
    """The frames of one process, in their order. It remembers what was defined.

    ``feed`` takes bytes as they come and yields the frames that are whole by then; it raises
    Untrustworthy, and is of no use from then on, at the first one that is not what it should be.
    """

    def __init__(self, token: str) -> None:
        self.token = token
        self.hello: Hello | None = None
        self.tensors: list[TensorDefinition] = []
        self.ops: list[OpDefinition] = []
        self.events = 0
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that these bytes complete."""
        self._buffer += data
        at = 0
        try:
            while len(self._buffer) - at >= HEADER.size:
                kind, size = HEADER.unpack_from(self._buffer, at)
                if size > MAX_PAYLOAD:
                    raise Untrustworthy(f"a message of {size:,} bytes")
                if len(self._buffer) - at - HEADER.size < size:
                    break
                at += HEADER.size + size
                yield self.frame(kind, bytes(self._buffer[at - size : at]))
        finally:
            del self._buffer[:at]

    @property
    def pending(self) -> int:
        """Bytes of a frame that has not come whole."""
        return len(self._buffer)

    def frame(self, kind: int, payload: bytes) -> Frame:
        """A frame of a kind; Untrustworthy where it cannot be one."""
        read = READERS.get(chr(kind))
        if read is None:
            raise Untrustworthy(f"a message of kind {kind}")
        if self.hello is None and kind != ord("H"):
            raise Untrustworthy("a message before the first")
        return read(self, payload)

    def read_hello(self, payload: bytes) -> Hello:
        """The first frame, with the token that only the started process was given."""
        if self.hello is not None:
            raise Untrustworthy("a second beginning")
        found = typed(Hello, payload)
        if found.token != self.token:
            raise Untrustworthy("a process that was not started here")
        if found.wire != VERSION:
            raise Untrustworthy(f"version {found.wire} of the messages; this is {VERSION}")
        self.hello = found
        return found

    def read_tensor(self, payload: bytes) -> TensorDefinition:
        """The next tensor."""
        found = typed(TensorDefinition, payload)
        if found.id != len(self.tensors) or found.id >= MAX_DEFINITIONS:
            raise Untrustworthy(f"tensor {found.id} after {len(self.tensors)} others")
        if len(found.shape) > MAX_RANK or any(size < 0 for size in found.shape):
            raise Untrustworthy(f"a tensor of shape {found.shape}")
        if found.role not in ROLES:
            raise Untrustworthy(f"a tensor with the role {found.role!r}")
        self.tensors.append(found)
        return found

    def read_op(self, payload: bytes) -> OpDefinition:
        """The next op."""
        found = typed(OpDefinition, payload)
        if found.id != len(self.ops) or found.id >= MAX_DEFINITIONS:
            raise Untrustworthy(f"op {found.id} after {len(self.ops)} others")
        if max(len(found.reads), len(found.writes)) > MAX_LINKS:
            raise Untrustworthy("an op with more tensors than there can be")
        for number in (*found.reads, *found.writes):
            self.tensor(number)
        if found.forward is not None:
            self.op(found.forward)
        self.ops.append(found)
        return found

    def read_event(self, payload: bytes) -> Event:
        """An op has run."""
        parts = Unpacker(payload)
        (number,) = parts.numbers("<I")
        op = self.op(number)
        values = tuple(parts.value(self.tensor(one)) for one in op.writes)
        facts = parts.rest()
        self.events += 1
        return Event(number, values, json_object(facts) if facts else {})

    def read_given(self, payload: bytes) -> Given:
        """A tensor that no op wrote."""
        parts = Unpacker(payload)
        (number,) = parts.numbers("<I")
        value = parts.value(self.tensor(number))
        parts.end()
        return Given(number, value)

    def read_later(self, payload: bytes) -> Later:
        """A value that comes after its event.

        Which tensor it is of follows from the event, so the bytes are checked by who keeps those.
        """
        parts = Unpacker(payload)
        event, write = parts.numbers("<QI")
        if event >= self.events:
            raise Untrustworthy(f"the value of event {event}, of {self.events}")
        degree = Degree(parts.take(1)[0])
        if degree != Degree.WHOLE:
            raise Untrustworthy("a late value that is not whole")
        return Later(event, write, Value(degree, parts.rest()))

    def read_iteration(self, payload: bytes) -> IterationEnds:
        """The iteration under way is over."""
        Unpacker(payload).end()
        return IterationEnds()

    def read_phases(self, payload: bytes) -> Phases:
        """Ops of the loss."""
        found = typed(Phases, payload)
        if found.loss is not None:
            self.tensor(found.loss)
        return found

    def tensor(self, number: int) -> TensorDefinition:
        """A tensor by number; Untrustworthy for one that was not defined."""
        if not 0 <= number < len(self.tensors):
            raise Untrustworthy(f"tensor {number}, which was not defined")
        return self.tensors[number]

    def op(self, number: int) -> OpDefinition:
        """An op by number; Untrustworthy for one that was not defined."""
        if not 0 <= number < len(self.ops):
            raise Untrustworthy(f"op {number}, which was not defined")
        return self.ops[number]


READERS: Final[Mapping[str, Callable[[Decoder, bytes], Frame]]] = {
    "H": Decoder.read_hello,
    "T": Decoder.read_tensor,
    "O": Decoder.read_op,
    "E": Decoder.read_event,
    "G": Decoder.read_given,
    "L": Decoder.read_later,
    "I": Decoder.read_iteration,
    "P": Decoder.read_phases,
    "N": lambda decoder, payload: typed(Note, payload),
    "X": lambda decoder, payload: typed(Raised, payload),
    "Z": lambda decoder, payload: typed(Ended, payload),
}


def json_object(payload: bytes) -> dict[str, Any]:
    """A JSON object; Untrustworthy for anything else, or one that is too long."""
    if len(payload) > MAX_JSON:
        raise Untrustworthy(f"{len(payload):,} bytes of JSON")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        raise Untrustworthy("a message that is not JSON") from None
    if not isinstance(found, dict):
        raise Untrustworthy("a message that is not an object")
    return found


def typed(kind: type[T], payload: bytes) -> T:
    """The message of a class, with each field of its type; Untrustworthy otherwise."""
    given = json_object(payload)
    hints = get_type_hints(kind)
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    if unknown := given.keys() - names:
        raise Untrustworthy(f"{kind.__name__}: unknown {min(unknown)!r}")
    try:
        return kind(**{name: believed(hints[name], value) for name, value in given.items()})
    except (TypeError, ValueError):
        raise Untrustworthy(
            f"{kind.__name__}: a field that is missing or not of its type"
        ) from None


def believed(hint: Any, value: Any) -> Any:
    """A field's value as its type wants it; TypeError or ValueError where it is of another one."""
    if hint is Phase:
        return Phase(value)
    options = get_args(hint)
    if type(None) in options:
        (other,) = (one for one in options if one is not type(None))
        return None if value is None else believed(other, value)
    if options[1:] == (...,):
        if not isinstance(value, list):
            raise TypeError
        return tuple(believed(options[0], one) for one in value)
    if options:  # a mapping: what it holds is checked by who reads it
        if not isinstance(value, dict):
            raise TypeError
        return value
    if type(value) is not hint or (isinstance(value, str) and len(value) > MAX_TEXT):
        raise TypeError
    return value
