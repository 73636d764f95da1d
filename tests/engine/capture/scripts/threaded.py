"""Training in a thread."""

import threading

import torch
from outcome import report
from torch import nn


def main():
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (model(torch.ones(2, 3)) ** 2).mean().backward()
        optimizer.step()
    report(model)


thread = threading.Thread(target=main)
thread.start()
thread.join()
