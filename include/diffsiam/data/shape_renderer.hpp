// Draws the pictures of data/shapes.hpp: one object, given by its signed distance d (negative inside), on a
// plain background. A pixel has the coverage clamp(1/2 - d), with d in pixels, which smooths the outline over
// one pixel. The same with d + w separates an edge of width w from the fill. The fill has sine stripes that
// rotate with the object.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <span>

#include <diffsiam/data/shape_factors.hpp>

namespace diffsiam::data::detail {

// Lengths, as fractions of the side of the picture.
inline constexpr double least_radius = 0.13, radius_step = 0.0275;
inline constexpr double most_radius = least_radius + 4 * radius_step;
inline constexpr double edge_width = 0.028;
// An object extends at most this many radii from its centre: the distance of a tip of the triangle. Around it
// one pixel stays free in pictures of 16 pixels, and more in larger ones.
inline constexpr double triangle_reach = 1.3;
inline constexpr double margin = most_radius * triangle_reach + 1.0 / 16;
inline constexpr double place_step = (1 - 2 * margin) / 7;
// Waves per side of the picture. The shortest are 4.3 pixels long in pictures of 32 pixels, 2.1 in pictures
// of 16.
inline constexpr double least_frequency = 2.7, frequency_step = 1.6;
// In levels of a pixel, 0..255.
inline constexpr double stripe_contrast = 28;
// As fractions of the object's colour.
inline constexpr double least_edge = 0.4, edge_step = 0.1;

/// The signed distance of (u, v), with v downwards, from an object of radius r. Beyond a corner it is the
/// distance from the nearest line, so corners stay sharp. Areas are from 0.7 (triangle) to 1 (disc) times pi
/// r^2.
[[nodiscard]] inline double shape_distance(int shape, double u, double v, double r) {
  double const longer = std::max(std::abs(u), std::abs(v)), shorter = std::min(std::abs(u), std::abs(v));
  switch (shape) {
    case 0:
      return std::sqrt(u * u + v * v) - r;
    case 1:
      return longer - 0.84 * r;
    case 2:  // the circle cuts off the tips
      return std::max({v - triangle_reach / 2 * r,
                       std::numbers::sqrt3 / 2 * std::abs(u) - v / 2 - triangle_reach / 2 * r,
                       std::sqrt(u * u + v * v) - triangle_reach * r});
    default:  // two crossed bars
      return std::max(longer - 1.08 * r, shorter - 0.42 * r);
  }
}

/// Red, green and blue, or one brightness three times; 0..255.
using Colour = std::array<double, 3>;

[[nodiscard]] inline Colour grey_of(double brightness) {
  return {brightness, brightness, brightness};
}

/// One of eight hues around a grey, all with the same distance from it; 0 is red.
[[nodiscard]] inline Colour hue_around(double grey, double chroma, double eighths) {
  Colour result{};
  for (std::size_t c = 0; c < 3; ++c)
    result[c] = grey + chroma * std::cos(2 * std::numbers::pi * (eighths / 8 - static_cast<double>(c) / 3));
  return result;
}

// In the mean of the channels, fills are brighter than all backgrounds, even in dark stripes, and their hues
// lie between those of the backgrounds. With stripes they stay in 0..255.
[[nodiscard]] inline Colour background_colour(int level, bool grey) {
  if (grey) return grey_of(8 + 11 * level);
  return hue_around(85, 45, level);
}
[[nodiscard]] inline Colour object_colour(int level, bool grey) {
  if (grey) return grey_of(132 + 13 * level);
  return hue_around(160, 62, level + 0.5);
}

/// The nearest level. A value half way between two levels is rounded up, independently of its last bits,
/// which differ between targets.
[[nodiscard]] inline std::uint8_t pixel_level(double value) {
  return static_cast<std::uint8_t>(value + 0.5 + 0x1p-20);
}

/// Draws (side, side, channels) pixels into `out`. The caller has checked all arguments.
inline void render_shape(ShapeValues const& values, int side, int channels, std::span<std::uint8_t> out) {
  auto const level = [&](ShapeFactor factor) { return values[factor_index(factor)]; };
  auto const depth = static_cast<std::size_t>(channels);
  Colour const ground = background_colour(level(ShapeFactor::background), channels == 1);
  Colour const fill = object_colour(level(ShapeFactor::hue), channels == 1);
  double const edge = least_edge + edge_step * level(ShapeFactor::edge);

  std::array<std::uint8_t, 3> plain{};
  std::transform(ground.begin(), ground.end(), plain.begin(), pixel_level);
  for (std::size_t i = 0; i < out.size(); i += depth)
    for (std::size_t c = 0; c < depth; ++c) out[i + c] = plain[c];

  // From here on, lengths are in pixels.
  double const radius = side * (least_radius + radius_step * level(ShapeFactor::size));
  double const x = side * (margin + place_step * level(ShapeFactor::x));
  double const y = side * (margin + place_step * level(ShapeFactor::y));
  double const width = side * edge_width;
  double const angle = std::numbers::pi / 16 * level(ShapeFactor::rotation);
  double const cos = std::cos(angle), sin = std::sin(angle);
  double const waves = least_frequency + frequency_step * level(ShapeFactor::stripe_frequency);
  double const per_pixel = 2 * std::numbers::pi * waves / side;
  // Begins at an eighth of a wave, because stripes that are symmetric about the centre would hardly show a
  // rotation.
  double const phase = std::numbers::pi / 2 * (level(ShapeFactor::stripe_phase) + 0.5);
  auto const covered = [](double d) { return std::clamp(0.5 - d, 0.0, 1.0); };

  double const reach = radius * triangle_reach + 1;
  auto const first = [&](double centre) { return std::max(0, static_cast<int>(centre - reach)); };
  auto const end = [&](double centre) { return std::min(side, static_cast<int>(centre + reach) + 1); };
  for (int row = first(y); row < end(y); ++row) {
    std::uint8_t* pixel = out.data() + static_cast<std::size_t>(row * side + first(x)) * depth;
    for (int column = first(x); column < end(x); ++column, pixel += depth) {
      double const across = column + 0.5 - x, down = row + 0.5 - y;
      double const u = cos * across + sin * down, v = cos * down - sin * across;
      double const distance = shape_distance(level(ShapeFactor::shape), u, v, radius);
      if (distance >= 0.5) continue;
      double const inside = covered(distance + width);
      double const outline = covered(distance) - inside;
      double const stripe = inside > 0 ? stripe_contrast * std::cos(per_pixel * u + phase) : 0.0;
      for (std::size_t c = 0; c < depth; ++c)
        pixel[c] = pixel_level(ground[c] + outline * (edge * fill[c] - ground[c]) +
                               inside * (fill[c] + stripe - ground[c]));
    }
  }
}

}  // namespace diffsiam::data::detail
