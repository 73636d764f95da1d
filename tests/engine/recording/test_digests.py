"""Digests: published sequences, both ways agree, and changes that must not go unnoticed."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from engine.recording.digests import (
    CHUNK,
    Fingerprints,
    link,
    quick_digest,
    split_mix,
    tensor_digest,
)

FLOATS = arrays.arrays(
    st.sampled_from([np.float32, np.float64]),
    arrays.array_shapes(max_dims=2, max_side=9),
    elements=st.floats(width=32),
)


def test_the_multipliers_are_the_splitmix64_sequence_made_odd() -> None:
    # the first outputs of splitmix64 with seed 0, as its author's C code prints them
    published = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert split_mix(0, 3).tolist() == [number | 1 for number in published]


def test_a_fingerprint_follows_its_formula() -> None:
    array = np.array([1.5, -2.0, 3.25])
    words = array.view(np.uint64).tolist()
    odd = split_mix(0, 3).tolist()
    mixed = sum(m * (x ^ (x >> 32)) for m, x in zip(odd, words, strict=True))
    expected = (mixed + split_mix(CHUNK + 3, 1).tolist()[0]) % 2**64 | 1
    assert quick_digest(array) == expected.to_bytes(8, "little")


def test_a_strong_digest_is_blake2b_of_dtype_shape_and_bytes() -> None:
    array = np.arange(6.0).reshape(2, 3)
    text = b"<f8[2, 3]\0" + array.tobytes()
    assert tensor_digest(array) == hashlib.blake2b(text, digest_size=16).digest()
    assert tensor_digest(array) != tensor_digest(array.reshape(3, 2))


@given(st.lists(FLOATS, min_size=1, max_size=6))
def test_many_at_once_give_the_same_as_one_by_one(tensors: list[np.ndarray]) -> None:
    prints = Fingerprints([tensor.nbytes for tensor in tensors])
    assert prints.digests(tensors) == b"".join(map(quick_digest, tensors))
    turned = [np.asfortranarray(tensor) for tensor in tensors]
    assert prints.digests(turned) == b"".join(map(quick_digest, tensors))


@given(FLOATS, st.integers(0, 2**16))
def test_every_flipped_bit_changes_a_fingerprint(array: np.ndarray, bit: int) -> None:
    data = bytearray(array.tobytes())
    bit %= 8 * len(data)
    data[bit // 8] ^= 1 << bit % 8
    changed = np.frombuffer(bytes(data), array.dtype).reshape(array.shape)
    assert quick_digest(changed) != quick_digest(array)


def test_what_a_sum_of_words_would_not_notice() -> None:
    a = np.array([1.0, 2.0, 0.0, 0.0])
    assert quick_digest(a[[1, 0, 2, 3]]) != quick_digest(a)  # two elements exchanged
    assert quick_digest(np.array([1.0, 2.0, -0.0, -0.0])) != quick_digest(a)  # two signs
    assert quick_digest(np.zeros(3)) != quick_digest(np.zeros(4))
    assert any(quick_digest(np.zeros(3)))  # zeros stand for a tensor that was not written


def test_large_tensors_are_bound_chunk_by_chunk() -> None:
    array = np.arange(2.0 * CHUNK + 5)
    exchanged = array.copy()
    exchanged[:CHUNK], exchanged[CHUNK : 2 * CHUNK] = array[CHUNK : 2 * CHUNK], array[:CHUNK]
    assert quick_digest(exchanged) != quick_digest(array)


def test_a_link_depends_on_what_went_before_and_on_the_iteration() -> None:
    links = {link(b"a", 1, b"d"), link(b"b", 1, b"d"), link(b"a", 2, b"d"), link(b"a", 1, b"e")}
    assert len(links) == 4


@pytest.mark.parametrize("size", [0, CHUNK * 8 + 1])
def test_sizes_that_are_worked_on_one_by_one(size: int) -> None:
    assert not Fingerprints.fits([8, size])
