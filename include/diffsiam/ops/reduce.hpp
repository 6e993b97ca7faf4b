// sum and mean of all elements. The result has rank 0.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y = the sum of x, or the mean of x.
struct Total {
  static constexpr std::string_view name = "total";
  static constexpr InputList keeps_inputs{};
  bool mean = false;

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].size() == 0) fail<ShapeError>(name, "at least one element", in[0]);
    return {};
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.in[0].size()};
    pass.out.fill(T(0));
    B::sum(pass.context, all.grid(), functional::Scaled<T>{factor<T>(pass.in[0].size())},
           all.once(pass.out.data()), all.full(pass.in[0].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const all{1, 1, pass.in[0].size()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, all.grid(), functional::AccumulateScaled<T>{factor<T>(pass.in[0].size())},
                  all.full(dx->data()), all.once(pass.dy.data()));
    }
  }

 private:
  template <class T>
  [[nodiscard]] T factor(Index size) const {
    return mean ? T(1) / static_cast<T>(size) : T(1);
  }
};

/// The sum of all elements: rank 0. Throws ShapeError if there are none.
template <Value X>
auto sum(X const& x) {
  return evaluate(Total{false}, x);
}
/// The mean of all elements: rank 0. Throws ShapeError if there are none.
template <Value X>
auto mean(X const& x) {
  return evaluate(Total{true}, x);
}

}  // namespace diffsiam::ops
