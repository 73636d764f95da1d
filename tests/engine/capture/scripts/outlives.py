"""Goes on when it is told to; what it prints is on stdout, whoever reads it."""

import pathlib
import sys
import time

import torch
from outcome import report

folder = pathlib.Path(sys.argv[1])
torch.manual_seed(0)
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(8):
    print("step", step, flush=True)
    loss = model(torch.randn(3, 2)).pow(2).sum()
    optimizer.zero_grad()
    loss.backward()
    if step == 3:
        folder.joinpath("waits").touch()
        while not folder.joinpath("goes on").exists():
            time.sleep(0.01)
        print("alone", flush=True)  # nothing was told meanwhile
    optimizer.step()
report(model)
folder.joinpath("over").touch()
