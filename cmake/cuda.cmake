# diffsiam::cuda: the backend on NVIDIA GPUs, for the headers of backend/cuda, with CUDA 12 or newer and cuDNN 9.
# Who links it compiles .cu files; enabling the language is the user's choice.

option(DIFFSIAM_CUDA "Use the CUDA toolkit where it is installed" ON)

# Sets `out` to why CUDA cannot be used, or to nothing.
function(diffsiam_judge_cuda out)
  set(${out} "" PARENT_SCOPE)
  if(NOT DIFFSIAM_CUDA)
    set(${out} "DIFFSIAM_CUDA is OFF" PARENT_SCOPE)
    return()
  endif()
  find_package(CUDAToolkit 12 QUIET)
  if(NOT CUDAToolkit_FOUND)
    set(${out} "no CUDA toolkit 12 or newer" PARENT_SCOPE)
    return()
  endif()
  find_path(DIFFSIAM_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(DIFFSIAM_CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
  mark_as_advanced(DIFFSIAM_CUDNN_INCLUDE DIFFSIAM_CUDNN_LIBRARY)
  if(NOT DIFFSIAM_CUDNN_INCLUDE OR NOT DIFFSIAM_CUDNN_LIBRARY)
    set(${out} "cuDNN is missing" PARENT_SCOPE)
    return()
  endif()
  file(STRINGS ${DIFFSIAM_CUDNN_INCLUDE}/cudnn_version.h line REGEX "define CUDNN_MAJOR +[0-9]+")
  if(NOT line MATCHES "([0-9]+)$" OR CMAKE_MATCH_1 LESS 9)
    set(${out} "cuDNN is older than 9" PARENT_SCOPE)
  endif()
endfunction()

diffsiam_judge_cuda(diffsiam_cuda_off)
if(diffsiam_cuda_off)
  message(STATUS "diffsiam::cuda: off, ${diffsiam_cuda_off}")
else()
  find_package(CUDAToolkit 12 QUIET)  # its targets, in this scope
  add_library(diffsiam_cuda INTERFACE)
  add_library(diffsiam::cuda ALIAS diffsiam_cuda)
  target_include_directories(diffsiam_cuda SYSTEM INTERFACE ${DIFFSIAM_CUDNN_INCLUDE})
  target_link_libraries(diffsiam_cuda INTERFACE diffsiam CUDA::cudart CUDA::cublasLt ${DIFFSIAM_CUDNN_LIBRARY})
  # Functors of functional/ use std::array and std::bit_cast, whose functions are constexpr and not marked for devices.
  target_compile_options(diffsiam_cuda INTERFACE $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)
  message(STATUS "diffsiam::cuda: on (CUDA ${CUDAToolkit_VERSION})")
endif()
