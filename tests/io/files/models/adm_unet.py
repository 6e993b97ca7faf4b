#!/usr/bin/env python3
"""The UNet of guided diffusion (Dhariwal and Nichol, 2021) in PyTorch, as small as it can be said, under its published names.

    python3 adm_unet.py make adm_unet.safetensors               writes weights of its own, an input and the output
    python3 adm_unet.py check denoiser.safetensors expected.safetensors
                                                                reads a file of diffsiam and compares the outputs

Needs PyTorch; the test suite does not run it, it reads what `make` has written. Files are read and written here by struct and
json, so that nothing is shared with another implementation of safetensors.
"""
import json
import math
import struct
import sys

import torch
from torch import nn
from torch.nn import functional as F


class ResBlock(nn.Module):
    def __init__(self, channels, emb, out, groups, up=False, down=False):
        super().__init__()
        self.in_layers = nn.Sequential(nn.GroupNorm(groups, channels), nn.SiLU(), nn.Conv2d(channels, out, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(emb, 2 * out))
        self.out_layers = nn.Sequential(nn.GroupNorm(groups, out), nn.SiLU(), nn.Dropout(0), nn.Conv2d(out, out, 3, padding=1))
        self.skip_connection = nn.Identity() if out == channels else nn.Conv2d(channels, out, 1)
        self.up, self.down = up, down

    def resample(self, x):
        if self.up:
            return F.interpolate(x, scale_factor=2, mode="nearest")
        return F.avg_pool2d(x, 2) if self.down else x

    def forward(self, x, emb):
        h = self.in_layers[2](self.resample(self.in_layers[1](self.in_layers[0](x))))
        scale, shift = self.emb_layers(emb)[:, :, None, None].chunk(2, dim=1)
        h = self.out_layers[0](h) * (1 + scale) + shift
        return self.skip_connection(self.resample(x)) + self.out_layers[1:](h)


class Attention(nn.Module):
    def __init__(self, channels, heads, groups):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(groups, channels)
        self.qkv = nn.Conv1d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv1d(channels, channels, 1)

    def forward(self, x, emb):
        n, c, h, w = x.shape
        flat = x.reshape(n, c, -1)
        q, k, v = self.qkv(self.norm(flat)).reshape(n * self.heads, 3 * c // self.heads, -1).chunk(3, dim=1)
        scale = (c // self.heads) ** -0.25
        weight = torch.einsum("bct,bcs->bts", q * scale, k * scale).softmax(-1)
        mixed = torch.einsum("bts,bcs->bct", weight, v).reshape(n, c, -1)
        return (flat + self.proj_out(mixed)).reshape(n, c, h, w)


class Block(nn.Sequential):
    def forward(self, x, emb):
        for layer in self:
            x = layer(x) if isinstance(layer, nn.Conv2d) else layer(x, emb)
        return x


class UNet(nn.Module):
    def __init__(self, config, out_channels, classes=0):
        super().__init__()
        base, groups, attends = config["base_channels"], config["groups"], config["attention_factors"]
        multipliers, blocks, emb = config["multipliers"], config["blocks_per_level"], 4 * base
        self.base = base
        self.time_embed = nn.Sequential(nn.Linear(base, emb), nn.SiLU(), nn.Linear(emb, emb))
        if classes:
            self.label_emb = nn.Embedding(classes, emb)

        def attention(channels):
            heads = channels // config["head_channels"] if config["head_channels"] else config["heads"]
            return Attention(channels, heads, groups)

        self.input_blocks = nn.ModuleList([Block(nn.Conv2d(config["in_channels"], base, 3, padding=1))])
        skips, channels = [base], base
        for level, multiplier in enumerate(multipliers):
            for _ in range(blocks):
                layers = [ResBlock(channels, emb, multiplier * base, groups)]
                channels = multiplier * base
                self.input_blocks.append(Block(*layers, *([attention(channels)] if 2**level in attends else [])))
                skips.append(channels)
            if level + 1 < len(multipliers):
                self.input_blocks.append(Block(ResBlock(channels, emb, channels, groups, down=True)))
                skips.append(channels)
        self.middle_block = Block(ResBlock(channels, emb, channels, groups), attention(channels),
                                  ResBlock(channels, emb, channels, groups))
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(multipliers))):
            for i in range(blocks + 1):
                layers = [ResBlock(channels + skips.pop(), emb, multipliers[level] * base, groups)]
                channels = multipliers[level] * base
                layers += [attention(channels)] if 2**level in attends else []
                layers += [ResBlock(channels, emb, channels, groups, up=True)] if level and i == blocks else []
                self.output_blocks.append(Block(*layers))
        self.out = nn.Sequential(nn.GroupNorm(groups, channels), nn.SiLU(), nn.Conv2d(channels, out_channels, 3, padding=1))

    def forward(self, x, t, label=None):
        half = self.base // 2
        angles = t[:, None] * torch.exp(-math.log(10000) / half * torch.arange(half, dtype=t.dtype))
        emb = self.time_embed(torch.cat([angles.cos(), angles.sin()], dim=1))
        emb = emb if label is None else emb + self.label_emb(label)
        skips = []
        for block in self.input_blocks:
            x = block(x, emb)
            skips.append(x)
        x = self.middle_block(x, emb)
        for block in self.output_blocks:
            x = block(torch.cat([x, skips.pop()], dim=1), emb)
        return self.out(x)


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    types = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16}
    tensors = {name: torch.frombuffer(bytearray(data[slice(*e["data_offsets"])]), dtype=types[e["dtype"]]).reshape(e["shape"])
               for name, e in header.items()}
    return {name: tensor.double() for name, tensor in tensors.items()}, metadata


def write(path, tensors):
    header, data = {}, b""
    for name, tensor in tensors.items():
        dtype, raw = ("F16", tensor.half()) if tensor.dtype == torch.float16 else ("F64", tensor.double())
        raw = raw.contiguous().numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def make(path):
    """Learned variance, three classes and a prefix, as such files may have all at once."""
    torch.manual_seed(1)
    config = {"in_channels": 2, "base_channels": 4, "multipliers": [1, 2], "blocks_per_level": 1, "attention_factors": [2],
              "heads": 2, "head_channels": 0, "groups": 2}
    model = UNet(config, out_channels=4, classes=3)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.3 * torch.randn_like(weight).half())
        model.double()
        x, t = torch.randn(2, 2, 4, 6).double(), torch.tensor([3.0, 700.0]).double()
        labels = torch.tensor([1, 1])
        tensors = {"ema_model." + name: weight.half() for name, weight in model.state_dict().items()}
        both = model(x, t, labels)
    write(path, tensors | {"example.x": x, "example.t": t, "example.eps": both[:, :2]})


def check(path, expected_path):
    weights, metadata = read(path)
    expected, _ = read(expected_path)
    config = json.loads(metadata["diffsiam model 1"])["denoiser"]
    model = UNet(config, out_channels=config["in_channels"]).double()
    model.load_state_dict(weights)  # strict: the names are the same, one by one
    with torch.no_grad():
        eps = model(expected["x"], expected["t"])
    greatest = (eps - expected["eps"]).abs().max().item()
    print(f"greatest difference {greatest:.2g} of values up to {eps.abs().max().item():.2g}")
    return 0 if greatest < 1e-6 else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["make"] and len(sys.argv) == 3:
        make(sys.argv[2])
    elif sys.argv[1:2] == ["check"] and len(sys.argv) == 4:
        sys.exit(check(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
