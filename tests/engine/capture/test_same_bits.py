"""A captured script is the script: its bits, its text, its files; and what is told of it is right.

Each script of ``scripts`` is run plain and captured. Needs PyTorch.
"""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.capture.messages import Event, Note, Raised
from engine.capture.plan import Plan
from engine.capture.sink import Reason
from tests.engine.captured_scripts import SCRIPTS, Ran, captured, files, plain, python

pytest.importorskip("torch", reason="PyTorch is not installed (extra 'torch')")

FIVE = ["zero_grad", "forward", "loss", "backward", "update"]
COMPILER = shutil.which("c++") is not None


@dataclass(frozen=True)
class Script:
    """A script, how many iterations it has, in how many shapes, and the phases of its second."""

    name: str
    iterations: int
    shapes: int = 1
    phases: tuple[str, ...] | None = tuple(FIVE)
    arguments: tuple[str, ...] = ()


SAME = [
    Script("mlp.py", 5, 2, ("forward", "loss", "backward", "update")),
    Script("convolution.py", 6, 2),
    Script("convolution.py", 6, 2, arguments=("1",)),
    Script("accumulation.py", 6, 3, None),
    Script("gan.py", 4, 1, None),
    Script("recurrent.py", 6, 2),
    Script("closures.py", 5, 2, None),
    Script("encoder.py", 4, 2, None),
    Script("weird.py", 6, 4, None),
    Script("by_hand.py", 6, 2, None),
    Script("threaded.py", 3),
    Script("spawned.py", 4),
    Script("own_mode.py", 3),
    Script("scaled.py", 4, 3),
    Script("warned.py", 3, 3, None),
    Script("transforms.py", 3, 3, None),
    Script("residual.py", 4, 2, ("forward", "loss", "zero_grad", "backward", "update")),
    pytest.param(
        Script("compiled.py", 4, 2),
        marks=pytest.mark.skipif(not COMPILER, reason="torch.compile needs a C++ compiler"),
    ),
]


def both(script: Script, folder: Path, plan: Plan | None = None) -> Ran:
    """Run it plain and captured: nothing may differ."""
    for name in ("plain", "captured"):
        (folder / name).mkdir()
    command = python(script.name, *script.arguments)
    without = plain(command, folder / "plain")
    found = captured(command, folder / "captured", plan)
    assert found.out == without.stdout
    assert found.err == without.stderr
    assert found.outcome.status == without.returncode
    assert files(folder / "captured") == files(folder / "plain")
    assert (found.sink.status, found.outcome.failed) == (without.returncode, "")
    return found


@pytest.mark.parametrize(
    "script", SAME, ids=lambda one: "-".join((one.name.removesuffix(".py"), *one.arguments))
)
def test_the_script_is_what_it_is_without(script: Script, tmp_path: Path) -> None:
    found = both(script, tmp_path)
    assert found.outcome.status == 0
    told = found.told  # one process, whatever workers there were
    assert told.end is not None
    assert told.end.reason is Reason.ENDED
    assert len(told.iterations) == script.iterations
    assert told.under_way == []
    assert len(told.shapes()) <= script.shapes
    if script.phases is not None:
        assert told.phases(1) == list(script.phases)
    sources = {(one.file, one.line > 0) for one in told.ops}
    assert sources == {(str(SCRIPTS / script.name), True)}
    for events in told.iterations:  # a name is an op's own in its phase
        names = [(told.op(event).phase, told.op(event).name) for event in events]
        assert len(names) == len(set(names))


# What the mode below autograd turns into a NaN where it is on while the engine runs.
NAN = """
import torch
from torch import nn
torch.manual_seed(0)
model = nn.Linear(4, 32)
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
x = torch.randn(128, 4)
for step in range(4):
    sigma = torch.relu(model(x) - 0.5)
    loss = torch.log(sigma + 1e-3).mean() + torch.log(sigma.min()) * 1e-6
    loss = loss + torch.sqrt((sigma**2).sum(0)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(loss.item(), model.weight.sum().item())
"""


@pytest.mark.parametrize("depth", ["module", "aten"])
@pytest.mark.parametrize("name", ["encoder.py", "residual.py", "gan.py", "crash.py", "nan"])
def test_every_depth_leaves_the_script_as_it_is(depth: str, name: str, tmp_path: Path) -> None:
    plan = Plan(depth=depth, quiet=True)
    if name != "nan":
        found = both(Script(name, 0), tmp_path, plan)
    else:
        (tmp_path / "nan.py").write_text(NAN)
        command = [sys.executable, "nan.py"]
        found = captured(command, tmp_path, plan)
        assert found.out == plain(command, tmp_path).stdout
    told = found.told
    assert len(told.iterations) == {"crash.py": 3}.get(name, 4)
    kinds = {op.kind for op in told.ops if op.phase == "forward"}
    assert ("addmm" in kinds or "convolution" in kinds) == (depth == "aten")
    notes = [one.text for one in told.of(Note)]
    assert any("below autograd" in text for text in notes) == (depth == "aten")


def test_the_script_that_raises_is_itself_to_the_byte_of_its_traceback(tmp_path: Path) -> None:
    found = both(Script("crash.py", 3), tmp_path)
    assert found.outcome.status == 1
    told = found.told
    assert len(told.iterations) == 3
    last = told.under_way[-1]
    op = told.op(last)
    assert (op.kind, op.module) == ("linear", "0")
    assert last.facts["raised"] == "RuntimeError"
    shapes = [told.tensors[number].shape for number in op.reads]
    assert shapes == [(5, 3), (8, 4), (8,)]
    (raised,) = told.of(Raised)
    assert raised.type == "RuntimeError"
    assert "(5x3 and 4x8)" in raised.text
    assert raised.trace[-1].startswith(f"{SCRIPTS / 'crash.py'}:{op.line} <module>")


def test_ranks_are_processes_of_one_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    command += ["--standalone", str(SCRIPTS / "ranks.py")]
    without, found = plain(command, tmp_path), captured(command, tmp_path)
    assert found.out == without.stdout
    processes = list(found.sink.processes.values())
    hellos = [one.frames[0] for one in processes]
    assert sorted(one.rank for one in hellos) == [0, 1]
    assert [one.world for one in hellos] == [2, 2]
    assert [len(one.iterations) for one in processes] == [5, 5]
    reduced, weights = [], []
    for told in processes:
        events = [event for event in told.of(Event) if told.op(event).kind == "all_reduce"]
        assert len(events) == 5
        reduced.append([value.whole for event in events for value in event.values])
        weights.append(list(told.values("0.weight")))
    assert reduced[0] == reduced[1]
    assert weights[0] == weights[1]
    assert len(weights[0]) == 6  # given once, and after each step
    grads = [list(told.values("0.weight.grad")) for told in processes]
    assert grads[0] != grads[1]  # each rank's own, before they were reduced
