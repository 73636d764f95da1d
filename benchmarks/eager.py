"""The same iterations in PyTorch, eager, as its tutorials write them."""

from itertools import count

import torch
from torch import nn

from benchmarks import threads
from benchmarks.networks import BATCHES, Workload

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
