// select: y = mask ? x : 0. This is a choice and not a product: where the mask is 0, x may be NaN, and it has
// no effect on the result or on the gradient.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs are x and a plain mask of the same shape, which selects the elements where it is not 0.
struct Select {
  static constexpr std::string_view name = "select";
  static constexpr InputList keeps_inputs{1};

  [[nodiscard]] Shape shape(Shapes in) const {
    require_shape(name, in[0], in[1], "the mask has the shape of what it masks");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    for_each_element(pass.context, functional::Select{}, pass.out, pass.in[0], pass.in[1]);
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto* dx = pass.gradient(0))
      for_each_element(pass.context, functional::SelectAccumulate{}, *dx, pass.dy, pass.in[1]);
  }
};

/// x where `mask` is not 0, and 0 elsewhere. Throws ShapeError if the shapes differ.
template <Value X, class B>
auto select(X const& x, Tensor<B> const& mask) {
  return evaluate(Select{}, x, mask);
}

}  // namespace diffsiam::ops
