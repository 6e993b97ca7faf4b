// BatchNorm with statistics of its own, as a function of its operands: for cases of operations.
#pragma once

#include <type_traits>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/ops/batch_norm.hpp>
#include <diffsiam/tensor/tensor.hpp>

namespace diffsiam::testing::cases {

/// BatchNorm of x (..., c) in training mode, with new running statistics; gamma and beta are (c).
inline constexpr auto batch_norm_in_training = [](auto const& x, auto const& gamma, auto const& beta) {
  using B = typename std::remove_cvref_t<decltype(x)>::Backend;
  Shape const channels{x.shape().channels()};
  return evaluate(ops::BatchNorm<B>{.running_mean = Tensor<B>::zeros(x.context(), channels),
                                    .running_variance = Tensor<B>::filled(x.context(), channels, 1)},
                  x, gamma, beta);
};
/// BatchNorm of x (..., c) in evaluation mode; gamma, beta and the running statistics are (c).
inline constexpr auto batch_norm_in_evaluation = [](auto const& x, auto const& gamma, auto const& beta,
                                                    auto const& mean, auto const& variance) {
  using B = typename std::remove_cvref_t<decltype(x)>::Backend;
  return evaluate(ops::BatchNorm<B>{.running_mean = mean, .running_variance = variance, .training = false}, x,
                  gamma, beta);
};

}  // namespace diffsiam::testing::cases
