"""What is told of the values of an iteration, packed into columns, and read back through checks.

A slot is a value: one for each write of each op, in their order, then one for each tensor that the
iteration began with. A slot has a byte of degree, and in the columns that it announces an entry.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine.capture.messages import FINGERPRINT_BYTES, ITEM_BYTES, Degree
from engine.recording.contents import NOWHERE
from engine.recording.digests import STRONG
from engine.run.kept import Statistics

NARROW, WIDE = struct.Struct("<5f"), struct.Struct("<5d")
NOTHING = Degree(0)
STORED = int(Degree.WHOLE), int(Degree.SAMPLE)
KNOWN: Final = int(
    Degree.WHOLE
    | Degree.STATISTICS
    | Degree.FINGERPRINT
    | Degree.SAMPLE
    | Degree.SAME
    | Degree.GONE
)


class Misfit(ValueError):
    """Columns that do not fit each other."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of a value: digests and references of its bytes, and of its sample's."""

    degree: Degree = NOTHING
    digest: bytes = b""
    reference: int = NOWHERE
    statistics: Statistics | None = None
    fingerprint: bytes = b""
    sample: bytes = b""
    sample_reference: int = NOWHERE


def statistics_layout(dtype: str) -> struct.Struct:
    """How statistics of a dtype are packed: float32 has every value of up to four bytes."""
    return WIDE if ITEM_BYTES.get(dtype, 0) > 4 else NARROW


@dataclass
class Columns:
    """The columns of a block."""

    degrees: bytearray = field(default_factory=bytearray)
    digests: bytearray = field(default_factory=bytearray)
    references: bytearray = field(default_factory=bytearray)
    statistics: bytearray = field(default_factory=bytearray)
    fingerprints: bytearray = field(default_factory=bytearray)

    def add(self, told: Told, dtype: str) -> None:
        """One more value, of a dtype."""
        self.degrees.append(told.degree)
        if told.degree & Degree.WHOLE:
            self.digests += told.digest
            self.references += told.reference.to_bytes(8, "little", signed=True)
        if told.degree & Degree.SAMPLE:
            self.digests += told.sample
            self.references += told.sample_reference.to_bytes(8, "little", signed=True)
        if told.statistics is not None:
            self.statistics += packed(told.statistics, dtype)
        self.fingerprints += told.fingerprint

    def parts(self) -> tuple[bytes, bytes, bytes, bytes, bytes]:
        """The columns as they are in the table."""
        return (
            bytes(self.degrees),
            bytes(self.digests),
            bytes(self.references),
            bytes(self.statistics),
            bytes(self.fingerprints),
        )


def packed(found: Statistics, dtype: str) -> bytes:
    """Statistics of a dtype as bytes."""
    layout = statistics_layout(dtype)
    values = (found.minimum, found.maximum, found.mean, found.rms, found.zeros)
    try:
        return layout.pack(*values)
    except OverflowError:  # the root mean square of float32's largest is beyond them
        return np.array(values, "<f8").astype("<f4").tobytes()


class Unpacked:
    """The values of a block by slot. Raises Misfit where the columns do not fit the dtypes.

    ``dtypes`` has the dtype of each slot; there may be more of them than slots only where the block
    is of an iteration under way.
    """

    def __init__(
        self,
        dtypes: Sequence[str],
        degrees: bytes,
        digests: bytes,
        references: bytes,
        statistics: bytes,
        fingerprints: bytes,
    ) -> None:
        self.dtypes = dtypes
        self.degrees: NDArray[np.uint8] = np.frombuffer(degrees, np.uint8)
        if len(self.degrees) != len(dtypes) or (self.degrees & ~np.uint8(KNOWN)).any():
            raise Misfit(f"{len(degrees)} degrees of {len(dtypes)} values")
        wide = np.array([statistics_layout(dtype).size for dtype in dtypes], np.int64)
        stored = sum(((self.degrees & flag) != 0).astype(np.int64) for flag in STORED)
        self.at = starts(stored)
        self.statistics_at = starts(self.has(Degree.STATISTICS) * wide)
        self.fingerprint_at = starts(self.has(Degree.FINGERPRINT) * FINGERPRINT_BYTES)
        sizes = (
            ("digests", digests, self.at[-1] * STRONG),
            ("references", references, self.at[-1] * 8),
            ("statistics", statistics, self.statistics_at[-1]),
            ("fingerprints", fingerprints, self.fingerprint_at[-1]),
        )
        for name, found, size in sizes:
            if len(found) != size:
                raise Misfit(f"{len(found)} bytes of {name} where {size} are expected")
        self.digests, self.references = digests, np.frombuffer(references, "<i8")
        self.statistics, self.fingerprints = statistics, fingerprints

    def __len__(self) -> int:
        return len(self.degrees)

    def has(self, flag: Degree) -> NDArray[np.int64]:
        """1 for each slot whose degree has a flag, else 0: (slots,)."""
        found: NDArray[np.int64] = ((self.degrees & int(flag)) != 0).astype(np.int64)
        return found

    def told(self, slot: int) -> Told:
        """What is told of the value in a slot."""
        degree = Degree(int(self.degrees[slot]))
        at, digest, reference = int(self.at[slot]), b"", NOWHERE
        sample, sample_reference = b"", NOWHERE
        if degree & Degree.WHOLE:
            digest, reference, at = self.digest(at), int(self.references[at]), at + 1
        if degree & Degree.SAMPLE:
            sample, sample_reference = self.digest(at), int(self.references[at])
        found = None
        if degree & Degree.STATISTICS:
            layout = statistics_layout(self.dtypes[slot])
            found = Statistics(*layout.unpack_from(self.statistics, int(self.statistics_at[slot])))
        start = int(self.fingerprint_at[slot])
        fingerprint = b""
        if degree & Degree.FINGERPRINT:
            fingerprint = bytes(self.fingerprints[start : start + FINGERPRINT_BYTES])
        return Told(degree, digest, reference, found, fingerprint, sample, sample_reference)

    def digest(self, at: int) -> bytes:
        """The digest number ``at``."""
        return bytes(self.digests[at * STRONG : (at + 1) * STRONG])


def starts(counts: Any) -> NDArray[np.int64]:
    """Where each of some stretches begins, and where the last one ends."""
    found = np.zeros(len(counts) + 1, np.int64)
    np.cumsum(counts, out=found[1:])
    return found
