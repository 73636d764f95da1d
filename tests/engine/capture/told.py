"""Frames of scripts that nobody ran: what a tracer would tell of them, and what was true.

``Teller`` makes frames and keeps the truth beside them: every tensor at each cursor position.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import Shape
from engine.capture.messages import (
    Degree,
    Ended,
    Event,
    Given,
    Hello,
    IterationEnds,
    Later,
    OpDefinition,
    Phases,
    TensorDefinition,
    Value,
    corner_shape,
    stride,
)
from engine.capture.sink import End, Reason
from engine.capture.writer import CaptureWriter, Command
from engine.recording.digests import quick_digest
from engine.run.phases import Phase

Numbers = NDArray[Any]
SMALL = 4096
HELLO = Hello(1, "", 1, "3.13", "2.13", "/v/bin/python", ("train.py",), "/home/me", "op")


def whole(array: Numbers) -> Value:
    """A value of which every byte is told."""
    return Value(Degree.WHOLE, whole=array.tobytes())


def stats(array: Numbers) -> tuple[float, ...]:
    """Statistics as a tracer makes them."""
    flat = array.astype(np.float64).reshape(-1)
    return (
        float(flat.min()),
        float(flat.max()),
        float(flat.mean()),
        float(np.sqrt((flat**2).mean())),
        float((flat == 0).mean()),
    )


def sampled(array: Numbers, fingerprint: bool = False) -> Value:
    """A value of which statistics, a sample and the corner are told."""
    rows = array.reshape(-1, *array.shape[-2:])[0]
    corner = rows[tuple(slice(size) for size in corner_shape(array.shape))]
    return Value(
        Degree.STATISTICS | Degree.SAMPLE | (Degree.FINGERPRINT if fingerprint else Degree(0)),
        statistics=stats(array),
        fingerprint=quick_digest(array) if fingerprint else b"",
        sample=np.ascontiguousarray(array.reshape(-1)[:: stride(array.size)]).tobytes(),
        corner=np.ascontiguousarray(corner).tobytes(),
    )


GONE = Value(Degree.GONE)


@dataclass
class Teller:
    """Tells a writer what a process does; ``states`` has the tensors before each event."""

    writer: CaptureWriter
    hello: Hello = HELLO
    process: int = 0
    tensors: dict[tuple[str, Shape, str], int] = field(default_factory=dict)
    ops: dict[Any, int] = field(default_factory=dict)
    states: list[dict[str, Numbers]] = field(default_factory=lambda: [{}])
    limit: int = SMALL
    fingerprints: bool = False
    events: int = 0

    def __post_init__(self) -> None:
        self.process = len(self.writer.processes)
        self.writer.frame(self.process, self.hello)

    def tensor(self, name: str, role: str, array: Numbers, dtype: str = "", **more: Any) -> int:
        """The number of a tensor, defined when it comes first."""
        dtype = dtype or str(array.dtype)
        key = name, array.shape, dtype
        if key not in self.tensors:
            number = self.tensors[key] = len(self.tensors)
            found = TensorDefinition(number, name, role, dtype, array.shape, **more)
            self.writer.frame(self.process, found)
        return self.tensors[key]

    def value(self, array: Numbers) -> Value:
        """A value: whole where it is small."""
        return whole(array) if array.size <= self.limit else sampled(array, self.fingerprints)

    def given(self, name: str, role: str, array: Numbers, **more: Any) -> None:
        """A tensor that the script made itself: there from the beginning of the iteration on."""
        number = self.tensor(name, role, array, **more)
        self.writer.frame(self.process, Given(number, self.value(array)))

    def happen(
        self,
        phase: Phase,
        name: str,
        kind: str,
        reads: Mapping[str, int],
        writes: Mapping[str, tuple[int, Numbers | None]],
        line: int = 0,
        facts: Mapping[str, Any] | None = None,
        values: Mapping[str, Value] | None = None,
        **more: Any,
    ) -> int:
        """An op; what it writes is the number of a tensor and its new value, None for gone."""
        numbers = tuple(number for number, _ in writes.values())
        key = phase, name, kind, tuple(reads.values()), numbers, line
        if key not in self.ops:
            self.ops[key] = len(self.ops)
            found = OpDefinition(
                self.ops[key], phase, name, kind, tuple(reads.values()), numbers,
                file="train.py" if line else None, line=line, **more,
            )  # fmt: skip
            self.writer.frame(self.process, found)
        told = tuple(
            (values or {}).get(name) or (GONE if array is None else self.value(array))
            for name, (_, array) in writes.items()
        )
        self.writer.frame(self.process, Event(self.ops[key], told, facts or {}))
        after = dict(self.states[-1])
        for one, (_, array) in writes.items():
            after.pop(one, None)
            if array is not None:
                after[one] = array
        self.states.append(after)
        self.events += 1
        return self.events - 1

    def end_iteration(self, loss: int | None = None, places: tuple[int, ...] = ()) -> None:
        """The iteration is over; which of its forward ops were of the loss."""
        if loss is not None:
            self.writer.frame(self.process, Phases(places, loss))
        self.writer.frame(self.process, IterationEnds())

    def later(self, event: int, write: int, array: Numbers) -> None:
        """The whole of a value that was told in part."""
        self.writer.frame(self.process, Later(event, write, whole(array)))

    def end(self, status: int = 0) -> None:
        """The command is over in good order."""
        self.writer.frame(self.process, Ended())
        self.writer.ended(self.process, End(Reason.ENDED))
        self.writer.close(status)


def writer_at(path: Path, name: str = "train.py", **more: Any) -> CaptureWriter:
    """A writer of a recording of a command."""
    return CaptureWriter(path, Command(name, ("python", name), "/home/me"), **more)


@dataclass
class Net:
    """A script with two linear layers, ReLU, MSE and SGD: told op by op, computed with NumPy.

    ``rows`` are those of each iteration's batch; ``scale`` multiplies the input. ``step_every``
    accumulates; ``forgets`` never zeroes; after ``again`` iterations the batches come again.
    """

    teller: Teller
    sizes: tuple[int, int, int] = (3, 4, 2)
    lr: float = 0.1
    step_every: int = 1
    forgets: bool = False
    scale: float = 1.0
    seed: int = 0
    again: int = 0

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        inputs, hidden, outputs = self.sizes
        shapes = {
            "fc1.weight": (hidden, inputs),
            "fc1.bias": (hidden,),
            "fc2.weight": (outputs, hidden),
            "fc2.bias": (outputs,),
        }
        self.rng = rng
        self.p = {n: (rng.normal(size=s) * 0.5).astype(np.float32) for n, s in shapes.items()}
        self.grads: dict[str, Numbers] = {}
        self.done = 0
        self.wrote = False

    def parameter(self, name: str) -> int:
        """The number of a parameter."""
        module = name.split(".", maxsplit=1)[0]
        return self.teller.tensor(name, "parameter", self.p[name], module=module, leaf=True)

    def gradient(self, name: str, of: Numbers) -> int:
        """The number of a gradient."""
        more = {"gradient_of": name, "module": name.split(".", maxsplit=1)[0]}
        return self.teller.tensor(f"{name}.grad", "gradient", of, **more)

    def iterate(self, rows: int = 5) -> None:
        """One iteration, whole."""
        t, p = self.teller, self.p
        steps = (self.done + 1) % self.step_every == 0
        if self.again:  # the same batches in each epoch
            self.rng = np.random.default_rng((self.seed, self.done % self.again))
        x = (self.rng.normal(size=(rows, self.sizes[0])) * self.scale).astype(np.float32)
        y = self.rng.normal(size=(rows, self.sizes[2])).astype(np.float32)
        state = t.states[-1]
        given: dict[str, Numbers] = {"x": x, "y": y}
        if not self.wrote:
            given |= p
            self.wrote = True
        for name, array in given.items():
            role = {"x": "input", "y": "target"}.get(name, "parameter")
            module = name.split(".")[0] if "." in name else None
            t.given(name, role, array, module=module, leaf=role == "parameter")
        t.states[-1] = state | given
        first = len(t.states) - 1
        fresh = self.done % self.step_every == 0
        if fresh and not self.forgets:
            for name in p:
                if name in self.grads:
                    g = self.gradient(name, p[name])
                    t.happen(
                        Phase.ZERO_GRAD,
                        f"{name}.grad",
                        "zero_grad",
                        {},
                        {f"{name}.grad": (g, None)},
                        9,
                    )
            self.grads = {}
        numbers = {name: self.parameter(name) for name in p}
        xi, yi = t.tensor("x", "input", x), t.tensor("y", "target", y)
        h = x @ p["fc1.weight"].T + p["fc1.bias"]
        a = np.maximum(h, 0)
        z = a @ p["fc2.weight"].T + p["fc2.bias"]
        loss = np.asarray(((z - y) ** 2).mean(), np.float32)
        act = {"h": (h, "fc1"), "a": (a, None), "z": (z, "fc2")}
        ids = {n: t.tensor(n, "activation", v, module=m) for n, (v, m) in act.items()}
        li = t.tensor("loss", "loss", loss)
        fc1 = {"x": xi, "fc1.weight": numbers["fc1.weight"], "fc1.bias": numbers["fc1.bias"]}
        fc2 = {"a": ids["a"], "fc2.weight": numbers["fc2.weight"], "fc2.bias": numbers["fc2.bias"]}
        fwd = Phase.FORWARD
        t.happen(fwd, "h", "linear", fc1, {"h": (ids["h"], h)}, 11, module="fc1")
        t.happen(fwd, "a", "relu", {"h": ids["h"]}, {"a": (ids["a"], a)}, 12)
        t.happen(fwd, "z", "linear", fc2, {"z": (ids["z"], z)}, 13, module="fc2")
        place = len(t.states) - 1 - first
        t.happen(fwd, "loss", "mse_loss", {"z": ids["z"], "y": yi}, {"loss": (li, loss)}, 15)
        t.writer.frame(t.process, Phases((place,), li))
        self.backward(x, h, a, z, y)
        if steps:
            for name in p:
                p[name] = (p[name] - np.float32(self.lr) * self.grads[name]).astype(np.float32)
                g = self.gradient(name, p[name])
                t.happen(
                    Phase.UPDATE, name, "SGD.step", {name: numbers[name], f"{name}.grad": g},
                    {name: (numbers[name], p[name])}, 17, {"lr": self.lr},
                )  # fmt: skip
        t.end_iteration()
        self.done += 1

    def backward(self, x: Numbers, h: Numbers, a: Numbers, z: Numbers, y: Numbers) -> None:
        """The gradients, in the engine's order; on top of what is there."""
        t, p = self.teller, self.p
        dz = (2 * (z - y) / z.size).astype(np.float32)
        da = dz @ p["fc2.weight"]
        dh = (da * (h > 0)).astype(np.float32)
        di = t.tensor("z.grad", "gradient", dz, gradient_of="z")
        hi = t.tensor("h.grad", "gradient", dh, gradient_of="h")
        back = Phase.BACKWARD
        t.happen(back, "z.grad", "MseLossBackward0", {}, {"z.grad": (di, dz)}, 16)
        self.add("fc2.weight", dz.T @ a, {"z.grad": di})
        self.add("fc2.bias", dz.sum(0), {"z.grad": di})
        t.happen(back, "h.grad", "ReluBackward0", {"z.grad": di}, {"h.grad": (hi, dh)}, 16)
        self.add("fc1.weight", dh.T @ x, {"h.grad": hi})
        self.add("fc1.bias", dh.sum(0), {"h.grad": hi})

    def add(self, name: str, found: Numbers, reads: Mapping[str, int]) -> None:
        """Put a contribution on a gradient."""
        before = self.grads.get(name)
        self.grads[name] = found = (found if before is None else before + found).astype(np.float32)
        number = self.gradient(name, found)
        grad = f"{name}.grad"
        self.teller.happen(
            Phase.BACKWARD, grad, "AccumulateGrad", reads, {grad: (number, found)}, 16, adds=True
        )  # fmt: skip


def trained(path: Path, iterations: int = 3, rows: tuple[int, ...] = (5,), **more: Any) -> Teller:
    """A recording of a net trained for some iterations, closed; its teller has the truth."""
    limit = more.pop("limit", SMALL)
    teller = Teller(writer_at(path), limit=limit)
    net = Net(teller, **more)
    for i in range(iterations):
        net.iterate(rows[i % len(rows)])
    teller.end()
    return teller
