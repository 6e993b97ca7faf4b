"""What scripts/gpu_first_run compiles, and how: with nvcc and g++ alone, since CMake, and the packages that it would look
for, are often missing where the GPU is.
"""
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import signal
import subprocess
import time

import gpu_machine

ROOT = pathlib.Path(__file__).resolve().parent.parent

# What is carried of this project.
SOURCES = ("include", "benchmarks", "experiments/support", "tests/conformance", "tests/cuda", "tests/golden", "tests/standin",
           "tests/support", "tests/train/recorded_run.hpp", "tests/train/small_net.hpp", "scripts/gpu_first_run",
           "scripts/gpu_machine.py", "scripts/gpu_programs.py", "docs/cuda.md", "LICENSE")

# Files of tests/golden that are not for a backend of the host.
GOLDEN = ("diti_step", "encoder_shape", "file", "report", "sampling", "schedule", "settings")
# Accesses to memory as calls, which are counted: as in cmake/own_programs.cmake.
COUNTED = ("-O3", "-DNDEBUG", "-fsanitize=kernel-address", "--param=asan-instrumentation-with-call-threshold=0",
           "--param=asan-stack=0", "--param=asan-globals=0", "-fno-tree-vectorize")
DEVICE = ("memory", "device", "runtime", "blas", "dnn", "dnn_descriptor", "tally", "touches")


@dataclasses.dataclass
class Unit:
    """A translation unit of a program."""
    source: pathlib.Path
    flags: tuple = ()

    @property
    def is_device_code(self):
        return self.source.suffix == ".cu"


@dataclasses.dataclass
class Program:
    name: str
    units: list
    links: tuple = ()
    own_device: bool = True  # False: linked with the stand-in, and not with CUDA


def file_of(program, folder):
    """Where a program is built."""
    return folder / ("tests" if program.name.startswith("test_") else "benchmarks") / program.name


def programs(toolkit):
    """The programs, those first that take longest to compile and are needed first."""
    tests = sorted(ROOT.glob("tests/cuda/mixed_*.test.cu")) + sorted(
        path for path in ROOT.glob("tests/cuda/*.test.cu") if not path.name.startswith("mixed_"))
    nccl = gpu_machine.has_nccl(toolkit)
    if not nccl:
        tests = [path for path in tests if "nccl" not in path.name]
    test = ("-O1", f'-DDIFFSIAM_TEST_DATA="{ROOT}/tests/golden"')
    benchmark = ("-O3", "-DNDEBUG")
    return [
        Program("training_step_cuda", [Unit(ROOT / "benchmarks/cuda/training_step.cu", benchmark)]),
        Program("test_cuda", [Unit(path, test) for path in tests + [ROOT / "tests/cuda/main.cpp"]] +
                [Unit(ROOT / f"tests/golden/{name}.cpp", ("-O1",)) for name in GOLDEN], (toolkit.libraries["nccl"],) if nccl else ()),
        Program("ddim_sample_cuda", [Unit(ROOT / "benchmarks/cuda/ddim_sample.cu", benchmark)]),
        Program("encode_cuda", [Unit(ROOT / "benchmarks/cuda/encode.cu", benchmark)]),
        Program("count_training_step", [Unit(ROOT / "benchmarks/count_training_step.cpp", COUNTED)] +
                [Unit(ROOT / f"tests/standin/device/{name}.cpp", ("-O3",)) for name in DEVICE], own_device=False),
    ]


def include_flags(toolkit, headers, program):
    """`headers`: the folder of Catch2, nlohmann/json and CLI11."""
    own = [] if program.own_device else [f"-I{ROOT}/tests/standin/seam"]
    own += [f"-I{ROOT}", f"-I{ROOT}/include"]
    # Without /usr/include, which compilers know, and which as -isystem would hide headers of libstdc++.
    system = dict.fromkeys(str(path) for path in (headers, *toolkit.includes.values()) if path and str(path) != "/usr/include")
    return own + [flag for path in system for flag in ("-isystem", path)]


