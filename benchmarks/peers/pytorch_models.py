"""The networks of docs/method.md in PyTorch, as its users write them: NCHW tensors, nn.Module blocks."""

import math

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {
    "fashion": dict(side=28, channels=1, base=32, multipliers=(1, 2, 2), blocks=1, attention=(4,), latent=64,
                    subsets=16, encoder=(32, 64, 128), encoder_attention=None, batch=64),
    "celeba64": dict(side=64, channels=3, base=64, multipliers=(1, 2, 4, 8), blocks=2, attention=(4,), latent=512,
                     subsets=64, encoder=(64, 128, 128, 128), encoder_attention=1, batch=8),
}


class ResBlock(nn.Module):
    def __init__(self, c_in, c_out, embedding, latent=False, resample=None):
        super().__init__()
        self.norm_1, self.conv_1 = nn.GroupNorm(32, c_in), nn.Conv2d(c_in, c_out, 3, padding=1)
        self.time = nn.Linear(embedding, 2 * c_out)
        self.latent = nn.Linear(embedding, 2 * c_out) if latent else None
        self.norm_2, self.conv_2 = nn.GroupNorm(32, c_out), nn.Conv2d(c_out, c_out, 3, padding=1)
        self.skip = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()
        self.resample = {None: nn.Identity(), "down": nn.AvgPool2d(2), "up": nn.Upsample(scale_factor=2)}[resample]
        nn.init.zeros_(self.conv_2.weight)
        nn.init.zeros_(self.conv_2.bias)

    def forward(self, x, emb, z=None):
        h = self.conv_1(self.resample(F.silu(self.norm_1(x))))
        scale, shift = self.time(F.silu(emb))[:, :, None, None].chunk(2, dim=1)
        h = self.norm_2(h) * (1 + scale) + shift
        if self.latent is not None:
            scale, shift = self.latent(F.silu(z))[:, :, None, None].chunk(2, dim=1)
            h = h * (1 + scale) + shift
        return self.skip(self.resample(x)) + self.conv_2(F.silu(h))


class Attention(nn.Module):
    def __init__(self, channels, heads=1):
        super().__init__()
        self.heads = heads
        self.norm, self.qkv = nn.GroupNorm(32, channels), nn.Conv1d(channels, 3 * channels, 1)
        self.out = nn.Conv1d(channels, channels, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x):
        n, c, h, w = x.shape
        flat = x.reshape(n, c, h * w)
        qkv = self.qkv(self.norm(flat)).reshape(n, self.heads, 3, c // self.heads, h * w).transpose(3, 4)
        y = F.scaled_dot_product_attention(qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2])
        y = self.out(y.transpose(2, 3).reshape(n, c, h * w))
        return (flat + y).reshape(n, c, h, w)


class Attended(nn.Module):
    def __init__(self, c_in, c_out, embedding, attends, latent=False):
        super().__init__()
        self.res = ResBlock(c_in, c_out, embedding, latent)
        self.attention = Attention(c_out) if attends else nn.Identity()

    def forward(self, x, emb, z=None):
        return self.attention(self.res(x, emb, z))


class Down(nn.Module):
    def __init__(self, s):
        super().__init__()
        b, emb = s["base"], 4 * s["base"]
        self.input = nn.Conv2d(s["channels"], b, 3, padding=1)
        self.blocks, self.skips, c = nn.ModuleList(), [b], b
        for level, m in enumerate(s["multipliers"]):
            for _ in range(s["blocks"]):
                self.blocks.append(Attended(c, m * b, emb, 2**level in s["attention"]))
                c = m * b
                self.skips.append(c)
            if level + 1 < len(s["multipliers"]):
                self.blocks.append(ResBlock(c, c, emb, resample="down"))
                self.skips.append(c)

    def forward(self, x, emb):
        skips = [self.input(x)]
        for block in self.blocks:
            skips.append(block(skips[-1], emb))
        return skips


