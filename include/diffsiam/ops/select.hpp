// select: y = mask ? x : 0. This is a choice and not a product: where the mask is 0, x may be NaN, and it has
// no effect on the result or on the gradient.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
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
    SampleGrid const all{1, 1, pass.out.size()};
    B::for_each(pass.context, all.grid(), functional::Select{}, all.full(pass.out.data()),
                all.full(pass.in[0].data()), all.full(pass.in[1].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.dy.size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(), functional::SelectAccumulate{}, all.full(dx->data()),
                  all.full(pass.dy.data()), all.full(pass.in[1].data()));
    }
  }
};

/// x where `mask` is not 0, and 0 elsewhere. Throws ShapeError if the shapes differ.
template <Value X, class B>
auto select(X const& x, Tensor<B> const& mask) {
  return evaluate(Select{}, x, mask);
}

}  // namespace diffsiam::ops
