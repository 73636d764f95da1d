"""What else PyTorch does with functions: scripts, traces, vmap, grad, functional calls, graphs."""

import torch
from outcome import digest, report
from torch import nn
from torch.nn import functional as F

torch.manual_seed(4)
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
x, y = torch.randn(6, 4), torch.randint(3, (6,))


@torch.jit.script
def scripted(a: torch.Tensor) -> torch.Tensor:
    return F.softmax(F.dropout(a, 0.0, True), dim=1).pow(2)


def loss_of(parameters, row, label):
    out = torch.func.functional_call(model, parameters, (row.unsqueeze(0),))
    return F.cross_entropy(out, label.unsqueeze(0))


traced = torch.jit.trace(model, x)
graph = torch.fx.symbolic_trace(model)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
torch.autograd.set_detect_anomaly(True)
for _ in range(3):
    optimizer.zero_grad()
    (F.cross_entropy(model(x), y) + scripted(model(x)).sum() + traced(x).mean()).backward()
    optimizer.step()
    own = {name: value.detach() for name, value in model.named_parameters()}
    each = torch.func.vmap(torch.func.grad(loss_of), in_dims=(None, 0, 0))(own, x, y)
    print("EACH", digest(each.values()))
    print("HESSIAN", digest([torch.func.hessian(lambda v: model(v).sum())(x[0])]))
    print("GRAPH", digest([graph(x)]), digest([torch.autograd.functional.jacobian(model, x)]))
report(model)
