"""A GradScaler that leaves out a step."""

import torch
from outcome import digest

p = torch.nn.Parameter(torch.zeros(3))
optimizer = torch.optim.SGD([p], lr=1.0)
scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
for i in range(4):
    optimizer.zero_grad()
    loss = (p * (float("inf") if i == 1 else 1.0)).sum()
    scaler.scale(loss).backward()
    if i == 3:
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    print(i, p.tolist(), scaler.get_scale())
print("PARAMS", digest([p]))
