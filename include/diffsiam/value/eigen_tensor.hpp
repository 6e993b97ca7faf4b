// borrow for Eigen::Tensor: makes a value of its memory without a copy. The tensor must be row-major with
// channels last, and it must outlive all use of the value.
#pragma once

#include <unsupported/Eigen/CXX11/Tensor>

#include <diffsiam/value/adapt.hpp>

namespace diffsiam {

/// A view of an Eigen::Tensor of rank 1 to 4. A column-major tensor does not compile, because its channels
/// are not last in memory.
template <class B, int Rank, int Options>
[[nodiscard]] Tensor<B> borrow(typename B::Context& context,
                               Eigen::Tensor<typename B::Scalar, Rank, Options> const& tensor) {
  static_assert(Rank >= 1 && Rank <= Shape::max_rank, "A value has one to four extents.");
  static_assert((Options & Eigen::RowMajor) != 0,
                "Only a row-major Eigen::Tensor has its last extent contiguous, as values do.");
  auto const extent = [&](int axis) {
    return axis < Rank ? static_cast<Index>(tensor.dimension(static_cast<std::size_t>(axis))) : Index{1};
  };
  Shape shape;
  if constexpr (Rank == 1) shape = {extent(0)};
  if constexpr (Rank == 2) shape = {extent(0), extent(1)};
  if constexpr (Rank == 3) shape = {extent(0), extent(1), extent(2)};
  if constexpr (Rank == 4) shape = {extent(0), extent(1), extent(2), extent(3)};
  return borrow<B>(context, shape, {tensor.data(), static_cast<std::size_t>(tensor.size())});
}

}  // namespace diffsiam
