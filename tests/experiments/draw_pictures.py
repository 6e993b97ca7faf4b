"""Draws a small, mixed folder of PNG files: draw_pictures.py FOLDER

150 drawings in three sub-folders, of several sizes, in grey, colour and with alpha; three copies; one broken file.
Needs nothing but Python.
"""
import pathlib
import random
import shutil
import sys

from png import png


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
               b"".join(bytes(colour if inside(kind, 2 * x / width - 1, 2 * y / height - 1) else ground)
                        for y in range(height) for x in range(width)))


folder = pathlib.Path(sys.argv[1])
draws = random.Random(0)
for kind in ("circles", "squares", "triangles"):
    (folder / kind).mkdir(parents=True)
    for number in range(50):
        (folder / kind / f"{number}.png").write_bytes(draw(kind, draws))
    shutil.copy(folder / kind / "0.png", folder / kind / "copy.png")
(folder / "circles" / "broken.png").write_bytes((folder / "circles" / "0.png").read_bytes()[:60])
