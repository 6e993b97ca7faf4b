// The random decisions of an augmentation. All come from one Rng, each from its own element, so turning one
// part off does not change the others.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <tuple>
#include <utility>

#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/geometry.hpp>
#include <diffsiam/data/image_view.hpp>

namespace diffsiam::data::detail {

/// The element of the random stream for each decision.
enum class Draw : std::uint64_t {
  crop,
  crop_place,
  shift,
  shift_place,
  flip,
  jitter,
  jitter_order,
  brightness,
  contrast,
  saturation,
  hue,
  grey,
  blur,
  blur_sigma,
  erase,
  erase_place,
  crop_size = 64,
  erase_size = 128  // one element for each attempt
};

class Draws {
 public:
  explicit Draws(Rng const& rng) : rng_(rng) {}
  [[nodiscard]] bool happens(Draw draw, float probability) const {
    return probability > 0 && rng_.uniform(element(draw)) < probability;
  }
  [[nodiscard]] float between(Draw draw, float low, float high) const {
    return low + (high - low) * rng_.uniform(element(draw));
  }
  /// Integers in [0, bound_0) and [0, bound_1).
  [[nodiscard]] std::pair<int, int> pair_below(Draw draw, int bound_0, int bound_1) const {
    std::array<std::uint32_t, 4> const words = rng_.words(element(draw));
    auto const scaled = [](std::uint32_t word, int bound) {
      return static_cast<int>((std::uint64_t{word} * static_cast<std::uint64_t>(bound)) >> 32);
    };
    return {scaled(words[0], bound_0), scaled(words[1], bound_1)};
  }
  /// A rectangle inside the picture, with area and aspect ratio in the given ranges. After ten attempts that
  /// do not fit, it has the shape of the picture and the largest area.
  [[nodiscard]] Rectangle rectangle(Draw size, Draw place, ImageExtent const& extent, float least_area,
                                    float most_area, float aspect) const {
    auto const height = static_cast<float>(extent.height), width = static_cast<float>(extent.width);
    Rectangle result{.height = rounded(height * std::sqrt(most_area), extent.height),
                     .width = rounded(width * std::sqrt(most_area), extent.width)};
    for (std::uint64_t attempt = 0; attempt < 10; ++attempt) {
      std::array<std::uint32_t, 4> const words = rng_.words(element(size) + attempt);
      float const area = least_area + (most_area - least_area) * uniform(words[0]);
      float const ratio = std::sqrt(std::pow(aspect, 2 * uniform(words[1]) - 1));
      float const side = std::sqrt(area * height * width);
      if (side * ratio >= height + 0.5F || side / ratio >= width + 0.5F) continue;
      result.height = rounded(side * ratio, extent.height);
      result.width = rounded(side / ratio, extent.width);
      break;
    }
    std::tie(result.top, result.left) =
        pair_below(place, extent.height - result.height + 1, extent.width - result.width + 1);
    return result;
  }
  /// 0, 1, 2, 3 in random order.
  [[nodiscard]] std::array<int, 4> order_of_four(Draw draw) const {
    std::array<int, 4> order{0, 1, 2, 3};
    std::array<std::uint32_t, 4> const words = rng_.words(element(draw));
    for (std::size_t i = 3; i > 0; --i)
      std::swap(order[i], order[static_cast<std::size_t>((std::uint64_t{words[i]} * (i + 1)) >> 32)]);
    return order;
  }

 private:
  [[nodiscard]] static std::uint64_t element(Draw draw) { return static_cast<std::uint64_t>(draw); }
  [[nodiscard]] static float uniform(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }
  [[nodiscard]] static int rounded(float side, int most) {
    return std::min(std::max(static_cast<int>(std::lround(side)), 1), most);
  }

  Rng rng_;
};

}  // namespace diffsiam::data::detail
