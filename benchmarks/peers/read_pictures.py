#!/usr/bin/env python3
"""Pictures of a folder as batches: this library in turn with PyTorch's DataLoader and Pillow.

    benchmarks/peers/read_pictures.py FOLDER [--size 32] [--workers 2] [--rounds 2]

Both open the same files, put alpha on white, cut the centre square, resize it bilinearly, shuffle, and make batches of
64. Files of more than 100 million pixels are left out, since both refuse them. Prints one JSON line a run, and the
ratio of the medians. Needs torch, numpy and Pillow, and build/bench/benchmarks/read_pictures.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy
import torch
from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None
LARGEST = 100_000_000


class Pictures(torch.utils.data.Dataset):
    def __init__(self, folder, paths, size):
        self.folder, self.paths, self.size = folder, paths, size

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.folder / self.paths[index]) as picture:
            if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
                picture = picture.convert("RGBA")
                picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
            picture = picture.convert("RGB")
            picture = ImageOps.fit(picture, (self.size, self.size), Image.BILINEAR)
        return torch.from_numpy(numpy.array(picture)).permute(2, 0, 1).float() / 127.5 - 1


def torch_per_second(folder, paths, size, workers):
    start = time.perf_counter()
    loader = torch.utils.data.DataLoader(Pictures(folder, paths, size), batch_size=64, shuffle=True, num_workers=workers)
    count = sum(len(batch) for batch in loader)
    return count / (time.perf_counter() - start)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=2)
    root = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--program", type=pathlib.Path, default=root / "build/bench/benchmarks/read_pictures")
    options = parser.parse_args()

    paths = []
    for path in sorted(options.folder.rglob("*.png")):
        with Image.open(path) as picture:  # reads the header alone
            if picture.width * picture.height <= LARGEST:
                paths.append(str(path.relative_to(options.folder)))
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as scratch:
        table = pathlib.Path(scratch) / "list.csv"
        table.write_text("".join(f'"{path}",all\n' for path in paths))
        command = [options.program, options.folder, "--list", table, "--cache", pathlib.Path(scratch) / "cache",
                   "--size", str(options.size), "--workers", str(options.workers)]
        for turn in range(options.rounds):
            for mine in (turn % 2 == 0, turn % 2 != 0):  # both orders
                if mine:
                    record = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                    ours.append(record["decoded_per_second"])
                else:
                    theirs.append(torch_per_second(options.folder, paths, options.size, options.workers))
                    record = {"benchmark": "DataLoader", "pictures": len(paths), "workers": options.workers,
                              "decoded_per_second": theirs[-1]}
                print(json.dumps(record), flush=True)
    print(json.dumps({"ratio": statistics.median(ours) / statistics.median(theirs)}))


if __name__ == "__main__":
    main()
