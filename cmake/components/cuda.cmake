# diffsiam::cuda: the backend on NVIDIA GPUs, for the headers of backend/cuda, with CUDA 12 or newer and cuDNN 9.
# Who links it compiles .cu files; enabling the language is the user's choice.

if(DEFINED DIFFSIAM_CUDA AND NOT DIFFSIAM_CUDA)
  set(why "DIFFSIAM_CUDA is OFF")
else()
  find_package(CUDAToolkit 12 QUIET)
  find_path(DIFFSIAM_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(DIFFSIAM_CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
  mark_as_advanced(DIFFSIAM_CUDNN_INCLUDE DIFFSIAM_CUDNN_LIBRARY)
  if(NOT CUDAToolkit_FOUND)
    set(why "no CUDA toolkit 12 or newer")
  elseif(NOT DIFFSIAM_CUDNN_INCLUDE OR NOT DIFFSIAM_CUDNN_LIBRARY)
    set(why "cuDNN is missing")
  else()
    file(STRINGS ${DIFFSIAM_CUDNN_INCLUDE}/cudnn_version.h line REGEX "define CUDNN_MAJOR +[0-9]+")
    if(NOT line MATCHES "([0-9]+)$" OR CMAKE_MATCH_1 LESS 9)
      set(why "cuDNN is older than 9")
    endif()
  endif()
endif()
# Functors of functional/ use std::array and std::bit_cast, whose functions are constexpr and not marked for devices.
diffsiam_component(cuda BASE diffsiam USES "CUDA ${CUDAToolkit_VERSION}"
  LINK CUDA::cudart CUDA::cublasLt ${DIFFSIAM_CUDNN_LIBRARY} INCLUDE ${DIFFSIAM_CUDNN_INCLUDE} DEFINE DIFFSIAM_WITH_CUDA
  OPTIONS $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)
