"""An LSTM whose parameters are updated by hand, through .data."""

import torch
from outcome import report
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.emb = nn.Embedding(12, 8)
        self.lstm = nn.LSTM(8, 16, batch_first=True)
        self.out = nn.Linear(16, 12)

    def forward(self, x, state):
        y, state = self.lstm(self.emb(x), state)
        return self.out(y), state


torch.manual_seed(3)
model = Net()
text = torch.randint(12, (4, 61))
state = (torch.zeros(1, 4, 16), torch.zeros(1, 4, 16))
for i in range(0, 60, 10):
    state = tuple(one.detach() for one in state)
    model.zero_grad()
    logits, state = model(text[:, i : i + 10], state)
    loss = nn.functional.cross_entropy(logits.reshape(-1, 12), text[:, i + 1 : i + 11].reshape(-1))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.25)
    for p in model.parameters():
        p.data.add_(p.grad, alpha=-0.5)
print("loss", loss.item())
report(model)
