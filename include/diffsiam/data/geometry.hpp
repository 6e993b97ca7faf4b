// Augmentations that move pixels: flip, shift, random resized crop and erasing. They work in place on floats
// in [-1, 1].
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include <diffsiam/data/image_view.hpp>

namespace diffsiam::data {

namespace detail {

/// Of an image whose size is known to be right.
template <class Value>
void flip_rows(Value* image, ImageExtent const& extent) {
  auto const channels = static_cast<std::size_t>(extent.channels);
  for (int y = 0; y < extent.height; ++y) {
    Value* left = image + static_cast<std::size_t>(y) * extent.pitch();
    Value* right = left + extent.pitch() - channels;
    for (; left < right; left += channels, right -= channels) std::swap_ranges(left, left + channels, right);
  }
}

}  // namespace detail

/// Mirrors the picture from left to right.
inline void flip_horizontally(std::span<float> image, ImageExtent const& extent) {
  detail::require_image("flip_horizontally", image, extent);
  detail::flip_rows(image.data(), extent);
}

/// Moves the picture down by `down` and right by `right` pixels (up and left if negative), and fills the rest
/// with `fill`. This is a random crop of a padded picture.
inline void shift(std::span<float> image, ImageExtent const& extent, int down, int right, float fill,
                  AugmentScratch& scratch) {
  detail::require_image("shift", image, extent);
  std::span<float> const source = scratch.floats(0, image.size());
  std::copy(image.begin(), image.end(), source.begin());
  std::fill(image.begin(), image.end(), fill);
  int const columns = extent.width - std::abs(right);
  if (columns <= 0) return;
  auto const offset = [&](int y, int x) {
    return static_cast<std::ptrdiff_t>(y) * static_cast<std::ptrdiff_t>(extent.pitch()) +
           static_cast<std::ptrdiff_t>(x) * extent.channels;
  };
  for (int y = std::max(0, down); y < extent.height + std::min(0, down); ++y)
    std::copy_n(source.begin() + offset(y - down, std::max(0, -right)), columns * extent.channels,
                image.begin() + offset(y, std::max(0, right)));
}

/// A rectangle of pixels.
/// `top` and `left` count from the upper left corner; `height` and `width` are its sides.
struct Rectangle {
  int top = 0, left = 0, height = 0, width = 0;
};

/// Enlarges a rectangle to the whole picture, bilinear with pixel centres at halves (like torchvision's
/// resize without antialiasing). Throws RangeError for a rectangle outside the picture.
inline void crop_resized(std::span<float> image, ImageExtent const& extent, Rectangle const& crop,
                         AugmentScratch& scratch) {
  detail::require_image("crop_resized", image, extent);
  if (crop.top < 0 || crop.left < 0 || crop.height < 1 || crop.width < 1 ||
      crop.height > extent.height - crop.top || crop.width > extent.width - crop.left)
    fail<RangeError>("crop_resized", "a rectangle inside " + detail::shown(extent),
                     std::to_string(crop.height) + " x " + std::to_string(crop.width) + " at " +
                         std::to_string(crop.top) + ", " + std::to_string(crop.left));
  // The lower source pixel of target pixel i, and how far i lies beyond it.
  auto const locate = [](int i, int target, int source) {
    float const at =
        (static_cast<float>(i) + 0.5F) * static_cast<float>(source) / static_cast<float>(target) - 0.5F;
    float const clamped = std::min(std::max(at, 0.0F), static_cast<float>(source - 1));
    int const low = static_cast<int>(clamped);
    return std::pair(low, clamped - static_cast<float>(low));
  };
  auto const channels = static_cast<std::size_t>(extent.channels);
  std::size_t const pitch = extent.pitch();

  // Rows are first stretched horizontally and then combined in pairs.
  std::span<float> const wide = scratch.floats(0, static_cast<std::size_t>(crop.height) * pitch);
  for (int x = 0; x < extent.width; ++x) {
    auto const [low, part] = locate(x, extent.width, crop.width);
    auto const from = static_cast<std::size_t>(crop.left + low) * channels;
    std::size_t const step = low + 1 < crop.width ? channels : 0;
    auto const to = static_cast<std::size_t>(x) * channels;
    for (int y = 0; y < crop.height; ++y) {
      float const* const source = image.data() + static_cast<std::size_t>(crop.top + y) * pitch + from;
      float* const target = wide.data() + static_cast<std::size_t>(y) * pitch + to;
      for (std::size_t c = 0; c < channels; ++c)
        target[c] = source[c] + part * (source[c + step] - source[c]);
    }
  }
  for (int y = 0; y < extent.height; ++y) {
    auto const [low, part] = locate(y, extent.height, crop.height);
    float const* const upper = wide.data() + static_cast<std::size_t>(low) * pitch;
    float const* const lower = low + 1 < crop.height ? upper + pitch : upper;
    float* const target = image.data() + static_cast<std::size_t>(y) * pitch;
    for (std::size_t i = 0; i < pitch; ++i) target[i] = upper[i] + part * (lower[i] - upper[i]);
  }
}

/// Sets the rectangle to `value`; parts of it outside the picture are ignored.
inline void erase(std::span<float> image, ImageExtent const& extent, Rectangle const& hole, float value) {
  detail::require_image("erase", image, extent);
  int const left = std::max(hole.left, 0);
  int const right = std::min(hole.left + hole.width, extent.width);
  if (left >= right) return;
  for (int y = std::max(hole.top, 0); y < std::min(hole.top + hole.height, extent.height); ++y) {
    float* const row = image.data() + static_cast<std::size_t>(y) * extent.pitch();
    std::fill(row + std::ptrdiff_t{left} * extent.channels, row + std::ptrdiff_t{right} * extent.channels,
              value);
  }
}

}  // namespace diffsiam::data
