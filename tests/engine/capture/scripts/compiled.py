"""A module and a function that are compiled."""

import torch
from outcome import digest, report
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(8, 16), nn.Linear(16, 4)

    def forward(self, x):
        return self.b(torch.tanh(self.a(x)) * 1.5)


@torch.compile
def squared(x):
    return (x.softmax(1) ** 2).sum(1)


model = Net()
fast = torch.compile(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
for _ in range(4):
    x, y = torch.randn(16, 8), torch.randint(4, (16,))
    optimizer.zero_grad()
    out = fast(x)
    loss = nn.functional.cross_entropy(out, y) + squared(out).mean()
    loss.backward()
    optimizer.step()
with torch.no_grad():
    print("EVAL", digest([fast(x)]))
print("loss", loss.item())
report(model)
