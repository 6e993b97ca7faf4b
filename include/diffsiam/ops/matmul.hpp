// matmul: the product of two matrices, each of which may be read transposed.
#pragma once

#include <diffsiam/concepts/operation.hpp>
#include <diffsiam/config.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/text.hpp>
#include <diffsiam/tensor/pass.hpp>

namespace diffsiam::ops {

/// Which matrices of matmul() are read transposed.
struct MatmulOptions {
  bool transpose_a = false, transpose_b = false;  ///< whether a and b are read transposed
};

/// y (m, n) = op(a) (m, k) op(b) (k, n), where op transposes or not.
struct Matmul {
  static constexpr std::string_view name = "matmul";
  MatmulOptions options{};  ///< which of a and b are read transposed

  [[nodiscard]] Shape shape(Shapes in) const {
    for (Shape const& matrix : in) require_rank(name, 2, matrix, "(rows, columns)");
    Index const k = in[0][options.transpose_a ? 0 : 1];
    if (k == 0) fail<ShapeError>(name, "matrices with at least one inner element", in[0]);
    if (in[1][options.transpose_b ? 1 : 0] != k) {
      fail<ShapeError>(name,
                       {k, options.transpose_b ? " columns beside " : " rows beside ", in[0],
                        options.transpose_a ? " transposed" : ""},
                       in[1], "transpose_a and transpose_b read a matrix transposed");
    }
    return {in[0][options.transpose_a ? 1 : 0], in[1][options.transpose_b ? 0 : 1]};
  }
  [[nodiscard]] double flops(Shapes in) const {
    return 2.0 * static_cast<double>(in[0].size()) * static_cast<double>(in[1][options.transpose_b ? 0 : 1]);
  }

  template <class B>
  DIFFSIAM_STEERS void forward(Forward<B> const& pass) const {
    product<B>(pass.context, {pass.in[0], options.transpose_a}, {pass.in[1], options.transpose_b}, pass.out,
               false);
  }
  template <class B>
  DIFFSIAM_STEERS void backward(Backward<B> const& pass) const {
    Read<B> const a{pass.in[0], options.transpose_a}, b{pass.in[1], options.transpose_b};
    Read<B> const dy{pass.dy, false};
    if (auto* da = pass.gradient(0)) {
      if (a.transposed)
        product<B>(pass.context, b, dy.turned(), *da, true);
      else
        product<B>(pass.context, dy, b.turned(), *da, true);
    }
    if (auto* db = pass.gradient(1)) {
      if (b.transposed)
        product<B>(pass.context, dy.turned(), a, *db, true);
      else
        product<B>(pass.context, a.turned(), dy, *db, true);
    }
  }

 private:
  /// A matrix, and whether it is read transposed.
  template <class B>
  struct Read {
    Tensor<B> const& matrix;
    bool transposed;

    [[nodiscard]] Read turned() const { return {matrix, !transposed}; }
    [[nodiscard]] MatrixView<typename B::Scalar const> view() const {
      return {.data = matrix.data(), .leading = matrix.shape()[1], .transposed = transposed};
    }
    [[nodiscard]] Index columns() const { return matrix.shape()[transposed ? 0 : 1]; }
  };
  template <class B>
  DIFFSIAM_OUT_OF_LINE static void product(typename B::Context& context, Read<B> const& a, Read<B> const& b,
                                           Tensor<B> const& c, bool accumulate) {
    if (c.size() == 0) return;
    B::gemm(context, Gemm<typename B::Scalar>{.m = c.shape()[0],
                                              .n = c.shape()[1],
                                              .k = a.columns(),
                                              .a = a.view(),
                                              .b = b.view(),
                                              .c = {.data = c.data(), .leading = c.shape()[1]},
                                              .accumulate = accumulate});
  }
};

/// a (m, k), b (k, n) -> (m, n). With transpose_a, a is (k, m); with transpose_b, b is (n, k). So x^T y is
/// matmul(x, y, {.transpose_a = true}). Throws ShapeError if the shapes do not fit.
template <Value A, Value C>
auto matmul(A const& a, C const& b, MatmulOptions options = {}) {
  return evaluate(Matmul{options}, a, b);
}

}  // namespace diffsiam::ops
