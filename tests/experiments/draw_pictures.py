"""Draws a small, mixed folder of PNG files: draw_pictures.py FOLDER

150 drawings in three sub-folders, of several sizes, in grey, colour and with alpha; three copies; one broken file.
Needs nothing but Python.
"""
import pathlib
import random
import shutil
import struct
import sys
import zlib


def png(width, height, channels, pixel):
    """The bytes of a PNG with 8 bits a channel; pixel(x, y) gives a tuple."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + b"".join(bytes(pixel(x, y)) for x in range(width)) for y in range(height))
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def inside(kind, x, y):
    """Whether (x, y) in [-1, 1]^2 belongs to the shape."""
    if kind == "circles":
        return x * x + y * y < 0.5
    if kind == "squares":
        return max(abs(x), abs(y)) < 0.6
    return y > 2 * abs(x) - 0.6


def draw(kind, draws):
    width, height, channels = draws.randint(10, 40), draws.randint(10, 40), draws.choice([1, 2, 3, 4])
    colour = [draws.randrange(160) for _ in range(channels)]
    ground = [draws.randrange(180, 256) for _ in range(channels)]
    if channels in (2, 4):
        colour[-1], ground[-1] = 255, draws.choice([0, 128])
    return png(width, height, channels,
               lambda x, y: colour if inside(kind, 2 * x / width - 1, 2 * y / height - 1) else ground)


folder = pathlib.Path(sys.argv[1])
draws = random.Random(0)
for kind in ("circles", "squares", "triangles"):
    (folder / kind).mkdir(parents=True)
    for number in range(50):
        (folder / kind / f"{number}.png").write_bytes(draw(kind, draws))
    shutil.copy(folder / kind / "0.png", folder / kind / "copy.png")
(folder / "circles" / "broken.png").write_bytes((folder / "circles" / "0.png").read_bytes()[:60])
