"""Proves what can be proved of scripts/gpu_first_run without a GPU: gpu_first_run_bites.py PATH_TO_SCRIPT COMPILER [NVCC].

A driver of six functions stands in for NVIDIA's, so that every sentence about a missing thing is seen. The archive of --pack is
unpacked, and the compiler says what its programs read: headers of Catch2, nlohmann/json and CLI11 from the archive, none of any
other package. With NVCC (and its toolkit and cuDNN beside it) that is done, too.
"""
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile

DRIVER = """
int cuInit(unsigned flags) { return INIT; }
int cuDriverGetVersion(int* version) { *version = VERSION; return 0; }
int cuDeviceGetCount(int* count) { *count = COUNT; return 0; }
int cuDeviceGet(int* device, int ordinal) { *device = ordinal; return 0; }
int cuDeviceGetName(char* name, int length, int device) { __builtin_strncpy(name, "NVIDIA Test 1", length); return 0; }
int cuDeviceGetAttribute(int* value, int attribute, int device) { *value = attribute == 75 ? MAJOR : 0; return 0; }
"""
WELL = {"INIT": 0, "VERSION": 13000, "COUNT": 1, "MAJOR": 9}
NVCC = """#!/bin/sh
case $1 in
  --version) echo 'Cuda compilation tools, release {}, V0' ;;
  --list-gpu-code) echo sm_80; echo sm_90 ;;
  *) echo 'error: it compiles nothing'; exit 1 ;;
esac
"""
# Of other packages, which must not be needed.
FOREIGN = ("catch2/", "nlohmann/", "CLI/", "eigen3/", "benchmark/", "png", "zlib.h", "zconf.h", "jpeglib.h", "webp/", "libexif/")


class Machine:
    """A folder with a driver, nvcc and cuDNN of any version, each of which may be missing."""

    def __init__(self, folder, script, compiler):
        self.folder, self.script, self.compiler = folder, script, compiler
        self.cuda, self.cudnn = folder / "cuda", folder / "cudnn"
        self.write("cuda/bin/nvcc", NVCC.format("13.0")).chmod(0o755)
        for name in ("cuda/include/cuda_runtime_api.h", "cuda/include/cublasLt.h", "cuda/lib/libcublasLt.so",
                     "cudnn/include/cudnn.h", "cudnn/lib/libcudnn.so.9"):
            self.write(name, "")
        self.cudnn_version(9)
        for name in ("catch2/catch.hpp", "nlohmann/json.hpp", "CLI/CLI.hpp"):
            self.write("headers/" + name, "")
        self.driver(**WELL)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def cudnn_version(self, major):
        self.write("cudnn/include/cudnn_version.h", f"#define CUDNN_MAJOR {major}\n#define CUDNN_MINOR 1\n#define CUDNN_PATCHLEVEL 0\n")

    def driver(self, **facts):
        source = self.write("driver.c", DRIVER)
        (self.folder / "lib").mkdir(exist_ok=True)
        defines = [f"-D{name}={value}" for name, value in {**WELL, **facts}.items()]
        subprocess.run([self.compiler, "-x", "c", "-shared", "-fPIC", "-w", *defines, source, "-o",
                        self.folder / "lib/libcuda.so.1"], check=True)

    def run(self, *options):
        environment = {**os.environ, "LD_LIBRARY_PATH": str(self.folder / "lib")}
        return subprocess.run([sys.executable, self.script, "--out", self.folder / "out", "--build", self.folder / "build",
                               "--nvcc", self.cuda / "bin/nvcc", "--cudnn", self.cudnn, "--headers", self.folder / "headers", *options],
                              capture_output=True, text=True, env=environment)

    def require(self, sentence, *options):
        done = self.run(*options)
        lines = [line for line in done.stderr.splitlines() if line]
        assert done.returncode == 2 and len(lines) == 1 and sentence in lines[0], (sentence, done)
        assert not (self.folder / "out").exists(), "it began all the same"


