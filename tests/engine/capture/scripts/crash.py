"""The last batch has one column too few; warnings before it name this file's lines."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for i in range(5):
    x = torch.randn(5, 4 if i < 3 else 3)
    optimizer.zero_grad()
    nn.functional.softmax(x.T.sum(0))
    nn.functional.mse_loss(torch.ones(2, requires_grad=True), torch.ones(1))
    torch.ones(2, 3, 4).T
    hidden = x * torch.ones(1, requires_grad=True)
    hidden.grad
    model(x).pow(2).mean().backward()
    optimizer.step()
