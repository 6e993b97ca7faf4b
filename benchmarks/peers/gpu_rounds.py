"""compare --backend cuda: training steps on a GPU, ours and PyTorch's in turn, in both orders.

In the first round each variant of PyTorch that is offered and both of ours (ordinary and --graph) run once. The fastest of
each go on to the other rounds, in which the first to run alternates. The ratio is that of the medians of all rounds. A
variant that fails or takes too long is named and not counted. Each line is kept as soon as it is there.
"""

import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
CASES = [(config, what, precision, batch)
         for config, batch in (("celeba64", 128), ("fashion", 64))
         for precision in ("bf16", "tf32", "fp16", "float32")
         for what in ("diffsiam", "denoiser")]
OURS = {"ordinary": [], "graph": ["--graph"]}
MEASUREMENTS = 9  # as many as pytorch_gpu.py takes, of half a second each
LEAST_SECONDS = 20  # PyTorch has hardly started before


class OutOfTime(Exception):
    pass


def run(command, seconds):
    """Exit status and output of a command. Throws TimeoutExpired, when all that it started has been ended."""
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    try:
        out, errors = process.communicate(timeout=seconds)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # compilers that PyTorch has started, too
        process.communicate()
        raise
    return process.returncode, out, errors


class Rounds:
    def __init__(self, args):
        self.args = args
        self.ends = time.monotonic() + args.limit if args.limit else None
        self.failures = []
        if args.out:
            args.out.write_text("")

    def left(self, reserve):
        """Seconds for one more run, if `reserve` are to be left after it. Throws OutOfTime where there are too few."""
        most = self.args.variant_limit
        if self.ends is None:
            return most
        left = self.ends - time.monotonic() - reserve
        if left < min(LEAST_SECONDS, self.args.limit / 10):
            raise OutOfTime
        return min(most, left)

    def keep(self, record):
        if self.args.out:
            with self.args.out.open("a") as out:
                out.write(json.dumps(record) + "\n")

    def line(self, name, command, reserve=0):
        """The JSON line of a program, and how long it ran; None where it fails, which is told by name."""
        seconds = self.left(reserve)
        start = time.monotonic()
        try:
            status, out, errors = run(command, seconds)
            if status == 0:
                record = json.loads(out.strip().splitlines()[-1])
                self.keep(record)
                record["run_seconds"] = time.monotonic() - start
                return record
            why = (errors.strip().splitlines() or [f"ended with {status}"])[-1][:300]
        except subprocess.TimeoutExpired:
            why = f"not done after {seconds:.0f} s"
        except (OSError, ValueError, IndexError) as error:
            why = str(error)
        self.failures.append((name, why))
        print(f"failed: {name}: {why}", file=sys.stderr, flush=True)
        return None

    def ours(self, case, graph, seconds):
        """`seconds`: of a step, as far as it is known, or None."""
        program = self.args.build / "benchmarks" / "training_step_cuda"
        queued = max(1, min(1000, round(0.5 / seconds))) if seconds else 10
        return self.line(f"ours {graph}", [
            program, *options_of(case), *OURS[graph], *self.ema(),
            "--steps", str(MEASUREMENTS), "--queued", str(queued)])

    def theirs(self, case, variant, reserve=0):
        return self.line(f"pytorch {variant}", [
            self.args.python, HERE / "pytorch_gpu.py", "--variant", variant, *options_of(case), *self.ema(),
            "--device", self.args.device], reserve)

    def ema(self):
        return ["--ema"] if self.args.ema else []


def options_of(case):
    config, what, precision, batch = case
    return ["--config", config, "--what", what, "--precision", precision, "--batch", str(batch)]


def rate(records):
    return statistics.median(record["images_per_second"] for record in records)


def best_of(records):
    """The name whose records are the fastest."""
    return max(records, key=lambda name: rate(records[name]))


