#!/usr/bin/env python3
"""Spoils one line of the Cuda backend at a time, and fails unless the stand-in notices each.

    mutants.py ROOT LIBRARY COMPILER [OPTIONS...]

Compiles tests/standin/probe.cpp against a copy of each header with one line changed, and links it with LIBRARY. The
probe must succeed with the header as it is, and fail with each mutant.
"""
import pathlib
import subprocess
import sys
import tempfile

CUDA = "diffsiam/backend/cuda/"
MUTANTS = [
    ("no mutant", CUDA + "pinned_buffer.hpp", "#pragma once", "#pragma once"),
    ("missing wait for what arrives", CUDA + "pinned_buffer.hpp",
     'check(cudaStreamWaitEvent(stream, arrived_.get(), 0), "StagingBuffer::put");', ""),
    ("missing wait for what is read", CUDA + "pinned_buffer.hpp",
     'check(cudaStreamWaitEvent(crossing_.get(), taken_.get(), 0), "StagingBuffer::put");', ""),
    ("missing wait of the host", CUDA + "pinned_buffer.hpp",
     'check(cudaEventSynchronize(done_.get()), "PinnedBuffer::wait");', ""),
    ("recorded work in memory of everybody", CUDA + "context.hpp",
     "recording_.recording() ? recording_.memory() : memory_", "memory_"),
    ("waiting within a capture", CUDA + "on_device.cuh",
     'cudaMemcpyDeviceToDevice, context.stream()), "copy");',
     'cudaMemcpyDeviceToDevice, context.stream()), "copy");'
     ' check(cudaStreamSynchronize(context.stream()), "copy");'),
    ("workspace at any address", CUDA + "on_device.cuh",
     "product.run(context.blas(), context.stream(), g, workspace.get());",
     "product.run(context.blas(), context.stream(), g, static_cast<char*>(workspace.get()) + 8);"),
    ("swapped layout", CUDA + "product.hpp", "c_ = layout(g.n, g.m, g.c, g.batch);",
     "c_ = layout(g.m, g.n, g.c, g.batch);"),
    ("swapped strides of images", CUDA + "conv_graph.hpp", "{h * w * c, 1, w * c, c}", "{h * w * c, h * w, w, 1}"),
    ("more alignment than there is", CUDA + "product.hpp",
     "return alignment_of({data}, batch > 1 ? most | step : most);", "return step != 1 ? 256 : alignment_of({data});"),
]


def succeeds(root, library, compiler, mutant, folder):
    _, header, old, new = mutant
    text = (root / "include" / header).read_text()
    if text.count(old) < 1:
        sys.exit(f"mutants: {header} has no line {old!r}")
    copy = folder / header
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text.replace(old, new, 1))
    program = folder / "probe"
    subprocess.run(compiler[:1] + ["-I", str(folder)] + compiler[1:]
                   + [str(root / "tests/standin/probe.cpp"), library, "-pthread", "-o", str(program)], check=True)
    run = subprocess.run([str(program)], capture_output=True, text=True)
    return run.returncode == 0, run.stdout.strip()


def main(root, library, *compiler):
    missed = []
    for number, mutant in enumerate(MUTANTS):
        with tempfile.TemporaryDirectory() as folder:
            passed, said = succeeds(pathlib.Path(root), library, list(compiler), mutant, pathlib.Path(folder))
        print(f"{mutant[0]}: {'passes' if passed else 'fails'} {said}", flush=True)
        if passed != (number == 0):
            missed.append(mutant[0])
    if missed:
        sys.exit("mutants: not as expected: " + ", ".join(missed))


main(*sys.argv[1:])
