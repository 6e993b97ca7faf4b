// read, write and add_gradient: kernels access values in T, whatever type the values have in memory.
#pragma once

#include <type_traits>

#include <diffsiam/config.hpp>
#include <diffsiam/core/half.hpp>
#include <diffsiam/core/mixed_pointer.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend::cuda {

template <class T, class X>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T read(X const* from, Index i) {
  return static_cast<T>(from[i]);
}
template <class T, class C>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T read(MixedPointer<T const, C const> const& from, Index i) {
  return from.low != nullptr ? static_cast<T>(from.low[i]) : from.full[i];
}

/// The value as X, rounded to nearest even.
template <class X, class T>
[[nodiscard]] DIFFSIAM_HOST_DEVICE X rounded_to(T value) {
#if DIFFSIAM_ON_DEVICE
  // One instruction. It is not for NaN, of which it drops the payload that the host keeps.
  if constexpr (std::is_same_v<X, BFloat16> || std::is_same_v<X, Half>) {
    if (value == value) {
      X result;
      if constexpr (std::is_same_v<X, BFloat16>)
        asm("cvt.rn.bf16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
      else
        asm("cvt.rn.f16.f32 %0, %1;" : "=h"(result.bits) : "f"(value));
      return result;
    }
  }
#endif
  return static_cast<X>(value);
}

/// to[i] = value, rounded to nearest even if `to` is in low precision.
template <class T, class X>
DIFFSIAM_HOST_DEVICE void write(X* to, Index i, T value) {
  to[i] = rounded_to<X>(value);
}
template <class T, class C>
DIFFSIAM_HOST_DEVICE void write(MixedPointer<T, C> const& to, Index i, T value) {
  if (to.low != nullptr)
    to.low[i] = rounded_to<C>(value);
  else
    to.full[i] = value;
}

/// to[i] += value for gradients. A gradient in low precision is overwritten instead.
template <class T, class X>
DIFFSIAM_HOST_DEVICE void add_gradient(X* to, Index i, T value) {
  if constexpr (std::is_same_v<X, T>)
    to[i] += value;
  else
    write(to, i, value);
}
template <class T, class C>
DIFFSIAM_HOST_DEVICE void add_gradient(MixedPointer<T, C> const& to, Index i, T value) {
  if (to.low != nullptr)
    to.low[i] = rounded_to<C>(value);
  else
    to.full[i] += value;
}

}  // namespace diffsiam::backend::cuda
