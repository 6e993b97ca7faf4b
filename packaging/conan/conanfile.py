"""Recipe for Conan 2: conan create packaging/conan"""
import os
import re

from conan import ConanFile
from conan.tools.cmake import CMake, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

# Components and the packages that each brings, beside those of the component it stands on.
COMPONENTS = {
    "io": ("diffsiam", ["libpng/[>=1.6 <2]", "zlib/[>=1.2.11 <2]", "nlohmann_json/[>=3 <4]"]),
    "eval": ("io", ["eigen/[>=3.4]"]),
    "pictures": ("io", ["libjpeg-turbo/[>=2 <4]", "libexif/[>=0.6 <1]", "libwebp/[>=1 <2]"]),
    "lmdb": ("pictures", ["lmdb/[>=0.9 <1]"]),
    "npz": ("io", ["libzip/[>=1 <2]"]),
    "hnsw": ("eval", ["hnswlib/[>=0.7 <1]"]),
}


class Diffsiam(ConanFile):
    name = "diffsiam"
    description = "Image features from diffusion models, in C++"
    license = "MIT"
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {component: [True, False] for component in COMPONENTS}
    default_options = {component: False for component in COMPONENTS}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        header = load(self, os.path.join(self._root, "include", "diffsiam", "config.hpp"))
        self.version = ".".join(re.findall(r"#define DIFFSIAM_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "README.md", "CHANGELOG.md", "LICENSE", "cmake/*", "include/*", "examples/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def configure(self):
        for component, (base, _) in reversed(COMPONENTS.items()):
            if self.options.get_safe(component) and base != "diffsiam":
                setattr(self.options, base, True)

    def requirements(self):
        for component, (_, packages) in COMPONENTS.items():
            if self.options.get_safe(component):
                for package in packages:
                    self.requires(package, transitive_headers=True, transitive_libs=True)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "EXPERIMENTS", "BENCHMARKS"):
            toolchain.cache_variables[f"DIFFSIAM_BUILD_{part}"] = False
        toolchain.generate()

    def build(self):
        CMake(self).configure()

    def package(self):
        CMake(self).install()

    def package_id(self):
        self.info.clear()

    def package_info(self):
        # The library's own CMake package defines its targets.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs = [os.path.join("share", "cmake", "diffsiam")]
        self.cpp_info.bindirs = self.cpp_info.libdirs = []
