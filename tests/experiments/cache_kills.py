"""Kills the main job while it decodes pictures into its cache: cache_kills.py KILL_TEST TRAIN_DIFFSIAM FOLDER

Draws a folder of pictures that takes a second or so to decode, and hands over to scripts/kill_test. Needs nothing but Python.
"""
import os
import pathlib
import shutil
import sys

from png import png

SIDE, PICTURES = 400, 520  # three pieces of the cache

kill_test, program, folder = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
shutil.rmtree(folder, ignore_errors=True)
for number in range(PICTURES):
    path = folder / "pictures" / ("stripes" if number % 2 else "plain") / f"{number}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    shades = bytes((x * (number % 2) + number // 2) % 256 for x in range(SIDE))
    path.write_bytes(png(SIDE, SIDE, 1, shades * SIDE))
os.execv(sys.executable, [
    sys.executable, kill_test, "--kills", "6", "--longest", "0.4", "--amid", "pictures.cache.safetensors",
    "--out", str(folder / "runs"), program, "--data", str(folder / "pictures"), "--threads", "1",
    *"--size 16 --base 8 --denoiser-steps 2 --denoiser-batch 8 --steps 2 --siamese-batch 8 --batch 8".split()])
