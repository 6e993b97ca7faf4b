// fit_picture: a picture of any extents as one of fixed extents, as a data set needs them.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <diffsiam/core/error.hpp>
#include <diffsiam/data/image_view.hpp>
#include <diffsiam/data/resize.hpp>
#include <diffsiam/io/picture.hpp>

namespace diffsiam::data {

/// How a picture comes to another aspect:
/// crop: its centre is cut to the new aspect, then resized (Pillow's ImageOps.fit);
/// pad: it is resized to fit inside, in the middle of the ground (ImageOps.pad);
/// stretch: height and width are resized each on its own (Image.resize).
enum class Fit { crop, pad, stretch };

/// A rectangle of whole pixels.
/// `top` and `left` count from the upper left corner; `height` and `width` are its sides.
struct CropBox {
  int top = 0;
  int left = 0;
  int height = 0;
  int width = 0;

  [[nodiscard]] constexpr bool operator==(CropBox const&) const = default;
};

/// How pictures become pictures of one size.
struct FitConfig {
  int height = 0;  ///< of the result in pixels, at least 1
  int width = 0;   ///< of the result in pixels, at least 1
  /// 1 or 3. Grey becomes RGB by repetition; RGB becomes grey by luma().
  int channels = 3;
  Fit fit = Fit::crop;               ///< what happens where the aspect differs
  Filter filter = Filter::bilinear;  ///< with which pictures are resized
  /// Red, green and blue around a picture that is padded.
  std::array<std::uint8_t, 3> ground{255, 255, 255};
  /// Cut out before anything else, where a published protocol asks for it. That of CelebA: {57, 25, 128,
  /// 128}.
  std::optional<CropBox> box{};

