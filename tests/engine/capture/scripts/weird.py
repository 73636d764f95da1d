"""Double backward, weight and spectral norm, a Function, hooks, retained graphs, copies, dicts."""

import copy
import hashlib
import io

import torch
from outcome import digest, report
from torch import nn
from torch.nn.utils import parametrizations


class Sine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.sin(x)

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return gradient * torch.cos(x)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = parametrizations.weight_norm(nn.Linear(4, 8))
        self.b = parametrizations.spectral_norm(nn.Linear(8, 8))
        self.c = nn.Linear(8, 1)

    def forward(self, x, scale=1.0):
        h = Sine.apply(self.a(x))
        h = h + torch.relu(self.b(h)) * scale
        return {"score": self.c(h), "hidden": h}


torch.manual_seed(5)
critic, seen = Critic(), []
critic.c.register_full_backward_hook(lambda module, gi, go: seen.append(go[0].sum().item()))
critic.a.register_forward_hook(lambda module, args, out: seen.append(out.mean().item()))
critic.c.weight.register_hook(lambda gradient: gradient * 1.5)
average = copy.deepcopy(critic)
optimizer = torch.optim.RMSprop(critic.parameters(), lr=1e-3)
for _ in range(3):
    for _ in range(2):
        optimizer.zero_grad()
        real, fake = torch.randn(6, 4), torch.randn(6, 4)
        mixed = (real + fake).div(2).requires_grad_(True)
        score = critic(mixed)["score"]
        (slope,) = torch.autograd.grad(score.sum(), mixed, create_graph=True)
        penalty = ((slope.norm(dim=1) - 1) ** 2).mean()
        out = critic(real, scale=0.5)
        loss = critic(fake)["score"].mean() - out["score"].mean() + 10 * penalty
        loss.backward(retain_graph=True)
        out["hidden"].sum().backward()
        optimizer.step()
    with torch.no_grad():
        for mean, now in zip(average.parameters(), critic.parameters(), strict=True):
            mean.mul_(0.9).add_(now, alpha=0.1)
print(loss.item(), sum(seen), len(seen))
buffer = io.BytesIO()
torch.save(critic.state_dict(), buffer)
print("SAVED", hashlib.sha256(buffer.getvalue()).hexdigest()[:16])
print("COPY", digest(copy.deepcopy(critic).state_dict().values()))
report(critic, average)
