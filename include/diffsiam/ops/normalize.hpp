// normalize scales rows to length 1. The inner product of two such rows is their cosine similarity.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/length.hpp>
#include <diffsiam/ops/arithmetic.hpp>
#include <diffsiam/ops/reduce.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// y = x / |x| over the last extent of x (..., d), without overflow or underflow for large or small rows. A
/// row of zeros, or one shorter than the smallest normal number of the scalar type, becomes zeros and gets no
/// gradient.
struct Normalize {
  static constexpr std::string_view name = "normalize";
  static constexpr InputList keeps_inputs{};
  static constexpr bool keeps_output = true;

  [[nodiscard]] Shape shape(Shapes in) const {
    if (in[0].rank() == 0) fail<ShapeError>(name, "(..., d)", in[0]);
    return in[0];
  }
  [[nodiscard]] double flops(Shapes in) const { return 3.0 * static_cast<double>(in[0].size()); }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    SampleGrid const g = rows(pass.out.shape()), each{1, 1, g.s};
    auto const x = g.full(pass.in[0].data());
    Tensor<B> const scale = Tensor<B>::zeros(pass.context, {g.s});
    Tensor<B> const inverse = Tensor<B>::zeros(pass.context, {g.s});
    auto const scale_of_row = g.per_sample_position(scale.data());
    auto const inverse_of_row = g.per_sample_position(inverse.data());
    B::sum(pass.context, g.grid(), functional::Magnitude{}, scale_of_row, x);
    B::for_each(pass.context, each.grid(), functional::LengthScale<T>{}, each.full(scale.data()));
    B::sum(pass.context, g.grid(), functional::ScaledSquare{}, inverse_of_row, x, scale_of_row);
    B::for_each(pass.context, each.grid(), functional::InverseLength<T>{}, each.full(inverse.data()),
                each.full(scale.data()));
    B::for_each(pass.context, g.grid(), functional::Multiply{}, g.full(pass.out.data()), x, inverse_of_row);
    pass.save(0, inverse);
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    SampleGrid const g = rows(pass.dy.shape());
    auto* dx = pass.gradient(0);
    if (dx == nullptr) return;
    Tensor<B> const inner = pass.zeros({g.s});
    B::sum(pass.context, g.grid(), functional::Product{}, g.per_sample_position(inner.data()),
           g.full(pass.dy.data()), g.full(pass.out.data()));
    B::for_each(pass.context, g.grid(), functional::NormalizeGradient{}, g.full(dx->data()),
                g.full(pass.dy.data()), g.full(pass.out.data()), g.per_sample_position(pass.saved[0].data()),
                g.per_sample_position(inner.data()));
  }

 private:
  [[nodiscard]] static SampleGrid rows(Shape const& x) {
    return {1, x.size() / std::max<Index>(1, x.channels()), x.channels()};
  }
};

/// x (..., d) -> (..., d), each row of length 1. Throws ShapeError for rank 0.
template <Value X>
auto normalize(X const& x) {
  return evaluate(Normalize{}, x);
}
/// The mean over the rows of x (n, d) and y (n, d) of their cosine similarity: rank 0, in [-1, 1]. Throws
/// ShapeError for other shapes.
template <Value X, Value Y>
auto mean_cosine_similarity(X const& x, Y const& y) {
  require_rank("mean_cosine_similarity", 2, x.shape(), "(n, d)");
  return scale(sum(multiply(normalize(x), normalize(y))), 1.0 / static_cast<double>(x.shape().samples()));
}

}  // namespace diffsiam::ops
