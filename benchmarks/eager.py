"""The same iterations in PyTorch, eager, as its tutorials write them."""

from collections.abc import Callable, Mapping
from itertools import count

import torch
from torch import nn
from torch.nn import functional

from benchmarks import threads
from benchmarks.networks import BATCHES, Array, Workload
from engine.experiment.dataset import Dataset
from engine.program.program import Program

LOSSES = {"mse": nn.MSELoss, "cross_entropy": nn.CrossEntropyLoss}


class Eager:
    """torch.nn.Sequential, torch.optim.SGD, and the initial values of the others."""

    def __init__(self, work: Workload) -> None:
        torch.set_num_threads(max(1, threads.count()))
        self.model = model(work)
        self.criterion = LOSSES[work.network.loss]()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=work.network.lr)
        x, y = torch.tensor(work.data.x), torch.tensor(work.data.y)
        size = work.network.batch
        self.batches = list(zip(x.split(size), y.split(size), strict=True))
        self.iterations = count()

    def iteration(self) -> float:
        """One iteration; its loss."""
        x, y = self.batches[next(self.iterations) % BATCHES]
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(x), y)
        loss.backward()
        self.optimizer.step()
        return float(loss.detach())


def model(work: Workload) -> nn.Sequential:
    """The network with these initial values."""
    weights, biases = work.parameters()
    layers: list[nn.Module] = []
    for weight, bias in zip(weights, biases, strict=True):
        linear = nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight = nn.Parameter(torch.tensor(weight))
        linear.bias = nn.Parameter(torch.tensor(bias))
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def eager_convolution(
    first: Mapping[str, Array], data: Dataset, size: int, lr: float = 1e-3
) -> Callable[[], float]:
    """One iteration of a convolution, ReLU, pool and linear layer, as a run."""
    torch.set_num_threads(max(1, threads.count()))
    own = {name: torch.tensor(value, requires_grad=True) for name, value in first.items()}
    optimizer = torch.optim.SGD(own.values(), lr=lr)
    x, y = torch.tensor(data.x), torch.tensor(data.y)
    batches, iterations = list(zip(x.split(size), y.split(size), strict=True)), count()

    def iteration() -> float:
        x, y = batches[next(iterations) % BATCHES]
        optimizer.zero_grad()
        z = functional.conv2d(x, own["K"], own["k"], padding=1)
        p = functional.max_pool2d(functional.relu(z), 2).flatten(1)
        loss = functional.cross_entropy(functional.linear(p, own["W"], own["b"]), y)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return iteration


def eager_built_in(program: Program) -> Callable[[], float]:
    """One iteration of cnn-digits or lstm with Adam, as a run."""
    torch.set_num_threads(max(1, threads.count()))
    first, lr = program.initial(), float(program.initial()["optimizer.lr"])
    own = {
        info.name: torch.tensor(first[info.name], requires_grad=True) for info in program.parameters
    }
    optimizer = torch.optim.Adam(own.values(), lr=lr)
    data, cut, iterations = program.data, program.batches, count()
    forward = {"cnn-digits": convolution, "lstm": recurrence}[program.name]
    whole_x, whole_y = torch.tensor(data.x), torch.tensor(data.y)

    def iteration() -> float:
        rows = cut.rows_of(*divmod(next(iterations), cut.count))
        part = rows if isinstance(rows, slice) else torch.tensor(rows)
        optimizer.zero_grad()
        loss = forward(own, whole_x[part], whole_y[part])
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return iteration


def convolution(own: Mapping[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The loss of cnn-digits."""
    z = functional.conv2d(x.reshape(-1, 1, 8, 8), own["K1"], own["k1"], padding=1)
    p = functional.max_pool2d(functional.relu(z), 2).flatten(1)
    return functional.cross_entropy(functional.linear(p, own["W"], own["b"]), y)


def recurrence(own: Mapping[str, torch.Tensor], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The loss of lstm, gate by gate as its lines are."""
    h = c = torch.zeros(len(x), 4, dtype=x.dtype)
    for t in range(x.shape[1]):
        i, f, o, g = (x[:, t] @ own["W" + k].T + h @ own["U" + k].T + own["b" + k] for k in "ifog")
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
    return functional.mse_loss(h @ own["Wy"].T + own["by"], y)
