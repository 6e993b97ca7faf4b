// conv2d: a convolution with a square kernel of odd side k, padded with p = (k - 1)/2 zeros, with stride s:
// y[n,oh,ow,o] = b[o] + sum over kh,kw,i of x[n, oh s + kh - p, ow s + kw - p, i] w[o,kh,kw,i].
#pragma once

#include <diffsiam/composed/conv2d.hpp>
#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs are x (n, h, w, in), w (out, k, k, in) with an odd k, and optionally b (out).
struct Conv2d {
  static constexpr std::string_view name = "conv2d";
  static constexpr InputList keeps_inputs{0, 1};
  static constexpr StorageRule storage_rule{.inputs = {0},
                                            .native = StorageRule::Native::all,
                                            .output = StorageRule::Output::by_shape,
                                            .adds = {0}};
  Index stride = 1;  ///< at least 1

  /// The extents as backends take them.
  [[nodiscard]] ConvGeometry geometry(Shapes in) const {
    return {in[0][0], in[0][1], in[0][2], in[0][3], in[1][0], in[1][1], stride};
  }
  [[nodiscard]] DIFFSIAM_STEERS Shape shape(Shapes in) const {
    require_rank(name, 4, in[0], "(n, h, w, c)");
    require_rank(name, 4, in[1], "(out, k, k, in)");
    if (stride < 1) fail<ConfigError>(name, "a stride of at least 1", stride);
    if (in[1][3] != in[0][3]) {
      fail<ShapeError>(name, {"an image of ", in[1][3], " channels for weights ", in[1]}, in[0],
                       layout_hint(in[0], in[1][3]));
    }
    if (in[1][1] != in[1][2] || in[1][1] % 2 == 0) {
      fail<ShapeError>(name, "a square kernel of odd side", in[1]);
    }
    if (in.size() > 2) require_shape(name, {in[1][0]}, in[2], "a bias has one value per output channel");
    ConvGeometry const g = geometry(in);
    return {g.n, g.out_h(), g.out_w(), g.out};
  }
  /// FLOPs of the direct algorithm. Products with the zeros of the padding are counted, too.
  [[nodiscard]] double flops(Shapes in) const {
    ConvGeometry const g = geometry(in);
    return 2.0 * static_cast<double>(g.n * g.out_h() * g.out_w() * g.out * g.depth());
  }

  template <class B>
  void forward(Forward<B> const& pass) const {
    B::conv2d(pass.context, geometry_of(pass.in), pass.in[0].storage(), pass.in[1].data(),
              pass.in.size() > 2 ? pass.in[2].data() : nullptr, pass.out.storage());
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    ConvGeometry const g = geometry_of(pass.in);
    if (auto* dx = pass.gradient(0)) {
      composed::conv2d_gradient_input<B>(pass.context, g, pass.dy.storage(), pass.in[1].data(), dx->storage(),
                                         pass.earlier(0));
    }
    if (auto* dw = pass.gradient(1)) {
      B::conv2d_gradient_weight(pass.context, g, pass.in[0].storage(), pass.dy.storage(), dw->data());
    }
    if (pass.in.size() < 3) return;
    if (auto* db = pass.gradient(2)) {
      SampleGrid const rows{1, g.n * g.out_h() * g.out_w(), g.out};
      B::sum(pass.context, rows.grid(), functional::Itself{}, rows.per_channel(db->data()),
             rows.full(pass.dy.storage()));
    }
  }

 private:
  template <class B>
  [[nodiscard]] ConvGeometry geometry_of(std::span<Tensor<B> const> in) const {
    return geometry(std::array{in[0].shape(), in[1].shape()});
  }
};

/// x (n, h, w, in), w (out, k, k, in), bias (out) -> (n, h', w', out): `conv2d(x, w, b, {.stride = 2})`.
/// Throws ShapeError if the shapes do not fit, ConfigError for a stride below 1.
template <Value X, Value W, Value Bias>
auto conv2d(X const& x, W const& w, Bias const& bias, Conv2d options = {}) {
  return evaluate(options, x, w, bias);
}
/// The same without a bias.
template <Value X, Value W>
auto conv2d(X const& x, W const& w, Conv2d options = {}) {
  return evaluate(options, x, w);
}

}  // namespace diffsiam::ops
