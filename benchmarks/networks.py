"""The networks that are measured, as experiments of gradstep with random data."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.arrays import frozen
from engine.experiment.dataset import Dataset
from engine.experiment.reader import read_experiment
from engine.program.compiler import compile_program
from engine.program.program import Program

Array = NDArray[Any]
BATCHES = 4  # an epoch
HEAD = "seed = 0\n[optimizer]\ntype = 'sgd'\nlr = 0.001\n[training]\nepochs = 100000\n"


@dataclass(frozen=True)
class Sizes:
    """A multilayer perceptron with ReLU between its linear layers, trained by plain SGD."""

    sizes: tuple[int, ...]
    batch: int
    loss: str = "mse"
    lr: float = 1e-3
    label: str = ""

    @property
    def name(self) -> str:
        """How the table names it."""
        return self.label or f"{'-'.join(map(str, self.sizes))}, batch {self.batch}"

    def smaller(self, scale: int) -> "Sizes":
        """The same network with every size divided, for a quick look."""
        if scale == 1:
            return self
        sizes = tuple(max(2, size // scale) for size in self.sizes)[: 2 + 98 // scale]
        return Sizes(sizes, max(2, self.batch // scale), self.loss, self.lr, self.label)


SMALL = Sizes((2, 16, 1), 32)
MIDDLE = Sizes((784, 256, 10), 64, loss="cross_entropy")
LARGE = Sizes((1024, 4096, 1024), 128)
DEEP = Sizes((64,) * 101, 32, label="100 layers of width 64, batch 32")
NETWORKS = (SMALL, MIDDLE, LARGE, DEEP)


@dataclass(frozen=True)
class Workload:
    """A network in a number type, with its data and a program of ``iterations`` iterations."""

    network: Sizes
    dtype: str
    iterations: int = 10**9

    @cached_property
    def data(self) -> Dataset:
        """Normally distributed inputs, and targets of the loss's kind."""
        rng = np.random.default_rng(0)
        sizes, rows = self.network.sizes, BATCHES * self.network.batch
        x = rng.normal(size=(rows, sizes[0])).astype(self.dtype)
        if self.network.loss == "cross_entropy":
            return Dataset(frozen(x), frozen(rng.integers(sizes[-1], size=rows)))
        return Dataset(frozen(x), frozen(rng.normal(size=(rows, sizes[-1])).astype(self.dtype)))

    @cached_property
    def program(self) -> Program:
        """The compiled program; its data do not pass through the text of an experiment file."""
        sizes = self.network.sizes
        layers: list[dict[str, Any]] = []
        for width in sizes[1:]:
            layers += [{"type": "linear", "out": width}, {"type": "relu"}]
        document = {
            "dtype": self.dtype,
            "data": {"x": [[0.0]], "y": [[0.0]], "batch_size": self.network.batch},
            "layers": layers[:-1],
            "loss": {"type": self.network.loss},
            "optimizer": {"type": "sgd", "lr": self.network.lr},
            "training": {"epochs": max(1, self.iterations // BATCHES)},
        }
        return compile_program(read_experiment(document, "benchmark"), self.data)

    def batch(self, iteration: int) -> tuple[Array, Array]:
        """The inputs and targets of an iteration, counted from 0."""
        start = iteration % BATCHES * self.network.batch
        rows = slice(start, start + self.network.batch)
        return self.data.x[rows], self.data.y[rows]

    def parameters(self) -> tuple[list[Array], list[Array]]:
        """The initial weights and biases, layer by layer, to be changed as one likes."""
        values = [
            array.copy() for name, array in self.program.initial().items() if "linear" in name
        ]
        return values[::2], values[1::2]


def layers(depth: int) -> str:
    """A network of so many pairs of Linear and ReLU."""
    pair = "[[layers]]\ntype = 'linear'\nout = 8\n[[layers]]\ntype = 'relu'\n"
    data = "[data]\nx = [[0.5, -1.0], [0.2, 0.3]]\ny = [[1.0], [0.0]]\n"
    last = "[[layers]]\ntype = 'linear'\nout = 1\n[loss]\ntype = 'mse'\n"
    return HEAD + data + depth * pair + last