def compare_case(rounds, case, variants):
    """Prints and returns the comparison of one case; None where one side has nothing."""
    ours, theirs, untried = {}, {}, []
    seconds = None
    for graph in OURS:
        if record := rounds.ours(case, graph, seconds):
            ours[graph] = [record]
            seconds = case[3] / record["images_per_second"]
    if not ours:
        print(f"not compared: {name_of(case)}: training_step_cuda did not run", file=sys.stderr)
        return None
    mine = best_of(ours)
    later = rounds.args.rounds - 1
    for variant in variants:
        # What the other rounds will take.
        reserve = later * (ours[mine][0]["run_seconds"] + (theirs[best_of(theirs)][0]["run_seconds"] if theirs else 0))
        try:
            if record := rounds.theirs(case, variant, reserve):
                theirs[variant] = [record]
        except OutOfTime:
            untried.append(variant)
    if not theirs:
        if untried:
            raise OutOfTime
        print(f"not compared: {name_of(case)}: no variant of PyTorch ran", file=sys.stderr)
        return None
    peer = best_of(theirs)
    if not matches(ours[mine][0], theirs[peer][0]):
        print(f"not compared: {name_of(case)}: the two sides differ in parameters, batch or average", file=sys.stderr)
        return None
    # The second round begins with PyTorch, since the first one began with ours.
    for turn in range(1, later + 1):
        try:
            for is_ours in (turn % 2 == 0, turn % 2 != 0):
                record = rounds.ours(case, mine, seconds) if is_ours else rounds.theirs(case, peer)
                if record:
                    (ours[mine] if is_ours else theirs[peer]).append(record)
        except OutOfTime:
            break
    told = theirs[peer][0]
    result = {
        "comparison": "training_step", "config": case[0], "what": case[1], "precision": case[2], "batch": case[3],
        "ema": rounds.args.ema, **{key: told.get(key) for key in ("card", "driver", "cuda", "cudnn", "pytorch")},
        "ours": mine, "images_per_second": rate(ours[mine]), "runs": len(ours[mine]),
        "peer": peer, "peer_images_per_second": rate(theirs[peer]), "peer_runs": len(theirs[peer]),
        "ratio": rate(ours[mine]) / rate(theirs[peer]),
        "peak_bytes": ours[mine][0]["peak_bytes"], "peer_peak_bytes": told["peak_bytes"],
        "peer_variants": {name: rate(records) for name, records in theirs.items()}, "untried": untried}
    rounds.keep(result)
    print(f"{name_of(case)}: {result['images_per_second']:.4g} images/s ({mine}, {result['runs']} runs) against "
          f"{result['peer_images_per_second']:.4g} ({peer}, {result['peer_runs']} runs; {len(theirs)} variants ran, "
          f"{len(untried)} had no time): ratio {result['ratio']:.2f}; memory {result['peak_bytes'] / 1e6:.0f} MB against "
          f"{result['peer_peak_bytes'] / 1e6:.0f}", flush=True)
    return result


def name_of(case):
    return " ".join(options_of(case)[1::2])


def matches(ours, theirs):
    return all(ours[key] == theirs[key] for key in ("trainable", "parameters", "batch", "ema"))


def main(args):
    """0 where all cases were compared, 1 where one was not, 3 where time was short."""
    rounds = Rounds(args)
    status, machine = 0, None
    try:
        offer = rounds.line("pytorch --list", [args.python, HERE / "pytorch_gpu.py", "--list", "--device", args.device])
        if offer is None:
            return 1
        for variant, why in offer["left_out"].items():
            print(f"not offered: {variant}: {why}", file=sys.stderr)
        variants = [variant for variant in offer["variants"] if args.variants in variant]
        for case in (case for case in CASES if args.only in name_of(case)):
            result = compare_case(rounds, case, variants)
            machine = machine or result
            status = status if result else 1
    except OutOfTime:
        print("no time was left for all of it", flush=True)
        status = 3
    if machine:
        print(f"on {machine['card']}, driver {machine['driver']}, CUDA {machine['cuda']}, cuDNN {machine['cudnn']}, "
              f"PyTorch {machine['pytorch']}")
    for name, why in rounds.failures:
        print(f"failed, not counted: {name}: {why}")
    return status
