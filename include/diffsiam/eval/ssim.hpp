// Structural similarity (SSIM: Wang et al. 2004): local means m, deviations s and the covariance s_ab in an
// 11 x 11 Gaussian window of sigma 1.5,
//   SSIM = (2 m_a m_b + C1)(2 s_ab + C2) / ((m_a^2 + m_b^2 + C1)(s_a^2 + s_b^2 + C2)),
// with C1 = .01^2 and C2 = .03^2, for pictures in [0, 1].
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::eval {

/// What the window does at the border: it stays inside the picture, or sees zeros outside as in published
/// figures.
enum class SsimBorder { valid, zero };

namespace detail {

inline constexpr int ssim_radius = 5;

[[nodiscard]] inline std::array<double, 2 * ssim_radius + 1> ssim_window() {
  std::array<double, 2 * ssim_radius + 1> window{};
  double sum = 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    double const x = static_cast<double>(i) - ssim_radius;
    sum += window[i] = std::exp(-x * x / (2 * 1.5 * 1.5));
  }
  for (double& weight : window) weight /= sum;
  return window;
}

/// The mean of `plane` (h, w) in the window around every pixel, with zeros outside. It is separable, and in
/// place.
inline void ssim_filter(std::vector<double>& plane, std::vector<double>& scratch, Index height, Index width) {
  static constexpr auto radius = Index{ssim_radius};
  std::array<double, 2 * ssim_radius + 1> const window = ssim_window();
  auto const pass = [&](std::vector<double> const& from, std::vector<double>& to, Index lines, Index length,
                        Index line_stride, Index stride) {
    for (Index line = 0; line < lines; ++line)
      for (Index i = 0; i < length; ++i) {
        double sum = 0;
        for (Index j = std::max(i - radius, Index{0}); j <= std::min(i + radius, length - 1); ++j)
          sum += window[static_cast<std::size_t>(j - i + radius)] *
                 from[static_cast<std::size_t>(line * line_stride + j * stride)];
        to[static_cast<std::size_t>(line * line_stride + i * stride)] = sum;
      }
  };
  pass(plane, scratch, height, width, width, 1);
  pass(scratch, plane, width, height, 1, width);
}

}  // namespace detail

/// The mean over pixels, channels and pictures of `a` and `b`, both (n, h, w, c) with values in [0, 1]; at
/// most 1, which equal pictures have. Throws ShapeError for counts that do not fit, or a side below 11 with
/// the border `valid`; RangeError for values beyond 1000 or NaN, whose rounding errors would exceed C1 and
/// C2.
[[nodiscard]] inline double ssim(std::span<float const> a, std::span<float const> b, Shape const& shape,
                                 SsimBorder border = SsimBorder::valid) {
  require_rank("ssim", 4, shape, "(n, h, w, c)");
  auto const size = static_cast<std::size_t>(shape.size());
  if (size == 0 || a.size() != size || b.size() != size)
    fail<ShapeError>("ssim",
                     "two times " + std::to_string(size) + " values, more than 0, for " + to_string(shape),
                     std::to_string(a.size()) + " and " + std::to_string(b.size()));
  Index const height = shape[1], width = shape[2], channels = shape[3];
  Index const margin = border == SsimBorder::valid ? detail::ssim_radius : 0;
  if (height <= 2 * margin || width <= 2 * margin)
    fail<ShapeError>("ssim", "pictures of at least 11 x 11", shape, "or SsimBorder::zero");

  for (std::span<float const> const side : {a, b})
    for (float const value : side)
      if (!(std::abs(value) <= 1000)) fail<RangeError>("ssim", "pictures on [0, 1]", {"a value of ", value});

  auto const pixels = static_cast<std::size_t>(height * width);
  std::vector<double> mean_a(pixels), mean_b(pixels), aa(pixels), bb(pixels), ab(pixels), scratch(pixels);
  constexpr double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
  double sum = 0;
  for (Index plane = 0; plane < shape[0] * channels; ++plane) {
    auto const offset =
        static_cast<std::size_t>(plane / channels * height * width * channels + plane % channels);
    for (std::size_t i = 0; i < pixels; ++i) {
      auto const x = static_cast<double>(a[offset + i * static_cast<std::size_t>(channels)]);
      auto const y = static_cast<double>(b[offset + i * static_cast<std::size_t>(channels)]);
      mean_a[i] = x, mean_b[i] = y, aa[i] = x * x, bb[i] = y * y, ab[i] = x * y;
    }
    for (std::vector<double>* const field : {&mean_a, &mean_b, &aa, &bb, &ab})
      detail::ssim_filter(*field, scratch, height, width);
    for (Index y = margin; y < height - margin; ++y)
      for (Index x = margin; x < width - margin; ++x) {
        auto const i = static_cast<std::size_t>(y * width + x);
        double const m_aa = mean_a[i] * mean_a[i], m_bb = mean_b[i] * mean_b[i], m_ab = mean_a[i] * mean_b[i];
        sum += (2 * m_ab + c1) * (2 * (ab[i] - m_ab) + c2) /
               ((m_aa + m_bb + c1) * (aa[i] - m_aa + bb[i] - m_bb + c2));
      }
  }
  return sum / static_cast<double>(shape[0] * channels * (height - 2 * margin) * (width - 2 * margin));
}

}  // namespace diffsiam::eval
