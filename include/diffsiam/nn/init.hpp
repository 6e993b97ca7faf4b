// Init: the initial values of weights. Each weight has its own stream of random numbers, in the order of
// construction.
#pragma once

#include <cmath>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/value/parameter.hpp>

namespace diffsiam::nn {

/// Passed from module to module while a network is built.
template <class B>
class Init {
 public:
  /// Equal seeds give equal weights.
  Init(typename B::Context& context, std::uint64_t seed)
      : context_(&context), rng_{.seed = seed, .stream = 0x1000} {}

  /// Where the weights are made.
  [[nodiscard]] typename B::Context& context() const { return *context_; }

  /// Uniform in +-1/sqrt(fan_in): PyTorch's default for linear layers and convolutions, weights and biases
  /// alike.
  [[nodiscard]] Parameter<B> uniform(Shape const& shape, Index fan_in, PublishedLayout layout = {}) {
    using T = typename B::Scalar;
    Tensor<B> value{*context_, shape};
    rng_.stream += 1;
    B::uniform(*context_, rng_, value.data(), value.size());
    T const bound = static_cast<T>(1.0 / std::sqrt(static_cast<double>(fan_in)));
    for_each_element(functional::FromUnit<T>{-bound, bound}, value);
    return Parameter<B>{std::move(value), layout};
  }
  /// All elements `value`; it draws no numbers.
  [[nodiscard]] Parameter<B> constant(Shape const& shape, double value, PublishedLayout layout = {}) {
    return Parameter<B>{Tensor<B>::filled(*context_, shape, static_cast<typename B::Scalar>(value)), layout};
  }

 private:
  typename B::Context* context_;
  Rng rng_;
};

}  // namespace diffsiam::nn
