// launch: the only place where kernels are launched on the device.
#pragma once

#include <type_traits>

#include <diffsiam/backend/cuda/context.hpp>
#include <diffsiam/backend/cuda/run_kernel.cuh>

namespace diffsiam::backend::cuda {

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
    check(start_kernel(static_cast<unsigned>(blocks), context.stream(), kernel), "launch");
  }
};

}  // namespace diffsiam::backend::cuda
