"""Proves that scripts/check_docs fails when it should: check_docs_bites.py PATH_TO_SCRIPT."""
import pathlib
import subprocess
import sys
import tempfile

TREE = {
    "CMakePresets.json": '{"configurePresets": [{"name": "demo"}]}',
    "cmake/library.cmake": "add_library(diffsiam::io ALIAS diffsiam_io)\n",
    "include/diffsiam/nn/linear.hpp": "class Linear {};\n",
    "examples/03_train.cpp": 'app.add_option("--steps", steps);\n',
    "experiments/recipe.hpp": 'f("batch_size", self.batch_size, 1, 64, "pictures");\n',
    "scripts/demo": "--quick) ;;\n",
    "docs/method.md": "",
    "examples/04_marked.cpp": "//! [part]\nint x;\n//! [part]\n//! [open]\n",
}
GOOD = """See [the method](docs/method.md). `nn/linear.hpp` and `include/diffsiam/nn/` hold `nn::Linear`; `tests/<name>.cpp` is a
placeholder, and `diffsiam::io` a target. `build/demo/examples/train --steps 3`, `scripts/demo --quick`, `--batch-size 8`.

    cmake --build build/demo --target train

\\snippet examples/04_marked.cpp part
"""
# A line that is added, and a part of the complaint.
BAD = [
    ("[gone](docs/gone.md)", "no such file: docs/gone.md"),
    ("`scripts/gone`", "no such path: scripts/gone"),
    ("`nn/gone.hpp`", "no such path: nn/gone.hpp"),
    ("`build/fast/examples/train`", "no such preset: fast"),
    ("`build/demo/examples/gone`", "no such program: build/demo/examples/gone"),
    ("`train --gone 3`", "no such option: --gone"),
    ("`scripts/demo --gone`", "no such option: --gone"),
    ("`diffsiam::gone`", "no such target: diffsiam::gone"),
    ("`nn::Gone`", "no such name: nn::Gone"),
    ("\\snippet examples/04_marked.cpp open", "no such snippet: open"),
    ("\\snippet examples/gone.cpp part", "no such file: examples/gone.cpp"),
    ("\\include examples/gone.cpp", "no such file: examples/gone.cpp"),
    ("```\nscripts/gone\n```", "no such path: scripts/gone"),
]


def run(script, readme):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for path, text in {**TREE, "README.md": readme}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        return subprocess.run([sys.executable, script, root], capture_output=True, text=True)


script = sys.argv[1]
good = run(script, GOOD)
assert good.returncode == 0, good.stdout
for line, complaint in BAD:
    bad = run(script, GOOD + "\n" + line + "\n")
    assert bad.returncode == 1 and complaint in bad.stdout, (line, bad.stdout, bad.stderr)
print(f"check_docs_bites: {len(BAD)} mistakes found")
