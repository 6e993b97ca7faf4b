// AugmentConfig: which augmentations make a view, how probable and how strong they are (Chen et al., SimCLR,
// arXiv 2002.05709; Chen and He, SimSiam, arXiv 2011.10566).
#pragma once

#include <string>
#include <string_view>

#include <diffsiam/core/error.hpp>

namespace diffsiam::data {

/// Random resized crop: areas are fractions of the picture, the aspect ratio is in [1 / aspect, aspect].
struct CropConfig {
  float probability = 0;                   ///< of a crop, in [0, 1]
  float least_area = 0.2F, most_area = 1;  ///< 0 < least_area <= most_area <= 1
  float aspect = 4.0F / 3.0F;              ///< at least 1
};

/// A shift by at most `pixels` in each direction, like the random crop of a padded picture.
struct ShiftConfig {
  float probability = 0;  ///< of a shift, in [0, 1]
  int pixels = 2;
  float fill = -1;  ///< value of the pixels that come in, -1 is black
};

/// Colour jitter in random order. Factors are in [1 - strength, 1 + strength]; the hue is rotated by at most
/// `hue` of a circle.
struct JitterConfig {
  float probability = 0;  ///< of any change, in [0, 1]
  /// Strengths in [0, 1], those of `hue` in [0, 0.5]
  float brightness = 0, contrast = 0, saturation = 0, hue = 0;
};

/// Gaussian blur; sigma is in pixels.
struct BlurConfig {
  float probability = 0;                     ///< of a blur, in [0, 1]
  float least_sigma = 0.1F, most_sigma = 2;  ///< in pixels, 0 < least_sigma <= most_sigma <= 10
};

/// Random erasing of one rectangle: areas are fractions of the picture, the aspect ratio is in [1 / aspect,
/// aspect].
struct EraseConfig {
  float probability = 0;                       ///< of an erasure, in [0, 1]
  float least_area = 0.02F, most_area = 0.2F;  ///< 0 < least_area <= most_area <= 1
  float aspect = 3;                            ///< at least 1
  float value = -1;                            ///< of the erased pixels, -1 is black
};

/// Augmentations are applied in the order of the members. One with probability 0 is never applied; by default
/// none is.
/// The members `crop`, `shift`, `jitter`, `blur` and `erase` have a probability each.
struct AugmentConfig {
  CropConfig crop{};
  ShiftConfig shift{};
  float flip = 0;  ///< probability
  JitterConfig jitter{};
  float to_grey = 0;  ///< probability
  BlurConfig blur{};
  EraseConfig erase{};

  /// For RGB pictures with SimSiam: flip, jitter .4 .4 .4 .1, grey, blur; no crop.
  [[nodiscard]] static AugmentConfig colour() {
    AugmentConfig config;
    config.flip = 0.5F;
    config.jitter = {
        .probability = 0.8F, .brightness = 0.4F, .contrast = 0.4F, .saturation = 0.4F, .hue = 0.1F};
    config.to_grey = 0.2F;
    config.blur.probability = 0.5F;
    return config;
  }
  /// For RGB pictures with NT-Xent: like colour(), but with jitter .8 .8 .8 .2.
  [[nodiscard]] static AugmentConfig strong_colour() {
    AugmentConfig config = colour();
    config.jitter = {
        .probability = 0.8F, .brightness = 0.8F, .contrast = 0.8F, .saturation = 0.8F, .hue = 0.2F};
    return config;
  }
  /// For pictures with one channel: crop, flip, brightness and contrast, blur, erase.
  [[nodiscard]] static AugmentConfig grey() {
    AugmentConfig config;
    config.crop = {.probability = 1, .least_area = 0.3F};
    config.flip = 0.5F;
    config.jitter = {.probability = 0.8F, .brightness = 0.4F, .contrast = 0.4F};
    config.blur = {.probability = 0.5F, .least_sigma = 0.1F, .most_sigma = 1};
    config.erase.probability = 0.25F;
    return config;
  }
};

/// Throws ConfigError for a probability outside [0, 1] or a strength out of range.
inline void require_valid(AugmentConfig const& config) {
  auto const require = [](bool good, std::string_view expected, float actual) {
    if (!good) fail<ConfigError>("AugmentConfig", expected, actual);
  };
  for (float const p :
       {config.crop.probability, config.shift.probability, config.flip, config.jitter.probability,
        config.to_grey, config.blur.probability, config.erase.probability})
    require(p >= 0 && p <= 1, "probabilities in [0, 1]", p);
  for (float const s : {config.jitter.brightness, config.jitter.contrast, config.jitter.saturation})
    require(s >= 0 && s <= 1, "jitter strengths in [0, 1]", s);
  require(config.jitter.hue >= 0 && config.jitter.hue <= 0.5F, "a hue strength in [0, .5]",
          config.jitter.hue);
  require(config.crop.least_area > 0 && config.crop.least_area <= config.crop.most_area &&
              config.crop.most_area <= 1,
          "crop areas 0 < least <= most <= 1", config.crop.least_area);
  require(config.erase.least_area > 0 && config.erase.least_area <= config.erase.most_area &&
              config.erase.most_area <= 1,
          "erase areas 0 < least <= most <= 1", config.erase.least_area);
  require(config.crop.aspect >= 1, "a crop aspect of at least 1", config.crop.aspect);
  require(config.erase.aspect >= 1, "an erase aspect of at least 1", config.erase.aspect);
  require(config.shift.pixels >= 0, "a shift of at least 0 pixels", static_cast<float>(config.shift.pixels));
  require(config.blur.least_sigma > 0 && config.blur.least_sigma <= config.blur.most_sigma &&
              config.blur.most_sigma <= 10,
          "blur sigmas 0 < least <= most <= 10", config.blur.least_sigma);
}

}  // namespace diffsiam::data
