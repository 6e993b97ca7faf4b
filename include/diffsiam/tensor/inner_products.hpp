// inner_products: the sum of the products of two tensors, sample by sample.
#pragma once

#include <algorithm>
#include <vector>

#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam {

/// a and b have the same shape (n, ...); returns n sums on the host. Throws ShapeError for different shapes.
template <class B>
[[nodiscard]] std::vector<double> inner_products(Tensor<B> const& a, Tensor<B> const& b) {
  require_shape("inner_products", a.shape(), b.shape());
  SampleGrid const g{a.shape().samples(), 1, a.size() / std::max<Index>(1, a.shape().samples())};
  auto const sums = Tensor<B>::zeros(a.context(), {g.n});
  B::sum(a.context(), g.grid(), functional::Product{}, g.per_sample(sums.data()),
         g.full(a.full_precision().data()), g.full(b.full_precision().data()));
  return sums.template values<double>();
}

}  // namespace diffsiam
