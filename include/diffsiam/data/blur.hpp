// Gaussian blur. It is separable, and the picture is mirrored at its borders without repeating them, as in
// torchvision.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <string>

#include <diffsiam/data/image_view.hpp>

namespace diffsiam::data {

namespace detail {

/// Position `i`, mirrored into [0, size).
[[nodiscard]] inline int mirrored(int i, int size) {
  if (size == 1) return 0;
  int const period = 2 * (size - 1);
  int const inside = ((i % period) + period) % period;
  return inside < size ? inside : period - inside;
}

}  // namespace detail

/// Blurs in place, with weights exp(-i^2 / (2 sigma^2)) for |i| <= ceil(3 sigma), whose sum is 1. Throws
/// RangeError unless sigma is in (0, 10].
inline void blur(std::span<float> image, ImageExtent const& extent, float sigma, AugmentScratch& scratch) {
  detail::require_image("blur", image, extent);
  if (!(sigma > 0 && sigma <= 10)) fail<RangeError>("blur", "sigma in (0, 10]", sigma);
  int const radius = static_cast<int>(std::ceil(3 * sigma));
  std::array<float, 31> weights{};
  float sum = 0;
  for (int i = 0; i <= radius; ++i) {
    auto const distance = static_cast<float>(i) / sigma;
    weights[static_cast<std::size_t>(i)] = std::exp(-0.5F * distance * distance);
    sum += (i == 0 ? 1.0F : 2.0F) * weights[static_cast<std::size_t>(i)];
  }
  for (float& weight : weights) weight /= sum;

  std::size_t const pitch = extent.pitch();
  auto const channels = static_cast<std::size_t>(extent.channels);
  auto const row = [&](std::span<float> rows, int y) {
    return rows.data() + static_cast<std::size_t>(y) * pitch;
  };

  // First the columns, whole rows at a time.
  std::span<float> const columns = scratch.floats(0, image.size());
  for (int y = 0; y < extent.height; ++y) {
    float* const target = row(columns, y);
    float const* const centre = row(image, y);
    for (std::size_t i = 0; i < pitch; ++i) target[i] = weights[0] * centre[i];
    for (int d = 1; d <= radius; ++d) {
      float const* const above = row(image, detail::mirrored(y - d, extent.height));
      float const* const below = row(image, detail::mirrored(y + d, extent.height));
      float const weight = weights[static_cast<std::size_t>(d)];
      for (std::size_t i = 0; i < pitch; ++i) target[i] += weight * (above[i] + below[i]);
    }
  }

  // Then the rows, each extended by its mirror image.
  auto const margin = static_cast<std::size_t>(radius) * channels;
  std::span<float> const padded = scratch.floats(1, pitch + 2 * margin);
  for (int y = 0; y < extent.height; ++y) {
    float const* const source = row(columns, y);
    std::copy_n(source, pitch, padded.begin() + static_cast<std::ptrdiff_t>(margin));
    for (int d = 1; d <= radius; ++d) {
      int const ends[2][2] = {{-d, radius - d}, {extent.width - 1 + d, radius + extent.width - 1 + d}};
      for (auto const& [from, to] : ends)
        std::copy_n(source + static_cast<std::size_t>(detail::mirrored(from, extent.width)) * channels,
                    channels, padded.data() + static_cast<std::size_t>(to) * channels);
    }
    float* const target = row(image, y);
    float const* const centre = padded.data() + margin;
    for (std::size_t i = 0; i < pitch; ++i) target[i] = weights[0] * centre[i];
    for (int d = 1; d <= radius; ++d) {
      float const weight = weights[static_cast<std::size_t>(d)];
      float const* const left = centre - static_cast<std::size_t>(d) * channels;
      float const* const right = centre + static_cast<std::size_t>(d) * channels;
      for (std::size_t i = 0; i < pitch; ++i) target[i] += weight * (left[i] + right[i]);
    }
  }
}

}  // namespace diffsiam::data
