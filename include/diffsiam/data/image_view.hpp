// ImageExtent and AugmentScratch: what all augmentations use. A picture is floats in [-1, 1], channels last.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>

namespace diffsiam::data {

/// The extents of one picture, (h, w, c).
/// `height` and `width` are in pixels, and `channels` are values in each pixel.
struct ImageExtent {
  int height = 0;
  int width = 0;
  int channels = 1;

  /// Number of values in the picture.
  [[nodiscard]] constexpr std::size_t size() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) *
           static_cast<std::size_t>(channels);
  }
  /// Number of values in a row.
  [[nodiscard]] constexpr std::size_t pitch() const {
    return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
  [[nodiscard]] constexpr bool operator==(ImageExtent const&) const = default;
};

/// Memory that augmentations reuse for picture after picture. Each thread needs its own. It grows and never
/// shrinks.
class AugmentScratch {
 public:
  /// `size` floats with indeterminate contents, in slot 0 or 1. The former span of the slot becomes invalid.
  [[nodiscard]] std::span<float> floats(std::size_t slot, std::size_t size) {
    std::vector<float>& memory = slots_[slot];
    if (memory.size() < size) memory.resize(size);
    return std::span(memory).first(size);
  }

 private:
  std::vector<float> slots_[2];
};

namespace detail {

[[nodiscard]] inline float clamp_unit(float value) {
  return std::min(std::max(value, -1.0F), 1.0F);
}

[[nodiscard]] inline std::string shown(ImageExtent const& extent) {
  return to_string(Shape{extent.height, extent.width, extent.channels});
}

inline void require_image(std::string_view operation, std::span<float const> image,
                          ImageExtent const& extent) {
  if (extent.height < 1 || extent.width < 1 || extent.channels < 1 || image.size() != extent.size())
    fail<ShapeError>(operation, "as many values as " + shown(extent) + " says", image.size());
}

inline void require_colour(std::string_view operation, ImageExtent const& extent) {
  if (extent.channels != 3)
    fail<ShapeError>(operation, "3 channels", shown(extent), "grey pictures have no colour to change");
}

}  // namespace detail
}  // namespace diffsiam::data
