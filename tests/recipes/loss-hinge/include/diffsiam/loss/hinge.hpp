// Hinge loss: mean over all elements of max(0, 1 - y s), with scores s and targets y of -1 or 1.
#pragma once

#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::loss {

/// Both (n, ...) of one shape -> rank 0.
struct Hinge {
  template <FlowingValue S, FlowingValue Y>
  [[nodiscard]] auto operator()(S const& scores, Y const& targets) const {
    using B = typename S::Backend;
    require_shape("Hinge", scores.shape(), targets.shape(), "one target a score");
    auto const ones = Tensor<B>::filled(scores.context(), scores.shape(), 1);
    return ops::mean(ops::relu(ops::subtract(ones, ops::multiply(scores, targets))));
  }
};

}  // namespace diffsiam::loss
