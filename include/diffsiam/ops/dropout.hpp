// dropout: an element is kept with probability 1 - p and then scaled by 1 / (1 - p), or else set to 0
// (Srivastava et al., 2014). The draws depend only on `rng` and the position of the element, not on threads.
// nn::Dropout leaves the operation out in evaluation mode.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// x may have any shape; 0 <= p < 1.
struct Dropout {
  static constexpr std::string_view name = "dropout";
  static constexpr InputList keeps_inputs{};
  static constexpr StorageRule storage_rule{.inputs = {0}};
  double p = 0.1;  ///< the probability that an element is set to 0
  Rng rng;         ///< of the draws; a new step or stream gives new ones

  [[nodiscard]] Shape shape(Shapes in) const {
    if (!(p >= 0 && p < 1)) fail<ConfigError>(name, "0 <= p < 1", p);
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    Tensor<B> const mask = pass.scratch(pass.out.shape());
    B::uniform(pass.context, rng, mask.data(), mask.size());
    for_each_element(pass.context, functional::DropoutMask<T>{static_cast<T>(p), static_cast<T>(1 / (1 - p))},
                     mask);
    for_each_element(pass.context, functional::Multiply{}, pass.out, pass.in[0], mask);
    pass.save(0, mask);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto* dx = pass.gradient(0))
      for_each_element(pass.context, functional::MultiplyAccumulate{}, *dx, pass.dy, pass.saved[0]);
  }
};

/// x with dropped elements, of the same shape. Throws ConfigError unless 0 <= p < 1.
template <Value X>
auto dropout(X const& x, double p, Rng const& rng) {
  return evaluate(Dropout{p, rng}, x);
}

}  // namespace diffsiam::ops
