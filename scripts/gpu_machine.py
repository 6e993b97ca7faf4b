"""What a machine with a GPU has for scripts/gpu_first_run, and a sentence for each thing that is missing."""
import ctypes
import dataclasses
import glob
import os
import pathlib
import re
import shutil
import subprocess

LEAST_CAPABILITY = 80
LEAST_TOOLKIT = 12
LEAST_DRIVER = (12, 3)  # older ones cannot load a kernel while work is recorded
LEAST_GCC = 12
# Libraries of headers that the programs need: the first header of each, what is carried of it, and Debian's name.
HEADERS = {
    "catch2/catch.hpp": ("catch2/catch.hpp", "catch2, in version 2"),
    "nlohmann/json.hpp": ("nlohmann", "nlohmann-json3-dev"),
    "CLI/CLI.hpp": ("CLI", "libcli11-dev"),
}


@dataclasses.dataclass
class Toolkit:
    """What was found: files by name, None where one is missing."""
    nvcc: str | None = None
    version: tuple = (0, 0)
    cudnn_version: tuple = (0, 0, 0)
    includes: dict = dataclasses.field(default_factory=dict)   # the folder of each header
    libraries: dict = dataclasses.field(default_factory=dict)  # by name


INCLUDE_FOLDERS = ("include", "include/x86_64-linux-gnu")
LIBRARY_FOLDERS = ("lib64", "lib", "lib/x86_64-linux-gnu")


def subfolders(roots, names):
    return [root / name for root in roots for name in names]


def library(folders, name):
    """The shared library of a name in the first folder that has one; wheels of PyPI have only lib<name>.so.<number>."""
    for folder in folders:
        found = sorted(glob.glob(f"{folder}/lib{name}.so") + glob.glob(f"{folder}/lib{name}.so.[0-9]*"), key=len)
        if found:
            return pathlib.Path(found[0])
    return None


def folder_of(folders, header):
    return next((pathlib.Path(folder) for folder in folders if (pathlib.Path(folder) / header).is_file()), None)


def wheels(python):
    """Folders of NVIDIA's wheels that a Python has, as PyTorch brings them."""
    ask = "import nvidia; print(*nvidia.__path__, sep='\\n')"
    try:
        said = subprocess.run([python, "-c", ask], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return []
    return [pathlib.Path(part) for path in said.stdout.split("\n") if path for part in sorted(glob.glob(f"{path}/*"))]


def find_toolkit(nvcc, cudnn, python):
    """`nvcc` and `cudnn` are what the user has given, or None."""
    it = Toolkit()
    candidates = [nvcc] if nvcc else [os.environ.get("CUDACXX"), shutil.which("nvcc"),
                                      f"{os.environ.get('CUDA_HOME', '')}/bin/nvcc", "/usr/local/cuda/bin/nvcc"]
    it.nvcc = next((str(path) for path in candidates if path and os.access(path, os.X_OK)), None)
    roots = []
    if it.nvcc:
        said = subprocess.run([it.nvcc, "--version"], capture_output=True, text=True).stdout
        if match := re.search(r"release (\d+)\.(\d+)", said):
            it.version = (int(match[1]), int(match[2]))
        roots.append(pathlib.Path(it.nvcc).resolve().parent.parent)
    roots += [*wheels(python), pathlib.Path("/usr")]
    cudnn_roots = [pathlib.Path(cudnn)] if cudnn else roots
    for header in ("cuda_runtime_api.h", "cublasLt.h", "nccl.h"):
        it.includes[header] = folder_of(subfolders(roots, INCLUDE_FOLDERS), header)
    for name in ("cublasLt", "nccl"):
        it.libraries[name] = library(subfolders(roots, LIBRARY_FOLDERS), name)
    it.includes["cudnn.h"] = folder_of(subfolders(cudnn_roots, INCLUDE_FOLDERS), "cudnn.h")
    it.libraries["cudnn"] = library(subfolders(cudnn_roots, LIBRARY_FOLDERS), "cudnn")
    if it.includes["cudnn.h"]:
        text = (it.includes["cudnn.h"] / "cudnn_version.h").read_text(errors="replace")
        numbers = (re.search(rf"define CUDNN_{part}\s+(\d+)", text) for part in ("MAJOR", "MINOR", "PATCHLEVEL"))
        it.cudnn_version = tuple(int(match[1]) if match else 0 for match in numbers)
    return it


def has_nccl(toolkit):
    return bool(toolkit.libraries.get("nccl") and toolkit.includes.get("nccl.h"))


def output_of(*command):
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)
    return (done.stdout or done.stderr).strip()