def compile_command(toolkit, headers, program, unit, capability, folder):
    """The command, its object file and the file that names all that it reads. `capability` is 90 for 9.0."""
    name = f"{program.name}.{unit.source.stem if unit.source.suffix == '.cu' else unit.source.name}"
    made = folder / (name + ".o")
    reads = folder / (name + ".d")
    if unit.is_device_code:
        flags = ["--expt-relaxed-constexpr", "-diag-suppress=186,445", "-DDIFFSIAM_WITH_CUDA",
                 "-gencode", f"arch=compute_{capability},code=sm_{capability}"]
        flags += ["--split-compile=0"] if toolkit.version >= (12, 8) else []  # a step of four precisions takes minutes
        flags += ["-DDIFFSIAM_WITH_NCCL"] if "nccl" in unit.source.name else []
        compiler = [toolkit.nvcc]
    else:
        flags, compiler = ["-fno-math-errno", "-pthread"], ["g++"]
        flags += ["-DDIFFSIAM_WITH_CUDA"] if unit.source.name == "main.cpp" else []
    command = [*compiler, "-std=c++20", *unit.flags, *flags, *include_flags(toolkit, headers, program),
               "-MD", "-MF", str(reads), "-c", str(unit.source), "-o", str(made)]
    return command, made, reads


def link_command(toolkit, program, objects, result):
    if not program.own_device:
        return ["g++", *map(str, objects), "-pthread", "-ldl", "-o", str(result)]
    libraries = [str(path) for path in (toolkit.libraries["cublasLt"], toolkit.libraries["cudnn"], *program.links)]
    paths = dict.fromkeys(str(pathlib.Path(path).parent) for path in libraries)
    search = [flag for path in paths for flag in ("-L" + path, "-Xlinker", "-rpath", "-Xlinker", path)]
    return [toolkit.nvcc, *map(str, objects), *search, *libraries, "-lpthread", "-ldl", "-o", str(result)]


def is_current(made, reads):
    """Whether an object file is newer than all that it was made of."""
    if not made.exists() or not reads.exists():
        return False
    made_at = made.stat().st_mtime_ns
    names = re.split(r"(?<!\\)\s+", reads.read_text().split(":", 1)[-1].replace("\\\n", " "))
    try:
        return all(os.stat(name.replace("\\ ", " ")).st_mtime_ns <= made_at for name in names if name)
    except OSError:
        return False


def run_until(command, ends, **options):
    """Exit status and output of a command that is ended, with all that it has started, when time.monotonic() is `ends`;
    the status is None then."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True, **options)
    try:
        out, _ = process.communicate(timeout=max(0.01, ends - time.monotonic()))
        return process.returncode, out
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
        return None, out
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise


def jobs():
    """Compilers at once: one a core, and 3 GB of memory for each."""
    memory = re.search(r"MemAvailable:\s+(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return max(1, min(len(os.sched_getaffinity(0)), int(memory[1]) // 3_000_000 if memory else 1))


def build(toolkit, headers, capability, folder, ends, log):
    """Compiles what is not current, and links each program as soon as it can be. log(heading, text) is called for each
    command. Returns for each program why there is none; an empty text where there is."""
    folder.mkdir(parents=True, exist_ok=True)
    every = programs(toolkit)
    with concurrent.futures.ThreadPoolExecutor(jobs()) as pool:
        def made_of(program, unit):
            command, made, reads = compile_command(toolkit, headers, program, unit, capability, folder)
            # Another GPU or other flags make another object.
            said = folder / (made.name + ".command")
            text = "\n".join(command)
            if said.exists() and said.read_text() == text and is_current(made, reads):
                return made, ""
            if time.monotonic() >= ends:
                return made, "no time was left"
            status, out = run_until(command, ends)
            log(" ".join(command), out)
            if status == 0:
                said.write_text(text)
                return made, ""
            made.unlink(missing_ok=True)
            first = next((line for line in out.splitlines() if "error" in line), "")
            return made, "not compiled in time" if status is None else f"the compiler ended with {status}: {first[:200]}"

        waiting = {program.name: [pool.submit(made_of, program, unit) for unit in program.units] for program in every}
        results = {}
        for program in every:
            objects, complaints = [], []
            for unit, future in zip(program.units, waiting[program.name]):
                made, why = future.result()
                objects.append(made)
                if why:
                    complaints.append(f"{unit.source.relative_to(ROOT)}: {why}")
            result = file_of(program, folder)
            result.parent.mkdir(exist_ok=True)
            if not complaints:
                # Linking takes seconds, which what is compiled may have.
                command = link_command(toolkit, program, objects, result)
                status, out = run_until(command, time.monotonic() + 60)
                log(" ".join(command), out)
                if status != 0:
                    complaints.append("not linked: " + (out.strip().splitlines() or ["no time"])[-1][:200])
            if complaints:
                result.unlink(missing_ok=True)
            results[program.name] = "; ".join(complaints)
    return results
