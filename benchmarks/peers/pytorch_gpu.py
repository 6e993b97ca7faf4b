"""A training step of benchmarks/training_step.cpp in PyTorch on a GPU, in every way that this PyTorch offers.

  python benchmarks/peers/pytorch_gpu.py --list
  python benchmarks/peers/pytorch_gpu.py --variant graph,channels_last,lean --config celeba64 --batch 128 --precision bf16

A variant is RUN,LAYOUT,NETWORK:

  RUN      eager            PyTorch's ordinary way
           graph            the whole step, optimizer included, recorded once as a CUDA graph and replayed
           compile          torch.compile of the forward and backward pass
           compiled-graph   the same kernels, and the whole step as one CUDA graph
           reduce-overhead  torch.compile with CUDA graphs of its own
           max-autotune     the same with kernels that are chosen by timing
           autotuned-graph  kernels that are chosen by timing, and the whole step as one CUDA graph
  LAYOUT   nchw or channels_last
  NETWORK  plain            as its users write it
           lean             the same arithmetic with less traffic: group norm reads and writes the dtype of the activations
                            (autocast makes it float32), and attention reads channels_last without a copy

Precision is float32 (no TF32), tf32, bf16 or fp16 (autocast; float32 products that are left are in TF32). Adam is fused.
Images are on the device before the clock starts; noise and time-steps are drawn there, anew in each step. Prints one JSON
line with the keys of the C++ program. Time is taken by CUDA events around some steps at a time; the median counts.
On the device cpu, which is for trying the code, only eager and compile are offered.
"""

import argparse
import contextlib
import importlib.util
import itertools
import json
import statistics
import subprocess
import time

import torch
import torch.nn.functional as F
from torch import nn

from pytorch_models import SIZES, Attention, DiffSiam, Schedule, UNet

COMPILED = {"compile": "default", "compiled-graph": "default", "reduce-overhead": "reduce-overhead",
            "max-autotune": "max-autotune", "autotuned-graph": "max-autotune-no-cudagraphs"}
RECORDED = ("graph", "compiled-graph", "autotuned-graph")
# The likely winners first, for those who have not time for all.
RUNS = ("graph", "compiled-graph", "autotuned-graph", "max-autotune", "reduce-overhead", "compile", "eager")
LAYOUTS = ("channels_last", "nchw")
NETWORKS = ("lean", "plain")
DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
EMA_DECAY = 0.9999


class LeanGroupNorm(nn.GroupNorm):
    """Reads and writes the dtype of its input; statistics are float32 in PyTorch's kernel all the same."""

    def forward(self, x):
        with torch.autocast(x.device.type, enabled=False):
            return F.group_norm(x, self.num_groups, self.weight.to(x.dtype), self.bias.to(x.dtype), self.eps)


class LeanAttention(Attention):
    """Rows are positions: of a channels_last image this is a view."""

    def forward(self, x):
        n, c, h, w = x.shape
        rows = self.norm(x).permute(0, 2, 3, 1).reshape(n, h * w, c)
        qkv = F.linear(rows, self.qkv.weight[:, :, 0], self.qkv.bias)
        qkv = qkv.reshape(n, h * w, self.heads, 3, c // self.heads).permute(3, 0, 2, 1, 4)
        y = F.scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]).transpose(1, 2).reshape(n, h * w, c)
        y = F.linear(y, self.out.weight[:, :, 0], self.out.bias)
        return x + y.reshape(n, h, w, c).permute(0, 3, 1, 2)


def make_lean(model):
    for module in model.modules():
        if type(module) is nn.GroupNorm:
            module.__class__ = LeanGroupNorm
        elif type(module) is Attention:
            module.__class__ = LeanAttention


def why_not(run, device):
    """Why this PyTorch does not offer a way to run on the device; empty where it does."""
    if run in RECORDED and (device != "cuda" or not hasattr(torch.cuda, "CUDAGraph")):
        return "no CUDA graphs here"
    if run in COMPILED:
        if not hasattr(torch, "compile"):
            return "no torch.compile in this PyTorch"
        if device == "cuda" and importlib.util.find_spec("triton") is None:
            return "torch.compile needs triton"
        if device != "cuda" and run != "compile":
            return "for GPUs"
    return ""


def variants_of(device):
    """Names of the variants that are offered, and why others are not."""
    offered, left_out = [], {}
    for network, layout, run in itertools.product(NETWORKS, LAYOUTS, RUNS):
        why = why_not(run, device)
        name = f"{run},{layout},{network}"
        if why:
            left_out[name] = why
        else:
            offered.append(name)
    return offered, left_out


def variant(text):
    parts = text.split(",")
    if len(parts) != 3 or parts[0] not in RUNS or parts[1] not in LAYOUTS or parts[2] not in NETWORKS:
        raise argparse.ArgumentTypeError(f"expected RUN,LAYOUT,NETWORK as --help has them, got '{text}'")
    return parts


def set_precision(precision):
    """A context manager for the loss."""
    tf32 = precision != "float32"
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    if precision in DTYPES:
        return lambda device: torch.autocast(device, dtype=DTYPES[precision])
    return lambda device: contextlib.nullcontext()


