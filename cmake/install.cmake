# Headers, the CMake package, files for pkg-config, and the packages that CPack makes of them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(cmake_dir ${CMAKE_INSTALL_DATADIR}/cmake/diffsiam)
install(DIRECTORY include/diffsiam DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
configure_package_config_file(cmake/diffsiam-config.cmake.in diffsiam-config.cmake
  INSTALL_DESTINATION ${cmake_dir} PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
write_basic_package_version_file(diffsiam-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/diffsiam-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/diffsiam-config-version.cmake
  cmake/library.cmake DESTINATION ${cmake_dir})
install(DIRECTORY cmake/components DESTINATION ${cmake_dir})

# diffsiam_pkg_config(NAME DESCRIPTION REQUIRES CFLAGS LIBS): diffsiam-NAME.pc; diffsiam.pc, if NAME is empty.
function(diffsiam_pkg_config name pc_description pc_requires pc_cflags pc_libs)
  set(pc_name diffsiam)
  if(name)
    set(pc_name diffsiam-${name})
  endif()
  configure_file(cmake/diffsiam.pc.in ${pc_name}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_DATADIR}/pkgconfig)
endfunction()

# The components whose libraries pkg-config knows, or that can be named.
set(text "${PROJECT_DESCRIPTION}")
diffsiam_pkg_config("" "${text}" "" "-I\${includedir}" "-pthread")
diffsiam_pkg_config(io "${text}: files" "diffsiam libpng zlib nlohmann_json" "" "")
diffsiam_pkg_config(eval "${text}: measures" "diffsiam-io eigen3" "" "")
diffsiam_pkg_config(pictures "${text}: folders of pictures"
  "diffsiam-io libjpeg libexif libwebp" "-DDIFFSIAM_WITH_WEBP" "")
diffsiam_pkg_config(lmdb "${text}: pictures in LMDB" "diffsiam-pictures lmdb" "-DDIFFSIAM_WITH_LMDB" "")
diffsiam_pkg_config(npz "${text}: archives of numpy" "diffsiam-io libzip" "-DDIFFSIAM_WITH_NPZ" "")
diffsiam_pkg_config(hnsw "${text}: approximate nearest neighbours" "diffsiam-eval" "-DNO_MANUAL_VECTORIZATION" "")
diffsiam_pkg_config(onednn "${text}: the backend on oneDNN" "diffsiam" "-DDIFFSIAM_WITH_ONEDNN"
  "-ldnnl -l:libgomp.so.1")

install(FILES README.md CHANGELOG.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples FILES_MATCHING PATTERN "*.[ch]pp")

if(PROJECT_IS_TOP_LEVEL)
  set(CPACK_PACKAGE_NAME libdiffsiam-dev)
  set(CPACK_PACKAGE_VENDOR "The diffsiam authors")
  set(CPACK_PACKAGE_CONTACT "The diffsiam authors <diffsiam@localhost>")
  set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
  set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE)
  set(CPACK_RESOURCE_FILE_README ${CMAKE_CURRENT_SOURCE_DIR}/README.md)
  set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
  set(CPACK_GENERATOR DEB)
  set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE all)
  set(CPACK_DEBIAN_PACKAGE_SECTION libdevel)
  set(CPACK_DEBIAN_PACKAGE_DEPENDS "g++ (>= 4:12) | clang-19")
  set(CPACK_DEBIAN_PACKAGE_RECOMMENDS
    "cmake (>= 3.25), libpng-dev, zlib1g-dev, nlohmann-json3-dev, libeigen3-dev, libjpeg-dev, libexif-dev, libwebp-dev")
  set(CPACK_DEBIAN_PACKAGE_SUGGESTS "libdnnl-dev, liblmdb-dev, libzip-dev, libhnswlib-dev")
  include(CPack)
endif()
