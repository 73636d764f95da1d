"""No modules, no optimizer."""

import torch
from outcome import digest

torch.manual_seed(0)
X = torch.randn(20, 5)
y = X @ torch.randn(5, 1)
W1 = torch.randn(5, 8, requires_grad=True)
b1 = torch.zeros(8, requires_grad=True)
W2 = torch.randn(8, 1, requires_grad=True)
for _ in range(6):
    h = (X @ W1 + b1).clamp(min=0)
    loss = (h @ W2 - y).pow(2).sum() / len(y)
    loss.backward()
    with torch.no_grad():
        for p in (W1, b1, W2):
            p -= 1e-2 * p.grad
            p.grad.zero_()
print("loss", loss.item())
print("PARAMS", digest([W1, b1, W2]))
