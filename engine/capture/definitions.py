"""Definitions of tensors and ops as rows of their tables, and the digests that bind them."""

import hashlib
import struct
from collections.abc import Iterable, Sequence
from typing import Any, Final

from engine.capture.messages import OpDefinition, TensorDefinition
from engine.recording.canonical import canonical
from engine.recording.closing import encoded
from engine.recording.digests import STRONG, Digest, text_digest

Row = tuple[Any, ...]
NOTE: Final = "note"  # the stream of text that the tracer wants to be read, and not the script's
ENTERS: Final = 2**31
"""Among the ops of an iteration: this and the number of a tensor for one that enters there."""


def numbers(values: Iterable[int]) -> bytes:
    """Whole numbers from 0 to 2³² as bytes."""
    found = tuple(values)
    return struct.pack(f"<{len(found)}I", *found)


def read_numbers(data: bytes) -> tuple[int, ...]:
    """Numbers back from bytes. Raises ValueError for half a number."""
    if len(data) % 4:
        raise ValueError(f"{len(data)} bytes of numbers")
    return struct.unpack(f"<{len(data) // 4}I", data)


def plain(value: Any) -> Any:
    """A value of a column; of a text what can be written down: half a character is none."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def tensor_row(one: TensorDefinition) -> Row:
    """The columns of a tensor, from its number on."""
    shape = canonical(list(one.shape))
    about = (one.id, one.name, one.role, one.dtype, shape)
    return tuple(map(plain, (*about, one.module, one.gradient_of, one.slot_of, int(one.leaf))))


def op_row(one: OpDefinition) -> Row:
    """The columns of an op, from its number on."""
    found = (
        *(one.id, one.phase.value, one.name, one.kind, numbers(one.reads), numbers(one.writes)),
        *(one.module, one.file, one.line, canonical(list(one.views)), one.forward, int(one.adds)),
        canonical(dict(one.attributes or {})),
    )
    return tuple(map(plain, found))


def shape_digest(
    ops: Sequence[int],
    about: tuple[bytes, bytes, int | None, int],
    op_definitions: Sequence[OpDefinition],
    tensors: Sequence[TensorDefinition],
) -> Digest:
    """The digest of the shape of an iteration: its ops, and all that they and their tensors are."""
    known = hashlib.blake2b(encoded(about), digest_size=STRONG)
    used: dict[int, None] = {}
    for number in dict.fromkeys(ops):
        if number >= ENTERS:
            used[number - ENTERS] = None
            continue
        op = op_definitions[number]
        known.update(encoded(op_row(op)))
        used.update(dict.fromkeys((*op.reads, *op.writes)))
    for number in used:
        known.update(encoded(tensor_row(tensors[number])))
    return known.digest()


def block_link(previous: Digest, iteration: int, shape: Digest, row: Row) -> Digest:
    """The link of an iteration that follows on another one."""
    return text_digest(previous, iteration.to_bytes(8, "big"), shape, encoded(row))


def later_link(previous: Digest, event: int, write: int, digest: Digest) -> Digest:
    """The link of a value that came later."""
    return text_digest(previous, encoded((event, write, digest)))
