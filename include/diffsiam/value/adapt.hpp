// borrow: makes a value of memory that others own. Nothing is copied, so the memory must outlive all use of
// the value.
#pragma once

#include <span>
#include <string>

#include <diffsiam/core/text.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// A view of `values` with shape `shape`, channels last. Operations do not write to their inputs, so const
/// memory may be borrowed for reading. Throws ShapeError unless there is one value for each element.
template <class B>
[[nodiscard]] Tensor<B> borrow(typename B::Context& context, Shape const& shape,
                               std::span<typename B::Scalar const> values) {
  if (static_cast<Index>(values.size()) != shape.size()) {
    fail<ShapeError>("borrow", {shape.size(), " values for ", shape}, values.size());
  }
  return Tensor<B>::borrowed(context, shape, const_cast<typename B::Scalar*>(values.data()));
}

}  // namespace diffsiam
