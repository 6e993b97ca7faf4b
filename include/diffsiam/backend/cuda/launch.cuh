// launch: the only place where kernels are launched on the device.
#pragma once

#include <type_traits>

#include <cuda_runtime.h>

#include <diffsiam/backend/cuda/context.hpp>
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

/// The Device of Kernels that launches on a stream.
struct Stream {
  using Context = CudaContext;

  /// Queues a kernel; with no blocks, nothing. Throws DeviceError if it cannot be launched or if earlier work
  /// failed.
  template <class Kernel>
  static void launch(Context& context, Index blocks, Kernel const& kernel) {
    static_assert(std::is_trivially_copyable_v<Kernel>, "A kernel is copied to the device as it is.");
    if (blocks == 0) return;  // an empty batch; the device refuses a grid without blocks
    constexpr Index most_blocks = 0x7FFFFFFF;
    if (blocks > most_blocks)
      fail<DeviceError>("launch", {"at most ", most_blocks, " blocks"}, blocks, "a smaller batch needs less");
    run_kernel<<<static_cast<unsigned>(blocks), block_threads, 0, context.stream()>>>(kernel);
    check(cudaGetLastError(), "launch");
  }
};

}  // namespace diffsiam::backend::cuda
