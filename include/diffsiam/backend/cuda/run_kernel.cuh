// start_kernel: the only code that is of the device and of nvcc. Tests put a file of the same name before it,
// which gives the kernel to a stand-in of the device (tests/standin).
#pragma once

#include <cuda_runtime.h>

#include <diffsiam/backend/cuda/kernels/lane.hpp>

namespace diffsiam::backend::cuda {

/// The Lane of a thread on a device.
struct DeviceLane {
  [[nodiscard]] __device__ int thread() const { return static_cast<int>(threadIdx.x); }
  [[nodiscard]] __device__ Index block() const { return static_cast<Index>(blockIdx.x); }
  __device__ void sync() const { __syncthreads(); }
  template <class T>
  [[nodiscard]] __device__ T exchange(T value, int mask) const {
    return __shfl_xor_sync(0xFFFFFFFFU, value, mask);
  }
};

template <class Kernel>
__global__ void __launch_bounds__(block_threads) run_kernel(Kernel const kernel) {
  // Shared objects are plain memory for the compiler.
  __shared__ alignas(16) unsigned char memory[sizeof(typename Kernel::Shared)];
  DeviceLane lane;
  kernel(lane, *reinterpret_cast<typename Kernel::Shared*>(memory));
}

/// Queues a kernel on a stream.
template <class Kernel>
[[nodiscard]] cudaError_t start_kernel(unsigned blocks, cudaStream_t stream, Kernel const& kernel) {
  run_kernel<<<blocks, block_threads, 0, stream>>>(kernel);
  return cudaGetLastError();
}

}  // namespace diffsiam::backend::cuda
