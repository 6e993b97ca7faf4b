// compose_modulation: makes one modulation (scale, shift) of two that follow each other,
// ((1 + s) u + b)(1 + s_z) + b_z.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/norm.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Both inputs are (n, 2c), first scale and then shift. The result (n, 2c) has the effect of the first and
/// then the second.
struct ComposeModulation {
  static constexpr std::string_view name = "compose_modulation";

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 2, in[0], "(n, 2 c)");
    require_shape(name, in[0], in[1], "both modulations are (n, 2 c)");
    if (in[0].channels() % 2 != 0) fail<ShapeError>(name, "(n, 2 c): scale, then shift", in[0]);
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return 3.0 * static_cast<double>(in[0].size()); }

  template <class B>
  void forward(Forward<B> const& pass) const {
    SampleGrid const g = half(pass.out.shape());
    Index const pitch = 2 * g.c;
    auto const s = [&](Tensor<B> const& m) { return g.full(m.data(), pitch); };
    auto const b = [&](Tensor<B> const& m) { return g.full(m.data() + g.c, pitch); };
    B::for_each(pass.context, g.grid(), functional::ComposeModulation{}, s(pass.out), b(pass.out),
                s(pass.in[0]), b(pass.in[0]), s(pass.in[1]), b(pass.in[1]));
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    SampleGrid const g = half(pass.dy.shape());
    Index const pitch = 2 * g.c;
    auto const s = [&](Tensor<B> const& m) { return g.full(m.data(), pitch); };
    auto const b = [&](Tensor<B> const& m) { return g.full(m.data() + g.c, pitch); };
    if (auto* first = pass.gradient(0)) {
      B::for_each(pass.context, g.grid(), functional::ComposeModulationGradientFirst{}, s(*first), b(*first),
                  s(pass.dy), b(pass.dy), s(pass.in[1]));
    }
    if (auto* second = pass.gradient(1)) {
      B::for_each(pass.context, g.grid(), functional::ComposeModulationGradientSecond{}, s(*second),
                  b(*second), s(pass.dy), b(pass.dy), s(pass.in[0]), b(pass.in[0]));
    }
  }

 private:
  [[nodiscard]] static SampleGrid half(Shape const& modulation) {
    return {1, modulation.samples(), modulation.channels() / 2};
  }
};

/// (n, 2c) and (n, 2c) -> (n, 2c). Throws ShapeError if the shapes differ or 2c is odd.
template <Value X, Value Y>
auto compose_modulation(X const& first, Y const& second) {
  return evaluate(ComposeModulation{}, first, second);
}

}  // namespace diffsiam::ops
