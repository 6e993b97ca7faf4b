find_package(CLI11 QUIET CONFIG)

# Flags of the project's own tests, examples, experiments and benchmarks. Nothing here reaches a user of the library.
add_library(diffsiam_own INTERFACE)
target_link_libraries(diffsiam_own INTERFACE diffsiam::diffsiam)
set_target_properties(diffsiam::diffsiam PROPERTIES IMPORTED_NO_SYSTEM ON)  # our own headers have warnings
foreach(component IN ITEMS io eval pictures lmdb npz hnsw onednn)
  if(diffsiam_${component}_FOUND)
    target_link_libraries(diffsiam_own INTERFACE diffsiam::${component})
  endif()
endforeach()
target_include_directories(diffsiam_own INTERFACE ${PROJECT_SOURCE_DIR})
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

# Properties of tests over libraries that take two locks in either order. hnswlib does so with two nodes of its graph, where
# only threads that insert at the same time could wait for each other, and eval::HnswIndex inserts from one; OpenMPI does
# so in its module for TCP. ThreadSanitizer of g++ 12 reports hnswlib without a stack, so no suppression can name it.
set(DIFFSIAM_ANY_LOCK_ORDER ENVIRONMENT_MODIFICATION "TSAN_OPTIONS=string_append: detect_deadlocks=0")

# Fonts, for the data set of the experiments that is drawn with them (experiments/glyphs). Without FreeType the programs are
# built all the same, and say that they cannot draw it.
find_package(Freetype QUIET)
add_library(diffsiam_glyphs INTERFACE)
if(TARGET Freetype::Freetype)
  target_link_libraries(diffsiam_glyphs INTERFACE Freetype::Freetype)
  target_compile_definitions(diffsiam_glyphs INTERFACE DIFFSIAM_WITH_FREETYPE)
elseif(DIFFSIAM_BUILD_EXPERIMENTS OR DIFFSIAM_BUILD_TESTS)
  message(STATUS "experiments: no data set glyphs, needs FreeType (Debian: libfreetype-dev)")
endif()

# For files whose accesses to memory are counted: each is a call (tests/standin/device/touches.cpp). g++ only. -O3, because
# what the compiler of a device leaves out must not be counted, such as loads of what is overwritten.
set(DIFFSIAM_COUNTED_ACCESSES -O3 -fsanitize=kernel-address --param=asan-instrumentation-with-call-threshold=0
  --param=asan-stack=0 --param=asan-globals=0 -fno-tree-vectorize)

# Operations and networks, compiled once for tests, examples and experiments.
set(compiled cpu_float cpu_double cpu_bfloat16 reference_float reference_double)
if(diffsiam_onednn_FOUND)
  list(APPEND compiled onednn_float onednn_bfloat16)
endif()
diffsiam_add_compiled(diffsiam_kernels ${compiled})
set_target_properties(diffsiam_kernels PROPERTIES EXCLUDE_FROM_ALL ON)
target_link_libraries(diffsiam_kernels PRIVATE diffsiam_own)

include(${CMAKE_CURRENT_LIST_DIR}/precompiled.cmake)
list(TRANSFORM compiled REPLACE "(.+)" "<diffsiam/compiled/\\1.hpp>" OUTPUT_VARIABLE lists)
diffsiam_read_once(diffsiam_compiled_lists ${lists})

# The same flags for .cu files: every architecture that is named, warnings of host and device as errors. Not with
# sanitizers, which nvcc's host code does not carry, nor in the preset that is there for clang.
if(diffsiam_cuda_FOUND)
  find_package(CUDAToolkit 12 QUIET)  # its variables, in this scope
endif()
set(newest_ptx 90-virtual)
if(CUDAToolkit_VERSION VERSION_GREATER_EQUAL 12.8)
  set(newest_ptx 120-virtual)
endif()
set(DIFFSIAM_CUDA_ARCHITECTURES 80-real 90-real ${newest_ptx}
  CACHE STRING "GPUs that the project's own programs are for")
