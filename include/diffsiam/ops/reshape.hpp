// reshape gives the same elements another shape. flatten joins all extents except the batch into one, in the
// order (h, w, c).
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/for_each_element.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// The same elements with the shape `to`, which must have the same number of elements.
struct Reshape {
  static constexpr std::string_view name = "reshape";
  static constexpr InputList keeps_inputs{};
  Shape to;

  [[nodiscard]] Shape shape(Shapes in) const {
    if (to.size() != in[0].size()) {
      fail<ShapeError>(name, {in[0].size(), " elements of ", in[0]}, to);
    }
    return to;
  }
  [[nodiscard]] double flops(Shapes) const { return 0; }

  template <class B>
  void forward(Forward<B> const& pass) const {
    B::copy(pass.context, pass.in[0].data(), pass.out.data(), pass.out.size());
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    if (auto* dx = pass.gradient(0)) for_each_element(pass.context, functional::Accumulate{}, *dx, pass.dy);
  }
};

/// x with the shape `to`. Throws ShapeError unless the number of elements stays the same.
template <Value X>
auto reshape(X const& x, Shape const& to) {
  return evaluate(Reshape{to}, x);
}
/// x (n, ...) -> (n, d), where d is the number of elements of a sample.
template <Value X>
auto flatten(X const& x) {
  Shape const& shape = x.shape();
  Index const n = shape.samples();
  return evaluate(Reshape{{n, n == 0 ? 0 : shape.size() / n}}, x);
}

}  // namespace diffsiam::ops
