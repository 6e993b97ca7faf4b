# diffsiam::nccl: several GPUs, for dist/nccl.hpp with backend/cuda/nccl.hpp.
if(DEFINED DIFFSIAM_CUDA AND NOT DIFFSIAM_CUDA)
  set(why "DIFFSIAM_CUDA is OFF")
else()
  find_package(CUDAToolkit 12 QUIET)
  find_path(DIFFSIAM_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  find_library(DIFFSIAM_NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
  mark_as_advanced(DIFFSIAM_NCCL_INCLUDE DIFFSIAM_NCCL_LIBRARY)
  if(NOT DIFFSIAM_NCCL_INCLUDE OR NOT DIFFSIAM_NCCL_LIBRARY)
    set(why "NCCL is missing")
  endif()
endif()
diffsiam_component(nccl BASE cuda USES NCCL LINK ${DIFFSIAM_NCCL_LIBRARY} INCLUDE ${DIFFSIAM_NCCL_INCLUDE}
  DEFINE DIFFSIAM_WITH_NCCL)
