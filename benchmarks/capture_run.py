"""A training script, as people write them, to be captured and not: ``capture_run NAME ITERATIONS``.

Prints what one iteration takes of the processor, in seconds, and how much the memory of the process
has grown from the tenth part of the iterations to the last, in bytes.
"""

import resource
import statistics
import sys
import time

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """A residual block, with what modules' hooks are afraid of: writes in place."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.short = None if stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += x if self.short is None else self.short(x)
        return self.relu(out)


class Attention(nn.Module):
    """Causal attention of four heads, and the layers around it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width), nn.Dropout(0.1)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, t, c = x.size()
        q, k, v = (
            one.view(n, t, 4, c // 4).transpose(1, 2)
            for one in self.c_attn(self.ln_1(x)).split(c, 2)
        )
        y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(y.transpose(1, 2).contiguous().view(n, t, c))
        return x + self.mlp(self.ln_2(x))


class Text(nn.Module):
    """A small GPT: characters in, the next one's logits out."""

    def __init__(self, symbols: int = 65, width: int = 128, length: int = 64) -> None:
        super().__init__()
        self.wte, self.wpe = nn.Embedding(symbols, width), nn.Embedding(length, width)
        self.h = nn.ModuleList([Attention(width) for _ in range(4)])
        self.ln_f = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, symbols, bias=False)

    def forward(self, index: torch.Tensor) -> torch.Tensor:
        x = self.wte(index) + self.wpe(torch.arange(index.size(1)))
        for block in self.h:
            x = block(x)
        return self.lm_head(self.ln_f(x)).flatten(0, 1)


def residual() -> nn.Module:
    """A residual network of eight convolutions."""
    sizes = ((16, 16, 1), (16, 32, 2), (32, 64, 2))
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True)]
    blocks = [Block(*size) for size in sizes]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def main() -> None:
    """Train."""
    name, count = sys.argv[1], int(sys.argv[2])
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if name == "gpt":
        model, data = Text(), torch.randint(65, (12, 65))
        x, y = data[:, :-1].contiguous(), data[:, 1:].flatten()
    elif name == "residual":
        model, x, y = residual(), torch.randn(64, 3, 32, 32), torch.randint(10, (64,))
    else:
        model = nn.Sequential(nn.Linear(3, 16), nn.Tanh(), nn.Linear(16, 4))
        x, y = torch.randn(64, 3), torch.randint(4, (64,))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    seconds, before = [], 0
    for i in range(count):
        begin = time.process_time()
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds.append(time.process_time() - begin)
        if i == max(1, count // 10):
            before = resident()
    print(statistics.median(seconds[1:]), resident() - before)


def resident() -> int:
    """Bytes of memory that this process has; at most so far, where nothing else says it."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
