"""Proves that benchmarks/peers/compare --backend cuda takes turns in both orders, counts the best of both sides and nothing that
failed: gpu_rounds_bites.py PATH_TO_SCRIPT. Both programs are made up, and write down when they are called.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

COMMON = """#!{python}
import json, os, sys, time
def option(name): return sys.argv[sys.argv.index(name) + 1]
def call(name):
    with open({calls!r}, "a") as calls: calls.write(name + "\\n")
    return open({calls!r}).read().splitlines().count(name)
def say(rate, **more):
    print(json.dumps(dict(images_per_second=rate, batch=int(option("--batch")), ema="--ema" in sys.argv, trainable=3,
                          parameters={parameters}, peak_bytes=1000000, **more)))
"""
OURS = COMMON + """
name = "graph" if "--graph" in sys.argv else "ordinary"
say({{"graph": [300, 500, 100], "ordinary": [150]}}[name][call("ours " + name) - 1])
"""
THEIRS = COMMON + """
if "--list" in sys.argv:
    print(json.dumps(dict(variants=["fails", "slow", "hangs", "fast"], left_out=dict(absent="for want of it"))))
    sys.exit()
name = option("--variant")
turn = call("theirs " + name)
if name == "fails":
    sys.exit("no such kernel")
if name == "hangs":
    time.sleep(60)
say(dict(slow=[40], fast=[100, 200, 120])[name][turn - 1], card="Test 1", driver="1.2", cuda="13.0", cudnn=91900, pytorch="2.0")
"""


class Both:
    def __init__(self, folder, parameters=7):
        self.folder = folder
        self.calls = folder / "calls"
        words = {"python": sys.executable, "calls": str(self.calls)}
        for path, text, count in (("build/benchmarks/training_step_cuda", OURS, 7), ("python", THEIRS, parameters)):
            program = folder / path
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(text.format(**words, parameters=count))
            program.chmod(0o755)

    def run(self, *options):
        self.calls.write_text("")
        done = subprocess.run([sys.executable, sys.argv[1], "--backend", "cuda", "--build", self.folder / "build", "--python",
                               self.folder / "python", "--only", "fashion diffsiam bf16", "--variant-limit", "5",
                               "--out", self.folder / "lines", *options], capture_output=True, text=True)
        lines = [json.loads(line) for line in (self.folder / "lines").read_text().splitlines()]
        return done, lines, self.calls.read_text().splitlines()


def main():
    with tempfile.TemporaryDirectory() as folder:
        both = Both(pathlib.Path(folder))
        done, lines, calls = both.run("--ema")
        assert done.returncode == 0, done
        assert calls == ["ours ordinary", "ours graph", "theirs fails", "theirs slow", "theirs hangs", "theirs fast",
                         "theirs fast", "ours graph", "ours graph", "theirs fast"], calls
        result = lines[-1]
        assert result["ours"] == "graph" and result["images_per_second"] == 300, result  # medians of three
        assert result["peer"] == "fast" and result["peer_images_per_second"] == 120 and result["ratio"] == 2.5, result
        assert result["peer_variants"] == {"slow": 40, "fast": 120} and result["ema"], result
        assert len(lines) == 10 - 2 + 2, lines  # each run that did not fail, the offer and the result
        for part in ("failed, not counted: pytorch fails: no such kernel", "failed, not counted: pytorch hangs: not done after 5 s",
                     "on Test 1, driver 1.2, CUDA 13.0, cuDNN 91900, PyTorch 2.0", "ratio 2.50"):
            assert part in done.stdout, (part, done.stdout)
        assert "not offered: absent: for want of it" in done.stderr, done.stderr

        # Where time is short it ends, and says so.
        done, lines, calls = both.run("--limit", "1")
        assert done.returncode == 3 or "had no time" in done.stdout or not lines, done
        assert "Traceback" not in done.stderr, done

        # Networks that differ are not compared.
        done, lines, calls = Both(pathlib.Path(folder), parameters=8).run()
        assert done.returncode == 1 and "not compared" in done.stderr and "comparison" not in lines[-1], done
    print("gpu_rounds_bites: turns, medians and failures are as they should be")


if __name__ == "__main__":
    main()