class Step:
    """One training step: noising, forward and backward pass, Adam, and the average of the weights where it is asked for."""

    def __init__(self, args):
        run, layout, network = args.variant
        size, device = SIZES[args.config], args.device
        self.precision, self.device, self.diffsiam = set_precision(args.precision), device, args.what == "diffsiam"
        self.schedule = Schedule().to(device)
        denoiser = UNet(size)
        self.model = DiffSiam(size, denoiser) if self.diffsiam else denoiser
        if network == "lean":
            make_lean(self.model)
        memory_format = torch.channels_last if layout == "channels_last" else torch.contiguous_format
        self.model.to(device, memory_format=memory_format)
        shape = (args.batch, size["channels"], size["side"], size["side"])
        self.images = torch.randn(shape, device=device).to(memory_format=memory_format)
        self.weights = [p for p in self.model.parameters() if p.requires_grad]
        self.averages = [p.detach().clone() for p in self.weights] if args.ema else []
        self.adam = torch.optim.Adam(self.weights, lr=1e-4, fused=True, capturable=device == "cuda")
        self.run = torch.compile(self.loss_of, mode=COMPILED[run]) if run in COMPILED else self.loss_of
        self.marks_steps = run in ("reduce-overhead", "max-autotune") and hasattr(torch.compiler, "cudagraph_mark_step_begin")
        self.loss = None

    def loss_of(self, images, t, noise):
        at = lambda table: table[t][:, None, None, None]
        x_t = at(self.schedule.signal) * images + at(self.schedule.noise) * noise
        with self.precision(self.device):
            if not self.diffsiam:
                return ((noise - self.model(x_t, t)) ** 2).mean()
            eps, shift = self.model(x_t, t, self.model.encoder(images))
            return (at(self.schedule.weight) * (noise - (eps + at(self.schedule.shift) * shift)) ** 2).mean()

    def __call__(self):
        if self.marks_steps:
            torch.compiler.cudagraph_mark_step_begin()
        t = torch.randint(0, 1000, (len(self.images),), device=self.device)
        loss = self.run(self.images, t, torch.randn_like(self.images))
        loss.backward()
        self.adam.step()
        if self.averages:
            torch._foreach_lerp_(self.averages, [w.detach() for w in self.weights], 1 - EMA_DECAY)
        self.adam.zero_grad(set_to_none=True)
        self.loss = loss.detach()


def recorded(step, warm_up):
    """The step as a CUDA graph, after some ordinary steps on a stream of their own, as PyTorch's manual has it."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(warm_up):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def seconds_of(work, count, device):
    """Seconds that `count` calls take: by events on a GPU, where the last one is waited for."""
    if device != "cuda":
        start = time.perf_counter()
        for _ in range(count):
            work()
        return time.perf_counter() - start
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(count):
        work()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / 1e3


def machine(device):
    """What the figures were made with."""
    facts = {"pytorch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    if device == "cuda":
        facts["card"] = torch.cuda.get_device_name()
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            said = subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
                                  capture_output=True, text=True, timeout=30, check=True)
            facts["driver"] = said.stdout.split()[0]
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="print the variants that are offered as a JSON line, and end")
    parser.add_argument("--variant", type=variant, default="eager,channels_last,plain")
    parser.add_argument("--config", choices=SIZES, default="fashion")
    parser.add_argument("--what", choices=["denoiser", "diffsiam"], default="diffsiam")
    parser.add_argument("--precision", choices=["float32", "tf32", "bf16", "fp16"], default="float32")
    parser.add_argument("--batch", type=int, default=0, help="0: 64 for fashion, 8 for celeba64")
    parser.add_argument("--repetitions", type=int, default=9, help="whose median counts")
    parser.add_argument("--steps", type=int, default=0, help="in each repetition; 0: half a second of them")
    parser.add_argument("--ema", action="store_true", help="also an average of the weights, of constant decay")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    args = parser.parse_args()
    if args.list:
        offered, left_out = variants_of(args.device)
        print(json.dumps({"variants": offered, "left_out": left_out, **machine("cpu")}))
        return
    if why := why_not(args.variant[0], args.device):
        parser.error(f"--variant {','.join(args.variant)}: {why}")
    args.batch = args.batch or SIZES[args.config]["batch"]
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True

    start = time.perf_counter()
    step = Step(args)
    warm_up = 5
    if args.variant[0] in RECORDED:
        work = recorded(step, warm_up)
    else:
        work = step
        for _ in range(warm_up):
            work()
    each = seconds_of(work, 2, args.device) / 2
    prepared = time.perf_counter() - start
    steps = args.steps or max(1, min(1000, round(0.5 / each)))
    repetitions = [seconds_of(work, steps, args.device) / steps for _ in range(args.repetitions)]
    seconds = statistics.median(repetitions)
    print(json.dumps({
        "program": "training_step", "config": args.config, "what": args.what, "backend": "pytorch",
        "device": args.device, **machine(args.device), "precision": args.precision, "variant": ",".join(args.variant),
        "batch": args.batch, "ema": args.ema, "steps": steps, "repetitions": len(repetitions),
        "images_per_second": args.batch / seconds, "seconds": seconds, "least_seconds": min(repetitions),
        "most_seconds": max(repetitions), "prepared_seconds": prepared, "loss": step.loss.item(),
        "peak_bytes": torch.cuda.max_memory_reserved() if args.device == "cuda" else 0,
        "trainable": sum(p.numel() for p in step.weights),
        "parameters": sum(p.numel() for p in step.model.parameters())}))


if __name__ == "__main__":
    main()
