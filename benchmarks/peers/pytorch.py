"""The programs of benchmarks/ in PyTorch, set up to win: every variant that PyTorch offers can be asked for.

  python benchmarks/peers/pytorch.py training_step --config fashion --what diffsiam --threads 2 --channels-last --compile

Prints one JSON line with the keys of the C++ programs.
"""

import argparse
import contextlib
import json
import statistics
import time

import torch

from pytorch_models import SIZES, DiffSiam, Schedule, UNet


def process_bytes(key):
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith(key + ":"))


def time_calls(work, warm_up, count):
    seconds, call = [], -warm_up
    while call < count if count else (call < 5 or sum(seconds) < 10):
        start = time.perf_counter()
        work()
        if call >= 0:
            seconds.append(time.perf_counter() - start)
        call += 1
    return seconds


def training_step(args, s, precision):
    schedule = Schedule()
    denoiser = UNet(s)
    model = denoiser if args.what == "denoiser" else DiffSiam(s, denoiser)
    images = torch.randn(args.batch, s["channels"], s["side"], s["side"])
    if args.channels_last:
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    adam = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=args.fused)

    def loss_of(images, t, noise):
        at = lambda table: table[t][:, None, None, None]
        x_t = at(schedule.signal) * images + at(schedule.noise) * noise
        with precision():
            if args.what == "denoiser":
                return ((noise - model(x_t, t)) ** 2).mean()
            eps, shift = model(x_t, t, model.encoder(images))
            return (at(schedule.weight) * (noise - (eps + at(schedule.shift) * shift)) ** 2).mean()

    run = torch.compile(loss_of) if args.compile else loss_of

    def work():
        run(images, torch.randint(0, 1000, (args.batch,)), torch.randn_like(images)).backward()
        adam.step()
        adam.zero_grad(set_to_none=True)

    return work, model, args.batch


def encode(args, s, precision):
    model = DiffSiam(s, UNet(s)).encoder
    images = torch.randn(args.batch, s["channels"], s["side"], s["side"])
    if args.channels_last:
        model, images = model.to(memory_format=torch.channels_last), images.to(memory_format=torch.channels_last)
    run = torch.compile(model) if args.compile else model

    def work():
        with torch.inference_mode(), precision():
            run(images)

    return work, model, args.batch


def ddim_sample(args, s, precision):
    schedule, denoiser = Schedule(), UNet(s)
    model = denoiser if args.what == "denoiser" else DiffSiam(s, denoiser)
    x_t = torch.randn(args.batch, s["channels"], s["side"], s["side"])
    z = torch.randn(args.batch, s["latent"])
    if args.channels_last:
        model, x_t = model.to(memory_format=torch.channels_last), x_t.to(memory_format=torch.channels_last)
    run = torch.compile(model) if args.compile else model
    grid = [i * 999 // args.grid for i in range(args.grid + 1)]

    def work():
        x = x_t
        with torch.inference_mode(), precision():
            for i in range(args.grid, 0, -1):
                t = torch.full((args.batch,), grid[i])
                here, there = schedule.abar[grid[i]].item(), schedule.abar[grid[i - 1]].item()
                if args.what == "denoiser":
                    eps = run(x, t)
                else:
                    eps, shift = run(x, t, z)
                    eps = eps - (1 - here) ** 0.5 * shift
                x_0 = ((x - (1 - here) ** 0.5 * eps) / here**0.5).clamp(-1, 1)
                eps = (x - here**0.5 * x_0) / (1 - here) ** 0.5
                x = there**0.5 * x_0 + (1 - there) ** 0.5 * eps

    return work, model, args.batch


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", choices=["training_step", "encode", "ddim_sample"])
    parser.add_argument("--config", choices=SIZES, default="fashion")
    parser.add_argument("--what", choices=["denoiser", "diffsiam"], default="diffsiam")
    parser.add_argument("--precision", choices=["float32", "bf16"], default="float32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=0)
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--grid", type=int, default=10)
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--fused", action="store_true")
    args = parser.parse_args()
    s = SIZES[args.config]
    args.batch = args.batch or s["batch"]
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    before = process_bytes("VmRSS")
    precision = contextlib.nullcontext
    if args.precision == "bf16":
        precision = lambda: torch.autocast("cpu", dtype=torch.bfloat16)
    work, model, images = globals()[args.program](args, s, precision)
    seconds = statistics.median(time_calls(work, 3, args.steps))
    print(json.dumps({
        "program": args.program, "config": args.config, "what": args.what, "backend": "pytorch " + torch.__version__,
        "precision": args.precision, "channels_last": args.channels_last, "compile": args.compile, "fused": args.fused,
        "threads": args.threads, "batch": args.batch, "images_per_second": images / seconds,
        "peak_bytes": process_bytes("VmHWM") - before,
        "trainable": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "parameters": sum(p.numel() for p in model.parameters())}))


if __name__ == "__main__":
    main()
