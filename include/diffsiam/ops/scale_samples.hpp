// scale_samples multiplies each sample by a number of its own, such as a coefficient of its time-step.
#pragma once

#include <algorithm>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y[n, ...] = x[n, ...] factor[n].
struct ScaleSamples {
  static constexpr std::string_view name = "scale_samples";

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() == 0) fail<ShapeError>(name, "(n, ...)", in[0]);
    require_shape(name, {in[0].samples()}, in[1], "one factor for each sample");
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    SampleGrid const g = grid(pass.out.shape());
    B::for_each(pass.context, g.grid(), functional::Multiply{}, g.full(pass.out.data()),
                g.full(pass.in[0].data()), g.per_sample(pass.in[1].data()));
  }
  template <class B>
  void backward(Backward<B> const& pass) const {
    SampleGrid const g = grid(pass.dy.shape());
    if (auto* dx = pass.gradient(0)) {
      B::for_each(pass.context, g.grid(), functional::MultiplyAccumulate{}, g.full(dx->data()),
                  g.full(pass.dy.data()), g.per_sample(pass.in[1].data()));
    }
    if (auto* df = pass.gradient(1)) {
      B::sum(pass.context, g.grid(), functional::Product{}, g.per_sample(df->data()), g.full(pass.dy.data()),
             g.full(pass.in[0].data()));
    }
  }

 private:
  [[nodiscard]] static SampleGrid grid(Shape const& x) {
    return {x.samples(), 1, x.size() / std::max<Index>(1, x.samples())};
  }
};

/// x (n, ...), factor (n) -> (n, ...). Throws ShapeError for other shapes.
template <Value X, Value F>
auto scale_samples(X const& x, F const& factor) {
  return evaluate(ScaleSamples{}, x, factor);
}

}  // namespace diffsiam::ops
