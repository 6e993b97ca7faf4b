// WriteConstants: a kernel that carries values of the host in its launch. Uploads become such launches while
// work is recorded, so that a replay needs no memory of the host.
#pragma once

#include <algorithm>

#include <diffsiam/backend/cuda/kernels/lane.hpp>

namespace diffsiam::backend::cuda {

template <class T>
struct WriteConstants {
  static constexpr Index most =
      4032 / static_cast<Index>(sizeof(T));  ///< a launch can carry 4096 bytes in all
  struct Shared {};
  static constexpr bool synchronises = false;
  T value[most];
  T* to;
  Index size;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    for (Index i = lane.thread(); i < size; i += block_threads) to[i] = value[i];
  }
};

/// Writes `size` values of the host to memory of the device, with as many launches as needed.
template <class Device, class S, class T>
void write_constants(typename Device::Context& context, S const* from, T* to, Index size) {
  static_assert(sizeof(WriteConstants<T>) <= 4096);
  for (Index done = 0; done < size; done += WriteConstants<T>::most) {
    WriteConstants<T> kernel{{}, to + done, std::min(WriteConstants<T>::most, size - done)};
    std::transform(from + done, from + done + kernel.size, kernel.value,
                   [](S value) { return static_cast<T>(value); });
    Device::launch(context, 1, kernel);
  }
}

}  // namespace diffsiam::backend::cuda
