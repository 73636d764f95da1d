"""A TransformerEncoder, evaluated without gradients, where it takes a path of its own."""

import torch
from outcome import digest, report
from torch import nn

torch.manual_seed(0)
encoder = nn.TransformerEncoder(
    nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.1), 2
)
head = nn.Linear(16, 3)
model = nn.ModuleDict({"encoder": encoder, "head": head})
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
x, y = torch.randn(4, 6, 16), torch.randint(3, (4,))
for _ in range(4):
    model.train()
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(head(encoder(x).mean(1)), y)
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        print("EVAL", digest([head(encoder(x).mean(1))]))
    for p in encoder.parameters():
        p.requires_grad_(False)
    print("FROZEN", digest([encoder(x)]))
    for p in encoder.parameters():
        p.requires_grad_(True)
report(model)
