"""A scheduler that is stepped before its optimizer, behind it, or inside another one."""

import sys

import torch
from outcome import report
from torch import nn
from torch.optim import lr_scheduler

torch.manual_seed(0)
model = nn.Linear(3, 2)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
scheduler = lr_scheduler.StepLR(optimizer, 2)
if sys.argv[1] == "warm":
    parts = [lr_scheduler.LinearLR(optimizer), lr_scheduler.StepLR(optimizer, 2)]
    scheduler = lr_scheduler.SequentialLR(optimizer, parts, [2])
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(4, 3)).pow(2).mean().backward()
    if sys.argv[1] == "first":
        scheduler.step()
    optimizer.step()
    if sys.argv[1] != "first":
        scheduler.step()
report(model)
