// attention: softmax(q k^T / sqrt(c)) v over all positions, where c is the number of channels of one head
// (Vaswani et al., 2017). The heads stand side by side, and the channels of each head are stored as [q k v]
// (guided diffusion: Dhariwal and Nichol, 2021).
#pragma once

#include <cmath>

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/functional/softmax.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// The input is qkv (n, ..., 3 c), where c is a multiple of `heads`; the result is (n, ..., c). The softmax
/// is kept for the backward pass; for s positions it has n heads s^2 values.
struct Attention {
  static constexpr std::string_view name = "attention";
  static constexpr StorageRule storage_rule{.inputs = {0}};
  Index heads = 1;

  [[nodiscard]] Shape shape(Shapes in) const {
    Index const channels = in[0].channels();
    if (in[0].rank() < 3) fail<ShapeError>(name, "(n, ..., 3 c)", in[0]);
    if (heads < 1 || channels % (3 * heads) != 0) {
      fail<ShapeError>(name, {"3 c channels with c a multiple of ", heads, " heads"}, in[0]);
    }
    return in[0].with_channels(channels / 3);
  }
  [[nodiscard]] double flops(Shapes in) const {
    auto const s = static_cast<double>(in[0].positions());
    return static_cast<double>(in[0].samples()) * s * s *
           (4.0 * static_cast<double>(in[0].channels()) / 3 + 4.0 * static_cast<double>(heads));
  }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    Extents const e{pass.in[0].shape(), heads};
    Tensor<B> const scores = pass.scratch({e.n, heads, e.s, e.s});
    product<B>(pass.context, e, part(pass.in[0], e, 0), transposed(part(pass.in[0], e, 1)), square(scores, e),
               e.s, e.width, e.scale);
    B::softmax(pass.context, e.n * heads * e.s, e.s, scores.data(), scores.data());
    product<B>(pass.context, e, square(scores, e), part(pass.in[0], e, 2), result(pass.out, e), e.width, e.s);
    pass.save(0, scores);
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    auto* gradient = pass.gradient(0);
    if (gradient == nullptr) return;
    Extents const e{pass.in[0].shape(), heads};
    Tensor<B> const& scores = pass.saved[0];
    product<B>(pass.context, e, transposed(square(scores, e)), result(pass.dy, e), part(*gradient, e, 2),
               e.width, e.s, 1, true);
    Tensor<B> const d_scores = pass.scratch(scores.shape());
    product<B>(pass.context, e, result(pass.dy, e), transposed(part(pass.in[0], e, 2)), square(d_scores, e),
               e.s, e.width);
    // The gradient of the softmax P: dS = P (dP - sum(P dP)).
    SampleGrid const rows{1, e.n * heads * e.s, e.s};
    Tensor<B> const inner = pass.zeros({e.n * heads * e.s});
    B::sum(pass.context, rows.grid(), functional::Product{}, rows.per_sample_position(inner.data()),
           rows.full(scores.data()), rows.full(d_scores.data()));
    B::for_each(pass.context, rows.grid(), functional::SoftmaxGradient<T>{static_cast<T>(e.scale)},
                rows.full(d_scores.data()), rows.full(scores.data()), rows.per_sample_position(inner.data()));
    product<B>(pass.context, e, square(d_scores, e), part(pass.in[0], e, 1), part(*gradient, e, 0), e.width,
               e.s, 1, true);
    product<B>(pass.context, e, transposed(square(d_scores, e)), part(pass.in[0], e, 0),
               part(*gradient, e, 1), e.width, e.s, 1, true);
  }

 private:
  struct Extents {
    Index n, s, c, width;
    double scale;
    Extents(Shape const& qkv, Index heads)
        : n(qkv.samples()),
          s(qkv.positions()),
          c(qkv.channels() / 3),
          width(c / heads),
          scale(1.0 / std::sqrt(static_cast<double>(width))) {}
  };
  /// A view of q (which = 0), k (1) or v (2): a matrix (s, width) for each head.
  template <class B>
  static MatrixView<typename B::Scalar> part(Tensor<B> const& qkv, Extents const& e, Index which) {
    return {.data = qkv.data() + which * e.width,
            .leading = 3 * e.c,
            .outer_stride = e.s * 3 * e.c,
            .inner_stride = 3 * e.width};
  }
  template <class B>
  static MatrixView<typename B::Scalar> result(Tensor<B> const& y, Extents const& e) {
    return {.data = y.data(), .leading = e.c, .outer_stride = e.s * e.c, .inner_stride = e.width};
  }
  template <class B>
  MatrixView<typename B::Scalar> square(Tensor<B> const& scores, Extents const& e) const {
    return {
        .data = scores.data(), .leading = e.s, .outer_stride = heads * e.s * e.s, .inner_stride = e.s * e.s};
  }
  template <class T>
  static MatrixView<T> transposed(MatrixView<T> matrix) {
    matrix.transposed = true;
    return matrix;
  }
  /// c (s, n) = scale a (s, k) b (k, n) for every head of every sample; `accumulate` adds it to c.
  template <class B, class T = typename B::Scalar>
  DIFFSIAM_OUT_OF_LINE void product(typename B::Context& context, Extents const& e, MatrixView<T> a,
                                    MatrixView<T> b, MatrixView<T> c, Index n, Index k, double scale = 1,
                                    bool accumulate = false) const {
    auto const read = [](MatrixView<T> m) {
      return MatrixView<T const>{m.data, m.leading, m.transposed, m.outer_stride, m.inner_stride};
    };
    B::gemm(context, Gemm<T>{.m = e.s,
                             .n = n,
                             .k = k,
                             .a = read(a),
                             .b = read(b),
                             .c = c,
                             .alpha = static_cast<T>(scale),
                             .accumulate = accumulate,
                             .batch_outer = e.n,
                             .batch_inner = heads});
  }
};

/// qkv (n, ..., 3 c) -> (n, ..., c). Throws ShapeError unless c is a multiple of `heads`.
template <Value X>
auto attention(X const& qkv, Index heads) {
  return evaluate(Attention{heads}, qkv);
}

}  // namespace diffsiam::ops
