"""Tensors and ops by number, events in their order: everything that is told goes through here."""

from __future__ import annotations

import struct

from gradstep_tracer.channel import Channel, as_json, clipped
from gradstep_tracer.degrees import GONE_VALUE, Degrees
from gradstep_tracer.values import NOTHING, WHOLE, Reader

NUMBER = struct.Struct("<I")
LATE = struct.Struct("<QI")
MOST_LINKS = 65_536
UNTOLD = object()  # in the place of a tensor: nothing is told of it


class Op:
    """An op that was defined."""

    __slots__ = ("attributes", "id", "kind", "module", "name", "phase", "reads", "writes")

    def __init__(self, number: int, phase: str, name: str, kind: str) -> None:
        self.id = number
        self.phase = phase
        self.name = name
        self.kind = kind


class Recorder:
    """What has been defined so far, and the iteration under way."""

    def __init__(self, channel: Channel, reader: Reader, degrees: Degrees) -> None:
        self.channel = channel
        self.reader = reader
        self.degrees = degrees
        self.tensors: dict = {}
        self.defined: list[tuple] = []  # name, dtype, role, leaf, shape by number
        self.ops: dict = {}
        self.events = 0
        self.iteration = 0
        self.story: list[Op] = []  # of the iteration under way
        self.counts: dict = {}
        self.scaled: dict[int, int] = {}  # what GradScaler made larger, and of what
        self.too_large = False  # it was said that the ring has no place
        self.too_many = False  # and that the budget has none for parameters

    def tensor(
        self,
        tensor,
        name: str,
        role: str,
        module: str | None = None,
        gradient_of: str | None = None,
        slot_of: str | None = None,
        leaf: bool = False,
    ) -> int:
        """The number of a tensor of this name, dtype and shape."""
        shape = tuple(tensor.shape)
        key = (name, self.reader.dtype(tensor), shape)
        number = self.tensors.get(key)
        if number is None:
            number = self.define(key, role, module, gradient_of, slot_of, leaf)
        return number

    def like(self, number: int, name: str, role: str, gradient_of: str) -> int:
        """The number of a tensor of this name with another one's dtype and shape."""
        _, dtype, _, leaf, shape = self.defined[number]
        key = (name, dtype, shape)
        found = self.tensors.get(key)
        if found is None:
            found = self.define(key, role, None, gradient_of, None, leaf)
        return found

    def define(self, key, role, module, gradient_of, slot_of, leaf) -> int:
        """Define a tensor."""
        name, dtype, shape = key
        number = len(self.defined)
        said = {
            "id": number,
            "name": clipped(name),
            "role": role,
            "dtype": dtype,
            "shape": [int(size) for size in shape],
        }
        if module is not None:
            said["module"] = clipped(module)
        if gradient_of is not None:
            said["gradient_of"] = clipped(gradient_of)
        if slot_of is not None:
            said["slot_of"] = clipped(slot_of)
        if leaf:
            said["leaf"] = True
        self.channel.send(b"T", as_json(said))
        self.defined.append((name, dtype, role, leaf, shape))
        self.tensors[key] = number
        return number

    def name(self, number: int) -> str:
        """The name of a tensor."""
        return self.defined[number][0]

    def unique(self, phase: str, base: str) -> str:
        """A name that no other op of this phase has had in this iteration."""
        key = (phase, base)
        count = self.counts.get(key, 0) + 1
        self.counts[key] = count
        if count == 1:
            return base
        while (phase, "%s#%d" % (base, count)) in self.counts:
            count += 1
        name = "%s#%d" % (base, count)
        self.counts[key], self.counts[phase, name] = count, 1
        return name

    def op(
        self,
        phase: str,
        name: str,
        kind: str,
        place: tuple,
        reads: tuple = (),
        writes: tuple = (),
        module: str | None = None,
        views: tuple = (),
        forward: int | None = None,
        adds: bool = False,
        attributes=None,
    ) -> Op:
        """An op; ``attributes`` is called for them if it is new."""
        key = (phase, name, kind, place, reads, writes, views, forward, adds)
        found = self.ops.get(key)
        if found is not None:
            return found
        found = Op(len(self.ops), phase, name, kind)
        found.reads, found.writes, found.module = reads, writes, module
        found.attributes = attributes() if attributes else None
        said = {
            "id": found.id,
            "phase": phase,
            "name": clipped(name),
            "kind": clipped(kind),
            "reads": reads[:MOST_LINKS],
            "writes": writes[:MOST_LINKS],
        }
        if module:
            said["module"] = clipped(module)
        if place[0] is not None:
            said["file"], said["line"] = clipped(place[0]), place[1]
        if any(views):
            said["views"] = [clipped(view) for view in views[:MOST_LINKS]]
        if forward is not None:
            said["forward"] = forward
        if adds:
            said["adds"] = True
        if found.attributes:
            said["attributes"] = found.attributes
        self.channel.send(b"O", as_json(said))
        self.ops[key] = found
        return found

    def told(self, op: Op, tensors=(), facts: bytes = b"") -> int:
        """An op has run and left these tensors (None: there is none now); the event's number."""
        parts = [NUMBER.pack(op.id)]
        event = self.events
        for write, number in enumerate(op.writes):
            tensor = tensors[write] if write < len(tensors) else UNTOLD
            if tensor is None:
                parts.append(GONE_VALUE)
            elif tensor is UNTOLD:
                parts.append(NOTHING)
            else:
                _, dtype, role, leaf, shape = self.defined[number]
                if tuple(tensor.shape) != shape:
                    parts.append(NOTHING)
                else:
                    parts.append(self.degrees.value(tensor, dtype, role, leaf, event, write))
        if facts:
            parts.append(facts)
        if self.degrees.ring.shared:
            self.channel.hand_over(self.degrees.ring.shared)
        self.channel.send(b"E", *parts)
        self.events = event + 1
        self.story.append(op)
        if self.degrees.alarm:
            self.degrees.alarm = False
            self.pour()
            self.degrees.whole = True  # what is left of this iteration too
        return event

    def given(self, number: int, tensor, told: bool = True) -> None:
        """A tensor that no op wrote, as it is read."""
        _, dtype, role, leaf, _ = self.defined[number]
        value = self.degrees.value(tensor, dtype, role, leaf, -1, 0) if told else NOTHING
        self.channel.send(b"G", NUMBER.pack(number), value)

    def pour(self) -> None:
        """What the ring has of the last two iterations."""
        for event, write, data in self.degrees.ring.empty():
            self.channel.send(b"L", LATE.pack(event, write), bytes((WHOLE,)), data)

    def phases(self, places: list[int], loss: int | None, sure: bool) -> None:
        """These forward ops of the iteration turn out to be of the loss."""
        said: dict = {"places": places, "sure": sure}
        if loss is not None:
            said["loss"] = self.scaled.get(loss, loss)
        self.channel.send(b"P", as_json(said))

    def end_iteration(self) -> None:
        """The pass is over."""
        self.channel.send(b"I")
        self.iteration += 1
        self.story = []
        self.counts = {}
        self.scaled = {}
        if self.degrees.ring.full and not self.too_large:
            self.too_large = True
            self.note("iterations are too large for the last two to be kept in full")
        self.degrees.turn(self.iteration)
        if self.degrees.beyond and not self.too_many:
            self.too_many = True
            self.note(
                "parameters and slots are %s bytes, more than a quarter of the budget: of those "
                "that are large there are statistics and samples" % format(self.degrees.beyond, ",")
            )

    def note(self, text: str) -> None:
        """Something to be read."""
        self.channel.send(b"N", as_json({"text": clipped(text)}))
