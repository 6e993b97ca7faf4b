"""benchmarks/ranks.cpp in PyTorch: DistributedDataParallel with gloo, the same networks and batch.

  torchrun --nproc-per-node 2 benchmarks/peers/ranks.py --config fashion --threads 1 [--channels-last] [--compile]

Prints one JSON line, of rank 0. The batch is that of all ranks together.
"""

import argparse
import json
import statistics
import time

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from pytorch_models import SIZES, DiffSiam, Schedule, UNet


class Loss(torch.nn.Module):
    """The loss as a module, because DDP watches the calls of a module."""

    def __init__(self, s):
        super().__init__()
        self.model, self.schedule = DiffSiam(s, UNet(s)), Schedule()

    def forward(self, images, t, noise):
        at = lambda table: table[t][:, None, None, None]
        x_t = at(self.schedule.signal) * images + at(self.schedule.noise) * noise
        eps, shift = self.model(x_t, t, self.model.encoder(images))
        return (at(self.schedule.weight) * (noise - (eps + at(self.schedule.shift) * shift)) ** 2).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", choices=SIZES, default="fashion")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0, help="measured; 0: about ten seconds of them")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    dist.init_process_group("gloo")
    rank, size = dist.get_rank(), dist.get_world_size()
    s = SIZES[args.config]
    batch = args.batch or s["batch"]
    own = batch // size
    loss, images = Loss(s), torch.randn(own, s["channels"], s["side"], s["side"])
    if args.channels_last:
        loss, images = loss.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    if args.compile:
        loss = torch.compile(loss)
    loss = DistributedDataParallel(loss)
    adam = torch.optim.Adam([p for p in loss.parameters() if p.requires_grad], lr=1e-4)

    seconds, call = [], -3
    while call < args.steps if args.steps else (call < 5 or sum(seconds) < 10):
        dist.barrier()
        start = time.perf_counter()
        loss(images, torch.randint(0, 1000, (own,)), torch.randn_like(images)).backward()
        adam.step()
        adam.zero_grad(set_to_none=True)
        passed = torch.tensor([time.perf_counter() - start], dtype=torch.float64)
        dist.broadcast(passed, 0)  # all go on for as long as rank 0
        if call >= 0:
            seconds.append(passed.item())
        call += 1
    if rank == 0:
        middle = statistics.median(seconds)
        print(json.dumps({
            "program": "ranks", "config": args.config, "backend": "pytorch " + torch.__version__, "ranks": size,
            "threads": args.threads, "batch": batch, "channels_last": args.channels_last, "compile": args.compile,
            "steps": len(seconds), "seconds": middle, "images_per_second": batch / middle}), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
