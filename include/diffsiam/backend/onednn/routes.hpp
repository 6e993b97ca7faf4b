// Which convolutions and products oneDNN computes. The ratios below are the time of the Cpu backend divided
// by the time of oneDNN 2.6.3, on one thread of an EPYC with AVX-512, with batches of 64 images of 28x28 or
// less and of 8 images of 64x64 or less.
#pragma once

#include <algorithm>

#include <diffsiam/backend/cpu/winograd_tiles.hpp>
#include <diffsiam/core/products.hpp>

namespace diffsiam::backend::onednn {

/// Winograd's algorithm stays with the Cpu backend: it needs a quarter of the products, and no other layout.
[[nodiscard]] inline bool is_direct(ConvGeometry const& g) {
  return !cpu::winograd::serves<float>(g) && g.n * g.h * g.w * g.in * g.out > 0;
}
/// With so few channels on one side, a 1x1 kernel is limited by memory bandwidth.
inline constexpr Index narrow = 32;

/// Ratios are 1.0 to 1.6, and 4.6 for a 3x3 kernel on few pixels. They are 0.7 to 0.85 for grey images, which
/// fill only one lane of the vectors, and 0.8 to 0.9 for 1x1 kernels with few outputs.
[[nodiscard]] inline bool forward_serves(ConvGeometry const& g) {
  return is_direct(g) && g.in > 1 && (g.kernel > 1 || g.out > narrow);
}
/// Ratios are 1.0 to 1.8, and 7 on few pixels. They are 0.4 to 0.8 for images of one or three channels, and
/// 0.8 to 0.95 for 1x1 kernels with few inputs.
[[nodiscard]] inline bool gradient_input_serves(ConvGeometry const& g) {
  return is_direct(g) && g.in > 4 && (g.kernel > 1 || g.in > narrow);
}
/// Ratios are 1.0 to 1.6, and 2.3 for grey images; 0.8 for a single image, which makes a single part.
[[nodiscard]] inline bool gradient_weight_serves(ConvGeometry const& g) {
  return is_direct(g);
}

/// Ratios are 1.0 to 1.4, highest if B is transposed; see also ProductPlan::serves. Batches of products are
/// small here, and a scale is not worth a kernel.
[[nodiscard]] inline bool gemm_may_serve(Gemm<float> const& g) {
  constexpr Index enough_work = Index{1} << 20;
  return g.batch_outer * g.batch_inner == 1 && g.alpha == 1.0F && std::min({g.m, g.n, g.k}) >= 16 &&
         g.m * g.n * g.k >= enough_work;
}

}  // namespace diffsiam::backend::onednn
