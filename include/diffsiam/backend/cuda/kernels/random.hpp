// Random numbers: each thread computes one Philox block of four, with the same bits as on every backend.
#pragma once

#include <array>
#include <cstdint>

#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/functional/random.hpp>

namespace diffsiam::backend::cuda {

/// Numbers in [0, 1).
struct Uniforms {
  DIFFSIAM_HOST_DEVICE std::array<float, 4> operator()(std::array<std::uint32_t, 4> const& words) const {
    return functional::uniforms(words);
  }
};
/// Standard normal numbers.
struct Normals {
  DIFFSIAM_HOST_DEVICE std::array<float, 4> operator()(std::array<std::uint32_t, 4> const& words) const {
    return functional::normals(words);
  }
};

template <class T, class Draw>
struct FillRandom {
  struct Shared {};
  static constexpr bool synchronises = false;
  Rng rng;
  T* x;
  Index size;
  std::uint64_t const* offset;  ///< how many steps a replay is after the step of `rng`; null means none

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const four = lane.block() * block_threads + lane.thread();
    if (4 * four >= size) return;
    Rng const now = offset == nullptr ? rng : Rng{rng.seed, rng.stream, rng.step + *offset};
    std::array<float, 4> const drawn = Draw{}(now.words(static_cast<std::uint64_t>(four)));
    for (Index i = 4 * four; i < 4 * four + 4 && i < size; ++i)
      x[i] = static_cast<T>(drawn[static_cast<std::size_t>(i - 4 * four)]);
  }
};

template <class Device, class Draw, class T>
void fill_random(typename Device::Context& context, Rng const& rng, T* x, Index size) {
  if (size > 0)
    Device::launch(context, blocks_for(size, Index{4} * block_threads),
                   FillRandom<T, Draw>{rng, x, size, context.rng_offset()});
}

}  // namespace diffsiam::backend::cuda
