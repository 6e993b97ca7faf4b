// MixedPointer: where the values of a tensor are that may be stored in low precision, that is in a narrower
// type than they are computed in.
#pragma once

#include <type_traits>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Values in full precision (T), as they are computed with, or in low precision (S, the storage dtype): one
/// of the two pointers is null. Kernels take it that read or write both.
template <class T, class S>
struct MixedPointer {
  T* full = nullptr;  ///< null where values are in low precision
  S* low = nullptr;   ///< null where they are in full precision

  MixedPointer(T* values) : full(values) {}  // NOLINT: implicit by design
  MixedPointer(T* values, S* low_values) : full(values), low(low_values) {}
  /// To be read only.
  template <class U, class V>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*> && std::is_convertible_v<V*, S*>)
  MixedPointer(MixedPointer<U, V> const& written)  // NOLINT: implicit by design
      : full(written.full), low(written.low) {}
  /// The place `offset` values further on.
  [[nodiscard]] friend MixedPointer operator+(MixedPointer at, Index offset) {
    (at.low != nullptr ? static_cast<void>(at.low += offset) : static_cast<void>(at.full += offset));
    return at;
  }
};

/// Whether values are in low precision; a plain pointer never is.
[[nodiscard]] inline bool is_low_precision(void const*) {
  return false;
}
template <class T, class S>
[[nodiscard]] bool is_low_precision(MixedPointer<T, S> const& values) {
  return values.low != nullptr;
}

/// Where values are that are in full precision.
template <class T>
[[nodiscard]] T* full_precision(T* values) {
  return values;
}
template <class T, class S>
[[nodiscard]] T* full_precision(MixedPointer<T, S> const& values) {
  return values.full;
}

}  // namespace diffsiam
