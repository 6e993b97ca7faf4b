// linear: y = x w^T + b over the last extent. With a value in place of the weights it is the product of two
// matrices, such as the similarities z z^T.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs x (..., in), w (out, in), and optionally b (out); result (..., out).
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr unsigned keeps_inputs = 0b011;
  static constexpr CompactRule compact{
      .output = CompactRule::Output::alike, .reads = 0b001, .writes = true, .gradients = true};

  [[nodiscard]] Shape shape(Shapes in) const {
    require_rank(name, 2, in[1], "(out, in)");
    if (in[1][1] == 0) fail<ShapeError>(name, "weights (out, in) with at least one input", in[1]);
    if (in[0].rank() < 1 || in[0].channels() != in[1][1]) {
      fail<ShapeError>(name, {"a last extent of ", in[1][1], " for weights ", in[1]}, in[0]);
    }
    if (in.size() > 2) require_shape(name, {in[1][0]}, in[2], "a bias has one value per output");
    return in[0].with_channels(in[1][0]);
  }
  [[nodiscard]] double flops(Shapes in) const {
    return 2.0 * static_cast<double>(in[0].size()) * static_cast<double>(in[1][0]);
  }

  template <class B>
  void forward(Forward<B> const& pass) const {
    using T = typename B::Scalar;
    Index const k = pass.in[1].shape()[1], n = pass.in[1].shape()[0], m = pass.in[0].size() / k;
    bool const biased = pass.in.size() > 2;
    if constexpr (backend::Compacting<B>)
      if (pass.in[0].is_compact()) {
        B::conv2d(pass.context, of_pixels(m, k, n), pass.in[0].stored(), pass.in[1].data(),
                  biased ? pass.in[2].data() : nullptr, pass.out.stored());
        return;
      }
    Gemm<T> product{.m = m,
                    .n = n,
                    .k = k,
                    .a = {.data = pass.in[0].data(), .pitch = k},
                    .b = {.data = pass.in[1].data(), .pitch = k, .transposed = true},
                    .c = {.data = pass.out.data(), .pitch = n}};
    if constexpr (backend::BiasedGemm<B>) {
      if (biased) return B::gemm_with_bias(pass.context, product, pass.in[2].data());
    } else if (biased) {
      SampleGrid const rows{1, m, n};
      B::for_each(pass.context, rows.grid(), functional::Copy{}, rows.full(pass.out.data()),
                  rows.per_channel(pass.in[2].data()));
      product.accumulate = true;
    }
    B::gemm(pass.context, product);
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    using T = typename B::Scalar;
    Index const k = pass.in[1].shape()[1], n = pass.in[1].shape()[0], m = pass.in[0].size() / k;
    if constexpr (backend::Compacting<B>)
      if (pass.in[0].is_compact()) return backward_of_pixels(pass, of_pixels(m, k, n));
    if (auto* dx = pass.gradient(0)) {
      B::gemm(pass.context, Gemm<T>{.m = m,
                                    .n = k,
                                    .k = n,
                                    .a = {.data = pass.dy.data(), .pitch = n},
                                    .b = {.data = pass.in[1].data(), .pitch = k},
                                    .c = {.data = dx->data(), .pitch = k},
                                    .accumulate = true});
    }
    if (auto* dw = pass.gradient(1)) {
      B::gemm(pass.context, Gemm<T>{.m = n,
                                    .n = k,
                                    .k = m,
                                    .a = {.data = pass.dy.data(), .pitch = n, .transposed = true},
                                    .b = {.data = pass.in[0].data(), .pitch = k},
                                    .c = {.data = dw->data(), .pitch = k},
                                    .accumulate = true});
    }
    add_bias_gradient(pass, m, n);
  }

 private:
  template <class B>
  static void add_bias_gradient(Backward<B> const& pass, Index m, Index n) {
    if (pass.in.size() < 3) return;
    if (auto* db = pass.gradient(2)) {
      SampleGrid const rows{1, m, n};
      B::sum(pass.context, rows.grid(), functional::Itself{}, rows.per_channel(db->data()),
             rows.full(pass.dy.stored()));
    }
  }
  // Of compact rows it is a 1x1 convolution, as which backends that have such rows know it.
  static ConvGeometry of_pixels(Index m, Index k, Index n) { return {m, 1, 1, k, n, 1, 1}; }
  template <class B>
  static void backward_of_pixels(Backward<B> const& pass, ConvGeometry const& g) {
    if (auto* dx = pass.gradient(0))
      B::conv2d_gradient_input(pass.context, g, pass.dy.stored(), pass.in[1].data(), dx->stored());
    if (auto* dw = pass.gradient(1))
      B::conv2d_gradient_weight(pass.context, g, pass.in[0].stored(), pass.dy.stored(), dw->data());
    add_bias_gradient(pass, g.n, g.out);
  }
};

template <Value X, Value W, Value Bias>
auto linear(X const& x, W const& w, Bias const& bias) {
  return evaluate(Linear{}, x, w, bias);
}
template <Value X, Value W>
auto linear(X const& x, W const& w) {
  return evaluate(Linear{}, x, w);
}

}  // namespace diffsiam::ops
