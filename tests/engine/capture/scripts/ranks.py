"""Two ranks with DistributedDataParallel."""

import torch
import torch.distributed as dist
from outcome import digest
from torch import nn
from torch.nn.parallel import DistributedDataParallel


def main():
    dist.init_process_group("gloo")
    rank = dist.get_rank()
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = DistributedDataParallel(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    own = torch.Generator().manual_seed(100 + rank)
    for _ in range(5):
        x, y = torch.randn(4, 8, generator=own), torch.randint(4, (4,), generator=own)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        optimizer.step()
    if rank == 0:
        print("PARAMS", digest(model.state_dict().values()))
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
