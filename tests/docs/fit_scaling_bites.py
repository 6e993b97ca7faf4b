#!/usr/bin/env python3
"""fit_scaling_bites.py SCRIPT: the fit finds the numbers that measured steps were made of, compares, and refuses too few runs."""
import json
import pathlib
import subprocess
import sys
import tempfile


def made(ranks, batch, latency=50e-6, bandwidth=2e9, **more):
    """A step of 10 ms and 5 ms a picture; half of it hides transfers of 40 MB in 10 buckets."""
    own = 0.010 + 0.005 * batch / ranks
    whole = 2 * 10 * (ranks - 1) * latency + 2 * (ranks - 1) / ranks * 40e6 / bandwidth
    seconds = own if ranks == 1 else own + max(whole / 10, whole - 0.5 * own)
    return {"config": "fashion", "backend": "cpu", "threads": 1, "plain": False, "ranks": ranks, "batch": batch, "seconds": seconds,
            "gradient_bytes": 40e6, "buckets": 10, "hiding_seconds": 0.5 * own, "network": "shared memory"} | more


def fit(script, runs):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "runs.jsonl"
        path.write_text("".join(json.dumps(run) + "\n" for run in runs))
        done = subprocess.run([sys.executable, script, path, "--ranks", "8"], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr


def main():
    script = sys.argv[1]
    whole = [made(1, 4), made(1, 8)] + [made(ranks, batch) for ranks in (2, 4, 8, 16) for batch in (ranks, 4 * ranks)]
    others = [
        made(1, 8, plain=True),
        made(1, 8, seconds=0.030, plain=True, threads=2),  # no part of the fit
        made(2, 8, seconds=0.100, backend="pytorch 2", channels_last=True),
        made(2, 8, seconds=0.200, backend="pytorch 2", channels_last=False),
    ]
    status, text = fit(script, whole + others)
    # 8 pictures on two ranks: 30 ms of computing, and 21 ms of transfers, which 15 ms hide.
    for expected in ("computing takes 10.00 ms a step, and 5.00 ms a picture", "off by 0.0 %",
                     "of the speed of 1 rank of 1 thread: 1.389", "of the speed of 1 process of 2 threads: 0.833",
                     "of the speed of 1 process without: 1.000", "in its faster layout: 2.778",
                     "fashion with 1 pictures a rank, 40 MB of gradients in 10 buckets: 15.0 ms a step without transfers"):
        if status != 0 or expected not in text:
            sys.exit(f"status {status}, expected '{expected}' in\n{text}")
    latency, bandwidth = float(text.split("latency ")[1].split()[0]), float(text.split("bandwidth ")[1].split()[0])
    if abs(latency - 50) > 2 or abs(bandwidth - 2000) > 60:
        sys.exit(f"expected 50 us and 2000 MB/s, got {latency} and {bandwidth}")
    for too_few in ([made(1, 4), made(2, 8)], [made(1, 4), made(1, 8, threads=2), made(2, 8)]):
        status, text = fit(script, too_few)
        if status == 0 or "two batches or more" not in text:
            sys.exit(f"one batch on one rank is not refused:\n{text}")


if __name__ == "__main__":
    main()
