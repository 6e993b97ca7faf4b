// A network with everything a training step has to carry: convolution, batch norm with running statistics, a
// linear layer behind a flattened image; and the data it learns from.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/nn/module.hpp>
#include <diffsiam/ops/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/batch_norm.hpp>
#include <diffsiam/ops/conv2d.hpp>
#include <diffsiam/ops/linear.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/ops/reshape.hpp>
#include <diffsiam/value/taped.hpp>

namespace diffsiam::test {

/// Standard normal weights times `scale`.
template <class B>
[[nodiscard]] Tensor<B> random_tensor(typename B::Context& context, Shape const& shape, Rng rng,
                                      double scale = 1) {
  Tensor<B> const result{context, shape};
  B::normal(context, rng, result.data(), result.size());
  auto values = result.template values<double>();
  for (double& value : values) value *= scale;
  result.assign(std::span<double const>(values));
  return result;
}

/// y = linear(flatten(silu(batch_norm(conv(x))))), x (n, 4, 5, 2), y (n, 2).
template <class B>
struct SmallNet {
  using Backend = B;
  Parameter<B> conv, conv_bias, gamma, beta, linear, linear_bias;
  Buffer<B> mean, variance;

  explicit SmallNet(typename B::Context& context, std::uint64_t seed = 1, Index width = 3)
      : conv(random_tensor<B>(context, {width, 3, 3, 2}, Rng{seed, 1}, 0.3),
             {.kind = PublishedLayout::Kind::conv}),
        conv_bias(random_tensor<B>(context, {width}, Rng{seed, 2}, 0.1)),
        gamma(Tensor<B>::filled(context, {width}, 1)),
        beta(Tensor<B>::zeros(context, {width})),
        linear(random_tensor<B>(context, {2, 20 * width}, Rng{seed, 3}, 0.2),
               {.kind = PublishedLayout::Kind::flattened, .h = 4, .w = 5}),
        linear_bias(Tensor<B>::zeros(context, {2})),
        mean(Tensor<B>::zeros(context, {width})),
        variance(Tensor<B>::filled(context, {width}, 1)) {}

  template <class F>
  void for_each_child(F&& f) const {
    f({"conv.weight", "net.0.weight"}, conv);
    f({"conv.bias", "net.0.bias"}, conv_bias);
    f({"norm.weight", "net.1.weight"}, gamma);
    f({"norm.bias", "net.1.bias"}, beta);
    f({"norm.running_mean", "net.1.running_mean"}, mean);
    f({"norm.running_var", "net.1.running_var"}, variance);
    f({"linear.weight", "net.4.weight"}, linear);
    f({"linear.bias", "net.4.bias"}, linear_bias);
  }
  [[nodiscard]] Taped<B> operator()(Taped<B> const& x) const {
    auto const h = ops::conv2d(x, conv, conv_bias);
    ops::BatchNorm<B> const norm{mean.proposal(), variance.proposal()};
    auto const n = ops::silu(evaluate(norm, h, gamma, beta));
    return ops::linear(ops::flatten(n), linear, linear_bias);
  }
  [[nodiscard]] Tensor<B> operator()(Tensor<B> const& x) const {
    auto const h = ops::conv2d(x, conv, conv_bias);
    ops::BatchNorm<B> const norm{mean.value(), variance.value(), false};
    auto const n = ops::silu(evaluate(norm, h, gamma, beta));
    return ops::linear(ops::flatten(n), linear, linear_bias);
  }
};

/// Batch `number` of 4 pictures and the targets of a fixed teacher.
template <class B>
struct SmallBatch {
  Tensor<B> x, target;

  SmallBatch(typename B::Context& context, std::uint64_t number, Index n = 4)
      : x(random_tensor<B>(context, {n, 4, 5, 2}, Rng{77, 0, number})), target(SmallNet<B>(context, 99)(x)) {}
};

template <class B>
[[nodiscard]] Taped<B> squared_error(Taped<B> const& y, Tensor<B> const& target) {
  auto const difference = y - y.tape().input(target);
  return ops::mean(difference * difference);
}

/// The bits of all parameters and buffers, in order.
template <class B, class M>
[[nodiscard]] std::vector<typename B::Scalar> all_values(M const& module) {
  std::vector<typename B::Scalar> result;
  nn::for_each_leaf(module, [&](nn::LeafName const&, auto const& leaf) {
    auto const values = leaf.value().values();
    result.insert(result.end(), values.begin(), values.end());
  });
  return result;
}

/// A module of one parameter.
template <class B>
struct OneWeight {
  using Backend = B;
  Parameter<B> weight;
  template <class F>
  void for_each_child(F&& f) const {
    f("weight", weight);
  }
};

}  // namespace diffsiam::test
