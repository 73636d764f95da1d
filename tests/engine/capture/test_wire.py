"""The messages of a traced script: read whole, in pieces, and not believed where they are wrong."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.capture.messages import (
    Degree,
    Event,
    Given,
    Hello,
    IterationEnds,
    Later,
    OpDefinition,
    Phases,
    TensorDefinition,
    Value,
    sample_size,
    stride,
)
from engine.capture.wire import HEADER, Decoder, Untrustworthy
from engine.run.phases import Phase

HELLO = {
    "wire": 1,
    "token": "secret",
    "pid": 7,
    "python": "3.12.1",
    "torch": "2.13.0",
    "executable": "/usr/bin/python3",
    "argv": ["train.py"],
    "cwd": "/home/a",
    "depth": "op",
}
X = {"id": 0, "name": "x", "role": "input", "dtype": "float32", "shape": [2]}
Z = {"id": 1, "name": "relu", "role": "activation", "dtype": "float32", "shape": [2], "module": "a"}
RELU = {"id": 0, "phase": "forward", "name": "relu", "kind": "relu", "reads": [0], "writes": [1]}
RELU |= {"file": "train.py", "line": 4}
NUMBERS = struct.pack("<2f", 0.5, 0.0)


def frame(kind: str, payload: object) -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return HEADER.pack(ord(kind), len(data)) + data


def read(*frames: bytes) -> list[object]:
    return list(Decoder("secret").feed(b"".join(frames)))


BEGIN = [frame("H", HELLO), frame("T", X), frame("T", Z), frame("O", RELU)]
RAN = frame("E", struct.pack("<IB", 0, Degree.WHOLE) + NUMBERS)
STORY = [
    *BEGIN,
    frame("G", struct.pack("<IB", 0, Degree.WHOLE) + NUMBERS),
    RAN,
    frame("P", {"places": [0], "loss": 1}),
    frame("E", struct.pack("<IB", 0, 0) + b'{"raised": "RuntimeError"}'),
    frame("L", struct.pack("<QIB", 1, 0, Degree.WHOLE) + NUMBERS),
    frame("I", b""),
]


def test_a_run_is_read():
    whole = Value(Degree.WHOLE, NUMBERS)
    hello, x, z, relu, *rest = read(*STORY)
    assert isinstance(hello, Hello)
    assert (hello.argv, hello.world) == (("train.py",), 1)
    assert x == TensorDefinition(0, "x", "input", "float32", (2,))
    assert isinstance(z, TensorDefinition)
    assert z.module == "a"
    assert relu == OpDefinition(
        0, Phase.FORWARD, "relu", "relu", (0,), (1,), file="train.py", line=4
    )
    assert rest == [
        Given(0, whole),
        Event(0, (whole,), {}),
        Phases((0,), 1),
        Event(0, (Value(Degree(0)),), {"raised": "RuntimeError"}),
        Later(1, 0, whole),
        IterationEnds(),
    ]


@given(st.lists(st.integers(1, 40)))
def test_it_does_not_matter_how_the_bytes_come(sizes):
    data, decoder, found = b"".join(STORY), Decoder("secret"), []
    for size in [*sizes, len(data)]:
        found += decoder.feed(data[:size])
        data = data[size:]
    assert found == read(*STORY)
    assert decoder.pending == 0


def test_a_large_tensor_comes_as_statistics_a_fingerprint_a_sample_and_a_corner():
    big = X | {"shape": [3, 100, 50], "dtype": "bfloat16"}
    degree = Degree.STATISTICS | Degree.FINGERPRINT | Degree.SAMPLE
    assert (stride(15_000), sample_size(15_000)) == (15, 1000)
    sample, corner = bytes(range(250)) * 8, bytes(2 * 64)
    statistics = (-1.0, 2.0, 0.5, 1.0, 0.25)
    payload = struct.pack("<IB5d", 0, degree, *statistics) + b"12345678" + sample + corner
    *_, found = read(frame("H", HELLO), frame("T", big), frame("G", payload))
    assert found == Given(0, Value(degree, b"", statistics, b"12345678", sample, corner))


@pytest.mark.parametrize(
    ("frames", "said"),
    [
        ([frame("T", X)], "before the first"),
        ([frame("H", HELLO | {"token": "other"})], "was not started here"),
        ([frame("H", HELLO | {"wire": 9})], "version 9"),
        ([frame("H", HELLO), frame("H", HELLO)], "second beginning"),
        ([frame("H", b"{")], "not JSON"),
        ([frame("H", b"[" * 100_000)], "not JSON"),
        ([frame("H", b"[]")], "not an object"),
        ([frame("H", HELLO | {"pid": "7"})], "not of its type"),
        ([frame("H", HELLO | {"pid": True})], "not of its type"),
        ([frame("H", HELLO | {"surprise": 7})], "unknown 'surprise'"),
        ([frame("H", {"wire": 1})], "missing"),
        ([frame("H", HELLO | {"cwd": "x" * 10_001})], "not of its type"),
        ([frame("H", HELLO), frame("T", X | {"id": 5})], "tensor 5 after 0"),
        ([frame("H", HELLO), frame("T", X | {"shape": [-2, -3]})], "shape"),
        ([frame("H", HELLO), frame("T", X | {"shape": [2.0]})], "not of its type"),
        ([frame("H", HELLO), frame("T", X | {"shape": [1] * 33})], "shape"),
        ([frame("H", HELLO), frame("T", X | {"role": "admin"})], "role"),
        ([frame("H", HELLO), frame("O", RELU)], "not defined"),
        ([*BEGIN, frame("O", RELU | {"id": 1, "phase": "sleep"})], "not of its type"),
        ([*BEGIN, frame("O", RELU | {"id": 1, "forward": 3})], "not defined"),
        ([*BEGIN, frame("O", RELU | {"id": 1, "reads": [0] * 70_000})], "more tensors"),
        ([*BEGIN, frame("E", struct.pack("<IB", 1, 0))], "op 1, which was not defined"),
        ([*BEGIN, frame("E", struct.pack("<IB", 0, 1) + NUMBERS[:4])], "ends too early"),
        ([*BEGIN, frame("G", struct.pack("<IB", 0, 16))], "degree 16"),
        ([*BEGIN, frame("G", struct.pack("<IB", 0, 1) + NUMBERS + b"!")], "longer than"),
        ([*BEGIN, frame("G", struct.pack("<IB", 9, 1) + NUMBERS)], "not defined"),
        ([*BEGIN, frame("L", struct.pack("<QIB", 0, 0, 1) + NUMBERS)], "event 0, of 0"),
        ([*BEGIN, RAN, frame("L", struct.pack("<QIB", 0, 0, 2) + NUMBERS)], "not whole"),
        ([*BEGIN, frame("P", {"places": [], "loss": 2})], "not defined"),
        ([*BEGIN, frame("I", b"!")], "longer than"),
        ([*BEGIN, frame("Q", b"")], "of kind 81"),
        ([*BEGIN, HEADER.pack(ord("E"), 2**31 + 1)], "a message of 2,147,483,649 bytes"),
    ],
)
def test_what_no_tracer_sends_is_not_believed(frames, said):
    with pytest.raises(Untrustworthy, match=said):
        read(*frames)


def test_a_dtype_of_which_only_shapes_are_told():
    odd = X | {"dtype": "quint8"}
    assert read(frame("H", HELLO), frame("T", odd), frame("G", struct.pack("<IB", 0, 0)))[1:]
    with pytest.raises(Untrustworthy, match="quint8"):
        read(frame("H", HELLO), frame("T", odd), frame("G", struct.pack("<IB", 0, 1) + b"12"))


@given(st.binary(max_size=80), st.sampled_from("TOEGLIPNXZ"))
def test_whatever_comes_it_is_a_frame_or_not_believed(payload, kind):
    try:
        found = read(*BEGIN, RAN, frame(kind, payload))
    except Untrustworthy:
        return
    assert len(found) == 6


def test_definitions_are_made_once_and_events_are_small():
    """An event of an op without values costs ten bytes: 10,000 of them 100 kB."""
    assert len(frame("E", struct.pack("<IB", 0, 0))) == 10
