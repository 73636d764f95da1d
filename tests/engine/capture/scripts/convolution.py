"""Convolutions, batch norm, dropout, Adadelta, a schedule, evaluation; a checkpoint is saved."""

import hashlib
import sys

import torch
from outcome import digest, report
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import StepLR
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.act = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.25)
        self.fc = nn.Linear(4 * 13 * 13, 10)

    def forward(self, x):
        x = self.act(self.norm(self.conv(x)))
        x = F.max_pool2d(x, 2)
        x = torch.flatten(self.dropout(x), 1)
        return F.log_softmax(self.fc(x), dim=1)


def train(model, loader, optimizer):
    model.train()
    for data, target in loader:
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()


def main(workers):
    torch.manual_seed(1)
    x, y = torch.randn(96, 1, 28, 28), torch.randint(10, (96,))
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, num_workers=workers)
    model = Net()
    optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.7)
    for _ in range(2):
        train(model, loader, optimizer)
        model.eval()
        with torch.no_grad():
            print("EVAL", digest([model(x)]))
        scheduler.step()
    report(model)
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, "saved.pt")
    with open("saved.pt", "rb") as file:
        print("SAVED", hashlib.sha256(file.read()).hexdigest()[:16])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
