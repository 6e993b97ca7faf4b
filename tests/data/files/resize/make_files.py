#!/usr/bin/python3
"""Writes the pictures of this folder again: a source, and what Pillow makes of it.

    tests/data/files/resize/make_files.py

Written with Pillow 9.4 of Debian 12. The suite does not run this script.
"""
import pathlib

import numpy as np
from PIL import Image, ImageOps

FOLDER = pathlib.Path(__file__).resolve().parent
FILTERS = {"box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC, "lanczos": Image.LANCZOS}


def source(height=23, width=31):
    """Smooth at the left, noise of 0 and 255 at the right, where filters overshoot."""
    random = np.random.default_rng(1)
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([8 * x, 11 * y, 255 - 4 * x - 5 * y], axis=-1)
    noise = 255 * random.integers(0, 2, (height, width, 3))
    return Image.fromarray(np.where(x[..., None] < width // 2, smooth, noise).astype(np.uint8))


def save(name, image):
    image.save(FOLDER / f"{name}.{'pgm' if image.mode == 'L' else 'ppm'}")


colour = source()
grey = colour.getchannel(0)
save("colour", colour)
save("grey", grey)
for name, method in FILTERS.items():
    for width, height in [(9, 7), (13, 40), (40, 5)]:  # smaller, larger, and both at once
        save(f"colour_{name}_{height}x{width}", colour.resize((width, height), method))
    save(f"grey_{name}_7x9", grey.resize((9, 7), method))
    save(f"region_{name}_6x8", colour.resize((8, 6), method, box=(4.25, 3.5, 20.75, 19)))
save("colour_bilinear_1x1", colour.resize((1, 1), Image.BILINEAR))
save("colour_bilinear_23x10", colour.resize((10, 23), Image.BILINEAR))
save("colour_bilinear_11x31", colour.resize((31, 11), Image.BILINEAR))

ground = (10, 200, 60)
size = (12, 8)
tall = colour.crop((3, 1, 14, 22))
save("crop_wide", ImageOps.fit(colour, (8, 12), Image.BILINEAR))
save("crop_tall", ImageOps.fit(tall, size, Image.BICUBIC))
save("crop_enlarged", ImageOps.fit(colour.crop((0, 0, 5, 4)), size, Image.BILINEAR))
save("pad_wide", ImageOps.pad(colour, (11, 12), Image.BILINEAR, color=ground))
save("pad_tall", ImageOps.pad(tall, size, Image.BILINEAR, color=ground))
save("stretch", colour.resize(size, Image.LANCZOS))
save("box", ImageOps.fit(colour.crop((5, 2, 5 + 20, 2 + 16)), (8, 8), Image.BILINEAR))
save("luma", colour.convert("L"))