@dataclasses.dataclass
class Gpu:
    name: str
    capability: int  # 90 is 9.0
    driver: tuple    # the CUDA that the driver is for


class Missing(Exception):
    """What is needed and not here, as a sentence."""


def find_gpu():
    """The first GPU, as the driver itself describes it. Throws Missing."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise Missing("There is no NVIDIA driver here (libcuda.so.1 cannot be loaded): take a machine with an NVIDIA GPU.")
    count, device, version, part = (ctypes.c_int() for _ in range(4))
    status = driver.cuInit(0)
    if status == 0:
        status = driver.cuDeviceGetCount(ctypes.byref(count))
    if status not in (0, 100):  # 100 is CUDA_ERROR_NO_DEVICE
        raise Missing(f"The NVIDIA driver does not start: cuInit() gives the error {status}.")
    if count.value == 0:
        raise Missing("There is no NVIDIA GPU here: the driver sees none.")
    driver.cuDriverGetVersion(ctypes.byref(version))
    driver.cuDeviceGet(ctypes.byref(device), 0)
    name = ctypes.create_string_buffer(256)
    driver.cuDeviceGetName(name, len(name), device)
    capability = 0
    for attribute in (75, 76):  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
        driver.cuDeviceGetAttribute(ctypes.byref(part), attribute, device)
        capability = 10 * capability + part.value
    return Gpu(name.value.decode(), capability, (version.value // 1000, version.value % 1000 // 10))


def dotted(numbers):
    return ".".join(map(str, numbers))


def problems_of(gpu, toolkit, headers):
    """A sentence for each thing that is missing. `gpu` is None where that was said already."""
    if gpu and gpu.capability < LEAST_CAPABILITY:
        yield f"The {gpu.name} has compute capability {gpu.capability / 10}; the backend needs 8.0 (Ampere) or newer."
    if gpu and gpu.driver < LEAST_DRIVER:
        yield f"The driver is too old: it is for CUDA {dotted(gpu.driver)}, and recorded steps need {dotted(LEAST_DRIVER)}."
    if not toolkit.nvcc:
        yield "There is no nvcc here: install the CUDA toolkit 12 or newer, or name it with --nvcc."
    elif toolkit.version[0] < LEAST_TOOLKIT:
        yield f"nvcc is of CUDA {dotted(toolkit.version)}; it takes {LEAST_TOOLKIT} or newer."
    elif gpu and gpu.driver[0] < toolkit.version[0]:
        yield (f"The driver is too old for the toolkit: it is for CUDA {dotted(gpu.driver)}, and nvcc is of "
               f"CUDA {dotted(toolkit.version)}.")
    elif gpu and gpu.capability >= LEAST_CAPABILITY and not compiles_for(toolkit, gpu):
        yield (f"nvcc of CUDA {dotted(toolkit.version)} does not know compute capability {gpu.capability / 10} of the {gpu.name}: "
               "install a newer toolkit.")
    elif not toolkit.includes["cuda_runtime_api.h"] or not toolkit.includes["cublasLt.h"] or not toolkit.libraries["cublasLt"]:
        yield "The CUDA toolkit is not whole: cuda_runtime_api.h, cublasLt.h or libcublasLt is missing beside nvcc."
    if not toolkit.includes["cudnn.h"] or not toolkit.libraries["cudnn"]:
        yield "There is no cuDNN here: install cuDNN 9 (also as the wheel nvidia-cudnn-cu13), or name its folder with --cudnn."
    elif toolkit.cudnn_version[0] < 9:
        yield f"cuDNN is {dotted(toolkit.cudnn_version)}; it takes 9 or newer."
    if not shutil.which("g++"):
        yield f"There is no g++ here: install g++ {LEAST_GCC} or newer."
    elif int(output_of("g++", "-dumpversion").split(".")[0] or 0) < LEAST_GCC:
        yield f"g++ is {output_of('g++', '-dumpversion')}; it takes {LEAST_GCC} or newer."
    if absent := missing_headers(headers):
        yield (f"These headers are missing in {headers}: {', '.join(absent)}. Name their folder with --headers, or carry them here "
               "with --pack.")


def compiles_for(toolkit, gpu):
    return f"sm_{gpu.capability}" in output_of(toolkit.nvcc, "--list-gpu-code").split()


def missing_headers(folder):
    return [header for header in HEADERS if not (folder / header).is_file()]
