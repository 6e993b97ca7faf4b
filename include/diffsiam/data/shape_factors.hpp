// The factors of the pictures of data/shapes.hpp: their levels and names, and a number for every combination
// of levels (mixed radix; the last factor changes fastest).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <diffsiam/core/error.hpp>

namespace diffsiam::data {

/// The order of values, columns and combinations. It goes roughly from coarse to fine factors.
enum class ShapeFactor {
  background,        ///< its hue; its brightness if there is one channel
  shape,             ///< disc, square, triangle, cross
  hue,               ///< of the object; its brightness if there is one channel
  size,              ///< of the object, from small to large
  x,                 ///< of its centre, from left to right
  y,                 ///< of its centre, from top to bottom
  rotation,          ///< of outline and stripes, clockwise in [0, 90) degrees
  stripe_frequency,  ///< of a fine texture inside the object, from wide to narrow
  stripe_phase,      ///< in quarters of a wave
  edge               ///< brightness of a thin outline, from dark to bright
};

/// The number of factors.
inline constexpr std::size_t shape_factors = 10;

/// The level of every factor, each in [0, levels).
using ShapeValues = std::array<int, shape_factors>;

/// The number of levels of each factor, in the order of ShapeFactor.
inline constexpr std::array<int, shape_factors> shape_levels{8, 4, 8, 5, 8, 8, 8, 4, 4, 4};
/// The names of the factors, in the same order.
inline constexpr std::array<std::string_view, shape_factors> shape_factor_names{
    "background", "shape", "hue", "size", "x", "y", "rotation", "stripe_frequency", "stripe_phase", "edge"};

/// The number of different pictures.
inline constexpr std::uint64_t shape_combinations = [] {
  std::uint64_t result = 1;
  for (int const levels : shape_levels) result *= static_cast<std::uint64_t>(levels);
  return result;
}();

/// The position of the factor in these arrays.
[[nodiscard]] constexpr std::size_t factor_index(ShapeFactor factor) {
  return static_cast<std::size_t>(factor);
}

/// Throws RangeError for a value outside the levels of its factor.
inline void require_levels(std::string_view operation, ShapeValues const& values) {
  for (std::size_t f = 0; f < shape_factors; ++f)
    if (values[f] < 0 || values[f] >= shape_levels[f])
      fail<RangeError>(operation, {shape_factor_names[f], " in [0, ", shape_levels[f], ")"}, values[f]);
}

/// The number of a combination, in [0, shape_combinations). Throws RangeError for a value outside its levels.
[[nodiscard]] inline std::uint64_t combination_index(ShapeValues const& values) {
  require_levels("combination_index", values);
  std::uint64_t index = 0;
  for (std::size_t f = 0; f < shape_factors; ++f)
    index = index * static_cast<std::uint64_t>(shape_levels[f]) + static_cast<std::uint64_t>(values[f]);
  return index;
}

/// The combination with a number; the inverse of combination_index. Throws RangeError for other numbers.
[[nodiscard]] inline ShapeValues combination(std::uint64_t index) {
  if (index >= shape_combinations)
    fail<RangeError>("combination", {"an index in [0, ", shape_combinations, ")"}, index);
  ShapeValues values{};
  for (std::size_t f = shape_factors; f-- > 0;) {
    auto const levels = static_cast<std::uint64_t>(shape_levels[f]);
    values[f] = static_cast<int>(index % levels);
    index /= levels;
  }
  return values;
}

}  // namespace diffsiam::data
