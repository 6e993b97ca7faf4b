// pow: a fixed exponent for every element.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y = x^exponent, element by element.
struct Power {
  static constexpr std::string_view name = "pow";
  double exponent = 1;

  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    for_each_element(pass.context, functional::Power<T>{static_cast<T>(exponent)}, pass.out, pass.in[0]);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    if (auto* dx = pass.gradient(0))
      for_each_element(pass.context, functional::PowerGradient<T>{static_cast<T>(exponent)}, *dx, pass.dy,
                       pass.in[0]);
  }
};

/// x^exponent, element by element, as std::pow: NaN for x < 0 and an exponent that is not an integer. A
/// square is one product.
template <FlowingValue X>
auto pow(X const& x, double exponent) {
  if (exponent == 2) return evaluate(Multiply{}, x, x);
  return evaluate(Power{exponent}, x);
}

}  // namespace diffsiam::ops
