"""Proves that scripts/check_mirror fails when it should: check_mirror_bites.py PATH_TO_SCRIPT."""
import pathlib
import subprocess
import sys
import tempfile

TREE = {
    "include/diffsiam/ops/add.hpp": "",
    "include/diffsiam/ops/view.hpp": "",
    "include/diffsiam/nn/one.hpp": "#include <diffsiam/nn/part.hpp>\n",
    "include/diffsiam/nn/part.hpp": "",
    "tests/ops/add.test.cpp": "#include <tests/ops/values.hpp>\n",
    "tests/ops/values.hpp": "#include <diffsiam/ops/add.hpp>\n",
    "tests/ops/view.test.cpp": "#include <diffsiam/ops/view.hpp>\n",
    "tests/nn/one.test.cpp": "#include <diffsiam/nn/one.hpp>\n",
    "benchmarks/ops/bench_add.cpp": "",
    "tests/elsewhere.txt": "nn/part.hpp: nn/one: part of it\nops/view.hpp: no benchmark: nothing moves\n",
}
GONE = None
# What is different, and a part of the complaint.
BAD = [
    ({"tests/ops/add.test.cpp": GONE}, "include/diffsiam/ops/add.hpp: no tests/ops/add.test.cpp, and no line"),
    ({"tests/ops/values.hpp": ""}, "tests/ops/add.test.cpp: does not include ops/add.hpp"),
    ({"benchmarks/ops/bench_add.cpp": GONE}, "include/diffsiam/ops/add.hpp: one of benchmarks/ops/bench_add.cpp"),
    ({"benchmarks/ops/bench_view.cpp": ""}, "include/diffsiam/ops/view.hpp: one of benchmarks/ops/bench_view.cpp"),
    ({"include/diffsiam/nn/one.hpp": ""}, "none of the tests includes nn/part.hpp"),
    ({"include/diffsiam/nn/part.hpp": GONE}, "no such header: nn/part.hpp"),
    ({"tests/nn/one.test.cpp": GONE}, "no such test: nn/one.test.cpp"),
    ({"tests/nn/part.test.cpp": "#include <diffsiam/nn/part.hpp>\n"}, "nn/part.hpp has a test of its own"),
    ({"tests/elsewhere.txt": "nn/part.hpp: nn/one\n"}, "tests/elsewhere.txt:1: expected HEADERS: TESTS: WHY"),
]


def run(script, changes):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in {**TREE, **changes}.items():
            if text is not GONE:
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
        return subprocess.run([sys.executable, script, root], capture_output=True, text=True)


script = sys.argv[1]
good = run(script, {})
assert good.returncode == 0, good.stdout
for changes, complaint in BAD:
    bad = run(script, changes)
    assert bad.returncode == 1 and complaint in bad.stdout, (changes, bad.stdout, bad.stderr)
print(f"check_mirror_bites: {len(BAD)} mistakes found")
