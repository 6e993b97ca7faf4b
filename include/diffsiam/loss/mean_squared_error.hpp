// Mean squared error: mean over all elements of (prediction - target)^2.
#pragma once

#include <diffsiam/ops/weighted_error.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::loss {

/// Both (n, ...) of one shape -> rank 0.
struct MeanSquaredError {
  template <FlowingValue P, FlowingValue Q>
  [[nodiscard]] auto operator()(P const& prediction, Q const& target) const {
    using B = typename P::Backend;
    if (prediction.shape().rank() == 0) fail<ShapeError>("MeanSquaredError", "(n, ...)", prediction.shape());
    auto const weights = Tensor<B>::filled(prediction.context(), {prediction.shape().samples()}, 1);
    return ops::weighted_error(prediction, target, weights);
  }
};

}  // namespace diffsiam::loss
