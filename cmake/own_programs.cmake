find_package(CLI11 QUIET CONFIG)

# Flags of the project's own tests, examples, experiments and benchmarks. Nothing here reaches a user of the library.
add_library(diffsiam_own INTERFACE)
target_link_libraries(diffsiam_own INTERFACE diffsiam::diffsiam
  $<TARGET_NAME_IF_EXISTS:diffsiam::io> $<TARGET_NAME_IF_EXISTS:diffsiam::pictures>
  $<TARGET_NAME_IF_EXISTS:diffsiam::lmdb> $<TARGET_NAME_IF_EXISTS:diffsiam::npz>
  $<TARGET_NAME_IF_EXISTS:diffsiam::hnsw> $<TARGET_NAME_IF_EXISTS:diffsiam::onednn>)
target_include_directories(diffsiam_own INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_definitions(diffsiam_own INTERFACE $<$<TARGET_EXISTS:diffsiam::onednn>:DIFFSIAM_WITH_ONEDNN>
  $<$<TARGET_EXISTS:diffsiam::lmdb>:DIFFSIAM_WITH_LMDB> $<$<TARGET_EXISTS:diffsiam::npz>:DIFFSIAM_WITH_NPZ>)
target_compile_options(diffsiam_own INTERFACE
  -Wall -Wextra -Wconversion -Wshadow $<$<BOOL:${DIFFSIAM_WERROR}>:-Werror>
  -fno-math-errno  # else g++ calls sqrt instead of vectorising it
  $<$<BOOL:${DIFFSIAM_NATIVE}>:-march=native>)
# g++ 12 takes its own AVX-512 headers (bug 105593) and std::string + (bug 105329) for mistakes of ours.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  target_compile_options(diffsiam_own INTERFACE -Wno-maybe-uninitialized -Wno-uninitialized -Wno-restrict)
endif()
if(DIFFSIAM_SANITIZE)
  target_compile_options(diffsiam_own INTERFACE
    -fsanitize=${DIFFSIAM_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(diffsiam_own INTERFACE -fsanitize=${DIFFSIAM_SANITIZE})
endif()

# The same for .cu files: every architecture that is named, warnings of host and device as errors. Not with
# sanitizers, which nvcc's host code does not carry, nor in the preset that is there for clang.
set(newest_ptx 90-virtual)
if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8)
  set(newest_ptx 120-virtual)
endif()
set(DIFFSIAM_CUDA_ARCHITECTURES 80-real 90-real ${newest_ptx}
  CACHE STRING "GPUs that the project's own programs are for")
if(TARGET diffsiam::cuda AND CUDAToolkit_NVCC_EXECUTABLE AND (DIFFSIAM_BUILD_TESTS OR DIFFSIAM_BUILD_BENCHMARKS OR DIFFSIAM_BUILD_EXAMPLES)
   AND NOT DIFFSIAM_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(CMAKE_CUDA_ARCHITECTURES ${DIFFSIAM_CUDA_ARCHITECTURES})
  set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
  if(DIFFSIAM_CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${DIFFSIAM_CCACHE})
  endif()
  enable_language(CUDA)
  add_library(diffsiam_own_cuda INTERFACE)
  target_link_libraries(diffsiam_own_cuda INTERFACE diffsiam::cuda $<TARGET_NAME_IF_EXISTS:diffsiam::io>)
  target_include_directories(diffsiam_own_cuda INTERFACE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(diffsiam_own_cuda INTERFACE DIFFSIAM_WITH_CUDA EIGEN_NO_CUDA)
  # CMake 3.25 does not know of nvcc's C++20. Warning 186 is of loops over packs that may be
  # empty, 445 of lambdas whose type is named at the call.
  target_compile_options(diffsiam_own_cuda INTERFACE
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-std=c++20 --threads=2 -diag-suppress=186,445>"
    "$<$<COMPILE_LANGUAGE:CUDA>:SHELL:-Xcompiler=-Wall,-Wextra,-Wconversion,-Wshadow>"
    "$<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${DIFFSIAM_WERROR}>>:SHELL:-Werror all-warnings -Xcompiler=-Werror>")
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)  # bug 105329, as above
    target_compile_options(diffsiam_own_cuda INTERFACE "$<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wno-restrict>")
  endif()
endif()

# Folders of the include tree that stand on an optional target.
set(DIFFSIAM_IO_FOLDERS io report data train eval golden integration allocation experiments faults)

# Sets `out` to whether `folder` can be built with what was found.
function(diffsiam_can_build folder out)
  set(${out} TRUE PARENT_SCOPE)
  if(folder IN_LIST DIFFSIAM_IO_FOLDERS AND NOT TARGET diffsiam::io)
    set(${out} FALSE PARENT_SCOPE)
  endif()
  if(folder STREQUAL "experiments" AND NOT TARGET CLI11::CLI11)
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Components, and the names of headers and tests that need each (a regular expression).
set(DIFFSIAM_FILES_OF_pictures "decode_(jpeg|webp|picture)|exif|picture_folder|celeba|lmdb_pictures")
set(DIFFSIAM_FILES_OF_lmdb "lmdb")
set(DIFFSIAM_FILES_OF_npz "npz")
set(DIFFSIAM_FILES_OF_hnsw "hnsw")

# Sets `out` to whether a file can be built with what was found: backend/onednn.hpp, onednn_float.test.cpp and such
# need oneDNN, and the files of a component need the component. Of backend/cuda the kernels are plain C++; the rest is built with the tests in .cu files.
function(diffsiam_can_build_file file out)
  set(${out} TRUE PARENT_SCOPE)
  if(file MATCHES "backend/(cuda/[^k]|torch)" OR (file MATCHES "onednn[^/]*(/[^/]*)?$" AND NOT TARGET diffsiam::onednn))
    set(${out} FALSE PARENT_SCOPE)
  endif()
  if(file MATCHES "decode_webp[^/]*$" AND NOT TARGET diffsiam_WEBP_library)
    set(${out} FALSE PARENT_SCOPE)
  endif()
  foreach(component IN ITEMS pictures lmdb npz hnsw)
    if(file MATCHES "(${DIFFSIAM_FILES_OF_${component}})[^/]*$" AND NOT TARGET diffsiam::${component})
      set(${out} FALSE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
