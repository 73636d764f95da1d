"""A function mode and a default device of the script's own: the calls that the mode sees."""

import torch
from outcome import report
from torch import nn
from torch.overrides import TorchFunctionMode

torch.set_default_device("cpu")
torch.set_default_dtype(torch.float64)


class Count(TorchFunctionMode):
    seen = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        Count.seen.append(getattr(func, "__name__", "?"))
        return func(*args, **(kwargs or {}))


torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
optimizer = torch.optim.Adam(model.parameters())
x = torch.randn(16, 4)
for _ in range(3):
    with Count():
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
    with torch.no_grad(), Count():
        model(x)
print(len(Count.seen), ",".join(Count.seen))
report(model)