  [[nodiscard]] bool operator==(FitConfig const&) const = default;
  /// (h, w, c) of the result.
  [[nodiscard]] ImageExtent extent() const { return {height, width, channels}; }
};

/// Throws ConfigError for sides outside of 1 .. 2^15, channels other than 1 and 3, and a box that begins
/// before the picture or has no pixel.
inline void require_fit(FitConfig const& config, std::string_view operation = "FitConfig") {
  int const shortest = std::min(config.height, config.width), longest = std::max(config.height, config.width);
  if (shortest < 1 || longest > detail::longest_side || (config.channels != 1 && config.channels != 3))
    fail<ConfigError>(operation, {"sides of 1 .. ", detail::longest_side, ", and 1 or 3 channels"},
                      detail::shown(config.extent()));
  CropBox const box = config.box.value_or(CropBox{0, 0, 1, 1});
  if (box.top < 0 || box.left < 0 || box.height < 1 || box.width < 1)
    fail<ConfigError>(operation, "a box at 0 or beyond, of 1 x 1 or more",
                      {box.height, " x ", box.width, " at (", box.top, ", ", box.left, ")"});
}

/// Luma of ITU-R 601 in 16 bits, (19595 R + 38470 G + 7471 B + 2^15) / 2^16, as Pillow's mode "L" has it.
[[nodiscard]] constexpr std::uint8_t luma(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return static_cast<std::uint8_t>((19595U * red + 38470U * green + 7471U * blue + 0x8000U) >> 16);
}

namespace detail {

/// What of a picture is resized, and to which extents.
struct FitPlan {
  Region region;
  int height, width;
};

[[nodiscard]] inline FitPlan fit_plan(PixelView const& source, FitConfig const& config) {
  double const height = source.height, width = source.width;
  FitPlan plan{{0, 0, height, width}, config.height, config.width};
  double const aspect = width / height, new_aspect = double(config.width) / config.height;
  if (config.fit == Fit::stretch || aspect == new_aspect) return plan;
  bool const wider = aspect > new_aspect;
  if (config.fit == Fit::crop) {
    Region& region = plan.region;
    (wider ? region.width : region.height) = wider ? new_aspect * height : width / new_aspect;
    region.left = (width - region.width) / 2;
    region.top = (height - region.height) / 2;
  } else {  // halves to even, as Python rounds
    (wider ? plan.height : plan.width) = std::max(
        1, static_cast<int>(std::nearbyint(wider ? height / width * config.width : aspect * config.height)));
  }
  return plan;
}

/// `count` pixels of `from` channels as pixels of `to` channels.
inline void convert_channels(std::uint8_t const* source, int from, std::size_t count, int to,
                             std::uint8_t* out) {
  if (from == to) {
    std::copy_n(source, count * static_cast<std::size_t>(from), out);
  } else if (from == 1) {
    for (std::size_t i = 0; i < count; ++i) std::fill_n(out + 3 * i, 3, source[i]);
  } else {
    for (std::size_t i = 0; i < count; ++i)
      out[i] = data::luma(source[3 * i], source[3 * i + 1], source[3 * i + 2]);
  }
}

[[nodiscard]] inline PixelView view_of(io::Picture const& picture, CropBox const& box) {
  auto const channels = static_cast<std::size_t>(picture.channels);
  auto const pitch = static_cast<std::size_t>(picture.width) * channels;
  std::size_t const first =
      static_cast<std::size_t>(box.top) * pitch + static_cast<std::size_t>(box.left) * channels;
  return {picture.pixels.data() + first, box.height, box.width, picture.channels, pitch};
}

}  // namespace detail

/// Writes the picture as config.extent() has it into `out`, (h, w, c). A picture that is smaller is enlarged.
/// Throws ConfigError as require_fit() does; ShapeError for a picture that is none or that does not hold the
/// box, and for `out` of another size.
inline void fit_picture(io::Picture const& picture, FitConfig const& config, std::span<std::uint8_t> out) {
  constexpr std::string_view operation = "fit_picture";
  require_fit(config, operation);
  io::detail::require_picture(picture, operation);
  if (out.size() != config.extent().size())
    fail<ShapeError>(operation, {config.extent().size(), " values of `out`"}, out.size());
  CropBox const box = config.box.value_or(CropBox{0, 0, picture.height, picture.width});
  if (box.height > picture.height - box.top || box.width > picture.width - box.left)
    fail<ShapeError>(operation,
                     {"a picture that holds a box of ", box.height, " x ", box.width, " at (", box.top, ", ",
                      box.left, ")"},
                     io::detail::shown_extents(picture));

  detail::PixelView const source = detail::view_of(picture, box);
  detail::FitPlan const plan = detail::fit_plan(source, config);
  bool const fills = plan.height == config.height && plan.width == config.width;
  if (fills && picture.channels == config.channels)
    return detail::resize_view(source, plan.region, plan.height, plan.width, config.filter, out.data());

  ImageExtent const inner{plan.height, plan.width, picture.channels};
  std::vector<std::uint8_t> resized(inner.size());
  detail::resize_view(source, plan.region, plan.height, plan.width, config.filter, resized.data());
  if (!fills) {
    auto const [red, green, blue] = config.ground;
    std::array<std::uint8_t, 3> const ground =
        config.channels == 3 ? config.ground : std::array<std::uint8_t, 3>{luma(red, green, blue)};
    for (std::size_t i = 0; i < out.size(); ++i)
      out[i] = ground[i % static_cast<std::size_t>(config.channels)];
  }
  auto const middle = [](int outer, int part) {
    return static_cast<std::size_t>(std::nearbyint((outer - part) * 0.5));
  };
  std::size_t const top = middle(config.height, plan.height), left = middle(config.width, plan.width);
  for (std::size_t y = 0; y < static_cast<std::size_t>(plan.height); ++y)
    detail::convert_channels(
        resized.data() + y * inner.pitch(), picture.channels, static_cast<std::size_t>(plan.width),
        config.channels,
        out.data() + (top + y) * config.extent().pitch() + left * static_cast<std::size_t>(config.channels));
}

}  // namespace diffsiam::data
