// linear: y = x w^T + b over the last extent. If w is another value instead of weights, y is the product of
// two matrices, for example the similarities z z^T.
#pragma once

#include <diffsiam/composed/linear.hpp>
#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/functional/arithmetic.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Inputs are x (..., in), w (out, in), and optionally b (out). The result is (..., out).
struct Linear {
  static constexpr std::string_view name = "linear";
  static constexpr InputList keeps_inputs{0, 1};
  static constexpr StorageRule storage_rule{.inputs = {0}, .native = StorageRule::Native::all};

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
    composed::linear<B>(pass.context, geometry(pass.in), pass.in[0].storage(), pass.in[1].data(),
                        pass.in.size() > 2 ? pass.in[2].data() : nullptr, pass.out.storage());
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    ConvGeometry const g = geometry(pass.in);
    if (auto* dx = pass.gradient(0))
      composed::linear_gradient_input<B>(pass.context, g, pass.dy.storage(), pass.in[1].data(),
                                         dx->storage());
    if (auto* dw = pass.gradient(1))
      composed::linear_gradient_weight<B>(pass.context, g, pass.in[0].storage(), pass.dy.storage(),
                                          dw->data());
    if (pass.in.size() < 3) return;
    if (auto* db = pass.gradient(2)) {
      SampleGrid const rows{1, g.n, g.out};
      B::sum(pass.context, rows.grid(), functional::Itself{}, rows.per_channel(db->data()),
             rows.full(pass.dy.storage()));
    }
  }

 private:
  template <class B>
  [[nodiscard]] static ConvGeometry geometry(std::span<Tensor<B> const> in) {
    Index const outputs = in[1].shape()[0], inputs = in[1].shape()[1];
    return {in[0].size() / inputs, 1, 1, inputs, outputs, 1, 1};
  }
};

/// x (..., in), w (out, in), bias (out) -> (..., out). Throws ShapeError if the shapes do not fit.
template <Value X, Value W, Value Bias>
auto linear(X const& x, W const& w, Bias const& bias) {
  return evaluate(Linear{}, x, w, bias);
}
/// The same without a bias.
template <Value X, Value W>
auto linear(X const& x, W const& w) {
  return evaluate(Linear{}, x, w);
}

}  // namespace diffsiam::ops