if(diffsiam_cuda_FOUND AND CUDAToolkit_NVCC_EXECUTABLE AND (DIFFSIAM_BUILD_TESTS OR DIFFSIAM_BUILD_BENCHMARKS OR DIFFSIAM_BUILD_EXAMPLES)
   AND NOT DIFFSIAM_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(CMAKE_CUDA_ARCHITECTURES ${DIFFSIAM_CUDA_ARCHITECTURES})
  set(CMAKE_CUDA_COMPILER ${CUDAToolkit_NVCC_EXECUTABLE})
  if(DIFFSIAM_CCACHE)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${DIFFSIAM_CCACHE})
  endif()
  enable_language(CUDA)
  add_library(diffsiam_own_cuda INTERFACE)
  target_link_libraries(diffsiam_own_cuda INTERFACE diffsiam::cuda)
  foreach(component IN ITEMS io eval)
    if(diffsiam_${component}_FOUND)
      target_link_libraries(diffsiam_own_cuda INTERFACE diffsiam::${component})
    endif()
  endforeach()
  target_include_directories(diffsiam_own_cuda INTERFACE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(diffsiam_own_cuda INTERFACE EIGEN_NO_CUDA)
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

# Folders of headers and tests that stand on a component.
set(DIFFSIAM_FOLDERS_OF_io io report data train golden allocation faults)
set(DIFFSIAM_FOLDERS_OF_eval eval integration experiments site)
set(DIFFSIAM_FOLDERS_OF_torch interop)

# Sets `out` to whether `folder` can be built with what was found.
function(diffsiam_can_build folder out)
  set(${out} TRUE PARENT_SCOPE)
  foreach(component IN ITEMS io eval torch)
    if(folder IN_LIST DIFFSIAM_FOLDERS_OF_${component} AND NOT diffsiam_${component}_FOUND)
      set(${out} FALSE PARENT_SCOPE)
    endif()
  endforeach()
  if(folder STREQUAL "experiments" AND NOT TARGET CLI11::CLI11)
    set(${out} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Components, and the names of headers and tests that need each (a regular expression).
set(DIFFSIAM_FILES_OF_eval "eigen_tensor|adapt.test")
set(DIFFSIAM_FILES_OF_pictures "decode_(jpeg|webp|picture)|exif|picture_folder|celeba|lmdb_pictures")
set(DIFFSIAM_FILES_OF_lmdb "lmdb")
set(DIFFSIAM_FILES_OF_npz "npz")
set(DIFFSIAM_FILES_OF_hnsw "hnsw")
set(DIFFSIAM_FILES_OF_mpi "dist/mpi")

# Sets `out` to whether a file can be built with what was found: backend/onednn.hpp, onednn_float.test.cpp and such
# need oneDNN, and the files of a component need the component. Of
# backend/cuda the kernels are plain C++; the rest is built with the tests in .cu files. What needs libtorch is built in
# tests/interop alone, because its headers define macros such as CHECK.
function(diffsiam_can_build_file file out)
  set(${out} TRUE PARENT_SCOPE)
  if(file MATCHES "backend/(cuda/[^k]|torch)|interop/torch.hpp" OR (file MATCHES "onednn[^/]*(/[^/]*)?$" AND NOT diffsiam_onednn_FOUND))
    set(${out} FALSE PARENT_SCOPE)
  endif()
  if(file MATCHES "experiments/glyph_pictures" AND NOT TARGET Freetype::Freetype)
    set(${out} FALSE PARENT_SCOPE)
  endif()
  if(file MATCHES "decode_webp[^/]*$" AND NOT DIFFSIAM_WEBP_LIBRARY)
    set(${out} FALSE PARENT_SCOPE)
  endif()
  foreach(component IN ITEMS eval pictures lmdb npz hnsw mpi)
    if(file MATCHES "(${DIFFSIAM_FILES_OF_${component}})[^/]*$" AND NOT diffsiam_${component}_FOUND)
      set(${out} FALSE PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
