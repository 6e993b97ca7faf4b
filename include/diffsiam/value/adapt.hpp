// Memory that is not ours as a value: a borrowed view, nothing copied. It must outlive what is done with it.
#pragma once

#include <span>
#include <string>

#include <diffsiam/core/text.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// A view of `values` under `shape`, channels last. Operations do not write their inputs, so const memory may
/// be borrowed for reading. Throws ShapeError when the counts differ.
template <class B>
[[nodiscard]] Tensor<B> borrow(typename B::Context& context, Shape const& shape,
                               std::span<typename B::Scalar const> values) {
  if (static_cast<Index>(values.size()) != shape.size()) {
    fail<ShapeError>("borrow", {shape.size(), " values for ", shape}, values.size());
  }
  return Tensor<B>::borrowed(context, shape, const_cast<typename B::Scalar*>(values.data()));
}

}  // namespace diffsiam
