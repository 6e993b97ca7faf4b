// Config: the sizes of a UNet, validated in one place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <diffsiam/config.hpp>
#include <diffsiam/core/error.hpp>
#include <diffsiam/core/shape.hpp>
#include <diffsiam/core/text.hpp>

namespace diffsiam::unet {

/// The denoiser of guided diffusion (Dhariwal and Nichol, 2021). Published, for 64x64x3: base 64, multipliers
/// 1 2 4 8, two blocks a level, attention at factor 4.
struct Config {
  static constexpr Index most_levels = 32, most_channels = Index{1} << 20;  ///< so that no size overflows

  Index in_channels = 3;     ///< of the image, and of the prediction
  Index base_channels = 64;  ///< b; level i has b * multipliers[i] channels, embeddings 4 b
  std::vector<Index> multipliers = {1, 2, 4, 8};  ///< one for each level, from the full size downwards
  Index blocks_per_level = 2;                     ///< r on the way down, r + 1 on the way up
  std::vector<Index> attention_factors = {4};  ///< downsampling factors with attention: 4 is 16x16 of 64x64
  Index heads = 1;                             ///< of each attention
  Index head_channels = 0;                     ///< if not 0: heads = channels / head_channels
  Index groups = 32;                           ///< of every GroupNorm; must divide every channel count
  double dropout = 0;                          ///< probability, in each residual block
  std::uint64_t seed = 0;                      ///< of the initial weights

  /// 28x28 and other small images, sides a multiple of 4: three levels, attention at the lowest.
  [[nodiscard]] static Config for_small(Index in_channels = 1, Index base_channels = 16,
                                        std::uint64_t seed = 0) {
    return {.in_channels = in_channels,
            .base_channels = base_channels,
            .multipliers = {1, 2, 2},
            .blocks_per_level = 1,
            .attention_factors = {4},
            .groups = 8,
            .seed = seed};
  }

  /// Names every field, as files of models store them.
  template <class Self, class F>
  static void for_each_field(Self& self, F&& f) {
    f("in_channels", self.in_channels);
    f("base_channels", self.base_channels);
    f("multipliers", self.multipliers);
    f("blocks_per_level", self.blocks_per_level);
    f("attention_factors", self.attention_factors);
    f("heads", self.heads);
    f("head_channels", self.head_channels);
    f("groups", self.groups);
    f("dropout", self.dropout);
    f("seed", self.seed);
  }

  /// The number of sizes, each half of the one before.
  [[nodiscard]] Index levels() const { return static_cast<Index>(multipliers.size()); }
  /// Of a level in [0, levels()).
  [[nodiscard]] Index channels(Index level) const {
    return base_channels * multipliers[static_cast<std::size_t>(level)];
  }
  /// The width of the time embedding.
  [[nodiscard]] Index embedding() const { return 4 * base_channels; }
  /// Both sides of an image must be multiples of this.
  [[nodiscard]] Index side_multiple() const { return Index{1} << (levels() - 1); }
  /// Whether blocks at this downsampling factor have attention.
  [[nodiscard]] bool attends(Index factor) const {
    return std::find(attention_factors.begin(), attention_factors.end(), factor) != attention_factors.end();
  }
  /// The number of heads of an attention over so many channels.
  [[nodiscard]] Index heads_of(Index channels) const {
    return head_channels == 0 ? heads : channels / head_channels;
  }

  /// Throws ConfigError for the first setting that is wrong.
  DIFFSIAM_STEERS void validate() const {
    if (in_channels < 1 || base_channels < 2 || base_channels % 2 != 0 || blocks_per_level < 1 ||
        multipliers.empty()) {
      fail<ConfigError>(
          "UNet",
          "in_channels >= 1, an even base_channels, blocks_per_level >= 1 and at least one multiplier",
          {in_channels, ", ", base_channels, ", ", blocks_per_level, " and ", multipliers.size(),
           " multipliers"});
    }
    if (levels() > most_levels) fail<ConfigError>("UNet", {"at most ", most_levels, " levels"}, levels());
    for (Index level = 0; level < levels(); ++level) {
      Index const multiplier = multipliers[static_cast<std::size_t>(level)];
      if (base_channels > most_channels || multiplier > most_channels / base_channels)
        fail<ConfigError>("UNet", {"at most ", most_channels, " channels"},
                          {base_channels, " x ", multiplier, " at level ", level});
      Index const c = channels(level);
      if (c < 1 || groups < 1 || c % groups != 0 || base_channels % groups != 0) {
        fail<ConfigError>("UNet", {"channels that divide into ", groups, " groups"},
                          {c, " channels at level ", level}, "set groups to a divisor of base_channels");
      }
      if (attends(Index{1} << level) || level + 1 == levels()) {
        Index const h = heads_of(c);
        if (h < 1 || c % h != 0 || (head_channels != 0 && c % head_channels != 0)) {
          fail<ConfigError>("UNet", "attention channels that divide into heads",
                            {c, " channels, ", h, " heads, head_channels ", head_channels});
        }
      }
    }
    for (Index factor : attention_factors) {
      if (factor < 1 || (factor & (factor - 1)) != 0 || factor > side_multiple()) {
        fail<ConfigError>("UNet", {"attention factors among 1, 2, ... ", side_multiple()}, factor);
      }
    }
  }
  /// Throws ShapeError unless x is (n, h, w, in_channels) and t is (n). The levels must be able to halve the
  /// sides, and every group of channels must keep at least two values.
  DIFFSIAM_STEERS void require_input(Shape const& x, Shape const& t) const {
    require_rank("UNet", 4, x, "(n, h, w, c)");
    if (x[3] != in_channels)
      fail<ShapeError>("UNet", {in_channels, " channels"}, x, layout_hint(x, in_channels));
    if (x[1] % side_multiple() != 0 || x[2] % side_multiple() != 0 || x[1] == 0 || x[2] == 0) {
      fail<ShapeError>("UNet", {"sides that are multiples of ", side_multiple()}, x,
                       {levels(), " levels halve a side ", levels() - 1, " times"});
    }
    for (Index level = 0; level < levels(); ++level) {
      // A level begins with the channels of the level above.
      Index const c = std::min(channels(level), channels(std::max<Index>(0, level - 1)));
      Index const h = x[1] >> level, w = x[2] >> level;
      if (h * w * c == groups)
        fail<ShapeError>("UNet", {"sides that leave two values or more in each of ", groups, " groups"}, x,
                         {"level ", level, " has ", c, " channels at ", h, " x ", w});
    }
    require_shape("UNet", {x[0]}, t, "one time-step a sample");
  }
};

}  // namespace diffsiam::unet
