// alignment_of: the alignment of addresses, which cuBLASLt and cuDNN need to know.
#pragma once

#include <cstdint>
#include <initializer_list>

#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cuda {

/// The largest power of two, in bytes, that divides all addresses and is at most `most`, a power of two.
/// Views of images may begin at any address.
[[nodiscard]] inline Index alignment_of(std::initializer_list<void const*> addresses,
                                        std::uintptr_t most = 16) {
  std::uintptr_t bits = most;
  for (void const* const address : addresses) bits |= reinterpret_cast<std::uintptr_t>(address);
  return static_cast<Index>(bits & (~bits + 1));
}

}  // namespace diffsiam::backend::cuda
