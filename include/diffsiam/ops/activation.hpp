// silu, relu, exp, log, sqrt and abs: operations that apply a function of one number to every element.
// Activation takes any functor that has a value and a derivative (functional/activation.hpp).
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/activation.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y = Act(x), element by element. x may have any shape.
template <class Act>
struct Activation {
  static constexpr std::string_view name = Act::name;
  static constexpr StorageRule storage_rule{.inputs = {0}, .native = StorageRule::Native::forward};

  [[nodiscard]] Shape shape(Shapes in) const { return in[0]; }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.out.size()};
    B::for_each(pass.context, all.grid(), functional::Activate<Act>{}, all.full(pass.out.storage()),
                all.full(pass.in[0].storage()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    SampleGrid const all{1, 1, pass.dy.size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(), functional::ActivateGradient<Act>{}, all.full(dx->data()),
                  all.full(pass.dy.data()), all.full(pass.in[0].storage()));
    }
  }
};

/// x / (1 + e^-x), element by element.
template <Value X>
auto silu(X const& x) {
  return evaluate(Activation<functional::Silu>{}, x);
}
/// max(x, 0), element by element.
template <Value X>
auto relu(X const& x) {
  return evaluate(Activation<functional::Relu>{}, x);
}
/// e^x, element by element.
template <Value X>
auto exp(X const& x) {
  return evaluate(Activation<functional::Exp>{}, x);
}
/// The natural logarithm, element by element: -infinity at 0, NaN below.
template <Value X>
auto log(X const& x) {
  return evaluate(Activation<functional::Log>{}, x);
}
/// The square root, element by element: NaN below 0. The gradient at 0 is infinite, so add a small number
/// first where x may be 0.
template <Value X>
auto sqrt(X const& x) {
  return evaluate(Activation<functional::Sqrt>{}, x);
}
/// |x|, element by element. The gradient at 0 is 0.
template <Value X>
auto abs(X const& x) {
  return evaluate(Activation<functional::Abs>{}, x);
}

}  // namespace diffsiam::ops
