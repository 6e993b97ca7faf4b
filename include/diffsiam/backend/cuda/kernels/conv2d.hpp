// Convolutions by direct sums, with one value for each thread. They are correct for every shape but slow, and
// are used if cuDNN has no plan.
#pragma once

#include <diffsiam/backend/cuda/kernels/access.hpp>
#include <diffsiam/backend/cuda/kernels/lane.hpp>
#include <diffsiam/backend/cuda/kernels/places.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::cuda {

/// A pixel of a batch of images.
struct Pixel {
  Index n, h, w;
};
[[nodiscard]] DIFFSIAM_HOST_DEVICE constexpr Pixel pixel_at(Index index, Index height, Index width) {
  Division const row = divide(index, width);
  Division const image = divide(row.quotient, height);
  return {image.quotient, image.rest, row.rest};
}

/// y = x * w + bias; each thread computes one value of y.
template <class T, class In, class Out>
struct DirectConv2d {
  struct Shared {};
  static constexpr bool synchronises = false;
  ConvGeometry g;
  In x;
  T const *w, *bias;
  Out y;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const index = lane.block() * block_threads + lane.thread();
    if (index >= g.n * g.out_h() * g.out_w() * g.out) return;
    Division const at = divide(index, g.out);
    Pixel const p = pixel_at(at.quotient, g.out_h(), g.out_w());
    T sum = bias != nullptr ? bias[at.rest] : T(0);
    for (Index kh = 0; kh < g.kernel; ++kh)
      for (Index kw = 0; kw < g.kernel; ++kw) {
        Index const h = p.h * g.stride + kh - g.padding(), v = p.w * g.stride + kw - g.padding();
        if (h < 0 || h >= g.h || v < 0 || v >= g.w) continue;
        Index const in = ((p.n * g.h + h) * g.w + v) * g.in;
        T const* const weight = w + ((at.rest * g.kernel + kh) * g.kernel + kw) * g.in;
        for (Index i = 0; i < g.in; ++i) sum += read<T>(x, in + i) * weight[i];
      }
    write(y, index, sum);
  }
};

/// dx += the gradient of the input; each thread computes one value of dx.
template <class T, class In, class Out>
struct DirectConv2dGradientInput {
  struct Shared {};
  static constexpr bool synchronises = false;
  ConvGeometry g;
  In dy;
  T const* w;
  Out dx;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const index = lane.block() * block_threads + lane.thread();
    if (index >= g.n * g.h * g.w * g.in) return;
    Division const at = divide(index, g.in);
    Pixel const p = pixel_at(at.quotient, g.h, g.w);
    T sum = T(0);
    for (Index kh = 0; kh < g.kernel; ++kh)
      for (Index kw = 0; kw < g.kernel; ++kw) {
        Index const h = p.h + g.padding() - kh, v = p.w + g.padding() - kw;
        if (h < 0 || v < 0 || h % g.stride != 0 || v % g.stride != 0) continue;
        Index const oh = h / g.stride, ow = v / g.stride;
        if (oh >= g.out_h() || ow >= g.out_w()) continue;
        Index const out = ((p.n * g.out_h() + oh) * g.out_w() + ow) * g.out;
        for (Index o = 0; o < g.out; ++o)
          sum += read<T>(dy, out + o) * w[((o * g.kernel + kh) * g.kernel + kw) * g.in + at.rest];
      }
    add_gradient(dx, index, sum);
  }
};

/// dw += the gradient of the weights; each thread computes one value of dw.
template <class T, class In>
struct DirectConv2dGradientWeight {
  struct Shared {};
  static constexpr bool synchronises = false;
  ConvGeometry g;
  In x, dy;
  T* dw;

  template <Lane L>
  DIFFSIAM_KERNEL void operator()(L& lane, Shared&) const {
    Index const index = lane.block() * block_threads + lane.thread();
    if (index >= g.out * g.depth()) return;
    Division const filter = divide(index, g.depth());
    Division const tap = divide(filter.rest, g.in);
    Division const k = divide(tap.quotient, g.kernel);
    T sum = T(0);
    for (Index row = 0; row < g.n * g.out_h(); ++row) {
      Division const at = divide(row, g.out_h());
      Index const h = at.rest * g.stride + k.quotient - g.padding();
      if (h < 0 || h >= g.h) continue;
      Index const out = row * g.out_w() * g.out + filter.quotient;
      Index const in = (at.quotient * g.h + h) * g.w * g.in + tap.rest;
      T of_row = T(0);  // rows are summed separately, so that rounding errors stay small
      for (Index ow = 0; ow < g.out_w(); ++ow) {
        Index const v = ow * g.stride + k.rest - g.padding();
        if (v >= 0 && v < g.w) of_row += read<T>(dy, out + ow * g.out) * read<T>(x, in + v * g.in);
      }
      sum += of_row;
    }
    dw[index] += sum;
  }
};

// Images and their gradients are pointers or MixedPointers.
template <class Device, class In, class T, class Out>
void direct_conv2d(typename Device::Context& context, ConvGeometry const& g, In const& x, T const* w,
                   T const* bias, Out const& y) {
  Device::launch(context, blocks_for(g.n * g.out_h() * g.out_w() * g.out, block_threads),
                 DirectConv2d<T, In, Out>{g, x, w, bias, y});
}
template <class Device, class In, class T, class Out>
void direct_conv2d_gradient_input(typename Device::Context& context, ConvGeometry const& g, In const& dy,
                                  T const* w, Out const& dx) {
  Device::launch(context, blocks_for(g.n * g.h * g.w * g.in, block_threads),
                 DirectConv2dGradientInput<T, In, Out>{g, dy, w, dx});
}
template <class Device, class In, class T>
void direct_conv2d_gradient_weight(typename Device::Context& context, ConvGeometry const& g, In const& x,
                                   In const& dy, T* dw) {
  Device::launch(context, blocks_for(g.out * g.depth(), block_threads),
                 DirectConv2dGradientWeight<T, In>{g, x, dy, dw});
}

}  // namespace diffsiam::backend::cuda
