// augment: one random view of a picture. It depends only on the picture, the configuration and
// (seed, stream, step).
#pragma once

#include <span>

#include <diffsiam/core/error.hpp>
#include <diffsiam/core/philox.hpp>
#include <diffsiam/data/augment_config.hpp>
#include <diffsiam/data/augment_draws.hpp>
#include <diffsiam/data/blur.hpp>
#include <diffsiam/data/colour.hpp>
#include <diffsiam/data/geometry.hpp>
#include <diffsiam/data/image_view.hpp>

namespace diffsiam::data {

namespace detail {

inline void jitter(std::span<float> image, ImageExtent const& extent, JitterConfig const& config,
                   Draws const& draws) {
  auto const factor = [&](Draw draw, float strength) {
    return draws.between(draw, 1 - strength, 1 + strength);
  };
  for (int const part : draws.order_of_four(Draw::jitter_order)) {
    if (part == 0 && config.brightness > 0)
      change_brightness(image, extent, factor(Draw::brightness, config.brightness));
    if (part == 1 && config.contrast > 0)
      change_contrast(image, extent, factor(Draw::contrast, config.contrast));
    if (part == 2 && config.saturation > 0)
      change_saturation(image, extent, factor(Draw::saturation, config.saturation));
    if (part == 3 && config.hue > 0)
      turn_hue(image, extent, draws.between(Draw::hue, -config.hue, config.hue));
  }
}

}  // namespace detail

/// Replaces `image`, floats in [-1, 1], by a random view of it. Throws ShapeError if the values do not fit
/// `extent`, or if a part needs colour and the picture has none.
inline void augment(std::span<float> image, ImageExtent const& extent, AugmentConfig const& config,
                    Rng const& rng, AugmentScratch& scratch) {
  using detail::Draw;
  detail::Draws const draws{rng};
  detail::require_image("augment", image, extent);
  bool const needs_colour = config.to_grey > 0 || (config.jitter.probability > 0 &&
                                                   (config.jitter.saturation > 0 || config.jitter.hue > 0));
  if (needs_colour && extent.channels != 3)
    fail<ShapeError>("augment", "3 channels for saturation, hue and grey", detail::shown(extent),
                     "AugmentConfig::grey() suits pictures of one channel");
  if (draws.happens(Draw::crop, config.crop.probability))
    crop_resized(image, extent,
                 draws.rectangle(Draw::crop_size, Draw::crop_place, extent, config.crop.least_area,
                                 config.crop.most_area, config.crop.aspect),
                 scratch);
  if (draws.happens(Draw::shift, config.shift.probability)) {
    int const choices = 2 * config.shift.pixels + 1;
    auto const [down, right] = draws.pair_below(Draw::shift_place, choices, choices);
    shift(image, extent, down - config.shift.pixels, right - config.shift.pixels, config.shift.fill, scratch);
  }
  if (draws.happens(Draw::flip, config.flip)) flip_horizontally(image, extent);
  if (draws.happens(Draw::jitter, config.jitter.probability))
    detail::jitter(image, extent, config.jitter, draws);
  if (draws.happens(Draw::grey, config.to_grey)) make_grey(image, extent);
  if (draws.happens(Draw::blur, config.blur.probability))
    blur(image, extent, draws.between(Draw::blur_sigma, config.blur.least_sigma, config.blur.most_sigma),
         scratch);
  if (draws.happens(Draw::erase, config.erase.probability))
    erase(image, extent,
          draws.rectangle(Draw::erase_size, Draw::erase_place, extent, config.erase.least_area,
                          config.erase.most_area, config.erase.aspect),
          config.erase.value);
}

}  // namespace diffsiam::data
