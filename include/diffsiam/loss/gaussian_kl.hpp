// Gaussian KL: KL(N(mu, diag e^v) || N(0, 1)) = sum over d of (mu^2 + e^v - 1 - v)/2, with v = log variance
// (Kingma and Welling, 2014, arXiv 1312.6114, appendix B).
#pragma once

#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::loss {

/// Mean and log variance, both (n, d) -> rank 0, in nats: the sum over d, averaged over n.
struct GaussianKl {
  template <FlowingValue M, FlowingValue V>
  [[nodiscard]] auto operator()(M const& mean, V const& log_variance) const {
    using B = typename M::Backend;
    require_rank("GaussianKl", 2, mean.shape(), "(n, d)");
    require_shape("GaussianKl", mean.shape(), log_variance.shape(), "one log variance a mean");
    // Differences are taken element by element: near 0 a difference of sums would be rounding error alone.
    auto const ones = Tensor<B>::filled(mean.context(), mean.shape(), 1);
    auto const spread = ops::subtract(ops::exp(log_variance), ops::add(log_variance, ones));  // (n, d)
    return ops::scale(ops::sum(ops::add(ops::multiply(mean, mean), spread)),
                      0.5 / static_cast<double>(mean.shape().samples()));
  }
};

}  // namespace diffsiam::loss
