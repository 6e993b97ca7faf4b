// HostMemory: how backends that use the memory of the host set, copy, upload and download values.
#pragma once

#include <algorithm>
#include <cstddef>

#include <diffsiam/core/shape.hpp>

namespace diffsiam::backend {

/// The Memory group of a backend with scalar type T.
template <class T>
struct HostMemory {
  static constexpr bool host_memory = true;  ///< the host may read values in place

  template <class Context>
  static void fill(Context&, T* data, Index size, T value) {
    std::fill_n(data, static_cast<std::size_t>(size), value);
  }
  template <class Context>
  static void copy(Context&, T const* from, T* to, Index size) {
    std::copy_n(from, static_cast<std::size_t>(size), to);
  }
  template <class Context, class S>
  static void upload(Context&, S const* from, T* to, Index size) {
    std::transform(from, from + size, to, [](S value) { return static_cast<T>(value); });
  }
  template <class Context, class S>
  static void download(Context&, T const* from, S* to, Index size) {
    std::transform(from, from + size, to, [](T value) { return static_cast<S>(value); });
  }
};

}  // namespace diffsiam::backend
