"""Four micro-steps an iteration, in bfloat16, with a schedule and clipping."""

import torch
from outcome import report
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.1, total_steps=20)
criterion = nn.MSELoss()
X = torch.randn(512, 20)
Y = X[:, :1] * 2 - X[:, 1:2]
optimizer.zero_grad()
for step in range(24):
    b = torch.randint(512, (16,))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(X[b])
        loss = criterion(out.float(), Y[b]) / 4
    loss.backward()
    if (step + 1) % 4 == 0:
        torch.nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        scheduler.step()
        optimizer.zero_grad()
print("loss", loss.item() * 4)
report(model)
