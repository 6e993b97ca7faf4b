// alignment_of: how addresses are aligned, as cuBLASLt and cuDNN want to know.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cuda {

/// The largest power of two, up to `most` (one itself), that divides all addresses, in bytes: views of images
/// start anywhere.
[[nodiscard]] inline Index alignment_of(std::initializer_list<void const*> addresses,
                                        std::uintptr_t most = 16) {
  std::uintptr_t bits = most;
  for (void const* const address : addresses) bits |= reinterpret_cast<std::uintptr_t>(address);
  return static_cast<Index>(bits & (~bits + 1));
}

}  // namespace diffsiam::backend::cuda
