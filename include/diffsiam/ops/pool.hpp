// global_average_pool: the mean over all positions, one value for each sample and channel.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// x (n, ..., c) -> (n, c).
struct GlobalAveragePool {
  static constexpr std::string_view name = "global_average_pool";
  static constexpr InputList keeps_inputs{};

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() < 2 || in[0].positions() == 0)
      fail<ShapeError>(name, "(n, ..., c) with at least one position", in[0]);
    return {in[0].samples(), in[0].channels()};
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g{pass.in[0].shape()};
    pass.out.fill(T(0));
    B::sum(pass.context, g.grid(), functional::Scaled<T>{T(1) / static_cast<T>(g.s)},
           g.per_sample_channel(pass.out.data()), g.full(pass.in[0].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g{pass.in[0].shape()};
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, g.grid(), functional::AccumulateScaled<T>{T(1) / static_cast<T>(g.s)},
                  g.full(dx->data()), g.per_sample_channel(pass.dy.data()));
    }
  }
};

/// x (n, ..., c) -> (n, c). Throws ShapeError if x has no positions.
template <Value X>
auto global_average_pool(X const& x) {
  return evaluate(GlobalAveragePool{}, x);
}

}  // namespace diffsiam::ops
