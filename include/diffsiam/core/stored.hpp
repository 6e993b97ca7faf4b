// Stored: where the values of a tensor are that may be kept compact: in a narrower type than they are
// computed in.
#pragma once

#include <type_traits>

#include <diffsiam/core/shape.hpp>

namespace diffsiam {

/// Values as they are computed with (T), or compact (C); one of the two pointers is null. What kernels take
/// that read or write both.
template <class T, class C>
struct Stored {
  T* full = nullptr;
  C* compact = nullptr;

  Stored(T* values) : full(values) {}  // NOLINT: implicit by design
  Stored(T* values, C* compact_values) : full(values), compact(compact_values) {}
  /// To be read only.
  template <class U, class D>
    requires(!std::is_same_v<U, T> && std::is_convertible_v<U*, T*> && std::is_convertible_v<D*, C*>)
  Stored(Stored<U, D> const& written)  // NOLINT: implicit by design
      : full(written.full), compact(written.compact) {}
  [[nodiscard]] friend Stored operator+(Stored at, Index offset) {
    (at.compact != nullptr ? static_cast<void>(at.compact += offset) : static_cast<void>(at.full += offset));
    return at;
  }
};

[[nodiscard]] inline bool is_compact(void const*) {
  return false;
}
template <class T, class C>
[[nodiscard]] bool is_compact(Stored<T, C> const& values) {
  return values.compact != nullptr;
}

}  // namespace diffsiam
