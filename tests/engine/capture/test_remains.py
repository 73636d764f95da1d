"""The last two iterations of a process that is gone: what it kept is there, whatever ended it."""

import ctypes
import importlib.util
import os
import signal
import struct
import sys
from pathlib import Path
from types import ModuleType

import pytest

from engine.capture import launch
from engine.capture.messages import Later
from engine.capture.remains import remains
from engine.capture.sink import Reason
from tests.engine.captured_scripts import captured, plain

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="memory cannot be shared")


@pytest.fixture
def ring() -> ModuleType:
    """The tracer's own module, as it is loaded in a script's process."""
    path = launch.INJECTED / "gradstep_tracer" / "ring.py"
    spec = importlib.util.spec_from_file_location("ring_of_the_tracer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def keep(kept: object, event: int, write: int, data: bytes) -> None:
    buffer = ctypes.create_string_buffer(data, len(data))
    kept.keep(event, write, ctypes.addressof(buffer), len(data))


def left(kept: object, events: int) -> list[tuple[int, int, bytes]]:
    return [(one.event, one.write, one.value.whole) for one in remains(kept.shared, events)]


def test_two_iterations_are_kept_and_no_more(ring: ModuleType) -> None:
    kept = ring.Ring()
    for iteration in range(3):
        for event in (0, 1):
            keep(kept, 10 * iteration + event, event, bytes([iteration]) * (100 + event))
        if iteration < 2:
            kept.turn()
    expected = [(10 * i + e, e, bytes([i]) * (100 + e)) for i in (1, 2) for e in (0, 1)]
    assert left(kept, 100) == expected
    assert left(kept, 21) == expected[:3]  # the last event was never told of
    told = [(event, write, bytes(data)) for event, write, data in kept.empty()]
    assert told == expected
    assert left(kept, 100) == []
    for descriptor in kept.shared:
        os.close(descriptor)


def test_what_was_told_before_the_end_is_not_told_again(ring: ModuleType) -> None:
    kept = ring.Ring()
    for event in range(3):
        keep(kept, event, 0, bytes([event]) * 50)
    telling = kept.empty()
    next(telling)
    next(telling)  # the first one has been told by now
    assert [event for event, _, _ in left(kept, 9)] == [1, 2]
    os.close(kept.shared.pop())


@pytest.mark.parametrize(
    "head",
    [
        b"",
        struct.pack("<QQ", 2**60, 0),
        struct.pack("<QQ", 1, 2),
        struct.pack("<QQ", 1, 0) + bytes(48) + struct.pack("<4Q", 0, 0, 2**40, 2**20),
        struct.pack("<QQ", 1, 0) + bytes(48) + struct.pack("<4Q", 0, 2**40, 0, 1),
        struct.pack("<QQ", 1, 0) + bytes(48) + struct.pack("<4Q", 0, 0, 0, 2**63),
        struct.pack("<QQ", 9, 0) + bytes(48),
    ],
)
def test_nothing_of_it_is_believed_unseen(head: bytes) -> None:
    memory = os.memfd_create("test")
    os.write(memory, head)
    reads, writes = os.pipe()  # nobody writes into it: who reads, waits
    assert list(remains([memory, reads], 10)) == []
    for descriptor in (memory, reads, writes):
        os.close(descriptor)


SCRIPT = """
import os, signal, sys
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(100, 100), nn.ReLU(), nn.Linear(100, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV)]
for i in range(5):
    optimizer.zero_grad()
    loss = model(torch.randn(64, 100)).pow(2).mean()
    if i == 3:
        print(handlers, flush=True)
        if sys.argv[1] == "0":
            os._exit(7)
        os.kill(os.getpid(), int(sys.argv[1]))
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGSEGV, 0])
def test_a_script_that_is_ended_leaves_its_last_two_iterations(number: int, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")
    (tmp_path / "s.py").write_text(SCRIPT)
    command = [sys.executable, "s.py", str(int(number))]
    without, found = plain(command, tmp_path), captured(command, tmp_path)
    assert found.out == without.stdout  # no signal has another handler
    assert found.outcome.status == (128 + number if number else 7)
    told = found.told
    assert told.end.reason is Reason.CUT
    late = told.late()
    first = sum(map(len, told.iterations[:2]))  # the event that the last whole iteration began with
    assert {event >= first for _, event, _ in late} == {True}
    names = {tensor.name for tensor, _, _ in late}
    assert {"0.linear", "1.relu", "0.weight.grad"} <= names
    forward = [event for tensor, event, _ in late if tensor.name == "0.linear"]
    assert len(forward) == 2
    assert all(isinstance(one, Later) and len(one.value.whole) == 25600 for _, _, one in late[:1])
