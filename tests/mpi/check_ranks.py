#!/usr/bin/env python3
"""Starts mpi_ranks by mpirun, and checks how it ends.

    check_ranks.py MPIRUN PROGRAM FOLDER same
    check_ranks.py MPIRUN PROGRAM FOLDER faults
    check_ranks.py MPIRUN PROGRAM FOLDER kills [--count 20] [--seed 0]

same: 1, 2, 3 and 4 ranks end in the same files; so does a run that is saved with 4 ranks and resumed with 1 or 2.
faults: a rank that dies, hangs, throws, meets a NaN, is interrupted, or has other settings or pictures ends the run on all
ranks within 10 seconds, with a message that names it.
kills: a random rank is killed at a random moment; the run is resumed with another number of ranks until it is done.
"""
import argparse
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import time

LIMIT = 10  # seconds from a fault to the end of all ranks


class Ranks:
    def __init__(self, mpirun, program, folder):
        self.mpirun, self.program, self.folder = mpirun, program, folder

    def command(self, count, out, settings):
        options = [f"{name}={value}" for name, value in settings.items()]
        # As root, as in containers, and on fewer cores than ranks.
        return [self.mpirun, "--allow-run-as-root", "--oversubscribe", "-n", str(count), self.program, "train", str(out), *options]

    def run(self, count, out, **settings):
        """Exit status, seconds and all output."""
        start = time.monotonic()
        done = subprocess.run(self.command(count, out, settings), capture_output=True, text=True, timeout=120)
        return done.returncode, time.monotonic() - start, done.stdout + done.stderr

    def fresh(self, name):
        out = self.folder / name
        shutil.rmtree(out, ignore_errors=True)
        return out

    def expect_done(self, count, out, **settings):
        status, _, text = self.run(count, out, **settings)
        if status != 0:
            sys.exit(f"{count} ranks: status {status}\n{text}")


def require_equal(a, b, names):
    for name in names:
        if (a / name).read_bytes() != (b / name).read_bytes():
            sys.exit(f"{a / name} and {b / name} differ")


FILES = ["net.safetensors", "net.checkpoint.safetensors"]


def same(ranks):
    one = ranks.fresh("one")
    ranks.expect_done(1, one)
    for count in (2, 3, 4):
        out = ranks.fresh(f"of_{count}")
        ranks.expect_done(count, out)
        require_equal(one, out, FILES)
    for count in (1, 2):
        out = ranks.fresh(f"resumed_by_{count}")
        status, _, text = ranks.run(4, out, fault="interrupt", rank=2, step=6)
        if status != 130 or "stopped on request after step 7 of 12; saved" not in text:
            sys.exit(f"an interrupted run: status {status}\n{text}")
        ranks.expect_done(count, out, resume=1)
        require_equal(one, out, FILES)
        if len((out / "net.metrics.jsonl").read_text().splitlines()) != 12:
            sys.exit("metrics of 12 steps, once each, are not there")


FAULTS = {
    "die": "rank 1|Killed",
    "hang": r"rank 1: no answer within",
    "throw": "rank 1: a.png is gone",
    "nan": "a finite loss at step 6.*on rank 1",
    "other_settings": r"the same settings on all ranks, '.*\"seed\": 1' as on rank 0, got '.*\"seed\": 2' on rank 1",
    "other_pictures": "the same pictures on all ranks.* on rank 1",
}


def alive(program):
    """Processes of this program."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.readlink(entry / "exe") == os.path.realpath(program):
                found.append(int(entry.name))
        except OSError:
            pass
    return found


def faults(ranks):
    for fault, expected in FAULTS.items():
        out = ranks.fresh(fault)
        status, seconds, text = ranks.run(3, out, fault=fault, rank=1, step=5, time_out_ms=3000)
        if status == 0 or not re.search(expected, text):
            sys.exit(f"{fault}: status {status}, expected '{expected}' in\n{text}")
        if seconds > LIMIT or alive(ranks.program):
            sys.exit(f"{fault}: {seconds:.1f} s, and {len(alive(ranks.program))} processes are left")
        if not fault.startswith("other"):
            whole = ranks.fresh(fault + "_whole")
            ranks.expect_done(2, whole)
            ranks.expect_done(2, out, resume=1)
            require_equal(whole, out, FILES)


def kills(ranks, count, seed):
    chance = random.Random(seed)
    whole, out = ranks.fresh("whole"), ranks.fresh("killed")
    steps = 12 * count
    ranks.expect_done(1, whole, steps=steps)
    longest = 0
    for _ in range(count):
        size = chance.choice([2, 3, 4])
        with subprocess.Popen(ranks.command(size, out, {"steps": steps, "slow": 30, "tell": 1, "resume": 1}),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            pids = []
            for line in process.stdout:
                pids += [int(pid) for pid in re.findall(r"rank \d+ is process (\d+)", line)]
                if len(pids) == size:
                    break
            time.sleep(chance.uniform(0, 0.5))
            start = time.monotonic()
            try:
                os.kill(chance.choice(pids), signal.SIGKILL)
            except ProcessLookupError:
                sys.exit("the run ended before it was killed: more steps are needed")
            process.communicate(timeout=60)
            while alive(ranks.program):
                time.sleep(0.05)
            longest = max(longest, time.monotonic() - start)
        if longest > LIMIT:
            sys.exit(f"it took {longest:.1f} s until all ranks had ended")
    ranks.expect_done(chance.choice([1, 2, 4]), out, steps=steps, resume=1)
    require_equal(whole, out, FILES)
    print(f"{count} kills: all ranks had ended after {longest:.1f} s at the latest; same weights")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mpirun")
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("check", choices=["same", "faults", "kills"])
    parser.add_argument("--count", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    ranks = Ranks(options.mpirun, options.program, options.folder)
    if options.check == "same":
        same(ranks)
    elif options.check == "faults":
        faults(ranks)
    else:
        kills(ranks, options.count, options.seed)


if __name__ == "__main__":
    main()
