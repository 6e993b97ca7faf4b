# An overlay port of the folder that it stands in.
get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DDIFFSIAM_BUILD_TESTS=OFF -DDIFFSIAM_BUILD_EXAMPLES=OFF -DDIFFSIAM_BUILD_EXPERIMENTS=OFF
          -DDIFFSIAM_BUILD_BENCHMARKS=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/diffsiam)
vcpkg_fixup_pkgconfig()

set(VCPKG_BUILD_TYPE release)  # headers only
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
