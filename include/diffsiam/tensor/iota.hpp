// iota: 0, 1, 2, ... as a tensor.
#pragma once

#include <algorithm>
#include <array>

#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// Shape (size). Values are exact up to the largest integer that B::Scalar can count to. Allocates nothing
/// but the tensor.
template <class B>
[[nodiscard]] Tensor<B> iota(typename B::Context& context, Index size) {
  Tensor<B> result{context, {size}};
  std::array<typename B::Scalar, 128> chunk{};
  constexpr auto most = static_cast<Index>(chunk.size());
  for (Index from = 0; from < size; from += most) {
    Index const count = std::min(most, size - from);
    for (Index i = 0; i < count; ++i)
      chunk[static_cast<std::size_t>(i)] = static_cast<typename B::Scalar>(from + i);
    B::upload(context, chunk.data(), result.data() + from, count);
  }
  return result;
}

}  // namespace diffsiam
