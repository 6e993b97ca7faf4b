// Owned: handles of CUDA's libraries that are destroyed together with their owner.
#pragma once

#include <memory>
#include <string_view>
#include <type_traits>

#include <diffsiam/backend/cuda/check.hpp>

namespace diffsiam::backend::cuda {

/// Calls Destroy on a handle.
template <auto Destroy>
struct Destroyer {
  template <class T>
  void operator()(T* handle) const {
    (void)Destroy(handle);
  }
};
/// A handle with an owner; Handle is a pointer type of one of the libraries.
template <class Handle, auto Destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroyer<Destroy>>;

/// Makes an Owned with a creating function of the library. Throws DeviceError.
template <class Result, auto Create>
[[nodiscard]] Result make_handle(std::string_view operation) {
  typename Result::pointer handle = nullptr;
  check(Create(&handle), operation);
  return Result{handle};
}

}  // namespace diffsiam::backend::cuda
