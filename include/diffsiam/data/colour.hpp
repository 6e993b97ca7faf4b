// Augmentations that change values: brightness, contrast, saturation, hue, grey. They are those of
// torchvision on [0, 1], applied in place to floats in [-1, 1]; results are clamped.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

#include <diffsiam/data/image_view.hpp>

namespace diffsiam::data {

namespace detail {

/// The ITU-R BT.601 luma of an RGB pixel.
[[nodiscard]] inline float luma(float const* rgb) {
  return 0.299F * rgb[0] + 0.587F * rgb[1] + 0.114F * rgb[2];
}

[[nodiscard]] inline float mean_luma(std::span<float const> image, ImageExtent const& extent) {
  float sum = 0;
  if (extent.channels == 3) {
    for (std::size_t i = 0; i < image.size(); i += 3) sum += luma(image.data() + i);
  } else {
    for (float const value : image) sum += value;
  }
  std::size_t const pixels = extent.channels == 3 ? image.size() / 3 : image.size();
  return sum / static_cast<float>(pixels);
}

}  // namespace detail

/// v f, for v in [0, 1]. A factor f of 1 changes nothing, 0 gives black.
inline void change_brightness(std::span<float> image, ImageExtent const& extent, float factor) {
  detail::require_image("change_brightness", image, extent);
  float const offset = factor - 1.0F;
  for (float& value : image) value = detail::clamp_unit(factor * value + offset);
}

/// v f + m (1 - f), where m is the mean luma of the picture (the mean value unless it is RGB).
inline void change_contrast(std::span<float> image, ImageExtent const& extent, float factor) {
  detail::require_image("change_contrast", image, extent);
  float const offset = (1.0F - factor) * detail::mean_luma(image, extent);
  for (float& value : image) value = detail::clamp_unit(factor * value + offset);
}

/// v f + l (1 - f), where l is the luma of the pixel. Only for RGB; throws ShapeError for other pictures.
inline void change_saturation(std::span<float> image, ImageExtent const& extent, float factor) {
  detail::require_image("change_saturation", image, extent);
  detail::require_colour("change_saturation", extent);
  for (std::size_t i = 0; i < image.size(); i += 3) {
    float const offset = (1.0F - factor) * detail::luma(image.data() + i);
    for (std::size_t c = 0; c < 3; ++c) image[i + c] = detail::clamp_unit(factor * image[i + c] + offset);
  }
}

/// Sets all three channels to the luma. Only for RGB; throws ShapeError for other pictures.
inline void make_grey(std::span<float> image, ImageExtent const& extent) {
  detail::require_image("make_grey", image, extent);
  detail::require_colour("make_grey", extent);
  for (std::size_t i = 0; i < image.size(); i += 3)
    std::fill_n(image.data() + i, 3, detail::luma(image.data() + i));
}

/// Rotates the hue by `turns` of the colour circle (1/3 turns red into green). HSV value and chroma are kept,
/// so white, grey and black do not change. Only for RGB; throws ShapeError for other pictures.
inline void turn_hue(std::span<float> image, ImageExtent const& extent, float turns) {
  detail::require_image("turn_hue", image, extent);
  detail::require_colour("turn_hue", extent);
  float const sixths = 6.0F * (turns - std::floor(turns));
  for (std::size_t i = 0; i < image.size(); i += 3) {
    float const r = image[i], g = image[i + 1], b = image[i + 2];
    float const high = std::max({r, g, b}), low = std::min({r, g, b});
    float const chroma = high - low;
    if (chroma <= 0) continue;
    float const sector = high == r   ? (g - b) / chroma
                         : high == g ? (b - r) / chroma + 2
                                     : (r - g) / chroma + 4;
    // The hue in sixths of the circle, with 0 at red. Each channel is a trapezoid function of it (A. R. Smith
    // 1978).
    float const hue = sector + sixths + 6;
    float const channel_offsets[3] = {5, 3, 1};
    for (std::size_t c = 0; c < 3; ++c) {
      float const shifted = channel_offsets[c] + hue;
      float const k = shifted - 6.0F * std::floor(shifted / 6.0F);
      image[i + c] = high - chroma * std::max(0.0F, std::min({k, 4.0F - k, 1.0F}));
    }
  }
}

}  // namespace diffsiam::data
