"""LBFGS: the model is called within the step."""

import torch
from outcome import report
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-1, 1, 40).unsqueeze(1)
y = torch.sin(3 * x)
model = nn.Sequential(nn.Linear(1, 12), nn.Tanh(), nn.Linear(12, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=3)
for _ in range(5):

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    loss = optimizer.step(closure)
print("loss", loss.item())
report(model)
