// Access: kernels read and write values in T, whatever type they have in memory.
#pragma once

#include <type_traits>

#include <diffsiam/config.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/stored.hpp>

namespace diffsiam::backend::cuda {

template <class T, class X>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T read(X const* from, Index i) {
  return static_cast<T>(from[i]);
}
template <class T, class C>
[[nodiscard]] DIFFSIAM_HOST_DEVICE T read(Stored<T const, C const> const& from, Index i) {
  return from.compact != nullptr ? static_cast<T>(from.compact[i]) : from.full[i];
}

/// to[i] = value; rounds to nearest even where `to` is compact.
template <class T, class X>
DIFFSIAM_HOST_DEVICE void write(X* to, Index i, T value) {
  to[i] = static_cast<X>(value);
}
template <class T, class C>
DIFFSIAM_HOST_DEVICE void write(Stored<T, C> const& to, Index i, T value) {
  if (to.compact != nullptr)
    to.compact[i] = static_cast<C>(value);
  else
    to.full[i] = value;
}

/// What gradients are added to: to[i] += value, but a compact one is written.
template <class T, class X>
DIFFSIAM_HOST_DEVICE void add_gradient(X* to, Index i, T value) {
  if constexpr (std::is_same_v<X, T>)
    to[i] += value;
  else
    write(to, i, value);
}
template <class T, class C>
DIFFSIAM_HOST_DEVICE void add_gradient(Stored<T, C> const& to, Index i, T value) {
  if (to.compact != nullptr)
    to.compact[i] = static_cast<C>(value);
  else
    to.full[i] += value;
}

}  // namespace diffsiam::backend::cuda
