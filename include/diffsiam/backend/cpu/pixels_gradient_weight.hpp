// The gradient of the weights of a 1x1 convolution with bfloat16 operands: dw (out, in) += dy^T x, summed
// over pixels. Threads share blocks of output channels, and also pixels if there are few blocks: pixels are
// divided into a fixed number of parts, and the sums of the parts are added in order.
#pragma once

#include <algorithm>
#include <cstddef>

#include <diffsiam/backend/cpu/bf16.hpp>
#include <diffsiam/backend/cpu/winograd_gradient_weight.hpp>

namespace diffsiam::backend::cpu {

/// How the gradient is divided: blocks of output channels, and parts of chunks of pixels.
struct PixelsCut {
  static constexpr Index block = 64, chunk = 128;  ///< output channels of a piece; pixels at a time
  Index pixels, in, out;
  Index blocks, chunks, parts;

  explicit PixelsCut(ConvGeometry const& g)
      : pixels(g.n * g.h * g.w),
        in(g.in),
        out(g.out),
        blocks((g.out + block - 1) / block),
        chunks((pixels + chunk - 1) / chunk),
        parts(std::clamp<Index>(16 / std::max<Index>(1, blocks), 1, std::max<Index>(1, chunks))) {}

  [[nodiscard]] static bool serves(ConvGeometry const& g) {
    return g.kernel == 1 && g.stride == 1 && g.in % lanes<float> == 0 && g.out % lanes<float> == 0;
  }
  /// Elements of the copies of pixels that each thread needs.
  [[nodiscard]] Index copy_elements() const { return chunk * (in + block); }
};

[[nodiscard]] inline std::size_t pixels_gradient_weight_workspace(ConvGeometry const& g, int threads) {
  PixelsCut const cut{g};
  return static_cast<std::size_t>(cut.parts * cut.out * cut.in) * sizeof(float) +
         static_cast<std::size_t>(threads * cut.copy_elements()) * sizeof(BFloat16);
}

/// to (rows / 2, channels, 2) = pairs of rows with `channels` values, `pitch` apart. An odd last row is
/// paired with zeros.
template <class X>
void pair_rows(X const* from, Index pitch, Index rows, Index channels, BFloat16* to) {
  using V = Vector<float>::Type;
  for (Index row = 0; row < rows; row += 2, from += 2 * pitch, to += 2 * channels)
    for (Index c = 0; c < channels; c += lanes<float>) {
      V values[2] = {Summand<float, X>::read(from + c), V{}};
      if (row + 1 < rows) values[1] = Summand<float, X>::read(from + pitch + c);
      Summand<float, BFloat16>::store_group(to + 2 * c, values);
    }
}

/// Adds the gradient of the weights to dw.
template <class X, class D>
void pixels_gradient_weight(HostContext& context, ConvGeometry const& g, X const* x, D const* dy, float* dw) {
  PixelsCut const cut{g};
  Index const size = cut.out * cut.in;
  auto const memory = context.allocate(pixels_gradient_weight_workspace(g, context.threads().threads()));
  auto* const partial = static_cast<float*>(memory.get());
  auto* const copies = reinterpret_cast<BFloat16*>(partial + cut.parts * size);
  context.threads().run(cut.parts * cut.blocks, [&](Index unit, int worker) {
    Index const part = unit / cut.blocks, first = unit % cut.blocks * PixelsCut::block;
    Index const channels = std::min(PixelsCut::block, cut.out - first);
    float* const sums = partial + part * size + first * cut.in;
    BFloat16* const seen = copies + worker * cut.copy_elements();
    BFloat16* const gradients = seen + PixelsCut::chunk * cut.in;
    std::fill_n(sums, channels * cut.in, 0.0F);
    for (Index chunk = part * cut.chunks / cut.parts; chunk < (part + 1) * cut.chunks / cut.parts; ++chunk) {
      Index const from = chunk * PixelsCut::chunk, count = std::min(PixelsCut::chunk, cut.pixels - from);
      pair_rows(x + from * cut.in, cut.in, count, cut.in, seen);
      pair_rows(dy + from * cut.out + first, cut.out, count, channels, gradients);
      winograd::multiply_over_tiles<float, BFloat16>(count, {gradients, channels, 0, channels},
                                                     {seen, cut.in, 0, cut.in}, sums, cut.in, true);
    }
  });
  constexpr Index at_once = Index{1} << 14;
  context.threads().run((size + at_once - 1) / at_once, [&](Index piece, int) {
    for (Index part = 0; part < cut.parts; ++part) {
      float const* const from = partial + part * size;
      for (Index i = piece * at_once; i < std::min((piece + 1) * at_once, size); ++i) dw[i] += from[i];
    }
  });
}

}  // namespace diffsiam::backend::cpu
