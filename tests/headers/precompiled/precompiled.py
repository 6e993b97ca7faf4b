"""A comment changes in a header that is precompiled, and the program is compiled anew with ccache.

    precompiled.py CMAKE GENERATOR COMPILER FOLDER_OF_CMAKE_FILES

A precompiled header knows the files in it by their content: one from before the comment changed does not keep the
compiler from reading the file a second time, in spite of `#pragma once`."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

cmake, generator, compiler, cmake_files = sys.argv[1:]

with tempfile.TemporaryDirectory() as folder:
    source = pathlib.Path(folder, "source")
    source.mkdir()
    shutil.copy(pathlib.Path(__file__).with_name("CMakeLists.txt"), source)
    environment = dict(os.environ, CCACHE_DIR=str(pathlib.Path(folder, "ccache")), CCACHE_BASEDIR=folder)

    for state in ("first", "second"):
        (source / "once.hpp").write_text(f"#pragma once\n// The {state}.\nstruct Once {{}};\n")
        (source / "main.cpp").write_text(f'#include "once.hpp"\nOnce {state};\nint main() {{}}\n')
        build = pathlib.Path(folder, "build")
        shutil.rmtree(build, ignore_errors=True)
        subprocess.run([cmake, "-S", source, "-B", build, "-G", generator, f"-DCMAKE_CXX_COMPILER={compiler}",
                        f"-DDIFFSIAM_CMAKE={cmake_files}"], check=True, env=environment, stdout=subprocess.DEVNULL)
        built = subprocess.run([cmake, "--build", build], env=environment, capture_output=True, text=True)
        if built.returncode:
            sys.exit(f"the {state} build failed:\n{built.stdout}")
