"""Networks of lines: the same as layers, and a small convolutional one against plain NumPy."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import numpy as np

from benchmarks.effort import Effort
from benchmarks.iterations import Disagreement, stepping
from benchmarks.measure import Row, Run, interleave, versus
from benchmarks.networks import BATCHES, MIDDLE, Sizes, Workload
from engine.experiment.dataset import Dataset
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program
from engine.run.position import Granularity
from engine.session.session import Session

Array = np.ndarray[Any, Any]
AS_LAYERS, CONVOLUTION = 1.05, 1.5  # bounds
FILTERS, SIDE, CLASSES = 8, 8, 10


def as_lines(work: Workload) -> Program:
    """The network of a workload written as lines, with the same data and first values."""
    sizes, names = work.network.sizes, work.program.initial()
    parameters: dict[str, Any] = {}
    lines, given = [], "x"
    for i in range(1, len(sizes)):
        for letter, role in (("W", "weight"), ("b", "bias")):
            parameters[f"{letter}{i}"] = {"value": names[f"linear{i}.{role}"].tolist()}
        lines.append(f"z{i} = {given} @ W{i}.T + b{i}")
        if i < len(sizes) - 1:
            lines.append(f"a{i} = relu(z{i})")
        given = f"a{i}"
    lines.append(f"loss = {work.network.loss}(z{len(sizes) - 1}, y)")
    return compile_program(read_experiment(document(work, parameters, lines), "lines"), work.data)


def document(work: Workload, parameters: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    """The tables of an experiment."""
    return {
        "dtype": work.dtype,
        "data": {"batch_size": work.network.batch},
        "parameters": parameters,
        "network": {"lines": "\n".join(lines)},
        "optimizer": {"type": "sgd", "lr": work.network.lr},
        "training": {"epochs": 10**9 // BATCHES},
    }


def session_of(program: Program) -> Run:
    """An iteration of a session as a run."""
    session = Session(program)
    return lambda: session.step(1, Granularity.ITERATION)


class Convolution:
    """conv 3×3, ReLU, pool 2, linear, cross-entropy: as lines, in plain NumPy, and in PyTorch."""

    def __init__(self, batch: int, dtype: str) -> None:
        rng = np.random.default_rng(0)
        self.batch, self.dtype, self.lr = batch, dtype, 1e-3
        rows, flat = BATCHES * batch, FILTERS * (SIDE // 2) ** 2
        x = rng.normal(size=(rows, 1, SIDE, SIDE)).astype(dtype)
        self.data = Dataset(x, rng.integers(CLASSES, size=rows))
        shapes = {"K": (FILTERS, 1, 3, 3), "k": (FILTERS,), "W": (CLASSES, flat), "b": (CLASSES,)}
        self.first = {
            name: (rng.normal(size=shape) * 0.1).astype(dtype) for name, shape in shapes.items()
        }
        self.own = {name: value.copy() for name, value in self.first.items()}
        self.iterations = count()

    @property
    def program(self) -> Program:
        """The same as lines."""
        lines = [
            "z = conv2d(x, K, k, padding=1)",
            "a = relu(z)",
            "p = max_pool2d(a, 2)",
            "logits = flatten(p) @ W.T + b",
            "loss = cross_entropy(logits, y)",
        ]
        work = Workload(Sizes((1,), self.batch, lr=self.lr), self.dtype)
        parameters = {name: {"value": value.tolist()} for name, value in self.first.items()}
        experiment = read_experiment(document(work, parameters, lines), "lines")
        return compile_program(experiment, self.data)

    def rows(self) -> tuple[Array, Array]:
        """The next batch."""
        start = next(self.iterations) % BATCHES * self.batch
        part = slice(start, start + self.batch)
        return self.data.x[part], self.data.y[part]

    def iteration(self) -> float:
        """One iteration in plain NumPy; its loss."""
        loss, grads = convolved(self.own, *self.rows())
        for name, grad in grads.items():
            self.own[name] -= grad.dtype.type(self.lr) * grad
        return loss


def convolved(own: dict[str, Array], x: Array, y: Array) -> tuple[float, dict[str, Array]]:
    """The loss of pictures x (n, 1, 8, 8) and its gradients: windows into one product, and back."""
    n = len(x)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))
    columns = windows[:, 0].reshape(n * SIDE * SIDE, 9)
    z = columns @ own["K"].reshape(FILTERS, 9).T + own["k"]
    a = np.maximum(z, 0).reshape(n, SIDE // 2, 2, SIDE // 2, 2, FILTERS)
    boxes = a.transpose(0, 5, 1, 3, 2, 4).reshape(n, FILTERS, SIDE // 2, SIDE // 2, 4)
    place = boxes.argmax(axis=-1)
    pooled = np.take_along_axis(boxes, place[..., None], -1)[..., 0].reshape(n, -1)
    logits = pooled @ own["W"].T + own["b"]
    shifted = logits - logits.max(axis=1, keepdims=True)
    e = np.exp(shifted)
    total = e.sum(axis=1, keepdims=True)
    loss = float((np.log(total[:, 0]) - shifted[np.arange(n), y]).mean())
    g = e / total
    g[np.arange(n), y] -= 1
    g /= n
    gw, gb, gp = g.T @ pooled, g.sum(axis=0), g @ own["W"]
    spread = np.zeros_like(boxes)
    shape = (n, FILTERS, SIDE // 2, SIDE // 2)
    np.put_along_axis(spread, place[..., None], gp.reshape(shape)[..., None], -1)
    back = spread.reshape(*shape, 2, 2).transpose(0, 2, 4, 3, 5, 1).reshape(-1, FILTERS)
    gz = back * (z > 0)
    gk, gf = gz.sum(axis=0), (gz.T @ columns).reshape(FILTERS, 1, 3, 3)
    return loss, {"K": gf, "k": gk, "W": gw, "b": gb}


def agree(work: Convolution, iterations: int = 3) -> None:
    """Raise a Disagreement unless both have the same losses, to within rounding."""
    session = Session(work.program)
    for _ in range(iterations):
        session.step(1, Granularity.ITERATION)
        other = work.iteration()
        if session.loss is None or not abs(session.loss - other) <= 1e-4 * abs(other):
            raise Disagreement(f"convolution {work.dtype}: {session.loss} {other}")


def lines(effort: Effort) -> Iterator[Row]:
    """Lines against layers, and a convolutional network against plain NumPy."""
    for dtype in ("float32", "float64"):
        work = Workload(MIDDLE.smaller(effort.scale), dtype)
        samples = interleave([session_of(as_lines(work)), stepping(work)], effort)
        label = f"one iteration of {work.network.name} as lines"
        yield versus(label, dtype, samples, 1, "the same as layers", AS_LAYERS)
    for dtype in ("float32", "float64"):
        small = Convolution(max(2, 64 // effort.scale), dtype)
        agree(small)
        others: dict[str, Run] = {"plain NumPy": small.iteration}
        try:
            from benchmarks.eager import eager_convolution

            others["PyTorch eager"] = eager_convolution(small.first, small.data, small.batch)
        except ImportError:
            pass  # the table then lacks PyTorch, and says so
        samples = interleave([session_of(small.program), *others.values()], effort)
        for i, name in enumerate(others, 1):
            label = f"one iteration of a convolution of {SIDE}×{SIDE} digits, batch {small.batch}"
            bound = CONVOLUTION if name == "plain NumPy" else None
            yield versus(label, dtype, samples, i, name, bound)
