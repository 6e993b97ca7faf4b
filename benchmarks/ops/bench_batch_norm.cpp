// BatchNorm of features, in training and after it: the projections of SimSiam, 2 views a picture.
#include <diffsiam/ops/batch_norm.hpp>

#include "../support/operations.hpp"

namespace {

namespace ops = diffsiam::ops;
using bench::Kind, bench::op_case, bench::measure;

auto const training = [](auto const& x, auto const& gamma, auto const& beta) {
  using B = typename std::remove_cvref_t<decltype(x)>::Backend;
  diffsiam::Shape const channels{x.shape().channels()};
  return diffsiam::evaluate(
      ops::BatchNorm<B>{.running_mean = diffsiam::Tensor<B>::zeros(x.context(), channels),
                        .running_variance = diffsiam::Tensor<B>::filled(x.context(), channels, 1)},
      x, gamma, beta);
};
auto const inference = [](auto const& x, auto const& gamma, auto const& beta, auto const& mean,
                          auto const& variance) {
  using B = typename std::remove_cvref_t<decltype(x)>::Backend;
  return diffsiam::evaluate(
      ops::BatchNorm<B>{.running_mean = mean, .running_variance = variance, .training = false}, x, gamma,
      beta);
};

auto const trained_at = [](char const* name, diffsiam::Index n, diffsiam::Index c) {
  return op_case(name, {{n, c}, {c}, {c}}, training);
};
auto const used_at = [](char const* name, diffsiam::Index n, diffsiam::Index c) {
  return op_case(name, {{n, c}, {c}, {c}}, {{Kind::normal, {c}}, {Kind::positive, {c}}}, inference);
};

[[maybe_unused]] bool const registered =
    measure("batch_norm training", trained_at("fashion", 128, 64), trained_at("celeba64", 16, 2048)) &&
    measure("batch_norm inference", used_at("fashion", 128, 64), used_at("celeba64", 16, 2048));

}  // namespace
