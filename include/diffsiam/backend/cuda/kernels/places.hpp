// Places: the addresses and strides of the operands of a kernel, as plain data that a launch can carry.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>

namespace diffsiam::backend::cuda {

/// a / b and a % b for values that are not negative. It uses 32 bits if both fit, which is much faster on
/// devices.
struct Division {
  Index quotient, rest;
};
[[nodiscard]] DIFFSIAM_HOST_DEVICE constexpr Division divide(Index a, Index b) {
  if (((a | b) >> 31) == 0) {
    auto const small_a = static_cast<unsigned>(a), small_b = static_cast<unsigned>(b);
    unsigned const quotient = small_a / small_b;
    return {static_cast<Index>(quotient), static_cast<Index>(small_a - quotient * small_b)};
  }
  Index const quotient = a / b;
  return {quotient, a - quotient * b};
}

/// N operands on a grid.
template <class T, std::size_t N>
struct Places {
  T* data[N];
  Index stride[N][4];  ///< along the first four extents

  /// Adds the offset of `row`, counted along `extent`, to every offset.
  DIFFSIAM_HOST_DEVICE void advance(Index const (&extent)[4], Index row, Index (&offset)[N]) const {
    for (int axis = 3; axis >= 0; --axis) {
      if (extent[axis] == 1) continue;
      Division const at = divide(row, extent[axis]);
      row = at.quotient;
      for (std::size_t i = 0; i < N; ++i) offset[i] += at.rest * stride[i][axis];
    }
  }
};

/// The address of values, however they are stored.
template <class T>
[[nodiscard]] void* address_of(T* values) {
  return const_cast<void*>(static_cast<void const*>(values));
}
template <class T, class C>
[[nodiscard]] void* address_of(MixedPointer<T, C> const& values) {
  return is_low_precision(values) ? address_of(values.low) : address_of(values.full);
}

/// Operands on a grid whose extents are merged as far as possible. Inner strides stay with the functor.
template <std::size_t N>
struct Merged {
  Grid grid;
  std::array<void*, N> data{};
  std::array<Extents5, N> strides{};

  template <class... O>
  explicit Merged(Grid const& whole, O const&... operands)
      : grid(whole), data{address_of(operands.data)...}, strides{operands.stride...} {
    merge_extents(grid, [&](auto f) {
      for (Extents5& stride : strides) f(stride);
    });
  }
  [[nodiscard]] Index columns() const { return grid.extent[4]; }
  /// Whether operand i, whose values have `bytes` each, has a pack of `width` neighbours at every multiple of
  /// `width`, if it is contiguous.
  [[nodiscard]] bool fits_packs(std::size_t i, Index width, std::size_t bytes) const {
    if (reinterpret_cast<std::uintptr_t>(data[i]) % (bytes * static_cast<std::size_t>(width)) != 0)
      return false;
    return std::all_of(strides[i].begin(), strides[i].begin() + 4,
                       [width](Index stride) { return stride % width == 0; });
  }
  /// `Count` operands from `first` on, as pointers to T.
  template <class T, std::size_t Count>
  [[nodiscard]] Places<T, Count> places(std::size_t first) const {
    Places<T, Count> result{};
    for (std::size_t i = 0; i < Count; ++i) {
      result.data[i] = static_cast<T*>(data[first + i]);
      for (std::size_t axis = 0; axis < 4; ++axis) result.stride[i][axis] = strides[first + i][axis];
    }
    return result;
  }
};

}  // namespace diffsiam::backend::cuda
