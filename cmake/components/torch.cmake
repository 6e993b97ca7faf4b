# diffsiam::torch: tensors and autograd of libtorch, for interop/torch.hpp and backend/torch.
# Found by hand: Torch's own package puts its C++ standard and its warnings on users.
diffsiam_find_library(TORCH ATen/ATen.h torch)
find_library(DIFFSIAM_TORCH_CPU_LIBRARY torch_cpu)
find_library(DIFFSIAM_C10_LIBRARY c10)
find_path(DIFFSIAM_TORCH_API_INCLUDE torch/torch.h PATH_SUFFIXES torch/csrc/api/include)
find_library(DIFFSIAM_GLOG_LIBRARY glog)  # where libtorch is built with it, as Debian's is, its headers use it
mark_as_advanced(DIFFSIAM_TORCH_CPU_LIBRARY DIFFSIAM_C10_LIBRARY DIFFSIAM_GLOG_LIBRARY DIFFSIAM_TORCH_API_INCLUDE)
diffsiam_need(DIFFSIAM_TORCH_FOUND libtorch-dev)
set(libraries ${DIFFSIAM_TORCH_LIBRARY} ${DIFFSIAM_TORCH_CPU_LIBRARY} ${DIFFSIAM_C10_LIBRARY})
if(DIFFSIAM_GLOG_LIBRARY)
  list(APPEND libraries ${DIFFSIAM_GLOG_LIBRARY})
endif()
diffsiam_component(torch BASE diffsiam USES libtorch LINK ${libraries}
  INCLUDE ${DIFFSIAM_TORCH_INCLUDE} ${DIFFSIAM_TORCH_API_INCLUDE} DEFINE DIFFSIAM_WITH_TORCH)
