// A linear layer for any backend: y (n, out) = x (n, in) w (out, in)^T + bias, and its gradients. The
// geometry is that of a 1x1 convolution of n images of one pixel, because backends with mixed precision
// accept rows in low precision there.
#pragma once

#include <diffsiam/concepts/backend_options.hpp>
#include <diffsiam/core/products.hpp>
#include <diffsiam/core/strided.hpp>
#include <diffsiam/functional/arithmetic.hpp>

namespace diffsiam::composed {

/// C = A B + bias, where bias has one value for each of n columns.
template <class B, class T = typename B::Scalar>
void gemm_with_bias(typename B::Context& context, Gemm<T> product, T const* bias) {
  if constexpr (backend::GemmWithBias<B>) {
    B::gemm_with_bias(context, product, bias);
  } else {
    SampleGrid const rows{1, product.m, product.n};
    B::for_each(context, rows.grid(), functional::Copy{}, rows.full(product.c.data), rows.per_channel(bias));
    product.accumulate = true;
    B::gemm(context, product);
  }
}

/// y = x w^T + bias; `bias` is null if there is none.
template <class B, class T = typename B::Scalar>
void linear(typename B::Context& context, ConvGeometry const& g, backend::ReadBy<B> const& x, T const* w,
            T const* bias, backend::WrittenBy<B> const& y) {
  if constexpr (backend::MixedPrecision<B>)
    if (is_low_precision(x)) return B::conv2d(context, g, x, w, bias, y);
  Gemm<T> const product{.m = g.n,
                        .n = g.out,
                        .k = g.in,
                        .a = {.data = full_precision(x), .leading = g.in},
                        .b = {.data = w, .leading = g.in, .transposed = true},
                        .c = {.data = full_precision(y), .leading = g.out}};
  bias != nullptr ? gemm_with_bias<B>(context, product, bias) : B::gemm(context, product);
}
/// dx += dy w; dx in low precision is overwritten.
template <class B, class T = typename B::Scalar>
void linear_gradient_input(typename B::Context& context, ConvGeometry const& g, backend::ReadBy<B> const& dy,
                           T const* w, backend::WrittenBy<B> const& dx) {
  if constexpr (backend::MixedPrecision<B>)
    if (is_low_precision(dy)) return B::conv2d_gradient_input(context, g, dy, w, dx);
  B::gemm(context, Gemm<T>{.m = g.n,
                           .n = g.in,
                           .k = g.out,
                           .a = {.data = full_precision(dy), .leading = g.out},
                           .b = {.data = w, .leading = g.in},
                           .c = {.data = full_precision(dx), .leading = g.in},
                           .accumulate = true});
}
/// dw += dy^T x.
template <class B, class T = typename B::Scalar>
void linear_gradient_weight(typename B::Context& context, ConvGeometry const& g, backend::ReadBy<B> const& x,
                            backend::ReadBy<B> const& dy, T* dw) {
  if constexpr (backend::MixedPrecision<B>)
    if (is_low_precision(x)) return B::conv2d_gradient_weight(context, g, x, dy, dw);
  B::gemm(context, Gemm<T>{.m = g.out,
                           .n = g.in,
                           .k = g.n,
                           .a = {.data = full_precision(dy), .leading = g.out, .transposed = true},
                           .b = {.data = full_precision(x), .leading = g.in},
                           .c = {.data = dw, .leading = g.in},
                           .accumulate = true});
}

}  // namespace diffsiam::composed