def check_sentences(machine):
    machine.driver(COUNT=0)
    machine.require("There is no NVIDIA GPU here")
    machine.driver(INIT=100)
    machine.require("There is no NVIDIA GPU here")
    machine.driver(INIT=3)
    machine.require("does not start: cuInit() gives the error 3")
    machine.driver(MAJOR=7)
    machine.require("NVIDIA Test 1 has compute capability 7.0")
    machine.driver(VERSION=12080)
    machine.require("too old for the toolkit: it is for CUDA 12.8, and nvcc is of CUDA 13.0")
    nvcc = machine.cuda / "bin/nvcc"
    nvcc.write_text(NVCC.format("12.4"))
    machine.driver(VERSION=12020)
    machine.require("recorded steps need 12.3")
    machine.driver()
    nvcc.write_text(NVCC.format("11.8"))
    machine.require("nvcc is of CUDA 11.8")
    nvcc.write_text(NVCC.format("13.0"))
    machine.driver(MAJOR=13)
    machine.require("does not know compute capability 13.0")
    machine.driver()
    machine.require("There is no nvcc here", "--nvcc", "/nowhere/nvcc")
    machine.require("There is no cuDNN here", "--cudnn", str(machine.cuda))
    machine.cudnn_version(8)
    machine.require("cuDNN is 8.1.0")
    machine.cudnn_version(9)
    machine.require("catch2/catch.hpp, nlohmann/json.hpp, CLI/CLI.hpp", "--headers", "/nowhere")
    (machine.folder / "lib/libcuda.so.1").unlink()
    machine.require("There is no NVIDIA driver here")
    machine.driver()


def check_failures_are_told(machine):
    """An nvcc that compiles nothing: every part is told, none ends the others, and the report is whole."""
    done = machine.run("--python", "/bin/false", "--minutes", "1")
    summary = (machine.folder / "out/summary.txt").read_text()
    assert done.returncode == 1 and summary == done.stdout, done
    for part in ("build", "tests", "sanitizer", "benchmarks", "count", "peer"):
        assert f"\n{part}\n" in summary, summary
    assert "the compiler ended with 1: error: it compiles nothing" in summary and "it was not built" in summary and "Traceback" not in summary + done.stderr, summary
    assert sorted(path.name for path in (machine.folder / "out").iterdir()) == [
        "log.txt", "results.jsonl", "summary.txt", "versions.txt"]


def dependencies(compiler, modules, program, unit, folder, toolkit, headers):
    """All that a translation unit reads, by its folder's own flags."""
    flags = modules.include_flags(toolkit, headers, program)
    said = subprocess.run([compiler, "-x", "c++", "-std=c++20", "-M", *flags, *(["-DDIFFSIAM_WITH_CUDA"] if program.own_device else []),
                           unit.source], capture_output=True, text=True, cwd=folder)
    assert said.returncode == 0, said.stderr
    return [os.path.realpath(name) for name in said.stdout.split(":", 1)[1].replace("\\\n", " ").split()]


def check_archive(folder, script, compiler, nvcc):
    archive = folder / "packed.tar.gz"
    subprocess.run([sys.executable, script, "--pack", archive], check=True, capture_output=True)
    assert archive.stat().st_size < 12e6, "the archive has grown: what of it is needed?"
    with tarfile.open(archive) as packed:
        packed.extractall(folder)
    root = (folder / "diffsiam").resolve()
    # Without a GPU it says so there, too.
    done = subprocess.run([root / "scripts/gpu_first_run"], capture_output=True, text=True)
    assert done.returncode == 2 and "There is no NVIDIA" in done.stderr, done
    sys.path.insert(0, str(root / "scripts"))
    import gpu_machine
    import gpu_programs
    assert gpu_programs.ROOT == root
    toolkit = gpu_machine.find_toolkit(nvcc, None, sys.executable) if nvcc else gpu_machine.Toolkit()
    every = {unit.source.name: (program, unit) for program in gpu_programs.programs(toolkit) for unit in program.units}
    if toolkit.includes.get("cudnn.h"):
        chosen = [name for name, (_, unit) in every.items() if unit.is_device_code] + ["main.cpp", "count_training_step.cpp"]
    else:
        chosen = []
    for name in ["file.cpp", *chosen]:
        program, unit = every[name]
        read = dependencies(compiler, gpu_programs, program, unit, root, toolkit, root / "third_party")
        outside = [path for path in read if not path.startswith(f"{root}/")]
        foreign = [path for path in outside for part in FOREIGN if path.startswith("/usr/include/" + part)]
        assert not foreign, (name, foreign)
        assert any(path.startswith(f"{root}/third_party/") for path in read), (name, "reads nothing that was carried")
    return 1 + len(chosen)


def main():
    script, compiler = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2]
    nvcc = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory() as folder:
        machine = Machine(pathlib.Path(folder) / "machine", script, compiler)
        check_sentences(machine)
        check_failures_are_told(machine)
        units = check_archive(pathlib.Path(folder), script, compiler, nvcc)
    print(f"gpu_first_run_bites: all sentences seen, {units} files read what was carried")


if __name__ == "__main__":
    main()
