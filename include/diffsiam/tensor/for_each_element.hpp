// for_each_element: applies a function to every element of whole tensors.
#pragma once

#include <diffsiam/core/strided.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// Calls f(y, x_0, ...) for every element of tensors of one size, whatever their shapes are. `context` does
/// the work, and may be another one than that of a tensor, such as the gradient of a parameter.
template <class F, class B, class... Rest>
void for_each_element(typename B::Context& context, F const& f, Tensor<B> const& first, Rest const&... rest) {
  using Element = Operand<typename B::Scalar, 1>;
  B::for_each(context, Grid{{1, 1, 1, 1, first.size()}}, f, Element{first.data()}, Element{rest.data()}...);
}
/// The same in the context of the first tensor.
template <class F, class B, class... Rest>
void for_each_element(F const& f, Tensor<B> const& first, Rest const&... rest) {
  for_each_element<F, B>(first.context(), f, first, rest...);
}

}  // namespace diffsiam
