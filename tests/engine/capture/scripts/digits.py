"""A convolutional network without dropout: Adadelta, its rate multiplied every fourth step."""

import torch
from outcome import report
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import StepLR


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 3, 3)
        self.conv2 = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4 * 5 * 5, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x)) + 0.5
        x = torch.flatten(F.max_pool2d(x, 2), 1)
        return F.log_softmax(self.fc(x), dim=1)


torch.manual_seed(0)
model = Net()
optimizer = torch.optim.Adadelta(model.parameters(), lr=1.0)
scheduler = StepLR(optimizer, step_size=4, gamma=0.7)
for _ in range(12):
    data, target = torch.randn(40, 1, 12, 12), torch.randint(10, (40,))
    optimizer.zero_grad()
    loss = F.nll_loss(model(data), target)
    loss.backward()
    optimizer.step()
    scheduler.step()
report(model)
