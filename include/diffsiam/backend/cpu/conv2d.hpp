// Convolutions of the Cpu backend: blocks of output pixels are gathered into rows of (kh, kw, in) and
// multiplied. No buffer is larger than a block; images are the unit of threads.
#pragma once

#include <algorithm>

#include <diffsiam/backend/cpu/gemm.hpp>

namespace diffsiam::backend::cpu {

/// Output pixels gathered at a time: one tile of the product.
template <class T>
inline constexpr Index conv_block = gemm_tile<T>;
/// Partial sums of a weight gradient: fixed, so that the order of additions does not depend on threads.
inline constexpr Index weight_gradient_parts = 8;

/// Elements of one gathered block.
template <class T>
[[nodiscard]] Index patch_elements(ConvGeometry const& g) {
  return conv_block<T> * g.depth();
}

/// Bytes of workspace, for the three functions below.
template <class T>
[[nodiscard]] std::size_t conv2d_workspace(ConvGeometry const& g, int threads) {
  return static_cast<std::size_t>(threads * patch_elements<T>(g)) * sizeof(T);
}
template <class T>
[[nodiscard]] std::size_t conv2d_gradient_input_workspace(ConvGeometry const& g, int threads) {
  if (g.stride != 1) return conv2d_workspace<T>(g, threads);
  ConvGeometry const back{g.n, g.h, g.w, g.out, g.in, g.kernel, 1};
  return static_cast<std::size_t>(g.out * g.depth()) * sizeof(T) + conv2d_workspace<T>(back, threads);
}
template <class T>
[[nodiscard]] std::size_t conv2d_gradient_weight_workspace(ConvGeometry const& g, int threads) {
  Index const parts = std::min(weight_gradient_parts, g.n);
  return static_cast<std::size_t>(parts * g.out * g.depth()) * sizeof(T) + conv2d_workspace<T>(g, threads);
}

namespace detail {

/// A 1x1 kernel at stride 1: the image already is the matrix.
[[nodiscard]] inline bool is_pointwise(ConvGeometry const& g) {
  return g.kernel == 1 && g.stride == 1;
}

/// rows (count, depth): what the outputs [first, first + count) of one image see, zero outside it.
template <class T>
void gather(ConvGeometry const& g, T const* image, Index first, Index count, T* rows) {
  Index oh = first / g.out_w(), ow = first % g.out_w();
  for (Index r = 0; r < count; ++r) {
    for (Index kh = 0; kh < g.kernel; ++kh) {
      Index const h = oh * g.stride + kh - g.padding();
      Index const w = ow * g.stride - g.padding();
      Index const size = g.kernel * g.in;
      if (h < 0 || h >= g.h) {
        std::fill_n(rows, size, T(0));
      } else {
        // The taps of one row of the kernel lie next to each other in the image.
        Index const left = std::max<Index>(0, -w), right = std::min(g.kernel, g.w - w);
        T const* const from = image + (h * g.w + w + left) * g.in;
        std::fill_n(rows, left * g.in, T(0));
        std::copy_n(from, (right - left) * g.in, rows + left * g.in);
        std::fill_n(rows + right * g.in, (g.kernel - right) * g.in, T(0));
      }
      rows += size;
    }
    if (++ow == g.out_w()) ow = 0, ++oh;
  }
}

/// image += rows, the transpose of gather.
template <class T>
void scatter(ConvGeometry const& g, T const* rows, Index first, Index count, T* image) {
  Index oh = first / g.out_w(), ow = first % g.out_w();
  for (Index r = 0; r < count; ++r) {
    for (Index kh = 0; kh < g.kernel; ++kh) {
      Index const h = oh * g.stride + kh - g.padding();
      Index const w = ow * g.stride - g.padding();
      if (h >= 0 && h < g.h) {
        Index const left = std::max<Index>(0, -w), right = std::min(g.kernel, g.w - w);
        T* const to = image + (h * g.w + w + left) * g.in;
        T const* const from = rows + left * g.in;
        for (Index i = 0; i < (right - left) * g.in; ++i) to[i] += from[i];
      }
      rows += g.kernel * g.in;
    }
    if (++ow == g.out_w()) ow = 0, ++oh;
  }
}

/// y (pixels, out) (+)= gathered x times w^T, for one image, block by block.
template <class T>
void convolve_image(ConvGeometry const& g, T const* x, T const* w, T* patches, T* y, bool accumulate) {
  Index const pixels = g.out_h() * g.out_w();
  for (Index first = 0; first < pixels; first += conv_block<T>) {
    Index const count = std::min(conv_block<T>, pixels - first);
    T const* rows = x + first * g.in;
    if (!is_pointwise(g)) {
      gather(g, x, first, count, patches);
      rows = patches;
    }
    for (Index column = 0; column < g.out; column += gemm_tile<T>) {
      multiply_tile<T>(count, std::min(gemm_tile<T>, g.out - column), g.depth(), {rows, g.depth()},
                       {w + column * g.depth(), g.depth(), true}, {y + first * g.out + column, g.out}, T(1),
                       accumulate);
    }
  }
}

}  // namespace detail

template <class T>
void conv2d(HostContext& context, ConvGeometry const& g, T const* x, T const* w, T const* bias, T* y) {
  auto const memory = context.allocate(conv2d_workspace<T>(g, context.threads().threads()));
  T* const workspace = static_cast<T*>(memory.get());
  Index const pixels = g.out_h() * g.out_w();
  context.threads().run(g.n, [&](Index n, int worker) {
    T* const image = y + n * pixels * g.out;
    if (bias != nullptr)
      for (Index pixel = 0; pixel < pixels; ++pixel) std::copy_n(bias, g.out, image + pixel * g.out);
    detail::convolve_image(g, x + n * g.h * g.w * g.in, w, workspace + worker * patch_elements<T>(g), image,
                           bias != nullptr);
  });
}

/// At stride 1 the gradient is itself a convolution, with the kernel turned round; otherwise patches are
/// scattered.
template <class T>
void conv2d_gradient_input(HostContext& context, ConvGeometry const& g, T const* dy, T const* w, T* dx) {
  auto const memory = context.allocate(conv2d_gradient_input_workspace<T>(g, context.threads().threads()));
  T* const workspace = static_cast<T*>(memory.get());
  Index const pixels = g.out_h() * g.out_w();
  if (g.stride == 1) {
    T* const turned = workspace;
    Index const taps = g.kernel * g.kernel;
    for (Index i = 0; i < g.in; ++i)
      for (Index tap = 0; tap < taps; ++tap)
        for (Index o = 0; o < g.out; ++o)
          turned[(i * taps + tap) * g.out + o] = w[(o * taps + taps - 1 - tap) * g.in + i];
    ConvGeometry const back{g.n, g.h, g.w, g.out, g.in, g.kernel, 1};
    T* const patches = workspace + g.out * g.depth();
    context.threads().run(g.n, [&](Index n, int worker) {
      detail::convolve_image(back, dy + n * pixels * g.out, turned,
                             patches + worker * patch_elements<T>(back), dx + n * g.h * g.w * g.in, true);
    });
    return;
  }
  context.threads().run(g.n, [&](Index n, int worker) {
    T* const patches = workspace + worker * patch_elements<T>(g);
    for (Index first = 0; first < pixels; first += conv_block<T>) {
      Index const count = std::min(conv_block<T>, pixels - first);
      for (Index column = 0; column < g.depth(); column += gemm_tile<T>) {
        multiply_tile<T>(count, std::min(gemm_tile<T>, g.depth() - column), g.out,
                         {dy + (n * pixels + first) * g.out, g.out}, {w + column, g.depth()},
                         {patches + column, g.depth()}, T(1), false);
      }
      detail::scatter(g, patches, first, count, dx + n * g.h * g.w * g.in);
    }
  });
}

/// Images are dealt to a fixed number of parts; the parts are added in their order.
template <class T>
void conv2d_gradient_weight(HostContext& context, ConvGeometry const& g, T const* x, T const* dy, T* dw) {
  auto const memory = context.allocate(conv2d_gradient_weight_workspace<T>(g, context.threads().threads()));
  Index const parts = std::min(weight_gradient_parts, g.n);
  Index const weights = g.out * g.depth();
  Index const pixels = g.out_h() * g.out_w();
  T* const partial = static_cast<T*>(memory.get());
  T* const workspace = partial + parts * weights;
  context.threads().run(parts, [&](Index part, int worker) {
    T* const sums = partial + part * weights;
    T* const patches = workspace + worker * patch_elements<T>(g);
    std::fill_n(sums, weights, T(0));
    for (Index n = part * g.n / parts; n < (part + 1) * g.n / parts; ++n) {
      T const* const image = x + n * g.h * g.w * g.in;
      for (Index first = 0; first < pixels; first += conv_block<T>) {
        Index const count = std::min(conv_block<T>, pixels - first);
        T const* rows = image + first * g.in;
        if (!detail::is_pointwise(g)) {
          detail::gather(g, image, first, count, patches);
          rows = patches;
        }
        for (Index row = 0; row < g.out; row += gemm_tile<T>)
          for (Index column = 0; column < g.depth(); column += gemm_tile<T>) {
            multiply_tile<T>(std::min(gemm_tile<T>, g.out - row), std::min(gemm_tile<T>, g.depth() - column),
                             count, {dy + (n * pixels + first) * g.out + row, g.out, true},
                             {rows + column, g.depth()}, {sums + row * g.depth() + column, g.depth()}, T(1),
                             true);
          }
      }
    }
  });
  context.threads().run((weights + 4095) / 4096, [&](Index piece, int) {
    for (Index i = piece * 4096; i < std::min((piece + 1) * 4096, weights); ++i)
      for (Index part = 0; part < parts; ++part) dw[i] += partial[part * weights + i];
  });
}

}  // namespace diffsiam::backend::cpu
