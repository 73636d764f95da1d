"""Anomaly mode tells of the forward pass, and a warning of each place is shown once."""

import warnings

import torch
from outcome import report
from torch import nn

torch.manual_seed(0)
torch.autograd.set_detect_anomaly(True)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for step in range(4):
    warnings.warn("shown once", stacklevel=1)
    scores = model(torch.randn(4, 3))
    root = torch.sqrt(scores - scores if step == 2 else scores**2 + 1)
    optimizer.zero_grad()
    try:
        root.sum().backward()
    except RuntimeError as problem:
        print(str(problem).partition("\n")[0])
        continue
    optimizer.step()
report(model)
