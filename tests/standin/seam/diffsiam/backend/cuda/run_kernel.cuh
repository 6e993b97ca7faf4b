// start_kernel on the stand-in: this file stands before the library's of the same name, and is the only code
// of the backend that tests/standin replaces. A kernel is stepped through on the host when its turn comes.
#pragma once

#include <cuda_runtime_api.h>
#include <tests/standin/device/device.hpp>
#include <tests/standin/device/step_kernel.hpp>

#include <diffsiam/backend/cuda/kernels/lane.hpp>

namespace diffsiam::backend::cuda {

template <class Kernel>
[[nodiscard]] cudaError_t start_kernel(unsigned blocks, cudaStream_t stream, Kernel const& kernel) {
  static_assert(sizeof(Kernel) <= 4096, "A launch carries at most 4 KiB of arguments.");
  standin::Device& device = standin::device();
  if (blocks == 0) return device.fails(cudaErrorInvalidConfiguration, "a launch of no block");
  ++device.launches;
  return device.queue(stream, {.work = [blocks, kernel] { standin::step_kernel(blocks, kernel); }});
}

}  // namespace diffsiam::backend::cuda
