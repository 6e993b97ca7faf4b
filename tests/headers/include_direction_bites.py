"""Proves that scripts/check_includes fails when it should: include_direction_bites.py PATH_TO_SCRIPT."""
import pathlib
import subprocess
import sys
import tempfile

GOOD = {
    "diffsiam.hpp": "#include <diffsiam/nn/linear.hpp>\n",
    "config.hpp": "#define DIFFSIAM_X 1\n",
    "core/shape.hpp": "#include <diffsiam/config.hpp>\n#include <array>\n",
    "ops/linear.hpp": "#include <diffsiam/core/shape.hpp>\n",
    "nn/linear.hpp": "#include <diffsiam/ops/linear.hpp>\n",
    "nn/view_of_lvalues.hpp": "struct X {\n  int const& x() const& { return x_; }\n  void x() const&& = delete;\n};\n",
    "concepts/options.hpp": "template <class B>\nconcept HasX = requires { B::x; };\n",
    "ops/asks_by_name.hpp": "template <class B>\n  requires HasX<B>\nvoid f() {\n  if constexpr (HasX<B>) B::x();\n}\n",
    "backend/cpu.hpp": "#include <diffsiam/core/shape.hpp>\n#include <Eigen/Core>\n",
}
# What is added to a good tree, and a part of the complaint.
BAD = [
    ("core/up.hpp", "#include <diffsiam/ops/linear.hpp>\n", "ops does not stand below core"),
    ("unet/sideways.hpp", "#include <diffsiam/encoder/x.hpp>\n", "encoder does not stand below unet"),
    ("ops/names.hpp", "#include <diffsiam/backend/cpu.hpp>\n", "ops names no backend"),
    ("nn/slow.hpp", "#include <iostream>\n", "slow to compile"),
    ("nn/near.hpp", '#include "linear.hpp"\n', "never a relative include"),
    ("nn/gone.hpp", "#include <diffsiam/nn/gone_too.hpp>\n", "no such header"),
    ("nn/macro.hpp", "#define X 1\n", "macros are defined in config.hpp and compiled/ only"),
    ("nn/view.hpp", "struct X {\n  int const& x() const { return x_; }\n};\n", "x hands out a view of its object"),
    ("nn/half.hpp", "struct X {\n  std::span<int> x() const& { return x_; }\n};\n", "x hands out a view of its object"),
    ("ops/probes.hpp", "if constexpr (requires { B::fast(1); })\n", "looks for a member of a backend"),
    ("value/probes.hpp", "static_assert(\n    requires { typename B::Estimates; });\n", "looks for a member of a backend"),
    ("nn/probes.hpp", "if constexpr (requires { requires B::host_memory; }) {\n", "looks for a member of a backend"),
    ("nn/asks.hpp", "if constexpr (requires(int i) { context.observer(i); })\n", "looks for a member of a backend"),
    ("nn/long.hpp", "//\n" * 401, "401 lines"),
    ("attic/x.hpp", "\n", "has no line in LAYERS"),
    ("diffsiam.hpp", "#include <diffsiam/value/eigen.hpp>\n", "the umbrella reaches Eigen/Core"),
]


def run(script, headers):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in headers.items():
            path = pathlib.Path(folder, "include/diffsiam", name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, script, folder], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout.decode()


def main():
    script = sys.argv[1]
    good = {**GOOD, "encoder/x.hpp": "\n", "value/eigen.hpp": "#include <Eigen/Core>\n"}
    code, output = run(script, good)
    if code != 0:
        return f"complains about a good tree:\n{output}"
    for name, text, complaint in BAD:
        code, output = run(script, {**good, name: text})
        if code == 0 or complaint not in output:
            return f"{name}: expected '{complaint}', got:\n{output}"
    return None


if __name__ == "__main__":
    sys.exit(main())
