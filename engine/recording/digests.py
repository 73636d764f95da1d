"""Digests of tensors and of events.

A tensor that is stored is known by the BLAKE2b of its dtype, shape and bytes (16 bytes).

Where a run keeps only keyframes, what an op wrote is known by a fingerprint of 8 bytes: hashing
every activation with BLAKE2b would take longer than computing it. With the little-endian 64-bit
words xᵢ of the tensor (the last one filled up with zeros), it is Σ mᵢ (xᵢ ⊕ ⌊xᵢ/2³²⌋) + c mod 2⁶⁴
with its lowest bit set: a multilinear hash, in which mᵢ are odd numbers of the splitmix64 sequence
and c depends on the number of words. A change goes unnoticed by a chance of about 2⁻⁶³; it is no
protection against forgery.

Both are bound together by the chain: the link of an iteration is the BLAKE2b of the link before
it, the iteration's number and the digests of everything it wrote. A digest of zeros stands for a
tensor that was not written.
"""

import hashlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Array, Shape

STRONG, QUICK = 16, 8  # bytes
WORD = 8
CHUNK = 2**16  # words that are multiplied with the same numbers again
MOST_AT_ONCE = 2**22  # bytes that are worked on in one go
GOLDEN = 0x9E3779B97F4A7C15
HALF, LOWEST = np.uint64(32), np.uint64(1)
Digest = bytes
Words = NDArray[np.uint64]


def split_mix(first: int, count: int) -> Words:
    """``count`` odd numbers of the splitmix64 sequence of seed 0, from number ``first`` on."""
    z = np.arange(first + 1, first + count + 1, dtype=np.uint64) * np.uint64(GOLDEN)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    odd: Words = (z ^ (z >> np.uint64(31))) | np.uint64(1)
    return odd


@lru_cache(maxsize=1)
def multipliers() -> Words:
    """The odd numbers mᵢ for the words of a chunk: (CHUNK,) of uint64."""
    return split_mix(0, CHUNK)


def constant(words: int) -> int:
    """What is added for a tensor of so many words, so that zeros of any size have a digest."""
    return int(split_mix(CHUNK + words, 1)[0])


def quick_digest(array: Array) -> Digest:
    """The fingerprint of an array, 8 bytes; the module says how it is made."""
    data = array.tobytes()
    words = np.frombuffer(data + bytes(-len(data) % WORD), "<u8")
    mixed = words ^ (words >> np.uint64(32))
    total = constant(len(words))
    for number, start in enumerate(range(0, len(words), CHUNK)):
        part = mixed[start : start + CHUNK]
        found = int((part * multipliers()[: len(part)]).sum(dtype=np.uint64))
        total += found * (int(split_mix(2**40 + number, 1)[0]) if number else 1)
    return filled(total % 2**64)


def filled(total: int) -> Digest:
    """A fingerprint as bytes; never the zeros of a tensor that was not written."""
    return (total | 1).to_bytes(WORD, "little")


class Fingerprints:
    """The fingerprints of many small tensors of known sizes (in bytes) at once.

    One by one, the calls of NumPy would take longer than the work.
    """

    def __init__(self, sizes: Iterable[int]) -> None:
        self.sizes = tuple(sizes)
        counts = [-(-size // WORD) for size in self.sizes]
        self.padding = {i: bytes(-n % WORD) for i, n in enumerate(self.sizes) if n % WORD}
        self.starts = np.cumsum([0, *counts])[:-1]
        self.multipliers = np.concatenate([multipliers()[:count] for count in counts])
        self.mixed = np.empty_like(self.multipliers)
        self.data = b""
        self.constants = np.array([constant(count) for count in counts], dtype=np.uint64)

    @staticmethod
    def fits(sizes: Iterable[int]) -> bool:
        """Whether tensors of so many bytes are small enough, and none is empty."""
        sizes = tuple(sizes)
        small = all(0 < size <= CHUNK * WORD for size in sizes)
        return small and 0 < sum(sizes) <= MOST_AT_ONCE

    def digests(self, arrays: Sequence[Array]) -> bytes | None:
        """The fingerprints of arrays one after the other; None unless they have just these sizes.

        Called once an iteration, so that what NumPy would convert each time is converted already.
        """
        pieces: list[Any] = list(arrays)
        for number, zeros in self.padding.items():
            pieces[number] = arrays[number].tobytes() + zeros
        try:
            data = b"".join(pieces)
        except (BufferError, TypeError):  # some array is not contiguous
            data = b"".join([p if isinstance(p, bytes) else p.tobytes() for p in pieces])
        if len(data) != self.mixed.nbytes:
            return None
        self.data = data  # its memory is given back only when there is the next
        words: Words = np.ndarray(self.mixed.shape, "<u8", data)
        mixed = np.right_shift(words, HALF, self.mixed)
        np.bitwise_xor(mixed, words, mixed)
        np.multiply(mixed, self.multipliers, mixed)
        totals = np.add.reduceat(mixed, self.starts)
        totals += self.constants
        totals |= LOWEST
        return totals.astype("<u8", copy=False).tobytes()


@lru_cache(maxsize=1024)
def kind_hash(dtype: str, shape: Shape) -> Any:
    """A BLAKE2b that has taken in the dtype and shape; to be copied, not to be used up."""
    said = f"{dtype}{list(shape)}\0".encode()
    return hashlib.blake2b(said, digest_size=STRONG)


def strong(dtype: str, shape: Shape, data: bytes) -> Digest:
    """The digest, 16 bytes, of a tensor's dtype, shape and bytes."""
    known = kind_hash(dtype, shape).copy()
    known.update(data)
    digest: bytes = known.digest()
    return digest


def tensor_digest(array: Array) -> Digest:
    """The digest of an array, 16 bytes."""
    return strong(array.dtype.str, array.shape, array.tobytes())


def event_digest(array: Array, width: int) -> Digest:
    """What stands for a written tensor in a run whose digests have so many bytes."""
    return tensor_digest(array) if width == STRONG else quick_digest(array)


def link(previous: Digest, iteration: int, digests: bytes) -> Digest:
    """The link of an iteration, counted from 1, that follows on another: 16 bytes."""
    bound = previous + iteration.to_bytes(8, "big") + digests
    return hashlib.blake2b(bound, digest_size=STRONG).digest()


def text_digest(*texts: str | bytes) -> Digest:
    """The digest of several texts, each bound with its length."""
    known = hashlib.blake2b(digest_size=STRONG)
    for text in texts:
        data = text.encode() if isinstance(text, str) else text
        # With the length: otherwise ("ab", "c") and ("a", "bc") would have the same digest.
        known.update(len(data).to_bytes(8, "big") + data)
    return known.digest()


def root_digest(experiment: str, labels: str, x: Digest, y: Digest) -> Digest:
    """The link that the chain of a run begins with: the digest of everything that determines it."""
    return text_digest(experiment, labels, x, y)


def journal_digest(entries: Iterable[str]) -> Digest:
    """The digest of the entries of a branch's journal, in their order."""
    return text_digest(*entries)