class Up(nn.Module):
    def __init__(self, s, skips, latent=False):
        super().__init__()
        b, emb, skips, c = s["base"], 4 * s["base"], list(skips), skips[-1]
        self.middle = nn.ModuleList([Attended(c, c, emb, True, latent), ResBlock(c, c, emb, latent)])
        self.blocks = nn.ModuleList()
        self.takes = []
        for level in reversed(range(len(s["multipliers"]))):
            for _ in range(s["blocks"] + 1):
                self.blocks.append(Attended(c + skips.pop(), s["multipliers"][level] * b, emb,
                                            2**level in s["attention"], latent))
                self.takes.append(True)
                c = s["multipliers"][level] * b
            if level > 0:
                self.blocks.append(ResBlock(c, c, emb, latent, "up"))
                self.takes.append(False)
        self.norm, self.out = nn.GroupNorm(32, b), nn.Conv2d(b, s["channels"], 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, skips, emb, z=None):
        skips = list(skips)
        h = skips[-1]
        for block in self.middle:
            h = block(h, emb, z)
        for block, takes in zip(self.blocks, self.takes):
            h = block(torch.cat([h, skips.pop()], 1) if takes else h, emb, z)
        return self.out(F.silu(self.norm(h)))


class UNet(nn.Module):
    def __init__(self, s):
        super().__init__()
        b = s["base"]
        self.register_buffer("frequencies", torch.exp(-math.log(10000) * torch.arange(b // 2) / (b // 2)))
        self.time = nn.Sequential(nn.Linear(b, 4 * b), nn.SiLU(), nn.Linear(4 * b, 4 * b))
        self.down = Down(s)
        self.up = Up(s, self.down.skips)

    def embed(self, t):
        angles = t[:, None].float() * self.frequencies
        return self.time(torch.cat([angles.cos(), angles.sin()], 1))

    def forward(self, x, t):
        emb = self.embed(t)
        return self.up(self.down(x, emb), emb)


class Encoder(nn.Module):
    def __init__(self, s):
        super().__init__()
        layers, c, side = [], s["channels"], s["side"]
        for i, out in enumerate(s["encoder"]):
            layers.append(nn.Conv2d(c, out, 3, stride=2, padding=1))
            if i == s["encoder_attention"]:
                layers.append(Attention(out, 4))
            layers += [nn.GroupNorm(32, out), nn.SiLU()]
            c, side = out, (side + 1) // 2
        self.net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(c * side * side, s["latent"]))

    def forward(self, x):
        return self.net(x)


class DiffSiam(nn.Module):
    """The frozen denoiser, the encoder and the shift decoder; z is read as the partition allows."""

    def __init__(self, s, denoiser):
        super().__init__()
        self.s, self.denoiser = s, denoiser.requires_grad_(False)
        self.encoder = Encoder(s)
        self.label = nn.Linear(s["latent"], 4 * s["base"])
        self.shift = Up(s, denoiser.down.skips, latent=True)
        dims, k = s["latent"], s["subsets"]
        self.register_buffer("ends", torch.tensor([dims * (i + 1) // k for i in range(k)]))
        self.register_buffer("column", torch.arange(dims))

    def reveal(self, z, t):
        return z * (self.column[None] < self.ends[t * self.s["subsets"] // 1000][:, None])

    def forward(self, x_t, t, z):
        with torch.no_grad():
            emb = self.denoiser.embed(t)
            skips = self.denoiser.down(x_t, emb)
            eps = self.denoiser.up(skips, emb)
        return eps, self.shift(skips, emb, self.label(self.reveal(z, t)))


class Schedule:
    def __init__(self):
        beta = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
        abar = torch.cumprod(1 - beta, 0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), abar[:-1]])
        snr = abar / (1 - abar)
        self.signal, self.noise = abar.sqrt().float(), (1 - abar).sqrt().float()
        self.shift = (-(1 - beta).sqrt() * (1 - before) / (1 - abar).sqrt()).float()
        self.weight = (snr**0.1 / (1 + snr)).float()
        self.abar = abar

    def to(self, device):
        for name, table in vars(self).items():
            setattr(self, name, table.to(device))
        return self
